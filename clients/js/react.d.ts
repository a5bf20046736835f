// SPDX-License-Identifier: MIT

import type { LiveClient, LiveError, LiveName, LiveParams, LiveRow } from './live.js';

/** The rows of a live query, for as long as the component is shown; `params` null: not yet. */
export declare function useLive<Database, Name extends LiveName<Database>>(
  live: LiveClient<Database>,
  query: Name,
  params: LiveParams<Database, Name> | null,
): {
  /** Undefined until the first answer. */
  rows: LiveRow<Database, Name>[] | undefined;
  /** Until the next answer: why there is none. */
  error: LiveError | undefined;
};

// SPDX-License-Identifier: MIT
// Live queries in React components.

import { useEffect, useState } from 'react';

const nothing = { rows: undefined, error: undefined };

/**
 * The rows of a live query, for as long as the component is shown.  `params` null: not yet.
 * `rows` is undefined until the first answer.
 */
export function useLive(live, query, params) {
  const asked = params === null ? null : JSON.stringify(params);
  const [held, setHeld] = useState({ ...nothing, live, query, asked });

  useEffect(() => {
    if (asked === null) return undefined;
    const show = (change) => setHeld((before) => {
      const isSame = before.live === live && before.query === query && before.asked === asked;
      return { ...(isSame ? before : nothing), live, query, asked, ...change };
    });
    const subscription = live.live(query, JSON.parse(asked), {
      onChange: (rows) => show({ rows, error: undefined }),
      onError: (error) => show(error.willRetry ? { error } : { rows: undefined, error }),
    });
    return () => subscription.close();
  }, [live, query, asked]);

  // What is held for other arguments is not shown for these.
  const isOurs = asked !== null && held.live === live && held.query === query && held.asked === asked;
  const { rows, error } = isOurs ? held : nothing;
  return { rows, error };
}

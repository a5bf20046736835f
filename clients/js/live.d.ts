// SPDX-License-Identifier: MIT

export declare class LiveError extends Error {
  readonly name: 'LiveError';
  /** As in docs/live.md: `unknown_query`, `bad_params`, ..., or an SQLSTATE. */
  readonly code: string;
}

export interface Snapshot<Row> {
  type: 'snapshot';
  seq: number;
  lsn?: string;
  key: string[];
  rows: Row[];
}

export interface Delta<Row> {
  type: 'delta';
  seq: number;
  lsn?: string;
  inserted?: Row[];
  inserted_at?: number[];
  updated?: Row[];
  updated_at?: number[];
  deleted?: Partial<Row>[];
}

export interface LiveOptions {
  /** A user token or the anon key, or what gives one: it is asked at each connection. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Where the platform has none. */
  WebSocket?: unknown;
  onState?: (state: 'open' | 'closed') => void;
}

export interface Handlers<Row> {
  /** All rows, and what has changed; a new array each time. */
  onChange: (rows: Row[], change: Snapshot<Row> | Delta<Row>) => void;
  /** The subscription has ended. */
  onError?: (error: LiveError) => void;
}

export interface Subscription<Row> {
  /** Undefined until the first answer. */
  readonly rows: Row[] | undefined;
  close(): void;
}

/** `Live` of the `Database` that `pgstack generate types` writes: names, arguments and rows. */
type AnyLive = Record<string, { Args: Record<string, unknown> | never; Row: Record<string, unknown> }>;

export interface LiveClient<L extends AnyLive = AnyLive> {
  live<Name extends keyof L & string>(
    query: Name,
    params: L[Name]['Args'],
    handlers: Handlers<L[Name]['Row']>,
  ): Subscription<L[Name]['Row']>;
  /** Gives the open connection a fresh token. */
  refresh(): Promise<void>;
  /** Ends all of it. */
  close(): void;
}

export declare function createLive<L extends AnyLive = AnyLive>(url: string | URL, options?: LiveOptions): LiveClient<L>;

/** The rows after a delta; the rows before are left as they are. */
export declare function applyDelta<Row>(key: string[], rows: Row[], delta: Delta<Row>): Row[];

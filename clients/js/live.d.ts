// SPDX-License-Identifier: MIT

export declare class LiveError extends Error {
  constructor(code: string, message: string, willRetry?: boolean);
  readonly name: 'LiveError';
  /** As in docs/live.md: `unknown_query`, `bad_params`, ..., or an SQLSTATE; of a connection: `token`, `refused`, `connection`. */
  readonly code: string;
  /** It goes on by itself; otherwise the subscription has ended. */
  readonly willRetry: boolean;
}

export interface Snapshot<Row> {
  type: 'snapshot';
  gen: number;
  seq: number;
  lsn?: string;
  key: string[];
  rows: Row[];
}

export interface Delta<Row> {
  type: 'delta';
  gen: number;
  seq: number;
  lsn?: string;
  inserted?: Row[];
  inserted_at?: number[];
  updated?: Row[];
  updated_at?: number[];
  deleted?: Partial<Row>[];
}

/** `idle`: nothing is wanted, or it was refused; `waiting`: the connection was lost, and will be tried again. */
export type LiveState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export interface LiveOptions {
  /** `websocket`, unless said otherwise. */
  transport?: 'websocket' | 'sse';
  /** A token that stays as it is, or the anon key. */
  token?: string;
  /** Or what gives one: asked at each connection, and before the last one ends. */
  getToken?: () => string | null | undefined | Promise<string | null | undefined>;
  /** `error`: why it is not open. */
  onState?: (state: LiveState, error?: LiveError) => void;
  /** Where the platform has none. */
  WebSocket?: unknown;
  fetch?: typeof globalThis.fetch;
}

export interface Handlers<Row> {
  /** All rows, and what has changed; a new array each time. */
  onChange?: (rows: Row[], change: Snapshot<Row> | Delta<Row>) => void;
  /** The subscription has ended, or the connection has failed and is tried again: `error.willRetry`. */
  onError?: (error: LiveError) => void;
}

export interface Subscription<Row> {
  /** Undefined until the first answer. */
  readonly rows: Row[] | undefined;
  close(): void;
}

type AnyLive = Record<string, { Args: Record<string, unknown>; Row: Record<string, unknown> }>;

/** The live queries of the `Database` that `pgstack generate types` writes. */
export type LiveOf<Database> = Database extends { public: { Live: infer Live } } ? Live : AnyLive;
export type LiveName<Database> = keyof LiveOf<Database> & string;
export type LiveRow<Database, Name extends LiveName<Database>> = LiveOf<Database>[Name] extends { Row: infer Row } ? Row : never;
export type LiveParams<Database, Name extends LiveName<Database>> =
  LiveOf<Database>[Name] extends { Args: infer Args } ? ([Args] extends [never] ? Record<string, never> : Args) : never;

export interface LiveClient<Database = unknown> {
  readonly state: LiveState;
  live<Name extends LiveName<Database>>(
    query: Name,
    params: LiveParams<Database, Name>,
    handlers?: Handlers<LiveRow<Database, Name>>,
  ): Subscription<LiveRow<Database, Name>>;
  /** Asks for a token now: on the open connection, or by connecting again. */
  refresh(): Promise<void>;
  /** Ends all of it. */
  close(): void;
}

/** A client of the server at `url`. */
export declare function createLive<Database = unknown>(url: string | URL, options?: LiveOptions): LiveClient<Database>;

/** The rows after a delta; the rows before are left as they are. */
export declare function applyDelta<Row>(key: string[], rows: readonly Row[], delta: Omit<Delta<Row>, 'type' | 'gen' | 'seq'>): Row[];

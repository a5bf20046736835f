// The application "proof" with its rows, for the suites that ask it.
import { buildProject, credentials, openApp } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';

export const items = `
insert into item (id, name, price, stock, weight, sold, mood, tags, sizes, attrs, ref, made, seen) values
 (1, 'apple',      1.50,  10, 0.25,  false, 'ok',    '{red,fruit}',   '{1,2,3}', '{"a": 1, "b": {"c": [1, 2]}}', '11111111-1111-4111-8111-111111111111', '2024-01-01', '2024-01-01T10:00:00Z'),
 (2, 'pear',       2.25,  0,  0.5,   true,  'happy', '{green,fruit}', '{2,3}',   '{"a": 2}',                     '22222222-2222-4222-8222-222222222222', '2024-02-29', '2024-02-29T23:59:59.123456Z'),
 (3, 'Plum, dark', 12.00, 5,  null,  null,  'sad',   '{}',            null,      null,                           null,                                   null,         null),
 (4, 'a"b\\c',     0.05,  7,  1e10,  false, 'so, so "quoted"', '{"x y","c,d"}', '{}', '[]',                     null,                                   '1999-12-31', '1999-12-31T12:00:00+05'),
 (5, '100% (new)', null,  7,  -0.5,  true,  'ok',    '{fruit}',       '{3}',     '{"a": null}',                  null,                                   '2024-06-15', '2024-06-15T00:00:00Z'),
 (6, 'mañana 🍎',  99999.99, 1000000, 0, false, 'happy', '{red}',     '{1}',     '"text"',                       null,                                   '2024-12-31', null);
`;

/** Opens it on a database of its own; `env` goes to the server. */
export async function openProof(name, { env, seed = '' } = {}) {
  const project = await buildProject('tests/4-api/app');
  return openApp({ project, app: 'proof', name, env, seed: items + seed });
}

/**
 * Calls that take until `open`: `call` makes one of the server at `port`, or sends `body` to `path` as others like it; `running`
 * waits until so many of them have come to PostgreSQL.
 */
export async function closeGate({ cluster, name }) {
  const holder = await connect(cluster, name), lock = 4712;
  await holder.query('select pg_advisory_lock($1)', [lock]);
  const path = '/rest/v1/rpc/run_text', body = { what: `select pg_advisory_xact_lock_shared(${lock})` };
  const waiting = () => holder.value(`select count(*)::int from pg_locks
    where not granted and locktype = 'advisory' and objid = $1 and database = (select oid from pg_database where datname = current_database())`, [lock]);
  return {
    path, body,
    call: (port, more = {}) => request(port, 'POST', path, { timeout_ms: 60_000, ...more, body, headers: { ...credentials('ada'), ...more.headers } }),
    running: (n) => until(`${n} calls to run`, async () => await waiting() >= n),
    open: () => holder.end(),
  };
}

/** A caller with the declared role editor. */
export const editor = { sub: '0c0c0c0c-0000-4000-8000-000000000004', role: 'editor' };

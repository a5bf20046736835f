// Everything that is measured in turn: { part, who, clients, go(seconds) }.
import { request } from '../tests/lib/http.mjs';
import { h2load, pgbench, writeRequests, wrk } from './load.mjs';
import { shapes } from './shapes.mjs';
import { rows, n_users, tokens } from './stage.mjs';
import { statementsOf, writeScripts } from './statements.mjs';

export const quick = Boolean(process.env.QUICK);
export const clients = quick ? [64] : [64, 16];
export const contestants = ['ours', 'fastify', 'postgraphile'];
const h2_streams = 4; // on each connection: so many fewer connections

const file_name = (text) => text.replace(/[^a-z0-9]+/gi, '_');
const ask = (server, shape, who, i) => {
  const { method, path, body } = shape[who](i);
  return request(server.port, method, path, { body, headers: { Authorization: `Bearer ${tokens[shape.user(i)]}` } });
};

/** All contestants say the same, or it is no comparison. */
async function compare(stage, shape) {
  for (const i of [0, 7, shape.requests - 1]) {
    const answers = {};
    for (const who of contestants.filter((w) => shape[w])) {
      const r = await ask(stage[who], shape, who, i);
      if (r.status > 299) throw new Error(`${shape.name}, ${who}: ${r.status} ${r.text}`);
      answers[who] = JSON.stringify(shape.of[who](r.text === '' ? null : r.json));
    }
    if (new Set(Object.values(answers)).size > 1) throw new Error(`${shape.name}: different answers: ${JSON.stringify(answers).slice(0, 2000)}`);
  }
}

async function ofShape(stage, shape) {
  const pg = stage.cluster.process.pid;
  const found = [];
  const add = (who, n, go) => found.push({ part: shape.name, who, clients: n, go, before: shape.writes && (() => stage.db.query('truncate note')) });
  await compare(stage, shape);
  for (const who of contestants.filter((w) => shape[w])) {
    const file = writeRequests(`${file_name(shape.name)}-${who}`, shape, shape[who]);
    const { port, pid } = stage[who];
    for (const n of clients) add(who, n, (s) => wrk(`http://127.0.0.1:${port}`, file, n, s, { server: pid, pg }));
  }
  if (!shape.values) return { found };
  const statements = await statementsOf(stage, () => ask(stage.ours, shape, 'ours', 4));
  const scripts = writeScripts(file_name(shape.name), statements, shape);
  for (const kind of Object.keys(scripts))
    for (const n of clients) add(kind, n, (s) => pgbench(stage.cluster, scripts[kind], n, s, { pg }));
  return { found, statements };
}

/** The static answer and a row by key, by protocol. */
function ofProtocols(stage) {
  const found = [];
  const pg = stage.cluster.process.pid;
  const own_ids = Array.from({ length: rows / n_users }, (_, i) => (i + 1) * n_users); // of user 0
  const paths = { 'static answer': ['/health'], '1 row by key': own_ids.map((id) => `/rest/v1/item?id=eq.${id}`) };
  for (const [part, list] of Object.entries(paths)) {
    const shape = { requests: list.length, user: () => 0 };
    const file = writeRequests(`protocol-${file_name(part)}`, shape, (i) => ({ method: 'GET', path: list[i] }));
    const secure = list.map((path) => `https://127.0.0.1:${stage.tls.port}${path}`);
    const pids = { server: stage.tls.pid, pg };
    const add = (who, n, go) => found.push({ part: `by protocol: ${part}`, who, clients: n, go });
    for (const n of clients) {
      add('HTTP/1.1', n, (s) => wrk(`http://127.0.0.1:${stage.ours.port}`, file, n, s, { server: stage.ours.pid, pg }));
      add('HTTP/1.1, TLS', n, (s) => wrk(`https://127.0.0.1:${stage.tls.port}`, file, n, s, pids));
      add('HTTP/2, TLS', n, (s) => h2load(secure, n / h2_streams, h2_streams, s, pids));
    }
  }
  return found;
}

/** Every variant, and the statements that the server sends for each shape. */
export async function openVariants(stage) {
  const variants = [];
  const statements = {};
  for (const shape of shapes) {
    const made = await ofShape(stage, shape);
    variants.push(...made.found);
    if (made.statements) statements[shape.name] = made.statements;
  }
  return { variants: [...variants, ...ofProtocols(stage)], statements };
}

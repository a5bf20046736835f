// What is asked, in the words of each contestant, and what PostgreSQL must be asked for it.
//
// Of each shape: `requests`, how many different ones; for each contestant a function of the request's
// number to { method, path, body }; `of`, what to look at in an answer, so that all are known to
// say the same; `values`, what pgbench puts for the statement's parameters, `n` one of its variables.
import { n_users, rows } from './stage.mjs';

const item_fields = 'rowId ownerId title body state madeAt';
const graphql = (query, variables) => ({ method: 'POST', path: '/graphql', body: { query, variables } });
const get = (path) => ({ method: 'GET', path });
const post = (path, body) => ({ method: 'POST', path, body });

// spread over the table, always the same ones
const key = (i) => (i * 24_593) % rows + 1;
const titles = (n, i) => Array.from({ length: n }, (_, k) => ({ title: `Note ${i} ${k}`, state: (i + k) % 7 }));

function page(n) {
  const question = `query($n: Int!) { allItems(first: $n, orderBy: ROW_ID_ASC) { nodes { ${item_fields} } } }`;
  return {
    name: `${n.toLocaleString('en-US')} rows`,
    requests: n_users,
    user: (i) => i,
    ours: () => get(`/rest/v1/item?order=id&limit=${n}`),
    fastify: () => get(`/item?limit=${n}`),
    postgraphile: () => graphql(question, { n }),
    of: { ours: (json) => json.map((r) => r.title), fastify: (json) => json.map((r) => r.title), postgraphile: (json) => json.data.allItems.nodes.map((r) => r.title) },
    n,
    values: [':n'],
  };
}

const nothing = () => '';

export const shapes = [
  {
    name: '1 row by key',
    requests: 4000,
    user: (i) => key(i) % n_users,
    ours: (i) => get(`/rest/v1/item?id=eq.${key(i)}`),
    fastify: (i) => get(`/item/${key(i)}`),
    postgraphile: (i) => graphql(`query($id: Int!) { itemByRowId(rowId: $id) { ${item_fields} } }`, { id: key(i) }),
    of: { ours: (json) => json[0].title, fastify: (json) => json[0].title, postgraphile: (json) => json.data.itemByRowId.title },
    values: [':id'],
  },
  page(20),
  page(1000),
  {
    name: 'insert',
    requests: 1000,
    user: (i) => i % n_users,
    writes: true,
    ours: (i) => post('/rest/v1/note', titles(1, i)[0]),
    fastify: (i) => post('/note', titles(1, i)[0]),
    postgraphile: (i) => graphql('mutation($note: NoteInput!) { createNote(input: { note: $note }) { clientMutationId } }', { note: titles(1, i)[0] }),
    of: { ours: nothing, fastify: nothing, postgraphile: (json) => json.errors?.[0].message ?? '' },
    values: ["'Note ' || :id", ':id % 7'],
  },
  {
    name: 'insert of 1,000',
    requests: 20,
    user: (i) => i,
    writes: true,
    ours: (i) => post('/rest/v1/note', titles(1000, i)),
    fastify: (i) => post('/notes', titles(1000, i)),
    of: { ours: nothing, fastify: nothing },
  },
  {
    name: 'call of a function',
    requests: 4000,
    user: (i) => key(i) % n_users,
    ours: (i) => get(`/rest/v1/rpc/item_title?item=${key(i)}`),
    fastify: (i) => get(`/title/${key(i)}`),
    postgraphile: (i) => graphql('query($id: Int!) { itemTitle(item: $id) }', { id: key(i) }),
    of: { ours: (json) => json, fastify: (json) => json, postgraphile: (json) => json.data.itemTitle },
    values: [':id'],
  },
];

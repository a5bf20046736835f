// What the server answers is what generated/openapi.json says that it answers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';
import { users } from '../lib/app.mjs';
import { callers, openDesk, teams } from './desk.mjs';
import { editor, openProof } from './proof.mjs';

let desk, proof;

/** The application with its document. */
function described(app) {
  const document = JSON.parse(readFileSync(join(app.project, 'generated/openapi.json'), 'utf8'));
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema(document, 'doc');
  return { app, document, ajv };
}

before(async () => {
  desk = described(await openDesk('api_openapi'));
  proof = described(await openProof('api_openapi_proof'));
});
after(() => Promise.all([desk, proof].map(({ app }) => app.close())));

const escape = (part) => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** The answer fits the schema of its path, method, status and media type. */
function fits({ document, ajv }, path, method, answer) {
  const operation = document.paths[path][method];
  assert.ok(operation, `${method} ${path}`);
  const status = answer.status in operation.responses ? String(answer.status) : 'default';
  const response = operation.responses[status];
  const at = response.$ref ? response.$ref.slice(1) : `/paths/${escape(path)}/${method}/responses/${status}`;
  const content = at.slice(1).split('/').reduce((here, part) => here[part.replaceAll('~1', '/').replaceAll('~0', '~')], document).content;
  if (!answer.text) {
    assert.ok(!content || method !== 'head', `${method} ${path} ${answer.status} is described with a body`);
    return status;
  }
  const media = answer.headers['content-type'].split(';')[0];
  assert.ok(content?.[media], `${method} ${path} ${answer.status}: ${media} is not described`);
  const validate = ajv.compile({ $ref: `doc#${at}/content/${escape(media)}/schema` });
  assert.ok(validate(answer.json), `${method} ${path}: ${JSON.stringify(validate.errors)}\n${answer.text.slice(0, 500)}`);
  return status;
}

/** Asks for all rows of every table and view; how many there were. */
async function allRows(api, who) {
  let rows = 0;
  for (const path of Object.keys(api.document.paths).filter((path) => !path.includes('/rpc/') && api.document.paths[path].get)) {
    const answer = await api.app.ask(who, 'GET', path);
    const head = await api.app.ask(who, 'HEAD', path);
    fits(api, path, 'get', answer);
    fits(api, path, 'head', head);
    assert.equal(head.status, answer.status, `HEAD ${path}`);
    assert.equal(head.headers['content-range'], answer.headers['content-range'], `HEAD ${path}`);
    if (answer.status !== 200) continue;
    const known = api.document.components.schemas[decodeURIComponent(path.split('/').at(-1))].properties;
    for (const row of answer.json) {
      rows++;
      for (const name of Object.keys(row)) assert.ok(name in known, `${path}: ${name} is not described`);
    }
  }
  return rows;
}

test('rows of every table and view, for every caller', async () => {
  let rows = 0;
  for (const who of Object.values(callers)) rows += await allRows(desk, who.http);
  assert.ok(rows > 50);
});

test('rows of another application', async () => {
  let rows = 0;
  for (const who of ['anon', { sub: users.ada }, editor, 'service']) rows += await allRows(proof, who);
  assert.ok(rows > 10);
});

/** Arguments that a document asks for, as a client would make them up. */
function madeUp(document, schema) {
  const made = { integer: 1, number: 1.5, boolean: true, string: 'x', array: [], object: {} };
  const resolve = (one) => (one.$ref ? resolve(one.$ref.slice(2).split('/').reduce((at, part) => at[part], document)) : one);
  const value = (one) => {
    const known = resolve(one);
    const form = { uuid: users.ada, date: '2024-02-29', 'date-time': '2024-02-29T12:00:00Z' };
    return known.enum?.[0] ?? known.oneOf?.map(value)[0] ?? form[known.format] ?? made[[known.type].flat()[0]] ?? null;
  };
  return Object.fromEntries((schema.required ?? []).map((name) => [name, value(schema.properties[name])]));
}

test('calls of another application', async () => {
  let called = 0;
  for (const path of Object.keys(proof.document.paths).filter((path) => path.includes('/rpc/'))) {
    const { get, post } = proof.document.paths[path];
    const body = madeUp(proof.document, post.requestBody.content['application/json'].schema);
    const answer = await proof.app.ask('service', 'POST', path, body);
    called += answer.status < 300;
    fits(proof, path, 'post', answer);
    if (!get) continue;
    const url = `${path}?${new URLSearchParams(body)}`;
    fits(proof, path, 'get', await proof.app.ask('service', 'GET', url));
    fits(proof, path, 'head', await proof.app.ask('service', 'HEAD', url));
  }
  assert.ok(called >= 5, `${called} calls were answered`);
});

test('parts, one object, errors', async () => {
  const part = await desk.app.ask('service', 'GET', '/rest/v1/ticket?limit=2', undefined, { Prefer: 'count=exact' });
  assert.equal(fits(desk, '/rest/v1/ticket', 'get', part), '206');
  const one = await desk.app.ask('service', 'GET', '/rest/v1/ticket?id=eq.1', undefined, { Accept: 'application/vnd.pgrst.object+json' });
  assert.equal(fits(desk, '/rest/v1/ticket', 'get', one), '200');
  assert.equal(one.json.id, 1);
  for (const query of ['nothing=eq.1', 'id=eq.x', 'select=nothing', 'limit=-1'])
    assert.equal(fits(desk, '/rest/v1/ticket', 'get', await desk.app.ask('service', 'GET', `/rest/v1/ticket?${query}`)), 'default');
});

test('writes', async () => {
  const representation = { Prefer: 'return=representation' };
  const path = '/rest/v1/ticket';
  const good = { team_id: teams.red, title: 'New', author_id: callers.ada.claims.sub };
  const insert = desk.ajv.compile({ $ref: 'doc#/components/schemas/ticket.insert' });
  assert.ok(insert(good));
  const made = await desk.app.ask('service', 'POST', path, good, representation);
  assert.equal(fits(desk, path, 'post', made), '201');
  const { id } = made.json[0];
  assert.equal(fits(desk, path, 'patch', await desk.app.ask('service', 'PATCH', `${path}?id=eq.${id}`, { due: null }, representation)), '200');
  assert.equal(fits(desk, path, 'patch', await desk.app.ask('service', 'PATCH', `${path}?id=eq.${id}`, { due: '2024-02-29' })), '204');
  assert.equal(fits(desk, path, 'delete', await desk.app.ask('service', 'DELETE', `${path}?id=eq.${id}`, undefined, representation)), '200');
  for (const bad of [{ title: 'x' }, { ...good, id: 1 }, { ...good, state: 'closed' }, { ...good, title: null }, { ...good, nothing: 1 }]) {
    assert.ok(!insert(bad), `${JSON.stringify(bad)} is no new row`);
    const answer = await desk.app.ask('service', 'POST', path, bad);
    assert.equal(answer.status, 400, JSON.stringify(bad));
    fits(desk, path, 'post', answer);
  }
});

test('calls', async () => {
  for (const [name, body] of [['search_tickets', { q: 'printer' }], ['open_tickets', { team: teams.red }], ['team_work', { team: teams.both }], ['ticket_ages', {}]]) {
    const path = `/rest/v1/rpc/${name}`;
    const url = new URLSearchParams(body).toString();
    const answer = await desk.app.ask('service', 'POST', path, body);
    assert.equal(answer.status, 200, answer.text);
    fits(desk, path, 'post', answer);
    fits(desk, path, 'get', await desk.app.ask('service', 'GET', `${path}?${url}`));
    fits(desk, path, 'post', await desk.app.ask('service', 'POST', path, { nonsense: 1 }));
  }
});

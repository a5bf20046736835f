// What the server answers is what generated/openapi.json says that it answers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';
import { callers, openDesk, teams } from './desk.mjs';

let desk, document, ajv;
before(async () => {
  desk = await openDesk('api_openapi');
  document = JSON.parse(readFileSync(join(desk.project, 'generated/openapi.json'), 'utf8'));
  ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema(document, 'doc');
});
after(() => desk.close());

const escape = (part) => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** The answer fits the schema of its path, method, status and media type. */
function fits(path, method, answer) {
  const operation = document.paths[path][method];
  assert.ok(operation, `${method} ${path}`);
  const status = answer.status in operation.responses ? String(answer.status) : 'default';
  const response = operation.responses[status];
  const at = response.$ref ? response.$ref.slice(1) : `/paths/${escape(path)}/${method}/responses/${status}`;
  const content = at.slice(1).split('/').reduce((here, part) => here[part.replaceAll('~1', '/').replaceAll('~0', '~')], document).content;
  if (!answer.text) return status;
  const media = answer.headers['content-type'].split(';')[0];
  assert.ok(content?.[media], `${method} ${path} ${answer.status}: ${media} is not described`);
  const validate = ajv.compile({ $ref: `doc#${at}/content/${escape(media)}/schema` });
  assert.ok(validate(answer.json), `${method} ${path}: ${JSON.stringify(validate.errors)}\n${answer.text.slice(0, 500)}`);
  return status;
}

test('rows of every table and view, for every caller', async () => {
  let rows = 0;
  for (const path of Object.keys(document.paths).filter((path) => !path.includes('/rpc/')))
    for (const who of Object.values(callers)) {
      const answer = await desk.ask(who.http, 'GET', path);
      fits(path, 'get', answer);
      if (answer.status !== 200) continue;
      const known = document.components.schemas[path.split('/').at(-1)].properties;
      for (const row of answer.json) {
        rows++;
        for (const name of Object.keys(row)) assert.ok(name in known, `${path}: ${name} is not described`);
      }
    }
  assert.ok(rows > 50);
});

test('parts, one object, errors', async () => {
  const part = await desk.ask('service', 'GET', '/rest/v1/ticket?limit=2', undefined, { Prefer: 'count=exact' });
  assert.equal(fits('/rest/v1/ticket', 'get', part), '206');
  const one = await desk.ask('service', 'GET', '/rest/v1/ticket?id=eq.1', undefined, { Accept: 'application/vnd.pgrst.object+json' });
  assert.equal(fits('/rest/v1/ticket', 'get', one), '200');
  assert.equal(one.json.id, 1);
  for (const query of ['nothing=eq.1', 'id=eq.x', 'select=nothing', 'limit=-1'])
    assert.equal(fits('/rest/v1/ticket', 'get', await desk.ask('service', 'GET', `/rest/v1/ticket?${query}`)), 'default');
});

test('writes', async () => {
  const representation = { Prefer: 'return=representation' };
  const path = '/rest/v1/ticket';
  const good = { team_id: teams.red, title: 'New', author_id: callers.ada.claims.sub };
  const insert = ajv.compile({ $ref: 'doc#/components/schemas/ticket.insert' });
  assert.ok(insert(good));
  const made = await desk.ask('service', 'POST', path, good, representation);
  assert.equal(fits(path, 'post', made), '201');
  const { id } = made.json[0];
  assert.equal(fits(path, 'patch', await desk.ask('service', 'PATCH', `${path}?id=eq.${id}`, { due: null }, representation)), '200');
  assert.equal(fits(path, 'patch', await desk.ask('service', 'PATCH', `${path}?id=eq.${id}`, { due: '2024-02-29' })), '204');
  assert.equal(fits(path, 'delete', await desk.ask('service', 'DELETE', `${path}?id=eq.${id}`, undefined, representation)), '200');
  for (const bad of [{ title: 'x' }, { ...good, id: 1 }, { ...good, state: 'closed' }, { ...good, title: null }, { ...good, nothing: 1 }]) {
    assert.ok(!insert(bad), `${JSON.stringify(bad)} is no new row`);
    const answer = await desk.ask('service', 'POST', path, bad);
    assert.equal(answer.status, 400, JSON.stringify(bad));
    fits(path, 'post', answer);
  }
});

test('calls', async () => {
  for (const [name, body] of [['search_tickets', { q: 'printer' }], ['open_tickets', { team: teams.red }], ['team_work', { team: teams.both }], ['ticket_ages', {}]]) {
    const path = `/rest/v1/rpc/${name}`;
    const url = new URLSearchParams(body).toString();
    const answer = await desk.ask('service', 'POST', path, body);
    assert.equal(answer.status, 200, answer.text);
    fits(path, 'post', answer);
    fits(path, 'get', await desk.ask('service', 'GET', `${path}?${url}`));
    fits(path, 'post', await desk.ask('service', 'POST', path, { nonsense: 1 }));
  }
});

// Types and operators of extensions, in a schema that no search_path names: case does not count.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, openApp, users } from '../lib/app.mjs';

const ada = { sub: users.ada };
let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/extensions'), app: 'names', name: 'api_extensions',
    seed: `insert into person (nick, mail, other) values ('Anna', 'Anna@Example.com', '{A,b}'), ('bob', null, '{}'), ('ROOT', null, '{}');` });
});
after(() => app?.close());

async function nicks(filter) {
  const r = await app.get(ada, `person?select=nick&order=nick&${filter}`);
  assert.equal(r.status, 200, `${filter}: ${r.text}`);
  return r.json.map((row) => row.nick);
}

const found = {
  'nick=eq.ANNA': ['Anna'], 'nick=in.(aNNa,BOB)': ['Anna', 'bob'], 'nick=neq.BOB': ['Anna'], 'nick=gt.ANNA': ['bob'],
  'nick=like.A*': ['Anna'], 'nick=like.a*': ['Anna'], 'nick=ilike.B*': ['bob'], 'nick=not.eq.anna': ['bob'],
  'mail=eq.anna@example.COM': ['Anna'], 'other=cs.{a,B}': ['Anna'], 'nick=eq.root': [], 'or=(nick.eq.BOB,nick.eq.x)': ['bob'],
};
for (const [filter, want] of Object.entries(found)) test(filter, async () => assert.deepEqual(await nicks(filter), want));

test('a key that differs in case alone is taken', async () => {
  const r = await app.ask(ada, 'POST', '/rest/v1/person', '{"nick": "ANNA", "mail": "a@b"}');
  assert.equal(r.status, 409, r.text);
  assert.equal(r.json.code, '23505');
});

test('an upsert finds its row whatever the case', async () => {
  const r = await app.ask(ada, 'POST', '/rest/v1/person?on_conflict=nick&select=nick,mail', '{"nick": "CARL", "mail": "C@c"}',
    { Prefer: 'return=representation' });
  assert.equal(r.status, 201, r.text);
  assert.equal(r.text, '[{"nick":"CARL","mail":"C@c"}]');
});

test('policies compare so, too', async () => {
  const r = await app.ask(ada, 'POST', '/rest/v1/person', '{"nick": "rOOt", "mail": "a@b"}');
  assert.equal(r.status, 403, r.text);
  const bad = await app.ask(ada, 'POST', '/rest/v1/person', '{"nick": "x", "mail": "no"}');
  assert.equal(bad.json.code, '23514', bad.text);
});

test('queries: arguments, lists and likeness', async () => {
  assert.deepEqual((await app.get(ada, 'rpc/called?n=bOB')).json.map((row) => row.nick), ['bob']);
  assert.deepEqual((await app.get(ada, 'rpc/near?q=Ann')).json, ['Anna']);
});

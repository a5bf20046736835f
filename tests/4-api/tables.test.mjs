// Tables that are more than plain: generated columns, partitions, another schema, kept rows.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_tables'); });
after(() => app?.close());
beforeEach(() => app.db.query('truncate store.invoice, event restart identity'));

const rep = { Prefer: 'return=representation' };
const ada = 'ada';
const bob = 'bob';
const ask = (who, method, path, body, headers) => app.ask(who, method, `/rest/v1/${path}`, body, headers);
/** Which partition each row is in. */
const places = () => app.db.rows('select id, tableoid::regclass::text as part from event order by id');

test('a generated column is computed, shown, and filtered by', async () => {
  const made = await ask(editor, 'POST', 'invoice', { net: 100 }, rep);
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json, [{ id: 1, net: 100, rate: 20, total: 120 }]);
  const changed = await ask(editor, 'PATCH', 'invoice?total=eq.120', { rate: 50 }, rep);
  assert.deepEqual(changed.json, [{ id: 1, net: 100, rate: 50, total: 150 }]);
});

test('nobody writes a generated column, the service key neither', async () => {
  for (const who of [editor, 'service'])
    for (const [method, path] of [['POST', 'invoice'], ['PATCH', 'invoice?id=eq.1']]) {
      const r = await ask(who, method, path, { net: 1, total: 7 });
      assert.equal(r.status, 400, r.text);
    }
  assert.equal(await app.db.value('select count(*) from store.invoice'), '0');
});

test('a table of another schema: insert, upsert, get, delete', async () => {
  await ask(editor, 'POST', 'invoice', [{ net: 1 }, { net: 2 }]);
  assert.deepEqual((await ask(editor, 'GET', 'invoice?id=eq.2&select=net')).json, [{ net: 2 }]);
  assert.equal((await ask(editor, 'DELETE', 'invoice?id=eq.2')).status, 204);
  assert.deepEqual(await app.db.rows('select net from store.invoice'), [{ net: 1 }]);
  assert.equal((await ask(ada, 'GET', 'invoice')).status, 403);
  for (const [schema, status] of [['store', 200], ['public', 200], ['desk', 406]])
    assert.equal((await ask(editor, 'GET', 'invoice', undefined, { 'Accept-Profile': schema })).status, status, schema);
});

test('rows of a partitioned table go where they belong', async () => {
  const made = await ask(ada, 'POST', 'event', [{ day: '2025-05-01' }, { day: '2026-05-01' }, { day: '1999-01-01' }], rep);
  assert.equal(made.status, 201, made.text);
  assert.deepEqual((await places()).map((r) => r.part), ['event_2025', 'event_2026', 'event_rest']);
  const list = await ask(ada, 'GET', 'event?select=id&order=day.desc');
  assert.deepEqual(list.json, [{ id: 2 }, { id: 1 }, { id: 3 }]);
  const one = await ask(ada, 'GET', 'event?id=eq.1&day=eq.2025-05-01&select=id,day');
  assert.deepEqual(one.json, [{ id: 1, day: '2025-05-01' }]);
});

test('an update moves a row between partitions, a delete finds it there', async () => {
  await ask(ada, 'POST', 'event', { day: '2025-05-01', body: 'a' });
  const moved = await ask(ada, 'PATCH', 'event?id=eq.1', { day: '2026-05-01' }, rep);
  assert.equal(moved.status, 200, moved.text);
  assert.equal(moved.json[0].day, '2026-05-01');
  assert.deepEqual(await places(), [{ id: 1, part: 'event_2026' }]);
  assert.equal((await ask(ada, 'DELETE', 'event?id=eq.1')).status, 204);
  assert.deepEqual(await places(), []);
});

test('the policies of a partitioned table hold, and its partitions are not served', async () => {
  await ask(ada, 'POST', 'event', { day: '2025-05-01' });
  assert.deepEqual((await ask(bob, 'GET', 'event')).json, []);
  assert.deepEqual((await ask(bob, 'PATCH', 'event?id=eq.1', { body: 'x' }, rep)).json, []);
  assert.equal((await ask(ada, 'GET', 'event_2025')).status, 404);
  for (const part of ['event_2025', 'event_2026', 'event_rest'])
    assert.equal(await app.db.value(`select has_table_privilege('authenticated', '${part}', 'select')`), false);
  assert.equal(await app.db.value("select count(*) from pg_class where relname like 'event%' and relkind in ('r', 'p') and relrowsecurity and relforcerowsecurity"), '4');
});

test('a materialized view shows the rows of its last refresh', async () => {
  await app.db.query('refresh materialized view concurrently store.by_mood');
  const first = await ask('anon', 'GET', 'by_mood?mood=eq.sad');
  assert.deepEqual(first.json, [{ mood: 'sad', n: 1, stock: 5 }]);
  await app.db.query("update item set stock = 6 where mood = 'sad'");
  assert.deepEqual((await ask('anon', 'GET', 'by_mood?mood=eq.sad')).json, first.json);
  // The owner refreshes it, and is not held back by the policies of what it reads.
  await app.db.query('set role pgstack_owner; refresh materialized view store.by_mood; reset role');
  assert.deepEqual((await ask('anon', 'GET', 'by_mood?mood=eq.sad&select=stock')).json, [{ stock: 6 }]);
  assert.equal((await ask(editor, 'POST', 'by_mood', { mood: 'ok' })).status, 405);
});

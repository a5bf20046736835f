// The client that users have, unmodified.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { users } from '../lib/app.mjs';
import { anon_key, service_key, token } from '../lib/jwt.mjs';
import { editor, openProof } from './proof.mjs';

let app;
let anon;
let ada;
let edit;
let service;

function client(key, bearer) {
  return createClient(`http://127.0.0.1:${app.port}`, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: bearer ? { headers: { Authorization: `Bearer ${bearer}` } } : {},
  });
}

before(async () => {
  app = await openProof('api_supabase');
  anon = client(anon_key);
  ada = client(anon_key, token(users.ada));
  edit = client(anon_key, token(editor.sub, editor));
  service = client(service_key);
});
after(() => app?.close());

const good = ({ data, error, ...rest }) => {
  assert.equal(error, null, JSON.stringify(error));
  return { data, ...rest };
};

test('select, filters, order, range', async () => {
  assert.equal(good(await anon.from('item').select()).data.length, 6);
  assert.deepEqual(good(await anon.from('item').select('id,title:name').eq('id', 1)).data, [{ id: 1, title: 'apple' }]);
  assert.deepEqual(good(await anon.from('item').select('id').in('name', ['Plum, dark', 'a"b\\c']).order('id')).data, [{ id: 3 }, { id: 4 }]);
  assert.deepEqual(good(await anon.from('item').select('id').gte('stock', 5).lt('stock', 10).neq('id', 3).order('id', { ascending: false })).data, [{ id: 5 }, { id: 4 }]);
  assert.deepEqual(good(await anon.from('item').select('id').is('weight', null)).data, [{ id: 3 }]);
  assert.deepEqual(good(await anon.from('item').select('id').not('weight', 'is', null).order('id').limit(2)).data, [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(good(await anon.from('item').select('id').ilike('name', 'P%').order('id')).data, [{ id: 2 }, { id: 3 }]);
  assert.deepEqual(good(await anon.from('item').select('id').or('id.eq.1,and(stock.eq.7,sold.is.true)').order('id')).data, [{ id: 1 }, { id: 5 }]);
  assert.deepEqual(good(await anon.from('item').select('id').contains('tags', ['x y'])).data, [{ id: 4 }]);
  assert.deepEqual(good(await anon.from('item').select('id').containedBy('tags', ['red', 'fruit', 'x']).order('id')).data, [{ id: 1 }, { id: 3 }, { id: 5 }, { id: 6 }]);
  assert.deepEqual(good(await anon.from('item').select('id').overlaps('sizes', [1]).order('id')).data, [{ id: 1 }, { id: 6 }]);
  assert.deepEqual(good(await anon.from('item').select('id').contains('attrs', { a: 1 })).data, [{ id: 1 }]);
  assert.deepEqual(good(await anon.from('item').select('id').match({ stock: 7, sold: true })).data, [{ id: 5 }]);
  assert.deepEqual(good(await anon.from('item').select('id').order('weight', { nullsFirst: true }).order('id').limit(1)).data, [{ id: 3 }]);
  assert.deepEqual(good(await anon.from('item').select('id').order('id').range(2, 3)).data, [{ id: 3 }, { id: 4 }]);
});

test('count and head', async () => {
  const r = good(await anon.from('item').select('*', { count: 'exact', head: true }).gt('id', 2));
  assert.equal(r.count, 4);
  assert.equal(r.data, null);
  const page = good(await anon.from('item').select('id', { count: 'exact' }).order('id').range(0, 1));
  assert.deepEqual([page.count, page.data.length, page.status], [6, 2, 206]);
});

test('single and maybeSingle', async () => {
  assert.equal(good(await anon.from('item').select('name').eq('id', 1).single()).data.name, 'apple');
  assert.equal((await anon.from('item').select().eq('id', 77).single()).error.code, 'PGRST116');
  assert.equal((await anon.from('item').select().lt('id', 3).single()).error.code, 'PGRST116');
  assert.equal(good(await anon.from('item').select().eq('id', 77).maybeSingle()).data, null);
  assert.equal(good(await anon.from('item').select('id').eq('id', 2).maybeSingle()).data.id, 2);
});

test('insert, update, delete', async () => {
  const one = good(await edit.from('shelf').insert({ id: 1, code: 'a' }).select().single());
  assert.deepEqual(one.data, { id: 1, code: 'a', height: 10, note: null });
  assert.equal(good(await edit.from('shelf').insert({ id: 2, code: 'b' })).status, 201);
  // rows of different keys: the client sends columns=
  const many = good(await edit.from('shelf').insert([{ id: 3, code: 'c' }, { id: 4, code: 'd', note: 'n' }]).select('id,note').order('id'));
  assert.deepEqual(many.data, [{ id: 3, note: null }, { id: 4, note: 'n' }]);
  assert.equal(good(await edit.from('shelf').update({ note: 'x' }).eq('id', 1)).status, 204);
  assert.deepEqual(good(await edit.from('shelf').update({ note: 'y' }).in('id', [1, 2]).select('id,note').order('id')).data, [{ id: 1, note: 'y' }, { id: 2, note: 'y' }]);
  assert.equal(good(await edit.from('shelf').delete().eq('id', 4)).status, 204);
  assert.deepEqual(good(await edit.from('shelf').delete().gt('id', 2).select('id')).data, [{ id: 3 }]);
  assert.equal(good(await edit.from('shelf').delete({ count: 'exact' }).gt('id', 0)).count, 2);
});

test('rpc', async () => {
  assert.equal(good(await anon.rpc('add', { a: 1, b: 2 })).data, 3);
  assert.equal(good(await anon.rpc('add', { a: 1 }, { get: true })).data, 2);
  assert.equal(good(await anon.rpc('cheaper_items', { than: 2 })).data.length, 2);
  assert.equal(good(await ada.rpc('who_am_i')).data.uid, users.ada);
  assert.equal(good(await anon.rpc('names', {}, { head: true })).data, null);
});

test('errors arrive as the client expects them', async () => {
  const cases = [
    [await anon.from('nothing').select(), 404, 'PGRST205'],
    [await anon.from('item').select('nothing'), 400, '42703'],
    [await anon.from('shelf').insert({ id: 1, code: 'x' }), 401, '42501'],
    [await ada.from('shelf').insert({ id: 1, code: 'x' }), 403, '42501'],
    [await edit.from('shelf').insert([{ id: 9, code: 'x' }, { id: 9, code: 'y' }]), 409, '23505'],
    [await edit.from('book').insert({ shelf_id: 99, title: 'T' }), 409, '23503'],
    [await edit.from('shelf').insert({ id: 1, code: 'x', nope: 1 }), 400, 'PGRST204'],
    [await client(anon_key, 'garbage').from('item').select(), 401, /^PGRST30/],
  ];
  for (const [r, status, code] of cases) {
    assert.equal(r.status, status, JSON.stringify(r));
    assert.match(r.error.code, code instanceof RegExp ? code : new RegExp(`^${code}$`));
    assert.equal(r.data, null);
    assert.ok(r.error.message);
  }
});

test('the service key', async () => {
  await app.db.query(`insert into diary (owner_id, text) values ('${users.ada}', 'a'), ('${users.bob}', 'b')`);
  assert.equal(good(await service.from('diary').select('text,secret')).data.length, 2);
  assert.equal(good(await ada.from('diary').select()).data.length, 1);
});

test('a signal ends a request', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const r = await ada.rpc('nap', { seconds: 5 }).abortSignal(controller.signal);
  assert.ok(r.error);
  assert.equal(good(await anon.from('item').select('id').eq('id', 1)).data.length, 1);
});

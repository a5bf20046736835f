// Real input: the package index of this very machine, loaded and asked through the API.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, openApp, users } from '../../tests/lib/app.mjs';
import { anon_key, token } from '../../tests/lib/jwt.mjs';
import { root } from '../../tests/lib/paths.mjs';
import { run } from '../../tests/lib/process.mjs';

const folder = join(root, 'examples/debian-packages');
const loader = token(users.eve, { role: 'loader' });

let app;
let stanzas;
before(async () => {
  stanzas = await countStanzas();
  if (stanzas < 1000) {
    const apt = process.getuid() === 0 ? ['apt-get', 'update'] : ['sudo', '-n', 'apt-get', 'update'];
    await run(apt[0], apt.slice(1));
    stanzas = await countStanzas();
  }
  const project = await buildProject('examples/debian-packages');
  app = await openApp({ project, app: 'debian_packages', name: 'examples_debian' });
});
after(() => app?.close());

async function countStanzas() {
  const { out } = await run('apt-cache', ['dumpavail']);
  return (out.match(/^Package: /gm) ?? []).length;
}

const say = (t, text) => { for (const line of text.trim().split('\n')) t.diagnostic(`> ${line}`); };

test('the index is loaded by bulk POST', async (t) => {
  assert.ok(stanzas > 1000, `only ${stanzas} packages in the lists of this machine`);
  const { out } = await run(process.execPath, [join(folder, 'load.mjs')], { env: { PATH: process.env.PATH, PORT: String(app.port), API_KEY: loader } });
  say(t, out);
  assert.equal(await app.db.value('select count(*) from package'), String(stanzas));
  assert.ok(Number(await app.db.value('select count(*) from dependency')) > stanzas);
  await app.db.query('analyze');
});

test('the API and psql answer alike', async (t) => {
  const { out, code } = await run(process.execPath, [join(folder, 'questions.mjs')], { may_fail: true,
    env: { PATH: process.env.PATH, PORT: String(app.port), ANON_KEY: anon_key, DATABASE_URL: app.cluster.superUrl(app.name) } });
  say(t, out.split('\n').at(-2) ?? '');
  assert.equal(code, 0, out);
});

test('only a loader writes; bookmarks are their own', async () => {
  const row = { id: 10_000_000, name: 'x', version: '1', architecture: 'all', source: 'x', section: 'misc', priority: 'extra', maintainer: 'me', description: 'x' };
  assert.equal((await app.ask('anon', 'POST', '/rest/v1/package', row)).status, 401);
  assert.equal((await app.ask('ada', 'POST', '/rest/v1/package', row)).status, 403);
  assert.equal((await app.ask('ada', 'POST', '/rest/v1/bookmark', { package_id: 1, note: 'ours' })).status, 201);
  assert.equal((await app.ask('bob', 'POST', '/rest/v1/bookmark', { package_id: 1 })).status, 201);
  assert.deepEqual((await app.get('ada', 'bookmark?select=note')).json, [{ note: 'ours' }]);
  assert.deepEqual((await app.get('bob', 'bookmark?select=note')).json, [{ note: '' }]);
});

test('a bad row in a batch of thousands keeps the whole batch out', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ package_id: 1, kind: 'Suggests', position: 29_000 + i, alternative: 0, target: `t${i}` }));
  rows[2999].package_id = -1;
  const r = await app.ask(loader, 'POST', '/rest/v1/dependency', rows);
  assert.equal(r.status, 409, r.text);
  assert.equal(await app.db.value('select count(*) from dependency where position >= 29000'), '0');
});

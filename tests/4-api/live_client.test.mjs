// clients/js: rows that keep themselves up to date, through restarts and fresh tokens.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { applyDelta, createLive } from '../../clients/js/live.js';
import { buildProject, openApp, users } from '../lib/app.mjs';
import { now, token } from '../lib/jwt.mjs';
import { root, scratch } from '../lib/paths.mjs';
import { run, until } from '../lib/process.mjs';

const { ada, bob } = users;
let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_client',
    seed: `insert into team values (1, 'one'), (2, 'two'); insert into member values (1, '${ada}'), (2, '${bob}');
      insert into ticket (id, team_id, title) values (1, 1, 'a'), (2, 2, 'b')` });
});
after(() => app.close());

const connect = (options) => createLive(`http://127.0.0.1:${app.port}`, { WebSocket, ...options });

test('a delta is applied without touching the rows before', () => {
  const rows = Object.freeze([{ id: 1, t: 'a' }, { id: 2, t: 'b' }, { id: 3, t: 'c' }]);
  assert.deepEqual(applyDelta(['id'], rows, { inserted: [{ id: 4, t: 'aa' }], inserted_at: [1], updated: [{ id: 3, t: '0' }], updated_at: [0], deleted: [{ id: 2 }] }),
    [{ id: 3, t: '0' }, { id: 4, t: 'aa' }, { id: 1, t: 'a' }]);
  assert.deepEqual(applyDelta([], [{ n: 1 }], { updated: [{ n: 2 }] }), [{ n: 2 }]);
});

test('rows follow the database, and survive a restart of the server', async () => {
  const live = connect({ token: token(ada) });
  let rows;
  const subscription = live.live('tickets', { team_id: 1 }, { onChange: (all) => { rows = all; } });
  await until('the snapshot', () => rows?.length === 1);
  await app.db.query(`insert into ticket (id, team_id, title) values (3, 1, 'c')`);
  await until('the change', () => rows.length === 2);
  const restarted = app.restart();
  await app.db.query('delete from ticket where id = 1');
  await restarted;
  await until('what changed meanwhile', () => rows.length === 1 && rows[0].id === 3, 20_000);
  assert.equal(subscription.rows, rows);
  live.close();
});

test('an error ends its subscription alone', async () => {
  const live = connect({ token: token(ada) });
  let error, rows;
  live.live('nothing', {}, { onChange: () => assert.fail(), onError: (why) => { error = why; } });
  live.live('tickets', { team_id: 1 }, { onChange: (all) => { rows = all; } });
  await until('both', () => error && rows);
  assert.equal(error.code, 'unknown_query');
  live.close();
});

test('a token that expires is asked for again', async () => {
  let asked = 0, rows;
  const live = connect({ token: async () => token(ada, asked++ === 0 ? { exp: now() - 3 } : {}) });
  live.live('tickets', { team_id: 1 }, { onChange: (all) => { rows = all; } });
  await until('the snapshot', () => rows?.length === 1);
  await until('the second token', () => asked === 2, 20_000);
  await app.db.query(`insert into ticket (id, team_id, title) values (9, 1, 'later')`);
  await until('the change', () => rows.length === 2, 20_000);
  live.close();
});

test('refresh() changes who asks on the open connection', async () => {
  let who = bob, rows, closed = 0;
  const live = connect({ token: () => token(who), onState: (state) => { closed += state === 'closed'; } });
  const subscription = live.live('tickets', { team_id: 2 }, { onChange: (all) => { rows = all; } });
  await until('the rows of bob', () => rows?.length === 1);
  who = ada;
  await live.refresh();
  await until('that ada sees none', () => rows.length === 0);
  assert.equal(closed, 0);
  subscription.close();
  live.close();
});

test('its types go with those that are generated', async () => {
  const folder = mkdtempSync(join(scratch, 'types-'));
  const use = (query) => `import { createLive } from '${join(root, 'clients/js/live.js')}';
import type { Database } from '${join(app.project, 'generated/database.types')}';
const live = createLive<Database['public']['Live']>('http://x', { token: 'x' });
${query}`;
  const check = (name, text) => {
    writeFileSync(join(folder, `${name}.ts`), use(text));
    return run(join(root, 'tests/node_modules/.bin/tsc'), ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--typeRoots', folder, join(folder, `${name}.ts`)], { may_fail: true });
  };
  const good = await check('good', `live.live('tickets', { team_id: 1 }, { onChange: (rows) => rows.map((row) => row.title.length) });`);
  assert.equal(good.code, 0, good.out);
  for (const [name, text] of [['query', `live.live('nothing', {}, { onChange: () => {} });`], ['params', `live.live('tickets', { team: 1 }, { onChange: () => {} });`],
    ['row', `live.live('tickets', { team_id: 1 }, { onChange: (rows) => rows.map((row) => row.price) });`]])
    assert.match((await check(name, text)).out, /error TS/, name);
  rmSync(folder, { recursive: true });
});

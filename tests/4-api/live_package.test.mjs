// clients/js as npm packs it: its types go with those that are generated, and React shows what is live.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { JSDOM } from 'jsdom';
import { buildProject, openApp, users } from '../lib/app.mjs';
import { token } from '../lib/jwt.mjs';
import { root, scratch } from '../lib/paths.mjs';
import { run, until, within } from '../lib/process.mjs';

const modules = join(root, 'tests/node_modules');
const { ada, bob } = users;
let app, folder, live;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_package',
    seed: `insert into team values (1, 'one'), (2, 'two'); insert into member values (1, '${ada}'), (2, '${ada}'), (2, '${bob}');
      insert into ticket (id, team_id, title) values (1, 1, 'a'), (2, 2, 'b')` });
  folder = mkdtempSync(join(scratch, 'package-'));
  const unpacked = join(folder, 'node_modules/@pgstack/live');
  mkdirSync(unpacked, { recursive: true });
  await run('npm', ['pack', join(root, 'clients/js'), '--pack-destination', folder], { cwd: folder });
  await run('tar', ['-xzf', join(folder, 'pgstack-live-0.1.0.tgz'), '--strip-components=1', '-C', unpacked]);
  for (const name of ['react', '@types']) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  const { createLive } = await import(join(unpacked, 'live.js'));
  live = createLive(`http://127.0.0.1:${app.port}`, { token: token(ada) });
});
after(async () => {
  live?.close();
  rmSync(folder, { recursive: true });
  await app.close();
});

test('its types go with those that are generated', async () => {
  const head = `import { createLive, type LiveRow } from '@pgstack/live';
import { useLive } from '@pgstack/live/react';
import type { Database } from '${join(app.project, 'generated/database.types.js')}';
const live = createLive<Database>('http://x', { getToken: async () => null });
`;
  const good = `live.live('tickets', { team_id: 1 }, { onChange: (rows) => rows.map((row) => row.title.length) });
live.live('mine', {}, { onError: (error) => error.willRetry || error.code });
const { rows, error } = useLive(live, 'queue', { team: 1 });
export const states: ('open' | 'pending' | 'solved')[] = rows?.map((row) => row.state) ?? [];
export const price: LiveRow<Database, 'queue'>['price'] | undefined = rows?.[0]?.price;
export const why: string | undefined = error?.message;
useLive(live, 'queue', null);
createLive('http://x').live('anything', { at: 'all' }, { onChange: (rows) => rows[0]?.whatever });
`;
  const bad = ["live.live('nothing', {}, {});", "live.live('tickets', { team: 1 }, {});", "live.live('tickets', { team_id: 'one' }, {});",
    "live.live('mine', { id: 1 }, {});", "live.live('tickets', { team_id: 1 }, { onChange: (rows) => rows.map((row) => row.price) });",
    "useLive(live, 'tickets', {});", "useLive(live, 'tickets', { team_id: 1 }).rows.length;", "createLive<Database>('http://x', { token: 7 });"];
  const file = join(folder, 'use.ts');
  const check = async (text) => {
    writeFileSync(file, head + text);
    return (await run(join(modules, '.bin/tsc'), ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--types', 'react', file], { cwd: folder, may_fail: true })).out;
  };
  assert.equal(await check(good), '');
  const findings = await check(bad.join('\n'));
  for (const [i, line] of bad.entries()) assert.ok(findings.includes(`use.ts(${head.split('\n').length + i},`), `accepted: ${line}\n${findings}`);
});

describe('useLive', { concurrency: false }, () => {
  let React, ReactDOM, useLive, dom;
  before(async () => {
    dom = new JSDOM('<main></main>');
    Object.assign(globalThis, { window: dom.window, document: dom.window.document });
    React = (await import('react')).default;
    ReactDOM = await import('react-dom/client');
    ({ useLive } = await import(join(folder, 'node_modules/@pgstack/live/react.js')));
  });
  after(() => dom.window.close()); // React may look at the globals once more: they stay

  test('a component shows the rows as they are, for the arguments that it has', async () => {
    const shown = [];
    function Titles({ query, params }) {
      const { rows, error } = useLive(live, query, params);
      const text = error?.code ?? rows?.map((row) => row.title).join(' ') ?? 'nothing yet';
      shown.push(`${JSON.stringify(params)}: ${text}`);
      return React.createElement('p', null, text);
    }
    const page = ReactDOM.createRoot(dom.window.document.querySelector('main'));
    const show = (query, params) => page.render(React.createElement(React.StrictMode, null, React.createElement(Titles, { query, params })));
    const has = (text) => until(`the page to say ${text}: ${dom.window.document.body.textContent}`, () => dom.window.document.body.textContent === text);

    show('tickets', null);
    await has('nothing yet');
    show('tickets', { team_id: 1 });
    await has('a');
    await app.db.query(`insert into ticket (id, team_id, title) values (3, 1, 'c')`);
    await has('a c');
    show('tickets', { team_id: 2 });
    await has('b');
    assert.ok(!shown.some((line) => /^\{"team_id":2\}: .*a/.test(line)), 'rows of other arguments');
    show('nobody_has_this', {});
    await has('unknown_query');
    show('tickets', { team_id: 2 });
    await has('b');
    page.unmount();
    await has('');
    const before = shown.length;
    await app.db.query(`insert into ticket (id, team_id, title) values (4, 2, 'd')`);
    const after = new Promise((done) => live.live('tickets', { team_id: 2 }, { onChange: done }));
    assert.equal((await within('the rows', after)).length, 2);
    assert.equal(shown.length, before, 'it is gone, and so is its subscription');
  });
});

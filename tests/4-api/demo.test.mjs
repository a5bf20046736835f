// The page at /demo, in two real browser windows: tickets move, also for whoever was away meanwhile.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, openApp } from '../lib/app.mjs';
import { openBrowser } from '../lib/browser.mjs';
import { raw } from '../lib/http.mjs';
import { token } from '../lib/jwt.mjs';
import { root } from '../lib/paths.mjs';
import { until } from '../lib/process.mjs';
import { openProxy } from '../lib/proxy.mjs';

const user = (n) => `00000000-0000-4000-8000-00000000000${n}`;
const [ada, joan, blue] = [user(1), user(4), '10000000-0000-4000-8000-000000000001'];
let app, proxy, browser;
before(async () => {
  app = await openApp({ project: await buildProject('.'), app: 'helpdesk', name: 'api_demo', env: { DEMO_DIR: join(root, 'demo/page') },
    seed: readFileSync(join(root, 'demo/data.sql'), 'utf8') });
  proxy = await openProxy(app.port);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  proxy?.close();
  await app?.close();
});

const columns = ['open', 'pending', 'solved'];

/** A window of a user; `shown` is what its board says, by column. */
async function open(sub, port = app.port) {
  const context = await browser.newContext(), page = await context.newPage(), problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
  await page.goto(`http://127.0.0.1:${port}/demo/#${token(sub, { email: `${sub}@example.com` })}`);
  const ids = (state) => page.locator(`section[data-state=${state}] li`).evaluateAll((items) => items.map((item) => Number(item.dataset.id)));
  return {
    page, context, problems,
    connection: (state) => page.locator(`#connection[data-state=${state}]`).waitFor({ timeout: 60_000 }),
    shown: async () => JSON.stringify(await Promise.all(columns.map(ids))),
    move: (id, state) => page.locator(`li[data-id="${id}"]`).getByRole('button', { name: state }).click(),
  };
}

/** The same of the database. */
async function stored(sub) {
  const list = async (more) => (await app.db.query(`select id::int from ticket where ${more}`)).rows.map((row) => row.id);
  return JSON.stringify([
    await list(`team_id = '${blue}' and state = 'open' order by created_at, id`),
    await list(`team_id = '${blue}' and state = 'pending' order by created_at, id`),
    await list(`author_id = '${sub}' and state = 'solved' order by id desc`),
  ]);
}

const agrees = (window, sub) => until('the page to show what is stored', async () => await window.shown() === await stored(sub), 60_000)
  .catch(async (error) => { throw new Error(`${error.message}: ${await window.shown()} is shown, ${await stored(sub)} is stored`); });

test('two windows see each other\'s tickets move, and catch up after they were offline', async () => {
  const one = await open(ada), two = await open(joan, proxy.port);
  await one.connection('open');
  await two.connection('open');
  assert.equal(await stored(joan), '[[1],[2],[]]');
  await agrees(one, ada);
  await agrees(two, joan);

  await one.move(1, 'pending');
  await two.page.locator('section[data-state=pending] li[data-id="1"]').waitFor();
  await two.move(2, 'open');
  await one.page.locator('section[data-state=open] li[data-id="2"]').waitFor();
  await one.page.getByLabel('New ticket').fill('<b>A new one</b>');
  await one.page.getByRole('button', { name: 'Add' }).click();
  await two.page.getByText('<b>A new one</b>').waitFor();
  assert.equal(await two.page.getByText('<b>A new one</b>').locator('..').getByRole('button').count(), 0, 'it is not hers to move');
  assert.deepEqual([...one.problems, ...two.problems], []);

  proxy.refuse();
  await two.connection('waiting');
  await one.move(1, 'solved');
  await app.db.query(`insert into ticket (team_id, author_id, title) select '${blue}', '${ada}', 'while away ' || n from generate_series(1, 20) n`);
  await app.db.query('delete from ticket where id = 2');
  await agrees(one, ada);
  assert.notEqual(await two.shown(), await stored(joan));
  proxy.admit();
  await two.connection('open');
  await agrees(two, joan);

  await two.context.setOffline(true);
  proxy.hold(); // an open WebSocket is not ended by setOffline
  await two.connection('waiting');
  await app.db.query(`update ticket set state = 'pending' where title like 'while away 1%'`);
  await agrees(one, ada);
  proxy.release();
  await two.context.setOffline(false);
  await two.connection('open');
  await agrees(two, joan);
});

test('a page without a token asks for one; a bad one is told', async () => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${app.port}/demo`);
  await page.getByLabel('Token of a user').fill(token(ada, { exp: 1 }));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText(/expired/i).waitFor();
  await page.close();
});

/** A page of another site that has our client. */
async function openForeign(origin) {
  const page = await browser.newPage();
  await page.route(`${origin}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    return route.fulfill(pathname.endsWith('.js') ? { path: join(root, 'clients/js', pathname) } : { body: '<!doctype html>', contentType: 'text/html' });
  });
  await page.goto(`${origin}/`);
  return page;
}

for (const transport of ['websocket', 'sse'])
  test(`a page of a site that the policy names follows by ${transport}, others do not`, async () => {
    const follow = ([url, options, params]) => new Promise((done) => {
      import('/live.js').then(({ createLive }) => {
        const live = createLive(url, options);
        live.live('team_queue', params, { onChange: (rows) => { live.close(); done(rows.length > 0); }, onError: (error) => { live.close(); done(error.code); } });
      });
    });
    const asked = [`http://127.0.0.1:${app.port}`, { transport, token: token(ada) }, { team: blue }];
    const ours = await openForeign('http://localhost:5173'), other = await openForeign('http://site.example');
    assert.equal(await ours.evaluate(follow, asked), true);
    assert.equal(await other.evaluate(follow, asked), 'connection');
    await ours.close();
    await other.close();
  });

test('it is served with a policy, and nothing beside it is', async () => {
  const get = (path, method = 'GET') => app.ask('none', method, path);
  const page = await get('/demo/');
  assert.match(page.text, /<title>Helpdesk/);
  assert.doesNotMatch(page.text, /<script>|style=|\son\w+=/);
  assert.match(page.headers['content-security-policy'], /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/);
  assert.deepEqual([page.headers['content-type'], page.headers['cache-control'], page.headers['x-content-type-options']], ['text/html; charset=utf-8', 'no-store', 'nosniff']);
  assert.equal((await get('/demo')).headers.location, '/demo/');
  assert.equal((await get('/demo/live/live.js')).headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal((await get('/demo/', 'POST')).status, 405);
  for (const path of ['live', 'live/', 'live/package.json', 'live/README.md', 'nothing.js', '.html', 'live//live.js', 'page.js.', 'a'.repeat(3000)])
    assert.equal((await get(`/demo/${path}`)).status, 404, path);
  for (const path of ['page.js%00.html', '../data.sql', '%2e%2e/data.sql', '..%2fdata.sql', 'live/../../data.sql', '..\\data.sql', '../page/../../README.md'])
    assert.doesNotMatch((await raw(app.port, `GET /demo/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).text, /^HTTP\/1.1 200/, path);
  assert.equal((await get('/demonstration')).status, 401);
});

test('without DEMO_DIR there is no such page', async () => {
  await app.restart({ DEMO_DIR: '' });
  const page = await app.ask('none', 'GET', '/demo/');
  assert.deepEqual([page.status, page.headers['content-security-policy']], [401, undefined]);
});

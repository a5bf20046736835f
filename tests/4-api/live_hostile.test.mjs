// Clients of live queries that mean no good: each is cut off or told no, within its bound, and nobody else
// notices.  What clients must not learn.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { buildProject, credentials, environment, openApp, startServer, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { Live } from '../lib/live.mjs';
import { limitHits } from '../lib/metrics.mjs';
import { freePort, sleep, until, within } from '../lib/process.mjs';

const { ada, eve } = users;
const staff = { sub: eve, staff: 'yes' };
const seed = `insert into team values (1, 'one'); insert into member values (1, '${ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a')`;

let app, neighbour;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_hostile', seed, env: { READ_TIMEOUT: '1s', THREADS: '1' } });
  const live = await open('ada');
  neighbour = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
});
after(async () => { await neighbour.live.close(); await app.close(); });

const open = (who, options = {}) => Live.open(app.port, { headers: credentials(who), ...options });
const sql = (text, values) => app.db.query(text, values);
const hits = async (limit) => (await limitHits(app.admin_port))[limit];

let marks = 0;
/** The one beside is told of changes as ever. */
async function undisturbed() {
  const title = `mark ${marks++}`;
  await sql('update ticket set title = $1 where id = 1', [title]);
  await until('the neighbour to be told', () => neighbour.rows[0].title === title, 20_000);
}

/** Bytes of a client's frame, masked with zeros; `last`: of its message. */
function frame(opcode, text, last = 0x80) {
  const body = Buffer.from(text);
  assert.ok(body.length < 126);
  return Buffer.concat([Buffer.from([last | opcode, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

/** A socket after the handshake that reads nothing any more. */
async function deaf() {
  const socket = net.connect(app.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(['GET /live/v1 HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', `Authorization: ${credentials('ada').Authorization}`, '', ''].join('\r\n'));
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 101/);
  socket.pause();
  return socket;
}

/** Says `one` again and again until the limit ends its connection, and nobody else's. */
async function drown(limit, one, { begin = Buffer.alloc(0) } = {}) {
  const before = await hits(limit), socket = await deaf(), burst = Buffer.concat(Array(2000).fill(one));
  socket.write(begin);
  for (let i = 0; !socket.destroyed && await hits(limit) === before; i++) {
    assert.ok(i < 400, 'it was not cut off');
    if (!socket.write(burst)) await Promise.race([once(socket, 'drain').catch(() => {}), sleep(200)]);
  }
  assert.notEqual(await hits(limit), before, 'it was cut off for another reason');
  socket.destroy();
  await undisturbed();
}

for (const [name, one] of Object.entries({
  'asks and asks, and never reads': frame(1, JSON.stringify({ type: 'ping', id: 'x'.repeat(60) })),
  'sends nonsense, and never reads': frame(1, '{'),
  'pings, and never reads': frame(9, 'x'.repeat(125)),
  'answers pings that nobody sent, and never reads': frame(10, 'x'),
  'unsubscribes from nothing, and never reads': frame(1, '{"type":"unsubscribe","id":"x"}'),
}))
  test(name, () => drown(name.includes('pings') ? 'live_controls' : 'live_queue', one));

for (const [name, text] of [['of nothing', ''], ['of a byte', ' ']])
  test(`a message of fragments ${name} that does not end`, () => drown('live_controls', frame(0, text, 0), { begin: frame(1, '{', 0) }));

test('subscribes and unsubscribes without end', async () => {
  const live = await open('ada');
  const rounds = 500;
  for (let i = 0; i < rounds; i++) {
    live.say({ type: 'subscribe', id: 'x', query: 'tickets', params: { team_id: 1 } });
    live.say({ type: 'unsubscribe', id: 'x' });
  }
  await until('all answers', () => live.frames.filter((one) => one.type === 'unsubscribed').length === rounds, 60_000);
  await undisturbed();
  await live.close();
});

test('a ping whose id is long is not sent back', async () => {
  const live = await open('ada');
  live.say({ type: 'ping', id: 'x'.repeat(64) });
  live.say({ type: 'ping', id: 'x'.repeat(65) });
  await until('both answers', () => live.frames.length === 2);
  assert.deepEqual(live.frames.map((one) => one.type), ['pong', 'error']);
  await live.close();
});

test('a handshake that does not end, and heads without end', async () => {
  const slow = net.connect(app.port, '127.0.0.1');
  slow.on('error', () => {});
  slow.write('GET /live/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n');
  const closed = once(slow, 'close');
  slow.resume();
  await within('the end of it', closed);
  assert.equal((await request(app.port, 'GET', '/live/v1', { headers: { ...credentials('ada'), cookie: 'x'.repeat(40000) } }).catch(() => ({ status: 431 }))).status, 431);
  assert.ok([414, 431].includes((await request(app.port, 'GET', `/live/v1?token=${'x'.repeat(9000)}`)).status));
  await undisturbed();
});

test('large results, many of them: a connection has its share of memory and no more', async () => {
  await sql(`insert into note select i, 7, i::text from generate_series(1, 9000) i`);
  const live = await open(staff);
  const all = Array.from({ length: 60 }, (_, i) => live.subscribe(`n${i}`, 'notes', { ticket: 7 }));
  await Promise.all(all.map((one) => until(`an answer to ${one.id}`, () => one.rows !== undefined || one.error, 60_000)));
  const refused = all.filter((one) => one.error), held = all.filter((one) => !one.error);
  assert.ok(refused.length > 0 && held.length > 5, `${held.length} of 60 are held`);
  assert.ok(refused.every((one) => one.error.code === 'too_large'));
  await sql(`update note set body = 'another' where id = 1`);
  await until('those that are held to be told', () => held.every((one) => one.rows.some((row) => row.id === 1 && row.body === 'another')), 60_000);
  const other = await open(staff);
  assert.equal((await other.subscribe('n', 'notes', { ticket: 7 }).ready()).rows.length, 9000, 'another connection has its own');
  await Promise.all([live.close(), other.close()]);
  await sql('delete from note');
  await undisturbed();
});

test('the words of an internal error stay in the log', async () => {
  const { signature } = (await sql(`select oid::regproc || '(' || pg_get_function_arguments(oid) || ')' as signature from pg_proc where proname = 'in_team'`)).rows[0];
  await sql(`create or replace function ${signature} returns boolean language plpgsql stable security definer set search_path = public, pg_temp
    as $$ begin raise exception 'words of the inside' using errcode = 'XX000', detail = 'more of them', hint = 'and more'; end $$`);
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  assert.equal(tickets.error.code, 'XX000');
  assert.doesNotMatch(JSON.stringify(live.frames), /inside|more/);
  await live.close();
});

test('a LIVE_DATABASE_URL that makes no sense is refused at the start, and not shown', async () => {
  const password = 'canary-pw-of-the-feed';
  for (const url of [`postgres:/pgstack_replicator:${password}@127.0.0.1/x`, `postgres://pgstack_replicator:${password}@127.0.0.1/x?nonsense=1`, `host=127.0.0.1 password=${password} nonsense`]) {
    const server = await startServer(app.program, { ...environment(app.cluster, app.name, await freePort(), 0, {}), LIVE_DATABASE_URL: url }, { wait: false });
    assert.deepEqual(await server.ends(), { code: 1, signal: null }, url);
    assert.match(server.output(), /LIVE_DATABASE_URL/);
    assert.doesNotMatch(server.output(), new RegExp(password));
  }
});

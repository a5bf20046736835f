// Connections that are cut: who comes back gets what it missed, or is told to begin anew; never another
// caller's rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { token } from '../lib/jwt.mjs';
import { Live } from '../lib/live.mjs';
import { sleep, until } from '../lib/process.mjs';
import { scrape } from '../lib/metrics.mjs';
import { openProxy } from '../lib/proxy.mjs';

const { ada, bob } = users;
const seed = `insert into team values (1, 'one'), (2, 'two'); insert into member values (1, '${ada}'), (1, '${bob}'), (2, '${ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a'), (2, 2, 'b')`;

let app, proxy;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_resume', seed, env: { THREADS: '2' } });
  proxy = await openProxy(app.port);
});
after(async () => { proxy.close(); await app.close(); });

const sql = (text, values) => app.db.query(text, values);
const open = (who, port = app.port) => Live.open(port, { headers: credentials(who) });
const tickets = async (team) => (await sql('select id::int, team_id, title, state from ticket where team_id = $1 and not hidden order by id', [team])).rows;
const one = { team_id: 1 };
const subscriptions = async () => (await scrape(app.admin_port)).value('pgstack_live_subscriptions');

/** Cuts the connection; the server knows of it. */
async function drop(live) {
  const held = await subscriptions();
  live.socket.on('error', () => {});
  proxy.drop();
  await live.closed;
  await until('the server to have heard of it', async () => await subscriptions() < held);
}

const deltas = ({ frames }) => frames.filter(({ type }) => type === 'delta');
const deltas_sent = async () => (await scrape(app.admin_port)).value('pgstack_live_frames_total', { type: 'delta' });

/** A subscription whose connection the server knows to be gone. */
async function lose(who, query = 'tickets', params = one) {
  const live = await open(who, proxy.port);
  const subscription = await live.subscribe('t', query, params).ready();
  await drop(live);
  return subscription;
}

test('frames have the generation of their connection', async () => {
  const live = await open('ada');
  const a = await live.subscribe('a', 'tickets', one).ready(), b = await live.subscribe('b', 'tickets', one).ready();
  assert.ok(Number.isSafeInteger(a.gen) && a.gen > 0);
  assert.equal(a.gen, b.gen);
  const other = await open('ada');
  assert.notEqual((await other.subscribe('a', 'tickets', one).ready()).gen, a.gen);
  await sql(`select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'api_live_resume'`);
  await sql(`insert into ticket (id, team_id, title) values (5, 1, 'later')`);
  await a.become(await tickets(1));
  assert.notEqual(a.frames.at(-1).gen, a.frames[0].gen, 'the log was lost in between');
  await sql('delete from ticket where id = 5');
  await Promise.all([live.close(), other.close()]);
});

test('what was missed while away comes as one change', async () => {
  const subscription = await lose('ada');
  await sql(`insert into ticket (id, team_id, title) values (10, 1, 'missed')`);
  await sql(`update ticket set title = 'aa' where id = 1`);
  const live = await open('ada');
  live.resume(subscription, 'tickets', one);
  await subscription.become(await tickets(1), { ordered: true });
  assert.deepEqual(subscription.frames.map((frame) => frame.type), ['snapshot', 'resumed', 'delta']);
  assert.equal(subscription.frames[2].seq, 2);
  await sql(`delete from ticket where id = 10; update ticket set title = 'a' where id = 1`);
  await subscription.become(await tickets(1));
  await live.close();
});

test('where nothing was missed there is nothing to tell', async () => {
  const subscription = await lose('ada');
  const live = await open('ada');
  live.resume(subscription, 'tickets', one);
  await until('the answer', () => subscription.resumed === 1);
  await sql(`insert into ticket (id, team_id, title) values (11, 1, 'x')`);
  await subscription.become(await tickets(1));
  assert.deepEqual(subscription.frames.map((frame) => frame.type), ['snapshot', 'resumed', 'delta']);
  await sql('delete from ticket where id = 11');
  await live.close();
});

test('frames that were sent and did not arrive are sent again', async () => {
  const live = await open('ada', proxy.port), other = await open('ada');
  const subscription = await live.subscribe('t', 'tickets', one).ready(), beside = await other.subscribe('t', 'tickets', one).ready();
  live.socket.on('error', () => {});
  proxy.hold();
  for (let i = 0; i < 5; i++) {
    await sql(`update ticket set title = $1 where id = 1`, [`unread ${i}`]);
    await beside.become(await tickets(1)); // so that they are not told together
  }
  await other.close();
  await drop(live);
  const seen = subscription.seq;
  proxy.release();
  const again = await open('ada');
  again.resume(subscription, 'tickets', one);
  await subscription.become(await tickets(1));
  assert.equal(subscription.resets, 0);
  assert.ok(subscription.seq >= seen + 2, 'they came one by one, as they were');
  assert.ok(deltas(subscription).every(({ lsn }) => lsn !== undefined), 'with their places in the log');
  await sql(`update ticket set title = 'a' where id = 1`);
  await again.close();
});

test('a connection that seems to be alive is given up for its client who comes back', async () => {
  for (let round = 0; round < 8; round++) { // threads meet themselves and others
    const live = await open('ada', proxy.port), subscription = await live.subscribe('t', 'tickets', one).ready();
    const other = await live.subscribe('u', 'mine', {}).ready();
    proxy.hold();
    await sql(`insert into ticket (id, team_id, owner_id, title) values (12, 1, $1, 'unheard')`, [ada]);
    const again = await open('ada');
    again.resume(subscription, 'tickets', one);
    await subscription.become(await tickets(1), { ordered: true });
    again.resume(other, 'mine', {});
    await until('the other one', () => other.rows?.length === 1);
    assert.deepEqual([subscription.resumed, subscription.resets, other.resumed, other.resets], [1, 0, 1, 0]);
    await sql('delete from ticket where id = 12');
    await subscription.become(await tickets(1), { ordered: true });
    proxy.release();
    assert.equal((await live.closed).code, 4409);
    await again.close();
  }
});

test('nobody else has a connection closed', async () => {
  const live = await open('ada'), subscription = await live.subscribe('t', 'tickets', one).ready();
  const mark = { gen: subscription.gen, seq: subscription.seq };
  const intruder = await open('bob'), copy = intruder.hold('t');
  intruder.resume(copy, 'tickets', one, mark);
  await until('a fresh one', () => copy.resets === 1 && copy.rows !== undefined);
  assert.equal(copy.resumed, 0);
  await sql(`update ticket set title = 'ab' where id = 1`);
  await subscription.become(await tickets(1));
  await sql(`update ticket set title = 'a' where id = 1`);
  await Promise.all([live.close(), intruder.close()]);
});

test('anything else begins anew', async () => {
  const cases = {
    'another user': { who: 'bob' },
    'another user of that query with arguments of its own': { who: 'bob', query: 'mine', params: {} },
    'other claims of the same user': { who: { sub: ada, staff: 'yes' } },
    'no user': { who: 'anon', query: 'public_tickets', params: {}, is_error: true },
    'other arguments': { params: { team_id: 2 } },
    'another query': { query: 'mine', params: {} },
    'a generation that never was': { mark: (s) => ({ gen: s.gen + 1, seq: s.seq }) },
    'a frame that was not sent yet': { mark: (s) => ({ gen: s.gen, seq: s.seq + 1 }) },
  };
  for (const [name, { who = 'ada', query = 'tickets', params = one, mark = (s) => ({ gen: s.gen, seq: s.seq }), is_error = false }] of Object.entries(cases)) {
    const lost = await lose('ada');
    const live = await open(who);
    const fresh = live.subscribe('other', 'mine', {});
    lost.frames = [];
    live.resume(lost, query, params, mark(lost));
    await until(name, () => lost.error || lost.rows !== undefined && lost.resets === 1);
    assert.equal(lost.error !== undefined, is_error, name);
    assert.equal(lost.resumed, 0, name);
    if (!is_error) assert.deepEqual(lost.frames.map((frame) => [frame.type, frame.seq]), [['reset', undefined], ['snapshot', 1]], name);
    await fresh.ready();
    await live.close();
  }
});

test('it is handed out once, and not after its time', async () => {
  const lost = await lose('ada');
  const mark = { gen: lost.gen, seq: lost.seq };
  const first = await open('ada');
  first.resume(lost, 'tickets', one, mark);
  await until('the first', () => lost.resumed === 1);
  const second = await open('ada');
  const copy = second.hold('t');
  second.resume(copy, 'tickets', one, mark);
  await until('the second', () => copy.resets === 1 && copy.rows !== undefined);
  await Promise.all([first.close(), second.close()]);
  await app.restart({ LIVE_RESUME_TIME: '100ms' });
  const late = await lose('ada');
  await sleep(200);
  const live = await open('ada');
  live.resume(late, 'tickets', one);
  await until('a fresh one', () => late.resets === 1 && late.rows !== undefined);
  await live.close();
  await app.restart();
});

test('who says goodbye, or unsubscribes, is not waited for', async () => {
  const live = await open('ada');
  const gone = await live.subscribe('t', 'tickets', one).ready();
  await live.close();
  const other = await open('ada', proxy.port);
  const ended = await other.subscribe('u', 'tickets', one).ready();
  other.say({ type: 'unsubscribe', id: 'u' });
  await until('its end', () => ended.ended);
  other.socket.on('error', () => {});
  proxy.drop();
  await other.closed;
  const again = await open('ada');
  again.resume(gone, 'tickets', one);
  again.resume(ended, 'tickets', one);
  await until('fresh ones', () => gone.resets === 1 && ended.resets === 1);
  await again.close();
});

test('what was told to the caller before is not sent again to the one after', async () => {
  const live = await open('ada', proxy.port);
  const subscription = await live.subscribe('t', 'tickets', { team_id: 2 }).ready();
  const mark = { gen: subscription.gen, seq: subscription.seq };
  await sql(`update ticket set title = 'of two, not for bob' where id = 2`);
  await subscription.become(await tickets(2));
  live.say({ type: 'token', token: token(bob) });
  await subscription.become([]);
  live.socket.on('error', () => {});
  await drop(live);
  const as_bob = await open('bob');
  const other = as_bob.hold('t');
  as_bob.resume(other, 'tickets', { team_id: 2 }, mark);
  await until('a fresh one', () => other.resets === 1 && other.rows !== undefined);
  assert.deepEqual(other.rows, []);
  assert.doesNotMatch(JSON.stringify(as_bob.frames), /not for bob/);
  await sql(`update ticket set title = 'b' where id = 2`);
  await as_bob.close();
});

test('a mark is two numbers', async () => {
  const live = await open('ada');
  for (const resume of [1, 'x', [], {}, { gen: 1 }, { seq: 1 }, { gen: '1', seq: 1 }, { gen: 1.5, seq: 1 }, { gen: -1, seq: 1 }, { gen: 0, seq: 1 }, { gen: 1, seq: 1e20 }])
    live.say({ type: 'subscribe', id: 'x', query: 'mine', resume });
  live.say({ type: 'ping' });
  await live.frame('the end', (frame) => frame.type === 'pong');
  assert.deepEqual(live.frames.slice(0, -1).map((frame) => frame.code), Array(11).fill('bad_message'));
  live.say({ type: 'subscribe', id: 'y', query: 'mine', resume: null });
  await live.frame('a snapshot', (frame) => frame.type === 'snapshot');
  await live.close();
});

/** Reads events until `enough`, then cuts. */
async function events(path, headers, enough) {
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${app.port}/live/v1/stream?${path}`, { headers: { ...credentials('ada'), ...headers }, signal: AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]) });
  const found = [];
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const event = Object.fromEntries(text.slice(0, end).split('\n').map((line) => line.split(/: (.*)/s)));
      if (event.data) found.push({ id: event.id, ...JSON.parse(event.data) , event: event.id });
    }
    if (await enough(found)) break;
  }
  controller.abort();
  await until('the server to have heard of it', async () => await subscriptions() === 0, 30_000);
  return found;
}

test('a stream goes on from Last-Event-ID', async () => {
  const subscribe = ['a', 'b'].map((id, i) => `subscribe=${encodeURIComponent(JSON.stringify({ id, query: 'tickets', params: { team_id: i + 1 } }))}`).join('&');
  const first = await events(subscribe, {}, (all) => all.length === 2);
  assert.match(first[1].event, /^\d+\.2$/);
  await sql(`insert into ticket (id, team_id, title) values (20, 1, 'x'); update ticket set title = 'bb' where id = 2`);
  // One of the two snapshots was read: the other one is to come again.
  const part = await events(subscribe, { 'last-event-id': first[0].event }, (all) => all.some((e) => e.type === 'resumed') && all.some((e) => e.type === 'snapshot') && all.some((e) => e.type === 'delta'));
  assert.deepEqual(part.map((e) => [e.type, e.id]).sort(), [['delta', first[0].id], ['reset', first[1].id], ['resumed', first[0].id], ['snapshot', first[1].id]].sort());
  await sql(`delete from ticket where id = 20; update ticket set title = 'b' where id = 2`);
  const rest = await events(subscribe, { 'last-event-id': part.at(-1).event }, (all) => all.length === 4);
  assert.deepEqual(rest.map((e) => e.type).sort(), ['delta', 'delta', 'resumed', 'resumed']);
  const foreign = await events(subscribe, { 'last-event-id': 'nonsense.of-another' }, (all) => all.length === 4);
  assert.deepEqual(foreign.map((e) => e.type).sort(), ['reset', 'reset', 'snapshot', 'snapshot']);
});

test('cut anywhere, in the middle of frames too, nothing is lost and nothing comes twice', { timeout: 300000 }, async () => {
  let state = Number(process.env.SEED ?? 7);
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  const rounds = process.env.LONG ? 1000 : 40;
  let live = await open('ada', proxy.port);
  const held = [1, 2].map((team) => ({ params: { team_id: team }, subscription: live.subscribe(`s${team}`, 'tickets', { team_id: team }) }));
  for (const { subscription } of held) await subscription.ready();
  for (let round = 0; round < rounds; round++) {
    proxy.cut(1 + random(1500));
    for (let i = 0; i < 12 && live.socket.readyState === 1; i++) {
      await sql(`insert into ticket (id, team_id, title) values ($1, $2, $3) on conflict (id) do update set team_id = excluded.team_id, title = excluded.title`,
        [100 + random(20), 1 + random(2), 'x'.repeat(random(200))]);
      if (random(4) === 0) await sql('delete from ticket where id = $1', [100 + random(20)]);
      await sleep(random(8));
    }
    live.socket.on('error', () => {});
    if (live.socket.readyState === 1) proxy.drop();
    await live.closed;
    proxy.cut(Infinity);
    assert.ifError(live.failure);
    await sleep(random(20));
    live = await open('ada', proxy.port);
    for (const { subscription, params } of held) live.resume(subscription, 'tickets', params);
  }
  for (const { subscription, params } of held) await subscription.become(await tickets(params.team_id), { ordered: true });
  assert.ifError(live.failure);
  const resumed = held.reduce((n, { subscription }) => n + subscription.resumed, 0), resets = held.reduce((n, { subscription }) => n + subscription.resets, 0);
  console.log(`${rounds} cuts: ${resumed} resumed, ${resets} begun anew`);
  assert.ok(resumed > 0, `${resumed} were resumed, ${resets} begun anew`);
  await sql('delete from ticket where id >= 100');
  await live.close();
});

test('what is sent again names no place of a log that was lost since', async () => {
  await app.restart({ LIVE_RESUME_TIME: '60s' });
  const live = await open('ada', proxy.port), subscription = await live.subscribe('t', 'tickets', one).ready();
  const other = await open('ada'), witness = await other.subscribe('w', 'tickets', { team_id: 2 }).ready();
  const gen = witness.gen, sent = await deltas_sent();
  live.socket.on('error', () => {});
  proxy.hold();
  await sql(`update ticket set title = 'unread' where id = 1`);
  await until('it to be sent', async () => await deltas_sent() > sent);
  await drop(live);
  proxy.release();
  await sql(`select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'api_live_resume'`);
  for (let i = 0; witness.gen === gen; i++) {
    assert.ok(i < 100, 'the log was lost');
    await sql('update ticket set title = $1 where id = 2', [`later ${i}`]);
    await witness.become(await tickets(2));
  }
  const again = await open('ada');
  again.resume(subscription, 'tickets', one);
  await subscription.become(await tickets(1));
  assert.equal(subscription.resets, 0);
  assert.deepEqual(deltas(subscription).map(({ lsn }) => lsn), [undefined]);
  for (let i = 0; subscription.frames.at(-1).lsn === undefined; i++) { // the first may be in what it is compared with
    assert.ok(i < 100, 'later ones name theirs');
    await sql('update ticket set title = $1 where id = 1', [`later ${i}`]);
    await subscription.become(await tickets(1));
  }
  await sql(`update ticket set title = 'a' where id = 1; update ticket set title = 'b' where id = 2`);
  await subscription.become(await tickets(1));
  await Promise.all([again.close(), other.close()]);
});

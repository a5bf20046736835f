// The supervisor and its generations: crashes, stops, swaps, under load and otherwise.
//
// LONG=1 asks 100,000 times across the swaps.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { childrenOf, environment, mortal, startServer, users } from '../lib/app.mjs';
import { END_HEADERS, END_STREAM, GOAWAY, HEADERS, attack, certificate, frame, get } from '../lib/h2.mjs';
import { request } from '../lib/http.mjs';
import { anon_key, token } from '../lib/jwt.mjs';
import { keepAlive, load, multiplexed, newConnections } from '../lib/load.mjs';
import { scratch } from '../lib/paths.mjs';
import { freePort, sleep, until } from '../lib/process.mjs';
import { closeGate, openProof } from './proof.mjs';

const path = '/rest/v1/item?select=id&id=eq.1';
const headers = { apikey: anon_key };
const swaps = 20;
const asked_at_least = process.env.LONG ? 100_000 : 2000;

let app;
let folder;
before(async () => {
  folder = mkdtempSync(join(scratch, 'process-'));
  app = await openProof('api_process');
});
after(async () => {
  await app?.close();
  rmSync(folder, { recursive: true, force: true });
});

let server, gate;
afterEach(async () => {
  await server?.stop('SIGKILL');
  await gate?.open();
  server = gate = undefined;
});

/** A server of its own; `more` are settings, undefined takes one away. */
async function open(more = {}, { program = app.program, wait = true } = {}) {
  const port = await freePort();
  server = await startServer(program, { ...environment(app.cluster, app.name, port, 0), ACCESS_LOG: 'false', ...more }, { wait: false });
  if (wait)
    await until('the server', () => {
      if (!server.alive()) throw new Error(server.output());
      return events(more.SUPERVISE === 'false' ? 'listening' : 'generation_ready').length === 1;
    });
}

const events = (name) => server.lines().filter((l) => l.includes(`"event":"${name}"`)).map((l) => JSON.parse(l));
const ask = (what = path, more = {}) => request(server.port, 'GET', what, { headers, ...more });
/** Whose certificate the server shows. */
const certifiedName = () => new Promise((done, failed) => {
  const socket = tls.connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => { done(socket.getPeerCertificate().subject.CN); socket.destroy(); });
  socket.on('error', failed);
});
const lives = (pid) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

/** A call that takes until its gate is opened, under way. */
async function begin() {
  gate = await closeGate(app);
  const answer = gate.call(server.port);
  answer.catch(() => {}); // who waits for it sees
  await gate.running(1);
  return { answer };
}

/** It drains, and lets nobody else in. */
const untilClosed = () => until('nobody else to be let in', () => ask(path, { agent: false }).then(() => false, (error) => error.code === 'ECONNREFUSED'));

/** SIGHUP, until the next generation has taken over. */
async function swap() {
  const before = events('generation_ready').length;
  server.child.kill('SIGHUP');
  await until('the next generation', () => events('generation_ready').length > before, 30_000);
}

/** SIGHUP whose generation fails. */
async function refused() {
  const before = events('generation_stays').length;
  server.child.kill('SIGHUP');
  await until('the generation to fail', () => events('generation_stays').length > before, 30_000);
  return events('generation_failed').at(-1);
}

describe('a crash', () => {
  for (const signal of ['SIGSEGV', 'SIGABRT'])
    test(`${signal} under load: back at once, and the log says so`, async (t) => {
      await open(mortal);
      const clients = load([keepAlive(server.port, path, headers), newConnections(server.port, path, headers)]);
      await until('some answers', () => clients.result.asked > 50);
      const pid = server.pid;
      const began = performance.now();
      process.kill(pid, signal);
      await until('it to be gone', () => !lives(pid));
      await until('an answer', () => ask().then((r) => r.status === 200, () => false));
      t.diagnostic(`> ${signal}: answers again after ${(performance.now() - began).toFixed(0)} ms`);
      const { asked, failed } = await clients.stop();
      assert.ok(failed.length <= 20, `${failed.length} of ${asked} failed: ${failed}`);
      assert.equal(events('generation_crashed')[0].signal, { SIGSEGV: 11, SIGABRT: 6 }[signal]);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

  test('again and again: at once, then later and later', async () => {
    await open();
    for (let i = 0; i < 4; i++) {
      const ready = events('generation_ready').length;
      process.kill(server.pid, 'SIGKILL');
      await until('the next one', () => events('generation_ready').length > ready, 30_000);
    }
    assert.deepEqual(events('generation_restarts').map((e) => e.in_ms), [0, 100, 200, 400]);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test('connections that wait to be accepted meanwhile are answered by the next generation', async () => {
    await open();
    const tasks = `/proc/${server.pid}/task`;
    process.kill(server.pid, 'SIGSTOP'); // accepts no more
    await until('all of its threads to stop', () => readdirSync(tasks).every((t) => / T /.test(readFileSync(`${tasks}/${t}/stat`, 'utf8'))));
    const waiting = Array.from({ length: 40 }, () => ask(path, { agent: false }));
    await sleep(200);
    process.kill(server.pid, 'SIGKILL');
    for (const r of await Promise.all(waiting)) assert.equal(r.status, 200);
  });

  test('the supervisor is killed: the generation ends, and the port is free', async () => {
    await open();
    const pid = server.pid;
    await server.stop('SIGKILL');
    await until('the generation to end', () => !lives(pid), 15_000);
    const other = net.createServer().listen(server.port, '127.0.0.1');
    await new Promise((done, failed) => other.once('listening', done).once('error', failed));
    other.close();
  });
});

describe('a stop', () => {
  test('SIGTERM under load loses nothing', async () => {
    await open();
    const clients = load([
      ...Array.from({ length: 8 }, () => keepAlive(server.port, path, headers)),
      ...Array.from({ length: 8 }, () => newConnections(server.port, path, headers)),
    ], (error) => error.code === 'ECONNREFUSED');
    await until('some answers', () => clients.result.asked > 500);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const { failed } = await clients.ended();
    assert.deepEqual(failed, []);
  });

  test('an idle connection may ask once more, and is told that it was the last time', async () => {
    await open();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await ask(path, { agent });
    const ended = server.stop();
    const last = await until('it to be told', () => ask(path, { agent }).then((r) => (r.headers.connection === 'close' ? r : null)));
    assert.equal(last.status, 200);
    assert.equal((await ended).code, 0);
    agent.destroy();
  });

  test('a request under way is the last one of its connection, and is answered', async () => {
    await open();
    const { answer } = await begin(), ended = server.stop();
    await untilClosed();
    await gate.open();
    const r = await answer;
    assert.equal(r.status, 200);
    assert.equal(r.headers.connection, 'close');
    assert.equal((await ended).code, 0);
  });

  test('what hangs is cut off at the deadline, with another exit status', async () => {
    await open({ STOP_TIMEOUT: '500ms' });
    const { answer } = await begin();
    assert.deepEqual(await server.stop('SIGTERM', 30_000), { code: 1, signal: null });
    await assert.rejects(answer);
  });

  for (const SUPERVISE of ['true', 'false'])
    test(`a second signal ends at once (SUPERVISE=${SUPERVISE})`, async () => {
      await open({ SUPERVISE, STOP_TIMEOUT: '60m' });
      const { answer } = await begin();
      server.child.kill('SIGTERM');
      await untilClosed();
      assert.deepEqual(await server.stop('SIGINT', 30_000), { code: 1, signal: null });
      await assert.rejects(answer);
    });

  test('without a supervisor there is one process, which drains as well', async () => {
    await open({ SUPERVISE: 'false' });
    assert.deepEqual(childrenOf(server.supervisor), []);
    const { answer } = await begin(), ended = server.stop();
    await untilClosed();
    await gate.open();
    assert.equal((await answer).status, 200);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
});

describe('a swap', () => {
  /** Swaps under load; nothing fails. */
  async function swapUnderLoad(t, clients) {
    const under = load(clients);
    for (let done = 0; done < swaps; done++) {
      await swap();
      await until('some answers', () => under.result.asked > (asked_at_least * (done + 1)) / swaps, 600_000);
    }
    const { asked, failed } = await under.stop();
    t.diagnostic(`> ${asked} requests across ${events('generation_ready').length - 1} swaps: ${failed.length} failed`);
    assert.deepEqual(failed, []);
    assert.ok(events('generation_ready').length > swaps);
    assert.deepEqual(events('generation_killed'), []);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }

  test(`${swaps} under load lose nothing: HTTP/1.1, kept and new connections`, async (t) => {
    await open();
    await swapUnderLoad(t, [
      ...Array.from({ length: 8 }, () => keepAlive(server.port, path, headers)),
      ...Array.from({ length: 4 }, () => newConnections(server.port, path, headers)),
    ]);
  });

  test(`${swaps} under load lose nothing: HTTP/2 and HTTP/1.1 over TLS`, async (t) => {
    const files = certificate(folder, 'localhost');
    await open({ TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
    await swapUnderLoad(t, [
      ...Array.from({ length: 8 }, () => multiplexed(server.port, path, headers)),
      ...Array.from({ length: 2 }, () => keepAlive(server.port, path, headers, true)),
      ...Array.from({ length: 2 }, () => newConnections(server.port, path, headers, true)),
    ]);
  });

  test('HTTP/2 is told to go twice: what is on its way still counts', async () => {
    const files = certificate(folder, 'twice');
    await open({ TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
    const session = http2.connect(`https://localhost:${server.port}`, { rejectUnauthorized: false, host: '127.0.0.1' });
    const goaways = [];
    session.on('goaway', (code, last) => goaways.push([code, last]));
    gate = await closeGate(app);
    const slow = session.request({ ':method': 'POST', ':path': gate.path, 'content-type': 'application/json', Authorization: `Bearer ${token(users.ada)}` });
    let status;
    slow.on('response', (head) => { status = head[':status']; }).resume();
    const answered = new Promise((done, failed) => slow.on('close', done).on('error', failed));
    slow.end(JSON.stringify(gate.body));
    await gate.running(1);
    await swap();
    await until('the first word of it', () => goaways.length > 0);
    await gate.open();
    await answered;
    assert.equal(status, 200);
    assert.deepEqual(goaways[0], [0, 2 ** 31 - 1]);
    session.destroy();
    // one that stays, and asks no more
    let heard = 0;
    const idle = attack(server.port, [frame(HEADERS, END_HEADERS | END_STREAM, 1, get('/health'))], { hear: (type) => { heard += type === HEADERS; } });
    await until('its answer', () => heard === 1);
    await swap();
    const { closed, goaway, received } = await idle;
    assert.deepEqual([closed, goaway, received[GOAWAY]], [true, 0, 2]);
  });

  test('a new binary takes over, and a crash afterwards restarts that one', async () => {
    const program = join(folder, 'server');
    copyFileSync(app.program, program);
    await open({}, { program });
    const running = () => statSync(`/proc/${server.pid}/exe`).ino;
    const first = running();
    copyFileSync(app.program, `${program}.new`);
    renameSync(`${program}.new`, program);
    const second = statSync(program).ino;
    assert.notEqual(first, second);
    await swap();
    assert.equal(running(), second);
    copyFileSync('/bin/false', `${program}.new`);
    renameSync(`${program}.new`, program);
    const ready = events('generation_ready').length;
    process.kill(server.pid, 'SIGSEGV');
    await until('the next one', () => events('generation_ready').length > ready);
    assert.equal(running(), second);
    assert.equal((await ask()).status, 200);
  });

  test('a next generation that fails leaves the old one, and the log says why', async () => {
    const program = join(folder, 'failing');
    copyFileSync(app.program, program);
    await open({}, { program });
    const pid = server.pid;
    const fails = async (make) => {
      make();
      const how = await refused();
      assert.equal(server.pid, pid);
      assert.equal((await ask()).status, 200);
      return how;
    };
    const put = (source) => () => { copyFileSync(source, `${program}.new`); renameSync(`${program}.new`, program); };
    assert.equal((await fails(put('/bin/false'))).exit_status, 1);
    writeFileSync(join(folder, 'text'), 'this is no program');
    chmodSync(join(folder, 'text'), 0o755);
    assert.equal((await fails(put(join(folder, 'text')))).exit_status, 127);
    assert.match(server.output(), /generation_not_executable.*failing/);
    const env_file = join(server.log, '../.env');
    assert.equal((await fails(() => { put(app.program)(); writeFileSync(env_file, 'GZIP_LEVEL=99\n'); })).exit_status, 1);
    assert.match(server.output(), /GZIP_LEVEL: expected/);
    assert.equal((await fails(() => writeFileSync(env_file, 'TLS_MODE=manual\nTLS_CERT_FILE=/none\nTLS_KEY_FILE=/none\n'))).exit_status, 1);
    await app.db.query(`alter database ${app.name} connection limit 0`); // not of the role, which others use
    try {
      await fails(() => writeFileSync(env_file, ''));
    } finally {
      await app.db.query(`alter database ${app.name} connection limit -1`);
    }
    renameSync(program, `${program}.away`);
    server.child.kill('SIGHUP');
    await until('the log to say so', () => events('generation_not_started').length === 1);
    assert.equal((await ask()).status, 200);
    renameSync(`${program}.away`, program);
    await swap();
    assert.notEqual(server.pid, pid);
    assert.equal((await ask()).status, 200);
  });

  test('settings are read anew: other threads accept from the same sockets', async () => {
    await open({ THREADS: undefined, MAX_BODY_BYTES: undefined });
    const env_file = join(server.log, '../.env');
    for (const [n, limit] of [[1, 2000], [5, 4000], [2, 6000]]) {
      writeFileSync(env_file, `THREADS=${n}\nMAX_BODY_BYTES=${limit}\n`);
      await swap();
      assert.equal(events('listening').at(-1).threads, n);
      const all = await Promise.all(Array.from({ length: 40 }, () => ask(path, { agent: false })));
      for (const r of all) assert.equal(r.status, 200);
      const post = (bytes) => request(server.port, 'POST', '/rest/v1/rpc/add', { headers, body: ' '.repeat(bytes) });
      assert.equal((await post(limit + 1)).status, 413);
      assert.notEqual((await post(limit - 1)).status, 413);
    }
  });

  test('a supervisor whose generations have ended long ago does nothing', async () => {
    const spent = () => readFileSync(`/proc/${server.supervisor}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0);
    await open({ STATEMENT_TIMEOUT: '200ms', STOP_TIMEOUT: '200ms' });
    await swap();
    await until('the old one to end', () => events('generation_ended').length === 1);
    await sleep(1500); // both, and the second that a generation is given beyond them
    const before = spent();
    await sleep(1000);
    assert.ok(spent() - before <= 1, `${spent() - before} hundredths of a second`);
  });

  test('another port needs a new start, and the log says so', async () => {
    await open({ HOST: undefined });
    writeFileSync(join(server.log, '../.env'), 'HOST=localhost\n');
    assert.equal((await refused()).exit_status, 1);
    assert.match(server.output(), /HOST, PORT, ADMIN_PORT: changed/);
  });

  test('a certificate that was exchanged is served by the next generation', async () => {
    const files = certificate(folder, 'one');
    await open({ TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
    assert.equal(await certifiedName(), 'one');
    const next = certificate(folder, 'two');
    renameSync(next.cert, files.cert);
    renameSync(next.key, files.key);
    await swap();
    // Until the one before has closed its sockets, it may be the one that accepts.
    await until('the generation before to end', () => events('generation_ended').length === 1);
    for (let i = 0; i < 20; i++) assert.equal(await certifiedName(), 'two');
  });
});

test('without a supervisor SIGHUP exchanges the certificate, and ends nothing', async () => {
  const [files, next] = [certificate(folder, 'alone'), certificate(folder, 'afterwards')];
  await open({ SUPERVISE: 'false', TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
  const stays = tls.connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
  await once(stays, 'secureConnect');
  assert.equal(await certifiedName(), 'alone');
  renameSync(next.cert, files.cert);
  renameSync(next.key, files.key);
  server.child.kill('SIGHUP');
  await until('the other certificate', async () => await certifiedName() === 'afterwards');
  stays.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(String((await once(stays, 'data'))[0]), /^HTTP\/1.1 200/, 'who was connected still is');
  stays.destroy();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test('descriptors are raised to what is allowed, core dumps are off, for generations too', async () => {
  await open();
  const limits = (what) => new RegExp(`${what}\\s+(\\S+)\\s+(\\S+)`).exec(readFileSync(`/proc/${server.pid}/limits`, 'utf8')).slice(1);
  const check = () => {
    const [soft, hard] = limits('Max open files');
    assert.equal(soft, hard);
    assert.deepEqual(limits('Max core file size'), ['0', '0']);
  };
  check();
  await swap();
  check();
});

test('threads that serve take the processor from nobody who is about to send them more', async () => {
  await open();
  const batch = '3'; // SCHED_BATCH, in the 41st field of stat
  const policies = readdirSync(`/proc/${server.pid}/task`).map((task) =>
    readFileSync(`/proc/${server.pid}/task/${task}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[38]);
  assert.ok(policies.filter((policy) => policy === batch).length >= 2, policies.join(' '));
  assert.equal(policies[0], '0');
});

test('a setting that makes no sense is told once, and ends the program', async () => {
  await open({ GZIP_LEVEL: '99' }, { wait: false });
  assert.deepEqual(await server.ends(), { code: 1, signal: null });
  assert.equal(server.output().split('GZIP_LEVEL').length, 2);
});

test('what only a generation finds ends the program too, at the first start', async () => {
  await open({ JWT_KEYS_FILE: '/none' }, { wait: false });
  assert.deepEqual(await server.ends(), { code: 1, signal: null });
  assert.equal(events('generation_failed').length, 1);
  assert.equal(events('generation_restarts').length, 0);
});

test('a start that is refused ends with 1, whatever its threads are at', async () => {
  for (let i = 0; i < 12; i++) {
    await open({ DATABASE_URL: app.cluster.loginUrl('authenticator_admin', app.name), THREADS: '16', PG_POOL_MAX_CONNS: '80' }, { wait: false });
    assert.deepEqual(await server.ends(), { code: 1, signal: null }, server.output());
    assert.match(server.output(), /DATABASE_URL: login role "authenticator_admin"/);
  }
});

// No secret in what the server writes: canaries in every secret place, a load of requests at every log level, failed
// starts and crashes; then standard output, standard error and /metrics are searched for them, in every spelling.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import WebSocket from 'ws';
import { buildProject, environment, makeDatabase, mortal, startServer, users } from '../lib/app.mjs';
import { certificate } from '../lib/h2.mjs';
import { raw, request } from '../lib/http.mjs';
import { sign, now } from '../lib/jwt.mjs';
import { scratch } from '../lib/paths.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { Live } from '../lib/live.mjs';
import { freePort, run, until, within } from '../lib/process.mjs';
import { items } from './proof.mjs';

const folder = mkdtempSync(join(scratch, 'secrets-'));
const pair = certificate(folder);
const stranger = certificate(folder, 'stranger');
const private_key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const keys_file = join(folder, 'keys.json');

const secrets = {
  'JWT_SECRET': 'canary-jwt-secret-0123456789abcdef0123',
  'ANON_KEY': 'canary-anon-key-0123456789',
  'SERVICE_ROLE_KEY': 'canary-service-key-0123456789',
  'a key of the JWKS': 'canary-oct-key-0123456789abcdef012345',
  'the password of the data plane': 'canary%pw/data:@?#&=\'" é',
  'the password of the admin plane': 'canary-pw-admin',
  'the password of the log': 'canary-pw-live',
  'the password of pg_reactive': 'canary-pw-reactive',
  'a claim': 'canary-claim',
  'a query string': 'canary-query',
  'a header': 'canary-header',
  'a body': 'canary-body',
  'a row': 'canary-row',
  'an error of a function': 'canary-raised',
};
const pem_lines = (text) => text.split('\n').filter((l) => l.length > 20 && !l.startsWith('-----'));
for (const [name, text] of Object.entries({ 'the TLS key': readFileSync(pair.key, 'utf8'), 'another TLS key': readFileSync(stranger.key, 'utf8'), 'a private key': private_key }))
  secrets[name] = pem_lines(text)[1];

/** How a text may be written. */
const spellings = (text) => [text, encodeURIComponent(text), encodeURI(text), JSON.stringify(text).slice(1, -1), Buffer.from(text).toString('base64').replace(/=+$/, ''),
  Buffer.from(text).toString('base64url'), Buffer.from(text).toString('hex')];
const tokens = new Set();

/** What is in `text` that must not be. */
function leaks(text) {
  const found = Object.entries(secrets).filter(([, value]) => spellings(value).some((it) => text.includes(it))).map(([name]) => name);
  for (const token of tokens) if (token.split('.').some((part) => part.length > 20 && text.includes(part))) found.push('a token');
  for (const part of ['canary%', 'pw/data', 'pw-admin', 'canary-']) if (text.includes(part)) found.push(`"${part}"`);
  return found;
}

function clean(text) {
  assert.deepEqual(leaks(text), [], text.split('\n').filter((line) => leaks(line).length > 0).slice(0, 5).join('\n'));
}

const user = (more = {}) => {
  const token = sign({ alg: 'HS256', typ: 'JWT' }, { sub: users.ada, role: 'authenticated', exp: now() + 3600, note: secrets['a claim'], ...more }, secrets.JWT_SECRET);
  tokens.add(token);
  return token;
};

let cluster, db, program, env, url;
before(async () => {
  const project = await buildProject('tests/4-api/app');
  program = join(project, 'build/server/proof');
  cluster = await Cluster.start();
  await makeDatabase(cluster, project, 'canary');
  db = await connect(cluster, 'canary');
  await db.query(`${items} alter role authenticator password '${secrets['the password of the data plane'].replaceAll("'", "''")}';
    alter role authenticator_admin password '${secrets['the password of the admin plane']}';
    insert into trap (id, depth) values (1, 0);
    create or replace function public.quotient(a integer, b integer) returns integer language plpgsql as
      $$ begin raise exception 'a function says ${secrets['an error of a function']}' using errcode = 'XX000', detail = '${secrets['a row']}'; end $$;`);
  url = (role, pw, name = 'canary') => `postgresql://${role}:${encodeURIComponent(pw)}@127.0.0.1:${cluster.port}/${name}`;
  const kid = { kty: 'oct', kid: 'o', k: Buffer.from(secrets['a key of the JWKS']).toString('base64url') };
  writeFileSync(keys_file, JSON.stringify({ keys: [kid] }));
  env = {
    ...environment(cluster, 'canary', await freePort(), await freePort()),
    DATABASE_URL: url('authenticator', secrets['the password of the data plane']),
    ADMIN_DATABASE_URL: url('authenticator_admin', secrets['the password of the admin plane']),
    JWT_SECRET: secrets.JWT_SECRET, ANON_KEY: secrets.ANON_KEY, SERVICE_ROLE_KEY: secrets.SERVICE_ROLE_KEY, JWT_KEYS_FILE: keys_file,
    SLOW_REQUEST: '1ms', STATEMENT_TIMEOUT: '300ms',
  };
});
after(async () => {
  await db?.end();
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Requests of every kind that carry canaries; those of `port`. */
async function load(port) {
  const q = secrets['a query string'], b = secrets['a body'], h = secrets['a header'];
  const bearer = { apikey: secrets.ANON_KEY, Authorization: `Bearer ${user()}`, Cookie: h, 'User-Agent': h, Referer: `http://x/?${q}`, 'X-Canary': h, 'X-Forwarded-For': h,
    traceparent: h, tracestate: h, Prefer: `tx=${h}`, 'X-Request-Id': `${h} not plain` };
  const editor = { ...bearer, Authorization: `Bearer ${user({ role: 'editor' })}` };
  const service = { apikey: secrets.SERVICE_ROLE_KEY };
  const ask = (method, path, headers = bearer, body) => request(port, method, path, { headers, body }).then((r) => r.status, () => 0);
  const statuses = [
    await ask('GET', `/rest/v1/item?name=eq.${q}&apikey=${secrets.ANON_KEY}&access_token=${q}`),
    await ask('GET', `/rest/v1/item%3Fapikey=${q}`),
    await ask('GET', `/rest/v1/item?id=eq.${q}`),
    await ask('GET', `/rest/v1/item?${q}=eq.1`),
    await ask('GET', `/rest/v1/item?select=${q}`),
    await ask('GET', '/rest/v1/item', service),
    await ask('GET', '/rest/v1/diary', service),
    await ask('POST', '/rest/v1/diary', bearer, { text: b, secret: b }),
    await ask('POST', '/rest/v1/diary', bearer, `{"text":"${b}`),
    await ask('POST', '/rest/v1/diary', bearer, { text: { [b]: 1 } }),
    await ask('POST', '/rest/v1/shelf', editor, { id: 1, code: 'dup', note: b }),
    await ask('POST', '/rest/v1/shelf', editor, { id: 2, code: 'dup', note: b }), // "Key (code)=(...) already exists"
    await ask('POST', '/rest/v1/shelf', editor, { id: 3, code: 'c', height: -1, note: b }), // "Failing row contains (...)"
    await ask('POST', '/rest/v1/shelf', editor, { id: 4, code: `${b}-too-long`, note: b }),
    await ask('POST', '/rest/v1/kind', editor, { mood: b }),
    await ask('GET', '/rest/v1/trap'),
    await ask('GET', '/rest/v1/rpc/quotient?a=1&b=1'),
    await ask('POST', '/rest/v1/rpc/nap', bearer, { seconds: 5 }),
    await ask('POST', '/rest/v1/rpc/echo', bearer, { t: b.repeat(3000) }),
    await ask('GET', '/rest/v1/item', { Authorization: `Bearer ${h}.${h}.${h}` }),
    await ask('GET', '/rest/v1/item', { Authorization: `Basic ${h}` }),
    await ask('GET', '/rest/v1/item', { ...bearer, Authorization: `Bearer ${user().slice(0, -3)}abc` }),
    await ask('GET', '/rest/v1/item', { apikey: `${secrets.ANON_KEY}x` }),
    await ask('GET', '/rest/v1/item', { Authorization: `Bearer ${user({ exp: 1 })}` }),
    await ask('OPTIONS', '/rest/v1/item', { Origin: `https://${h}`, 'Access-Control-Request-Method': 'GET' }),
  ];
  await raw(port, `GET /rest/v1/item?${q} HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Bearer ${h}\r\n\r\n`);
  await raw(port, `GET /rest/v1/item?${q} HTTP/1.1\r\nHost: x\r\nX-Long: ${h.repeat(4000)}\r\n\r\n`);
  await raw(port, `${h} ${q}\r\n\r\n`);
  for (const status of [200, 201, 400, 401, 409, 500, 504]) assert.ok(statuses.includes(status), `no ${status} among ${statuses}`);
}

for (const level of ['debug', 'info', 'warn', 'error', 'off'])
  test(`LOG_LEVEL=${level}: requests of every kind`, async () => {
    const server = await startServer(program, { ...env, LOG_LEVEL: level });
    try {
      await load(server.port);
      const napping = request(server.port, 'POST', '/rest/v1/rpc/nap', { headers: { apikey: secrets.ANON_KEY, Authorization: `Bearer ${user()}` }, body: { seconds: 0.2 } }).catch(() => {});
      await db.query("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'authenticator%'");
      await napping;
      clean((await request(Number(env.ADMIN_PORT), 'GET', '/metrics')).text);
    } finally {
      await server.stop();
    }
    clean(server.output());
    if (level === 'debug') assert.match(server.output(), /"event":"database_error"/);
    if (level === 'debug') assert.match(server.output(), /"event":"slow_request"/);
  });

test('a password that is wrong later, and keys that are replaced by bad ones', async () => {
  const server = await startServer(program, env);
  try {
    await db.query("alter role authenticator password 'other'");
    await db.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'");
    await until('the log to tell', () => /database_(login_refused|connect_failed)/.test(server.output()));
    for (const bad of [private_key, `{"keys":[{"kty":"oct","k":"${secrets['a body']}"`, `${secrets['a body']}`]) {
      const said = server.output().length;
      writeFileSync(`${keys_file}.new`, bad);
      renameSync(`${keys_file}.new`, keys_file);
      server.child.kill('SIGHUP');
      await until('the log to tell', () => server.output().length > said, 40_000); // a generation tries a login for ten seconds
    }
  } finally {
    await server.stop();
    await db.query(`alter role authenticator password '${secrets['the password of the data plane'].replaceAll("'", "''")}'`);
    writeFileSync(keys_file, JSON.stringify({ keys: [{ kty: 'oct', k: Buffer.from(secrets['a key of the JWKS']).toString('base64url') }] }));
  }
  clean(server.output());
});

test('a crash in the middle of requests', async () => {
  for (const signal of ['SIGSEGV', 'SIGABRT']) {
    const server = await startServer(program, { ...env, ...mortal });
    const asked = Array.from({ length: 20 }, () => request(server.port, 'POST', '/rest/v1/rpc/echo', { headers: { apikey: secrets.ANON_KEY, Authorization: `Bearer ${user()}` }, body: { t: secrets['a body'] } }).catch(() => {}));
    const crashed = server.pid;
    await asked[0];
    process.kill(crashed, signal);
    await Promise.all(asked);
    await until('the next to serve', () => server.pid !== crashed && request(server.port, 'GET', '/ready').then((r) => r.status === 200, () => false));
    await server.stop();
    assert.ok(server.output().includes(`"signal":${signal === 'SIGABRT' ? 6 : 11}`), server.output().slice(-2000));
    clean(server.output());
  }
});

test('starts that fail', { concurrency: true }, async (t) => {
  const host = `127.0.0.1:${cluster.port}`;
  const bad = {
    'a wrong password': { DATABASE_URL: url('authenticator', 'canary-wrong') },
    'a wrong database': { DATABASE_URL: `postgresql://authenticator:canary-pw@${host}/none` },
    'a wrong host': { DATABASE_URL: 'postgresql://authenticator:canary-pw@127.0.0.1:1/x' },
    'a bad escape in the password': { DATABASE_URL: `postgresql://authenticator:canary-%zz@${host}/canary` },
    'an @ in the password': { DATABASE_URL: `postgresql://authenticator:xx@canary-@${host}/canary` },
    'a / in the password': { DATABASE_URL: `postgresql://authenticator:canary-/xx@${host}/canary` },
    'a / and an @ in the password': { DATABASE_URL: `postgresql://authenticator:1/canary-@${host}/canary` },
    'a ? in the password': { DATABASE_URL: `postgresql://authenticator:1?canary-=1@${host}/canary` },
    'a # in the password': { DATABASE_URL: `postgresql://authenticator:1#canary-@${host}/canary` },
    'a URI with one slash': { DATABASE_URL: `postgresql:/authenticator:canary-pw@${host}/canary` },
    'no URI at all': { DATABASE_URL: 'authenticator:canary-pw' },
    'a space in a keyword string': { DATABASE_URL: `host=127.0.0.1 port=${cluster.port} user=authenticator password=a canary-pw` },
    'an unknown keyword': { DATABASE_URL: 'host=127.0.0.1 canary-pw=a' },
    'the admin plane likewise': { ADMIN_DATABASE_URL: `postgresql:/authenticator:canary-pw@${host}/canary` },
    'a number': { JWT_LEEWAY: 'canary-1' },
    'a level': { LOG_LEVEL: 'canary-1' },
    'secrets that are the same': { PGSTACK_ENV: 'production', ANON_KEY: secrets.JWT_SECRET },
    'a private key among the keys': { JWT_KEYS_FILE: join(folder, 'private.pem') },
    'a broken key set': { JWT_KEYS_FILE: join(folder, 'broken.json') },
    'a TLS key of another certificate': { TLS_MODE: 'manual', TLS_CERT_FILE: pair.cert, TLS_KEY_FILE: stranger.key },
    'a broken TLS key': { TLS_MODE: 'manual', TLS_CERT_FILE: pair.cert, TLS_KEY_FILE: join(folder, 'broken.key') },
    'a key for a certificate': { TLS_MODE: 'manual', TLS_CERT_FILE: pair.key, TLS_KEY_FILE: pair.key },
    'a port in use': { PORT: String(cluster.port) },
  };
  writeFileSync(join(folder, 'private.pem'), private_key);
  writeFileSync(join(folder, 'broken.json'), `{"keys":[{"kty":"RSA","n":"${secrets['a body']}","e":"canary-1"}]}`);
  writeFileSync(join(folder, 'broken.key'), readFileSync(pair.key, 'utf8').replace(/[A-Z]/, '*'));
  await Promise.all(Object.entries(bad).map(([name, more]) =>
    t.test(name, async () => {
      const ports = { PORT: String(await freePort()), ADMIN_PORT: '0' };
      const server = await startServer(program, { ...env, ...ports, ...more }, { wait: false });
      assert.deepEqual(await server.ends(), { code: 1, signal: null }, server.output());
      assert.ok(server.output().length > 0, 'it says nothing');
      clean(server.output());
    })));
});

test('what the program prints of itself, and a broken .env', async () => {
  for (const argument of ['--help', '--version', '--show-limits', '--dump-sql', '--check', '--nonsense']) {
    const { out, err } = await run(program, [argument], { env: { ...env, PORT: String(await freePort()) }, may_fail: true });
    assert.ok((out + err).length > 0, argument);
    clean(out + err);
  }
  const file = join(folder, 'env');
  for (const text of [`JWT_SECRET="${secrets['a body']}`, secrets['a body'], `1X=${secrets['a body']}`, `A='${secrets['a body']}' ${secrets['a body']}`]) {
    writeFileSync(file, `${text}\n`);
    const { out, err, code } = await run(program, ['--env-file', file], { env, may_fail: true });
    assert.notEqual(code, 0);
    clean(out + err);
  }
});

test('over TLS: requests, and handshakes that fail', async () => {
  const port = await freePort();
  const admin_port = await freePort();
  const server = await startServer(program, { ...env, PORT: String(port), ADMIN_PORT: String(admin_port), TLS_MODE: 'manual', TLS_CERT_FILE: pair.cert, TLS_KEY_FILE: pair.key });
  try {
    await raw(port, `GET /?${secrets['a query string']} HTTP/1.1\r\n\r\n`);
    await new Promise((done) => {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'canary-sni' }, () => {
        socket.write(`GET /rest/v1/item?${secrets['a query string']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${user()}\r\n\r\n`);
      });
      socket.on('data', () => {}).on('close', done).on('error', done);
    });
  } finally {
    await server.stop();
  }
  clean(server.output());
});

/** What a WebSocket was told until it ended; it ends itself when `enough` came. */
function told(port, path, { protocols = [], headers = {}, say = [], enough = 1 } = {}) {
  return within(path.split('?')[0], new Promise((done) => {
    const frames = [], socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
    socket.on('open', () => say.forEach((message) => socket.send(message)));
    socket.on('message', (data) => { if (frames.push(String(data)) === enough) socket.terminate(); });
    socket.on('unexpected-response', (request_, response) => { response.resume(); frames.push(String(response.statusCode)); request_.destroy(); done(frames); });
    socket.on('error', () => {});
    socket.on('close', () => done(frames));
  }));
}

test('live queries: tokens in URLs and subprotocols, arguments, rows, and logins that fail', async () => {
  const project = await buildProject('tests/4-api/live');
  await makeDatabase(cluster, project, 'canary_live');
  const live_db = await connect(cluster, 'canary_live');
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  await live_db.query(`alter role authenticator password '${secrets['the password of the data plane'].replaceAll("'", "''")}';
    alter role pgstack_replicator password '${secrets['the password of the log']}';
    insert into team values (1, 'one'); insert into member values (1, '${users.ada}');
    insert into ticket (id, team_id, title) values (1, 1, '${secrets['a row']}')`);
  const server = await startServer(join(project, 'build/server/board'), { ...env, ...ports, LOG_LEVEL: 'debug', ADMIN_DATABASE_URL: '', SERVICE_ROLE_KEY: '',
    DATABASE_URL: url('authenticator', secrets['the password of the data plane'], 'canary_live'),
    LIVE_DATABASE_URL: url('pgstack_replicator', secrets['the password of the log'], 'canary_live'),
    REACTIVE_DATABASE_URL: url('pgstack_listener', secrets['the password of pg_reactive'], 'canary_live') });
  const { port } = server, q = secrets['a query string'], bad = `${user().slice(0, -3)}abc`, params = (value) => encodeURIComponent(JSON.stringify({ team_id: value }));
  const subscribe = (value) => JSON.stringify({ type: 'subscribe', id: q, query: 'tickets', params: { team_id: value } });
  try {
    const first = await Live.open(port, { query: `?token=${user()}` });
    await first.subscribe('m', 'mine', {}).ready(); // the log is followed from here on
    await first.close();
    assert.match((await told(port, `/live/v1?token=${user()}`, { say: [subscribe(1)] }))[0], /canary-row/);
    assert.match((await told(port, '/live/v1', { protocols: ['pgstack.live.v1', `bearer.${user()}`], say: [subscribe(1)] }))[0], /canary-row/);
    assert.match((await told(port, `/live/v1?apikey=${secrets.ANON_KEY}`, { say: [subscribe(1)] }))[0], /unknown_query/);
    assert.match((await told(port, `/live/v1?token=${user()}`, { say: [subscribe(q), `{"type":"${q}`, `{"type":"token","token":"${bad}"}`], enough: 3 })).join(), /bad_params/);
    assert.deepEqual(await told(port, `/live/v1?token=${bad}`), ['401']);
    assert.match((await told(port, `/ws/tickets?params=${params(1)}&token=${user()}`, { enough: 2 }))[1], /canary-row/);
    assert.deepEqual(await told(port, `/ws/tickets?params=${params(q)}&token=${user()}`), ['400']);
    assert.match((await told(port, `/ws/none?token=${bad}`))[0], /^(401|503)$/); // pg_reactive cannot be asked
    const stream = await fetch(`http://127.0.0.1:${port}/live/v1/stream?query=tickets&params=${params(1)}&token=${user()}`, { signal: AbortSignal.timeout(20_000) });
    assert.equal(stream.status, 200);
    const events = stream.body.getReader();
    for (let text = ''; !text.includes('canary-row');) {
      const { value, done } = await events.read();
      assert.ok(!done, text);
      text += Buffer.from(value).toString();
    }
    await events.cancel();
    assert.equal((await request(port, 'GET', `/live/v1/stream?query=tickets&params=${params(q)}&token=${bad}`)).status, 401);
    await live_db.query(`select pg_terminate_backend(active_pid) from pg_replication_slots where active`);
    await live_db.query(`alter role pgstack_replicator password 'other'`);
    await until('both logins to fail', () => /live_feed_(lost|failed)/.test(server.output()) && /pgstack_listener/.test(server.output()), 60_000);
    clean((await request(Number(ports.ADMIN_PORT), 'GET', '/metrics')).text);
  } finally {
    await server.stop();
    await live_db.end();
  }
  clean(server.output());
});

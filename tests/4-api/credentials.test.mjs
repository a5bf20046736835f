// Who is let in, and as whom.  A bad credential is 401, never anon (RFC 8725 and our own rules).
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { users } from '../lib/app.mjs';
import { anon_key, base64url, now, secret, service_key, sign, token } from '../lib/jwt.mjs';
import { until } from '../lib/process.mjs';
import { logSize } from '../lib/statements.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_credentials'); });
after(() => app?.close());

const hs256 = { alg: 'HS256', typ: 'JWT' };
const good = (more = {}) => ({ sub: users.ada, role: 'authenticated', exp: now() + 3600, ...more });
const ask = (headers, path = 'rpc/who_am_i') => app.ask('none', 'GET', `/rest/v1/${path}`, undefined, headers);
const bearer = (t) => ask({ Authorization: `Bearer ${t}` });

function pieces(t) {
  const [header, payload, mac] = t.split('.');
  return { header, payload, mac };
}

function rsToken() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const text = `${base64url(JSON.stringify({ alg: 'RS256' }))}.${base64url(JSON.stringify(good()))}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}

const ok = token(users.ada);
const { header, payload, mac } = pieces(ok);
const last = mac.at(-1);
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const trailing = mac.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1]; // same bytes, other trailing bits

const bad = {
  'alg none, no signature': `${base64url('{"alg":"none"}')}.${payload}.`,
  'alg None': `${base64url('{"alg":"None"}')}.${payload}.`,
  'alg nOnE, signed': sign({ alg: 'nOnE' }, good()),
  'alg none, signed': sign({ alg: 'none' }, good()),
  'signature cut off': `${header}.${payload}.`,
  'signature missing': `${header}.${payload}`,
  'empty key': sign(hs256, good(), ''),
  'another key': sign(hs256, good(), 'another-secret-of-more-than-32-characters'),
  'HS384': sign({ alg: 'HS384' }, good(), secret, 'sha384'),
  'HS512': sign({ alg: 'HS512' }, good(), secret, 'sha512'),
  'says HS384, signed HS256': sign({ alg: 'HS384' }, good()),
  'RS256': rsToken(),
  'alg missing': sign({ typ: 'JWT' }, good()),
  'alg a number': sign({ alg: 256 }, good()),
  'alg twice': sign('{"alg":"none","alg":"HS256"}', good()),
  'crit': sign({ ...hs256, crit: ['exp'] }, good()),
  'crit unknown': sign({ ...hs256, crit: ['x'], x: 1 }, good()),
  'four dots': `${ok}.x.y`,
  'three dots': `${ok}.`,
  'leading dot': `.${ok}`,
  'padding': `${header}.${payload}.${mac}=`,
  'padding in the payload': `${header}.${payload}==.${mac}`,
  'plain base64': `${header}.${payload}.${Buffer.from(mac, 'base64url').toString('base64').replace(/=+$/, '')}+/`,
  'trailing bits': `${header}.${payload}.${trailing}`,
  'white space': `${header}.${payload}.${mac.slice(0, 10)} ${mac.slice(10)}`,
  'one bit of the payload': `${header}.${payload.slice(0, -2)}${payload.at(-2) === 'A' ? 'B' : 'A'}${payload.at(-1)}.${mac}`,
  'payload not JSON': sign(hs256, 'hello'),
  'payload an array': sign(hs256, '[1]'),
  'payload a string': sign(hs256, '"x"'),
  'payload null': sign(hs256, 'null'),
  'payload empty': sign(hs256, ''),
  'payload not UTF-8': sign(hs256, Buffer.from([0x7b, 0xff, 0x7d])),
  'NUL in a claim': sign(hs256, `{"sub":"${users.ada}","role":"authenticated","exp":${now() + 3600},"x":"\\u0000"}`),
  'NUL in sub': sign(hs256, good({ sub: 'a\u0000b' })),
  'role twice': sign(hs256, `{"sub":"${users.ada}","role":"authenticated","role":"service_role","exp":${now() + 3600}}`),
  'sub twice': sign(hs256, `{"sub":"${users.ada}","sub":"${users.bob}","role":"authenticated","exp":${now() + 3600}}`),
  'role a number': sign(hs256, good({ role: 1 })),
  'role an array': sign(hs256, good({ role: ['authenticated'] })),
  'role postgres': sign(hs256, good({ role: 'postgres' })),
  'role service_role': sign(hs256, good({ role: 'service_role' })),
  'role anon': sign(hs256, good({ role: 'anon' })),
  'role authenticator': sign(hs256, good({ role: 'authenticator' })),
  'role pgstack_owner': sign(hs256, good({ role: 'pgstack_owner' })),
  'role pg_read_all_data': sign(hs256, good({ role: 'pg_read_all_data' })),
  'role empty': sign(hs256, good({ role: '' })),
  'role in another case': sign(hs256, good({ role: 'Authenticated' })),
  'role missing': sign(hs256, { sub: users.ada, exp: now() + 3600 }),
  'role null': sign(hs256, good({ role: null })),
  'sub not a uuid': sign(hs256, good({ sub: 'ada' })),
  'sub a number': sign(hs256, good({ sub: 42 })),
  'sub an injection': sign(hs256, good({ sub: "'; set role postgres; --" })),
  'exp past': sign(hs256, good({ exp: now() - 3600 })),
  'exp a string': sign(hs256, good({ exp: String(now() + 3600) })),
  'exp 1e400': sign(hs256, `{"sub":"${users.ada}","role":"authenticated","exp":1e400}`),
  'exp negative': sign(hs256, good({ exp: -1 })),
  'exp missing': sign(hs256, { sub: users.ada, role: 'authenticated' }),
  'exp null': sign(hs256, good({ exp: null })),
  'nbf in an hour': sign(hs256, good({ nbf: now() + 3600 })),
  'nbf a string': sign(hs256, good({ nbf: 'now' })),
  'iat in an hour': sign(hs256, good({ iat: now() + 3600 })),
  '64 KB': sign(hs256, good({ fill: 'x'.repeat(49000) })),
  'deep payload': sign(hs256, `{"sub":"${users.ada}","role":"authenticated","exp":${now() + 3600},"x":${'['.repeat(1000)}${']'.repeat(1000)}}`),
  'anon key with a letter more': `${anon_key}x`,
  'anon key with a letter less': anon_key.slice(0, -1),
  'anon key in another case': anon_key.toUpperCase(),
  'service key with a letter more': `${service_key}x`,
  'the secret itself': secret,
  'nothing but dots': '..',
  'a word': 'garbage',
};

test('bad tokens are 401, with WWW-Authenticate and nothing of the token', async (t) => {
  for (const [name, it] of Object.entries(bad))
    await t.test(name, async () => {
      const r = await bearer(it);
      assert.ok([401, ...(it.length > 8192 ? [400, 431] : [])].includes(r.status), `${r.status} ${r.text}`);
      if (r.status !== 401) return;
      assert.ok(r.headers['www-authenticate'], 'WWW-Authenticate');
      assert.deepEqual(Object.keys(r.json).sort(), ['code', 'details', 'hint', 'message']);
      assert.match(r.json.code, /^PGRST30[0-3]$/);
      assert.ok(!r.text.includes(it) && !r.text.includes(secret));
    });
});

test('bad tokens in apikey are 401 as well', async () => {
  for (const it of ['garbage', token(users.ada, { exp: now() - 10_000 }), `${anon_key}x`])
    assert.equal((await ask({ apikey: it })).status, 401, it);
});

test('headers k, j, x that name keys are not followed', async () => {
  for (const more of [{ kid: "x' or 1=1" }, { kid: '../../dev/null' }, { jku: 'http://127.0.0.1:1/' }, { x5u: 'http://127.0.0.1:1/' }, { jwk: { kty: 'oct', k: 'AA' } }]) {
    const forged = await bearer(sign({ ...hs256, ...more }, good(), 'A'));
    assert.equal(forged.status, 401);
    assert.ok([200, 401].includes((await bearer(sign({ ...hs256, ...more }, good()))).status));
  }
});

test('good ones', async () => {
  assert.deepEqual((await bearer(ok)).json.role, 'authenticated');
  assert.equal((await bearer(sign(hs256, good({ nbf: now() - 60, iat: now() - 60 })))).status, 200);
  assert.equal((await bearer(sign(hs256, good({ exp: now() + 3600.5 })))).status, 200);
  assert.equal((await bearer(sign({ alg: 'HS256' }, good()))).status, 200);
  assert.equal((await ask({ apikey: ok })).json.uid, users.ada);
  assert.equal((await bearer(anon_key)).json.role, 'anon');
  assert.equal((await ask({ apikey: anon_key })).json.role, 'anon');
  assert.equal((await ask({ authorization: `bearer ${ok}` })).status, 200, 'the scheme has no case');
});

test('none at all', async () => {
  assert.equal((await ask({})).status, 401);
  assert.equal((await ask({ Authorization: '' })).status, 401);
  assert.equal((await ask({ Authorization: 'Bearer' })).status, 401);
  assert.equal((await ask({ Authorization: 'Bearer ' })).status, 401);
  assert.equal((await ask({ Authorization: `Basic ${base64url('a:b')}` })).status, 401);
  assert.equal((await ask({ apikey: '' })).status, 401);
});

test('Authorization decides where both are there', async () => {
  assert.equal((await ask({ apikey: anon_key, Authorization: `Bearer ${ok}` })).json.uid, users.ada);
  assert.equal((await ask({ apikey: service_key, Authorization: `Bearer ${anon_key}` })).json.role, 'anon');
  assert.equal((await ask({ apikey: service_key, Authorization: 'Bearer garbage' })).status, 401);
  assert.equal((await ask({ apikey: anon_key, Authorization: `Bearer ${bad['exp past']}` })).status, 401);
});

test('a query string carries no credentials', async () => {
  assert.equal((await ask({}, `item?apikey=${anon_key}`)).status, 401);
  assert.equal((await ask({}, `item?access_token=${ok}`)).status, 401);
});

test('two Authorization headers are one too many', async () => {
  const { raw } = await import('../lib/http.mjs');
  const r = await raw(app.port, `GET /rest/v1/item HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${anon_key}\r\nAuthorization: Bearer ${service_key}\r\nConnection: close\r\n\r\n`);
  assert.ok([400, 401].includes(r.statuses[0]), r.text);
});

test('the service key reaches every row, and only that key does', async () => {
  await app.db.query(`insert into diary (owner_id, text) values ('${users.ada}', 'a'), ('${users.bob}', 'b')`);
  assert.equal((await app.get('service', 'diary?select=text,secret')).json.length, 2);
  assert.equal((await app.get('ada', 'diary')).json.length, 1);
  assert.equal((await ask({ Authorization: `Bearer ${service_key}` }, 'diary')).json.length, 2);
});

test('declared roles come by their claim, in order', async () => {
  const me = async (claims) => (await app.get(claims, 'rpc/who_am_i')).json.role;
  assert.equal(await me({ sub: users.ada, role: 'authenticated', app_metadata: { kind: 'robot' } }), 'robot');
  assert.equal(await me({ sub: users.ada, role: 'editor' }), 'editor');
  assert.equal(await me({ sub: users.ada, role: 'editor', app_metadata: { kind: 'robot' } }), 'editor');
  assert.equal(await me({ sub: users.ada, app_metadata: { kind: 'other' } }), 'authenticated');
  assert.equal(await me({ sub: users.ada, user_metadata: { kind: 'robot', role: 'editor' } }), 'authenticated');
  assert.equal((await app.get({ sub: users.ada, role: 'robot' }, 'rpc/who_am_i')).status, 401, 'not by the name of the role');
});

test('a token that was good goes bad in time', async () => {
  await app.restart({ JWT_LEEWAY: '0' });
  const exp = now() + 3, brief = token(users.ada, { exp });
  assert.equal((await bearer(brief)).status, 200);
  await until('it to be refused', async () => (await bearer(brief)).status === 401);
  assert.ok(Date.now() >= exp * 1000, 'not before its time');
  await app.restart();
});

test('aud and iss, where they are configured', async () => {
  await app.restart({ JWT_AUDIENCE: 'desk', JWT_ISSUER: 'https://auth.example.com' });
  const right = { aud: 'desk', iss: 'https://auth.example.com' };
  assert.equal((await bearer(sign(hs256, good(right)))).status, 200);
  assert.equal((await bearer(sign(hs256, good({ ...right, aud: ['other', 'desk'] })))).status, 200);
  for (const more of [{}, { ...right, aud: 'other' }, { ...right, aud: ['desks'] }, { ...right, aud: [] }, { ...right, aud: 1 }, { ...right, iss: 'https://evil.example.com' }, { aud: 'desk' }, { iss: right.iss }, { ...right, iss: [right.iss] }])
    assert.equal((await bearer(sign(hs256, good(more)))).status, 401, JSON.stringify(more));
  await app.restart();
});

test('the wire never sees a role of a token that was refused', async () => {
  const from = logSize(app.cluster.log);
  const said = () => readFileSync(app.cluster.log).subarray(from).toString().split('\n').filter((l) => l.includes(`authenticator@${app.name} `)).join('\n');
  for (const role of ['postgres', 'service_role', 'pg_read_all_data', 'pgstack_owner']) await bearer(sign(hs256, good({ role })));
  assert.equal((await bearer(ok)).status, 200);
  await until('the good one to be in the log', () => said().includes(users.ada));
  assert.doesNotMatch(said(), /parameters: .*'(postgres|pg_read_all_data|pgstack_owner)'/);
});


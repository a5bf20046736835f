// Tokens of other issuers: RS256, ES256 and EdDSA, from PEM or a JWKS, and keys that change while
// the server runs.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign as signWith } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, users } from '../lib/app.mjs';
import { base64url, now, sign } from '../lib/jwt.mjs';
import { scratch } from '../lib/paths.mjs';
import { freePort, until } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const strangers = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const oct = Buffer.from('a shared secret in a key set, 32 bytes and more');
const pem = (pair) => pair.publicKey.export({ type: 'spki', format: 'pem' });
const jwk = (pair, more = {}) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...more });
const claims = (more = {}) => ({ sub: users.ada, role: 'authenticated', exp: now() + 3600, ...more });

/** A token signed with a private key; ECDSA as JWS has it, the two numbers side by side. */
function signed(header, pair, payload = claims(), dsaEncoding = 'ieee-p1363') {
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  const digest = pair.privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return `${text}.${signWith(digest, Buffer.from(text), { key: pair.privateKey, dsaEncoding }).toString('base64url')}`;
}

const folder = mkdtempSync(join(scratch, 'keys-'));
const file = join(folder, 'keys');
const jwks = (...keys) => JSON.stringify({ keys });
const set = jwks(jwk(pairs.RS256, { kid: 'r', use: 'sig', alg: 'RS256' }), jwk(pairs.ES256, { kid: 'e' }),
  jwk(pairs.EdDSA, { kid: 'd' }), { kty: 'oct', kid: 'o', k: oct.toString('base64url') });

/** Replaces the file in one step, as deployments do. */
function write(text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

let app;
before(async () => {
  write(set);
  app = await openProof('api_keys', { env: { JWT_KEYS_FILE: file } });
});
after(async () => {
  await app?.close();
  rmSync(folder, { recursive: true });
});

const bearer = (token) => app.ask('none', 'GET', '/rest/v1/rpc/who_am_i', undefined, { Authorization: `Bearer ${token}` });
const status = async (token) => (await bearer(token)).status;

test('each algorithm of a key set, with and without kid', async () => {
  for (const [alg, kid] of [['RS256', 'r'], ['ES256', 'e'], ['EdDSA', 'd']]) {
    assert.equal(await status(signed({ alg, typ: 'JWT', kid }, pairs[alg])), 200, alg);
    assert.equal(await status(signed({ alg }, pairs[alg])), 200, `${alg} without kid`);
  }
  assert.equal(await status(sign({ alg: 'HS256', kid: 'o' }, claims(), oct)), 200, 'oct');
  assert.equal(await status(sign({ alg: 'HS256' }, claims())), 200, 'JWT_SECRET beside the set');
});

test('nothing but the key chooses the algorithm', async () => {
  const refused = {
    'HS256 with the PEM as secret': sign({ alg: 'HS256' }, claims(), pem(pairs.RS256)),
    'HS256 with the JWK as secret': sign({ alg: 'HS256' }, claims(), JSON.stringify(jwk(pairs.ES256))),
    'RS256 said, HS256 done': sign({ alg: 'RS256', kid: 'r' }, claims(), pem(pairs.RS256)),
    'ES256 said, EdDSA done': signed({ alg: 'ES256' }, pairs.EdDSA),
    'EdDSA said, ES256 done': signed({ alg: 'EdDSA' }, pairs.ES256),
    'PS256 said': signed({ alg: 'PS256' }, pairs.RS256),
    'RS512 said': signed({ alg: 'RS512' }, pairs.RS256),
    'none said': signed({ alg: 'none' }, pairs.RS256),
    'the kid of another key': signed({ alg: 'RS256', kid: 'e' }, pairs.RS256),
    'a kid that is no text': signed({ alg: 'RS256', kid: 7 }, pairs.RS256),
    'an unknown kid': signed({ alg: 'ES256', kid: '../../etc/passwd' }, pairs.ES256),
    'ES256 in DER': signed({ alg: 'ES256' }, pairs.ES256, claims(), 'der'),
    'a key of its own': signed({ alg: 'ES256', jwk: jwk(strangers.ES256) }, strangers.ES256),
    'expired': signed({ alg: 'EdDSA' }, pairs.EdDSA, claims({ exp: now() - 60 })),
  };
  for (const alg of Object.keys(strangers)) refused[`a stranger's ${alg}`] = signed({ alg }, strangers[alg]);
  for (const [what, token] of Object.entries(refused)) assert.equal(await status(token), 401, what);
  const text = signed({ alg: 'ES256' }, pairs.ES256).split('.').slice(0, 2).join('.');
  for (const numbers of [Buffer.alloc(64), Buffer.alloc(64, 0xff), Buffer.concat([Buffer.alloc(32, 0), Buffer.alloc(32, 1)])])
    assert.equal(await status(`${text}.${numbers.toString('base64url')}`), 401, 'numbers out of range');
});

test('a key that is gone from the file is gone; a broken file changes nothing', async () => {
  const old = signed({ alg: 'RS256', kid: 'r' }, pairs.RS256);
  const young = signed({ alg: 'RS256', kid: 'r2' }, strangers.RS256);
  assert.equal(await status(old), 200, 'remembered by now');
  assert.equal(await status(young), 401);
  write(jwks(jwk(pairs.RS256, { kid: 'r' }), jwk(strangers.RS256, { kid: 'r2' })));
  await until('the second key to be taken', async () => await status(young) === 200);
  assert.equal(await status(old), 200, 'both for a while');
  write(jwks(jwk(strangers.RS256, { kid: 'r2' })));
  await until('the first key to go', async () => await status(old) === 401);
  assert.equal(await status(young), 200);
  for (const broken of ['{"keys": [', '{"keys": []}', '']) {
    const lines = app.server.lines().length;
    write(broken);
    await until('the log to say so', async () => app.server.lines().slice(lines).some((l) => /JWT_KEYS_FILE not taken/.test(l)));
    assert.equal(await status(young), 200, 'the keys stay');
  }
  rmSync(file);
  await until('the log to say so', async () => app.server.lines().some((l) => /No such file/.test(l)));
  assert.equal(await status(young), 200, 'the keys stay');
  write(`${pem(pairs.ES256)}\n${pem(pairs.EdDSA)}`);
  await until('PEM to be taken', async () => await status(signed({ alg: 'ES256' }, pairs.ES256)) === 200);
  assert.equal(await status(signed({ alg: 'EdDSA', kid: 'any' }, pairs.EdDSA)), 200, 'PEM has no kid to compare');
  assert.equal(await status(young), 401);
});

test('a file that holds what it should not stops the start, and the message holds no key', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const refused = {
    'holds no key': 'hello',
    'key 1: is private': pairs.RS256.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'key 2: is private': jwks(jwk(pairs.RS256), pairs.ES256.privateKey.export({ format: 'jwk' })),
    'key 1: expected RSA of 2048': pem(weak),
    'key 1: expected RSA (n, e)': jwks(jwk(p384)),
    'key 2: another key has the same kid': jwks(jwk(pairs.RS256, { kid: 'a' }), jwk(pairs.ES256, { kid: 'a' })),
    'key 1: its alg does not fit': jwks(jwk(pairs.RS256, { alg: 'ES256' })),
    'key 1: its use is not sig': jwks(jwk(pairs.RS256, { use: 'enc' })),
    'key 1: its k must be': jwks({ kty: 'oct', k: 'c2hvcnQ' }),
    'is not valid JSON': '{"keys": [',
    'key 17: 16 keys': jwks(...Array.from({ length: 17 }, (_, i) => jwk(pairs.EdDSA, { kid: `k${i}` }))),
  };
  const env = { ...app.env, PORT: String(await freePort()), ADMIN_PORT: '0' };
  for (const [message, text] of Object.entries(refused)) {
    const bad = join(folder, 'bad');
    writeFileSync(bad, text);
    const server = await startServer(app.program, { ...env, JWT_KEYS_FILE: bad }, { wait: false });
    const { code } = await server.ends();
    assert.equal(code, 1, message);
    assert.ok(server.output().includes(`JWT_KEYS_FILE: ${message}`), `${message}: ${server.output()}`);
    for (const word of text.match(/[A-Za-z0-9_-]{12,}/g) ?? []) assert.ok(!server.output().includes(word), message);
    server.forget();
  }
});

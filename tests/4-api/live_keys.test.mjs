// A key that is withdrawn ends the live connections of those whom it let in.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp } from '../lib/app.mjs';
import { base64url, secret } from '../lib/jwt.mjs';
import { Live } from '../lib/live.mjs';
import { scratch } from '../lib/paths.mjs';
import { seed } from './board.mjs';

const folder = mkdtempSync(join(scratch, 'live-keys-'));
const file = join(folder, 'keys');
const key = (k) => ({ kty: 'oct', k: base64url(Buffer.from(k)) });

function write(...keys) {
  writeFileSync(`${file}.new`, JSON.stringify({ keys }));
  renameSync(`${file}.new`, file);
}

let app;
before(async () => {
  write(key(secret));
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_keys', seed, env: { JWT_KEYS_FILE: file, JWT_SECRET: '' } });
});
after(async () => {
  await app?.close();
  rmSync(folder, { recursive: true });
});

test('whom a key let in is let in no more when it is gone', { timeout: 30_000 }, async () => {
  const live = await Live.open(app.port, { headers: credentials('ada') });
  await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  write(key('another shared secret, of 32 bytes and more'));
  assert.equal((await live.closed).code, 4401);
  assert.equal((await Live.open(app.port, { headers: credentials('ada') }).catch((error) => error)).status, 401);
});

// Declared functions at /rest/v1/rpc: volatile ones by POST alone, void as 204.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_functions'); });
after(() => app?.close());

const ask = (method, path, body) => app.ask(editor, method, `/rest/v1/rpc/${path}`, body);

test('a function that writes', async () => {
  assert.equal((await ask('POST', 'jot', { body: 'ab', times: 2 })).status, 200);
  assert.equal((await ask('GET', 'jot?body=x')).status, 405);
  assert.equal((await ask('POST', 'jot', {})).status, 404);
});

test('rows, a scalar past the policies, and nothing', async () => {
  const rows = await ask('GET', 'jotted?most=1');
  assert.equal(rows.status, 200);
  assert.match(JSON.stringify(rows), /abab/);
  assert.equal((await ask('GET', 'jot_count')).status, 200);
  assert.equal((await ask('POST', 'forget', {})).status, 204);
  assert.equal((await ask('GET', 'forget')).status, 405);
});

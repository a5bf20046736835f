// Who asks: the peer, or by X-Forwarded-For of a trusted proxy whom it asks for; as the log has it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from '../lib/http.mjs';
import { until } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_client', { env: { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8 2001:db8:1::/48' } }); });
after(() => app?.close());

let count = 0;
/** The client that the log has of a request from `from` with these values of X-Forwarded-For. */
async function logged(values, from = '127.0.0.1') {
  const id = `client-${++count}`;
  const r = await request(app.port, 'GET', '/health', { headers: { 'X-Request-Id': id, 'X-Forwarded-For': values }, localAddress: from });
  assert.equal(r.status, 200);
  return until('the line of the request', () => app.server.lines().filter((l) => l.includes(`"id":"${id}"`)).map((l) => JSON.parse(l).client)[0]);
}

for (const [what, values, client] of [
  ['one hop', ['198.51.100.7'], '198.51.100.7'],
  ['two trusted hops', ['198.51.100.7, 10.1.2.3'], '198.51.100.7'],
  ['trusted hops of both families, in several fields', ['198.51.100.7', '2001:db8:1::5', '10.0.0.9, 10.0.0.8'], '198.51.100.7'],
  ['what the client wrote itself is left of what counts', ['192.0.2.1, 198.51.100.7, 10.1.2.3'], '198.51.100.7'],
  ['nonsense that the client wrote', ['localhost;--, 198.51.100.7'], '198.51.100.7'],
  ['IPv6', ['2001:DB8:2:0::7'], '2001:db8:2::7'],
  ['IPv6 in brackets, with a port', ['[2001:db8:2::7]:443'], '2001:db8:2::7'],
  ['a port', ['198.51.100.7:51234'], '198.51.100.7'],
  ['IPv4 within IPv6', ['::ffff:198.51.100.7'], '198.51.100.7'],
  ['none but proxies', ['10.9.9.9, 10.1.2.3'], '10.9.9.9'],
  ['no entry', [''], '127.0.0.1'],
  ['no address', ['unknown'], '127.0.0.1'],
  ['no address behind a trusted hop', ['198.51.100.300, 10.1.2.3'], '127.0.0.1'],
]) test(`X-Forwarded-For: ${what}`, async () => assert.equal(await logged(values), client));

test('X-Forwarded-For of a peer that nobody trusts says nothing', async () => {
  assert.equal(await logged(['198.51.100.7'], '127.0.0.2'), '127.0.0.2');
  assert.equal(await logged(['127.0.0.1'], '127.0.0.2'), '127.0.0.2');
});

test('X-Forwarded-Proto of a trusted proxy decides about HSTS', async () => {
  const hsts = async (proto, localAddress) => (await request(app.port, 'GET', '/health', { headers: proto ? { 'X-Forwarded-Proto': proto } : {}, localAddress })).headers['strict-transport-security'];
  assert.equal(await hsts('https'), 'max-age=31536000');
  assert.equal(await hsts('http, HTTPS'), 'max-age=31536000');
  for (const proto of [undefined, 'http', 'https, http', 'xhttps']) assert.equal(await hsts(proto), undefined, proto);
  assert.equal(await hsts('https', '127.0.0.2'), undefined, 'a peer that nobody trusts');
});

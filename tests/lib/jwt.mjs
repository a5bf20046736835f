// User tokens, good and bad.
import { createHmac } from 'node:crypto';

export const secret = 'tests-secret-of-more-than-32-characters';
export const anon_key = 'tests-anon-key-0123456789abcdefghijkl';
export const service_key = 'tests-service-key-0123456789abcdefghi';

export const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Signs header and payload as they stand: texts pass verbatim. */
export function sign(header, payload, key = secret, digest = 'sha256') {
  const text = [header, payload].map((p) => base64url(typeof p === 'object' && !Buffer.isBuffer(p) ? JSON.stringify(p) : p)).join('.');
  return `${text}.${createHmac(digest, key).update(text).digest('base64url')}`;
}

export const now = () => Math.floor(Date.now() / 1000);

/** A good token of user `sub`; `more` adds or replaces claims. */
export function token(sub, more = {}) {
  return sign({ alg: 'HS256', typ: 'JWT' }, { sub, role: 'authenticated', exp: now() + 3600, ...more });
}

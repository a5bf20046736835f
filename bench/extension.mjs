// What subscriptions of pg_reactive cost writers: bench/reactive.mjs on a PostgreSQL that has the extension.
import { join } from 'node:path';
import { run } from '../tests/lib/process.mjs';
import { here } from './stage.mjs';

/** A section of RESULTS.md. */
export async function measureReactive(quick) {
  const root = join(here, '..');
  const { out } = await run(join(root, 'tests/9-extension/with'), [process.execPath, join(here, 'reactive.mjs')], {
    cwd: root, env: { ...process.env, ...(quick && { SECONDS_EACH: '1', ROUNDS: '1', SUBSCRIPTIONS: '1 100' }) } });
  return ['## pg_reactive', '', 'Writers of single rows beside subscriptions of the extension; `docs/pg_reactive.md` says what they are.', '', '```', out.trim(), '```'].join('\n');
}

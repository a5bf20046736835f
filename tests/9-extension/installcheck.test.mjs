// `make installcheck`: PostgreSQL's own way of testing, pg_regress and pg_isolation_regress.
import { join } from 'node:path';
import { readFileSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';
import { startReactive } from './reactive.mjs';

test('make -C extension installcheck', async () => {
  const build = process.env.PGSTACK_REACTIVE_BUILD;
  const cluster = await startReactive();
  try {
    const { code, out, err } = await run('make', ['-s', '-f', join(root, 'extension/Makefile'), `VPATH=${join(root, 'extension')}`,
      `PG_CONFIG=${process.env.PG_CONFIG}`, 'installcheck'], {
      cwd: build, may_fail: true,
      env: { ...process.env, PGHOST: cluster.sockets, PGPORT: String(cluster.port), PGUSER: 'postgres', MAKEFLAGS: '' },
    });
    const diffs = ['regression.diffs', 'output_iso/regression.diffs'].map((name) => join(build, name)).filter(existsSync);
    if (code !== 0) throw new Error(`${out}${err}${diffs.map((name) => readFileSync(name, 'utf8')).join('')}`);
  } finally {
    await cluster.stop();
  }
});

// Runs test files on one private cluster: node lib/run.mjs FILE...
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { Cluster } from './postgres.mjs';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: run.mjs FILE...');
  process.exit(2);
}
process.env.PGSTACK_TEST_PRISTINE = (await Cluster.make()).data;
const cluster = await Cluster.start();
let code = 1;
try {
  const child = spawn(process.execPath, ['--test', '--test-force-exit', `--test-timeout=${process.env.LONG ? 7_200_000 : 900_000}`, `--test-concurrency=${process.env.JOBS ?? 2}`,
    `--test-reporter=${join(root, 'tests/lib/report.mjs')}`, ...files], {
    stdio: 'inherit',
    env: { ...process.env, PGSTACK_TEST_CLUSTER: cluster.describe() },
  });
  [code] = await once(child, 'exit');
} finally {
  await cluster.stop();
}
process.exit(code ?? 1);

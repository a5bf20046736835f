// Quick requests beside a flood of slow ones, and beside a crowd of slow clients, against the same without: interleaved
// rounds, medians.  The slow ones are calls, which always run apart, and lists, which do once one of them was found
// slow: that one, and those that come with it, hold up others once, and are not in these figures.
import { once } from 'node:events';
import http from 'node:http';
import { Worker } from 'node:worker_threads';
import { request } from '../tests/lib/http.mjs';
import { credentials } from '../tests/lib/app.mjs';
import { sleep } from '../tests/lib/process.mjs';
import { openProof } from '../tests/4-api/proof.mjs';
import { fixed, median, table } from './report.mjs';

const clients = 8;
const flood = 64;
const crowd = 5000;
const slow = {
  'calls of pg_sleep(0.2)': 'rpc/nap?seconds=0.2',
  'lists that take 0.2 s': 'sleeper?id=eq.1',
};

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

async function ask(app, who, path, agent) {
  const r = await request(app.port, 'GET', `/rest/v1/${path}`, { headers: credentials(who), agent });
  if (r.status !== 200 && r.status !== 503) throw new Error(`${r.status} ${r.text}`);
}

/** Latencies in ms of GETs by key, sorted. */
async function quickOnes(app, agent, seconds) {
  const times = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      const begin = performance.now();
      await ask(app, 'anon', 'item?id=eq.1', agent);
      times.push(performance.now() - begin);
    }
  }));
  return times.sort((a, b) => a - b);
}

async function flooded(app, agent, path, work) {
  let running = true;
  const asking = Array.from({ length: flood }, async () => { while (running) await ask(app, 'ada', path, agent); });
  try {
    return await work();
  } finally {
    running = false;
    await Promise.all(asking);
  }
}

async function crowded(app, work) {
  const worker = new Worker(new URL('slow_clients.mjs', import.meta.url), { workerData: { port: app.port, clients: crowd } });
  const failed = new Promise((_, reject) => { worker.on('error', reject); });
  try {
    await Promise.race([once(worker, 'message'), failed]);
    return await Promise.race([work(), failed]);
  } finally {
    await worker.terminate();
    await sleep(500); // the server lets go of them
  }
}

/** A section of RESULTS.md. */
export async function measureLanes({ rounds, seconds }) {
  const app = await openProof('bench_lanes', { seed: 'insert into bed values (1, 0.2);', env: { MAX_CONNECTIONS_PER_ADDRESS: '20000', MAX_REQUESTS_PER_ADDRESS: '20000' } });
  const agents = [clients, flood].map((maxSockets) => new http.Agent({ keepAlive: true, maxSockets }));
  const runs = { alone: [], ...Object.fromEntries(Object.keys(slow).map((name) => [name, []])), crowd: [] };
  try {
    await quickOnes(app, agents[0], 1);
    for (const path of Object.values(slow)) await Promise.all(Array.from({ length: 16 }, () => ask(app, 'ada', path, agents[1]))); // each thread knows them
    for (let i = 0; i < rounds; i++) {
      runs.alone.push(await quickOnes(app, agents[0], seconds));
      for (const [name, path] of Object.entries(slow)) runs[name].push(await flooded(app, agents[1], path, () => quickOnes(app, agents[0], seconds)));
      runs.crowd.push(await crowded(app, () => quickOnes(app, agents[0], seconds)));
    }
  } finally {
    for (const agent of agents) agent.destroy();
    await app.close();
  }
  const label = (name) => ({ alone: name, crowd: `beside ${fixed(crowd)} clients that send a head or a body by the byte` }[name] ?? `beside ${flood} clients: ${name}`);
  const of = (name, part) => median(runs[name].map((times) => at(times, part)));
  const cells = (name, part) => [fixed(of(name, part), 2), name === 'alone' ? '' : fixed(of(name, part) / of('alone', part), 2)];
  return ['## Quick ones beside slow ones', '',
    table(['GET by key', 'p50 ms', 'to alone', 'p99 ms', 'to alone', 'slowest ms'], Object.keys(runs).map((name) =>
      [label(name), ...cells(name, 0.5), ...cells(name, 0.99), fixed(of(name, 1), 1)])), '',
    `${clients} clients ask by key, ${rounds} rounds of ${seconds} s; the client is one process of node for both, the crowd in a thread of its own.`].join('\n');
}

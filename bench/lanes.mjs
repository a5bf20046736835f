// Quick requests beside a flood of slow ones, against the same without: interleaved rounds, medians.  The slow ones
// are calls, which always run apart, and lists, which do once one of them was found slow: that one, and those that
// come with it, hold up others once, and are not in these figures.
import http from 'node:http';
import { request } from '../tests/lib/http.mjs';
import { credentials } from '../tests/lib/app.mjs';
import { openProof } from '../tests/4-api/proof.mjs';
import { fixed, median, table } from './report.mjs';

const clients = 8;
const flood = 64;
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

/** A section of RESULTS.md. */
export async function measureLanes({ rounds, seconds }) {
  const app = await openProof('bench_lanes', { seed: 'insert into bed values (1, 0.2);' });
  const agents = [clients, flood].map((maxSockets) => new http.Agent({ keepAlive: true, maxSockets }));
  const runs = { alone: [], ...Object.fromEntries(Object.keys(slow).map((name) => [name, []])) };
  try {
    await quickOnes(app, agents[0], 1);
    for (const path of Object.values(slow)) await Promise.all(Array.from({ length: 16 }, () => ask(app, 'ada', path, agents[1]))); // each thread knows them
    for (let i = 0; i < rounds; i++) {
      runs.alone.push(await quickOnes(app, agents[0], seconds));
      for (const [name, path] of Object.entries(slow)) runs[name].push(await flooded(app, agents[1], path, () => quickOnes(app, agents[0], seconds)));
    }
  } finally {
    for (const agent of agents) agent.destroy();
    await app.close();
  }
  const of = (name, part) => median(runs[name].map((times) => at(times, part)));
  const cells = (name, part) => [fixed(of(name, part), 2), name === 'alone' ? '' : fixed(of(name, part) / of('alone', part), 2)];
  return ['## Quick ones beside slow ones', '',
    table(['GET by key', 'p50 ms', 'to alone', 'p99 ms', 'to alone', 'slowest ms'], Object.keys(runs).map((name) =>
      [name === 'alone' ? name : `beside ${flood} clients: ${name}`, ...cells(name, 0.5), ...cells(name, 0.99), fixed(of(name, 1), 1)])), '',
    `${clients} clients ask by key, ${rounds} rounds of ${seconds} s; the client is one process of node for both.`].join('\n');
}

// Quick requests beside a flood of slow calls, against the same without: interleaved rounds, medians.
//
//   tests/node_modules/.bin/node bench/lanes.mjs     ROUNDS=5, SECONDS_EACH=3
import http from 'node:http';
import { request } from '../tests/lib/http.mjs';
import { credentials } from '../tests/lib/app.mjs';
import { Cluster } from '../tests/lib/postgres.mjs';
import { openProof } from '../tests/4-api/proof.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const seconds = Number(process.env.SECONDS_EACH ?? 3);
const clients = 8;
const flood = 64;

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const median = (list) => at([...list].sort((a, b) => a - b), 0.5);

/** Latencies in ms of GETs by key, sorted. */
async function quick(app, agent) {
  const times = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      const begin = performance.now();
      const r = await request(app.port, 'GET', '/rest/v1/item?id=eq.1', { headers: credentials('anon'), agent });
      if (r.status !== 200) throw new Error(`${r.status} ${r.text}`);
      times.push(performance.now() - begin);
    }
  }));
  return times.sort((a, b) => a - b);
}

async function flooded(app, agent, work) {
  let running = true;
  const naps = Array.from({ length: flood }, async () => {
    while (running) await request(app.port, 'GET', '/rest/v1/rpc/nap?seconds=0.2', { headers: credentials('ada'), agent });
  });
  const result = await work();
  running = false;
  await Promise.all(naps);
  return result;
}

const cluster = await Cluster.start();
process.env.PGSTACK_TEST_CLUSTER = cluster.describe();
try {
  const app = await openProof('bench_lanes');
  const agents = [clients, flood].map((maxSockets) => new http.Agent({ keepAlive: true, maxSockets }));
  const runs = { alone: [], beside: [] };
  await quick(app, agents[0]);
  for (let i = 0; i < rounds; i++) {
    runs.alone.push(await quick(app, agents[0]));
    runs.beside.push(await flooded(app, agents[1], () => quick(app, agents[0])));
  }
  for (const part of [0.5, 0.99]) {
    const [alone, beside] = [runs.alone, runs.beside].map((all) => median(all.map((times) => at(times, part))));
    process.stdout.write(`p${part * 100}: ${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside ${flood} clients that call pg_sleep(0.2): ${(beside / alone).toFixed(2)}\n`);
  }
  for (const agent of agents) agent.destroy();
  await app.close();
} finally {
  await cluster.stop();
}

// /metrics as Prometheus reads it, and promtool, which judges it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { request } from './http.mjs';
import { root } from './paths.mjs';
import { run } from './process.mjs';

/** Runs promtool; throws with what it found. */
export function promtool(args, input) {
  const fetched = join(root, 'build/tools/promtool');
  return run(existsSync(fetched) ? fetched : 'promtool', args, { input });
}

const sample = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

/** What ADMIN_PORT shows now: `value(name, labels)` adds up all samples that have those labels; `find` lists them. */
export async function scrape(admin_port) {
  const ask = () => request(admin_port, 'GET', '/metrics');
  const r = await ask().catch(ask); // on a busy machine READ_TIMEOUT may end the first one
  if (r.status !== 200) throw new Error(`/metrics: ${r.status} ${r.text}`);
  const samples = [];
  for (const line of r.text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const found = line.match(sample);
    if (!found) throw new Error(`not a sample: ${line}`);
    const labels = {};
    for (const [, name, value] of (found[2] ?? '').matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    samples.push({ name: found[1], labels, value: Number(found[3]) });
  }
  const find = (name, labels = {}) => samples.filter((s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v));
  return { text: r.text, headers: r.headers, samples, find, value: (name, labels) => find(name, labels).reduce((sum, s) => sum + s.value, 0) };
}

/** How often each limit of --show-limits was reached. */
export async function limitHits(admin_port) {
  return Object.fromEntries((await scrape(admin_port)).find('pgstack_limit_hits_total').map(({ labels, value }) => [labels.limit, value]));
}

// Work for a while: memory, descriptors and latency must not grow.  SECONDS=600.
import { fixed, median, table } from './report.mjs';
import { shapes } from './shapes.mjs';
import { writeRequests, wrk } from './load.mjs';
import { descriptors, memory } from './memory.mjs';

const slice_s = 5;

/** The least squares' slope of `ys` over `xs`. */
function slope(xs, ys) {
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const sum = (f) => xs.reduce((a, _, i) => a + f(i), 0);
  return sum((i) => (xs[i] - mx) * (ys[i] - my)) / sum((i) => (xs[i] - mx) ** 2);
}

const quarter = (list, which) => list.slice(Math.floor((list.length * which) / 4), Math.floor((list.length * (which + 1)) / 4));

/** The p99 of each shape in a part of the samples. */
const p99s = (part, mixed) => mixed.map((shape) => median(part.filter((s) => s.shape === shape).map((s) => s.p99)));

/** A section of RESULTS.md; `say` tells how far it is. */
export async function measureSoak(stage, seconds, say) {
  const server = await stage.serve({});
  const mixed = shapes.filter((s) => s.name !== 'insert of 1,000' && s.name !== '1,000 rows');
  const files = mixed.map((shape, i) => writeRequests(`soak-${i}`, shape, shape.ours));
  const samples = [];
  const begun = performance.now();

  for (let i = 0; performance.now() - begun < seconds * 1000; i++) {
    const shape = mixed[i % mixed.length];
    await stage.db.query('truncate note'); // a table of millions of rows would be PostgreSQL's growth, not the server's
    const load = await wrk(`http://127.0.0.1:${server.port}`, files[i % files.length], 16, slice_s, { server: server.pid });
    samples.push({ shape, at: (performance.now() - begun) / 60_000, memory: memory(server.pid), fds: descriptors(server.pid), p99: load.p99, n: load.n });
    server.forget_log();
    if (i % 12 === 11) say(`soak: ${Math.round(samples.at(-1).at)} minutes, ${samples.at(-1).memory} KiB`);
  }
  await server.stop();
  const late = samples.slice(Math.floor(samples.length / 4));
  const growth = slope(late.map((s) => s.at), late.map((s) => s.memory));
  const lines = [0, 1, 2, 3].map((q) => {
    const part = quarter(samples, q);
    const of = (field) => median(part.map((s) => s[field]));
    return [['first', 'second', 'third', 'last'][q], fixed(of('memory') / 1024, 1), fixed(of('fds')), ...p99s(part, mixed).map((ms) => fixed(ms, 1))];
  });
  return [`## ${fixed(seconds / 60, seconds < 60 ? 1 : 0)} minutes of work`, '',
    table(['quarter', 'MiB', 'descriptors', ...mixed.map((shape) => `p99 ms: ${shape.name}`)], lines), '',
    `${fixed(samples.reduce((n, s) => n + s.n, 0))} requests, 16 clients, slices of ${slice_s} s in turn; medians.`,
    `After the first quarter, memory changed by ${fixed(growth, 1)} KiB a minute.`].join('\n');
}

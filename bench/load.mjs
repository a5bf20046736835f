// Load generators and what they report: requests a second, latency, processor time a request.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries } from '../tests/lib/postgres.mjs';
import { run } from '../tests/lib/process.mjs';
import { folder, here, tokens } from './stage.mjs';

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));
const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');

/** The fields of /proc/PID/stat of the children of a process that are alive. */
function childrenOf(pid) {
  return readdirSync('/proc').filter((d) => /^\d+$/.test(d)).flatMap((other) => {
    try {
      const fields = stat(other);
      return Number(fields[1]) === pid ? [{ pid: Number(other), fields }] : [];
    } catch {
      return []; // it ended
    }
  });
}

/** A process and its children: our server's supervisor and what serves, a peer and its workers. */
export const family = (pid) => [pid, ...childrenOf(pid).map((child) => child.pid)];

/** Processor time of a process and of its children, alive and reaped, in microseconds. */
export function cpu(pid) {
  const own = stat(pid);
  const sum = childrenOf(pid).reduce((n, { fields }) => n + Number(fields[11]) + Number(fields[12]),
    Number(own[11]) + Number(own[12]) + Number(own[13]) + Number(own[14]));
  return (sum * 1e6) / ticks;
}

/** What `load` reports, with the processor time a request that the processes of `pids` took meanwhile. */
async function counted(pids, load) {
  const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpu(pid)]));
  const result = await load();
  for (const [name, pid] of Object.entries(pids)) result[name] = (cpu(pid) - before[name]) / result.n;
  return result;
}

/** The requests of a shape for one contestant, in a file for wrk. */
export function writeRequests(name, shape, ask) {
  const lines = Array.from({ length: shape.requests }, (_, i) => {
    const { method, path, body } = ask(i);
    return [method, path, body ? 'application/json' : '', body ? JSON.stringify(body) : '', tokens[shape.user(i)]].join('\t');
  });
  const file = join(folder, `${name}.requests`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

let runs = 0;

const patience_s = 20;

/** A run of `seconds`; a longer one when nothing was answered within them. */
async function patient(seconds, once) {
  const result = await once(seconds);
  return result.n > 0 ? result : once(patience_s);
}

/** wrk: `clients` connections, each one request after the other. */
export const wrk = (url, file, clients, seconds, pids) => patient(seconds, (s) => wrkOnce(url, file, clients, s, pids));

function wrkOnce(url, file, clients, seconds, pids) {
  return counted(pids, async () => {
    const { out } = await run('wrk', ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', `${patience_s}s`, '-s', join(here, 'load.lua'), url, '--', file, String(++runs * 997)]);
    const found = /^result (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(out);
    if (!found) throw new Error(out);
    const [n, us, p50, p99, bad, broken] = found.slice(1).map(Number);
    if (bad + broken > 0) throw new Error(`${url}: ${n} answers, ${bad} of them wrong, ${broken} errors\n${out}`);
    return { n, rps: (n * 1e6) / us, p50: p50 / 1000, p99: p99 / 1000 };
  });
}

/** h2load: `streams` at a time on each of `clients` connections; one user's token. */
export function h2load(urls, clients, streams, seconds, pids) {
  return counted(pids, async () => {
    const file = join(folder, 'h2load.urls');
    writeFileSync(file, `${urls.join('\n')}\n`);
    const { out } = await run('h2load', ['-t1', `-c${clients}`, `-m${streams}`, `-D${seconds}`, '-i', file, '-H', `authorization: Bearer ${tokens[0]}`]);
    const found = /requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored/.exec(out);
    const rps = /finished in [^,]*, ([\d.]+) req\/s/.exec(out);
    const codes = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(out);
    if (!found || !rps || !codes || Number(codes[1]) === 0 || Number(codes[3]) + Number(codes[4]) > 0) throw new Error(out);
    return { n: Number(codes[1]), rps: Number(rps[1]) };
  });
}

/** pgbench with a script; p50 is its mean. */
export const pgbench = (cluster, script, clients, seconds, pids) => patient(seconds, (s) => pgbenchOnce(cluster, script, clients, s, pids));

function pgbenchOnce(cluster, script, clients, seconds, pids) {
  return counted(pids, async () => {
    const { out } = await run(join(binaries(), 'pgbench'), ['-h', cluster.sockets, '-p', String(cluster.port), '-U', 'authenticator',
      '-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-T', String(seconds), '-f', script, 'bench']);
    if (!/number of failed transactions: 0/.test(out)) throw new Error(out);
    const of = (pattern) => Number(pattern.exec(out)?.[1] ?? 0);
    return { n: of(/transactions actually processed: (\d+)/), rps: of(/tps = ([\d.]+)/), p50: of(/latency average = ([\d.]+)/) };
  });
}

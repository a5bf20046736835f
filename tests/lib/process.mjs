// Child processes that end with us: by their pid, never by name.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const running = new Set();

function endAll() {
  for (const child of running) child.kill('SIGKILL');
}
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));

/** Starts a program whose output goes to the file `log`; `stop(signal)` waits for its end. */
export function start(program, args, { log, ...options }) {
  const out = openSync(log, 'a');
  const child = spawn(program, args, { stdio: ['ignore', out, out], ...options });
  closeSync(out);
  running.add(child);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => { running.delete(child); resolve({ error }); });
    child.once('exit', (code, signal) => { running.delete(child); resolve({ code, signal }); });
  });
  return {
    pid: child.pid,
    child,
    ended,
    alive: () => running.has(child),
    output: () => readFileSync(log, 'utf8'),
    /** How it ended by itself; one that does not is killed. */
    ends: () => within(`the end of ${program}`, ended).catch((error) => { child.kill('SIGKILL'); throw error; }),
    async stop(signal = 'SIGTERM', patience_ms = 10_000) {
      if (!running.has(child)) return ended;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), patience_ms);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
  };
}

/** Runs a program to its end; throws with its output unless it exits with 0. */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  let out = '';
  let err = '';
  child.stdout.on('data', (d) => (out += d));
  child.stderr.on('data', (d) => (err += d));
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code, signal] = await once(child, 'close');
  if (code !== 0 && !options.may_fail)
    throw new Error(`${program} ${args.join(' ')}: exit ${code ?? signal}\n${out}${err}`);
  return { code, out, err };
}

/**
 * A TCP port of 127.0.0.1 that is free now, below those that the system gives to clients: it is
 * free still when a server takes it.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    if (!await once(server, 'listening').then(() => true, () => false)) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks `ready` again and again until it answers truthily, or throws with `what`. */
export async function until(what, ready, patience_ms = 60_000) {
  const end = performance.now() + patience_ms;
  for (;;) {
    const answer = await ready();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`waited ${patience_ms} ms in vain: ${what}`);
    await sleep(20);
  }
}

/** What `promise` gives, unless it takes longer than that: a test that waits for ever names nobody. */
export async function within(what, promise, patience_ms = 60_000) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited ${patience_ms} ms in vain: ${what}`)), patience_ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The numbers of a process and of its children, as /proc has them now. */
export function family(pid) {
  const parentOf = (p) => {
    try {
      return Number(readFileSync(`/proc/${p}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
    } catch {
      return 0; // it has ended
    }
  };
  return [pid, ...readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid).map(Number)];
}

/** Whether a process is gone, but for what its parent may want to know.  Its other threads may outlive the first, and hold its sockets. */
export function hasEnded(pid) {
  try {
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8')) && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true;
  }
}

/** How far the memory of a process grew at most while `work` was done, in kilobytes. */
export async function growth(pid, work) {
  const read = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // the peak begins anew
  const begin = read('VmRSS');
  await work();
  return read('VmHWM') - begin;
}

/** What it may grow by where nothing is kept; a sanitizer keeps what was freed. */
export const most_kB = /san/.test(process.env.BUILD ?? '') ? 262_144 : 65_536;

/** Seconds of a processor that a process has used, with all of its threads. */
export function processorTime(pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ').slice(11, 13).map(Number);
  return (user + system) / 100; // Linux counts in hundredths
}

/** Sends a signal to processes; one that has ended by now is none the worse for it. */
export function signalAll(pids, signal) {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch { /* it has ended */ }
}

/** How many connections to `port` of 127.0.0.1 a process has accepted and not closed, as the kernel has it. */
export function acceptedBy(pid, port) {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    } catch {
      return undefined; // closed by now
    }
  }));
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
    .filter(([, at, , state, , , , , , inode]) => at === local && state !== '0A' && own.has(inode)).length; // 0A: it listens
}

#!/usr/bin/env node
// Loads the package index of this machine through the API, by bulk POST.
//
//   load [--limit N]
//
// Environment: API_URL (http://127.0.0.1:8080), API_KEY or SERVICE_ROLE_KEY: a service key, or the
// token of a role that may insert.  What is there already goes first.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const api = process.env.API_URL ?? `http://127.0.0.1:${process.env.PORT ?? 8080}`;
const key = process.env.API_KEY ?? process.env.SERVICE_ROLE_KEY;
const limit = process.argv[2] === '--limit' ? Number(process.argv[3]) : Infinity;
const batch_rows = 2000;
const batch_bytes = 500_000;
const in_flight = 4;

const kinds = ['Depends', 'Pre-Depends', 'Recommends', 'Suggests', 'Enhances', 'Breaks', 'Conflicts', 'Replaces', 'Provides'];

/** The stanzas of `apt-cache dumpavail`, each an object of its fields. */
async function* stanzas() {
  const apt = spawn('apt-cache', ['dumpavail'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => {
    apt.on('error', reject);
    apt.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`apt-cache: exit ${code}`))));
  });
  let fields = {};
  let last;
  for await (const line of createInterface({ input: apt.stdout, crlfDelay: Infinity })) {
    if (line === '') {
      if (fields.Package) yield fields;
      fields = {};
    } else if (line[0] === ' ' || line[0] === '\t') {
      fields[last] += `\n${line.slice(1)}`;
    } else {
      const colon = line.indexOf(':');
      last = line.slice(0, colon);
      fields[last] = line.slice(colon + 1).trim();
    }
  }
  if (fields.Package) yield fields;
  await ended;
}

const number = (text) => (text === undefined ? null : Number(text));

function packageRow(id, f) {
  return {
    id,
    name: f.Package,
    version: f.Version,
    architecture: f.Architecture,
    source: (f.Source ?? f.Package).split(' ')[0],
    section: f.Section,
    priority: f.Priority,
    essential: f.Essential === 'yes',
    multi_arch: f['Multi-Arch'] ?? null,
    maintainer: f.Maintainer,
    homepage: f.Homepage ?? null,
    description: f.Description,
    tags: (f.Tag ?? '').split(',').map((t) => t.trim()).filter(Boolean),
    installed_size: number(f['Installed-Size']),
    size: number(f.Size),
    filename: f.Filename ?? null,
    sha256: f.SHA256 ? `\\x${f.SHA256}` : null,
  };
}

// name[:arch] [(operator version)]
const one = /^([^\s:(]+)(?::(\S+))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)\s]+)\s*\))?$/;

function* dependencyRows(package_id, f) {
  for (const kind of kinds)
    for (const [position, group] of (f[kind] ?? '').split(',').map((g) => g.trim()).filter(Boolean).entries())
      for (const [alternative, text] of group.split('|').entries()) {
        const match = one.exec(text.trim());
        if (!match) throw new Error(`${f.Package}: cannot read ${kind}: ${text}`);
        const [, target, target_arch = null, word = null, version = null] = match;
        const operator = { '<': '<=', '>': '>=' }[word] ?? word; // the old spellings
        yield { package_id, kind, position, alternative, target, target_arch, operator, version };
      }
}

async function send(method, path, body, headers) {
  const r = await fetch(`${api}/rest/v1/${path}`, {
    method,
    headers: { apikey: key, Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Prefer: 'return=minimal', ...headers },
    body,
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`);
}

/** Collects rows of one table and posts them in batches. */
function collector(table) {
  let rows = [];
  let bytes = 0;
  return {
    count: 0,
    add(row) {
      const text = JSON.stringify(row);
      rows.push(text);
      bytes += text.length;
      this.count++;
      return rows.length >= batch_rows || bytes >= batch_bytes;
    },
    flush() {
      if (rows.length === 0) return Promise.resolve();
      const body = `[${rows.join(',')}]`;
      rows = [];
      bytes = 0;
      return send('POST', table, body);
    },
  };
}

async function main() {
  if (!key) throw new Error('no API_KEY and no SERVICE_ROLE_KEY in the environment');
  const begin = performance.now();
  await send('DELETE', 'package?id=gte.0');
  const packages = collector('package');
  const dependencies = collector('dependency');
  const waiting = new Set();
  const post = async (promise) => {
    const tracked = promise.finally(() => waiting.delete(tracked));
    tracked.catch(() => {}); // seen below
    waiting.add(tracked);
    if (waiting.size >= in_flight) await Promise.race(waiting);
  };

  let later = []; // dependencies refer to packages: those of a batch follow when it is in
  const flush = async () => {
    const rows = later;
    later = [];
    await packages.flush();
    for (const row of rows) if (dependencies.add(row)) await post(dependencies.flush());
    await post(dependencies.flush());
  };
  for await (const fields of stanzas()) {
    if (packages.count >= limit) continue;
    const full = packages.add(packageRow(packages.count + 1, fields));
    later.push(...dependencyRows(packages.count, fields));
    if (full) await flush();
  }
  await flush();
  await Promise.all(waiting);
  const seconds = (performance.now() - begin) / 1000;
  const rows = packages.count + dependencies.count;
  console.log(`loaded ${packages.count} packages and ${dependencies.count} dependencies in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds)} rows/s`);
}

main().catch((error) => {
  console.error(`load: ${error.message}`);
  process.exit(1);
});

// Figures to the tables of RESULTS.md.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { shapes } from './shapes.mjs';
import { here, postgres_settings, n_users, rows, threads } from './stage.mjs';
import { clients } from './variants.mjs';

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b), half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}
export const fixed = (x, digits = 0) =>
  x === undefined || Number.isNaN(x) ? '' : x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

export function table(head, lines) {
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines.map((l) => `| ${l.join(' | ')} |`)].join('\n');
}

const names = {
  ours: '**pgstack**',
  fastify: 'Fastify + pg',
  postgraphile: 'PostGraphile',
  pipeline: 'pgbench, the same statements, one pipeline',
  trips: 'pgbench, the same statements in round trips',
};

/** Rows of a part at so many clients; the first is what the others are compared with. */
function rowsOf(variants, part, n) {
  const mine = variants.filter((v) => v.part === part && v.clients === n);
  const first = mine[0].results;
  return mine.map((v, place) => {
    const of = (field) => median(v.results.map((r) => r[field]));
    const ratios = v.results.map((r, i) => first[i].rps / r.rps);
    const ratio = place === 0 ? '' : `**${fixed(median(ratios), 2)}** (${fixed(Math.min(...ratios), 2)}, ${fixed(Math.max(...ratios), 2)})`;
    return [names[v.who] ?? v.who, String(n), fixed(of('rps')), ratio, fixed(of('p50'), 2), fixed(of('p99'), 2), fixed(of('server'), 1), fixed(of('pg'), 1)];
  });
}

const head = (first) => ['', 'clients', 'requests/s', `${first} to this: median (least, most)`, 'p50 ms', 'p99 ms', 'server CPU us', 'PostgreSQL CPU us'];

function partTable(variants, part, first) {
  return table(head(first), clients.flatMap((n) => rowsOf(variants, part, n)));
}

const version = (name, args) => execFileSync(name, args, { encoding: 'utf8' }).trim();
const debian = (name) => `${name} ${version('dpkg-query', ['-W', '-f', '${Version}', name])}`;

function peerVersions() {
  return ['fastify', 'postgraphile'].flatMap((peer) => {
    const { dependencies } = JSON.parse(readFileSync(join(here, 'peers', peer, 'package.json'), 'utf8'));
    return Object.entries(dependencies).map(([name, v]) => `${name} ${v}`);
  });
}

function machine(postgres) {
  const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))[1];
  return [
    `- Machine: ${cpus()[0].model}, ${cpus().length} cores, ${fixed(totalmem() / 2 ** 30)} GiB; Linux ${release()}; ${system}.`,
    `- ${/^PostgreSQL [^ ]+( \([^)]*\))?/.exec(postgres)[0]}; ${['libh2o-evloop-dev', 'wrk', 'nghttp2-client'].map(debian).join('; ')}; Node ${process.version}.`,
    `- Peers: ${[...new Set(peerVersions())].join(', ')}; NODE_ENV=production, ${threads} processes with 10 connections each.`,
    `- PostgreSQL: ${postgres_settings.trim().split('\n').join(', ').replaceAll("'", '')}, fsync off, synchronous_commit off, jit off; unix socket for all.`,
    `- Server: THREADS=${threads}, everything else as it is by default; access log on, to a file.`,
    `- ${fixed(rows)} rows of ${n_users} users. wrk -t1, h2load -t1 with four streams a connection, pgbench -j1.`,
  ].join('\n');
}

/** The whole of RESULTS.md; `others` are sections already made. */
export function results({ postgres, statements, variants, rounds, seconds, quick, others }) {
  const key = Object.entries(statements).map(([name, list]) => `-- ${name}\n${list.map((s) => `${s};`).join('\n')}`).join('\n');
  return [
    '# Results of `make bench`',
    '',
    `${quick ? 'The quick form: a glance, not a measurement. ' : ''}User token verified, role and claims set, row security on, JSON out. Load generators, servers and`,
    'PostgreSQL share the cores, so processor time a request is the steadier figure. The peers do the same',
    'work with the same roles, policies and rows, and give the same answers; pgbench sends PostgreSQL the',
    "server's very statements, without HTTP, token or JSON. `docs/performance.md` says what it means.",
    '',
    ...shapes.flatMap((shape) => [`## ${shape.name}`, '', partTable(variants, shape.name, 'ours'), '']),
    '## By protocol: a static answer (`/health`)', '', partTable(variants, 'by protocol: static answer', 'HTTP/1.1'), '',
    '## By protocol: 1 row by key, one user', '', partTable(variants, 'by protocol: 1 row by key', 'HTTP/1.1'), '',
    `${rounds} rounds of ${seconds} s each, the variants in turn; medians, and the ratio within each round. p50 of pgbench is its mean.`,
    '',
    ...others.flatMap((text) => [text, '']),
    '## With what', '',
    machine(postgres), '',
    "The statements, from PostgreSQL's log:", '',
    '```sql', key, '```', '',
  ].join('\n');
}

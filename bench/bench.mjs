// GET by key under row security, against pgbench that sends the same statements: interleaved
// rounds, medians, CPU a request.  Everything runs on this machine, wrk and pgbench included.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProject, environment, makeDatabase, startServer } from '../tests/lib/app.mjs';
import { now, token } from '../tests/lib/jwt.mjs';
import { scratch } from '../tests/lib/paths.mjs';
import { Cluster, binaries, connect } from '../tests/lib/postgres.mjs';
import { freePort, run } from '../tests/lib/process.mjs';
import { request } from '../tests/lib/http.mjs';
import { measureCompiler } from './compiler.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const rounds = Number(process.env.ROUNDS ?? 7);
const seconds = Number(process.env.SECONDS_EACH ?? 2);
const rows = 100_000;
const n_users = 100;
const clients = [64, 16];

// a uuid whose last part is a number, so that pgbench can make it with one `||`
const uid_head = '00000000-0000-4000-8000-';
const uid_base = 100_000_000_000;
const user = (u) => `${uid_head}${uid_base + u}`;

const settings = `
shared_buffers = '512MB'
max_connections = 300
autovacuum = off
`;

/** The statements as the server sends them: taken from PostgreSQL's log of one request. */
async function statementsOf(db, cluster, ask) {
  await db.query("alter system set log_statement = 'all'");
  await db.query('select pg_reload_conf()');
  await new Promise((done) => setTimeout(done, 300));
  const at = readFileSync(cluster.log, 'utf8').length;
  await ask();
  await ask();
  await db.query('alter system reset log_statement');
  await db.query('select pg_reload_conf()');
  await new Promise((done) => setTimeout(done, 300));
  const text = readFileSync(cluster.log, 'utf8').slice(at);
  const found = [...text.matchAll(/LOG: {2}execute [^:]+: (.*(?:\n(?!\d{4}-).*)*)/g)].map((m) => m[1].trim());
  const session = found.find((s) => /set_config/.test(s));
  const select = found.find((s) => /from .*item/i.test(s));
  if (!session || !select) throw new Error(`no statements in the log:\n${text.slice(0, 2000)}`);
  return { session, select };
}

/** The server's statements with pgbench's variables for parameters. */
function scripts({ session, select }) {
  const values = [...session.matchAll(/set_config\('([^']+)'/g)].map(([, name]) => ({
    role: "'authenticated'", 'pgstack.uid': `'${uid_head}' || :u`, 'pgstack.claim_plan': "'pro'",
    'request.jwt.claims': `'{"sub":"${uid_head}' || :u || '","role":"authenticated","app_metadata":{"plan":"pro"}}'`,
  })[name]);
  const first = session.replace(/\$(\d+)/g, (_, i) => `(${values[i - 1]})`);
  const second = select.replace(/\$1/g, ':id');
  if (/\$/.test(second) || /undefined/.test(first)) throw new Error(`cannot give these to pgbench:\n${first}\n${second}`);
  const choose = `\\set id random(1, ${rows})\n\\set u ${uid_base} + :id % ${n_users}\n`;
  return {
    pipeline: `${choose}\\startpipeline\n${first};\n${second};\n\\endpipeline\n`,
    trips: `${choose}begin;\n${first};\n${second};\ncommit;\n`,
  };
}

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));

/** CPU of a process in microseconds; with `all`, of its children too, alive and reaped. */
function cpu(pid, all = false) {
  let sum = 0;
  const stat = (p) => readFileSync(`/proc/${p}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  const of = (p, reaped) => {
    const f = stat(p);
    return Number(f[11]) + Number(f[12]) + (reaped ? Number(f[13]) + Number(f[14]) : 0);
  };
  sum += of(pid, all);
  if (all)
    for (const p of readdirSync('/proc').filter((d) => /^\d+$/.test(d)))
      try {
        if (Number(stat(p)[1]) === pid) sum += of(p, false);
      } catch { /* it ended */ }
  return (sum * 1e6) / ticks;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const say = (text) => process.stdout.write(`${text}\n`);

async function main() {
  const cluster = await Cluster.start(settings);
  process.env.PGSTACK_TEST_CLUSTER = cluster.describe();
  let server;
  try {
    const project = await buildProject('bench/app');
    await makeDatabase(cluster, project, 'bench');
    const db = await connect(cluster, 'bench');
    await db.query(`insert into item (id, owner_id, title, body, state)
      select i, ('${uid_head}' || ${uid_base} + i % ${n_users})::uuid, 'Title of item ' || i, repeat('text ', 16), i % 7 from generate_series(1, ${rows}) i`);
    await db.query('vacuum analyze');

    const folder = join(scratch, 'bench');
    mkdirSync(folder, { recursive: true });
    const tokens = Array.from({ length: n_users }, (_, u) => token(user(u), { exp: now() + 86_400, app_metadata: { plan: 'pro' } }));
    writeFileSync(join(folder, 'tokens'), `${tokens.join('\n')}\n`);

    const port = await freePort();
    const over_socket = (role) => `postgresql://${role}@${encodeURIComponent(cluster.sockets)}:${cluster.port}/bench`;
    const server_settings = { THREADS: '2', PG_POOL_MAX_CONNS: process.env.PG_POOL_MAX_CONNS ?? '8', DATABASE_URL: over_socket('authenticator'), ADMIN_DATABASE_URL: over_socket('authenticator_admin') };
    server = await startServer(join(project, 'build/server/bench'), environment(cluster, 'bench', port, await freePort(), server_settings));

    const ask = (id) => request(port, 'GET', `/rest/v1/item?id=eq.${id}`, { headers: { Authorization: `Bearer ${tokens[id % n_users]}` } });
    for (const id of [1, 77, rows]) {
      const r = await ask(id);
      if (r.json[0]?.id !== id) throw new Error(`a wrong answer: ${r.status} ${r.text}`);
    }
    if ((await request(port, 'GET', '/rest/v1/item?id=eq.5', { headers: { Authorization: `Bearer ${tokens[6]}` } })).text !== '[]') throw new Error('a foreign row');

    const statements = await statementsOf(db, cluster, () => ask(4));
    const script = scripts(statements);
    for (const [name, text] of Object.entries(script)) writeFileSync(join(folder, `${name}.sql`), text);

    const pg_pid = cluster.process.pid;
    const wrk = async (c, duration) => {
      const before = [cpu(server.pid), cpu(pg_pid, true)];
      const { out } = await run('wrk', ['-t1', `-c${c}`, `-d${duration}s`, '-s', join(here, 'get.lua'), `http://127.0.0.1:${port}`, '--', join(folder, 'tokens'), String(c)], { env: { ...process.env } });
      const m = /^result (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(out);
      if (!m) throw new Error(out);
      const [n, us, p50, p99, bad, broken] = m.slice(1).map(Number);
      if (bad + broken > 0) throw new Error(`${bad} wrong answers, ${broken} errors\n${out}`);
      return { rps: (n * 1e6) / us, server: (cpu(server.pid) - before[0]) / n, pg: (cpu(pg_pid, true) - before[1]) / n, p50: p50 / 1000, p99: p99 / 1000 };
    };
    const pgbench = async (name, c, duration) => {
      const before = cpu(pg_pid, true);
      const { out } = await run(join(binaries(), 'pgbench'), ['-h', cluster.sockets, '-p', String(cluster.port), '-U', 'authenticator', '-n', '-M', 'prepared',
        '-c', String(c), '-j', '1', '-T', String(duration), '-f', join(folder, `${name}.sql`), 'bench']);
      const n = Number(/transactions actually processed: (\d+)/.exec(out)[1]);
      const tps = Number(/tps = ([\d.]+)/.exec(out)[1]);
      if (!/number of failed transactions: 0/.test(out)) throw new Error(out);
      return { rps: tps, pg: (cpu(pg_pid, true) - before) / n, p50: Number(/latency average = ([\d.]+)/.exec(out)[1]) };
    };

    const variants = clients.flatMap((c) => [
      { name: 'server', c, go: (d) => wrk(c, d) },
      { name: 'pipeline', c, go: (d) => pgbench('pipeline', c, d) },
      { name: 'trips', c, go: (d) => pgbench('trips', c, d) },
    ]);
    for (const v of variants) await v.go(1); // warm
    for (let round = 0; round < rounds; round++) {
      for (const v of variants) (v.results ??= []).push(await v.go(seconds));
      say(`round ${round + 1} of ${rounds}: ${variants.map((v) => `${v.name}/${v.c} ${Math.round(v.results.at(-1).rps)}`).join('  ')}`);
    }
    process.env.CHECK = '1'; // once more, looking at every answer
    await wrk(64, 1);
    const idle = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1];
    const compiler = await measureCompiler();
    report(await db.value('select version()'), statements, server_settings, variants, Number(idle), compiler);
    await db.end();
  } finally {
    await server?.stop();
    await cluster.stop();
  }
}

function report(version, statements, server_settings, variants, rss_kib, compiler) {
  const find = (name, c) => variants.find((v) => v.name === name && v.c === c).results;
  const middle = (list, field) => median(list.map((r) => r[field]));
  const ratio = (c, other) => find('server', c).map((r, i) => r.rps / find(other, c)[i].rps);
  const fixed = (x, digits = 0) => (x === undefined || Number.isNaN(x) ? '' : x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const names = { server: '`GET /rest/v1/item?id=eq.N` (wrk)', pipeline: 'pgbench, the same statements in one pipeline, prepared', trips: 'pgbench, begin; set_config; select; commit in four round trips' };
  const lines = [
    '# Results of `make bench`',
    '',
    'A row by its key: user token verified, role and claims set, row security on, JSON out; against pgbench sending PostgreSQL',
    'the very same statements, without HTTP, token or JSON. Load generators, server and PostgreSQL share the cores.',
    '',
    '| | clients | requests/s | ours to this: median (least, most) | p50 ms | p99 ms | server CPU us | PostgreSQL CPU us |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const v of variants) {
    const ratios = v.name === 'server' ? null : ratio(v.c, v.name);
    lines.push(`| ${names[v.name]} | ${v.c} | ${fixed(middle(v.results, 'rps'))} | ${ratios ? `**${median(ratios).toFixed(2)}** (${Math.min(...ratios).toFixed(2)}, ${Math.max(...ratios).toFixed(2)})` : ''} | `
      + `${fixed(middle(v.results, 'p50'), 2)} | ${v.name === 'server' ? fixed(middle(v.results, 'p99'), 2) : ''} | ${v.name === 'server' ? fixed(middle(v.results, 'server'), 1) : ''} | ${fixed(middle(v.results, 'pg'), 1)} |`);
  }
  const cpu_model = cpus()[0].model.trim();
  const text = (file, pattern) => { try { return pattern.exec(readFileSync(file, 'utf8'))?.[1]; } catch { return undefined; } };
  const package_version = (name) => { try { return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name]).toString(); } catch { return '?'; } };
  lines.push(
    '',
    `${rounds} rounds of ${seconds} s each, the variants in turn; medians, and the ratio within each round. p50 of pgbench is its mean.`,
    `The server's memory after it: ${fixed(rss_kib / 1024, 1)} MiB.`,
    '',
    `- Machine: ${cpu_model}, ${cpus().length} cores, ${fixed(totalmem() / 2 ** 30)} GiB; Linux ${release()}; ${text('/etc/os-release', /PRETTY_NAME="([^"]+)"/) ?? ''}.`,
    `- ${version.split(' on ')[0]}; libh2o-evloop ${package_version('libh2o-evloop0.13')}; wrk ${package_version('wrk')}.`,
    `- PostgreSQL: shared_buffers 512MB, fsync off, synchronous_commit off, autovacuum off, jit off; unix socket for all.`,
    `- Server: THREADS=${server_settings.THREADS}, PG_POOL_MAX_CONNS=${server_settings.PG_POOL_MAX_CONNS}, access log on, to a file. wrk -t1, pgbench -j1.`,
    `- ${fixed(rows)} rows of ${n_users} users; 4,000 different requests in turn.`,
    '- The statements, from PostgreSQL\'s log:',
    '',
    '```sql',
    `${statements.session};`,
    `${statements.select};`,
    '```',
    '',
    compiler,
  );
  const results = join(here, 'RESULTS.md');
  writeFileSync(results, lines.join('\n'));
  say(lines.slice(5, 7 + variants.length).join('\n'));
  say(`written: ${results}`);
}

await main();

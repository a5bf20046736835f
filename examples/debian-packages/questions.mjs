#!/usr/bin/env node
// Asks the same questions of the API and of psql, and compares the answers.
//
// Environment: API_URL or PORT, ANON_KEY, and DATABASE_URL of a login that reads all (the owner's,
// not the server's).  Exit status 0 when every answer is the same.
import { spawn } from 'node:child_process';

const api = process.env.API_URL ?? `http://127.0.0.1:${process.env.PORT ?? 8080}`;
const key = process.env.ANON_KEY;
const database = process.env.DATABASE_URL;

/** Rows of a query, by psql. */
function psql(query) {
  return new Promise((resolve, reject) => {
    const child = spawn('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database], { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (d) => chunks.push(d));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(Buffer.concat(chunks).toString())) : reject(new Error(`psql: exit ${code}`))));
    child.stdin.end(`set timezone = 'UTC'; select coalesce(json_agg(answer), '[]') from (${query}) answer;`);
  });
}

async function get(path, headers = {}) {
  const r = await fetch(`${api}/rest/v1/${path}`, { headers: { apikey: key, ...headers } });
  const text = await r.text();
  if (!r.ok) throw new Error(`${path}: ${r.status} ${text}`);
  return { rows: JSON.parse(text), total: Number(r.headers.get('content-range')?.split('/')[1]) };
}

/** All rows of a path, page by page. */
async function pages(path, size = 1000) {
  const rows = [];
  for (;;) {
    const page = (await get(`${path}&limit=${size}&offset=${rows.length}`)).rows;
    rows.push(...page);
    if (page.length < size) return rows;
  }
}

const count = async (path) => [{ n: (await get(`${path}${path.includes('?') ? '&' : '?'}limit=1`, { Prefer: 'count=exact' })).total }];
const q = encodeURIComponent;

// [question, what the API answers, the same in SQL]
const questions = [
  ['How many packages are there?', () => count('package'), 'select count(*) as n from package'],
  ['How many dependencies?', () => count('dependency'), 'select count(*) as n from dependency'],
  ['Which versions of bash?', async () => (await get('package?name=eq.bash&order=id')).rows, "select * from package where name = 'bash' order by id"],
  ['What does postgresql-15 depend on?',
    async () => {
      const ids = (await get('package?name=eq.postgresql-15&select=id&order=id')).rows.map((p) => p.id);
      return (await get(`dependency?package_id=in.(${ids.join(',')})&kind=in.(Depends,Pre-Depends)&order=package_id,kind,position,alternative`)).rows;
    },
    "select d.* from dependency d join package p on p.id = d.package_id where p.name = 'postgresql-15' and d.kind in ('Depends', 'Pre-Depends') order by d.package_id, d.kind, d.position, d.alternative"],
  ['Which essential packages are there?', async () => (await get('package?essential=is.true&select=name,version&order=name,version')).rows,
    'select name, version from package where essential order by name, version'],
  ['How many are larger than a gigabyte installed, and optional?', () => count('package?installed_size=gt.1048576&priority=eq.optional'),
    "select count(*) as n from package where installed_size > 1048576 and priority = 'optional'"],
  ['The ten largest', async () => (await get('package?select=name,kib:installed_size&order=installed_size.desc.nullslast,name,id&limit=10')).rows,
    'select name, installed_size as kib from package order by installed_size desc nulls last, name, id limit 10'],
  ['Libraries of the section libs whose name has "ssl", without those for debugging',
    async () => (await get('package?section=eq.libs&name=like.*ssl*&name=not.like.*dbg*&select=name,version&order=name,version')).rows,
    "select name, version from package where section = 'libs' and name like '%ssl%' and name not like '%dbg%' order by name, version"],
  ['Games with a tag of arcade or board games', async () => (await get(`package?tags=ov.${q('{game::arcade,game::board}')}&select=name&order=name,id`)).rows,
    "select name from package where tags && '{game::arcade,game::board}' order by name, id"],
  ['Console programs written in Perl', () => count(`package?tags=cs.${q('{implemented-in::perl,interface::commandline}')}`),
    "select count(*) as n from package where tags @> '{implemented-in::perl,interface::commandline}'"],
  ['No homepage, and either required or important', async () => (await get('package?homepage=is.null&or=(priority.eq.required,priority.eq.important)&select=name&order=name,id')).rows,
    "select name from package where homepage is null and priority in ('required', 'important') order by name, id"],
  ['Versions with an epoch and a tilde', () => count(`package?version=like.${q('*:*~*')}`), "select count(*) as n from package where version like '%:%~%'"],
  ['Maintainers with letters beyond ASCII, by name', async () => (await get(`package?maintainer=ilike.${q('*é*')}&select=name,maintainer&order=name,id&limit=500`)).rows,
    "select name, maintainer from package where maintainer ilike '%é%' order by name, id limit 500"],
  ['Who depends on libssl3?', async () => (await get('rpc/reverse_dependencies?of=libssl3')).rows, "select * from reverse_dependencies('libssl3')"],
  ['Who recommends git?', async () => (await get('rpc/reverse_dependencies?of=git&by=Recommends')).rows, "select * from reverse_dependencies('git', 'Recommends')"],
  ['What is found for "text editor"?', async () => (await get(`rpc/search_packages?words=${q('text editor')}&n=50`)).rows, "select * from search_packages('text editor', 50)"],
  ['What does bash need, all the way down?', async () => (await get('rpc/closure?of=bash')).rows, "select to_json(closure) as x from closure('bash')"],
  ['What does libreoffice need?', async () => (await get('rpc/closure?of=libreoffice')).rows, "select to_json(closure) as x from closure('libreoffice')"],
  ['Sections by size', async () => (await get('section_size?order=installed_size.desc,section')).rows, 'select * from section_size order by installed_size desc, section'],
  ['Conflicts with a version below', () => count(`dependency?kind=eq.Conflicts&operator=eq.${q('<<')}`), "select count(*) as n from dependency where kind = 'Conflicts' and operator = '<<'"],
  ['Every package, every column', () => pages('package?order=id'), 'select * from package order by id'],
  ['The dependencies of the first 10,000 packages', () => pages('dependency?package_id=lte.10000&order=package_id,kind,position,alternative'),
    'select * from dependency where package_id <= 10000 order by package_id, kind, position, alternative'],
];

const plain = (answer) => JSON.stringify(answer.map((row) => (row !== null && typeof row === 'object' && 'x' in row && Object.keys(row).length === 1 ? row.x : row)));

let different = 0;
let rows = 0;
const begin = performance.now();
for (const [question, ask, query] of questions) {
  const [from_api, from_psql] = await Promise.all([ask(), psql(query)]);
  const same = plain(from_api) === plain(from_psql);
  rows += from_api.length;
  if (!same) {
    different++;
    const at = from_api.findIndex((row, i) => plain([row]) !== plain([from_psql[i] ?? null]));
    console.log(`DIFFERENT: ${question}: ${from_api.length} and ${from_psql.length} rows; row ${at}:\n  API  ${JSON.stringify(from_api[at])}\n  psql ${JSON.stringify(from_psql[at])}`);
  } else if (from_api.length === 0) {
    different++;
    console.log(`EMPTY: ${question}`);
  } else if (process.env.VERBOSE) {
    console.log(`${question} ${from_api.length === 1 ? JSON.stringify(from_api[0]).slice(0, 100) : `${from_api.length} rows`}`);
  }
}
const seconds = (performance.now() - begin) / 1000;
console.log(`${questions.length - different} of ${questions.length} questions answered alike by the API and psql; ${rows} rows compared in ${seconds.toFixed(1)} s`);
process.exit(different === 0 ? 0 : 1);

// --dump-sql: a closed set.  Every suite of 4-api holds what PostgreSQL saw against it when it closes
// its application (lib/app.mjs); here is that this would be noticed, and that much was seen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { checkStatements, grammarOf, isOf, seenStatements } from '../lib/statements.mjs';
import { openDesk, teams } from './desk.mjs';

let desk, rules;
before(async () => {
  desk = await openDesk('api_statements');
  rules = grammarOf(desk.program);
});
after(() => desk.close());

const seen = () => [...seenStatements(desk.cluster.log, desk.log_from, desk.name)];

test('it needs no settings and no database', () => {
  const { status, stdout } = spawnSync(desk.program, ['--dump-sql'], { env: {}, encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /^# Every statement that this program sends/);
  assert.ok(!/\/\*|--/.test(stdout), 'no comment can hide a statement');
});

test('all kinds of requests are seen, and are of the set', async () => {
  const rows = { Prefer: 'return=representation' };
  const ask = (...args) => desk.ask('service', ...args);
  await ask('GET', '/rest/v1/ticket?select=id,x:title::text,*&or=(id.eq.1,not.and(state.in.(open,solved),priority.is.null))&tags=cs.{fire}&order=created_at.desc.nullslast,id&limit=3&offset=1', undefined, { Prefer: 'count=exact' });
  await ask('GET', '/rest/v1/article?slug=ilike.*x*');
  await ask('POST', '/rest/v1/article', [{ slug: 'a', title: 'A' }, { slug: 'b', title: 'B' }], { Prefer: 'resolution=merge-duplicates,return=representation' });
  await ask('POST', '/rest/v1/article?select=slug&order=updated_at', { slug: 'c', title: 'C' }, rows);
  await ask('POST', '/rest/v1/ticket', { team_id: teams.red, title: 'x', author_id: teams.red }, { Prefer: 'return=headers-only' });
  await ask('POST', '/rest/v1/team', {});
  await ask('PATCH', '/rest/v1/article?slug=eq.a', { title: 'AA' }, { ...rows, Accept: 'application/vnd.pgrst.object+json' });
  await ask('DELETE', '/rest/v1/article?slug=in.(a,b,c)', undefined, rows);
  for (const method of ['GET', 'POST']) await ask(method, `/rest/v1/rpc/team_work?order=day&limit=1${method === 'GET' ? `&team=${teams.red}` : ''}`, method === 'POST' ? { team: teams.red } : undefined, { Prefer: 'count=exact' });
  await ask('GET', '/ready');
  const statements = seen();
  for (const part of [/^select id, title::text, id, .* where .*not \(state = any \(\$\d+::public\.ticket_state\[\]\) and priority is null\)/, /^select count\(\*\) from public\.ticket/, /^insert into public\.article .* from unnest\(.*do update set/,
    /^with written as \(insert/, / returning id$/, /pgstack\.single_row/, /^delete from/, /^select set_config\('transaction_read_only'/, /count\(\*\) over \(\)/, /^select fingerprint/, /^select fault from/, /^select set_config\('DateStyle'/])
    assert.ok(statements.some((statement) => part.test(statement)), `${part} was not seen:\n${statements.join('\n')}`);
  checkStatements(desk.program, statements);
});

test('what is outside of the set is noticed', async () => {
  for (const good of ['select id from public.ticket as r limit $1::bigint', 'delete from public.article where slug = $1::character varying'])
    assert.ok(isOf(rules, good), good);
  for (const bad of ['', 'select 1', 'select id from public.ticket as r;', 'select id from public.ticket as r where 1 = 1', "select id from public.ticket as r where title = 'x'",
    'select id from public.ticket as r where title = $1::text', 'select password from public.ticket as r', 'select id from public.team as r order by r.settings::text', 'update public.article set title = $1::text',
    'delete from public.article', 'drop table public.ticket', 'delete from public.ticket_count where n = $1::bigint', 'select id from public.ticket as r -- x', 'deallocate p1; select 1'])
    assert.ok(!isOf(rules, bad), bad);
  // one that a server would send by mistake: the same login role, the same database
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: desk.cluster.loginUrl('authenticator', desk.name) });
  await client.connect();
  await client.query('select $1::int + 1', [1]);
  await client.query("select 'simple'");
  await client.end();
  const all = seen();
  assert.throws(() => checkStatements(desk.program, all), /2 statements that --dump-sql does not know/);
  desk.known_strangers = ['select $1::int + 1', "select 'simple'"];
});

// The helpdesk's truth table: caller x relation x row x command, through the API and in SQL.
//
// SQL is asked as a superuser who takes the caller's role and claims for one transaction, which is
// rolled back; the API's change is real and is undone from a copy.  What a caller may see is also
// written down by hand in desk.mjs, so that both sides cannot be wrong in the same way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callers, openDesk, teams, visible } from './desk.mjs';
import { users } from '../lib/app.mjs';

let app;
let relations; // name -> {columns: [{name, type, always}], key: [name], is_view}
let compared = 0;

before(async () => {
  app = await openDesk('api_access');
  relations = await describe();
  await app.db.query('create schema keep');
  for (const [name, r] of Object.entries(relations))
    if (!r.is_view) await app.db.query(`create table keep.${name} as select * from public.${name}`);
});
after(() => app?.close());

async function describe() {
  const rows = await app.db.rows(`
    select c.relname as name, c.relkind = 'v' as is_view,
           array_agg(a.attname::text order by a.attnum) as columns,
           array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum) as types,
           array_agg(a.attidentity = 'a' order by a.attnum) as always,
           coalesce((select array_agg(k.attname::text order by k.attnum) from pg_index i join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey)
                      where i.indrelid = c.oid and i.indisprimary), '{}') as key
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
     group by c.oid order by c.relname`);
  return Object.fromEntries(rows.map((r) => [r.name, { is_view: r.is_view, key: r.key,
    columns: r.columns.map((name, i) => ({ name, type: r.types[i], always: r.always[i] })) }]));
}

async function restore() {
  const tables = Object.entries(relations).filter(([, r]) => !r.is_view).map(([name]) => name);
  await app.db.query(`begin; set local session_replication_role = replica;
    ${tables.map((t) => `delete from public.${t};`).join('\n')}
    ${tables.map((t) => `insert into public.${t} overriding system value select * from keep.${t};`).join('\n')} commit`);
}

/** Runs `text` as the caller and takes it back: {rows, count} or {code}. */
async function inSql(caller, text, values) {
  const { role, claims } = callers[caller];
  await app.db.query('begin');
  try {
    await app.db.query("select set_config('request.jwt.claims', $1, true), set_config('TimeZone', 'UTC', true)", [Object.keys(claims).length ? JSON.stringify(claims) : '']);
    await app.db.query(`set local role ${role}`);
    const r = await app.db.query(text, values);
    return { rows: r.rows, count: r.rowCount };
  } catch (error) {
    assert.ok(error.code, error.stack);
    return { code: error.code };
  } finally {
    await app.db.query('rollback');
  }
}

const ask = (caller, method, path, body, headers) => app.ask(callers[caller].http, method, `/rest/v1/${path}`, body, headers);

/** The API refuses where SQL refuses, with the status that goes with the code. */
function sameRefusal(caller, code, r, what) {
  assert.ok(r.status >= 400, `${what}: SQL says ${code}, the API ${r.status} ${r.text}`);
  if (r.status === 405) assert.equal(code, '42501', what); // a verb that nobody was granted
  else assert.equal(r.json.code, code, `${what}: ${r.status} ${r.text}`);
  if (r.status !== 405 && code === '42501') assert.equal(r.status, caller === 'anon' ? 401 : 403, what);
}

async function columnsFor(caller, name, privilege) {
  const { role } = callers[caller];
  const all = relations[name].columns.map((c) => c.name);
  const may = await app.db.value('select array_agg(has_column_privilege($1, $2, c, $3) order by o) from unnest($4::text[]) with ordinality u (c, o)', [role, `public.${name}`, privilege, all]);
  return all.filter((_, i) => may[i]);
}

const sorted = (rows) => rows.map((r) => JSON.stringify(r, Object.keys(r).sort())).sort();
const quoted = (name) => `"${name}"`;
const keyFilter = (name, row) => relations[name].key.map((k) => `${k}=eq.${encodeURIComponent(row[k])}`).join('&');
const keyWhere = (name, from = 1) => relations[name].key.map((k, i) => `${quoted(k)} = $${i + from}::text::${relations[name].columns.find((c) => c.name === k).type}`).join(' and ');
const typeOf = (name, column) => relations[name].columns.find((c) => c.name === column).type;

/** Rows as to_jsonb has them, key and all, for the tests to pick from. */
const allRows = async (name) => (await app.db.rows(`select to_jsonb(t) as row from public.${name} t order by 1`)).map((r) => r.row);

/** A value of to_jsonb as PostgreSQL's text form. */
const asText = (value) => (value === null ? null : Array.isArray(value) ? `{${value.map((v) => JSON.stringify(v)).join(',')}}` : typeof value === 'object' ? JSON.stringify(value) : String(value));

test('what each caller sees, as written down by hand', async (t) => {
  for (const [name, expected] of Object.entries(visible))
    for (const caller of Object.keys(callers))
      await t.test(`${caller} on ${name}`, async () => {
        const r = await ask(caller, 'GET', `${name}?select=${expected.key}&order=${name === 'ticket' ? 'id' : expected.key}`);
        if (!expected[caller]) return assert.equal(r.status, 401, r.text);
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(r.json.map((row) => row[expected.key]).sort(), expected[caller]);
      });
  const counts = await ask('ada', 'GET', 'ticket_count?order=team_id,state');
  assert.deepEqual(counts.json, [
    { team_id: teams.red, state: 'open', n: 1 }, { team_id: teams.red, state: 'solved', n: 1 },
    { team_id: teams.both, state: 'open', n: 1 }, { team_id: teams.both, state: 'pending', n: 1 },
  ]);
});

test('what callers may write, as written down by hand', async (t) => {
  const { ada, bob } = users;
  const cases = [
    ['ada opens a ticket in her team', 'ada', 'POST', 'ticket', { team_id: teams.red, title: 'New' }, 201],
    ['ada may not open one in another team', 'ada', 'POST', 'ticket', { team_id: teams.blue, title: 'New' }, 403],
    ['ada may not write in the name of bob', 'ada', 'POST', 'ticket', { team_id: teams.red, title: 'New', author_id: bob }, 403],
    ['ada changes her ticket', 'ada', 'PATCH', 'ticket?id=eq.1', { state: 'solved' }, 1],
    ['ada does not change that of bob', 'ada', 'PATCH', 'ticket?id=eq.5', { state: 'solved' }, 0],
    ['ada may not move a ticket', 'ada', 'PATCH', 'ticket?id=eq.1', { team_id: teams.blue }, 403],
    ['support moves it', 'support', 'PATCH', 'ticket?id=eq.1', { team_id: teams.blue }, 1],
    ['ada deletes her ticket', 'ada', 'DELETE', 'ticket?id=eq.4', undefined, 1],
    ['ada does not delete that of bob', 'ada', 'DELETE', 'ticket?id=eq.5', undefined, 0],
    ['support does not delete tickets of others', 'support', 'DELETE', 'ticket?id=eq.1', undefined, 0],
    ['ada may not set internal', 'ada', 'POST', 'comment', { ticket_id: 1, body: 'x', internal: true }, 403],
    ['ada comments what she sees', 'ada', 'POST', 'comment', { ticket_id: 5, body: 'x' }, 201],
    ['ada may not comment what she does not see', 'ada', 'POST', 'comment', { ticket_id: 3, body: 'x' }, 403],
    ['ada, on the paid plan, keeps time', 'ada', 'POST', 'time_entry', { ticket_id: 1, day: '2024-05-01', minutes: 5 }, 201],
    ['bob, on the free one, may not', 'bob', 'POST', 'time_entry', { ticket_id: 3, day: '2024-05-01', minutes: 5 }, 403],
    ['support writes articles', 'support', 'POST', 'article', { slug: 'new', title: 'New' }, 201],
    ['ada may not', 'ada', 'POST', 'article', { slug: 'new', title: 'New' }, 403],
    ['anon may not', 'anon', 'POST', 'article', { slug: 'new', title: 'New' }, 401],
    ['anon may not delete', 'anon', 'DELETE', 'article?slug=eq.fire', undefined, 401],
    ['support adds members', 'support', 'POST', 'member', { team_id: teams.empty, user_id: ada }, 201],
    ['ada may not', 'ada', 'POST', 'member', { team_id: teams.blue, user_id: ada }, 403],
    ['the service key does all', 'service', 'DELETE', 'team?name=neq.x', undefined, 4],
  ];
  for (const [what, caller, method, path, body, expected] of cases)
    await t.test(what, async () => {
      const r = await ask(caller, method, path, body, { Prefer: 'count=exact' });
      if (expected >= 200) assert.equal(r.status, expected, r.text);
      else {
        assert.equal(r.status, 204, r.text);
        assert.equal(r.headers['content-range']?.split('/')[1], String(expected));
      }
      if (r.status < 300) await restore();
    });
});

test('select: the API and SQL agree', async (t) => {
  for (const name of Object.keys(relations))
    for (const caller of Object.keys(callers))
      await t.test(`${caller} on ${name}`, async () => {
        const columns = await columnsFor(caller, name, 'SELECT');
        const list = columns.length ? columns.map(quoted).join(', ') : '*';
        const sql = await inSql(caller, `select to_jsonb(t) as row from (select ${list} from public.${name}) t`);
        const r = await ask(caller, 'GET', `${name}`);
        compared++;
        if (sql.code) return sameRefusal(caller, sql.code, r, name);
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(sorted(r.json), sorted(sql.rows.map((x) => x.row)));
        for (const c of relations[name].columns.filter((c) => !columns.includes(c.name))) {
          const hidden = await ask(caller, 'GET', `${name}?select=${c.name}`);
          sameRefusal(caller, '42501', hidden, `${name}.${c.name}`);
        }
      });
});

/** Rows that a caller may try to insert: like those that exist, with new keys. */
async function candidates(name) {
  const fresh = { ticket: ['id'], comment: ['id'], team: ['id'], attachment: ['id'] }[name] ?? [];
  const change = {
    team: (r) => ({ ...r, name: `${r.name} 2` }),
    member: (r) => ({ ...r, user_id: r.user_id === users.ada ? users.bob : users.eve }),
    attachment: (r) => ({ ...r, name: `2 ${r.name}` }),
    time_entry: (r) => ({ ...r, day: '2025-01-01' }),
    article: (r) => ({ ...r, slug: `${r.slug}-2` }),
  }[name] ?? ((r) => r);
  return (await allRows(name)).map((r) => Object.fromEntries(Object.entries(change(r)).filter(([k]) => !fresh.includes(k))));
}

test('insert: the API and SQL agree', async (t) => {
  for (const [name, relation] of Object.entries(relations).filter(([, r]) => !r.is_view))
    for (const caller of Object.keys(callers))
      await t.test(`${caller} on ${name}`, async () => {
        const may = await columnsFor(caller, name, 'INSERT');
        for (const row of await candidates(name)) {
          const columns = Object.keys(row).filter((c) => may.length === 0 || may.includes(c));
          const values = columns.map((c) => asText(row[c]));
          const text = `insert into public.${name} (${columns.map(quoted).join(', ')}) values (${columns.map((c, i) => `$${i + 1}::text::${typeOf(name, c)}`).join(', ')})`;
          const readable = await columnsFor(caller, name, 'SELECT');
          for (const shown of [false, true]) {
            const sql = await inSql(caller, shown ? `${text} returning ${(readable.length ? readable : ['*']).map((c) => (c === '*' ? c : quoted(c))).join(', ')}` : text, values);
            const body = Object.fromEntries(columns.map((c) => [c, row[c]]));
            const r = await ask(caller, 'POST', name, body, { Prefer: `return=${shown ? 'representation' : 'minimal'}` });
            compared++;
            const what = `${caller} inserts ${JSON.stringify(body)} ${shown ? 'returning' : ''}`;
            if (sql.code) sameRefusal(caller, sql.code, r, what);
            else assert.equal(r.status, 201, `${what}: ${r.status} ${r.text}`);
            if (r.status < 300) await restore();
          }
        }
      });
});

test('update: the API and SQL agree, column by column', async (t) => {
  for (const [name, relation] of Object.entries(relations).filter(([, r]) => !r.is_view))
    for (const caller of Object.keys(callers))
      await t.test(`${caller} on ${name}`, async () => {
        const rows = await allRows(name);
        for (const [i, row] of rows.entries())
          for (const column of relation.columns)
            for (const value of new Set([row[column.name], rows[(i + 1) % rows.length][column.name]])) {
              const sql = await inSql(caller, `update public.${name} set ${quoted(column.name)} = $1::text::${column.type} where ${keyWhere(name, 2)}`,
                [asText(value), ...relation.key.map((k) => asText(row[k]))]);
              const r = await ask(caller, 'PATCH', `${name}?${keyFilter(name, row)}`, { [column.name]: value }, { Prefer: 'return=minimal,count=exact' });
              compared++;
              const what = `${caller} sets ${column.name} = ${JSON.stringify(value)} where ${keyFilter(name, row)}`;
              if (sql.code === '428C9') assert.ok(r.status >= 400, what); // generated always: named in other words
              else if (sql.code) sameRefusal(caller, sql.code, r, what);
              else {
                assert.equal(r.status, 204, `${what}: ${r.status} ${r.text}`);
                assert.equal(r.headers['content-range']?.split('/')[1], String(sql.count), what);
              }
              if (r.status < 300 && sql.count !== 0) await restore();
            }
      });
});

test('delete: the API and SQL agree', async (t) => {
  for (const [name, relation] of Object.entries(relations).filter(([, r]) => !r.is_view))
    for (const caller of Object.keys(callers))
      await t.test(`${caller} on ${name}`, async () => {
        for (const row of await allRows(name)) {
          const sql = await inSql(caller, `delete from public.${name} where ${keyWhere(name)}`, relation.key.map((k) => asText(row[k])));
          const r = await ask(caller, 'DELETE', `${name}?${keyFilter(name, row)}`, undefined, { Prefer: 'return=minimal,count=exact' });
          compared++;
          const what = `${caller} deletes ${keyFilter(name, row)}`;
          if (sql.code) sameRefusal(caller, sql.code, r, what);
          else {
            assert.equal(r.status, 204, `${what}: ${r.status} ${r.text}`);
            assert.equal(r.headers['content-range']?.split('/')[1], String(sql.count), what);
            if (sql.count) await restore();
          }
        }
      });
});

test('calls: the API and SQL agree', async (t) => {
  const calls = [
    ...Object.values(teams).map((team) => ['open_tickets', { team }, 'select public.open_tickets($1::uuid) as v', [team]]),
    ...Object.values(teams).map((team) => ['team_work', { team }, 'select to_jsonb(w) as row from public.team_work($1::uuid) w', [team]]),
    ['team_work', { team: teams.both, since: '2024-03-03' }, 'select to_jsonb(w) as row from public.team_work($1::uuid, $2::text::date) w', [teams.both, '2024-03-03']],
    ['search_tickets', { q: 'printer' }, 'select to_jsonb(w) as row from public.search_tickets($1) w', ['printer']],
    ['search_tickets', { q: 'printer', n: 1 }, 'select to_jsonb(w) as row from public.search_tickets($1, 1) w', ['printer']],
  ];
  for (const caller of Object.keys(callers))
    await t.test(caller, async () => {
      for (const [name, body, text, values] of calls) {
        const sql = await inSql(caller, text, values);
        const r = await ask(caller, 'POST', `rpc/${name}`, body);
        compared++;
        if (sql.code) {
          sameRefusal(caller, sql.code, r, name);
          continue;
        }
        assert.equal(r.status, 200, r.text);
        if (name === 'open_tickets') assert.equal(r.text, sql.rows[0].v);
        else assert.deepEqual(sorted(r.json), sorted(sql.rows.map((x) => x.row)), name);
      }
      const ages = await ask(caller, 'POST', 'rpc/ticket_ages', {});
      if (['support', 'service'].includes(caller)) assert.equal(ages.json.length, 6);
      else sameRefusal(caller, '42501', ages, 'ticket_ages');
    });
  t.diagnostic(`> ${compared} answers of ${Object.keys(callers).length} callers on ${Object.keys(relations).length} relations compared with SQL`);
});

test('the internal tables are not served', async () => {
  for (const caller of Object.keys(callers))
    for (const path of ['users', 'pgstack.users', 'migrations', 'state', 'pgstack.state', 'pg_class', 'pg_authid', 'information_schema.tables', 'rpc/uid', 'rpc/pg_sleep', 'rpc/set_config', 'rpc/shares_team'])
      assert.equal((await ask(caller, 'GET', path)).status, 404, `${caller} ${path}`);
});

// `inline policies` against row security: the same rows for every user and filter, and the index used
// that row security keeps away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, openApp, users } from '../lib/app.mjs';

const { ada, bob, eve } = users;
const rows = 4000;
// ids from 1; mood 'rare' is rare, so that an index is worth it
const seed = (table) => `insert into ${table} select i, i % 7, case i % 5 when 0 then '${ada}'::uuid when 1 then '${bob}'::uuid when 2 then null else '${eve}'::uuid end,
  case when i % 400 = 0 then 'rare' when i % 11 = 0 then null when i % 2 = 0 then 'calm' else 'busy' end::mood, case when i % 13 = 0 then null else (i * 37 % 1000) / 10.0 end,
  case when i % 17 = 0 then null else array['t' || i % 9, 'u' || i % 200] end, substr(md5(i::text), 1, 2) || 'x', case i % 6 when 0 then true when 1 then null else false end
  from generate_series(1, ${rows}) i; analyze ${table};`;

let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/inline'), app: 'twins', name: 'api_inline',
    seed: `insert into member values (1, '${ada}'), (2, '${ada}'), (3, '${bob}');${seed('inlined')}${seed('plain')}update inlined set note = 'p' || note where id % 3 = 0; update plain set note = 'p' || note where id % 3 = 0;` });
});
after(() => app.close());

const callers = {
  anon: 'anon', none: 'none', service: 'service', ada: { sub: ada, limit: 60 }, bob: { sub: bob, limit: 5.5 }, eve: { sub: eve }, clerk: { sub: bob, role: 'clerk', limit: 90 },
};

test('0 different: random users and filters', async () => {
  let state = 20240229;
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  const pick = (list) => list[random(list.length)];
  const not = () => pick(['', '', '', 'not.']);
  const value = {
    id: () => `${pick(['eq', 'lt', 'gte', 'neq'])}.${random(rows)}`, team_id: () => pick([`eq.${random(7)}`, 'in.(1,2)', 'is.null']),
    owner_id: () => pick([`eq.${pick([ada, bob, eve])}`, 'is.null']), mood: () => pick(['eq.rare', 'eq.calm', 'in.(rare,busy)', 'neq.busy', 'gt.calm', 'is.null']),
    price: () => `${pick(['eq', 'lt', 'gt', 'lte'])}.${random(1000) / 10}`, tags: () => pick([`cs.{t${random(9)}}`, `ov.{u${random(200)},u${random(200)}}`, `cd.{t1,u1,u${random(200)}}`, 'is.null']),
    note: () => pick(['like.p*', 'ilike.*A*', `eq.${random(10)}ax`]), hidden: () => pick(['is.true', 'is.not_null', 'eq.false']),
  };
  const term = () => { const column = pick(Object.keys(value)); return [column, `${not()}${value[column]()}`]; };
  const query = () => {
    const parts = Array.from({ length: 1 + (random(3) === 0) }, () => { const [column, filter] = term(); return `${column}=${filter}`; });
    if (random(3) === 0) parts.push(`${pick(['or', 'and', 'not.or'])}=(${Array.from({ length: 2 }, () => term().join('.')).join(',')})`);
    if (random(3) > 0) parts.push('order=id');
    else parts.push('order=price.desc.nullslast,id', `limit=${random(20)}`);
    if (random(2)) parts.push('select=id,mood');
    return parts.join('&');
  };
  const seen = { same: 0, rows: 0, refused: 0 };
  for (let i = 0; i < 700; i++) {
    const who = pick(Object.values(callers)), text = query(), headers = random(4) === 0 ? { Prefer: 'count=exact' } : {};
    const [inlined, plain] = await Promise.all(['inlined', 'plain'].map((table) => app.get(who, `${table}?${text}`, headers)));
    assert.equal(inlined.status, plain.status, `${JSON.stringify(who)} ${text}\n${inlined.text}\n${plain.text}`);
    if (plain.status >= 400) {
      assert.equal(inlined.json.code, plain.json.code, text);
      seen.refused++;
      continue;
    }
    assert.deepEqual(inlined.json, plain.json, `${JSON.stringify(who)} ${text}`);
    assert.equal(inlined.headers['content-range'], plain.headers['content-range']);
    seen.same++;
    seen.rows += plain.json.length;
  }
  console.log(`${seen.same} answers the same, ${seen.rows} rows; ${seen.refused} refused alike`);
  assert.ok(seen.same > 300 && seen.rows > 5000 && seen.refused > 20, JSON.stringify(seen));
});

/** The plan of a list as ada would have it. */
async function plan(from, where) {
  await app.db.query('begin');
  try {
    await app.db.query(`select set_config('role', 'authenticated', true), set_config('pgstack.uid', '${ada}', true), set_config('pgstack.claim_limit_of', '60', true)`);
    return (await app.db.rows(`explain select id from ${from} as r where ${where}`)).map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await app.db.query('rollback');
  }
}

test('an operator that is not leakproof uses its index', async () => {
  for (const where of ["mood = any ('{rare}'::public.mood[])", "mood = 'rare'::public.mood", 'price = 7.4', "tags @> '{u7}'::text[]"]) {
    const [column] = where.split(' ');
    assert.match(await plan('pgstack.r1_inlined', where), new RegExp(`Index Cond: .*${column}`), where);
    assert.doesNotMatch(await plan('public.plain', where), new RegExp(`Index Cond: .*${column}`), where);
  }
});

test('each view is for its role alone, and only for reading', async () => {
  const grants = await app.db.rows(`select table_name as view, grantee, privilege_type as may from information_schema.column_privileges
    where table_schema = 'pgstack' and table_name like 'r%\_inlined' and grantee <> 'pgstack_owner' group by 1, 2, 3 order by 1, 2, 3`);
  assert.deepEqual(grants, [{ view: 'r0_inlined', grantee: 'anon', may: 'SELECT' }, { view: 'r1_inlined', grantee: 'authenticated', may: 'SELECT' }, { view: 'r3_inlined', grantee: 'clerk', may: 'SELECT' }]);
});

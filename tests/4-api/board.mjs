// The application of tests/4-api/live: who subscribes to what, random writes, and what the answers should be.
import assert from 'node:assert/strict';
import { credentials, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { sleep, until } from '../lib/process.mjs';

const { ada, bob, eve } = users;
export const staff = { sub: eve, staff: 'yes' };
export const seed = `insert into team values (1, 'one'), (2, 'two'), (3, 'three');
  insert into member values (1, '${ada}'), (2, '${ada}'), (2, '${bob}');
  insert into ticket (id, team_id, title, price) values (1, 1, 'a', 1.50), (2, 2, 'b', null), (3, 3, 'c', 2);`;

/** Whatever `SEED` says, the same each time. */
export function dice() {
  let state = Number(process.env.SEED ?? 20261121);
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  return { random, pick: (list) => list[random(list.length)] };
}

// What each live query is, as PostgreSQL is asked by the user.
const selects = {
  queue: ({ team }) => `select id, title, state, price, tags from ticket where team_id = ${team} and state <> 'solved' order by title collate "C", id limit 20`,
  tickets: ({ team_id }) => `select id, team_id, title, state from ticket where team_id = ${team_id} order by id limit 1000`,
  mine: () => 'select id, title, state from ticket where owner_id = auth.uid() order by id limit 100',
  counts: () => 'select team_id, state, count(*) as n, min(price) as cheapest from ticket where hidden = false group by team_id, state',
  total: ({ team }) => `select count(*) as n from ticket where team_id = ${team}`,
  with_team: () => `select t.id as team_id, t.name, k.id, k.title from team t join ticket k on k.team_id = t.id where k.state = 'open' order by k.id limit 200`,
  titles: ({ team }) => `select distinct title, state from ticket where team_id = ${team}`,
  noted: () => `select n.id, n.body, k.title, t.name as team from note n join ticket k on k.id = n.ticket_id left join team t on t.id = k.team_id where k.state = 'open' order by n.id limit 100`,
  renamed: () => `select k.id as team_id, t.name from ticket k join team t on t.id = k.team_id where t.name <> 'nobody''s' order by k.id limit 100`,
  owned: () => `select k.id, k.title, t.name as place from ticket k left join team t on t.id = k.team_id where k.owner_id = auth.uid() order by k.id desc limit 4`,
  sales: ({ team }) => `select state, paid, count(*) as n, count(amount) as known, sum(amount) as amount, sum(weight) as weight, min(day) as first, max(day) as last
    from sale where team_id = ${team} group by state, paid`,
  takings: () => 'select count(*) as n, sum(amount) as amount, coalesce(sum(weight), 0) as weight, max(weight) as most, max(state) as furthest from sale where owner_id = auth.uid()',
  rooms: ({ team }) => `select room, count(*) as n, sum(minutes) as minutes, max(minutes) as longest from visit where team_id = ${team} group by room`,
  busy: () => 'select team_id, count(*) as n, sum(minutes) as minutes from visit group by team_id',
  notes: ({ ticket }) => `select id, body from note where ticket_id = ${ticket}`,
};

/** What each of these would be answered within the transaction that `db` has begun. */
export async function truths(db, all) {
  const text = all.map(({ who, query, params }) => `select set_config('role', '${who.staff ? 'staff' : 'authenticated'}', true), set_config('pgstack.uid', '${who.sub}', true);
    select coalesce(json_agg(r), '[]')::text as all from (${selects[query](params)}) r`).join(';');
  const results = await db.query(`set local search_path = public; ${text}; reset role; reset search_path`);
  return results.filter(({ fields }) => fields[0]?.name === 'all').map(({ rows }) => JSON.parse(rows[0].all));
}

/** The rows that `who` would get now. */
export async function truth(db, one) {
  await db.query('begin');
  const [rows] = await truths(db, [one]);
  await db.query('rollback');
  return rows;
}

/** Queries whose rows have an order. */
export const ordered = ['queue', 'tickets', 'mine', 'with_team', 'noted', 'owned', 'renamed'];

/** Queries whose rows are counted as the log tells of them. */
export const counted = ['total', 'sales', 'takings', 'rooms', 'busy'];

/** A query for `who`, and arguments. */
export function question({ random, pick }, who, among = Object.keys(selects)) {
  const query = pick(among.filter((name) => !(who.staff ? ['mine', 'owned'] : ['renamed']).includes(name))), team = 1 + random(3);
  const params = { queue: { team }, tickets: { team_id: team }, total: { team }, titles: { team }, notes: { ticket: 1000 + random(60) }, sales: { team }, rooms: { team } }[query] ?? {};
  return { query, params };
}

/** How many results were brought up to date by each way, in all and so far. */
export async function ways(app) {
  const metrics = await scrape(app.admin_port);
  return Object.fromEntries(metrics.find('pgstack_live_results_total').map(({ labels, value }) => [labels.by, value]));
}

/** The log is followed: until it is, everything is asked for. */
export async function followed(app) {
  const live = await Live.open(app.port, { headers: credentials(staff) });
  const rooms = await live.subscribe('r', 'rooms', { team: 3 }).ready();
  await until('a row to be counted', async () => {
    await app.db.query('insert into visit select coalesce(max(id), 0) + 1, 3, 1, 1 from visit');
    return (await ways(app)).matching > 0;
  }, 60_000);
  await app.db.query('delete from visit');
  await rooms.become([]);
  await live.close();
}

/** Runs what `writes` and `counts` make.  Writers of many rows may stop each other: PostgreSQL lets one of them go. */
export async function write(db, text) {
  await db.query(text).catch(async (error) => {
    if (error.code !== '40P01') throw error;
    await db.query('rollback');
  });
}

/** A function that makes statements over what is counted. */
export function counts({ random, pick }) {
  return () => {
    const id = random(80), team = 1 + random(3), owner = pick([`'${ada}'`, `'${bob}'`, `'${eve}'`, 'null']), state = pick(["'open'", "'pending'", "'solved'", 'null']);
    const amount = pick(['null', '1', '2', '7', '-3', '2147483647']), weight = pick(['null', '10', '-4', '6', ...(random(30) === 0 ? ['9223372036854775807'] : [])]);
    const day = pick(['null', "'2026-02-28'", "'2026-03-01'", "'0044-03-15 BC'", "'infinity'"]), paid = pick(['true', 'false', 'null']);
    const sale = `insert into sale (id, team_id, owner_id, state, paid, amount, weight, day) values (${id}, ${team}, ${owner}, ${state}, ${paid}, ${amount}, ${weight}, ${day})`;
    const visit = `insert into visit values (${id}, ${team}, ${random(4)}, ${random(50)})`;
    return pick([
      `${sale} on conflict (id) do nothing`,
      `${sale} on conflict (id) do update set amount = excluded.amount, day = excluded.day`,
      `${sale} on conflict (id) do update set state = excluded.state, paid = excluded.paid, weight = excluded.weight`,
      `${visit} on conflict (id) do nothing`,
      `${visit} on conflict (id) do update set minutes = excluded.minutes`,
      `update sale set amount = ${amount}, weight = ${weight} where id = ${id}`,
      `update sale set team_id = ${team}, owner_id = ${owner} where id = ${id}`,
      `update sale set state = ${state} where id % 9 = ${random(9)}`,
      `update sale set hidden = not hidden where id = ${id}`,
      `update visit set room = ${random(4)}, team_id = ${team} where id = ${id}`,
      `update visit set minutes = minutes + 1 where id % 5 = ${random(5)}`,
      `update visit set id = id + 100 where id = ${id} and not exists (select from visit where id = ${id + 100})`,
      `delete from sale where id = ${id}`,
      `delete from visit where id in (${id}, ${id + 100})`,
      `begin; ${sale} on conflict (id) do nothing; update sale set amount = 5 where id = ${id}; delete from sale where id = ${id}; commit`,
      `begin; ${visit} on conflict (id) do nothing; savepoint s; delete from visit where team_id = ${team}; rollback to s; update visit set room = 9 where id = ${id}; commit`,
      `begin; delete from sale where state = ${state}; rollback`,
      ...(random(12) === 0 ? [`insert into member values (${team}, ${pick([`'${ada}'`, `'${bob}'`])}) on conflict do nothing`, `delete from member where team_id = ${team} and user_id = '${bob}'`] : []),
      ...(random(60) === 0 ? ['truncate sale', 'truncate visit', 'insert into visit select i, 1 + i % 3, i % 7, i from generate_series(200, 900) i on conflict do nothing', 'delete from visit where id >= 200'] : []),
    ]);
  };
}

/** A function that makes statements; now and then `lose`, where it is given. */
export function writes({ random, pick }, lose) {
  return () => {
    const id = 1000 + random(60), team = 1 + random(3), user = pick([ada, bob, eve]), text = pick(['a', 'b', 'c', 'x'.repeat(9000)]) + random(5);
    return pick([
      `insert into ticket (id, team_id, owner_id, title, state, price) values (${id}, ${team}, '${user}', '${text}', '${pick(['open', 'pending', 'solved'])}', ${pick(['null', '1.10', '7'])}) on conflict (id) do update set title = excluded.title`,
      `update ticket set team_id = ${team} where id = ${id}`,
      `update ticket set state = '${pick(['open', 'pending', 'solved'])}', title = '${text}' where id = ${id}`,
      `update ticket set hidden = not hidden where id = ${id}`,
      `update ticket set owner_id = '${user}' where id = ${id}`,
      `delete from ticket where id = ${id}`,
      `begin; update ticket set title = 'gone' where id = ${id}; rollback`,
      `begin; update ticket set title = 'kept${random(9)}' where id = ${id}; savepoint s; delete from ticket where id = ${id + 1}; rollback to s; commit`,
      `update ticket set price = ${random(100)} where id % 7 = ${random(7)} and id >= 1000`,
      `insert into member values (${team}, '${user}') on conflict do nothing`,
      `delete from member where team_id = ${team} and user_id = '${user}'`,
      `insert into note values (${random(200)}, ${id}, '${text}') on conflict (id) do update set ticket_id = excluded.ticket_id`,
      `delete from note where id = ${random(200)}`,
      ...(random(40) === 0 ? ['truncate note'] : []),
      ...(lose && random(60) === 0 ? [lose] : []),
    ]);
  };
}

/** Writes at random, and what each subscriber holds between the rounds against what it would be answered. */
export async function compareUnderWrites({ open, db, people, connect, lose, among, rounds = process.env.LONG ? 60 : 6 }) {
  const { random, pick } = dice();
  const writers = await Promise.all(Array.from({ length: 4 }, connect));
  const kinds = [writes({ random, pick }, lose), counts({ random, pick })];
  const next = () => pick(kinds)();
  const lives = await Promise.all(people.map((who) => open(who)));
  const held = [];
  let n = 0, compared = 0;
  const subscribe = () => {
    const who = random(people.length), { query, params } = question({ random, pick }, people[who], among);
    if (held.filter((one) => one.live === lives[who]).length < 90)
      held.push({ live: lives[who], who: people[who], query, params, subscription: lives[who].subscribe(`r${n++}`, query, params) });
  };
  for (let round = 0; round < rounds; round++) {
    const scripts = writers.map(() => Array.from({ length: 60 }, next));
    await Promise.all([...writers.map(async (writer, i) => { for (const text of scripts[i]) await write(writer, text); }), (async () => {
      for (let i = 0; i < 30; i++) {
        subscribe();
        if (random(4) === 0 && held.length > 10) {
          const [one] = held.splice(random(held.length), 1);
          one.live.say({ type: 'unsubscribe', id: one.subscription.id });
        }
        await sleep(5);
      }
    })()]);
    for (const one of held) {
      await one.subscription.become(await truth(db, one), { ordered: ordered.includes(one.query) });
      compared++;
    }
    for (const live of lives) assert.ifError(live.failure);
  }
  console.log(`${compared} results of ${n} subscriptions compared`);
  for (const writer of writers) await writer.end();
  for (const live of lives) await live.close();
}

// Values that PostgreSQL keeps out of line: an update that leaves them alone says nothing of them in the log.
// They are in results, in conditions, in policies, in keys that tell whose a row is; fed by the log and by triggers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildProject, credentials, environment, makeDatabase, startServer, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { freePort } from '../lib/process.mjs';
import { dice } from './board.mjs';

// The old row of `letter` comes as an index has it, that of the others whole: their conditions look at long text.
const letters = {
  'schema/letter.schema': `
    table letter (id bigint primary key, team_id integer not null, n integer not null default 0, body text not null, index (team_id));
    table paper (id bigint primary key, team_id integer not null, n integer not null default 0, body text not null, seal text, index (team_id));
    table file (id bigint primary key, folder varchar(900) not null, n integer not null default 0, body text not null, index (folder));`,
  'policies/letter.schema': `
    grant select on letter, paper, file to authenticated;
    policy all_letters on letter for select to authenticated using (public);
    policy sealed on paper for select to authenticated using (seal is null or seal <> body);
    policy all_files on file for select to authenticated using (public);
    live letters(team integer) to authenticated as select id, n, body from letter where team_id = team order by id limit 50;
    live numbers(team integer) to authenticated as select id, n from letter where team_id = team order by n, id limit 4;
    live papers(team integer) to authenticated as select id, n, body from paper where team_id = team and body <> 'plain' order by id limit 50;
    live filed(name text) to authenticated as select id, n, body from file where folder = name order by id limit 50;`,
};
const questions = {
  letters: [{ team: 1 }, 'select id, n, body from letter where team_id = 1 order by id'],
  numbers: [{ team: 1 }, 'select id, n from letter where team_id = 1 order by n, id limit 4'],
  papers: [{ team: 1 }, `select id, n, body from paper where team_id = 1 and body <> 'plain' and (seal is null or seal <> body) order by id`],
};

for (const source of ['log', 'outbox'])
  describe(`fed by the ${source}`, () => {
    const name = `live_toast_${source}`, { random, pick } = dice();
    let cluster, project, server, env, db, live;
    before(async () => {
      cluster = await Cluster.start(source === 'log' ? '' : 'wal_level = replica\n');
      project = await buildProject('tests/4-api/live', { as: name, more: { ...letters, ...(source === 'outbox' && { 'policies/outbox.schema': 'live outbox;\n' }) }, cluster });
      await makeDatabase(cluster, project, name);
      db = await connect(cluster, name);
      for (const [table, column] of [['letter', 'body'], ['paper', 'body'], ['paper', 'seal'], ['file', 'body'], ['file', 'folder']])
        await db.query(`alter table ${table} alter ${column} set storage external`);
      env = environment(cluster, name, await freePort(), await freePort());
      server = await startServer(join(project, 'build/server/board'), env);
      live = await Live.open(server.port, { headers: credentials({ sub: users.ada }) });
    });
    after(async () => {
      await live?.close();
      const how = await server?.stop('SIGTERM', 15_000);
      await db?.end().catch(() => {});
      await cluster?.stop();
      if (server) assert.equal(how.code, 0, server.output().slice(-4000));
      server?.forget();
    });

    const long = (letter, n = 9000) => letter.repeat(n);
    /** The bytes that a table keeps out of line. */
    const outOfLine = async (table) => Number(await db.value(`select pg_relation_size(reltoastrelid) from pg_class where relname = $1`, [table]));
    const held = async (query) => {
      const [params, text] = questions[query];
      const subscription = await live.subscribe(`${query}${random(1e9)}`, query, params).ready();
      return { follows: async () => subscription.become(JSON.parse(await db.value(`select coalesce(json_agg(r), '[]')::text from (${text}) r`)), { ordered: true }), subscription };
    };

    test('what is left alone stays in the result', async () => {
      const letter = await held('letters'), number = await held('numbers');
      for (const [i, team] of [1, 1, 1, 2].entries()) await db.query('insert into letter values ($1, $2, $3, $4)', [i + 1, team, 10 * i, long('abcd'[i])]);
      assert.ok(await outOfLine('letter') > 30_000, 'they are kept out of line');
      for (const text of [
        'update letter set n = n + 1 where id = 2',
        'update letter set n = n + 1',
        'update letter set team_id = 1 where id = 4', // it comes, and its body is not told
        'update letter set team_id = 2 where id = 1', // it goes
        'update letter set id = 20 where id = 2',
        `begin; update letter set body = repeat('e', 8500) where id = 3; update letter set n = 7 where id = 3; commit`,
        `begin; insert into letter values (30, 1, 3, repeat('f', 9000)); update letter set n = 1 where id = 30; commit`,
        'delete from letter where id = 20',
      ]) {
        await db.query(text);
        await letter.follows();
        await number.follows();
      }
      if (source === 'log') {
        const asked = async () => (await scrape(env.ADMIN_PORT)).value('pgstack_live_results_total', { by: 'asking' });
        const before_it = await asked();
        await db.query('update letter set n = 0 where id = 30');
        await number.follows();
        await letter.follows();
        assert.equal(await asked(), before_it + 1, 'the result without the long value is matched, the other one asked for');
      }
    });

    test('what is left alone decides in a condition and in a policy', async () => {
      const paper = await held('papers');
      for (const [i, seal] of [null, long('b'), long('x'), null].entries()) await db.query('insert into paper values ($1, $2, 0, $3, $4)', [i + 1, i === 3 ? 2 : 1, long('abcd'[i]), seal]);
      assert.ok(await outOfLine('paper') > 50_000);
      await paper.follows();
      assert.deepEqual(paper.subscription.rows.map(({ id }) => id), [1, 3], 'one is sealed, one of another team');
      for (const text of [
        'update paper set n = n + 1',
        'update paper set team_id = 1 where id = 4',
        `update paper set seal = repeat('a', 9000) where id = 1`, // its body is not told, and it goes by it
        'update paper set seal = null where id = 2', // it comes by it
        `update paper set body = 'plain' where id = 3`,
        'update paper set id = 10 where id = 2',
        'update paper set n = 9, seal = body where id = 10',
        'update paper set n = n + 1',
      ]) {
        await db.query(text);
        await paper.follows();
      }
    });

    test('what is left alone says whose a row is', async () => {
      const folder = long('f', 800), one = await live.subscribe('one', 'filed', { name: folder }).ready(), two = await live.subscribe('two', 'filed', { name: 'g' }).ready();
      const follow = async () => {
        for (const [subscription, of] of [[one, folder], [two, 'g']])
          await subscription.become((await db.query('select id::int, n, body from file where folder = $1 order by id', [of])).rows, { ordered: true });
      };
      for (const id of [1, 2]) await db.query('insert into file values ($1, $2, 0, $3)', [id, folder, 'x'.repeat(1900)]);
      assert.ok(await outOfLine('file') > 0);
      await follow();
      for (const text of ['update file set n = 1 where id = 1', `update file set folder = 'g' where id = 1`, `update file set body = 'y' where id = 2`, 'update file set id = 3 where id = 2', 'delete from file where id = 3', 'update file set n = 5']) {
        await db.query(text);
        await follow();
      }
    });

    test('at random', { timeout: 120_000 }, async () => {
      const all = [];
      for (const query of Object.keys(questions)) all.push(await held(query));
      for (let i = 0; i < (process.env.LONG ? 3000 : 120); i++) {
        const id = 1 + random(8), team = 1 + random(2), body = pick([`repeat('${pick([...'abc'])}', 9000)`, `'plain'`, `'short${random(3)}'`]);
        await db.query(pick([
          `insert into letter values (${id}, ${team}, ${random(20)}, ${body}) on conflict (id) do update set n = excluded.n`,
          `insert into paper values (${id}, ${team}, 0, ${body}, null) on conflict (id) do update set team_id = excluded.team_id`,
          `update letter set team_id = ${team}, n = n + 1 where id = ${id}`, `update letter set n = ${random(20)} where id % 3 = ${random(3)}`,
          `update paper set n = n + 1 where id = ${id}`, `update paper set seal = ${pick(['null', 'body', body])} where id = ${id}`, `update paper set body = ${body} where id = ${id}`,
          `begin; update letter set body = ${body} where id = ${id}; update letter set team_id = 3 - team_id where id = ${id}; commit`,
          `delete from ${pick(['letter', 'paper'])} where id = ${id}`,
        ]));
        if (i % 20 === 19) for (const one of all) await one.follows();
      }
    });
  });

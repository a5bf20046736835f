// At every moment of what others write, a subscriber holds what some commit left, and its frames say which: fed by the log.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { seed, staff } from './board.mjs';
import { checkHistory, checkWholeTransactions, place } from './moments.mjs';

const people = [...['ada', 'bob', 'eve'].map((user) => ({ sub: users[user] })), staff];
let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'live_moments', seed });
});
after(() => app.close());

const how = {
  open: (who) => Live.open(app.port, { headers: credentials(who) }),
  connect: () => connect(app.cluster, app.name),
  lose: `select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'live_moments'`,
};

test('each state is what a commit left, in the order of the commits', { timeout: 600_000 }, async () => {
  await checkHistory({ ...how, people });
});

test('each state has whole transactions of all that write at once', { timeout: 600_000 }, async () => {
  await checkWholeTransactions(how);
});

test('Pgstack-Lsn of a write finds the delta that tells of it, whoever else writes', { timeout: 120_000 }, async () => {
  const writers = 5, each = 12, written = new Map(), live = await how.open(staff);
  const tickets = await live.subscribe('t', 'tickets', { team_id: 3 }).ready(), told = [];
  tickets.told = ({ inserted = [], lsn }) => told.push({ ids: inserted.map(({ id }) => id), lsn: place(lsn) });
  await Promise.all(Array.from({ length: writers }, async (_, w) => {
    let behind = 0n; // the write before: this one begins later
    for (let i = 0; i < each; i++) {
      const id = 5000 + w * each + i;
      const r = await app.ask('service', 'POST', '/rest/v1/ticket', { id, team_id: 3, title: `of ${w}` });
      assert.equal(r.status, 201, r.text);
      written.set(id, { after: behind, behind: behind = place(r.headers['pgstack-lsn']) });
    }
  }));
  await until('all of them', () => told.flatMap(({ ids }) => ids).length === writers * each);
  for (const [id, { after: least, behind }] of written) {
    const at = told.findIndex(({ ids }) => ids.includes(id)), { lsn } = told[at];
    assert.ok(least < lsn && lsn <= behind, `${id}: ${least} < ${lsn} <= ${behind}`);
    const holds = told.findIndex((frame) => frame.lsn >= behind);
    assert.ok(holds === -1 || holds >= at, `${id}: a frame of that place has it`);
  }
  assert.deepEqual(told.map(({ lsn }) => lsn), told.map(({ lsn }) => lsn).sort((a, b) => (a < b ? -1 : 1)), 'places go forward');
  await app.db.query('delete from ticket where id >= 5000');
  await live.close();
});

// At every moment of what others write, a subscriber holds what some commit left: fed by the log.
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { connect } from '../lib/postgres.mjs';
import { seed, staff } from './board.mjs';
import { checkHistory, checkWholeTransactions } from './moments.mjs';

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

// Whatever the compiler accepts, PostgreSQL accepts too: the migration of each case of 2-golden
// applies, its down part leaves nothing, and it applies again.  Its publication stops no write.
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';
import { upDownUp } from '../lib/updown.mjs';

const cases = join(root, 'tests/2-golden');

const isAccepted = (name) => existsSync(join(cases, name, 'in')) &&
  (existsSync(join(cases, name, 'out')) || !/error\[/.test(readFileSync(join(cases, name, 'errors.txt'), 'utf8')));

/** PostgreSQL looks for a replica identity when the statement begins, whatever it finds to delete. */
async function canDelete(db) {
  for (const { name } of await db.rows(`select oid::regclass::text as name from pg_class where relkind = 'r' and oid >= 16384 order by 1`))
    await db.query(`delete from only ${name} where false`);
}

describe('golden', () => {
  let cluster;
  let admin;
  before(async () => {
    cluster = await theCluster();
    admin = await connect(cluster, 'postgres');
  });
  after(async () => {
    await admin?.end();
    await cluster?.stop();
  });

  for (const name of readdirSync(cases).filter(isAccepted))
    test(name, async () => {
      const project = mkdtempSync(join(scratch, 'golden-'));
      if (existsSync(join(cases, name, 'out'))) {
        cpSync(join(cases, name, 'out'), project, { recursive: true });
      } else {
        cpSync(join(cases, name, 'in'), project, { recursive: true });
        await run(pgstack, ['generate', '-C', project]);
      }
      await upDownUp(cluster, admin, project, 'sql_golden', canDelete);
    });
});

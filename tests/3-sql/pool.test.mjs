// The runtime's pool on a real PostgreSQL: the programs pool_*_test, each case under its own name.
//
// PGS_TEST_CASE picks cases by their name, PGS_TEST_SEED repeats a run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { certificate } from '../lib/h2.mjs';
import { build } from '../lib/paths.mjs';
import { Cluster, connect, password, theCluster } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';

const { PGS_TEST_CASE: chosen, ...env } = process.env;

/** A database with a login that has no rights yet, and where to find both. */
async function makeDatabase(cluster) {
  const db = await connect(cluster, 'postgres');
  await db.query('drop database if exists sql_pool with (force)');
  await db.query('drop role if exists pool_login');
  await db.query('create database sql_pool');
  await db.query(`create role pool_login login noinherit password '${password}'`);
  await db.end();
  return {
    PGS_TEST_CONNINFO: cluster.loginUrl('pool_login', 'sql_pool'),
    PGS_TEST_ADMIN_CONNINFO: cluster.superUrl('sql_pool'),
  };
}

/** Runs a program to its end; `obey` does what it asks for in lines that begin with `> `. */
async function runProgram(name, where, obey) {
  const child = spawn(join(build, 'tests/3-sql', name), chosen ? [chosen] : [], {
    env: { ...env, ...where, CMOCKA_MESSAGE_OUTPUT: 'TAP' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  let out = '';
  let err = '';
  child.stdin.on('error', () => {}); // it may have ended before it reads
  child.stderr.on('data', (data) => (err += data));
  createInterface({ input: child.stdout }).on('line', async (line) => {
    if (!line.startsWith('> ')) out += `${line}\n`;
    else child.stdin.write(`${await obey(line.slice(2)).catch(String)}\n`);
  });
  const [code, signal] = await once(child, 'close');
  process.off('exit', kill);
  return { ended: signal ?? code, out, err };
}

/** The cases of a TAP report; `text` has the lines behind a case that failed. */
function readCases(out) {
  return out.split(/^(?=(?:not )?ok \d+ - )/m).slice(1).map((text) => {
    const [, not, name] = /^(not )?ok \d+ - (\w+)/.exec(text);
    return { name, text, passed: !not };
  });
}

/** What a C program said; where this file noticed it is of no use to anybody. */
function complaint(...lines) {
  const error = new Error(lines.join('\n'));
  error.stack = error.message;
  return error;
}

const alone = (out, which = '') => `alone: make test T=3-sql/pool ${which}${/PGS_TEST_SEED=\d+/.exec(out) ?? ''}`;

/** Fails with what the program said about the case, and how to run that alone. */
function judge(one, out, err) {
  if (!one.passed) throw complaint(one.text + err, alone(out, `PGS_TEST_CASE=${one.name} `));
}

/** One test of this file for each case of a program, and one for how it ended. */
async function report(t, name, where, obey) {
  const { ended, out, err } = await runProgram(name, where, obey);
  const cases = readCases(out);
  for (const one of cases)
    await t.test(`${name} ${one.name}`, () => judge(one, out, err));
  if (ended !== 0 && cases.every((one) => one.passed)) 
    throw complaint(`${name} ended with ${ended}`, out, err, alone(out));
}

describe('the pool', () => {
  let cluster;
  let where;
  before(async () => {
    cluster = await theCluster();
    where = await makeDatabase(cluster);
  });
  after(() => cluster?.stop());

  for (const name of ['pool_test', 'pool_statement_test', 'pool_fault_test', 'pool_crowd_test', 'pool_libpq_test', 'pool_torture_test'])
    test(name, (t) => report(t, name, where));
});

/** Switches TLS on, with a certificate of its own. */
async function secure(cluster) {
  const { cert, key } = certificate(cluster.sockets);
  for (const [from, to] of [[cert, 'server.crt'], [key, 'server.key']]) {
    const file = join(cluster.data, to);
    writeFileSync(file, readFileSync(from), { mode: 0o600 });
    const { uid, gid } = statSync(cluster.data);
    chownSync(file, uid, gid);
  }
  const db = await connect(cluster, 'postgres');
  await db.query('alter system set ssl = on');
  await db.query('select pg_reload_conf()');
  await until('TLS to be on', () => db.value('show ssl').then((is) => is === 'on'));
  await db.end();
}

describe('the pool over TLS', () => {
  let cluster;
  let where;
  before(async () => {
    cluster = await Cluster.start();
    await secure(cluster);
    where = await makeDatabase(cluster);
    where.PGS_TEST_CONNINFO += '?sslmode=require';
  });
  after(() => cluster?.stop());

  for (const name of ['pool_test', 'pool_fault_test', 'pool_crowd_test', 'pool_libpq_test'])
    test(`${name} over TLS`, (t) => report(t, name, where));
});

// Locking all roles in the suite's PostgreSQL, or stopping it, would hold up all that use it.
describe('the pool on a PostgreSQL of its own', () => {
  let cluster;
  let where;
  before(async () => {
    cluster = await Cluster.start();
    where = await makeDatabase(cluster);
  });
  after(() => cluster?.stop());

  test('pool_cancel_test', (t) => report(t, 'pool_cancel_test', where));

  test('pool_outage_test', async (t) => {
    const orders = {
      crash: () => cluster.down('SIGQUIT'),
      stop: () => cluster.down(),
      start: () => cluster.up(),
    };
    await report(t, 'pool_outage_test', where, (order) => orders[order]());
  });
});

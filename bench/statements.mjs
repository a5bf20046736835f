// The server's own statements, taken from PostgreSQL's log, as scripts for pgbench.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../tests/lib/process.mjs';
import { folder, n_users, rows, uid_base, uid_head } from './stage.mjs';

const settle_ms = 300; // for PostgreSQL to read its settings

/** What PostgreSQL executes for the second of two equal requests. */
export async function statementsOf(stage, ask) {
  const log = async (command) => {
    await stage.db.query(command);
    await stage.db.query('select pg_reload_conf()');
    await sleep(settle_ms);
  };
  await ask();
  await log("alter system set log_statement = 'all'");
  const at = readFileSync(stage.cluster.log, 'utf8').length;
  await ask();
  await log('alter system reset log_statement');
  const text = readFileSync(stage.cluster.log, 'utf8').slice(at);
  const found = [...text.matchAll(/LOG: {2}execute [^:]+: (.*(?:\n(?!\d{4}-).*)*)/g)].map((m) => m[1].trim());
  const session = found.findIndex((s) => /set_config\('role'/.test(s));
  if (session === -1) throw new Error(`no statements in the log:\n${text.slice(0, 2000)}`);
  return found.slice(session);
}

function sessionValues(statement) {
  const known = { role: "'authenticated'", 'pgstack.uid': `'${uid_head}' || :u`, 'pgstack.claim_plan': "'pro'" };
  return [...statement.matchAll(/set_config\('([^']+)', \$/g)].map(([, name]) => known[name]);
}

const filled = (statement, values) => {
  const text = statement.replace(/\$(\d+)/g, (_, i) => `(${values[i - 1]})`);
  if (/undefined/.test(text)) throw new Error(`no values to give pgbench for: ${statement}`);
  return text;
};

/**
 * Files of two scripts with these statements: in one pipeline, and in round trips.  Values are
 * variables, `:id`, `:u` and `:n`, because a constant in the text may make another plan.
 */
export function writeScripts(name, [session, ...others], { values, n }) {
  const choose = `\\set id random(1, ${rows})\n\\set u ${uid_base} + :id % ${n_users}\n\\set n ${n ?? 0}\n`;
  const all = [filled(session, sessionValues(session)), ...others.map((s) => filled(s, values))];
  const texts = {
    pipeline: `${choose}\\startpipeline\n${all.join(';\n')};\n\\endpipeline\n`,
    trips: `${choose}begin;\n${all.join(';\n')};\ncommit;\n`,
  };
  return Object.fromEntries(Object.entries(texts).map(([kind, text]) => {
    const file = join(folder, `${name}-${kind}.sql`);
    writeFileSync(file, text);
    return [kind, file];
  }));
}

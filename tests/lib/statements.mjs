// The closed set of statements: the grammar that `SERVER --dump-sql` prints, and whether a statement
// is of it.  And what PostgreSQL saw of an application, out of its log.
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Rules by name, each a list of alternatives; a name that comes twice has both. */
export function readGrammar(text) {
  const rules = new Map();
  const tokens = text.split('\n').filter((line) => !line.startsWith('#')).join('\n')
    .match(/"(?:[^"\\]|\\.)*"|[^\s"=|(){}[\]]+|[=|(){}[\]]/g);
  let at = 0;
  const sequence = () => {
    const parts = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined || '|)]}'.includes(token) || tokens[at + 1] === '=') return parts;
      at++;
      if ('([{'.includes(token)) {
        const inner = choice();
        at++;
        parts.push({ kind: token, inner });
      } else parts.push(token.startsWith('"') ? { kind: 'text', text: JSON.parse(token) } : { kind: 'rule', name: token });
    }
  };
  const choice = () => {
    const alternatives = [sequence()];
    while (tokens[at] === '|') {
      at++;
      alternatives.push(sequence());
    }
    return alternatives;
  };
  while (at < tokens.length) {
    const name = tokens[at];
    if (tokens[at + 1] !== '=') throw new Error(`no rule begins at ${tokens.slice(at, at + 5)}`);
    at += 2;
    rules.set(name, [...rules.get(name) ?? [], ...choice()]);
  }
  return rules;
}

/** Whether the whole text is a `statement`: all ways are followed, each end of a rule once. */
export function isOf(rules, text) {
  const known = new Map();
  const rule = (name, from) => {
    if (name === 'none') return [];
    if (name === 'number') {
      const digits = /^\d+/.exec(text.slice(from, from + 20));
      return digits ? [from + digits[0].length] : [];
    }
    const key = `${name} ${from}`;
    if (!known.has(key)) {
      if (!rules.has(name)) throw new Error(`no rule ${name}`);
      known.set(key, []);
      known.set(key, choice(rules.get(name), from));
    }
    return known.get(key);
  };
  const choice = (alternatives, from) => [...new Set(alternatives.flatMap((parts) => sequence(parts, from)))];
  const sequence = (parts, from) => {
    let ends = [from];
    for (const part of parts) {
      ends = [...new Set(ends.flatMap((end) => one(part, end)))];
      if (ends.length === 0) break;
    }
    return ends;
  };
  const one = (part, from) => {
    if (part.kind === 'text') return text.startsWith(part.text, from) ? [from + part.text.length] : [];
    if (part.kind === 'rule') return rule(part.name, from);
    if (part.kind === '(') return choice(part.inner, from);
    if (part.kind === '[') return [from, ...choice(part.inner, from)];
    const ends = new Set([from]);
    for (let fresh = [from]; fresh.length > 0;) {
      fresh = [...new Set(fresh.flatMap((end) => choice(part.inner, end)))].filter((end) => !ends.has(end));
      for (const end of fresh) ends.add(end);
    }
    return [...ends];
  };
  return rule('statement', 0).includes(text.length);
}

/** Has PostgreSQL log what the login roles send to database `name`, from their next login on. */
export async function watchStatements(db, name) {
  const roles = await db.rows("select rolname from pg_roles where rolname in ('authenticator', 'authenticator_admin', 'pgstack_replicator')");
  for (const { rolname: role } of roles)
    await db.query(`alter role ${role} in database ${name} set log_statement = 'all';
      alter role ${role} in database ${name} set log_parameter_max_length = 200`);
}

export function logSize(log) {
  const fd = openSync(log, 'r');
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

/** The log from there on, in pieces of whole entries: that of a long run is longer than a string can be. */
function* entries(log, from) {
  const fd = openSync(log, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let bytes = Buffer.alloc(16_000_000), n; (n = readSync(fd, bytes, 0, bytes.length, from)) > 0; from += n) {
      const all = Buffer.concat([rest, bytes.subarray(0, n)]);
      let end = all.lastIndexOf('\n');
      while (end > 0 && (end === all.length - 1 || all[end + 1] === 9)) end = all.lastIndexOf('\n', end - 1); // lines that begin with a tab go on
      yield all.toString('utf8', 0, end + 1);
      rest = all.subarray(end + 1);
    }
    yield rest.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

/** The statements that were sent to database `name` since the log had `from` bytes, each once. */
export function seenStatements(log, from, name) {
  const seen = new Set();
  const pattern = new RegExp(`^[^\\n\\t]*(?:authenticator(?:_admin)?|pgstack_replicator)@${name} (?:LOG:  (?:execute [^:\\n]*|statement)|STATEMENT):  ?(.*(?:\\n\\t.*)*)`, 'gm');
  for (const text of entries(log, from))
    for (const [, statement] of text.matchAll(pattern)) seen.add(statement.replaceAll('\n\t', '\n'));
  return seen;
}

export const grammarOf = (program) => readGrammar(execFileSync(program, ['--dump-sql'], { encoding: 'utf8', env: {} }));

/** Throws when one of the statements is not of the program's closed set. */
export function checkStatements(program, statements) {
  const rules = grammarOf(program);
  const others = [...statements].filter((statement) => !isOf(rules, statement));
  if (others.length > 0) throw new Error(`${others.length} statements that --dump-sql does not know, as\n${others.slice(0, 5).join('\n')}`);
}

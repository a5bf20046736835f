// `pgstack access` and `pgstack diff --access`: who may do what, and who gained or lost what.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';

mkdirSync(scratch, { recursive: true });

function call(...args) {
  const { status, signal, stdout, stderr } = spawnSync(pgstack, args, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(signal, null, 'it hangs or dies');
  return { status, out: stdout, err: stderr };
}

function project(from = '.') {
  const folder = mkdtempSync(join(scratch, 'access-'));
  for (const part of ['schema', 'policies']) cpSync(join(root, from, part), join(folder, part), { recursive: true });
  return folder;
}

/** A copy of the root application in which `from`, whatever its white space, has become `to`. */
function changed(from, to, file = 'policies/desk.schema') {
  const folder = project();
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const pattern = new RegExp(from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'));
  assert.match(text, pattern);
  writeFileSync(path, text.replace(pattern, () => to));
  return folder;
}

const desk = project();

/** Compares the root application with its copy; `expected` are lines of the text. */
function compare(folder, status, ...expected) {
  const result = call('diff', '--access', desk, folder);
  for (const line of expected) assert.ok(result.out.includes(line), `${line}\n---\n${result.out}${result.err}`);
  assert.equal(result.status, status, result.out + result.err);
  return result.out;
}

test('access: a role, what it inherits, joined policies, what names mean', () => {
  const { status, out } = call('access', '-C', desk, '--role', 'support', '--table', 'ticket');
  assert.equal(status, 0);
  assert.match(out, /^ {4}update {2}team_id, duplicate_of; as authenticated: title, body, state/m);
  assert.match(out, /^ {4}insert {2}as authenticated: .*\n {6}new row: author_id = auth\.uid\(\) and in_team\(team_id\)$/m);
  assert.match(out, /^predicate in_team\(team\): exists/m);
  assert.ok(!/sees_ticket|^ {2}authenticated$/m.test(out));
});

test('access: by command, and a table that a role may not touch', () => {
  const calls = call('access', '-C', desk, '--command', 'call').out;
  assert.match(calls, /^query ticket_ages\n(.*\n)* {2}unchecked: [0-9a-f]{12}\n {2}support\n {4}call$/m);
  assert.ok(!calls.includes('table '));
  assert.match(call('access', '-C', desk, '--role', 'anon', '--table', 'ticket').out, /nobody|service_role/);
});

test('access: JSON', () => {
  const { objects } = JSON.parse(call('access', '-C', desk, '--format', 'json', '--table', 'team').out);
  assert.deepEqual(objects.map((o) => o.name), ['team']);
  const [update] = objects[0].rights.filter((r) => r.role === 'support' && r.command === 'update');
  assert.deepEqual(update, { role: 'support', command: 'update', columns: ['name', 'settings'], rows: 'every row', unchecked: false });
  assert.ok(objects[0].routes.some((r) => r.route === 'DELETE /rest/v1/team' && r.service_role_alone));
});

test('access: what is not there, with the nearest name', () => {
  for (const [args, expected] of [
    [['--role', 'suport'], /no role "suport"; did you mean "support"\?/],
    [['--table', 'tikket'], /no table, view, query or function "tikket"; did you mean "ticket"\?/],
    [['--command', 'updat'], /no command "updat"; did you mean "update"\?/],
  ]) {
    const { status, err } = call('access', '-C', desk, ...args);
    assert.equal(status, 1);
    assert.match(err, expected);
  }
  assert.equal(call('access', '-C', desk, '--format', 'xml').status, 2);
  assert.equal(call('access', '-C', desk, 'ticket').status, 2);
});

test('access: hostile names are found by their own name', () => {
  const folder = mkdtempSync(join(scratch, 'access-'));
  cpSync(join(root, 'tests/2-golden/hostile-names/in'), folder, { recursive: true });
  const { status, out } = call('access', '-C', folder, '--role', 'the "boss"', '--table', '9 lives; drop table "int"');
  assert.equal(status, 0);
  assert.match(out, /^table "9 lives; drop table ""int"""$/m);
  assert.match(out, /^ {2}"the ""boss"""$/m);
  assert.equal(call('diff', '--access', folder, folder).out, 'nobody gained or lost anything\n');
});

test('access.txt: characters that deceive the eye are written out', () => {
  const folder = project('tests/2-golden/note/in');
  const path = join(folder, 'policies/app.schema');
  writeFileSync(path, `${readFileSync(path, 'utf8')}\npredicate odd() as 'a\u202eb\u200b' = 'c';\n`);
  assert.equal(call('generate', '-C', folder).status, 0);
  const text = readFileSync(join(folder, 'generated/access.txt'), 'utf8');
  assert.match(text, /^predicate odd\(\): 'a\\u202eb\\u200b' = 'c'$/m);
});

test('diff: the same, and what moves no right', () => {
  compare(project(), 0, 'nobody gained or lost anything');
  compare(changed('-- The helpdesk: who may do what', '-- Something else'), 0, 'nobody gained');
  compare(changed('using (user_id = auth.uid() and plan = \'pro\')', 'using (plan = \'pro\'  AND (auth.uid() = user_id))'), 0, 'nobody gained');
  compare(changed('grant select on ticket_count to authenticated;', 'grant select on ticket_count to support;'), 0, 'narrowed  view ticket_count: authenticated may no longer select');
});

test('diff: columns', () => {
  compare(changed('update (rate)', 'update (rate, day)'), 2, 'widened   table time_entry: support update columns\n  +     day');
  compare(changed('grant select (id, name, created_at)', 'grant select (id, name)'), 0, 'narrowed  table team: authenticated select columns\n  -     created_at');
  compare(changed('due           date,', 'due           date,\n  secret        text,', 'schema/desk.schema'), 2, 'widened   table ticket: authenticated select columns\n  +     secret');
});

test('diff: rows', () => {
  compare(changed('using (not internal and sees_ticket(ticket_id))', 'using (sees_ticket(ticket_id))'), 2,
    'widened   table comment: authenticated select rows\n  was   not internal and sees_ticket(ticket_id)\n  now   sees_ticket(ticket_id)\n  by    comments_seen changed');
  compare(changed('to anon, authenticated using (published)', "to anon, authenticated using (published and slug <> 'draft')"), 0,
    'narrowed  table article: anon select rows');
  compare(changed('using (not internal and sees_ticket(ticket_id))', 'using (not internal and author_id = auth.uid())'), 2,
    'changed   table comment: authenticated select rows', 'cannot be said which');
  compare(changed('policy tickets_seen', 'policy own_seen on ticket for select to authenticated using (author_id = auth.uid());\npolicy tickets_seen'), 2,
    'widened   table ticket: authenticated select rows', 'by    own_seen added');
  compare(changed('policy comments_seen', 'policy calm on comment as restrictive for select to authenticated using (ticket_id > 10);\npolicy comments_seen'), 0,
    'narrowed  table comment: authenticated select rows', 'and only ticket_id > 10', 'calm added');
});

/** The rows of one role by `old` and by `now`: what diff says of them. */
function verdict(old, now) {
  const folder = mkdtempSync(join(scratch, 'access-'));
  const text = (condition) => `Who may do what.\n\nrole r: a user's token\n\ntable t\n  r may select: a\n  r select rows by p: ${condition}\n`;
  writeFileSync(join(folder, 'old.txt'), text(old));
  writeFileSync(join(folder, 'now.txt'), text(now));
  const { out } = call('diff', '--access', join(folder, 'old.txt'), join(folder, 'now.txt'));
  return out.startsWith('nobody') ? 'same' : out.split(' ')[0];
}

test('diff: one condition in two spellings is the same', () => {
  for (const [a, b] of [
    ['internal = false', 'not internal'],
    ['internal <> true', 'not internal'],
    ['a = 1 and b = 2', '(b = 2) and ((1 = a))'],
    ['a or b or c', 'c or (b or a)'],
    ['a in (1)', 'a = 1'],
    ['a not in (1)', 'a <> 1'],
    ["a = any (array['x', 'y'])", "a in ('y', 'x')"],
    ['not (a or b)', 'not b and not a'],
    ['a between 1 and 3', 'a >= 1 and 3 >= a'],
    ['owner = auth.uid()::uuid', '(auth.uid()) = owner'],
    ['cast(a as int) = b', 'b = a::int4'],
    ['a is not null', 'not (a is null)'],
    ["name like 'x%'", "not (name not like 'x%')"],
    ["x = 'it''s'", "x = E'it\\'s'"],
    ['f(a = b)', 'f(b = a)'],
    ['case when a = 1 then b else c end', 'case when (1 = a) then b else c end'],
    ['exists (select 1 from m where m.t = team and m.u = auth.uid())', 'exists (SELECT 1 FROM m WHERE (auth.uid() = m.u) AND team = m.t)'],
    ['a not in (select x from y where p and q)', 'not (a in (select x from y where q and p))'],
  ]) {
    assert.equal(verdict(a, b), 'same', `${a} | ${b}`);
    assert.equal(verdict(b, a), 'same', `${b} | ${a}`);
  }
});

test('diff: what only looks alike is not the same', () => {
  for (const [a, b] of [
    ['a < b', 'b < a'],
    ["a = 1", "a = '1'"],
    ['f(a, b)', 'f(b, a)'],
    ['a - b = c', 'b - a = c'],
    ['a::text = \'x\'', "a = 'x'"],
    ['"X" = y', 'x = y'],
    ['a in (select x from y)', 'a not in (select x from y)'],
    ['not (a is null)', 'a is null'],
    ['current_date = a', '"current_date" = a'],
    ['count(*) filter (where a) > 1', 'count(*) filter (where b) > 1'],
    ['exists (select 1 from m limit 1 offset 1)', 'exists (select 1 from m)'],
  ])
    assert.notEqual(verdict(a, b), 'same', `${a} | ${b}`);
});

/** What `old` and `now`, added to the root application, differ in. */
function added(old, now, status, ...expected) {
  const folders = [old, now].map((text) => {
    const folder = project();
    writeFileSync(join(folder, 'policies/more.schema'), text);
    return folder;
  });
  const result = call('diff', '--access', ...folders);
  for (const line of expected) assert.ok(result.out.includes(line), `${line}\n---\n${result.out}${result.err}`);
  assert.equal(result.status, status, result.out + result.err);
  return result.out;
}

test('diff: functions', () => {
  const mine = (where) => `function mine() returns bigint to authenticated stable security definer set search_path = '' as
    select count(*) from member where ${where};`;
  const own = mine('user_id = auth.uid()');
  added('', own, 2, 'widened   function mine: authenticated may now call', 'widened   function mine: runs as the owner', 'widened   function mine: reads past policies\n  +     member');
  added(own, '', 0, 'narrowed  function mine: authenticated may no longer call');
  added(own, own.replace('member where', 'member   where /* all mine */'), 0, 'nobody gained');
  added(own, mine('user_id = auth.uid() or auth.uid() = user_id'), 2, 'changed   function mine: body');
  added(own, own.replace('from member', 'from member natural').replace(' natural', ' as m join team t on t.id = m.team_id'), 2, 'widened   function mine: reads past policies\n  +     team');
  added(own, `${own} endpoint mine;`, 2, 'widened   function mine: route GET /rest/v1/rpc/mine');
  const work = (body) => `function work() returns bigint to authenticated as ${body};`;
  added(work('select 1::bigint'), work('select 2::bigint'), 0, 'nobody gained');
  added(work('$$ select 1 $$'), work('$$ select 2 $$'), 2, 'changed   function work: unchecked');
});

test('diff: a function in a condition says what the condition says', () => {
  const policy = (value) => `function calm(t bigint) returns boolean to authenticated stable as select t > ${value};
    policy calm on comment as restrictive for select to authenticated using (calm(ticket_id));`;
  added(policy(1), policy(1), 0, 'nobody gained');
  added(policy(1), policy(2), 2, 'changed   table comment: authenticated select rows');
});

test('diff: triggers', () => {
  const trigger = (when) => `function touch() returns trigger as $$ begin return new; end $$;
    trigger touched before update on comment for each row ${when} execute touch();`;
  added('function touch() returns trigger as $$ begin return new; end $$;', trigger(''), 2, 'changed   table comment: trigger touched');
  added(trigger(''), 'function touch() returns trigger as $$ begin return new; end $$;', 2, 'changed   table comment: trigger touched', 'now   not said');
  added(trigger(''), trigger('when (new.id > 1)'), 2, 'changed   table comment: trigger touched');
});

test('diff: live queries', () => {
  const live = (what) => `live talk ${what} limit 10;`;
  const select = live('(t bigint) to authenticated as select id, body from comment where ticket_id = t order by id');
  added('', select, 2, 'widened   live talk: authenticated may now subscribe\n  +     body, id');
  added(select, select.replace('body', 'body, author_id'), 2, 'widened   live talk: authenticated subscribe columns\n  +     author_id');
  added(select, select.replace('= t', '= t and not internal'), 0, 'narrowed  live talk: rows');
  added(select, select.replace('ticket_id = t', 't = ticket_id'), 0, 'nobody gained');
  added(live('on comment (id, body) filter (ticket_id) to authenticated'), live('on comment (id, body) filter (author_id) to authenticated'), 2,
    'narrowed  live talk: asks for\n  +     author_id', 'widened   live talk: asks for\n  -     ticket_id');
});

test('diff: what live queries look up and follow', () => {
  const live = (where) => `predicate mine(t uuid) security definer as exists (select from member m where m.team_id = t and m.user_id = auth.uid());
    live talk(t uuid) to authenticated as select id from ticket where team_id = t and ${where} order by id limit 10;`;
  added(live('author_id = auth.uid()'), live('author_id = auth.uid() and mine(team_id)'), 2, "widened   predicate mine(t), lists the caller's rows of\n  +     member");
  assert.doesNotMatch(added(live('author_id = auth.uid()'), live("author_id = auth.uid() and title <> ''"), 0, 'narrowed  live talk: rows'), /published/);
});

test('diff: private columns that go into the log', () => {
  const pin = (key) => `table pin (id bigint ${key}, owner_id uuid not null, code text private, index (owner_id));
    grant select (id, owner_id) on pin to authenticated;
    policy pins on pin for select to authenticated using (owner_id = auth.uid());
    live pins(owner uuid) to authenticated as select id from pin where owner_id = owner order by id limit 10;`;
  const whole = 'primary key deferrable initially deferred';
  added(pin('primary key'), pin(whole), 2, 'widened   table pin: private, yet published to pgstack_replicator\n  +     code');
  added(pin(whole), pin('primary key'), 0, 'narrowed  table pin: private, yet published to pgstack_replicator\n  -     code');
});

test('diff: webhooks', () => {
  const hook = (columns, when = '') => `webhook solved on ticket after update ${when} send (${columns}) to env A_URL signed env A_KEY;`;
  added('', hook('id'), 2, 'widened   webhook solved: sends past all policies\n  +     id');
  added(hook('id, title'), '', 0, 'narrowed  webhook solved: sends past all policies\n  -     id, title');
  added(hook('id'), hook('id, title'), 2, 'widened   webhook solved: sends past all policies\n  +     title');
  added(hook('id'), hook('id', "when (new.state = 'solved')"), 0, 'narrowed  webhook solved: when');
  added(hook('id', "when (new.state = 'solved')"), hook('id', "when (new.state in ('solved', 'open'))"), 2, 'widened   webhook solved: when');
  added(hook('id'), hook('id').replace('A_URL', 'B_URL'), 2, 'changed   webhook solved: address');
});

test('diff: a rate limit more narrows, one less widens', () => {
  const limited = 'endpoint comment limit 100 per minute by user;';
  compare(changed('endpoint comment;', limited), 0, 'narrowed  table comment: limited\n  +     100 per minute by user');
  const folder = changed('endpoint comment;', limited);
  const result = call('diff', '--access', folder, desk);
  assert.match(result.out, /widened {3}table comment: limited\n {2}- {5}100 per minute by user/);
  assert.equal(result.status, 2);
});

test('diff: auth', () => {
  const auth = (more) => `auth { site 'https://a.example.com'; ${more} }`;
  added('', auth(''), 2, 'widened   auth: site');
  added(auth(''), auth('anonymous_sign_in off;'), 0, 'nobody gained');
  const redirect = auth("redirects 'https://a.example.com/in';");
  added(auth(''), redirect, 2, 'widened   auth: redirect https://a.example.com/in');
  added(redirect, auth(''), 0, 'narrowed  auth: redirect https://a.example.com/in');
});

test('diff: a new row', () => {
  compare(changed("with check (user_id = auth.uid() and plan = 'pro' and sees_ticket(ticket_id))", 'with check (user_id = auth.uid() and sees_ticket(ticket_id))'), 2,
    'widened   table time_entry: authenticated insert new row', 'widened   table time_entry: authenticated update new row');
});

test('diff: what a predicate, a claim or a role means', () => {
  compare(changed('m.user_id = auth.uid());\n\n-- Reads', 'm.user_id = auth.uid()) and team is not null;\n\n-- Reads'), 0, 'narrowed  table team: authenticated select rows');
  compare(changed('m.user_id = auth.uid());\n\n-- Reads', 'm.user_id = auth.uid()) or team is null;\n\n-- Reads'), 2, 'widened   table team: authenticated select rows');
  compare(changed("'app_metadata.plan'", "'app_metadata.tier'"), 2, 'changed   claim plan', 'changed   table time_entry: authenticated select rows');
  compare(changed("when claim role = 'support'", "when claim role = 'staff'"), 2, 'changed   role support');
  compare(changed('predicate in_team(team uuid) as', 'predicate in_team(team uuid) security definer as'), 2, 'widened   predicate in_team(team), past the policies of');
});

test('diff: routes and raw SQL', () => {
  compare(changed('endpoint attachment;\n', ''), 0, 'narrowed  table attachment: route GET /rest/v1/attachment', 'now   not served');
  compare(changed('policy teams_known   on team   for select, update to', 'grant delete on team to support;\npolicy teams_known on team for select, update, delete to'), 2,
    'widened   table team: route DELETE /rest/v1/team', 'widened   table team: support may now delete');
  compare(changed('order by t.created_at\n$$', 'order by t.id\n$$'), 2, 'changed   query ticket_ages: unchecked');
  const raw = project();
  writeFileSync(join(raw, 'schema/raw.schema'), 'sql $$ select 1 $$ down $$ select 2 $$;\n');
  compare(raw, 2, 'changed   sql in "schema/raw.schema"');
});

test('diff: access.txt files, --allow-widening, JSON, Markdown', () => {
  const wide = changed('update (rate)', 'update (rate, day)');
  assert.equal(call('generate', '-C', wide).status, 0);
  const file = join(wide, 'generated/access.txt');
  assert.equal(call('diff', '--access', desk, file).status, 2);
  assert.equal(call('diff', '--access', file, desk).status, 0);
  assert.equal(call('diff', '--access', '--allow-widening', desk, file).status, 0);
  const json = JSON.parse(call('diff', '--access', desk, file, '--format', 'json').out);
  assert.deepEqual(json, { result: 'widened', narrowed: 0, widened: 1, changed: 0, changes: [
    { direction: 'widened', where: 'table time_entry', role: 'support', command: 'update', what: 'columns', gained: ['day'] }] });
  const markdown = call('diff', '--access', desk, file, '--format', 'markdown').out;
  assert.match(markdown, /^\| \*\*widened\*\* \| table time&#95;entry&#58; support update columns \| gained day \|$/m);
});

test('diff: a git revision', (t) => {
  const folder = changed('update (rate)', 'update (rate, day)');
  const git = (...args) => spawnSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { encoding: 'utf8' });
  if (git('init', '-q').status !== 0) return t.skip('there is no git');
  call('generate', '-C', folder);
  git('add', '-A');
  git('commit', '-qm', 'one');
  writeFileSync(join(folder, 'policies/desk.schema'), readFileSync(join(root, 'policies/desk.schema')));
  const { status, out } = call('diff', '-C', folder, '--access', 'HEAD:', '.');
  assert.match(out, /^narrowed {2}table time_entry: support update columns$/m);
  assert.equal(status, 0);
  assert.equal(call('diff', '-C', folder, '--access', 'nowhere:', '.').status, 1);
});

test('diff: errors are 1, never 2', () => {
  const broken = changed('using (published)', 'using (publisht)');
  for (const args of [[], ['a'], ['a', 'b', 'c'], [desk, '/nowhere'], [desk, join(desk, 'policies/desk.schema')], [desk, broken], [broken, desk], [desk, desk, '--format', 'xml'], [desk, desk, '--nonsense']]) {
    const { status, err } = call('diff', '--access', ...args);
    assert.equal(status, 1, `${args}\n${err}`);
    assert.notEqual(err, '');
  }
  assert.equal(call('diff', desk, desk).status, 1);
});

// The verdicts against the truth: conditions over three columns that may be null, all values tried.
test('diff: no verdict of `narrowed` or `same` is wrong', () => {
  let seed = 7;
  const random = (n) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  const value = { and: (a, b) => Math.min(a, b), or: (a, b) => Math.max(a, b) };
  const leaf = () => {
    const column = 'abc'[random(3)];
    const values = [[1], [1, 2], [1, 2, 3], [2, 3], [3]][random(5)];
    const yes = (row) => (row[column] === null ? 0 : values.includes(row[column]) ? 1 : -1);
    switch (random(5)) {
      case 0: return { text: `${column} = ${values[0]}`, of: (row) => (row[column] === null ? 0 : row[column] === values[0] ? 1 : -1) };
      case 1: return { text: `${column} <> ${values[0]}`, of: (row) => (row[column] === null ? 0 : row[column] === values[0] ? -1 : 1) };
      case 2: return { text: `${column} not in (${values.join(', ')}, 9)`, of: (row) => -yes(row) };
      default: return { text: `${column} in (${values.join(', ')}, 9)`, of: yes };
    }
  };
  const tree = (depth) => {
    if (depth === 0 || random(4) === 0) return leaf();
    const a = tree(depth - 1);
    if (random(5) === 0) return { text: `not (${a.text})`, of: (row) => -a.of(row) };
    const b = tree(depth - 1), op = random(2) ? 'and' : 'or';
    return { text: `(${a.text}) ${op} (${b.text})`, of: (row) => value[op](a.of(row), b.of(row)) };
  };
  const pairs = Array.from({ length: 3000 }, () => {
    const old = tree(2);
    const other = tree(2);
    const now = [() => other, () => ({ text: `(${old.text}) and (${other.text})`, of: (r) => Math.min(old.of(r), other.of(r)) }),
      () => ({ text: `(${old.text}) or (${other.text})`, of: (r) => Math.max(old.of(r), other.of(r)) })][random(3)]();
    return [old, now];
  });
  const text = (side) => `Who may do what.\n\nrole r: a user's token\n${pairs.map((pair, i) =>
    `\ntable t${i}\n  r may select: a\n  r select rows by p: ${pair[side].text}\n`).join('')}`;
  const folder = mkdtempSync(join(scratch, 'access-'));
  for (const side of [0, 1]) writeFileSync(join(folder, `${side}.txt`), text(side));
  const { changes } = JSON.parse(call('diff', '--access', join(folder, '0.txt'), join(folder, '1.txt'), '--format', 'json').out);
  const verdicts = new Map(changes.map((change) => [change.where, change.direction]));
  const values = [null, 1, 2, 3, 4];
  const told = { narrowed: 0, widened: 0, changed: 0, same: 0 };
  pairs.forEach(([old, now], i) => {
    const verdict = verdicts.get(`table t${i}`) ?? 'same';
    told[verdict]++;
    for (const a of values) for (const b of values) for (const c of values) {
      const before = old.of({ a, b, c }) === 1, after = now.of({ a, b, c }) === 1;
      if (verdict === 'narrowed' || verdict === 'same') assert.ok(!after || before, `${old.text} -> ${now.text}: ${verdict}`);
      if (verdict === 'widened' || verdict === 'same') assert.ok(!before || after, `${old.text} -> ${now.text}: ${verdict}`);
    }
  });
  assert.ok(told.narrowed > 500 && told.widened > 500, JSON.stringify(told));
});

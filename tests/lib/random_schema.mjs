// A random schema that the compiler must accept: every form of the language may occur, each caller's
// rights hold together, and names are as hostile as PostgreSQL allows.
import { random } from './random.mjs';

const hostile = ['select', 'while', 'policy', 'Table', 'größe', 'a b', 'it\'s', 'say "so"', '$$', 'list', 'null',
  'default', '__proto__', 'struct', 'row', 'NULL', 'x'.repeat(63), '日本', 'a-b', '%s', '\\n', '*/', 'user', 'end', 'order'];

const scalar = {
  smallint: ['1', '-7'], integer: ['0', '42'], bigint: ['9007199254740993', '-1'], numeric: ['1.50', '0'],
  'numeric(8, 2)': ['3.14'], real: ['1.5'], 'double precision': ['2.5e3'], boolean: ['true', 'false'],
  text: ["'some text'", "''", "'it''s'"], 'varchar(20)': ["'short'"], uuid: ["'00000000-0000-0000-0000-000000000001'"],
  bytea: ["'\\x00ff'"], date: ["'2026-01-31'"], time: ["'12:30'"], timestamp: ["'2026-01-31 12:30'"],
  timestamptz: ["'2026-01-31 12:30+00'"], json: ["'{\"a\": 1}'"], jsonb: ["'[1, 2]'"], interval: ["'1 day'"],
  inet: ["'10.0.0.1'"], cidr: ["'10.0.0.0/8'"], macaddr: ["'08:00:2b:01:02:03'"], 'bit(4)': ["'1010'"],
  'bit varying(8)': ["'101'"], timetz: ["'12:30+02'"], 'char(3)': ["'abc'"], int4range: ["'[1,5)'"],
  daterange: ["'[2026-01-01,2026-02-01)'"], tstzrange: ["'empty'"], nummultirange: ["'{[1,2]}'"], tsvector: ["'cat dog'"],
};
const comparable = new Set(['smallint', 'integer', 'bigint', 'numeric', 'numeric(8, 2)', 'text', 'varchar(20)', 'uuid', 'date',
  'time', 'timestamp', 'timestamptz', 'interval', 'inet', 'boolean']);
const countable = ['smallint', 'integer', 'bigint', 'numeric', 'numeric(8, 2)'];

export function quoted(name) {
  return /^[a-z][a-z0-9_]*$/.test(name) && !hostile.includes(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The text of a schema: { seed, text }. */
export function randomSchema(seed) {
  return { seed, text: new Schema(random(seed)).text() };
}

class Schema {
  constructor(r) {
    this.r = r;
    this.used = new Set();
    this.lines = ['pgstack 1;', 'app random;'];
    this.enums = [];
    this.domains = [];
    this.composites = [];
    this.tables = [];
  }

  say(...lines) { this.lines.push(...lines); }

  /** A name that nobody has in `taken`; often hostile. */
  name(stem, taken = this.used) {
    for (;;) {
      let name = this.r.chance(0.15) ? this.r.pick(hostile) : `${stem}_${this.r.below(1000)}`;
      if (Buffer.byteLength(name) > 63) name = name.slice(0, 63);
      const key = name.toLowerCase();
      if (taken.has(key)) continue;
      taken.add(key);
      return name;
    }
  }

  text() {
    const { r } = this;
    this.say("claim my_team uuid from 'app_metadata.team';", "claim level integer from 'app_metadata.level';",
      "role support when claim role = 'support' inherits authenticated;");
    for (let i = r.between(0, 2); i > 0; i--) this.enum();
    for (let i = r.between(0, 2); i > 0; i--) this.domain();
    if (r.chance(0.4)) this.composite();
    for (let i = r.between(1, 5); i > 0; i--) this.table();
    if (r.chance(0.6)) this.view();
    if (r.chance(0.6)) this.query();
    if (r.chance(0.5)) this.function();
    return `${this.lines.join('\n')}\n`;
  }

  enum() {
    const labels = [...new Set(Array.from({ length: this.r.between(1, 5) },
      () => (this.r.chance(0.3) ? this.r.pick(hostile) : `label ${this.r.below(50)}`)))];
    const type = { name: this.name('kind'), labels };
    this.enums.push(type);
    this.say(`type ${quoted(type.name)} as enum (${labels.map(literal).join(', ')});`);
  }

  domain() {
    const [base, check] = this.r.pick([['text', 'length(value) < 200'], ['integer', 'value >= 0'], ['numeric', 'value > -1000']]);
    const domain = { name: this.name('dom'), base };
    this.domains.push(domain);
    this.say(`domain ${quoted(domain.name)} as ${base} check (${check});`);
  }

  composite() {
    const type = { name: this.name('pair') };
    this.composites.push(type);
    this.say(`type ${quoted(type.name)} as (a integer, ${quoted('b c')} text);`);
  }

  /** A column's type: { sql, literal, comparable }. */
  type() {
    const { r } = this;
    if (this.enums.length && r.chance(0.15)) {
      const e = r.pick(this.enums);
      return { sql: quoted(e.name), literal: literal(r.pick(e.labels)), comparable: true };
    }
    if (this.domains.length && r.chance(0.1)) {
      const d = r.pick(this.domains);
      return { sql: quoted(d.name), literal: scalar[d.base][0], comparable: true };
    }
    if (this.composites.length && r.chance(0.1))
      return { sql: quoted(r.pick(this.composites).name), literal: null, comparable: false };
    const name = r.pick(Object.keys(scalar));
    if (r.chance(0.12)) return { sql: `${name}[]`, literal: "'{}'", comparable: false };
    return { sql: name, base: name, literal: r.pick(scalar[name]), comparable: comparable.has(name) };
  }

  table() {
    const { r } = this;
    const taken = new Set(['owner_id', 'id', 'index', 'drop', 'soft']);
    const table = { name: this.name('t'), columns: [] };
    const items = [`id ${r.pick(['uuid primary key default gen_random_uuid()', 'bigint primary key generated always as identity',
      'uuid primary key', 'integer primary key generated always as identity'])}`, 'owner_id uuid not null default auth.uid()'];
    table.key_given = items[0] === 'id uuid primary key';
    table.key_type = items[0].split(' ')[1];
    for (let i = r.between(1, 8); i > 0; i--) items.push(this.column(table, taken));
    const plain = table.columns.filter((c) => !c.generated);
    if (r.chance(0.4)) {
      const target = r.pick([...this.tables.filter((t) => !t.partitioned), table]);
      const column = this.name('ref', taken);
      items.push(`${quoted(column)} ${target.key_type} references ${quoted(target.name)}${r.pick(['', ' on delete cascade', ' on delete set null'])}`,
        `index (${quoted(column)})`);
      table.reference = column;
    }
    const sortable = plain.filter((c) => c.comparable);
    if (sortable.length && r.chance(0.5))
      items.push(`index ${r.chance(0.5) ? 'unique ' : ''}(owner_id, ${quoted(r.pick(sortable).name)}${r.pick(['', ' desc', ' desc nulls last'])})`);
    else items.push('index (owner_id)');
    if (sortable.length && r.chance(0.3)) items.push(`unique (owner_id, ${quoted(r.pick(sortable).name)})`);
    if (sortable.length && r.chance(0.3)) items.push(`check (${this.condition(table)})`);
    this.say(`table ${quoted(table.name)} (\n  ${items.join(',\n  ')}${r.chance(0.5) ? ',' : ''}\n);`);
    this.tables.push(table);
    this.rights(table);
  }

  column(table, taken) {
    const { r } = this;
    const numbers = table.columns.filter((c) => countable.includes(c.base) && !c.generated);
    const name = this.name('c', taken);
    if (numbers.length && r.chance(0.15)) {
      table.columns.push({ name, sql: 'numeric', base: 'numeric', literal: '1', comparable: true, generated: true });
      return `${quoted(name)} numeric generated always as (${quoted(r.pick(numbers).name)} * 2) stored`;
    }
    const type = this.type();
    const required = r.chance(0.4);
    const has_default = type.literal !== null && r.chance(0.4);
    table.columns.push({ name, ...type, required, has_default });
    return `${quoted(name)} ${type.sql}${required ? ' not null' : ''}${has_default ? ` default ${type.literal}` : ''}`;
  }

  /** A condition that some row fulfils and some does not. */
  condition(table, prefix = '') {
    const column = this.r.pick(table.columns.filter((c) => c.comparable && c.literal !== null));
    const at = `${prefix}${quoted(column.name)}`;
    const value = column.literal;
    return this.r.pick([`${at} <> ${value}`, `${at} = ${value}`, `${at} in (${value})`, `(${at} = ${value} or ${at} is null)`,
      `not ${at} = ${value}`, `${at} is distinct from ${value}`, `coalesce(${at} = ${value}, false)`,
      `case when ${at} = ${value} then true else ${at} is null end`]);
  }

  rights(table) {
    const { r } = this;
    const name = quoted(table.name);
    const written = table.columns.filter((c) => !c.generated);
    const insert = [...(table.key_given ? ['id'] : []), ...written.map((c) => quoted(c.name))];
    const has_condition = table.columns.some((c) => c.comparable && c.literal !== null);
    const more = has_condition && r.chance(0.5) ? ` and ${this.condition(table)}` : '';
    const own = `owner_id = auth.uid()${more}`;
    this.say(`grant select, insert (${insert.join(', ')}), update (${written.map((c) => quoted(c.name)).join(', ')}), delete on ${name} to authenticated;`,
      `policy ${quoted(this.name('own', new Set()))} on ${name} for select, insert, update, delete to authenticated`,
      `  using (${own}) with check (${own});`);
    if (r.chance(0.3) && has_condition)
      this.say(`policy ${quoted(this.name('extra', new Set()))} on ${name} for select to support using (level > 3 and ${this.condition(table)});`);
    if (r.chance(0.2) && has_condition)
      this.say(`policy ${quoted(this.name('limit', new Set()))} on ${name} as restrictive for delete to authenticated using (${this.condition(table)});`);
    const columns = table.columns.filter((c) => c.comparable);
    this.say(r.chance(0.4) || columns.length === 0 ? `endpoint ${name};` : `endpoint ${name} scan ok {
  list filter (${r.some(columns, 1).map((c) => quoted(c.name)).join(', ')}) order (${quoted(r.pick(columns).name)}) limit 20 max 100;
  ${r.some(['get;', 'create;', 'update;', 'delete;'], 1).join(' ')}
}`);
  }

  view() {
    const { r } = this;
    const table = r.pick(this.tables);
    const shown = r.some(table.columns, 1);
    const view = quoted(this.name('v'));
    if (r.chance(0.5)) {
      this.say(`view ${view} as select id, ${shown.map((c) => quoted(c.name)).join(', ')} from ${quoted(table.name)} x${
        table.columns.some((c) => c.comparable && c.literal !== null) ? ` where ${this.condition(table, 'x.')}` : ''};`);
    } else {
      this.say(`view ${view} as select owner_id, count(*) as n, count(distinct id) as m from ${quoted(table.name)} group by owner_id having count(*) > 0;`);
    }
    this.say(`grant select on ${view} to authenticated;`, `endpoint ${view};`);
  }

  query() {
    const { r } = this;
    const table = r.pick(this.tables);
    const query = quoted(this.name('q'));
    this.say(r.pick([
      `query ${query}(n integer default 10) returns setof ${quoted(table.name)} to authenticated as select * from ${quoted(table.name)} order by id limit n;`,
      `query ${query}() returns bigint to authenticated as select count(*) from ${quoted(table.name)};`,
      `query ${query}(who uuid) returns table (id ${table.key_type}, n bigint) to authenticated as
  select x.id, count(*) over () from ${quoted(table.name)} x where x.owner_id = who;`,
      `query ${query}() returns table (a uuid, n bigint) to authenticated as
  with own as (select owner_id, id from ${quoted(table.name)}) select o.owner_id, count(*) from own o group by o.owner_id union all select auth.uid(), 0::bigint;`,
    ]));
  }

  function() {
    const { r } = this;
    const table = r.pick(this.tables);
    const name = quoted(this.name('f'));
    this.say(r.pick([
      `function ${name}(a integer, b integer default 2) returns integer to authenticated immutable as select a + b;\nendpoint ${name};`,
      `function ${name}() returns void to authenticated as delete from ${quoted(table.name)} where owner_id = auth.uid();\nendpoint ${name};`,
      `function ${name}() returns trigger language plpgsql as $$ begin return new; end $$;\ntrigger ${quoted(this.name('tr', new Set()))} before update on ${quoted(table.name)} for each row execute ${name}();`,
    ]));
  }
}

function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

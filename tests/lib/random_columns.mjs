// Random types, columns and conditions, for random_schema.mjs.
import { hostile, literal, quoted } from './random_names.mjs';

const scalar = {
  smallint: ['1', '-7'], integer: ['0', '42'], bigint: ['9007199254740993', '-1'], numeric: ['1.50', '0'],
  'numeric(8, 2)': ['3.14'], real: ['1.5'], 'double precision': ['2.5e3'], boolean: ['true', 'false'],
  text: ["'some text'", "''", "'it''s'", "E'tab\\t%s'"], 'varchar(20)': ["'short'"], uuid: ["'00000000-0000-0000-0000-000000000001'"],
  bytea: ["'\\x00ff'"], date: ["'2026-01-31'"], time: ["'12:30'"], timestamp: ["'2026-01-31 12:30'"],
  timestamptz: ["'2026-01-31 12:30+00'"], json: ["'{\"a\": 1}'"], jsonb: ["'[1, 2]'"], interval: ["'1 day'"],
  inet: ["'10.0.0.1'"], cidr: ["'10.0.0.0/8'"], macaddr: ["'08:00:2b:01:02:03'"], macaddr8: ["'08:00:2b:01:02:03:04:05'"], 'bit(4)': ["'1010'"],
  'bit varying(8)': ["'101'"], timetz: ["'12:30+02'"], 'char(3)': ["'abc'"], int4range: ["'[1,5)'"], money: ["'1.00'"],
  daterange: ["'[2026-01-01,2026-02-01)'"], tstzrange: ["'empty'"], nummultirange: ["'{[1,2]}'"], tsvector: ["'cat dog'"], tsquery: ["'cat & dog'"],
  point: ["'(1,2)'"], box: ["'(1,2),(3,4)'"], circle: ["'<(1,2),3>'"], polygon: ["'((0,0),(1,1),(1,0))'"], xml: ["'<a/>'"], jsonpath: ["'$.a'"],
  'timestamptz(3)': ["'2026-01-31 12:30+00'"], 'time(0)': ["'12:30'"], int8multirange: ["'{}'"],
};
const comparable = new Set(['smallint', 'integer', 'bigint', 'numeric', 'numeric(8, 2)', 'text', 'varchar(20)', 'uuid', 'date',
  'time', 'timestamp', 'timestamptz', 'interval', 'inet', 'cidr', 'macaddr', 'boolean', 'char(3)', 'money', 'bytea', 'timetz', 'timestamptz(3)']);
const countable = ['smallint', 'integer', 'bigint', 'numeric', 'numeric(8, 2)'];

export class RandomColumns {
  constructor(r) {
    this.r = r;
    this.used = new Set(['public', 'text', 'json', 'int', 'time', 'date', 'pgstack', 'count', 'oid']); // no types of PostgreSQL, no schema of its
    this.enums = [];
    this.domains = [];
    this.composites = [];
    this.ranges = [];
  }

  hostileName() { return this.r.pick(hostile); }

  /** A name that nobody has in `taken`; often hostile. */
  name(stem, taken = this.used) {
    for (;;) {
      const name = this.r.chance(0.15) ? this.hostileName() : `${stem}_${this.r.below(1000)}`;
      const key = name.toLowerCase();
      if (taken.has(key)) continue;
      taken.add(key);
      return name;
    }
  }

  enum() {
    const labels = [...new Set(Array.from({ length: this.r.between(1, 5) },
      () => (this.r.chance(0.3) ? this.hostileName() : `label ${this.r.below(50)}`)))];
    const type = { name: this.name('kind'), labels };
    this.enums.push(type);
    this.say(`type ${quoted(type.name)} as enum (${labels.map(literal).join(', ')});`);
  }

  domain() {
    const { r } = this;
    const [base, literal_, check] = r.pick([['text', "'some'", 'length(value) < 200'], ['integer', '3', 'value >= 0'], ['numeric', '1.5', 'value > -1000'],
      ['varchar(10)', "'x'", "value <> ''"], ['text[]', "'{}'", 'cardinality(value) < 5'], ['date', "'2026-01-01'", "value > '2000-01-01'"], ['jsonb', "'{}'", "jsonb_typeof(value) = 'object'"]]);
    const domain = { name: this.name('dom'), base, literal: literal_, array: base.endsWith('[]'), comparable: !['text[]', 'jsonb'].includes(base) };
    this.domains.push(domain);
    this.say(`domain ${quoted(domain.name)} as ${base}${r.chance(0.2) ? ` default ${literal_}` : ''} ${
      r.chance(0.3) ? `constraint ${quoted(this.name('rule', new Set()))} ` : ''}check (${check});`);
  }

  composite() {
    const type = { name: this.name('pair') };
    const fields = new Set();
    const more = this.r.chance(0.5) ? `, ${quoted(this.name('field', fields))} ${this.enums.length ? quoted(this.enums[0].name) : 'date[]'}` : '';
    if (!more) this.composites.push(type);
    this.say(`type ${quoted(type.name)} as (${quoted(this.name('a', fields))} integer, ${quoted(this.name('b', fields))} text${more});`);
    if (more) this.composites_more = [...(this.composites_more ?? []), type];
  }

  range() {
    const type = { name: this.name('span') };
    this.used.add(`${type.name.toLowerCase()}_multirange`);
    this.ranges.push(type);
    this.say(`type ${quoted(type.name)} as range (subtype = ${this.r.pick(['float8', 'time', 'text', 'inet'])});`);
  }

  ownType() {
    const { r } = this;
    const all = [
      ...this.enums.map((e) => ({ sql: quoted(e.name), literal: literal(r.pick(e.labels)), comparable: true })),
      ...this.domains.map((d) => ({ sql: quoted(d.name), literal: d.literal, comparable: d.comparable, array: d.array })),
      ...[...this.composites, ...this.composites_more ?? []].map((c) => ({ sql: quoted(c.name), literal: null, comparable: false })),
      ...this.ranges.map((c) => ({ sql: quoted(c.name), literal: "'empty'", comparable: false })),
    ];
    return all.length ? r.pick(all) : undefined;
  }

  /** A column's type: { sql, literal, comparable }. */
  type() {
    const { r } = this;
    const own = r.chance(0.35) ? this.ownType() : undefined;
    const name = r.pick(Object.keys(scalar));
    const type = own ?? { sql: name, base: name, literal: r.pick(scalar[name]), comparable: comparable.has(name), gin: name === 'jsonb' || name === 'tsvector' };
    if (!type.array && name !== 'box' && r.chance(0.12))
      return { sql: `${type.sql}[]`, literal: "'{}'", comparable: false, gin: comparable.has(type.base) && type.base !== 'money' };
    return type;
  }

  generated(table, name) {
    const { r } = this;
    const of = (...bases) => table.columns.filter((c) => bases.includes(c.base) && !c.generated && !c.private);
    const numbers = of(...countable);
    const texts = of('text', 'varchar(20)');
    const documents = of('jsonb');
    const forms = [
      ...numbers.map((c) => ['numeric', `${quoted(c.name)} * 2`, '1']),
      ...texts.map((c) => ['text', `upper(${quoted(c.name)}) || '%s'`, "'A'"]),
      ...texts.map((c) => ['integer', `coalesce(length(${quoted(c.name)}), 0)`, '3']),
      ...documents.map((c) => ['text', `${quoted(c.name)} ->> 'it''s'`, "'x'"]),
    ];
    if (forms.length === 0) return undefined;
    const [type, expression, value] = r.pick(forms);
    table.columns.push({ name, sql: type, base: type, literal: value, comparable: true, generated: true });
    return `${quoted(name)} ${type} generated always as (${expression}) stored`;
  }

  column(table, taken) {
    const { r } = this;
    const name = this.name('c', taken);
    const generated = r.chance(0.2) ? this.generated(table, name) : undefined;
    if (generated) return generated;
    const type = this.type();
    const has_default = type.literal !== null && r.chance(0.4);
    const is_private = r.chance(0.05) && has_default;
    const required = r.chance(0.4);
    table.columns.push({ name, ...type, required, private: is_private });
    const backfill = type.literal !== null && r.chance(0.05) ? ` backfill ${type.literal}` : '';
    return `${quoted(name)} ${type.sql}${required ? ' not null' : r.pick(['', '', ' null'])}${has_default ? ` default ${type.literal}` : ''}${backfill}${is_private ? ' private' : ''}`;
  }

  /** Columns that condition() compares. */
  compared(table) { return table.columns.filter((c) => c.comparable && c.literal !== null && !c.private); }

  hasCondition(table) { return this.compared(table).length > 0; }

  /** A condition that some row fulfils and some does not. */
  condition(table, prefix = '') {
    const column = this.r.pick(this.compared(table).length ? this.compared(table) : table.columns);
    const at = `${prefix}${quoted(column.name)}`;
    const value = column.literal;
    if (!column.comparable || value === null) return `${at} is not null`;
    return this.r.pick([`${at} <> ${value}`, `${at} = ${value}`, `${at} in (${value})`, `(${at} = ${value} or ${at} is null)`,
      `not ${at} = ${value}`, `${at} is distinct from ${value}`, `coalesce(${at} = ${value}, false)`,
      `case when ${at} = ${value} then true else ${at} is null end`, `${at} between ${value} and ${value}`, `(${at}, 1) = (${value}, 1)`,
      `${at} is not null and ${at} <> ${value}`, `nullif(${at}, ${value}) is null`, `${at} not in (${value}, ${value})`]);
  }
}

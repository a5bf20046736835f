// Random tables and expressions from a seed.  Half of what is generated follows the types that the
// catalog asks for, so that much of it is right; the rest is deliberately careless.
import { aggregates, functions, operators } from './catalog.mjs';

/** Types that columns have, with values of theirs. */
export const values = {
  bool: ['true', 'false'], int2: ['1', '-3', '0', '40'], int4: ['0', '2', '-7', '100000'], int8: ['5', '-9000000000', '1'],
  numeric: ['1.50', '0', '-3.25', 'NaN'], float4: ['1.5', '0', '-2'], float8: ['2.5', '0', 'Infinity', '-1'],
  text: ['', 'abc', 'a b', '12', '2024-01-02'], varchar: ['x', 'hello', '7'], bpchar: ['c', 'de '],
  uuid: ['00000000-0000-0000-0000-000000000001', 'c0ffee00-0000-4000-8000-000000000000'], bytea: ['\\x', '\\xdead'],
  date: ['2024-02-29', 'infinity', '1999-12-31'], time: ['12:30:00', '00:00:00'], timetz: ['10:00:00+02'],
  timestamp: ['2024-01-02 03:04:05', 'infinity'], timestamptz: ['2024-01-02 03:04:05+00', '-infinity'],
  interval: ['1 day', '-2 hours', '3 months'], json: ['{"a": 1}', '[1, 2]', 'null', '"s"'],
  jsonb: ['{"a": {"b": null}}', '[1, "x"]', 'null', '3'], inet: ['10.0.0.1/8', '::1'], cidr: ['10.0.0.0/8'],
  macaddr: ['08:00:2b:01:02:03'], bit: ['1'], varbit: ['1011', ''], money: ['1.00', '-5'],
  tsvector: ['a:1 b:2', ''], tsquery: ['a & b', 'c'], int4range: ['[1,5)', 'empty', '(,3]', '(,)'],
  numrange: ['[1.5,2]', 'empty'], tstzrange: ['[2024-01-01,)', 'empty'], daterange: ['[2024-01-01,2024-02-01)', '(,)'],
  int4multirange: ['{[1,3),[7,9)}', '{}'], datemultirange: ['{}', '{[2024-01-01,)}'], point: ['(1,2)'], box: ['(1,1),(0,0)'],
  circle: ['<(0,0),2>'], mood: ['sad', 'ok', 'happy'],
  'int4[]': ['{1,2}', '{}', '{NULL,3}'], 'text[]': ['{a,b}', '{}', '{NULL}'], 'jsonb[]': ['{}'], 'mood[]': ['{sad}', '{}'],
  'numeric[]': ['{1.5}'], 'varchar[]': ['{v}'], 'timestamptz[]': ['{}'], 'uuid[]': ['{}'], 'float8[]': ['{1,2.5}'],
};
const columnTypes = Object.keys(values);
const castTypes = [...columnTypes, 'regconfig', 'oid', 'name', 'jsonpath', 'lseg', 'path', 'polygon', 'macaddr8', 'int8range', 'bool', 'text',
  'int4', 'tsrange', 'regclass'];
const symbols = [...new Set(operators.map((o) => o.name))];

/** Two tables of random columns; `id` joins them. */
export function randomTables(random) {
  return ['t', 'u'].map((name) => {
    const columns = [];
    for (const type of columnTypes)
      if (random.chance(0.75)) columns.push({ name: `${type.replace('[]', 's')}_${random.pick(['a', 'b'])}`, type, not_null: random.chance(0.5) });
    return { name, columns };
  });
}

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

export class Expressions {
  constructor(random, tables) {
    Object.assign(this, { random, tables });
  }

  /** One query with one output, `x`. */
  select() {
    const { random } = this;
    this.joined = random.chance(0.3);
    this.grouping = random.chance(0.12);
    this.inner = false;
    const from = this.joined ? `t ${random.pick(['left join', 'join'])} u on t.id = u.id` : 't';
    const x = this.grouping ? this.aggregate(3) : this.any(1 + random.below(4));
    return { x, from: this.grouping && random.chance(0.6) ? `${from} group by t.id` : from };
  }

  column(type) {
    const { random } = this;
    const table = this.inner ? this.tables[1] : this.joined ? random.pick(this.tables) : this.tables[0];
    const fitting = table.columns.filter((c) => c.type === type);
    if (type && fitting.length === 0) return null;
    return `${this.inner ? 'v' : table.name}.${random.pick(type ? fitting : table.columns).name}`;
  }

  literal(type) {
    const { random } = this;
    const kind = type && values[type] ? type : random.pick(columnTypes);
    const value = quoted(random.pick(values[kind]));
    if (random.chance(0.03)) return 'null';
    if (/^(int2|int4|int8|numeric)$/.test(kind) && random.chance(0.6)) return random.pick(['0', '1', '3', '2.5', '10000000000', '-1']);
    if (kind === 'bool' && random.chance(0.5)) return random.pick(['true', 'false']);
    return random.chance(0.5) ? value : `${value}::${kind}`;
  }

  /** An expression of a type, if that is easy to have. */
  of(type, depth) {
    const { random } = this;
    if (this.aggregated) return random.chance(0.5) ? this.aggregate(depth - 1) : this.literal(type);
    if (random.chance(0.1)) return this.any(depth - 1);
    const polymorphic = /^any/.test(type);
    if (polymorphic) return this.polymorphic(type, depth);
    const column = random.chance(0.7) ? this.column(type) : null;
    if (depth <= 0 || random.chance(0.55)) return column ?? this.literal(type);
    if (random.chance(0.35)) {
      const fitting = functions.filter((f) => f.result === type);
      if (fitting.length > 0) return this.call(random.pick(fitting), depth);
    }
    if (random.chance(0.5)) {
      const fitting = operators.filter((o) => o.result === type);
      if (fitting.length > 0) return this.operator(random.pick(fitting), depth);
    }
    return random.chance(0.5) ? `(${this.any(depth - 1)})::${type}` : this.case(type, depth);
  }

  polymorphic(type, depth) {
    const { random } = this;
    if (type.startsWith('any...')) return this.any(depth - 1);
    const fitting = columnTypes.filter((t) =>
      type.endsWith('array') && !type.endsWith('nonarray') ? t.endsWith('[]')
        : type.endsWith('multirange') ? t.endsWith('multirange')
        : type.endsWith('range') ? /range$/.test(t) && !t.endsWith('multirange')
        : type.endsWith('enum') ? t === 'mood' : true);
    this.favourite = random.chance(0.6) && fitting.includes(this.favourite) ? this.favourite : random.pick(fitting);
    return this.of(random.chance(0.5) ? this.favourite : this.favourite.replace('[]', ''), depth - 1);
  }

  args(slots, depth) {
    const all = slots.flatMap((slot) =>
      slot.endsWith('...') ? Array.from({ length: 1 + this.random.below(3) }, () => slot.replace('...', '')) : [slot]);
    return all.map((slot) => this.of(slot === 'any' ? this.random.pick(columnTypes) : slot, depth - 1));
  }

  call(f, depth) {
    const { random } = this;
    const args = this.args(f.args, depth);
    if (f.name === 'extract') return `extract(${random.pick(['year', 'epoch', 'day', 'hour'])} from ${args[1]})`;
    return `${f.name}(${args.join(', ')})`;
  }

  operator(o, depth) {
    const args = this.args(o.args, depth).map((a) => `(${a})`);
    return args.length === 1 ? `${o.name} ${args[0]}` : `${args[0]} ${o.name} ${args[1]}`;
  }

  case(type, depth) {
    const { random } = this;
    const operand = random.chance(0.2) ? random.pick(columnTypes) : null;
    const branches = Array.from({ length: 1 + random.below(2) }, () =>
      ` when ${operand ? this.of(operand, depth - 2) : this.of('bool', depth - 2)} then ${this.of(type, depth - 1)}`);
    return `case${operand ? ` ${this.of(operand, depth - 2)}` : ''}${branches.join('')}${random.chance(0.7) ? ` else ${this.of(type, depth - 1)}` : ''} end`;
  }

  aggregate(depth) {
    const { random } = this;
    const before = this.aggregated;
    if (depth > 1 && random.chance(0.4)) {
      this.aggregated = true;
      const text = this.any(2);
      this.aggregated = before;
      return text;
    }
    const f = random.pick(aggregates);
    this.aggregated = false;
    const args = this.args(f.args, depth);
    this.aggregated = before;
    return f.name === 'count' && args.length === 0 ? 'count(*)' : `${f.name}(${random.chance(0.1) && args.length === 1 ? 'distinct ' : ''}${args.join(', ')})`;
  }

  subselect(depth) {
    if (this.inner || this.aggregated || this.grouping) return this.literal();
    this.inner = true;
    const text = this.random.chance(0.3) ? this.aggregate(1) : this.any(depth - 1);
    this.inner = false;
    return `(select ${text} from u v where v.id = t.id)`;
  }

  any(depth) {
    const { random } = this;
    const type = random.pick(columnTypes);
    if (depth <= 0) return random.chance(0.6) && !this.aggregated ? this.column() : this.literal();
    const form = random.below(22);
    const list = (n) => Array.from({ length: n }, () => this.of(type, depth - 1)).join(', ');
    switch (form) {
      case 0: case 1: case 2: case 3: return this.call(random.pick(functions), depth);
      case 4: case 5: case 6: case 7: return this.operator(random.pick(operators), depth);
      case 8: return `(${this.any(depth - 1)}) ${random.pick(symbols)} (${this.any(depth - 1)})`;
      case 9: return `(${random.chance(0.5) ? this.of(type, depth - 1) : this.any(depth - 1)})::${random.pick(castTypes)}${random.chance(0.1) ? '[]' : ''}`;
      case 10: return this.case(type, depth);
      case 11: return `${random.pick(['coalesce', 'greatest', 'least'])}(${list(1 + random.below(3))})`;
      case 12: return `nullif(${list(2)})`;
      case 13: return `array[${list(1 + random.below(3))}]`;
      case 14: return `${this.of(type, depth - 1)} ${random.chance(0.3) ? 'not ' : ''}in (${list(1 + random.below(3))})`;
      case 15: return `(${this.of(type, depth - 1)}) ${random.pick(['=', '<>', '<', '>='])} ${random.pick(['any', 'all'])} (${random.chance(0.5) ? `array[${list(2)}]` : this.of(`${type}[]`, depth - 1)})`;
      case 16: return `(${this.of(type, depth - 1)}) ${random.chance(0.3) ? 'not ' : ''}between (${this.of(type, depth - 1)}) and (${this.of(type, depth - 1)})`;
      case 17: return `(${this.any(depth - 1)}) is ${random.pick(['null', 'not null', `distinct from (${this.any(depth - 1)})`])}`;
      case 18: return `(${this.of('bool', depth - 1)}) ${random.pick(['and', 'or'])} (${this.of('bool', depth - 1)})`;
      case 19: return `(${this.of(type, depth - 1)}, ${this.of('int4', depth - 1)}) ${random.pick(['=', '<', '>='])} (${this.of(type, depth - 1)}, ${this.of('int8', depth - 1)})`;
      case 20: return this.subselect(depth);
      default: return random.pick([
        () => `(${this.of('text', depth - 1)}) ${random.pick(['like', 'not ilike', 'similar to'])} ${quoted(random.pick(['a%', '_b', '%']))}`,
        () => `(${this.of('timestamptz', depth - 1)}) at time zone ${random.pick(["'UTC'", "'1 hour'::interval"])}`,
        () => `(${this.of(`${random.pick(['int4', 'text', 'mood', 'jsonb', 'varchar'])}[]`, depth - 1)})[${this.of('int4', 0)}]`,
        () => `exists (select 1 from u v where v.id = t.id)`,
        () => `(${this.of('bool', depth - 1)}) is ${random.pick(['true', 'not false', 'unknown'])}`,
        () => `not (${this.of('bool', depth - 1)})`,
      ])();
    }
  }
}

/** Rows for a table; the first ones hold every value, NULL where it may be. */
export function randomRows(random, table) {
  return Array.from({ length: 8 }, (_, i) =>
    [i + 1, ...table.columns.map((c) => (!c.not_null && random.chance(0.35) ? 'null' : `${quoted(random.pick(values[c.type]))}::${c.type}`))]);
}

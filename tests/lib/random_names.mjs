// Names and literals for random schemas.
export const hostile = ['select', 'while', 'policy', 'Table', 'größe', 'a b', 'it\'s', 'say "so"', '$$', 'list', 'null',
  'default', '__proto__', 'struct', 'row', 'NULL', 'x'.repeat(63), '日本', 'a-b', '%s', '\\n', '*/', 'user', 'end', 'order', '1st', ';', '--',
  'constructor', 'int', 'main', 'index', 'drop', 'soft', 'exclude', 'public', 'value', 'é'.repeat(31), 'a.b', '{', '(', '??/', '#', '@', 'new', 'old',
  'excluded', 'count', 'json', 'text', '_', 'offset', 'limit', 'and', 'not', 'apikey', 'columns', 'on_conflict', 'authenticated', '\t', '/*', '//', '\\', "'", '"', '$1', '$a$', ':x', 'NaN', 'oid', 'SELECT', '\u200b'];

export function quoted(name) {
  return /^[a-z][a-z0-9_]*$/.test(name) && !hostile.includes(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

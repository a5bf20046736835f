// When a result may be NULL though no argument is: known from PostgreSQL's sources and manual, and
// held against random rows by tests/7-typing.

/** Strict, and yet NULL for some arguments: what is not found, empty or infinite. */
const sometimes = new Set([
  '->', '->>', '#>', '#>>', '@?', '@@ jsonb', '#', '##', '?#',
  'array_dims', 'array_length', 'array_lower', 'array_ndims', 'array_upper',
  'regexp_match', 'regexp_matches', 'regexp_substr', 'substring',
  'json_extract_path', 'json_extract_path_text', 'jsonb_extract_path', 'jsonb_extract_path_text',
  'json_object_field', 'json_object_field_text', 'json_array_element', 'json_array_element_text',
  'jsonb_object_field', 'jsonb_object_field_text', 'jsonb_array_element', 'jsonb_array_element_text',
  'jsonb_path_exists', 'jsonb_path_exists_tz', 'jsonb_path_match', 'jsonb_path_match_tz',
  'jsonb_path_query_first', 'jsonb_path_query_first_tz',
  'lower range', 'upper range', 'date_part', 'extract', 'to_char date', 'to_number', 'scale', 'min_scale',
  'current_setting', 'current_schema', 'inet_client_addr', 'inet_client_port', 'inet_server_addr',
  'inet_server_port', 'pg_get_expr', 'enum_first', 'enum_last', 'has_column_privilege', 'has_table_privilege',
  'has_schema_privilege', 'has_function_privilege', 'has_type_privilege', 'has_database_privilege',
  'has_sequence_privilege', 'has_any_column_privilege', 'has_foreign_data_wrapper_privilege',
  'has_language_privilege', 'has_server_privilege', 'has_tablespace_privilege', 'pg_has_role', 'pg_input_error_info',
  'uuid_extract_timestamp', 'uuid_extract_version', 'ts_rewrite', 'unnest', 'json_array_elements_text',
  'jsonb_array_elements_text', 'json_each_text', 'jsonb_each_text', 'json_populate_record', 'jsonb_populate_record',
  'intersection', 'pg_current_logfile', 'pg_client_encoding', 'to_date', 'to_timestamp text', 'xpath', 'timetz timestamptz',
]);

/** Not strict, and never NULL. */
const never = new Set([
  'concat', 'json_build_object', 'json_build_array', 'jsonb_build_object', 'jsonb_build_array', 'num_nulls',
  'num_nonnulls', 'pg_typeof', 'array_append', 'array_prepend', 'quote_nullable', 'count', 'regr_count',
  'row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist',
]);

/** Not strict, and NULL only when an argument is. */
const like_strict = new Set(['format', 'concat_ws', 'array_remove', 'array_replace', 'array_positions', 'ntile']);

/** Aggregates that are NULL only for no rows, or when an argument is. */
const of_rows = new Set([
  'sum', 'avg', 'min', 'max', 'bool_and', 'bool_or', 'every', 'bit_and', 'bit_or', 'bit_xor', 'string_agg', 'array_agg',
  'json_agg', 'jsonb_agg', 'json_object_agg', 'jsonb_object_agg', 'range_agg', 'range_intersect_agg', 'any_value',
]);

export function nullsOf(row) {
  const first = row.args.split(', ')[0];
  const name = /range$/.test(first) && /^(lower|upper)$/.test(row.name) ? `${row.name} range`
    : row.name === 'to_char' && /^(timestamp|interval)/.test(first) ? 'to_char date'
    : row.name === 'to_timestamp' && first === 'text' ? 'to_timestamp text'
    : row.name === 'timetz' ? `timetz ${first}`
    : row.name === '@@' && first === 'jsonb' ? '@@ jsonb'
    : row.name;
  if (never.has(name)) return 'NEVER';
  if (first === 'jsonb' && /^(bool|int[248]|float[48])$/.test(row.name)) return 'MAYBE'; // since 18, of JSON's null
  if (row.prokind === 'a' && of_rows.has(name)) return 'EMPTY';
  if (/[aohw]/.test(row.prokind ?? '')) return name === 'ntile' ? 'STRICT' : 'MAYBE';
  if (like_strict.has(name)) return 'STRICT';
  if (name === 'substring' && !/^(text|bytea|bit), int4/.test(row.args)) return 'MAYBE';
  if (name === '#' && !/^(int|bit)/.test(first)) return 'MAYBE';
  if (['substring', '#'].includes(name)) return row.strict ? 'STRICT' : 'MAYBE';
  return row.strict && !sometimes.has(name) ? 'STRICT' : 'MAYBE';
}

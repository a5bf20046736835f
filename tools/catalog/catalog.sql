-- What one server has: one JSON object a row, `kind` says of what.  The same text runs on every
-- release.  Only types of `known` are looked at, and only what applications call: not the support
-- functions of types, indexes and operators, which PostgreSQL's own descriptions mark as such.
create temp view known as
  select oid, typname, typarray, typcategory, typispreferred, typelem, typtype
    from pg_type
   where typnamespace = 'pg_catalog'::regnamespace
     and typname = any (array['bool', 'bytea', 'char', 'name', 'int8', 'int2', 'int4', 'text', 'oid',
       'xml', 'json', 'jsonb', 'jsonpath', 'point', 'lseg', 'path', 'box', 'polygon', 'line', 'circle',
       'cidr', 'inet', 'macaddr', 'macaddr8', 'money', 'bpchar', 'varchar', 'date', 'time', 'timetz',
       'timestamp', 'timestamptz', 'interval', 'bit', 'varbit', 'numeric', 'float4', 'float8', 'uuid',
       'pg_lsn', 'tsvector', 'tsquery', 'regclass', 'regtype', 'regconfig', 'regrole', 'regnamespace',
       'regproc', 'regprocedure', 'regdictionary',
       'regoper', 'regoperator', 'regcollation', 'xid', 'xid8', 'tid', 'aclitem', 'refcursor', 'pg_snapshot', 'int4range', 'int8range', 'numrange', 'tsrange',
       'tstzrange', 'daterange', 'int4multirange', 'int8multirange', 'nummultirange', 'tsmultirange',
       'tstzmultirange', 'datemultirange', 'record', 'void', 'any', 'anyelement', 'anyarray',
       'anynonarray', 'anyenum', 'anyrange', 'anymultirange', 'anycompatible', 'anycompatiblearray',
       'anycompatiblenonarray', 'anycompatiblerange', 'anycompatiblemultirange']);

create temp view named as
  select oid, typname::text as spelled from known
  union all
  select typarray, typname || '[]' from known where typarray <> 0;

create function pg_temp.spell(oid) returns text language sql as
  $$ select spelled from pg_temp.named where oid = $1 $$;

create function pg_temp.spell(oid[]) returns text language sql as
  $$ select coalesce(string_agg(coalesce(pg_temp.spell(t), '?'), ', ' order by n), '')
       from unnest($1) with ordinality u (t, n) $$;

select json_build_object('kind', 'type', 'name', typname, 'oid', t.oid::int8, 'array', typarray::int8,
    'category', typcategory, 'preferred', typispreferred,
    'part', coalesce(pg_temp.spell(r.rngsubtype), pg_temp.spell(m.rngtypid)))
  from known t
  left join pg_range r on r.rngtypid = t.oid
  left join pg_range m on m.rngmultitypid = t.oid
 order by t.oid;

select json_build_object('kind', 'function', 'name', proname, 'args', args, 'result', result,
    'variadic', provariadic <> 0, 'defaults', pronargdefaults, 'prokind', coalesce(nullif(g.aggkind, 'n'), prokind), 'set', proretset,
    'strict', proisstrict, 'volatile', provolatile, 'leakproof', proleakproof)
  from (select p.*, pg_temp.spell(proargtypes::oid[]) as args, pg_temp.spell(prorettype) as result,
               coalesce(obj_description(p.oid, 'pg_proc'), '') as note
          from pg_proc p
         where pronamespace = 'pg_catalog'::regnamespace) p
  left join pg_aggregate g on g.aggfnoid = p.oid
 where args !~ '\?' and result is not null
   -- SQL's own syntax, not a call
   and proname not in ('like', 'position', 'normalize', 'xmlexists', 'bit', 'char', 'interval', 'numeric', 'time',
     'timestamp', 'varchar', 'current_user', 'session_user')
   and (prokind <> 'f' or proname in ('array_cat', 'starts_with') or note !~ '^(implementation of |I/O|internal |aggregate |less-equal-greater|hash|sort support|equal image|in_range support|row_number support|window support|GIN|GiST|SP-GiST|BRIN|btree|greater-or-equal|less-than|latest|larger of two|smaller of two|convert \w+ to hash)')
   and (prokind <> 'f' or note !~ '(support function|for aggregate|selectivity|typmod|I/O$|planner support|transition function|subdiff|statistics|SQL-callable wrapper|\(internal\)|deprecated|obsolete)')
   and proname !~ '^(pg_(?!typeof$|column_size$|sleep|advisory|try_advisory|input_|basetype$|size_|client_encoding$|current_|char_to|has_role$|size_|jit|postmaster|is_in_recovery$|backend_pid$|get_userbyid$|get_expr$|describe)|_|binary_upgrade|brin_|gin_|gist|spg_|hash|bt(?!rim)|ri_|RI_|lo_|lo(close|creat|lseek|lseek64|open|tell|tell64|truncate|truncate64|unlink|export|import)$|loread|lowrite|numeric_(exp|inc|ln|log|sqrt|div_trunc)$|int[48](inc|dec)|daterange_|int[48]range_|numrange_|ts(tz)?range_|textlen$|plpgsql|.*_agg_transfn$|dexp|dlog|dround|dtrunc|cash_words$|npoints$|macaddr8_set7bit$|getdatabaseencoding$|pg_jit|has_.*parameter|inter_|ts_stat|ts_parse|ts_token|ts_debug|ts_lexize|query_to_|table_to_|schema_to_|database_to_|cursor_to_|col_description|obj_description|shobj|to_reg|dsnowball|unique_key|nameconcat|nlike|.*_(in|out|recv|send|ops|cmp|sortsupport|larger|smaller|accum|accum_inv|combine|serialize|deserialize|final|sel|joinsel|support|skipsupport)$|oidvector|int2vector|txid_|float[48]_(?!to)|fmgr|currtid|tideq|row_security_active$|set_config$|suppress_|amvalidate|satisfies_hash)'
 order by proname, args;

select json_build_object('kind', 'operator', 'name', oprname, 'left', coalesce(pg_temp.spell(oprleft), ''),
    'right', pg_temp.spell(oprright), 'result', pg_temp.spell(oprresult), 'strict', proisstrict,
    'volatile', provolatile, 'leakproof', proleakproof, 'code', proname)
  from pg_operator o
  join pg_proc p on p.oid = oprcode
 where oprnamespace = 'pg_catalog'::regnamespace and pg_temp.spell(oprright) is not null
   and pg_temp.spell(oprresult) is not null
   and (oprleft = 0 or pg_temp.spell(oprleft) is not null)
   and oprname !~ '^~(<|>|<=|>=)~$' and oprname !~ '^\*(=|<>|<|>|<=|>=)$';

select json_build_object('kind', 'cast', 'from', pg_temp.spell(castsource), 'to', pg_temp.spell(casttarget),
    'context', castcontext, 'method', castmethod, 'leakproof', coalesce(proleakproof, castmethod = 'b'),
    'volatile', coalesce(provolatile, 'i'))
  from pg_cast
  left join pg_proc p on p.oid = castfunc
 where pg_temp.spell(castsource) is not null and pg_temp.spell(casttarget) is not null
   and castsource <> casttarget;


-- Queries that cannot be watched, each with its reason.
CREATE FUNCTION tell(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  PERFORM pgr.subscribe('refused', $1);
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLERRM || coalesce(': ' || nullif(detail, ''), '');
END $$;
-- no SELECT
SELECT tell('INSERT INTO note VALUES (3)');
SELECT tell('DELETE FROM note RETURNING id');
SELECT tell('WITH d AS (DELETE FROM note RETURNING id) SELECT * FROM d');
SELECT tell('SELECT * INTO copied FROM note');
SELECT tell('CREATE TABLE x (id int)');
SELECT tell('SELECT id FROM note; DROP TABLE note');
SELECT tell('SELECT id FROM note FOR UPDATE');
SELECT tell('EXPLAIN SELECT id FROM note');
SELECT tell('');
SELECT tell('SELEC id');
SELECT tell('SELECT nothing FROM note');
SELECT tell('SELECT $1 FROM note');
-- not the same each time
SELECT tell('SELECT id, random() FROM note');
SELECT tell('SELECT id FROM note ORDER BY random()');
SELECT tell('SELECT id FROM note WHERE now() > ''2000-01-01''');
SELECT tell('SELECT id FROM note WHERE CURRENT_DATE > ''2000-01-01''');
SELECT tell('SELECT id FROM note WHERE title = current_setting(''x.y'', true)');
SELECT tell('SELECT id FROM note WHERE age(''2000-01-01''::timestamp) > ''1 day''');
SELECT tell('SELECT id FROM note WHERE owner = session_user');
SELECT tell('SELECT nextval(''pgr.generation_seq'') FROM note');
SELECT tell('SELECT id FROM note TABLESAMPLE system (50)');
SELECT tell('SELECT query_to_xml(''select 1'', true, true, '''')::text FROM note');
SELECT tell('SELECT id FROM note WHERE pg_relation_size(''note'') > 0');
CREATE FUNCTION count_notes() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM note';
SELECT tell('SELECT count_notes() FROM tag');
SELECT tell('SELECT id FROM note WHERE (title::date) > ''2000-01-01''');
SELECT tell('SELECT id FROM note WHERE ''now''::text::timestamptz > ''2000-01-01''');
SELECT tell('SELECT id FROM note WHERE date_in(''today'') > ''2000-01-01''');
SELECT tell('SELECT title::time[] FROM note');
SELECT tell('SELECT title::tstzrange FROM note');
CREATE DOMAIN day AS date;
CREATE TYPE span AS (name text, since day);
SELECT tell('SELECT title::day FROM note');
SELECT tell('SELECT title::span FROM note');
CREATE VIEW clock AS SELECT id, clock_timestamp() FROM note;
SELECT tell('SELECT id FROM clock');
-- not watched
SELECT tell('SELECT 1');
SELECT tell('SELECT * FROM generate_series(1, 3)');
SELECT tell('SELECT relname FROM pg_class');
SELECT tell('SELECT table_name FROM information_schema.tables');
SELECT tell('SELECT query_id FROM pgr.persisted_subscriptions');
SELECT tell('SELECT last_value FROM pgr.generation_seq');
CREATE TEMP TABLE mine (id int);
SELECT tell('SELECT id FROM mine');
CREATE MATERIALIZED VIEW kept AS SELECT id FROM note;
SELECT tell('SELECT id FROM kept');
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER nowhere;
SELECT tell('SELECT id FROM far');
CREATE TABLE split (id int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE split_far PARTITION OF split FOR VALUES IN (1) SERVER nowhere;
SELECT tell('SELECT id FROM split');
DROP TABLE split;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
-- no JSON object
SELECT tell('SELECT n.id, m.id FROM note n, note m');
-- what it fails with now
SELECT tell('SELECT id / 0 FROM note');
-- These are taken: their values depend on the rows and on settings alone.
SELECT tell('SELECT id, upper(title), to_char(id, ''999''), now_is FROM note, (VALUES (''2024-01-01''::date)) AS v (now_is)');
SELECT tell('SELECT id FROM note WHERE owner = current_user');
SELECT tell('SELECT to_date(title, ''YYYYMMDD''), ARRAY[id]::text::int[], now_is::text FROM note, (VALUES (''2024-01-01''::date)) AS v (now_is) WHERE id < 0');
SELECT tell('SELECT jsonb_build_object(''id'', id, ''t'', format(''%s'', title)) AS j, row_number() OVER () FROM note');
SELECT tell('VALUES ((SELECT count(*) FROM note))');
SELECT tell('TABLE note');
SELECT tell('SELECT string_agg(title, '','' ORDER BY id), ''2024-01-01''::timestamptz::date FROM note GROUP BY GROUPING SETS ((), (owner))');
SELECT pgr.unsubscribe('refused');
SELECT count(*) FROM pgr.persisted_subscriptions WHERE query_id = 'refused';

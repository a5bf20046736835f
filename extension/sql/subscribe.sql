-- Subscribing: what it answers, what stands in the registry, what it leaves behind.
CREATE EXTENSION pg_reactive;
CREATE TABLE note (id int PRIMARY KEY, owner text, title text);
CREATE TABLE tag (note int REFERENCES note, name text);
INSERT INTO note VALUES (1, 'ann', 'one'), (2, 'bob', 'two');
SELECT pgr.subscribe('notes', 'SELECT id, title FROM note') - 'generation' AS answer;
SELECT pgr.subscribe('tagged', 'WITH t AS (SELECT note FROM tag) SELECT n.title, count(*) FROM note n JOIN t ON t.note = n.id GROUP BY 1',
  'notify', '{"sub": "42"}') - 'generation' AS answer;
SELECT pgr.restore_subscriptions();
SELECT query_id, query, mode, audience, owner = current_user::regrole AS mine, seq, tables, table_count, row_count, failing
  FROM pgr.subscriptions ORDER BY query_id;
SELECT query_id, mode, audience, active, tables::regclass[] FROM pgr.persisted_subscriptions ORDER BY query_id;
SELECT mode, audience, generation > 0 AS has_generation FROM pgr.subscription_meta('tagged');
SELECT seq, rows FROM pgr.snapshot('notes');
SELECT * FROM pgr.snapshot('nobody');
SELECT copies, body FROM pgr._snap_notes ORDER BY body;
SELECT relname, relpersistence FROM pg_class WHERE relnamespace = 'pgr'::regnamespace AND relkind = 'r' ORDER BY relname;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE 'pgr%' ORDER BY 1::text;
-- In a transaction that is rolled back it never was.
BEGIN;
SELECT pgr.subscribe('never', 'SELECT id FROM note') IS NOT NULL AS subscribed;
SELECT pgr.unsubscribe('notes');
ROLLBACK;
SELECT pgr.restore_subscriptions();
SELECT query_id FROM pgr.get_subscriptions() ORDER BY 1;
SELECT count(*) FROM pgr.subscription_meta('never');
-- Names and values that are refused.
SELECT pgr.subscribe('', 'SELECT id FROM note');
SELECT pgr.subscribe(repeat('x', 58), 'SELECT id FROM note');
SELECT pgr.subscribe(NULL, 'SELECT id FROM note');
SELECT pgr.subscribe('x', NULL);
SELECT pgr.subscribe('x', 'SELECT id FROM note', 'snapshot');
SELECT pgr.subscribe('x', 'SELECT id FROM note', 'delta', '[1]');
SELECT pgr.subscribe('x', 'SELECT id FROM note -- ' || repeat('x', 70000));
SELECT pgr.subscribe(repeat('y', 57), 'SELECT id FROM note;') IS NOT NULL AS longest;
SELECT pgr.unsubscribe(repeat('y', 57));
SELECT pgr.unsubscribe('x');
SELECT pgr.unsubscribe(NULL);
-- No name of an index is that of a snapshot.
SELECT pgr.subscribe('x', 'SELECT id FROM note') IS NOT NULL AS x;
SELECT pgr.restore_subscriptions() > 0 AS restored;
SELECT pgr.subscribe('x_pkey', 'SELECT id FROM note') IS NOT NULL AS x_pkey;
SELECT pgr.restore_subscriptions() > 0 AS restored;
SELECT json_array_length(rows) = (SELECT count(*) FROM note) AS all FROM pgr.snapshot('x_pkey');
SELECT pgr.unsubscribe('x_pkey'), pgr.unsubscribe('x');
SELECT metric FROM pgr.stats();

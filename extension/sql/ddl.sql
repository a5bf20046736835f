-- What DDL does to the subscriptions on its tables.
CREATE TABLE part (id int, a int, b text);
INSERT INTO part VALUES (1, 2, 'x');
CREATE VIEW seen AS SELECT id, a FROM part;
CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
SELECT pgr.subscribe('columns', 'SELECT id, a FROM part') IS NOT NULL AS ok;
SELECT pgr.subscribe('star', 'SELECT * FROM part') IS NOT NULL AS ok;
SELECT pgr.subscribe('view', 'SELECT * FROM seen') IS NOT NULL AS ok;
SELECT pgr.subscribe('function', 'SELECT twice(a) FROM part') IS NOT NULL AS ok;
SELECT pgr.restore_subscriptions() >= 4 AS restored;
CALL settle();
-- The results' columns are the same: they go on.
ALTER TABLE part ADD CHECK (a < 100);
CREATE INDEX ON part (a);
ANALYZE part;
CALL settle();
SELECT query_id FROM pgr.subscriptions ORDER BY 1;
-- SELECT * has another column: it ends.
ALTER TABLE part ADD COLUMN c int DEFAULT 7;
CALL settle();
SELECT query_id FROM pgr.subscriptions ORDER BY 1;
-- Another function, another view: new results.
CREATE OR REPLACE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 20';
CREATE OR REPLACE VIEW seen AS SELECT id, c AS a FROM part;
CALL settle();
SELECT has('function');
SELECT has('view');
UPDATE part SET c = 8;
CALL settle();
SELECT has('view');
-- Another name of a value: the rows say it.
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE cat (id int, mood mood);
INSERT INTO cat VALUES (1, 'glad');
SELECT pgr.subscribe('cat', 'SELECT id, mood FROM cat') IS NOT NULL AS ok;
SELECT pgr.restore_subscriptions() > 0 AS restored;
CALL settle();
ALTER TYPE mood RENAME VALUE 'glad' TO 'merry';
CALL settle();
SELECT has('cat');
SELECT pgr.unsubscribe('cat');
-- What cannot be watched any more ends.
CREATE OR REPLACE FUNCTION twice(int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT $1 * 200';
ALTER TABLE part ALTER COLUMN a TYPE bigint;
CALL settle();
SELECT query_id FROM pgr.subscriptions ORDER BY 1;
DROP TABLE part CASCADE;
CALL settle();
SELECT query_id FROM pgr.subscriptions ORDER BY 1;
SELECT query_id FROM pgr.persisted_subscriptions ORDER BY 1;
SELECT relname FROM pg_class WHERE relname LIKE '\_snap\_%' AND relkind = 'r' ORDER BY 1;
DROP EXTENSION pg_reactive;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgr%';

-- The snapshot follows each kind of write, through views, joins, windows and aggregates.
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$
BEGIN
  COMMIT;
  FOR i IN 1..3000 LOOP
    EXIT WHEN (SELECT value FROM pgr.stats() WHERE metric = 'pending') = '0';
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
CREATE FUNCTION has(text) RETURNS SETOF text LANGUAGE sql AS
  $$ SELECT value::text FROM pgr.snapshot($1) s, json_array_elements(s.rows) ORDER BY 1 $$;
CREATE TABLE score (id serial PRIMARY KEY, team text, points int);
CREATE VIEW best AS SELECT team, max(points) AS points FROM score GROUP BY team;
SELECT pgr.subscribe('best', 'SELECT * FROM best') IS NOT NULL AS ok;
SELECT pgr.subscribe('place', 'SELECT team, points, rank() OVER (ORDER BY points DESC) AS place FROM score') IS NOT NULL AS ok;
SELECT pgr.subscribe('points', 'SELECT points FROM score') IS NOT NULL AS ok;
SELECT pgr.restore_subscriptions() >= 3 AS restored;
INSERT INTO score (team, points) VALUES ('red', 1), ('red', 5), ('blue', 5);
CALL settle();
SELECT has('best');
SELECT has('place');
SELECT has('points');
UPDATE score SET points = 7 WHERE team = 'blue';
CALL settle();
SELECT has('best');
SELECT has('place');
DELETE FROM score WHERE points = 1;
CALL settle();
SELECT has('place');
INSERT INTO score (team, points) SELECT 'green', n / 100 FROM generate_series(0, 299) n;
CALL settle();
SELECT copies, body FROM pgr._snap_points ORDER BY body;
TRUNCATE score;
CALL settle();
SELECT has('best') UNION ALL SELECT has('points');
SELECT query_id, seq FROM pgr.subscriptions WHERE query_id IN ('best', 'place', 'points') ORDER BY 1;
SELECT pgr.unsubscribe(query_id) FROM pgr.subscriptions WHERE query_id IN ('best', 'place', 'points');

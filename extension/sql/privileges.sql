-- Who may subscribe, and whose rights a query has.
CREATE ROLE reactive_ann;
CREATE ROLE reactive_bob;
CREATE TABLE doc (id int, owner text);
INSERT INTO doc VALUES (1, 'reactive_ann'), (2, 'reactive_bob');
-- Nothing is open to everybody.
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'pgr'::regnamespace
  AND has_function_privilege('reactive_ann', p.oid, 'EXECUTE');
SELECT has_schema_privilege('reactive_ann', 'pgr', 'USAGE') AS schema,
  has_table_privilege('reactive_ann', 'pgr.persisted_subscriptions', 'SELECT') AS registry,
  has_table_privilege('reactive_ann', 'pgr.subscriptions', 'SELECT') AS view;
SET ROLE reactive_ann;
SELECT pgr.subscribe('doc', 'SELECT id FROM doc');
RESET ROLE;
GRANT USAGE ON SCHEMA pgr TO reactive_ann, reactive_bob;
GRANT EXECUTE ON FUNCTION pgr.subscribe, pgr.unsubscribe, pgr.snapshot TO reactive_ann, reactive_bob;
SET ROLE reactive_ann;
SELECT pgr.subscribe('doc', 'SELECT id FROM doc');
RESET ROLE;
GRANT SELECT ON doc TO reactive_ann, reactive_bob;
-- Row security is that of who subscribed.
ALTER TABLE doc ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON doc USING (owner = current_user);
SET ROLE reactive_ann;
SELECT pgr.subscribe('doc', 'SELECT id FROM doc') - 'generation' AS answer;
RESET ROLE;
SELECT pgr.restore_subscriptions() > 0 AS restored;
CALL settle();
SELECT has('doc');
INSERT INTO doc VALUES (3, 'reactive_ann'), (4, 'reactive_bob');
CALL settle();
SELECT has('doc');
DROP POLICY own ON doc;
CREATE POLICY own ON doc USING (owner = current_user AND id > 1);
CALL settle();
SELECT has('doc');
-- So it is when only the roles have changed.
CREATE ROLE reactive_team;
CREATE POLICY team ON doc TO reactive_team USING (true);
CALL settle();
SELECT has('doc');
GRANT reactive_team TO reactive_ann;
CALL settle();
SELECT has('doc');
REVOKE reactive_team FROM reactive_ann;
CALL settle();
SELECT has('doc');
DROP POLICY team ON doc;
DROP ROLE reactive_team;
-- A subscription belongs to its owner.
SET ROLE reactive_bob;
SELECT pgr.subscribe('doc', 'SELECT id FROM doc');
SELECT pgr.unsubscribe('doc');
RESET ROLE;
-- A right that is taken away takes effect.
REVOKE SELECT ON doc FROM reactive_ann;
INSERT INTO doc VALUES (5, 'reactive_ann');
CALL settle();
SELECT failing FROM pgr.subscriptions WHERE query_id = 'doc';
SELECT has('doc');
GRANT SELECT ON doc TO reactive_ann;
INSERT INTO doc VALUES (6, 'reactive_ann');
CALL settle();
SELECT has('doc');
-- An operator of the caller's own is not used by the extension.
CREATE SCHEMA trap;
GRANT ALL ON SCHEMA trap TO reactive_ann;
SET ROLE reactive_ann;
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'caught, as %', current_user; END $$;
CREATE OPERATOR trap.= (FUNCTION = trap.equal, LEFTARG = text, RIGHTARG = text);
SET search_path = trap, pg_catalog, public;
SELECT pgr.unsubscribe('doc');
SELECT pgr.subscribe('doc', 'SELECT id FROM doc') - 'generation' AS answer;
RESET search_path;
SELECT pgr.unsubscribe('doc');
RESET ROLE;
-- What a query calls does not speak as the worker, whose messages are believed.
SET ROLE reactive_ann;
CREATE FUNCTION trap.calls() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_notify('pgr', '{}'); RETURN 1; END $$;
CREATE FUNCTION trap.says() RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN NOTIFY pgr, '{}'; RETURN 1; END $$;
CREATE FUNCTION trap.hides() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN trap.says(); END $$;
SELECT pgr.subscribe('calls', 'SELECT trap.calls() FROM doc') IS NOT NULL AS calls,
  pgr.subscribe('hides', 'SELECT trap.hides() FROM doc') IS NOT NULL AS hides;
RESET ROLE;
SELECT pgr.restore_subscriptions() > 0 AS restored;
CALL settle();
SELECT query_id, failing FROM pgr.subscriptions WHERE query_id IN ('calls', 'hides') ORDER BY query_id;
SELECT pgr.unsubscribe('calls'), pgr.unsubscribe('hides');
-- Through a wrapper with a fixed template, as its owner.
CREATE FUNCTION watch_docs(who text) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT pgr.subscribe('docs of ' || who, format('SELECT id FROM public.doc WHERE owner = %L', who),
                             'delta', jsonb_build_object('sub', who)) IS NOT NULL $$;
REVOKE ALL ON FUNCTION watch_docs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_docs TO reactive_bob;
SET ROLE reactive_bob;
SELECT watch_docs('reactive_bob');
RESET ROLE;
SELECT pgr.restore_subscriptions() > 0 AS restored;
CALL settle();
SELECT has('docs of reactive_bob');
SELECT owner = current_user::regrole AS mine, audience FROM pgr.subscriptions WHERE query_id = 'docs of reactive_bob';
SELECT pgr.unsubscribe('docs of reactive_bob');
DROP TABLE doc;
DROP SCHEMA trap CASCADE;
DROP FUNCTION watch_docs;
DROP OWNED BY reactive_ann, reactive_bob;
DROP ROLE reactive_ann, reactive_bob;

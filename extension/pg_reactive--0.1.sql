-- Complain if the file is sourced in psql rather than by CREATE EXTENSION.
\echo Use "CREATE EXTENSION pg_reactive" to load this file. \quit

CREATE SCHEMA pgr;

-- What is watched.  Only pgr.subscribe, pgr.unsubscribe and the worker write here; a row that goes by
-- any other way is a subscription that ends.
CREATE SEQUENCE pgr.generation_seq;

CREATE TABLE pgr.persisted_subscriptions (
  query_id      text COLLATE "C" PRIMARY KEY,
  query         text NOT NULL,
  mode          text NOT NULL CHECK (mode IN ('delta', 'notify')),
  audience      jsonb CHECK (jsonb_typeof(audience) = 'object'),
  generation    bigint NOT NULL,
  owner         regrole NOT NULL,
  search_path   text NOT NULL,
  tables        oid[] NOT NULL,
  subscribed_at timestamptz NOT NULL DEFAULT now(),
  -- set by the worker once messages of this generation may have been sent
  active        boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('pgr.persisted_subscriptions', '');
SELECT pg_catalog.pg_extension_config_dump('pgr.generation_seq', '');

-- How far each subscription's messages have come.  It is written together with the pgr._snap_ table of
-- the subscription; both are UNLOGGED, so a crash empties both, and the worker begins a new generation.
CREATE UNLOGGED TABLE pgr._state (
  query_id   text COLLATE "C" PRIMARY KEY,
  generation bigint NOT NULL,
  seq        bigint NOT NULL
);

CREATE FUNCTION pgr._mark() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgr_mark';
CREATE FUNCTION pgr._key() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgr_key';
CREATE FUNCTION pgr._mark_registry() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgr_mark_registry';

CREATE TRIGGER pgr_mark_registry
  AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgr.persisted_subscriptions
  FOR EACH STATEMENT EXECUTE FUNCTION pgr._mark_registry();
ALTER TABLE pgr.persisted_subscriptions ENABLE ALWAYS TRIGGER pgr_mark_registry;

CREATE FUNCTION pgr.subscribe(p_query_id text, p_query text, p_mode text DEFAULT 'delta', p_audience jsonb DEFAULT NULL)
  RETURNS jsonb LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgr_subscribe';
COMMENT ON FUNCTION pgr.subscribe(text, text, text, jsonb) IS
  'watch a SELECT, run as the caller; messages on the channel pgr begin when this has been committed';

CREATE FUNCTION pgr.unsubscribe(p_query_id text)
  RETURNS boolean LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgr_unsubscribe';
COMMENT ON FUNCTION pgr.unsubscribe(text) IS 'end a subscription; false when there is none';

CREATE FUNCTION pgr.restore_subscriptions()
  RETURNS integer LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgr_restore_subscriptions';
COMMENT ON FUNCTION pgr.restore_subscriptions() IS
  'wait until the worker holds what pgr.persisted_subscriptions has; how many those are';

CREATE FUNCTION pgr.stats(OUT metric text, OUT value text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgr_stats';
COMMENT ON FUNCTION pgr.stats() IS 'counters since the worker of this database started';

CREATE FUNCTION pgr.sender()
  RETURNS integer LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgr_sender';
COMMENT ON FUNCTION pgr.sender() IS
  'the process that sends the messages, 0 while there is none; null where each writer sends its own';

CREATE FUNCTION pgr._slots(OUT query_id text, OUT generation bigint, OUT table_count integer,
    OUT row_count bigint, OUT invalidation_count bigint, OUT recompute_count bigint, OUT recompute_ms double precision,
    OUT last_used timestamptz, OUT failing text)
  RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgr_slots';

CREATE FUNCTION pgr._touch(query_id text)
  RETURNS boolean LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgr_touch';

CREATE FUNCTION pgr.get_subscriptions(OUT query_id text, OUT query text, OUT mode text, OUT audience jsonb,
    OUT owner regrole, OUT generation bigint, OUT seq bigint, OUT tables regclass[], OUT table_count integer,
    OUT row_count bigint, OUT invalidation_count bigint, OUT recompute_count bigint,
    OUT recompute_ms double precision, OUT subscribed_at timestamptz, OUT last_used timestamptz, OUT failing text)
  RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.query_id, p.query, p.mode, p.audience, p.owner, s.generation, t.seq, p.tables::regclass[], s.table_count,
      s.row_count, s.invalidation_count, s.recompute_count, s.recompute_ms, p.subscribed_at, s.last_used, s.failing
    FROM pgr._slots() s JOIN pgr.persisted_subscriptions p ON p.query_id = s.query_id
      LEFT JOIN pgr._state t ON t.query_id = s.query_id AND t.generation = s.generation;
END;
COMMENT ON FUNCTION pgr.get_subscriptions() IS 'the subscriptions that the worker holds now';

CREATE VIEW pgr.subscriptions AS SELECT * FROM pgr.get_subscriptions();

CREATE FUNCTION pgr.subscription_meta(query_id text, OUT mode text, OUT audience jsonb, OUT generation bigint)
  RETURNS SETOF record LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT p.mode, p.audience, p.generation FROM pgr.persisted_subscriptions p
    WHERE p.query_id = subscription_meta.query_id
      AND pgr._touch(subscription_meta.query_id) IS NOT NULL;
END;
COMMENT ON FUNCTION pgr.subscription_meta(text) IS
  'what a relay must know before it lets a client in: committed data; counts as use of the subscription';

-- One statement reads the rows and how far they go, so the messages with a larger seq follow on them.
CREATE FUNCTION pgr.snapshot(query_id text, OUT generation bigint, OUT seq bigint, OUT rows json)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT s.generation, s.seq, (SELECT coalesce(json_agg(n.body::json), ''[]'')'
    ' FROM pgr.%I n, generate_series(1, n.copies)) FROM pgr._state s'
    ' JOIN pgr.persisted_subscriptions p USING (query_id, generation) WHERE s.query_id = $1',
    '_snap_' || query_id) USING query_id;
EXCEPTION WHEN undefined_table THEN
  RETURN;
END $$;
COMMENT ON FUNCTION pgr.snapshot(text) IS
  'the rows that the messages so far make; apply those of the same gen with a larger seq';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgr FROM PUBLIC;

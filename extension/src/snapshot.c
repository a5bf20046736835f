/* SPDX-License-Identifier: MIT */
/*
 * pgr._snap_QUERY: the rows that the messages so far make, and pgr._state: how far that is.  They
 * are written in one transaction with the message, by the worker alone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "worker.h"

static char *
snapshot_name(const char *query_id)
{
    return psprintf("pgr.%s", quote_identifier(psprintf("%s%s", PGR_SNAPSHOT, query_id)));
}

static bool
has_snapshot(const char *query_id)
{
    Oid relation = get_relname_relid(psprintf("%s%s", PGR_SNAPSHOT, query_id),
                                     get_namespace_oid("pgr", false));

    return OidIsValid(relation) && get_rel_relkind(relation) == RELKIND_RELATION;
}

void
pgr_snapshot_drop(const char *query_id)
{
    Datum value = CStringGetTextDatum(query_id);
    Oid type = TEXTOID;

    pgr_sql("DELETE FROM pgr._state WHERE query_id = $1", 1, &type, &value, NULL);
    if (!has_snapshot(query_id))
        return;
    pgr_command("ALTER EXTENSION %s DROP TABLE %s", PGR_EXTENSION, snapshot_name(query_id));
    pgr_command("DROP TABLE %s", snapshot_name(query_id));
}

static void
make_empty(const char *query_id)
{
    const char *name = snapshot_name(query_id);

    if (has_snapshot(query_id)) {
        pgr_command("TRUNCATE %s", name);
        return;
    }
    /* An index that PostgreSQL names could have the name of another's snapshot. */
    pgr_command("CREATE UNLOGGED TABLE %s (hash uuid CONSTRAINT %s PRIMARY KEY,"
                " copies integer NOT NULL, body text NOT NULL)",
                name, quote_identifier(psprintf("%s%s", PGR_SNAPSHOT_KEY, query_id)));
    pgr_command("ALTER EXTENSION %s ADD TABLE %s", PGR_EXTENSION, name);
}

static void
read_rows(struct pgr_subscription *subscription)
{
    pgr_command("SELECT hash, copies FROM %s", snapshot_name(subscription->query_id));
    for (uint64 i = 0; i < SPI_processed; i++) {
        bool is_null;
        Datum hash = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);
        Datum copies = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &is_null);
        struct pgr_row *row =
            hash_search(subscription->rows, DatumGetUUIDP(hash)->data, HASH_ENTER, NULL);

        row->copies = DatumGetInt32(copies);
    }
}

/* A crash empties what is UNLOGGED.  The lock orders those who compute, where writers do. */
bool
pgr_snapshot_resume(struct pgr_subscription *subscription)
{
    Oid types[] = {TEXTOID, INT8OID};
    Datum values[] = {CStringGetTextDatum(subscription->query_id),
                      Int64GetDatum(subscription->generation)};
    bool is_null;

    pgr_sql("SELECT seq FROM pgr._state WHERE query_id = $1 AND generation = $2 FOR UPDATE", 2,
            types, values, NULL);
    if (SPI_processed == 0 || !has_snapshot(subscription->query_id))
        return false;
    subscription->seq =
        DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
    read_rows(subscription);
    return true;
}

/* The registry's generation, or a new one if messages of that have been sent. */
static int64
begin_generation(const struct pgr_subscription *subscription)
{
    Oid types[] = {TEXTOID, INT8OID};
    Datum values[] = {CStringGetTextDatum(subscription->query_id),
                      Int64GetDatum(subscription->generation)};
    bool is_null;

    pgr_sql("UPDATE pgr.persisted_subscriptions SET active = true,"
            " generation = CASE WHEN active THEN nextval('pgr.generation_seq') ELSE generation END"
            " WHERE query_id = $1 AND generation = $2 RETURNING generation",
            2, types, values, NULL);
    if (SPI_processed == 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("subscription \"%s\" is another one by now", subscription->query_id));
    ForceSyncCommit(); /* a crash must not bring this generation back as a new one */
    return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
}

/* True if there was a state of an earlier generation. */
static bool
begin_state(const char *query_id, int64 generation)
{
    Oid types[] = {TEXTOID, INT8OID};
    Datum values[] = {CStringGetTextDatum(query_id), Int64GetDatum(generation)};

    pgr_sql("UPDATE pgr._state SET generation = $2, seq = 0 WHERE query_id = $1", 2, types, values,
            NULL);
    if (SPI_processed > 0)
        return true;
    pgr_sql("INSERT INTO pgr._state VALUES ($1, $2, 0)", 2, types, values, NULL);
    return false;
}

/* Clients of an older generation are told to begin again: what they missed is not known. */
void
pgr_snapshot_open(struct pgr_subscription *subscription)
{
    bool was_active = subscription->active;
    int64 generation;

    subscription->seq = 0;
    if (pgr_snapshot_resume(subscription))
        return;
    generation = begin_generation(subscription);
    was_active |= begin_state(subscription->query_id, generation); /* first the lock, as writers */
    make_empty(subscription->query_id);
    subscription->generation = generation;
    subscription->active = subscription->filling = true;
    if (was_active)
        pgr_send_resubscribed(subscription);
}

void
pgr_snapshot_set_seq(struct pgr_subscription *subscription, int64 seq)
{
    Oid types[] = {TEXTOID, INT8OID};
    Datum values[] = {CStringGetTextDatum(subscription->query_id), Int64GetDatum(seq)};

    pgr_sql("UPDATE pgr._state SET seq = $2 WHERE query_id = $1", 2, types, values, NULL);
}

static Datum
array_of(Datum *values, int count, Oid type)
{
    int16 length = type == UUIDOID ? UUID_LEN : type == INT4OID ? 4 : -1;
    char align = type == UUIDOID ? TYPALIGN_CHAR : TYPALIGN_INT;

    return PointerGetDatum(construct_array(values, count, type, length, type == INT4OID, align));
}

static void
insert_rows(const char *name, struct pgr_delta *delta)
{
    Oid types[] = {UUIDARRAYOID, TEXTARRAYOID};
    Datum values[] = {array_of(delta->inserted_hashes, delta->inserted_count, UUIDOID),
                      array_of(delta->inserted_bodies, delta->inserted_count, TEXTOID)};

    pgr_sql(psprintf("INSERT INTO %s AS s SELECT n.hash, count(*), min(n.body COLLATE \"C\")"
                     " FROM unnest($1, $2) AS n(hash, body) GROUP BY n.hash"
                     " ON CONFLICT (hash) DO UPDATE SET copies = s.copies + excluded.copies",
                     name),
            2, types, values, NULL);
}

static void
note_deleted(struct pgr_delta *delta, HeapTuple tuple, TupleDesc columns)
{
    bool is_null;
    Datum copies = SPI_getbinval(tuple, columns, 2, &is_null);
    char *body = SPI_getvalue(tuple, columns, 1);

    for (int i = 0; i < DatumGetInt32(copies); i++)
        delta->deleted_bodies = lappend(delta->deleted_bodies, body);
}

static void
delete_rows(const char *name, struct pgr_delta *delta)
{
    Oid types[] = {UUIDARRAYOID, INT4ARRAYOID};
    Datum values[] = {array_of(delta->gone_hashes, delta->gone_count, UUIDOID),
                      array_of(delta->gone_copies, delta->gone_count, INT4OID)};

    pgr_sql(psprintf("WITH gone AS (SELECT * FROM unnest($1, $2) AS g(hash, copies)),"
                     " fewer AS (UPDATE %s s SET copies = s.copies - g.copies FROM gone g"
                     "  WHERE s.hash = g.hash AND s.copies > g.copies RETURNING s.body, g.copies),"
                     " none AS (DELETE FROM %s s USING gone g"
                     "  WHERE s.hash = g.hash AND s.copies <= g.copies RETURNING s.body, g.copies)"
                     " SELECT * FROM fewer UNION ALL SELECT * FROM none",
                     name, name),
            2, types, values, NULL);
    for (uint64 i = 0; i < SPI_processed; i++)
        note_deleted(delta, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
}

void
pgr_snapshot_change(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    const char *name = snapshot_name(subscription->query_id);

    if (delta->inserted_count > 0)
        insert_rows(name, delta);
    if (delta->gone_count > 0)
        delete_rows(name, delta);
}

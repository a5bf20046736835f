/* SPDX-License-Identifier: MIT */
/*
 * pgr._snap_QUERY: the rows that the messages so far make, and pgr._state: how far that is.  They
 * are written in one transaction with the message, by the worker alone.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "worker.h"

/* Columns of pgr._state and of a snapshot. */
#define STATE_SEQ 3
#define SNAPSHOT_COPIES 2
#define SNAPSHOT_BODY 3

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
                " copies integer NOT NULL, body text NOT NULL) USING heap",
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

/* ---- rows, written as PostgreSQL writes those of a catalog: no statement is planned for them ----
 */

struct target {
    Relation table;
    CatalogIndexState indexes;
    Oid index;
    Snapshot snapshot;
};

static void
open_target(struct target *target, const char *table, const char *index)
{
    Oid namespace = get_namespace_oid("pgr", false);

    CommandCounterIncrement(); /* what this transaction has written there is seen */
    target->table = table_open(get_relname_relid(table, namespace), RowExclusiveLock);
    target->indexes = CatalogOpenIndexes(target->table);
    target->index = get_relname_relid(index, namespace);
    target->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

static void
close_target(struct target *target)
{
    UnregisterSnapshot(target->snapshot);
    CatalogCloseIndexes(target->indexes);
    table_close(target->table, RowExclusiveLock);
    CommandCounterIncrement();
}

/* The row with a key, which must be there. */
static HeapTuple
find_row(const struct target *target, RegProcedure equality, Datum value)
{
    ScanKeyData key;
    SysScanDesc scan;
    HeapTuple found;

    ScanKeyInit(&key, 1, BTEqualStrategyNumber, equality, value);
    scan = systable_beginscan(target->table, target->index, true, target->snapshot, 1, &key);
    found = heap_copytuple(systable_getnext(scan));
    systable_endscan(scan);
    if (!HeapTupleIsValid(found))
        ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
                errmsg("a row of \"%s\" is missing", RelationGetRelationName(target->table)));
    return found;
}

/* It is freed. */
static void
change_row(const struct target *target, HeapTuple row, int column, Datum value)
{
    TupleDesc columns = RelationGetDescr(target->table);
    HeapTuple changed = heap_modify_tuple_by_cols(row, columns, 1, &column, &value, &(bool){false});

    CatalogTupleUpdateWithInfo(target->table, &row->t_self, changed, target->indexes);
    heap_freetuple(changed);
    heap_freetuple(row);
}

static void
insert_row(const struct target *target, Datum *values)
{
    bool nulls[] = {false, false, false};
    HeapTuple row = heap_form_tuple(RelationGetDescr(target->table), values, nulls);

    CatalogTupleInsertWithInfo(target->table, row, target->indexes);
    heap_freetuple(row);
}

void
pgr_snapshot_set_seq(struct pgr_subscription *subscription, int64 seq)
{
    struct target target;
    HeapTuple row;

    open_target(&target, "_state", "_state_pkey");
    row = find_row(&target, F_TEXTEQ, CStringGetTextDatum(subscription->query_id));
    change_row(&target, row, STATE_SEQ, Int64GetDatum(seq));
    close_target(&target);
}

static int
compare_hashes(const void *left, const void *right)
{
    return memcmp(*(uint8 *const *)left, *(uint8 *const *)right, PGR_HASH_BYTES);
}

struct sorted_row {
    const uint8 *hash; /* first: compare_hashes */
    Datum hash_datum;
    Datum body;
};

static struct sorted_row *
sorted_rows(const struct pgr_delta *delta)
{
    struct sorted_row *rows =
        palloc_extended(sizeof(*rows) * delta->inserted_count, MCXT_ALLOC_HUGE);

    for (int i = 0; i < delta->inserted_count; i++)
        rows[i] = (struct sorted_row){.hash = DatumGetUUIDP(delta->inserted_hashes[i])->data,
                                      .hash_datum = delta->inserted_hashes[i],
                                      .body = delta->inserted_bodies[i]};
    qsort(rows, delta->inserted_count, sizeof(*rows), compare_hashes);
    return rows;
}

static void
add_row(const struct target *target, HTAB *held, const struct sorted_row *row, int copies)
{
    const struct pgr_row *before = hash_search(held, row->hash, HASH_FIND, NULL);
    Datum values[] = {row->hash_datum, Int32GetDatum(copies), row->body};

    if (before != NULL)
        change_row(target, find_row(target, F_UUID_EQ, row->hash_datum), SNAPSHOT_COPIES,
                   Int32GetDatum(before->copies + copies));
    else
        insert_row(target, values);
}

static void
insert_rows(const struct target *target, HTAB *held, const struct pgr_delta *delta)
{
    struct sorted_row *rows = sorted_rows(delta);
    int copies = 0;

    for (int i = 0; i < delta->inserted_count; i++) {
        copies++;
        if (i + 1 < delta->inserted_count && compare_hashes(&rows[i], &rows[i + 1]) == 0)
            continue;
        add_row(target, held, &rows[i], copies);
        copies = 0;
    }
}

static void
note_deleted(struct pgr_delta *delta, HeapTuple row, TupleDesc columns, int copies)
{
    bool is_null;
    char *body = TextDatumGetCString(heap_getattr(row, SNAPSHOT_BODY, columns, &is_null));

    for (int i = 0; i < copies; i++)
        delta->deleted_bodies = lappend(delta->deleted_bodies, body);
}

static void
delete_row(const struct target *target, HTAB *held, struct pgr_delta *delta, Datum hash, int copies)
{
    const struct pgr_row *before = hash_search(held, DatumGetUUIDP(hash)->data, HASH_FIND, NULL);
    HeapTuple row = find_row(target, F_UUID_EQ, hash);

    note_deleted(delta, row, RelationGetDescr(target->table), copies);
    if (before->copies > copies) {
        change_row(target, row, SNAPSHOT_COPIES, Int32GetDatum(before->copies - copies));
        return;
    }
    CatalogTupleDelete(target->table, &row->t_self);
    heap_freetuple(row);
}

/* The table has what `rows` has: both are of the last result. */
void
pgr_snapshot_change(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    struct target target;

    open_target(&target, psprintf("%s%s", PGR_SNAPSHOT, subscription->query_id),
                psprintf("%s%s", PGR_SNAPSHOT_KEY, subscription->query_id));
    insert_rows(&target, subscription->rows, delta);
    for (int i = 0; i < delta->gone_count; i++)
        delete_row(&target, subscription->rows, delta, delta->gone_hashes[i],
                   DatumGetInt32(delta->gone_copies[i]));
    close_target(&target);
}

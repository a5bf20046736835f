/* SPDX-License-Identifier: MIT */
/*
 * Which tables carry the trigger.  A statement's triggers are those of the table that it names, so
 * rows of a partition or child may change under another name: its parents' and its children's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg_reactive.h"

static const char *
why_unwatchable(Relation table)
{
    switch (table->rd_rel->relkind) {
    case RELKIND_RELATION:
    case RELKIND_PARTITIONED_TABLE:
        break;
    case RELKIND_FOREIGN_TABLE:
        return "is a foreign table: it changes without telling";
    case RELKIND_MATVIEW:
        return "is a materialized view: watch the query behind it";
    default:
        return "is no table";
    }
    if (IsCatalogRelation(table) ||
        strcmp(get_namespace_name(RelationGetNamespace(table)), "information_schema") == 0)
        return "is a catalog: it has no triggers";
    if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
        return "is a temporary table: only its session sees it";
    if (strcmp(get_namespace_name(RelationGetNamespace(table)), "pgr") == 0)
        return "belongs to pg_reactive itself";
    return NULL;
}

void
pgr_refuse_unwatchable(Oid oid)
{
    Relation table = relation_open(oid, AccessShareLock);
    const char *why = why_unwatchable(table);

    if (why != NULL)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the query cannot be watched"),
                errdetail("\"%s\" %s.", RelationGetRelationName(table), why));
    relation_close(table, NoLock);
}

static List *
parents(Oid child)
{
    Relation inherits = table_open(InheritsRelationId, AccessShareLock);
    List *found = NIL;
    ScanKeyData key;
    SysScanDesc scan;
    HeapTuple tuple;

    ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(child));
    scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
    while (HeapTupleIsValid(tuple = systable_getnext(scan)))
        found = lappend_oid(found, ((Form_pg_inherits)GETSTRUCT(tuple))->inhparent);
    systable_endscan(scan);
    table_close(inherits, AccessShareLock);
    return found;
}

static List *
with_ancestors(List *tables)
{
    for (int i = 0; i < list_length(tables); i++)
        tables = list_concat_unique_oid(tables, parents(list_nth_oid(tables, i)));
    return tables;
}

static List *
close_one(List *tables, struct pgr_table *table)
{
    List *family = with_ancestors(find_all_inheritors(table->oid, AccessShareLock, NULL));
    ListCell *cell;

    if (list_length(family) == 1)
        return pgr_tables_add(tables, table->oid, table->columns);
    foreach (cell, family) {
        pgr_refuse_unwatchable(lfirst_oid(cell));
        tables = pgr_tables_add(tables, lfirst_oid(cell), PGR_ALL_COLUMNS);
    }
    return tables;
}

List *
pgr_tables_close(List *tables)
{
    List *closed = NIL;
    ListCell *cell;

    foreach (cell, tables)
        closed = close_one(closed, lfirst(cell));
    return closed;
}

Datum
pgr_tables_oids(List *tables)
{
    Datum *oids = palloc(sizeof(Datum) * list_length(tables));
    int count = 0;
    ListCell *cell;

    foreach (cell, tables)
        oids[count++] = ObjectIdGetDatum(((struct pgr_table *)lfirst(cell))->oid);
    return PointerGetDatum(construct_array(oids, count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

static char *
qualified(Oid table)
{
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
                                      get_rel_name(table));
}

/*
 * The lock lets no writer be half-way: those before it end first, and the worker sees them; those
 * after it find the trigger.
 */
static void
watch(Oid table)
{
    char *name;

    if (OidIsValid(get_trigger_oid(table, PGR_TRIGGER, true)))
        return;
    LockRelationOid(table, ShareRowExclusiveLock);
    if (OidIsValid(get_trigger_oid(table, PGR_TRIGGER, true)))
        return;
    name = qualified(table);
    pgr_command("CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s"
                " FOR EACH STATEMENT EXECUTE FUNCTION pgr._mark()",
                PGR_TRIGGER, name);
    pgr_command("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, PGR_TRIGGER);
    pgr_command("ALTER TRIGGER %s ON %s DEPENDS ON EXTENSION %s", PGR_TRIGGER, name, PGR_EXTENSION);
}

void
pgr_tables_watch(List *tables)
{
    ListCell *cell;

    foreach (cell, tables)
        watch(((struct pgr_table *)lfirst(cell))->oid);
}

static bool
is_used(Oid table)
{
    Datum value = ObjectIdGetDatum(table);
    Oid type = OIDOID;

    pgr_sql("SELECT FROM pgr.persisted_subscriptions WHERE $1 = ANY (tables) LIMIT 1", 1, &type,
            &value, NULL);
    return SPI_processed > 0;
}

/*
 * Never waits for a lock, so that nobody waits behind it.  Who subscribes holds a lock on the table
 * until its commit: with the exclusive one in hand, what the registry says is all there is.
 */
static bool
unwatch(Oid table)
{
    if (!ConditionalLockRelationOid(table, AccessExclusiveLock))
        return false;
    if (OidIsValid(get_trigger_oid(table, PGR_TRIGGER, true)) && !is_used(table))
        pgr_command("DROP TRIGGER %s ON %s", PGR_TRIGGER, qualified(table));
    return true;
}

bool
pgr_tables_unwatch(void)
{
    bool some_left = false;
    uint64 count;
    Oid *tables;

    pgr_command("SELECT t.tgrelid FROM pg_trigger t"
                " WHERE t.tgname = '%s' AND t.tgfoid = 'pgr._mark()'::regprocedure"
                " AND NOT EXISTS (SELECT FROM pgr.persisted_subscriptions s WHERE t.tgrelid = ANY "
                "(s.tables))",
                PGR_TRIGGER);
    count = SPI_processed;
    tables = palloc(sizeof(Oid) * (count + 1));
    for (uint64 i = 0; i < count; i++) {
        bool is_null;

        tables[i] = DatumGetObjectId(
            SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null));
    }
    for (uint64 i = 0; i < count; i++)
        some_left |= !unwatch(tables[i]);
    return some_left;
}

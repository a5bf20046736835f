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
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "worker.h"

/* The worker waits for a lock after being refused for so long, without such a pause in between. */
#define PATIENCE_MS 10000
#define PAUSE_MS 5000

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

    if (list_length(family) == 1) {
        if (get_rel_relkind(table->oid) == RELKIND_PARTITIONED_TABLE)
            table->key = 0;
        return pgr_tables_add(tables, table);
    }
    foreach (cell, family) {
        pgr_refuse_unwatchable(lfirst_oid(cell));
        tables = pgr_tables_add(
            tables, &(struct pgr_table){.oid = lfirst_oid(cell), .columns = PGR_ALL_COLUMNS});
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

enum trigger_state {
    TRIGGER_MISSING,
    TRIGGER_OFF,
    TRIGGER_ON
};

static enum trigger_state
state_of(Relation table, const Trigger *trigger)
{
    if (get_func_namespace(trigger->tgfoid) != get_namespace_oid("pgr", false))
        ereport(ERROR, errcode(ERRCODE_DUPLICATE_OBJECT),
                errmsg("\"%s\" has a trigger %s that is not of pg_reactive",
                       RelationGetRelationName(table), trigger->tgname),
                errhint("Give it another name."));
    return trigger->tgenabled == TRIGGER_FIRES_ALWAYS ? TRIGGER_ON : TRIGGER_OFF;
}

static enum trigger_state
find_trigger(Oid oid, const char *name)
{
    Relation table = table_open(oid, AccessShareLock);
    enum trigger_state state = TRIGGER_MISSING;

    for (int i = 0; table->trigdesc != NULL && i < table->trigdesc->numtriggers; i++)
        if (strcmp(table->trigdesc->triggers[i].tgname, name) == 0)
            state = state_of(table, &table->trigdesc->triggers[i]);
    table_close(table, AccessShareLock);
    return state;
}

/*
 * Who stands in line for this lock holds up the writers behind.  The worker does that only where it
 * would never be its turn otherwise, and then not for long (lock_timeout).
 */
static bool
may_wait(void)
{
    static TimestampTz since = 0, last = 0;
    TimestampTz now = GetCurrentTimestamp();

    if (TimestampDifferenceExceeds(last, now, PAUSE_MS))
        since = now;
    last = now;
    if (!TimestampDifferenceExceeds(since, now, PATIENCE_MS))
        return false;
    since = now;
    return true;
}

/*
 * The lock lets no writer be half-way: those before it end first, and the worker sees them; those
 * after it find the trigger.
 */
static void
lock_writers_out(Oid table)
{
    if (pgr_is_worker() && ConditionalLockRelationOid(table, ShareRowExclusiveLock))
        return;
    if (pgr_is_worker() && !may_wait())
        ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                errmsg("\"%s\" is being written, and cannot be watched yet", get_rel_name(table)));
    LockRelationOid(table, ShareRowExclusiveLock);
}

/* Before its tables, as DROP EXTENSION locks them. */
static Oid
lock_extension(void)
{
    Oid extension = get_extension_oid(PGR_EXTENSION, false);

    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    if (get_extension_oid(PGR_EXTENSION, false) != extension)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("extension %s is another one by now", PGR_EXTENSION));
    return extension;
}

/*
 * As ALTER TRIGGER ... DEPENDS ON EXTENSION, which locks the extension against the worker and all
 * who subscribe until the commit.
 */
static void
go_with_extension(Oid table, const char *trigger, Oid extension)
{
    ObjectAddress dependent, on;

    ObjectAddressSet(dependent, TriggerRelationId, get_trigger_oid(table, trigger, false));
    ObjectAddressSet(on, ExtensionRelationId, extension);
    recordDependencyOn(&dependent, &on, DEPENDENCY_AUTO_EXTENSION);
}

/* True if it was not yet. */
static bool
watch(Oid table)
{
    enum trigger_state state;
    Oid extension;
    char *name;

    if (find_trigger(table, PGR_TRIGGER) == TRIGGER_ON)
        return false;
    extension = lock_extension();
    lock_writers_out(table);
    state = find_trigger(table, PGR_TRIGGER);
    if (state == TRIGGER_ON)
        return false;
    name = qualified(table);
    if (state == TRIGGER_MISSING) {
        pgr_command("CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s"
                    " FOR EACH STATEMENT EXECUTE FUNCTION pgr._mark()",
                    PGR_TRIGGER, name);
        go_with_extension(table, PGR_TRIGGER, extension);
    }
    pgr_command("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, PGR_TRIGGER);
    return true;
}

/* The names of the columns that a table's trigger marks, as they stand in its definition. */
static List *
marked_columns(Oid oid)
{
    Relation table = table_open(oid, AccessShareLock);
    List *names = NIL;

    for (int i = 0; table->trigdesc != NULL && i < table->trigdesc->numtriggers; i++) {
        const Trigger *trigger = &table->trigdesc->triggers[i];

        for (int j = 0; strcmp(trigger->tgname, PGR_KEY_TRIGGER) == 0 && j < trigger->tgnargs; j++)
            names = lappend(names, makeString(pstrdup(trigger->tgargs[j])));
    }
    table_close(table, AccessShareLock);
    return names;
}

static void
make_key_trigger(Oid table, List *columns, Oid extension)
{
    char *name = qualified(table);
    StringInfoData arguments;
    ListCell *cell;

    initStringInfo(&arguments);
    foreach (cell, columns)
        appendStringInfo(&arguments, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
                         quote_literal_cstr(strVal(lfirst(cell))));
    pgr_command("CREATE OR REPLACE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE ON %s"
                " FOR EACH ROW EXECUTE FUNCTION pgr._key(%s)",
                PGR_KEY_TRIGGER, name, arguments.data);
    pgr_command("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", name, PGR_KEY_TRIGGER);
    go_with_extension(table, PGR_KEY_TRIGGER, extension);
}

/* A column that has another name by now is in nobody's way: its place goes to the next one. */
static List *
that_exist(Oid table, List *columns)
{
    List *found = NIL;
    ListCell *cell;

    foreach (cell, columns)
        if (get_attnum(table, strVal(lfirst(cell))) != InvalidAttrNumber)
            found = lappend(found, lfirst(cell));
    return found;
}

static bool
marks_column(Oid table, String *column)
{
    return find_trigger(table, PGR_KEY_TRIGGER) == TRIGGER_ON &&
           list_member(marked_columns(table), column);
}

/*
 * True if the trigger did not mark it yet.  Where its writers mark other columns, and have enough
 * to do with them, or leave the worker no moment for it, the query goes by no key.
 */
static bool
watch_key(struct pgr_table *table)
{
    String *column = makeString(get_attname(table->oid, table->key, false));
    List *columns;
    Oid extension;

    if (marks_column(table->oid, column))
        return false;
    extension = lock_extension();
    if (!pgr_is_worker())
        lock_writers_out(table->oid);
    else if (!ConditionalLockRelationOid(table->oid, ShareRowExclusiveLock)) {
        table->key = 0;
        return false;
    }
    if (marks_column(table->oid, column))
        return false;
    columns = that_exist(table->oid, marked_columns(table->oid));
    if (!list_member(columns, column) && list_length(columns) == PGR_MAX_KEYS) {
        table->key = 0;
        return false;
    }
    make_key_trigger(table->oid, list_append_unique(columns, column), extension);
    return true;
}

bool
pgr_tables_watch(List *tables)
{
    bool some_new = false;
    ListCell *cell;

    foreach (cell, tables) {
        struct pgr_table *table = lfirst(cell);

        some_new |= watch(table->oid);
        some_new |= table->key != 0 && watch_key(table);
    }
    return some_new;
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
    if (OidIsValid(get_trigger_oid(table, PGR_TRIGGER, true)) && !is_used(table)) {
        pgr_command("DROP TRIGGER %s ON %s", PGR_TRIGGER, qualified(table));
        pgr_command("DROP TRIGGER IF EXISTS %s ON %s", PGR_KEY_TRIGGER, qualified(table));
    }
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

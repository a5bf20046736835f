/* SPDX-License-Identifier: MIT */
/*
 * What this backend's transaction has written.  All of it stands in a fixed array, so that neither
 * the triggers nor the commit allocate, wait or fail; what does not fit counts as everything.
 *
 * A mark knows the level of its subtransaction, and goes with it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/ipc.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/resowner.h"

#include "marks.h"
#include "shared.h"

#define MAX_MARKS 64

static struct {
    int count;
    bool all;
    bool schema;
    bool roles;
    bool registry;
    bool prepared;   /* a prepared transaction has been committed */
    bool uncomputed; /* with async_recompute = off: something to ask again before the commit */
    bool missed;     /* ... and something that the worker has to */
    struct pgr_local_mark marks[MAX_MARKS];
} local;

/* The worker to tell of DDL once the caches' invalidations are out. */
static struct pgr_database *told_schema = NULL;
static bool told_roles = false; /* all workers: roles are the cluster's */

static bool ignored = false;
static ProcessUtility_hook_type next_utility = NULL;

PG_FUNCTION_INFO_V1(pgr_mark);
PG_FUNCTION_INFO_V1(pgr_mark_registry);

void
pgr_marks_ignore(void)
{
    ignored = true;
}

struct pgr_local_mark *
pgr_mark_find(Oid table)
{
    int level = GetCurrentTransactionNestLevel();

    local.uncomputed = !pgr_async_recompute && !ignored;
    for (int i = local.count - 1; i >= 0; i--)
        if (local.marks[i].table == table && local.marks[i].level == level)
            return &local.marks[i];
    if (local.count == MAX_MARKS) {
        local.all = true;
        return NULL;
    }
    local.marks[local.count] = (struct pgr_local_mark){.table = table, .level = level};
    return &local.marks[local.count++];
}

static uint64
all_columns(const struct pgr_local_mark *mark)
{
    return mark->columns | mark->unkeyed | mark->keyed;
}

/*
 * The columns that an UPDATE has set, as far as they are known: a BEFORE trigger may set others,
 * and a partition or child has triggers and column numbers of its own.
 */
static uint64
updated_columns(TriggerData *data)
{
    Relation table = data->tg_relation;
    uint64 columns = 0;
    int attribute = -1;

#if PG_VERSION_NUM >= 180000
    if (table->rd_att->constr != NULL && table->rd_att->constr->has_generated_virtual)
        return PGR_ALL_COLUMNS;
#endif
    if (data->tg_updatedcols == NULL || table->rd_rel->relhassubclass ||
        (table->trigdesc != NULL && table->trigdesc->trig_update_before_row))
        return PGR_ALL_COLUMNS;
    while ((attribute = bms_next_member(data->tg_updatedcols, attribute)) >= 0)
        columns |= pgr_column_bit(attribute + FirstLowInvalidHeapAttributeNumber);
    return columns;
}

/*
 * With async_recompute = off: the writer asks again.  What it could not it leaves to the worker:
 * after DDL of its own, queries may mean something else or nothing.
 */
static void
compute(void)
{
    List *tables = NIL;

    for (int i = 0; i < local.count; i++)
        tables =
            pgr_tables_add(tables, &(struct pgr_table){.oid = local.marks[i].table,
                                                       .columns = all_columns(&local.marks[i])});
    local.uncomputed = false;
    local.missed |= local.schema || !pgr_sync_recompute(tables, local.all);
}

TriggerData *
pgr_trigger_data(FunctionCallInfo fcinfo)
{
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("pgr._mark() and pgr._key() are triggers"));
    return (TriggerData *)fcinfo->context;
}

uint64
pgr_written_columns(TriggerData *data)
{
    return TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? updated_columns(data) : PGR_ROWS;
}

/* Each row that the statement has written has been through pgr_key. */
static bool
has_keys(const TriggerData *data)
{
    const Relation table = data->tg_relation;

    if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) || table->rd_rel->relhassubclass ||
        table->rd_rel->relispartition)
        return false;
    for (int i = 0; i < table->trigdesc->numtriggers; i++) {
        const Trigger *trigger = &table->trigdesc->triggers[i];

        if (strcmp(trigger->tgname, PGR_KEY_TRIGGER) == 0)
            return trigger->tgenabled == TRIGGER_FIRES_ALWAYS;
    }
    return false;
}

Datum
pgr_mark(PG_FUNCTION_ARGS)
{
    TriggerData *data = pgr_trigger_data(fcinfo);
    struct pgr_local_mark *mark = pgr_mark_find(RelationGetRelid(data->tg_relation));

    if (mark != NULL && has_keys(data))
        mark->unkeyed |= pgr_written_columns(data);
    else if (mark != NULL)
        mark->columns |= pgr_written_columns(data);
    if (local.uncomputed && !pgr_batch_invalidation)
        compute();
    return PointerGetDatum(NULL);
}

Datum
pgr_mark_registry(PG_FUNCTION_ARGS)
{
    local.registry = true;
    return PointerGetDatum(NULL);
}

static void
publish_mark(struct pgr_database *database, const struct pgr_local_mark *mark)
{
    pgr_database_mark(database, mark->table, mark->columns, mark->unkeyed);
    if ((mark->columns & mark->keyed) == mark->keyed)
        return; /* everybody knows */
    for (int i = 0; i < mark->count; i++)
        pgr_database_mark_key(database, mark->buckets[i], mark->keyed);
}

static void
publish(struct pgr_database *database)
{
    bool tables = pgr_async_recompute || local.missed;

    if (!tables && !local.prepared && !local.schema && !local.registry)
        return; /* all that it wrote has been told */
    for (int i = 0; i < local.count && tables; i++)
        publish_mark(database, &local.marks[i]);
    if (local.prepared)
        pgr_database_commit_prepared(database);
    if (local.all && tables)
        pg_atomic_exchange_u32(&database->all, 1);
    if (local.registry)
        pg_atomic_exchange_u32(&database->registry, 1);
    pgr_database_wake(database);
}

static void
commit(void)
{
    struct pgr_database *database;

    if (ignored || !(local.count || local.all || local.schema || local.registry || local.prepared))
        return;
    database = pgr_database_find(MyDatabaseId);
    if (local.schema)
        told_schema = database;
    told_roles = local.roles;
    if (database != NULL)
        publish(database);
    else if (local.registry)
        pgr_launcher_want(MyDatabaseId);
}

static void
refuse_prepared_registry(void)
{
    if (local.registry)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has subscribed or unsubscribed"));
}

/* Some other backend will commit it, perhaps after a restart, and knows nothing of these. */
static void
prepare(void)
{
    struct pgr_database *database = ignored ? NULL : pgr_database_find(MyDatabaseId);

    if (database == NULL)
        return; /* a worker that starts later finds it prepared */
    for (int i = 0; i < local.count; i++)
        pgr_database_mark_prepared(database, local.marks[i].table, all_columns(&local.marks[i]));
    if (local.all)
        pg_atomic_exchange_u32(&database->unknown_prepared, PGR_PREPARED_ALL);
}

/* The prepared one was committed, perhaps, and this one ended before it could say so. */
static void
abort_after_prepared(void)
{
    struct pgr_database *database = local.prepared ? pgr_database_find(MyDatabaseId) : NULL;

    if (database == NULL)
        return;
    pgr_database_commit_prepared(database);
    pgr_database_wake(database);
}

static void
forget(void)
{
    local.count = 0;
    local.all = local.schema = local.roles = local.registry = local.prepared = false;
    local.uncomputed = local.missed = false;
}

static void
on_transaction(XactEvent event, void *context)
{
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        if (local.uncomputed)
            compute();
        break;
    case XACT_EVENT_COMMIT:
        commit();
        forget();
        break;
    case XACT_EVENT_PRE_PREPARE:
        refuse_prepared_registry();
        prepare();
        break;
    case XACT_EVENT_PREPARE:
        prepare(); /* for a worker that has begun since, and saw nobody prepared */
        forget();
        break;
    case XACT_EVENT_ABORT:
        abort_after_prepared();
        forget();
        break;
    default:
        break;
    }
}

/*
 * A commit calls back before it sends the invalidations of what it has changed in the catalogs: a
 * worker that is quick would look and find everything as it was.
 */
static void
on_release(ResourceReleasePhase phase, bool is_commit, bool is_top, void *context)
{
    if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top)
        return;
    if (told_roles)
        pgr_databases_wake();
    else if (told_schema != NULL)
        pgr_database_wake(told_schema);
    told_roles = false;
    told_schema = NULL;
}

static void
on_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *context)
{
    int level = GetCurrentTransactionNestLevel();
    int kept = 0;

    if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
        return;
    for (int i = 0; i < local.count; i++) {
        if (local.marks[i].level >= level && event == SUBXACT_EVENT_ABORT_SUB)
            continue;
        local.marks[kept] = local.marks[i];
        local.marks[kept].level = Min(local.marks[kept].level, level - 1);
        if (event == SUBXACT_EVENT_ABORT_SUB)
            local.marks[kept].level = local.marks[i].level;
        kept++;
    }
    local.count = kept;
}

/* What PostgreSQL asks as well, after the worker has been sent away. */
static bool
may_drop(Oid database)
{
    if (IsTransactionBlock())
        return false;
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
    return pg_database_ownercheck(database, GetUserId());
#endif
}

/* A worker is a connection, and a database with connections cannot be dropped. */
static Oid
quit_worker(const char *name)
{
    Oid oid = get_database_oid(name, true);
    struct pgr_database *database = OidIsValid(oid) ? pgr_database_find(oid) : NULL;

    if (database == NULL || !may_drop(oid))
        return InvalidOid;
    pg_atomic_exchange_u32(&database->quit, 1);
    pg_atomic_exchange_u32(&database->woken, 0);
    pgr_database_wake(database);
    return oid;
}

static bool
changes_roles(Node *statement)
{
    switch (nodeTag(statement)) {
    case T_CreateRoleStmt:
    case T_AlterRoleStmt:
    case T_DropRoleStmt:
    case T_GrantRoleStmt:
        return true;
    case T_RenameStmt:
        return ((RenameStmt *)statement)->renameType == OBJECT_ROLE;
    default:
        return false;
    }
}

static void
note_statement(Node *statement)
{
    if (IsA(statement, TransactionStmt)) {
        if (((TransactionStmt *)statement)->kind == TRANS_STMT_COMMIT_PREPARED)
            local.prepared = true;
    } else if (GetCommandLogLevel(statement) == LOGSTMT_DDL) {
        local.schema = true;
        local.roles |= changes_roles(statement);
    }
}

/* The database is still there. */
static void
on_kept(int code, Datum database)
{
    pgr_launcher_want(DatumGetObjectId(database));
}

static void
on_utility(PlannedStmt *planned, const char *text, bool read_only_tree,
           ProcessUtilityContext context, ParamListInfo parameters, QueryEnvironment *environment,
           DestReceiver *destination, QueryCompletion *completion)
{
    Node *statement = planned->utilityStmt;
    Oid quitted = InvalidOid;

    if (IsA(statement, NotifyStmt))
        pgr_refuse_notify();
    if (IsA(statement, DropdbStmt))
        quitted = quit_worker(((DropdbStmt *)statement)->dbname);
    else if (!ignored)
        note_statement(statement);
    if (!OidIsValid(quitted)) {
        next_utility(planned, text, read_only_tree, context, parameters, environment, destination,
                     completion);
        return;
    }
    PG_ENSURE_ERROR_CLEANUP(on_kept, ObjectIdGetDatum(quitted));
    {
        next_utility(planned, text, read_only_tree, context, parameters, environment, destination,
                     completion);
    }
    PG_END_ENSURE_ERROR_CLEANUP(on_kept, ObjectIdGetDatum(quitted));
}

void
pgr_marks_init(void)
{
    RegisterXactCallback(on_transaction, NULL);
    RegisterSubXactCallback(on_subtransaction, NULL);
    RegisterResourceReleaseCallback(on_release, NULL);
    next_utility = ProcessUtility_hook != NULL ? ProcessUtility_hook : standard_ProcessUtility;
    ProcessUtility_hook = on_utility;
}

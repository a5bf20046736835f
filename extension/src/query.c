/* SPDX-License-Identifier: MIT */
/*
 * What a query depends on: read from the rewritten tree, so that the tables behind views and row
 * policies are among it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif

#include "pg_reactive.h"

static void
refuse(const char *why)
{
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the query cannot be watched"),
            errdetail_internal("%s", why));
}

List *
pgr_tables_add(List *tables, const struct pgr_table *added)
{
    struct pgr_table *table;
    ListCell *cell;

    foreach (cell, tables) {
        table = lfirst(cell);
        if (table->oid != added->oid)
            continue;
        table->columns |= added->columns;
        table->unkeyed |= added->unkeyed;
        if (table->key != added->key || table->bucket != added->bucket)
            table->key = 0;
        return tables;
    }
    table = palloc(sizeof(*table));
    *table = *added;
    return lappend(tables, table);
}

/* The columns that the reader needs SELECT on are those that the query reads. */
static Bitmapset *
selected_columns(Query *query, RangeTblEntry *entry)
{
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex == 0)
        return NULL;
    return getRTEPermissionInfo(query->rteperminfos, entry)->selectedCols;
#else
    return entry->selectedCols;
#endif
}

static uint64
columns_read(Query *query, RangeTblEntry *entry)
{
    Bitmapset *selected = selected_columns(query, entry);
    uint64 columns = PGR_ROWS;
    int member = -1;

    if (entry->securityQuals != NIL)
        return PGR_ALL_COLUMNS; /* what a row policy reads is not among them */
    while ((member = bms_next_member(selected, member)) >= 0) {
        int attribute = member + FirstLowInvalidHeapAttributeNumber;

        if (attribute <= 0)
            return PGR_ALL_COLUMNS; /* the row as a whole, or a system column */
        columns |= pgr_column_bit(attribute);
    }
    return columns;
}

static void
read_entry(Query *query, RangeTblEntry *entry, int number, struct pgr_query *result)
{
    struct pgr_table table = {.oid = entry->relid};

    if (entry->tablesample != NULL)
        refuse("TABLESAMPLE gives other rows each time.");
    if (entry->rtekind == RTE_NAMEDTUPLESTORE)
        refuse("It reads a transition table.");
    if (OidIsValid(entry->relid) && entry->relkind == RELKIND_VIEW)
        result->views = list_append_unique_oid(result->views, entry->relid);
    if (entry->rtekind != RTE_RELATION || entry->relkind == RELKIND_VIEW)
        return;
    pgr_refuse_unwatchable(entry->relid);
    table.columns = columns_read(query, entry);
    pgr_key_find(query, number, &table);
    result->tables = pgr_tables_add(result->tables, &table);
}

static void
read_query(Query *query, struct pgr_query *result)
{
    ListCell *cell;

    if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
        refuse("Only a SELECT that writes nothing can be watched.");
    if (query->rowMarks != NIL)
        refuse("It locks rows (FOR UPDATE or FOR SHARE).");
    foreach (cell, query->rtable)
        read_entry(query, lfirst(cell), foreach_current_index(cell) + 1, result);
}

static bool
walk(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, Query)) {
        read_query((Query *)node, context);
        return query_tree_walker((Query *)node, walk, context, 0);
    }
    pgr_refuse_volatile(node);
    return expression_tree_walker(node, walk, context);
}

static void
refuse_repeated_column(List *targets, TargetEntry *target)
{
    ListCell *cell;

    foreach (cell, targets) {
        TargetEntry *other = lfirst(cell);

        if (other == target)
            return;
        if (!other->resjunk && strcmp(other->resname, target->resname) == 0)
            ereport(ERROR, errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("the query cannot be watched"),
                    errdetail(
                        "Two of its columns are called \"%s\", and a row is sent as a JSON object.",
                        target->resname),
                    errhint("Rename one with AS."));
    }
}

static char *
read_layout(List *targets)
{
    StringInfoData layout;
    ListCell *cell;

    initStringInfo(&layout);
    foreach (cell, targets) {
        TargetEntry *target = lfirst(cell);
        Node *expression = (Node *)target->expr;

        if (target->resjunk)
            continue;
        refuse_repeated_column(targets, target);
        appendStringInfo(&layout, "%s %u %d,", quote_identifier(target->resname),
                         exprType(expression), exprTypmod(expression));
    }
    return layout.data;
}

/* One statement, a SELECT. */
static RawStmt *
parse(const char *text)
{
    List *statements = pg_parse_query(text);
    RawStmt *statement;

    if (list_length(statements) != 1)
        refuse("It is not one statement.");
    statement = linitial(statements);
    if (!IsA(statement->stmt, SelectStmt) || ((SelectStmt *)statement->stmt)->intoClause != NULL)
        refuse("Only a SELECT that writes nothing can be watched.");
    return statement;
}

Query *
pgr_query_analyze(const char *text)
{
    List *queries = pg_analyze_and_rewrite_fixedparams(parse(text), text, NULL, 0, NULL);

    if (list_length(queries) != 1)
        refuse("A rule makes several statements of it.");
    return linitial(queries);
}

void
pgr_query_read(const char *text, struct pgr_query *result)
{
    result->tree = pgr_query_analyze(text);
    result->tables = result->views = NIL;
    (void)walk((Node *)result->tree, result);
    result->layout = read_layout(result->tree->targetList);
    result->tables = pgr_tables_close(result->tables);
    if (result->tables == NIL)
        refuse("It reads no table.");
}

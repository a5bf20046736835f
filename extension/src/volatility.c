/* SPDX-License-Identifier: MIT */
/*
 * What may change its value though nobody wrote to the query's tables.
 *
 * IMMUTABLE functions may be used.  STABLE ones may read tables that are not watched, or the clock,
 * or the session; only those of PostgreSQL itself that depend on settings alone are let through.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "pg_reactive.h"

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Functions of pg_catalog that are STABLE and read the clock, the session or the catalogs. */
static bool
reads_more_than_settings(const char *name, int arguments)
{
    static const char *const starts[] = {"pg_",
                                         "has_",
                                         "to_reg",
                                         "txid_",
                                         "row_security_",
                                         "current_",
                                         "session_",
                                         "table_to_",
                                         "query_to_",
                                         "schema_to_",
                                         "database_to_",
                                         "cursor_to_",
                                         "inet_",
                                         "obj_description",
                                         "col_description",
                                         "shobj_description"};

    if (arguments == 0 || (arguments == 1 && strcmp(name, "age") == 0))
        return true;
    for (size_t i = 0; i < lengthof(starts); i++)
        if (starts_with(name, starts[i]))
            return true;
    return strcmp(name, "format_type") == 0 ? false : starts_with(name, "reg");
}

static bool reads_clock(Oid type);

static bool
row_reads_clock(Oid type)
{
    TupleDesc columns = type_is_rowtype(type) ? lookup_rowtype_tupdesc_copy(type, -1) : NULL;

    for (int i = 0; columns != NULL && i < columns->natts; i++)
        if (!TupleDescAttr(columns, i)->attisdropped &&
            reads_clock(TupleDescAttr(columns, i)->atttypid))
            return true;
    return false;
}

/* Whether a text that is read as this type may say 'now' or 'today'. */
static bool
reads_clock(Oid type)
{
    switch (type = getBaseType(type)) {
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case RECORDOID:
        return true;
    default:
        break;
    }
    if (OidIsValid(get_element_type(type)))
        return reads_clock(get_element_type(type));
    if (type_is_multirange(type))
        return reads_clock(get_multirange_range(type));
    if (type_is_range(type))
        return reads_clock(get_range_subtype(type));
    return row_reads_clock(type);
}

/* An input function that is called by its name. */
static bool
reads_cstring(Oid function)
{
    Oid *arguments;
    int count;

    (void)get_func_signature(function, &arguments, &count);
    return count > 0 && arguments[0] == CSTRINGOID;
}

static void
refuse_clock(Oid type)
{
    if (reads_clock(type))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the query cannot be watched"),
                errdetail("It reads text as %s, and the text may say 'now' or 'today'.",
                          format_type_be(type)),
                errhint("to_date and to_timestamp with a format read no clock."));
}

static bool
may_change(Form_pg_proc function)
{
    if (function->provolatile == PROVOLATILE_IMMUTABLE)
        return false;
    if (function->provolatile == PROVOLATILE_VOLATILE)
        return true;
    return function->pronamespace != PG_CATALOG_NAMESPACE ||
           reads_more_than_settings(NameStr(function->proname), function->pronargs);
}

static bool
refuse_function(Oid oid, void *context)
{
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
    Form_pg_proc function;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for function %u", oid);
    function = (Form_pg_proc)GETSTRUCT(tuple);
    if (may_change(function))
        ereport(
            ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the query cannot be watched"),
            errdetail("%s is %s: its value may change without a write to the query's tables.",
                      format_procedure(oid),
                      function->provolatile == PROVOLATILE_VOLATILE ? "VOLATILE" : "STABLE"),
            errhint(
                "A condition on time belongs in the client, or in a column that a job writes."));
    ReleaseSysCache(tuple);
    return false;
}

static void
refuse_value_function(SQLValueFunction *function)
{
    switch (function->op) {
    case SVFOP_CURRENT_ROLE:
    case SVFOP_CURRENT_USER:
    case SVFOP_USER:
    case SVFOP_CURRENT_CATALOG:
        return; /* the subscription's owner, always */
    default:
        ereport(
            ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the query cannot be watched"),
            errdetail("It reads the clock or the session: its value may change without a write."));
    }
}

void
pgr_refuse_volatile(Node *node)
{
    if (IsA(node, SQLValueFunction))
        refuse_value_function((SQLValueFunction *)node);
    if (IsA(node, CoerceViaIO))
        refuse_clock(((CoerceViaIO *)node)->resulttype);
    if (IsA(node, FuncExpr) && reads_cstring(((FuncExpr *)node)->funcid))
        refuse_clock(((FuncExpr *)node)->funcresulttype);
    if (IsA(node, NextValueExpr))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("the query cannot be watched"),
                errdetail("It takes values from a sequence."));
    (void)check_functions_in_node(node, refuse_function, NULL);
}

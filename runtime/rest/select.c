/* SPDX-License-Identifier: MIT */
/*
 * select=, order=, limit= and offset= to SQL.  Names are looked up; what is added to the statement
 * is the generated identifier, never the client's spelling.
 */
#include <stdio.h>
#include <string.h>

#include "rest/columns.h"
#include "rest/request.h"

/* The casts that `select=column::type` may name, and the type of what comes back. */
static const struct pgs_type casts[] = {
    {.kind = PGS_TEXT, .sql = "text"},
    {.kind = PGS_INT2, .sql = "smallint"},
    {.kind = PGS_INT2, .sql = "int2"},
    {.kind = PGS_INT4, .sql = "integer"},
    {.kind = PGS_INT4, .sql = "int"},
    {.kind = PGS_INT4, .sql = "int4"},
    {.kind = PGS_INT8, .sql = "bigint"},
    {.kind = PGS_INT8, .sql = "int8"},
    {.kind = PGS_FLOAT4, .sql = "real"},
    {.kind = PGS_FLOAT4, .sql = "float4"},
    {.kind = PGS_FLOAT8, .sql = "double precision"},
    {.kind = PGS_FLOAT8, .sql = "float8"},
    {.kind = PGS_NUMERIC, .sql = "numeric"},
    {.kind = PGS_BOOL, .sql = "boolean"},
    {.kind = PGS_BOOL, .sql = "bool"},
    {.kind = PGS_UUID, .sql = "uuid"},
    {.kind = PGS_BYTEA, .sql = "bytea"},
    {.kind = PGS_DATE, .sql = "date"},
    {.kind = PGS_TIME, .sql = "time"},
    {.kind = PGS_TIMESTAMP, .sql = "timestamp"},
    {.kind = PGS_TIMESTAMPTZ, .sql = "timestamptz"},
    {.kind = PGS_JSON, .sql = "json"},
    {.kind = PGS_JSONB, .sql = "jsonb"},
};

static const struct pgs_type *
find_cast(struct pgs_text name)
{
    for (size_t i = 0; i < PGS_COUNT(casts); i++)
        if (strlen(casts[i].sql) == name.len && memcmp(casts[i].sql, name.at, name.len) == 0)
            return &casts[i];
    return NULL;
}

static void
add_output(struct pgs_sql *sql, const struct pgs_column *column, const struct pgs_type *cast,
           bool first)
{
    if (!first)
        pgs__sql_add(sql, ", ");
    pgs__sql_add(sql, column->ident);
    if (cast != NULL) {
        pgs__sql_add(sql, "::");
        pgs__sql_add(sql, cast->sql);
    }
}

static size_t
count_visible(const struct pgs_source *source)
{
    return source->visible != NULL ? source->n_visible : source->n_columns;
}

static const struct pgs_column *
visible_column(const struct pgs_source *source, size_t i)
{
    return &source->columns[source->visible != NULL ? source->visible[i] : i];
}

static size_t
add_all(struct pgs_sql *sql, const struct pgs_source *source, struct pgs_output *outputs, size_t n)
{
    for (size_t i = 0; i < count_visible(source); i++, n++) {
        const struct pgs_column *column = visible_column(source, i);

        add_output(sql, column, NULL, n == 0);
        outputs[n] = (struct pgs_output){column->name, strlen(column->name), &column->type};
    }
    return n;
}

/* One item of select=; false: answered. */
static bool
add_item(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
         const struct pgs_select_item *item, struct pgs_output *output, bool first)
{
    const struct pgs_column *column;
    const struct pgs_type *cast = NULL;
    struct pgs_text name = item->alias.len > 0 ? item->alias : item->column;

    if (item->embed) {
        pgs__fail(rq, 400, "PGRST200", NULL, "select columns of this relation only",
                  "Embedding \"%.*s\" in \"%s\" is not supported", (int)item->column.len,
                  item->column.at, source->name);
        return false;
    }
    column = pgs__find_column(rq, source, item->column);
    if (column == NULL)
        return false;
    if (item->cast.len > 0 && (cast = find_cast(item->cast)) == NULL) {
        pgs__fail(rq, 400, "42704", NULL, NULL, "type \"%.*s\" does not exist", (int)item->cast.len,
                  item->cast.at);
        return false;
    }
    add_output(sql, column, cast, first);
    *output = (struct pgs_output){name.at, name.len, cast != NULL ? cast : &column->type};
    return true;
}

bool
pgs__sql_select(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    const struct pgs_query_string *query = &rq->query;
    size_t room = query->n_select + 1, n = 0;
    struct pgs_output *outputs;

    for (size_t i = 0; i < query->n_select || i == 0; i++)
        if (query->n_select == 0 || pgs__is_star(&query->select[i]))
            room += count_visible(source);
    outputs = rq->memory.alloc(rq->memory.pool, room * sizeof(*outputs));
    if (query->n_select == 0)
        n = add_all(sql, source, outputs, n);
    for (size_t i = 0; i < query->n_select; i++) {
        if (pgs__is_star(&query->select[i]))
            n = add_all(sql, source, outputs, n);
        else if (add_item(rq, sql, source, &query->select[i], &outputs[n], n == 0))
            n++;
        else
            return false;
    }
    rq->outputs = outputs;
    rq->n_outputs = n;
    return true;
}

static bool
may_order(const struct pgs_source *source, const struct pgs_column *column)
{
    const struct pgs_relation *relation = source->relation;
    size_t number = (size_t)(column - source->columns);

    return relation == NULL || pgs__is_listed(relation->orders, relation->n_orders, number) ||
           pgs__is_listed(relation->key, relation->n_key, number);
}

bool
pgs__sql_order(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    for (size_t i = 0; i < rq->query.n_order; i++) {
        const struct pgs_order_item *item = &rq->query.order[i];
        const struct pgs_column *column = pgs__find_column(rq, source, item->column);

        if (column == NULL)
            return false;
        if (!may_order(source, column)) {
            pgs__fail(rq, 400, "PGS102", NULL, "name it in the endpoint's `order (...)`",
                      "The endpoint of \"%s\" does not order by \"%s\"", source->name,
                      column->name);
            return false;
        }
        pgs__sql_add(sql, i == 0 ? " order by " : ", ");
        pgs__sql_add(sql, column->ident);
        if (item->descending)
            pgs__sql_add(sql, " desc");
        if (item->nulls != PGS_NULLS_DEFAULT)
            pgs__sql_add(sql, item->nulls == PGS_NULLS_FIRST ? " nulls first" : " nulls last");
    }
    return true;
}

void
pgs__sql_page(struct pgs_request *rq, struct pgs_sql *sql)
{
    if (rq->limit >= 0) {
        pgs__sql_add(sql, " limit ");
        pgs__sql_param_int(sql, rq->limit, "bigint");
    }
    if (rq->offset > 0) {
        pgs__sql_add(sql, " offset ");
        pgs__sql_param_int(sql, rq->offset, "bigint");
    }
}

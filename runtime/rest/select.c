/* SPDX-License-Identifier: MIT */
/*
 * select= to SQL.
 */
#include "base/text.h"
#include "rest/clause.h"
#include "rest/fail.h"

/* The casts that `select=column::type` may name, and the type of what comes back. */
static const struct pgs_type casts[] = {
    {.kind = PGS_TEXT, .sql = "text"},
    {.kind = PGS_TEXT, .sql = "varchar"},
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
    {.kind = PGS_TIMESTAMP, .sql = "timestamp without time zone"},
    {.kind = PGS_TIMESTAMPTZ, .sql = "timestamptz"},
    {.kind = PGS_TIMESTAMPTZ, .sql = "timestamp with time zone"},
    {.kind = PGS_TIMETZ, .sql = "timetz"},
    {.kind = PGS_INTERVAL, .sql = "interval"},
    {.kind = PGS_INET, .sql = "inet"},
    {.kind = PGS_CIDR, .sql = "cidr"},
    {.kind = PGS_MONEY, .sql = "money"},
    {.kind = PGS_TSVECTOR, .sql = "tsvector"},
    {.kind = PGS_JSON, .sql = "json"},
    {.kind = PGS_JSONB, .sql = "jsonb"},
};

const struct pgs_type *
pgs__casts(size_t *n)
{
    *n = PGS_COUNT(casts);
    return casts;
}

static const struct pgs_type *
find_cast(struct pgs_text name)
{
    for (size_t i = 0; i < PGS_COUNT(casts); i++)
        if (pgs_text_is(name, casts[i].sql))
            return &casts[i];
    return NULL;
}

static bool
is_star(const struct pgs_select_item *item)
{
    return pgs_text_is(item->column, "*") && !item->embed;
}

/* What is selected so far. */
struct outputs {
    struct pgs_output *at;
    size_t n;
};

static void
add_output(struct pgs_sql *sql, struct outputs *outputs, const struct pgs_column *column,
           struct pgs_text name, const struct pgs_type *cast)
{
    if (outputs->n > 0)
        pgs__sql_add(sql, ", ");
    pgs__sql_add(sql, column->ident);
    if (cast != NULL) {
        pgs__sql_add(sql, "::");
        pgs__sql_add(sql, cast->sql);
    }
    outputs->at[outputs->n++] =
        (struct pgs_output){name.at, name.len, cast != NULL ? cast : &column->type};
}

static void
add_visible(struct pgs_sql *sql, const struct pgs_source *source, struct outputs *outputs)
{
    for (size_t i = 0; i < source->n_visible; i++) {
        size_t number = source->visible != NULL ? source->visible[i] : i;
        const struct pgs_column *column = &source->columns[number];

        add_output(sql, outputs, column, pgs_text_of(column->name), NULL);
    }
}

/* One item of select= that is not `*`. */
static bool
add_item(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
         const struct pgs_select_item *item, struct outputs *outputs)
{
    const struct pgs_column *column;
    const struct pgs_type *cast = item->cast.len > 0 ? find_cast(item->cast) : NULL;

    if (item->embed)
        return pgs__refuse(rq, 400, "PGRST200", "select columns of this relation only",
                           "Embedding \"%.*s\" in \"%s\" is not supported",
                           (int)(item->column.len < 200 ? item->column.len : 200), item->column.at,
                           source->name);
    column = pgs__find_column(rq, source, item->column);
    if (column == NULL)
        return false;
    if (item->cast.len > 0 && cast == NULL)
        return pgs__refuse(rq, 400, "42704", NULL, "type \"%.*s\" does not exist",
                           (int)(item->cast.len < 200 ? item->cast.len : 200), item->cast.at);
    add_output(sql, outputs, column, item->alias.len > 0 ? item->alias : item->column, cast);
    return true;
}

static size_t
count_outputs(const struct pgs_query_string *query, const struct pgs_source *source)
{
    size_t n = query->n_select == 0 ? source->n_visible : 0;

    for (size_t i = 0; i < query->n_select; i++)
        n += is_star(&query->select[i]) ? source->n_visible : 1;
    return n;
}

bool
pgs__sql_select(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    const struct pgs_query_string *query = &rq->query;
    size_t room = count_outputs(query, source);
    struct outputs outputs = {NULL, 0};

    if (room > PGS_MAX_OUTPUTS)
        return pgs__refuse(rq, 400, "54011", NULL, "too many columns in select: at most %d",
                           PGS_MAX_OUTPUTS);
    outputs.at = rq->memory.alloc(rq->memory.pool, (room + 1) * sizeof(*outputs.at));
    if (query->n_select == 0)
        add_visible(sql, source, &outputs);
    for (size_t i = 0; i < query->n_select; i++) {
        if (is_star(&query->select[i]))
            add_visible(sql, source, &outputs);
        else if (!add_item(rq, sql, source, &query->select[i], &outputs))
            return false;
    }
    rq->outputs = outputs.at;
    rq->n_outputs = outputs.n;
    return true;
}

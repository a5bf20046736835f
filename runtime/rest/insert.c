/* SPDX-License-Identifier: MIT */
/*
 * POST of a relation: one row as parameters, many as one array a column.
 */
#include "base/text.h"
#include "rest/build.h"
#include "rest/clause.h"
#include "rest/fail.h"
#include "codec/literal.h"
#include "rest/written.h"

#define MANY_ROWS 100      /* from here on it may take long */
#define MANY_BYTES 0x10000 /* of a body */

/* The fields of a shape that are inserted, in order. */
struct fields {
    size_t *at;
    size_t n;
};

static const unsigned char *
row_at(const struct pgs_shape *shape, const struct pgs_rows *rows, size_t i)
{
    return (const unsigned char *)rows->at + i * shape->struct_size;
}

/* All rows have the field, or none has. */
static bool
rows_agree(const struct pgs_shape *shape, const struct pgs_rows *rows, size_t field)
{
    bool in_first = row_at(shape, rows, 0)[field] != PGS_ABSENT;

    for (size_t r = 1; r < rows->n; r++)
        if ((row_at(shape, rows, r)[field] != PGS_ABSENT) != in_first)
            return false;
    return true;
}

/*
 * The columns to insert: those of `columns=`, where a row that lacks one gets null; or else, and
 * with missing=default, those of the rows, which must all have the same.
 */
static bool
choose_fields(struct pgs_request *rq, const struct pgs_shape *shape, const struct pgs_rows *rows,
              struct fields *fields)
{
    const struct pgs_query_string *query = &rq->query;
    bool listed = query->n_columns > 0, may_lack = listed && !rq->prefer.missing_default;

    fields->at = rq->scratch.alloc(rq->scratch.pool, (shape->n_fields + 1) * sizeof(size_t));
    fields->n = 0;
    for (size_t i = 0; i < shape->n_fields; i++) {
        if (listed &&
            !pgs__is_named(query->columns, query->n_columns, shape->fields[i].column->name))
            continue;
        if (!may_lack && !rows_agree(shape, rows, i))
            return pgs__refuse(rq, 400, "PGRST102",
                               "give every object the same keys, or name them in `columns=`",
                               "All object keys must match");
        if (may_lack || row_at(shape, rows, 0)[i] != PGS_ABSENT)
            fields->at[fields->n++] = i;
    }
    return true;
}

static const char *
ident_of(const struct pgs_shape *shape, const struct fields *fields, size_t i)
{
    return shape->fields[fields->at[i]].column->ident;
}

static void
add_column_list(struct pgs_sql *sql, const struct pgs_shape *shape, const struct fields *fields)
{
    for (size_t i = 0; i < fields->n; i++) {
        pgs__sql_add(sql, i == 0 ? " (" : ", ");
        pgs__sql_add(sql, ident_of(shape, fields, i));
    }
    if (fields->n > 0)
        pgs__sql_add(sql, ")");
}

static void
add_one_row(struct pgs_sql *sql, const struct pgs_shape *shape, const struct fields *fields,
            const void *row)
{
    pgs__sql_add(sql, fields->n > 0 ? " values (" : " default values");
    for (size_t i = 0; i < fields->n; i++) {
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_field(sql, shape, fields->at[i], row);
    }
    if (fields->n > 0)
        pgs__sql_add(sql, ")");
}

/* `v0`, `v1`: the columns of unnest, whose own names could be anything. */
static void
add_value_name(struct pgs_sql *sql, size_t i)
{
    pgs__sql_add(sql, i == 0 ? "v" : ", v");
    pgs__sql_add_int(sql, (int64_t)i);
}

/* One text array a column, taken apart by unnest: the statement's text is the same for any number
 * of rows. */
static void
add_many_rows(struct pgs_sql *sql, const struct pgs_shape *shape, const struct fields *fields,
              const struct pgs_rows *rows)
{
    pgs__sql_add(sql, " select ");
    for (size_t i = 0; i < fields->n; i++) {
        add_value_name(sql, i);
        pgs__sql_add(sql, "::");
        pgs__sql_add(sql, shape->fields[fields->at[i]].column->type.sql);
    }
    pgs__sql_add(sql, " from unnest(");
    for (size_t i = 0; i < fields->n; i++) {
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_param(sql, pgs__field_array(sql->memory, shape, fields->at[i], rows->at, rows->n),
                       "text[]");
    }
    pgs__sql_add(sql, ") as v (");
    for (size_t i = 0; i < fields->n; i++)
        add_value_name(sql, i);
    pgs__sql_add(sql, ")");
}

/* A select of no columns leaves each to its default. */
static void
add_empty_rows(struct pgs_sql *sql, size_t n)
{
    pgs__sql_add(sql, " select from generate_series(1, ");
    pgs__sql_param_int(sql, (int64_t)n, "bigint");
    pgs__sql_add(sql, ")");
}

static bool
add_conflict_target(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    const struct pgs_relation *relation = source->relation;
    size_t n = rq->query.n_on_conflict > 0 ? rq->query.n_on_conflict : relation->n_key;

    if (n == 0)
        return pgs__refuse(rq, 400, "PGS104", "name the unique columns in `on_conflict=`",
                           "\"%s\" has no primary key to resolve duplicates by", relation->name);
    pgs__sql_add(sql, " on conflict (");
    for (size_t i = 0; i < n; i++) {
        const struct pgs_column *column =
            rq->query.n_on_conflict > 0 ? pgs__find_column(rq, source, rq->query.on_conflict[i])
                                        : &relation->columns[relation->key[i]];

        if (column == NULL)
            return false;
        if (i > 0)
            pgs__sql_add(sql, ", ");
        pgs__sql_add(sql, column->ident);
    }
    pgs__sql_add(sql, ")");
    return true;
}

/* By these columns duplicates are known. */
static bool
is_target(const struct pgs_request *rq, const struct pgs_relation *relation, const char *name)
{
    if (rq->query.n_on_conflict > 0)
        return pgs__is_named(rq->query.on_conflict, rq->query.n_on_conflict, name);
    for (size_t i = 0; i < relation->n_key; i++)
        if (strcmp(relation->columns[relation->key[i]].name, name) == 0)
            return true;
    return false;
}

static void
add_excluded(struct pgs_sql *sql, const char *ident, bool first)
{
    pgs__sql_add(sql, first ? " do update set " : ", ");
    pgs__sql_add(sql, ident);
    pgs__sql_add(sql, " = excluded.");
    pgs__sql_add(sql, ident);
}

/*
 * The target's columns are the same in both rows: leaving them alone asks for no right to update a
 * key.  Where there are no others the first is set, so that the row counts as written.
 */
static void
add_merge(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation,
          const struct pgs_shape *shape, const struct fields *fields)
{
    size_t n = 0;

    for (size_t i = 0; i < fields->n; i++)
        if (!is_target(rq, relation, shape->fields[fields->at[i]].column->name))
            add_excluded(sql, ident_of(shape, fields, i), n++ == 0);
    if (n == 0)
        add_excluded(sql, ident_of(shape, fields, 0), true);
}

static bool
add_conflict(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
             const struct pgs_shape *shape, const struct fields *fields)
{
    if (rq->prefer.resolution == PGS_RESOLUTION_NONE)
        return true;
    if (!add_conflict_target(rq, sql, source))
        return false;
    if (rq->prefer.resolution == PGS_RESOLUTION_IGNORE || fields->n == 0)
        pgs__sql_add(sql, " do nothing");
    else
        add_merge(rq, sql, source->relation, shape, fields);
    return true;
}

static bool
check_query(struct pgs_request *rq)
{
    const struct pgs_query_string *query = &rq->query;

    if (query->where == NULL && query->limit < 0 && query->offset == 0)
        return true;
    return pgs__refuse(rq, 400, "PGRST100", "leave them out",
                       "filters, limit and offset do not go with INSERT");
}

bool
pgs__build_insert(struct pgs_request *rq, const struct pgs_relation *relation,
                  const struct pgs_shape *shape, const struct pgs_rows *rows)
{
    struct pgs_source source = pgs__relation_source(rq, relation);
    struct pgs_sql *sql = pgs__statement(rq);
    struct fields fields;

    if (!check_query(rq) || !pgs__check_columns(rq, relation, shape) ||
        !choose_fields(rq, shape, rows, &fields))
        return false;
    pgs__begin_write(rq, sql);
    pgs__sql_add(sql, "insert into ");
    pgs__sql_add(sql, relation->sql);
    add_column_list(sql, shape, &fields);
    if (rows->n == 1)
        add_one_row(sql, shape, &fields, rows->at);
    else if (fields.n == 0)
        add_empty_rows(sql, rows->n);
    else
        add_many_rows(sql, shape, &fields, rows);
    return add_conflict(rq, sql, &source, shape, &fields) && pgs__end_write(rq, sql, &source);
}

void
pgs_run_insert(struct pgs_request *rq, const struct pgs_relation *relation,
               const struct pgs_shape *shape, const struct pgs_rows *rows)
{
    if (rows->n == 0) {
        pgs__respond_unwritten(rq);
        return;
    }
    pgs__prepare_write(rq, relation);
    rq->slow = rows->n > MANY_ROWS || rq->req->entity.len > MANY_BYTES;
    pgs__send(rq, pgs__build_insert(rq, relation, shape, rows), pgs__respond_written);
}

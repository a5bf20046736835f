/* SPDX-License-Identifier: MIT */
/*
 * PATCH and DELETE of a relation: what the filters name is changed.
 */
#include "rest/build.h"
#include "rest/clause.h"
#include "rest/fail.h"
#include "rest/written.h"

/* As the safeupdate module has it: to change all rows, say so with a filter that all pass. */
static bool
check_filtered(struct pgs_request *rq, const char *word)
{
    if (rq->query.where == NULL)
        return pgs__refuse(rq, 400, "21000", "filter by the primary key, or by what you mean",
                           "%s requires a WHERE clause", word);
    if (rq->query.limit >= 0 || rq->query.offset > 0)
        return pgs__refuse(rq, 400, "PGRST100", "filter the rows instead",
                           "limit and offset do not go with %s", word);
    return true;
}

/* Adds the columns that are present, and among those of `columns=` where it is given. */
static size_t
add_set(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_shape *shape, const void *row)
{
    const struct pgs_query_string *query = &rq->query;
    const unsigned char *has = row;
    size_t n = 0;

    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct pgs_column *column = shape->fields[i].column;

        if (has[i] == PGS_ABSENT ||
            (query->n_columns > 0 &&
             !pgs__is_named(query->columns, query->n_columns, column->name)))
            continue;
        pgs__sql_add(sql, n++ == 0 ? " set " : ", ");
        pgs__sql_add(sql, column->ident);
        pgs__sql_add(sql, " = ");
        pgs__sql_field(sql, shape, i, row);
    }
    return n;
}

bool
pgs__build_update(struct pgs_request *rq, const struct pgs_relation *relation,
                  const struct pgs_shape *shape, const void *row, bool *changes)
{
    struct pgs_source source = pgs__relation_source(rq, relation);
    struct pgs_sql *sql = pgs__statement(rq);

    if (!check_filtered(rq, "UPDATE") || !pgs__check_columns(rq, relation, shape))
        return false;
    pgs__begin_write(rq, sql);
    pgs__sql_add(sql, "update ");
    pgs__sql_add(sql, relation->sql);
    *changes = add_set(rq, sql, shape, row) > 0;
    return pgs__sql_where(rq, sql, &source) && pgs__end_write(rq, sql, &source);
}

bool
pgs__build_delete(struct pgs_request *rq, const struct pgs_relation *relation)
{
    struct pgs_source source = pgs__relation_source(rq, relation);
    struct pgs_sql *sql = pgs__statement(rq);

    if (!check_filtered(rq, "DELETE"))
        return false;
    pgs__begin_write(rq, sql);
    pgs__sql_add(sql, "delete from ");
    pgs__sql_add(sql, relation->sql);
    return pgs__sql_where(rq, sql, &source) && pgs__end_write(rq, sql, &source);
}

void
pgs_run_update(struct pgs_request *rq, const struct pgs_relation *relation,
               const struct pgs_shape *shape, const void *row)
{
    bool changes = true;
    bool built = pgs__build_update(rq, relation, shape, row, &changes);

    if (built && !changes) {
        pgs__respond_unwritten(rq);
        return;
    }
    pgs__prepare_write(rq, relation);
    rq->slow = !pgs__names_key(rq, relation);
    pgs__send(rq, built, pgs__respond_written);
}

void
pgs_run_delete(struct pgs_request *rq, const struct pgs_relation *relation)
{
    pgs__prepare_write(rq, relation);
    rq->slow = !pgs__names_key(rq, relation);
    pgs__send(rq, pgs__build_delete(rq, relation), pgs__respond_written);
}

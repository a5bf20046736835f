/* SPDX-License-Identifier: MIT */
/*
 * GET and HEAD of a relation.
 */
#include <string.h>

#include "rest/columns.h"
#include "rest/respond.h"

/* `get` without `list`: every key column stands in an `eq`, alone or beside other conditions. */
static bool
names_key(const struct pgs_request *rq, const struct pgs_relation *relation)
{
    size_t found = 0;

    for (size_t i = 0; i < relation->n_key; i++) {
        const char *name = relation->columns[relation->key[i]].name;

        for (const struct pgs_condition *c = rq->query.where; c != NULL; c = c->next)
            if (c->form == PGS_COMPARE && c->op == PGS_OP_EQ && !c->negated &&
                c->column.len == strlen(name) && memcmp(c->column.at, name, c->column.len) == 0) {
                found++;
                break;
            }
    }
    return relation->n_key > 0 && found == relation->n_key;
}

/* The endpoint's default and bounds, and the application's.  A row by its key needs none. */
static void
bound_limit(struct pgs_request *rq, const struct pgs_relation *relation)
{
    int64_t max = relation->max > 0 ? relation->max : rq->thread->app->max_rows;

    if (rq->limit < 0 && names_key(rq, relation))
        return;
    if (rq->limit < 0 && relation->limit > 0)
        rq->limit = relation->limit;
    if (max > 0 && (rq->limit < 0 || rq->limit > max))
        rq->limit = max;
}

static bool
build_count(struct pgs_request *rq, const struct pgs_source *source, const char *from)
{
    struct pgs_sql *sql = pgs__statement(rq);

    pgs__sql_add(sql, "select count(*) from ");
    pgs__sql_add(sql, from);
    return pgs__sql_where(rq, sql, source);
}

void
pgs_run_list(struct pgs_request *rq, const struct pgs_relation *relation)
{
    struct pgs_source source;
    struct pgs_sql *sql;

    if (!pgs__relation_source(rq, relation, &source)) {
        pgs__fail_denied(rq, relation->name);
        return;
    }
    if (relation->key_only && !names_key(rq, relation)) {
        pgs__fail(rq, 400, "PGS103", NULL, "filter with eq on each column of the primary key",
                  "The endpoint of \"%s\" serves single rows only", relation->name);
        return;
    }
    bound_limit(rq, relation);
    sql = pgs__statement(rq);
    pgs__sql_add(sql, "select ");
    if (!pgs__sql_select(rq, sql, &source))
        return;
    pgs__sql_add(sql, " from ");
    pgs__sql_add(sql, relation->sql);
    if (!pgs__sql_where(rq, sql, &source) || !pgs__sql_order(rq, sql, &source))
        return;
    pgs__sql_page(rq, sql);
    if (rq->prefer.count && !build_count(rq, &source, relation->sql))
        return;
    rq->idempotent = true;
    rq->slow = rq->prefer.count;
    pgs__send(rq, pgs__respond_list);
}

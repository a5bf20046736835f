/* SPDX-License-Identifier: MIT */
/*
 * GET and HEAD of a relation.
 */
#include "rest/build.h"
#include "rest/clause.h"
#include "rest/fail.h"
#include "rest/respond.h"

/* The endpoint's default and bounds, and the application's.  A row by its key needs none. */
static void
bound_limit(struct pgs_request *rq, const struct pgs_relation *relation)
{
    int64_t max = relation->max > 0 ? relation->max : rq->thread->app->max_rows;

    if (rq->limit < 0 && pgs__names_key(rq, relation))
        return;
    if (rq->limit < 0 && relation->limit > 0)
        rq->limit = relation->limit;
    if (max > 0 && (rq->limit < 0 || rq->limit > max))
        rq->limit = max;
}

/* The alias keeps `order by` from meaning what is selected: `id::text` is called id, too. */
static void
add_from(const struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation)
{
    const char *from = relation->sql;

    for (size_t i = 0; i < relation->n_inlined; i++)
        if (relation->inlined[i].roles >> rq->who.role & 1)
            from = relation->inlined[i].sql;
    pgs__sql_add(sql, " from ");
    pgs__sql_add(sql, from);
    pgs__sql_add(sql, " as r");
}

static bool
build_count(struct pgs_request *rq, const struct pgs_relation *relation,
            const struct pgs_source *source)
{
    struct pgs_sql *sql = pgs__statement(rq);

    pgs__sql_add(sql, "select count(*)");
    add_from(rq, sql, relation);
    return pgs__sql_where(rq, sql, source);
}

bool
pgs__build_list(struct pgs_request *rq, const struct pgs_relation *relation)
{
    struct pgs_source source = pgs__relation_source(rq, relation);
    struct pgs_sql *sql;

    if (relation->key_only && !pgs__names_key(rq, relation))
        return pgs__refuse(rq, 400, "PGS103", "filter with eq on each column of the primary key",
                           "The endpoint of \"%s\" serves single rows only", relation->name);
    bound_limit(rq, relation);
    sql = pgs__statement(rq);
    pgs__sql_add(sql, "select ");
    if (!pgs__sql_select(rq, sql, &source))
        return false;
    add_from(rq, sql, relation);
    if (!pgs__sql_where(rq, sql, &source) || !pgs__sql_order(rq, sql, &source))
        return false;
    pgs__sql_page(rq, sql);
    return !rq->prefer.count || build_count(rq, relation, &source);
}

static void
respond_list(struct pgs_request *rq, struct pgs_txn *txn)
{
    pgs__respond_page(rq, txn, rq->prefer.count ? pgs_txn_int(txn, 1, 0, 0) : -1);
}

void
pgs_run_list(struct pgs_request *rq, const struct pgs_relation *relation)
{
    rq->idempotent = true;
    rq->slow = rq->prefer.count;
    pgs__send(rq, pgs__build_list(rq, relation), respond_list);
}

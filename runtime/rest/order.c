/* SPDX-License-Identifier: MIT */
/*
 * order=, limit= and offset= to SQL.
 */
#include "rest/clause.h"
#include "rest/fail.h"

static const struct pgs_column *
find_column(struct pgs_request *rq, const struct pgs_source *source, size_t i)
{
    const struct pgs_column *column = pgs__find_column(rq, source, rq->query.order[i].column);

    return column != NULL && pgs__may_order(rq, source, column) ? column : NULL;
}

static void
add_direction(struct pgs_sql *sql, const struct pgs_order_item *item)
{
    if (item->descending)
        pgs__sql_add(sql, " desc");
    if (item->nulls != PGS_NULLS_DEFAULT)
        pgs__sql_add(sql, item->nulls == PGS_NULLS_FIRST ? " nulls first" : " nulls last");
}

bool
pgs__sql_order(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    for (size_t i = 0; i < rq->query.n_order; i++) {
        const struct pgs_column *column = find_column(rq, source, i);

        if (column == NULL)
            return false;
        pgs__sql_add(sql, i == 0 ? " order by r." : ", r.");
        pgs__sql_add(sql, column->ident);
        add_direction(sql, &rq->query.order[i]);
    }
    return true;
}

bool
pgs__sql_select_order(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    if (rq->n_outputs + rq->query.n_order > PGS_MAX_OUTPUTS)
        return pgs__refuse(rq, 400, "54011", NULL,
                           "too many columns in select and order: at most %d", PGS_MAX_OUTPUTS);
    for (size_t i = 0; i < rq->query.n_order; i++) {
        const struct pgs_column *column = find_column(rq, source, i);

        if (column == NULL)
            return false;
        pgs__sql_add(sql, ", ");
        pgs__sql_add(sql, column->ident);
    }
    return true;
}

void
pgs__sql_order_places(struct pgs_request *rq, struct pgs_sql *sql)
{
    for (size_t i = 0; i < rq->query.n_order; i++) {
        pgs__sql_add(sql, i == 0 ? " order by " : ", ");
        pgs__sql_add_int(sql, (int64_t)(rq->n_outputs + i + 1));
        add_direction(sql, &rq->query.order[i]);
    }
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

/* SPDX-License-Identifier: MIT */
/*
 * Declared queries and functions at /rest/v1/rpc/NAME.  They run on the slow lane: nothing is known
 * of how long one takes.  Raw SQL may also write, so each is called once a request, and GET may
 * only read.
 */
#include "codec/json_write.h"
#include "rest/build.h"
#include "rest/clause.h"
#include "rest/fail.h"
#include "rest/respond.h"

/* For the rest of the transaction; what writes then fails with 25006. */
const char pgs__read_only_sql[] = "select set_config('transaction_read_only', 'on', true)";

/* `"public"."f"("q" => $1::text)`: an argument that was not given is left to its default. */
static void
add_call(struct pgs_sql *sql, const struct pgs_call *call, const void *arguments)
{
    const unsigned char *has = arguments;
    bool first = true;

    pgs__sql_add(sql, call->sql);
    pgs__sql_add(sql, "(");
    for (size_t i = 0; i < call->arguments->n_fields; i++) {
        if (has[i] == PGS_ABSENT)
            continue;
        if (!first)
            pgs__sql_add(sql, ", ");
        first = false;
        pgs__sql_add(sql, call->arguments->fields[i].column->ident);
        pgs__sql_add(sql, " => ");
        pgs__sql_field(sql, call->arguments, i, arguments);
    }
    pgs__sql_add(sql, ")");
}

/* A bare value has no columns to speak of. */
static bool
check_scalar(struct pgs_request *rq, const struct pgs_call *call)
{
    const struct pgs_query_string *query = &rq->query;

    if (query->n_select == 0 && query->where == NULL && query->n_order == 0)
        return true;
    return pgs__refuse(rq, 400, "PGRST100", "leave out select, order and filters",
                       "The result of \"%s\" has no columns", call->name);
}

static bool
add_outputs(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_call *call,
            const struct pgs_source *source)
{
    struct pgs_output *output;

    if (!call->scalar)
        return pgs__sql_select(rq, sql, source);
    output = rq->memory.alloc(rq->memory.pool, sizeof(*output));
    *output = (struct pgs_output){NULL, 0, &call->columns[0].type};
    rq->outputs = output;
    rq->n_outputs = 1;
    pgs__sql_add(sql, "*");
    return check_scalar(rq, call);
}

static void
bound_limit(struct pgs_request *rq, const struct pgs_call *call)
{
    int64_t max = rq->thread->app->max_rows;

    if (call->returns_set && max > 0 && (rq->limit < 0 || rq->limit > max))
        rq->limit = max;
}

bool
pgs__build_call(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    struct pgs_source source = pgs__call_source(call);
    struct pgs_sql *sql;

    rq->prefer.count = rq->prefer.count && call->returns_set;
    if (rq->route->method == PGS_GET) {
        pgs__sql_add(pgs__statement(rq), pgs__read_only_sql);
        rq->rows_from = 1;
    }
    bound_limit(rq, call);
    sql = pgs__statement(rq);
    pgs__sql_add(sql, "select ");
    if (!add_outputs(rq, sql, call, &source))
        return false;
    if (rq->prefer.count)
        pgs__sql_add(sql, ", count(*) over ()");
    pgs__sql_add(sql, " from ");
    add_call(sql, call, arguments);
    pgs__sql_add(sql, " as r");
    if (!pgs__sql_where(rq, sql, &source) || !pgs__sql_order(rq, sql, &source))
        return false;
    pgs__sql_page(rq, sql);
    return true;
}

/* The count stands behind each row.  Where a page has none, it is known only of the first page. */
static int64_t
total_of(const struct pgs_request *rq, struct pgs_txn *txn)
{
    if (pgs_txn_row_count(txn, rq->rows_from) > 0)
        return pgs_txn_int(txn, rq->rows_from, 0, (int)rq->n_outputs);
    return rq->offset == 0 && rq->limit != 0 ? 0 : -1;
}

static void
respond_set(struct pgs_request *rq, struct pgs_txn *txn)
{
    pgs__respond_page(rq, txn, rq->prefer.count ? total_of(rq, txn) : -1);
}

static void
respond_one(struct pgs_request *rq, struct pgs_txn *txn)
{
    rq->object = true;
    pgs__respond_rows(rq, txn, 200);
}

static void
respond_void(struct pgs_request *rq, struct pgs_txn *txn)
{
    (void)txn;
    pgs__respond_empty(rq, 204);
}

static bool
is_void(const struct pgs_call *call)
{
    return call->scalar && call->columns[0].type.kind == PGS_VOID;
}

void
pgs_run_call(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    rq->slow = true;
    rq->leaves_traces = call->is_volatile;
    rq->idempotent = rq->route->method == PGS_GET && !call->is_volatile;
    pgs__send(rq, pgs__build_call(rq, call, arguments),
              is_void(call)       ? respond_void
              : call->returns_set ? respond_set
                                  : respond_one);
}

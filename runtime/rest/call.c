/* SPDX-License-Identifier: MIT */
/*
 * Declared queries at /rest/v1/rpc/NAME.  They run on the slow lane: nothing is known of how long
 * one takes.
 */
#include <string.h>

#include "codec/json_write.h"
#include "rest/respond.h"

/* A bare value, or an array of them. */
static void
respond_scalar(struct pgs_request *rq, struct pgs_txn *txn, bool is_set)
{
    int rows = pgs_txn_row_count(txn, 0);
    struct pgs_buf body;

    pgs_buf_init(&body, 0);
    if (is_set)
        pgs_buf_add_char(&body, '[');
    for (int row = 0; row < rows && (is_set || row == 0); row++) {
        size_t len = 0;
        const char *text = pgs_txn_value(txn, 0, row, 0, &len);

        if (row > 0)
            pgs_buf_add(&body, ", ", 2);
        pgs_json_value(&body, rq->outputs[0].type, text, len);
    }
    if (is_set)
        pgs_buf_add_char(&body, ']');
    else if (rows == 0)
        pgs_buf_add_str(&body, "null");
    pgs_reply(rq->req, 200, "application/json; charset=utf-8", &body);
}

static void
respond_value(struct pgs_request *rq, struct pgs_txn *txn)
{
    respond_scalar(rq, txn, false);
}

static void
respond_values(struct pgs_request *rq, struct pgs_txn *txn)
{
    pgs__add_content_range(rq, rq->offset, pgs_txn_row_count(txn, 0), -1);
    respond_scalar(rq, txn, true);
}

static void
respond_nothing(struct pgs_request *rq, struct pgs_txn *txn)
{
    (void)txn;
    pgs_reply_empty(rq->req, 204);
}

/* `"public"."f"("q" => $1::text)`: an argument that was not given is left to its default. */
static void
add_call(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_call *call,
         const void *arguments)
{
    const unsigned char *has = arguments;
    bool first = true;

    pgs__sql_add(sql, call->sql);
    pgs__sql_add(sql, "(");
    for (size_t i = 0; i < call->arguments->n_fields; i++) {
        const struct pgs_column *column = call->arguments->fields[i].column;

        if (has[i] == PGS_ABSENT)
            continue;
        if (!first)
            pgs__sql_add(sql, ", ");
        first = false;
        pgs__sql_add(sql, column->ident);
        pgs__sql_add(sql, " => ");
        pgs__sql_param(sql, pgs__field_text(rq->memory, call->arguments, i, arguments),
                       column->type.sql);
    }
    pgs__sql_add(sql, ")");
}

static bool
build_rows(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    struct pgs_source source = {call->name, call->columns, call->n_columns, NULL, NULL, 0};
    struct pgs_sql *sql = pgs__statement(rq);

    pgs__sql_add(sql, "select ");
    if (!pgs__sql_select(rq, sql, &source))
        return false;
    pgs__sql_add(sql, " from ");
    add_call(rq, sql, call, arguments);
    if (!pgs__sql_where(rq, sql, &source) || !pgs__sql_order(rq, sql, &source))
        return false;
    pgs__sql_page(rq, sql);
    if (!rq->prefer.count)
        return true;
    sql = pgs__statement(rq);
    pgs__sql_add(sql, "select count(*) from ");
    add_call(rq, sql, call, arguments);
    return pgs__sql_where(rq, sql, &source);
}

static void
build_scalar(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    struct pgs_output *output = rq->memory.alloc(rq->memory.pool, sizeof(*output));
    struct pgs_sql *sql = pgs__statement(rq);

    *output = (struct pgs_output){NULL, 0, &call->columns[0].type};
    rq->outputs = output;
    rq->n_outputs = 1;
    pgs__sql_add(sql, "select * from ");
    add_call(rq, sql, call, arguments);
    pgs__sql_page(rq, sql);
}

void
pgs_run_call(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    int64_t max = rq->thread->app->max_rows;

    rq->slow = true;
    rq->idempotent = rq->route->method == PGS_GET;
    if (call->returns_set && max > 0 && (rq->limit < 0 || rq->limit > max))
        rq->limit = max;
    if (call->n_columns == 0) {
        struct pgs_sql *sql = pgs__statement(rq);

        pgs__sql_add(sql, "select ");
        add_call(rq, sql, call, arguments);
        pgs__send(rq, respond_nothing);
        return;
    }
    if (call->scalar) {
        build_scalar(rq, call, arguments);
        pgs__send(rq, call->returns_set ? respond_values : respond_value);
        return;
    }
    if (!build_rows(rq, call, arguments))
        return;
    /* A function that returns one row answers with an object. */
    if (!call->returns_set)
        rq->single = true;
    pgs__send(rq, pgs__respond_list);
}

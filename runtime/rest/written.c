/* SPDX-License-Identifier: MIT */
#include "rest/written.h"

#include "base/text.h"
#include "rest/clause.h"
#include "rest/fail.h"
#include "rest/respond.h"

static bool
shows_rows(const struct pgs_request *rq)
{
    return rq->prefer.returning == PGS_RETURN_REPRESENTATION;
}

static bool
shows_location(const struct pgs_request *rq)
{
    return rq->prefer.returning == PGS_RETURN_HEADERS_ONLY && rq->route->method == PGS_POST;
}

static bool
is_ordered(const struct pgs_request *rq)
{
    return shows_rows(rq) && rq->query.n_order > 0;
}

void
pgs__prepare_write(struct pgs_request *rq, const struct pgs_relation *relation)
{
    rq->leaves_traces = rq->thread->app->writes_leave_traces;
    rq->is_followed = rq->thread->tells_lsn && relation->followed;
}

void
pgs__begin_write(struct pgs_request *rq, struct pgs_sql *sql)
{
    if (rq->single || is_ordered(rq))
        pgs__sql_add(sql, "with written as (");
}

/* The key, for Location. */
static void
return_key(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_relation *relation)
{
    struct pgs_output *outputs =
        rq->memory.alloc(rq->memory.pool, (relation->n_key + 1) * sizeof(*outputs));

    for (size_t i = 0; i < relation->n_key; i++) {
        const struct pgs_column *column = &relation->columns[relation->key[i]];
        struct pgs_text name = pgs_text_of(column->name);

        pgs__sql_add(sql, i == 0 ? " returning " : ", ");
        pgs__sql_add(sql, column->ident);
        outputs[i] = (struct pgs_output){name.at, name.len, &column->type};
    }
    rq->outputs = outputs;
    rq->n_outputs = relation->n_key;
}

static bool
return_rows(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    if (source->n_visible == 0)
        return pgs__refuse(rq, rq->who.role == 0 ? 401 : 403, "42501", NULL,
                           "permission denied for table %s", source->name);
    pgs__sql_add(sql, " returning ");
    return pgs__sql_select(rq, sql, source) && pgs__sql_select_order(rq, sql, source);
}

bool
pgs__end_write(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    if (shows_rows(rq)) {
        if (!return_rows(rq, sql, source))
            return false;
    } else if (shows_location(rq) && source->relation->n_key > 0) {
        return_key(rq, sql, source->relation);
    } else if (rq->single) {
        pgs__sql_add(sql, " returning 1");
    }
    if (!rq->single && !is_ordered(rq))
        return true;
    /* A function of the platform raises an error when there are several rows: none is written. */
    pgs__sql_add(sql, ") select written.*");
    if (rq->single)
        pgs__sql_add(sql, ", pgstack.single_row(count(*) over ())");
    pgs__sql_add(sql, " from written");
    if (is_ordered(rq))
        pgs__sql_order_places(rq, sql);
    return true;
}

/* Everything is escaped that could mean something in a URL. */
static void
add_escaped(struct pgs_buf *buf, const char *at, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~') {
            pgs_buf_add_char(buf, (char)c);
            continue;
        }
        pgs_buf_add_char(buf, '%');
        pgs_buf_add_char(buf, hex[c >> 4]);
        pgs_buf_add_char(buf, hex[c & 15]);
    }
}

/* `?id=eq.5`: where the one new row is found. */
static void
add_location(struct pgs_request *rq, struct pgs_txn *txn)
{
    struct pgs_buf value;

    if (rq->n_outputs == 0 || pgs_txn_row_count(txn, 0) != 1)
        return;
    pgs_buf_init(&value, 0);
    pgs_buf_add_str(&value, rq->route->path);
    for (size_t i = 0; i < rq->n_outputs; i++) {
        size_t len = 0;
        const char *text = pgs_txn_value(txn, 0, 0, (int)i, &len);

        pgs_buf_add_char(&value, i == 0 ? '?' : '&');
        add_escaped(&value, rq->outputs[i].name, rq->outputs[i].name_len);
        pgs_buf_add_str(&value, "=eq.");
        add_escaped(&value, text, len);
    }
    if (!value.failed)
        pgs_reply_header(rq->req, "location", value.at, value.len);
    pgs_buf_clear(&value);
}

/* PATCH says which rows of the answer it means, as PostgREST does; the others say how many. */
static void
add_range(struct pgs_request *rq, int64_t written)
{
    pgs__add_content_range(rq, 0, rq->route->method == PGS_PATCH ? written : 0,
                           rq->prefer.count ? written : -1);
}

void
pgs__respond_written(struct pgs_request *rq, struct pgs_txn *txn)
{
    bool created = rq->route->method == PGS_POST;
    int64_t written = pgs_txn_affected(txn, 0);

    if (!pgs__fits_single(rq, written))
        return;
    add_range(rq, written);
    if (shows_location(rq))
        add_location(rq, txn);
    if (shows_rows(rq))
        pgs__respond_rows(rq, txn, created ? 201 : 200);
    else
        pgs__respond_empty(rq, created ? 201 : 204);
}

void
pgs__respond_unwritten(struct pgs_request *rq)
{
    bool created = rq->route->method == PGS_POST;

    if (!pgs__fits_single(rq, 0))
        return;
    add_range(rq, 0);
    if (shows_rows(rq))
        pgs__respond_no_rows(rq, created ? 201 : 200);
    else
        pgs__respond_empty(rq, created ? 201 : 204);
}

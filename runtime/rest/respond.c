/* SPDX-License-Identifier: MIT */
#include "rest/respond.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_write.h"

static const char json_type[] = "application/json; charset=utf-8";
static const char object_type[] = "application/vnd.pgrst.object+json; charset=utf-8";

/* `{"id":` and `,"title":`: the same bytes before each value of a column. */
static struct pgs_text *
write_keys(struct pgs_request *rq, struct pgs_buf *buf)
{
    struct pgs_text *keys = rq->memory.alloc(rq->memory.pool, (rq->n_outputs + 1) * sizeof(*keys));

    for (size_t i = 0; i < rq->n_outputs; i++) {
        char *at;

        buf->len = 0;
        pgs_buf_add_char(buf, i == 0 ? '{' : ',');
        pgs_json_string(buf, rq->outputs[i].name, rq->outputs[i].name_len);
        pgs_buf_add_char(buf, ':');
        at = rq->memory.alloc(rq->memory.pool, buf->len + 1);
        if (!buf->failed)
            memcpy(at, buf->at, buf->len);
        keys[i] = (struct pgs_text){at, buf->failed ? 0 : buf->len};
    }
    buf->len = 0;
    return keys;
}

static void
write_row(const struct pgs_request *rq, struct pgs_txn *txn, int row, const struct pgs_text *keys,
          struct pgs_buf *body)
{
    for (size_t i = 0; i < rq->n_outputs; i++) {
        size_t len = 0;
        const char *text = pgs_txn_value(txn, 0, row, (int)i, &len);

        pgs_buf_add(body, keys[i].at, keys[i].len);
        pgs_json_value(body, rq->outputs[i].type, text, len);
    }
    if (rq->n_outputs == 0)
        pgs_buf_add_char(body, '{');
    pgs_buf_add_char(body, '}');
}

void
pgs__write_rows(struct pgs_request *rq, struct pgs_txn *txn, struct pgs_buf *body)
{
    int rows = pgs_txn_row_count(txn, 0);
    struct pgs_text *keys = write_keys(rq, body);

    if (rq->single) {
        write_row(rq, txn, 0, keys, body);
        return;
    }
    pgs_buf_add_char(body, '[');
    for (int row = 0; row < rows; row++) {
        if (row > 0)
            pgs_buf_add(body, ",\n ", 3);
        write_row(rq, txn, row, keys, body);
    }
    pgs_buf_add_char(body, ']');
}

void
pgs__add_content_range(struct pgs_request *rq, int64_t first, int64_t rows, int64_t total)
{
    char value[80];
    int len;

    if (rows > 0)
        len = snprintf(value, sizeof(value), "%" PRId64 "-%" PRId64 "/", first, first + rows - 1);
    else
        len = snprintf(value, sizeof(value), "*/");
    if (total >= 0)
        len += snprintf(value + len, sizeof(value) - (size_t)len, "%" PRId64, total);
    else
        len += snprintf(value + len, sizeof(value) - (size_t)len, "*");
    pgs_reply_header(rq->req, "content-range", value, (size_t)len);
}

void
pgs__add_preferences(struct pgs_request *rq)
{
    static const char *const returns[] = {
        [PGS_RETURN_MINIMAL] = "return=minimal",
        [PGS_RETURN_HEADERS_ONLY] = "return=headers-only",
        [PGS_RETURN_REPRESENTATION] = "return=representation",
    };
    static const char *const resolutions[] = {
        [PGS_RESOLUTION_MERGE] = "resolution=merge-duplicates",
        [PGS_RESOLUTION_IGNORE] = "resolution=ignore-duplicates",
    };
    const struct pgs_prefer *prefer = &rq->prefer;
    const char *applied[5];
    char value[160];
    size_t n = 0, len = 0;

    if (prefer->resolution != PGS_RESOLUTION_NONE && rq->route->method == PGS_POST)
        applied[n++] = resolutions[prefer->resolution];
    if (prefer->missing_default && rq->route->method == PGS_POST)
        applied[n++] = "missing=default";
    if (prefer->returning != PGS_RETURN_DEFAULT && rq->route->method != PGS_GET)
        applied[n++] = returns[prefer->returning];
    if (prefer->count)
        applied[n++] = "count=exact";
    if (prefer->strict)
        applied[n++] = "handling=strict";
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s", i > 0 ? ", " : "",
                                applied[i]);
    if (n > 0)
        pgs_reply_header(rq->req, "preference-applied", value, len);
}

static bool
single_fits(struct pgs_request *rq, int rows)
{
    char details[64];

    if (!rq->single || rows == 1)
        return true;
    (void)snprintf(details, sizeof(details), "The result contains %d rows", rows);
    pgs__fail(rq, 406, "PGRST116", details, NULL,
              "Cannot coerce the result to a single JSON object");
    return false;
}

static void
reply_rows(struct pgs_request *rq, struct pgs_txn *txn, int status)
{
    struct pgs_buf body;

    pgs_buf_init(&body, 0);
    pgs__write_rows(rq, txn, &body);
    if (body.failed) {
        pgs_buf_clear(&body);
        pgs__fail(rq, 503, "PGRST003", NULL, NULL, "Out of memory");
        return;
    }
    pgs_reply(rq->req, status, rq->single ? object_type : json_type, &body);
}

void
pgs__respond_list(struct pgs_request *rq, struct pgs_txn *txn)
{
    int rows = pgs_txn_row_count(txn, 0);
    int64_t total = -1;

    if (rq->prefer.count && rq->n_statements > 1)
        total = strtoll(pgs_txn_value(txn, 1, 0, 0, &(size_t){0}), NULL, 10);
    if (!single_fits(rq, rows))
        return;
    if (total >= 0 && rq->offset > 0 && rq->offset >= total) {
        char details[128];

        (void)snprintf(details, sizeof(details),
                       "An offset of %" PRId64 " was requested, but there are only %" PRId64
                       " rows.",
                       rq->offset, total);
        pgs__add_content_range(rq, 0, 0, total);
        pgs__fail(rq, 416, "PGRST103", details, NULL, "Requested range not satisfiable");
        return;
    }
    pgs__add_content_range(rq, rq->offset, rows, total);
    pgs__add_preferences(rq);
    reply_rows(rq, txn, total > rows ? 206 : 200);
}

void
pgs__respond_rows(struct pgs_request *rq, struct pgs_txn *txn, int status)
{
    if (!single_fits(rq, pgs_txn_row_count(txn, 0)))
        return;
    pgs__add_preferences(rq);
    reply_rows(rq, txn, status);
}

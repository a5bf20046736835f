/* SPDX-License-Identifier: MIT */
#include "rest/respond.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digits.h"
#include "codec/json_write.h"
#include "rest/fail.h"
#include "rest/lsn.h"

/* `{"id":` and `,"title":`, the same bytes before each value of a column; nothing before a bare
 * value.  `body` lends its room. */
static const struct pgs_text *
write_keys(struct pgs_request *rq, struct pgs_buf *body)
{
    struct pgs_text *keys = rq->memory.alloc(rq->memory.pool, (rq->n_outputs + 1) * sizeof(*keys));
    size_t start = 0;
    char *at;

    for (size_t i = 0; i < rq->n_outputs; i++) {
        if (rq->outputs[i].name != NULL) {
            pgs_buf_add_char(body, i == 0 ? '{' : ',');
            pgs_json_string(body, rq->outputs[i].name, rq->outputs[i].name_len);
            pgs_buf_add_char(body, ':');
        }
        keys[i] = (struct pgs_text){NULL, body->len - start};
        start = body->len;
    }
    at = rq->memory.alloc(rq->memory.pool, start + 1);
    if (start > 0)
        memcpy(at, body->at, start);
    for (size_t i = 0; i < rq->n_outputs; at += keys[i++].len)
        keys[i].at = at;
    body->len = 0;
    return keys;
}

static bool
is_bare(const struct pgs_request *rq)
{
    return rq->n_outputs == 1 && rq->outputs[0].name == NULL;
}

static void
write_row(const struct pgs_request *rq, struct pgs_txn *txn, int row, const struct pgs_text *keys,
          struct pgs_buf *body)
{
    for (size_t i = 0; i < rq->n_outputs; i++) {
        size_t len = 0;
        const char *text = pgs_txn_value(txn, rq->rows_from, row, (int)i, &len);

        pgs_buf_add(body, keys[i].at, keys[i].len);
        pgs_json_value(body, rq->outputs[i].type, text, len);
    }
    if (!is_bare(rq))
        pgs_buf_add_char(body, '}');
}

/* As PostgreSQL's json_agg() sets them apart. */
static void
write_rows(struct pgs_request *rq, struct pgs_txn *txn, struct pgs_buf *body)
{
    const struct pgs_text *keys = write_keys(rq, body);
    const char *between = is_bare(rq) ? ", " : ",\n ";
    int rows = pgs_txn_row_count(txn, rq->rows_from);

    if (rq->object || rq->single) {
        if (rows > 0)
            write_row(rq, txn, 0, keys, body);
        else
            pgs_buf_add_str(body, "null");
        return;
    }
    pgs_buf_add_char(body, '[');
    for (int row = 0; row < rows; row++) {
        if (row > 0)
            pgs_buf_add_str(body, between);
        write_row(rq, txn, row, keys, body);
    }
    pgs_buf_add_char(body, ']');
}

void
pgs__add_content_range(struct pgs_request *rq, int64_t first, int64_t rows, int64_t total)
{
    char value[3 * PGS_DIGITS_MAX + 2], *end = value;

    if (rows > 0) {
        end = pgs_write_int(end, first);
        *end++ = '-';
        end = pgs_write_int(end, first + rows - 1);
    } else {
        *end++ = '*';
    }
    *end++ = '/';
    if (total >= 0)
        end = pgs_write_int(end, total);
    else
        *end++ = '*';
    pgs_reply_header(rq->req, "content-range", value, (size_t)(end - value));
}

/* Preference-Applied, for what was asked and done. */
static void
add_preferences(struct pgs_request *rq)
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
    const char *applied[6];
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
    if (prefer->lsn && !rq->idempotent)
        applied[n++] = "lsn";
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s", i > 0 ? ", " : "",
                                applied[i]);
    if (n > 0)
        pgs_reply_header(rq->req, "preference-applied", value, len);
}

bool
pgs__fits_single(struct pgs_request *rq, int64_t rows)
{
    char details[64];

    if (!rq->single || rows == 1)
        return true;
    (void)snprintf(details, sizeof(details), "The result contains %" PRId64 " rows", rows);
    pgs__fail(rq, 406, "PGRST116", details, NULL,
              "Cannot coerce the result to a single JSON object");
    return false;
}

void
pgs__reply_json(struct pgs_request *rq, int status, struct pgs_buf *body)
{
    pgs_reply(rq->req, status,
              rq->single ? "application/vnd.pgrst.object+json; charset=utf-8"
                         : "application/json; charset=utf-8",
              body);
}

static void
reply(struct pgs_request *rq, int status, struct pgs_buf *body)
{
    add_preferences(rq);
    if (!pgs__lsn_first(rq, status, body))
        pgs__reply_json(rq, status, body);
}

void
pgs__respond_rows(struct pgs_request *rq, struct pgs_txn *txn, int status)
{
    struct pgs_buf body;

    if (!pgs__fits_single(rq, pgs_txn_row_count(txn, rq->rows_from)))
        return;
    pgs_buf_init(&body, 0);
    write_rows(rq, txn, &body);
    reply(rq, status, &body);
}

void
pgs__respond_no_rows(struct pgs_request *rq, int status)
{
    struct pgs_buf body;

    if (!pgs__fits_single(rq, 0))
        return;
    pgs_buf_init(&body, 0);
    pgs_buf_add_str(&body, "[]");
    reply(rq, status, &body);
}

void
pgs__respond_empty(struct pgs_request *rq, int status)
{
    add_preferences(rq);
    if (!pgs__lsn_first(rq, status, NULL))
        pgs_reply_empty(rq->req, status);
}

void
pgs__respond_page(struct pgs_request *rq, struct pgs_txn *txn, int64_t total)
{
    int rows = pgs_txn_row_count(txn, rq->rows_from);
    char details[128];

    if (!pgs__fits_single(rq, rows))
        return;
    if (total >= 0 && rq->offset > total) {
        (void)snprintf(details, sizeof(details),
                       "An offset of %" PRId64 " was requested, but there are only %" PRId64
                       " rows.",
                       rq->offset, total);
        pgs__add_content_range(rq, 0, 0, total);
        pgs__fail(rq, 416, "PGRST103", details, NULL, "Requested range not satisfiable");
        return;
    }
    rq->prefer.count = total >= 0;
    pgs__add_content_range(rq, rq->offset, rows, total);
    pgs__respond_rows(rq, txn, total > rows ? 206 : 200);
}

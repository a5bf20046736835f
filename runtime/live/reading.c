/* SPDX-License-Identifier: MIT */
#include "live/reading.h"

#include <stdlib.h>

#include "live/groups.h"
#include "live/row.h"
#include "live/thread.h"

struct reading {
    const struct pgs__rows *rows;
    h2o_mem_pool_t *pool;
    struct pgs_buf text; /* of a row, then of its key, then its totals */
    size_t bytes;        /* of all rows */
    struct pgs__held *held;
};

static bool
is_grouped(const struct pgs__rows *rows)
{
    return rows->match != NULL && rows->match->totals != NULL;
}

static size_t
count_values(const struct pgs__rows *rows)
{
    return is_grouped(rows) ? rows->match->n_totals : rows->live->n_columns;
}

static struct pgs_text
keep_text(const struct pgs_buf *buf, h2o_mem_pool_t *pool)
{
    return (struct pgs_text){h2o_strdup(pool, buf->at, buf->len).base, buf->len};
}

/* The key and the totals behind what reading->text has. */
static struct pgs__held_row *
make_row(struct reading *reading, const struct pgs_text *values, struct pgs_text sort,
         uint64_t hash)
{
    struct pgs_buf *text = &reading->text;
    size_t from = text->len, end;

    pgs__row_write_key(reading->rows->live, values, text);
    end = text->len;
    reading->bytes += end;
    if (is_grouped(reading->rows))
        pgs__totals_write(values, count_values(reading->rows), text);
    if (text->failed)
        return NULL;
    return pgs__held_row_new((struct pgs_text){text->at + from, end - from}, sort,
                             (struct pgs_text){text->at + end, text->len - end}, hash);
}

static enum pgs__read
read_row(struct reading *reading, const struct pgs_text *values)
{
    struct pgs__touch *touch = h2o_mem_alloc_pool(reading->pool, sizeof(*touch));
    struct pgs__held_row *row;
    struct pgs_buf *text = &reading->text;
    struct pgs_text sort = {"", 0};

    *touch = (struct pgs__touch){.now = NULL};
    text->len = 0;
    pgs__row_write(reading->rows->live, values, text);
    if (text->failed)
        return PGS__TOO_LARGE;
    if (reading->rows->match != NULL &&
        !pgs__rows_sort(reading->rows, values, reading->pool, &sort))
        return PGS__UNPLACED;
    touch->text = keep_text(text, reading->pool);
    row = make_row(reading, values, sort, pgs__held_hash(touch->text));
    if (row == NULL || !pgs__held_put(reading->held, row)) {
        free(row);
        return PGS__TOO_LARGE;
    }
    row->mark = touch;
    return reading->bytes <= PGS_LIVE_MAX_RESULT_BYTES ? PGS__READ : PGS__TOO_LARGE;
}

enum pgs__read
pgs__rows_read(const struct pgs__rows *rows, struct pgs_txn *txn, int statement,
               h2o_mem_pool_t *pool, struct pgs__held *held)
{
    size_t n = count_values(rows);
    struct pgs_text *values = h2o_mem_alloc_pool(pool, (n + 1) * sizeof(*values));
    struct reading reading = {.rows = rows, .pool = pool, .held = held};
    int n_rows = pgs_txn_row_count(txn, statement);
    enum pgs__read read = n_rows <= PGS_LIVE_MAX_ROWS ? PGS__READ : PGS__TOO_LARGE;

    pgs_buf_init(&reading.text, PGS_LIVE_MAX_RESULT_BYTES);
    for (int row = 0; read == PGS__READ && row < n_rows; row++) {
        for (size_t i = 0; i < n; i++) {
            values[i].len = 0;
            values[i].at = pgs_txn_value(txn, statement, row, (int)i, &values[i].len);
        }
        read = read_row(&reading, values);
    }
    pgs_buf_clear(&reading.text);
    return read;
}

/* SPDX-License-Identifier: MIT */
/*
 * A result with a limit holds the first rows of what the query finds; as long as it is not full, it
 * holds all of them.  A full one that loses a row needs the next one, which only PostgreSQL knows.
 */
#include "live/apply.h"

#include <stdlib.h>
#include <string.h>

#include "codec/order.h"
#include "live/groups.h"
#include "live/joined.h"
#include "live/row.h"
#include "live/sort.h"

#define MAX_CHANGES 1000      /* of one result by one commit; above it, asking is cheaper */
#define MAX_TEXT_BYTES 262144 /* the same: each subscriber would get its own at once */

/* ---- images ---- */

struct pgs_text
pgs__text_keep(h2o_mem_pool_t *pool, struct pgs_buf *buf)
{
    struct pgs_text text = {h2o_strdup(pool, buf->at, buf->len).base, buf->len};

    if (buf->failed)
        abort();
    pgs_buf_clear(buf);
    return text;
}

bool
pgs__row_is_told(const struct pgs_text *row, const uint16_t *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] != PGS_JOINED && row[columns[i]].at == pgs_untold)
            return false;
    return true;
}

/* The values of the result's columns, but for those of other tables. */
static void
project(const struct pgs__rows *rows, const struct pgs_text *row, struct pgs_text *outputs)
{
    for (size_t i = 0; i < rows->live->n_columns; i++)
        if (rows->match->outputs[i] != PGS_JOINED)
            outputs[i] = row[rows->match->outputs[i]];
}

/* False: the old row's key is not told. */
static bool
make_before(const struct pgs__rows *rows, h2o_mem_pool_t *pool, struct pgs__image *image)
{
    struct pgs_text outputs[PGS__MAX_COLUMNS];
    struct pgs_buf buf;

    project(rows, image->change->before, outputs);
    for (size_t i = 0; i < rows->live->n_key; i++)
        if (outputs[rows->live->key[i]].at == pgs_untold)
            return false;
    pgs_buf_init(&buf, 0);
    pgs__row_write_key(rows->live, outputs, &buf);
    image->before = pgs__text_keep(pool, &buf);
    return true;
}

/* False: it is too long to be told to each. */
static bool
make_text(const struct pgs__rows *rows, const struct pgs_text *outputs, h2o_mem_pool_t *pool,
          struct pgs__image *image)
{
    struct pgs_buf buf;

    pgs_buf_init(&buf, 0);
    pgs__row_write(rows->live, outputs, &buf);
    image->text = pgs__text_keep(pool, &buf);
    image->text_hash = pgs__held_hash(image->text);
    return image->text.len <= MAX_TEXT_BYTES;
}

/* What it has from other tables is another text for each subscriber. */
static bool
make_after(const struct pgs__rows *rows, h2o_mem_pool_t *pool, struct pgs__image *image)
{
    const struct pgs_match_rows *match = rows->match;
    struct pgs_text outputs[PGS__MAX_COLUMNS];
    struct pgs_buf buf;

    if (!pgs__row_is_told(image->change->after, match->needed, match->n_needed) ||
        !pgs__row_is_told(image->change->after, match->outputs, rows->live->n_columns))
        return false;
    project(rows, image->change->after, outputs);
    pgs_buf_init(&buf, 0);
    pgs__row_write_key(rows->live, outputs, &buf);
    image->key = pgs__text_keep(pool, &buf);
    if (match->n_joins == 0 && !make_text(rows, outputs, pool, image))
        return false;
    return pgs__rows_sort(rows, outputs, pool, &image->sort);
}

static void
make_image(const struct pgs__rows *rows, h2o_mem_pool_t *pool, struct pgs__image *image)
{
    image->is_made = true;
    image->is_known = (image->change->before == NULL || make_before(rows, pool, image)) &&
                      (image->change->after == NULL || make_after(rows, pool, image));
}

/* ---- rows ---- */

/* The place among the result's columns of a column that it is ordered by. */
static int
order_output(const struct pgs__rows *rows, uint16_t column)
{
    for (size_t i = 0; i < rows->live->n_columns; i++)
        if (rows->match->outputs[i] == column)
            return (int)i;
    return -1;
}

bool
pgs__rows_are_usable(const struct pgs__rows *rows)
{
    if (rows->match == NULL || rows->live->n_columns > PGS__MAX_COLUMNS ||
        rows->match->n_totals > PGS__MAX_COLUMNS ||
        rows->live->ordered != (rows->match->n_order > 0))
        return false;
    for (size_t i = 0; i < rows->match->n_order; i++)
        if (order_output(rows, rows->match->order[i].column) < 0)
            return false;
    return true;
}

bool
pgs__rows_sort(const struct pgs__rows *rows, const struct pgs_text *outputs, h2o_mem_pool_t *pool,
               struct pgs_text *sort)
{
    const struct pgs_match_rows *match = rows->match;
    struct pgs_text texts[PGS__MAX_COLUMNS];
    struct pgs_buf buf;
    bool good;

    *sort = (struct pgs_text){"", 0};
    if (match->n_order == 0)
        return true;
    for (size_t i = 0; i < match->n_order; i++)
        texts[i] = outputs[order_output(rows, match->order[i].column)];
    pgs_buf_init(&buf, 0);
    good = pgs__sort_write(match->order, texts, match->n_order, &buf);
    if (good)
        *sort = pgs__text_keep(pool, &buf);
    pgs_buf_clear(&buf);
    return good;
}

/* ---- touches ---- */

struct pgs__touch *
pgs__work_touch(struct pgs__work *work)
{
    struct pgs__touch *one = h2o_mem_alloc_pool(work->pool, sizeof(*one));

    *one = (struct pgs__touch){.next = work->touches, .commit = work->commit};
    work->touches = one;
    work->n_touches++;
    return one;
}

/* Of a row that is there, if this commit has touched it. */
struct pgs__touch *
pgs__work_touch_of(const struct pgs__work *work, const struct pgs__held_row *row)
{
    struct pgs__touch *one = row->mark;

    return one != NULL && one->commit == work->commit ? one : NULL;
}

/* The row is not there any more; `before`, if it was there before this commit, may come back. */
static void
go(struct pgs__work *work, struct pgs__touch *one)
{
    one->now = NULL;
    if (one->before == NULL)
        return;
    one->before->mark = one;
    if (!pgs__held_put(&work->gone, one->before))
        abort();
}

/* Of a row that comes back. */
static struct pgs__touch *
touch_of_gone(struct pgs__work *work, struct pgs_text key)
{
    struct pgs__held_row *row = pgs__held_find(&work->gone, key, 0);

    if (row == NULL)
        return NULL;
    pgs__held_take(&work->gone, row);
    return row->mark;
}

static void
forget_gone(struct pgs__work *work)
{
    free(work->gone.rows);
    free(work->gone.buckets);
    work->gone = (struct pgs__held){0};
}

static bool
is_full(const struct pgs__work *work)
{
    uint32_t limit = work->rows.match->limit;

    return limit > 0 && work->held->n >= limit;
}

static void
take_out(struct pgs__work *work, struct pgs__held_row *row)
{
    struct pgs__touch *one = pgs__work_touch_of(work, row);

    pgs__held_take(work->held, row);
    if (one == NULL) {
        one = pgs__work_touch(work);
        one->before = row;
    } else if (one->was_there) {
        row->text_hash = one->old_hash;
        one->was_there = false;
        one->before = row;
    } else {
        free(row);
    }
    go(work, one);
}

static bool
put_in(struct pgs__work *work, const struct pgs__image *image)
{
    struct pgs__touch *one = touch_of_gone(work, image->key);
    struct pgs__held_row *row =
        pgs__held_row_new(image->key, image->sort, (struct pgs_text){"", 0}, image->text_hash);

    if (row == NULL || !pgs__held_put(work->held, row)) {
        free(row);
        return false;
    }
    if (one == NULL)
        one = pgs__work_touch(work);
    one->now = row;
    one->text = image->text;
    row->mark = one;
    work->text_bytes += image->text.len;
    return true;
}

static void
rewrite(struct pgs__work *work, struct pgs__held_row *row, const struct pgs__image *image)
{
    struct pgs__touch *one = pgs__work_touch_of(work, row);

    if (one == NULL) {
        one = pgs__work_touch(work);
        one->was_there = true;
        one->old_hash = row->text_hash;
        one->now = row;
        row->mark = one;
    }
    row->text_hash = image->text_hash;
    one->text = image->text;
    work->text_bytes += image->text.len;
}

/* ---- a change ---- */

static bool
remove_key(struct pgs__work *work, struct pgs_text key)
{
    struct pgs__held_row *row = pgs__held_find(work->held, key, 0);

    if (row == NULL)
        return true;
    if (is_full(work))
        return false;
    take_out(work, row);
    return true;
}

static bool
stands_before(const struct pgs__image *image, const struct pgs__held_row *row)
{
    struct pgs_text sort = pgs__held_sort(row);

    return pgs__order_compare_bytes(image->sort, sort) < 0;
}

/* A full result takes only what stands before its last row; where it is unordered, any rows do. */
static bool
add(struct pgs__work *work, const struct pgs__image *image)
{
    struct pgs__held_row *last;

    if (!is_full(work))
        return put_in(work, image);
    last = work->held->rows[work->held->n - 1];
    if (!stands_before(image, last))
        return true;
    take_out(work, last);
    return put_in(work, image);
}

/* In a full result, behind the last row another one may stand before it. */
static bool
move(struct pgs__work *work, struct pgs__held_row *row, const struct pgs__image *image)
{
    if (is_full(work) && !stands_before(image, work->held->rows[work->held->n - 1]))
        return false;
    take_out(work, row);
    return put_in(work, image);
}

static bool
stands_elsewhere(const struct pgs__held_row *row, const struct pgs__image *image)
{
    struct pgs_text sort = pgs__held_sort(row);

    return pgs__order_compare_bytes(sort, image->sort) != 0;
}

/* The row is in the result; or is now. */
static bool
put(struct pgs__work *work, const struct pgs__image *image)
{
    struct pgs__held_row *row = pgs__held_find(work->held, image->key, 0);

    if (row == NULL)
        return add(work, image);
    if (stands_elsewhere(row, image))
        return move(work, row, image);
    if (row->text_hash != image->text_hash)
        rewrite(work, row, image);
    return true;
}

/* Behind a full result it does not matter what it is joined to. */
static bool
is_behind(const struct pgs__work *work, const struct pgs__image *image)
{
    return is_full(work) && pgs__held_find(work->held, image->key, 0) == NULL &&
           !stands_before(image, work->held->rows[work->held->n - 1]);
}

static bool
put_joined(struct pgs__work *work, const struct pgs__image *image)
{
    struct pgs_text outputs[PGS__MAX_COLUMNS];
    struct pgs__image joined = *image;

    if (is_behind(work, image))
        return true;
    project(&work->rows, image->change->after, outputs);
    switch (pgs__joined_find(work->joined, work->rows.match, image->change->after, outputs)) {
    case PGS__LEADS_UNKNOWN:
        return false;
    case PGS__LEADS_NOWHERE:
        return remove_key(work, image->key);
    case PGS__LEADS_ON:
        break;
    }
    return make_text(&work->rows, outputs, work->pool, &joined) && put(work, &joined);
}

static bool
is_known_to_join(const struct pgs__work *work, const struct pgs_text *row)
{
    struct pgs_text outputs[PGS__MAX_COLUMNS];

    return pgs__joined_find(work->joined, work->rows.match, row, outputs) != PGS__LEADS_UNKNOWN;
}

bool
pgs__work_knows(const struct pgs__work *work, const struct pgs_change *change)
{
    const struct pgs_match_rows *match = work->rows.match;

    if (match->n_joins == 0 || change->after == NULL)
        return true;
    return pgs__row_is_told(change->after, match->needed, match->n_needed) &&
           (match->holds(change->after, work->facts) != PGS_TRUE ||
            is_known_to_join(work, change->after));
}

static bool
is_another_key(const struct pgs__image *image)
{
    return image->before.at != NULL &&
           (image->key.at == NULL || image->before.len != image->key.len ||
            memcmp(image->before.at, image->key.at, image->key.len) != 0);
}

/* Nothing but what it is joined to keeps the row out of the result. */
static bool
is_missed(const struct pgs__work *work, const struct pgs__image *image)
{
    const struct pgs_text *row = image->change->after;

    return work->rows.match->holds(row, work->facts) == PGS_TRUE &&
           pgs__held_find(work->held, image->key, 0) == NULL && !is_behind(work, image) &&
           !is_known_to_join(work, row);
}

void
pgs__work_learn(const struct pgs__work *work, struct pgs__image *image, struct pgs__joined *joined)
{
    static const struct pgs_text any = {NULL, 0};

    if (!image->is_made)
        make_image(&work->rows, work->pool, image);
    if (!image->is_known) {
        pgs__joined_doubt(joined, any);
        return;
    }
    if (is_another_key(image))
        pgs__joined_doubt(joined, image->before);
    if (image->change->after == NULL)
        return;
    if (is_missed(work, image))
        pgs__joined_miss(joined, work->rows.match, image->key, image->change->after);
    else
        pgs__joined_doubt(joined, image->key);
}

bool
pgs__work_apply(struct pgs__work *work, struct pgs__image *image)
{
    const struct pgs_change *change = image->change;

    if (work->n_changes++ >= MAX_CHANGES || work->text_bytes > MAX_TEXT_BYTES)
        return false;
    if (work->rows.match->totals != NULL)
        return pgs__groups_apply(work, image);
    if (!image->is_made)
        make_image(&work->rows, work->pool, image);
    if (!image->is_known)
        return false;
    if (is_another_key(image) && !remove_key(work, image->before))
        return false;
    if (change->after == NULL)
        return true;
    if (work->rows.match->holds(change->after, work->facts) != PGS_TRUE)
        return remove_key(work, image->key);
    return work->rows.match->n_joins > 0 ? put_joined(work, image) : put(work, image);
}

bool
pgs__work_settle(struct pgs__work *work)
{
    return work->rows.match->totals == NULL ||
           (pgs__groups_settle(work) && work->text_bytes <= MAX_TEXT_BYTES);
}

void
pgs__work_undo(struct pgs__work *work)
{
    forget_gone(work);
    for (struct pgs__touch *one = work->touches; one != NULL; one = one->next)
        if (one->was_there) {
            one->now->text_hash = one->old_hash;
            one->now->mark = NULL;
        } else if (one->now != NULL) {
            pgs__held_take(work->held, one->now);
            free(one->now);
        }
    for (struct pgs__touch *one = work->touches; one != NULL; one = one->next) {
        if (one->before == NULL)
            continue;
        one->before->mark = NULL;
        if (!pgs__held_put(work->held, one->before))
            abort(); /* there was room for it before */
    }
    work->touches = NULL;
}

void
pgs__work_done(struct pgs__work *work, bool keep_texts)
{
    forget_gone(work);
    for (struct pgs__touch *one = work->touches; one != NULL; one = one->next) {
        free(one->before);
        one->before = NULL;
        if (one->now != NULL && !keep_texts)
            one->now->mark = NULL;
    }
    work->touches = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * A total that cannot be kept exactly is never guessed: the lowest value that goes away, a sum that
 * does not fit, a group that should be there and is not.  Then PostgreSQL is asked.
 */
#include "live/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/order.h"
#include "live/row.h"
#include "pgs/truth.h"

#define NUMBER_CHARS 20 /* of a bigint */

/* One of `totals` of a touch. */
struct pgs__total {
    int64_t number;       /* of rows, values and sums */
    struct pgs_text text; /* of the others; of the table's rows or of the held row */
    bool is_open;         /* no value stands further out than `text`, and perhaps none there */
};

/* ---- as they are kept ---- */

#define NO_TEXT UINT32_MAX

void
pgs__totals_write(const struct pgs_text *totals, size_t n, struct pgs_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t len = totals[i].at != NULL ? (uint32_t)totals[i].len : NO_TEXT;

        pgs_buf_add(out, &len, sizeof(len));
        if (totals[i].at != NULL)
            pgs_buf_add(out, totals[i].at, totals[i].len);
    }
}

static struct pgs_text
next_text(struct pgs_text *rest)
{
    struct pgs_text text = {NULL, 0};
    uint32_t len;

    memcpy(&len, rest->at, sizeof(len));
    rest->at += sizeof(len);
    if (len == NO_TEXT)
        return text;
    text = (struct pgs_text){rest->at, len};
    rest->at += len;
    return text;
}

/* False: it is no whole number of 64 bits. */
static bool
read_number(struct pgs_text text, int64_t *number)
{
    char digits[NUMBER_CHARS + 1], *end;

    if (text.len == 0 || text.len > NUMBER_CHARS)
        return false;
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    errno = 0;
    *number = strtoll(digits, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool
is_number(enum pgs_total_kind kind)
{
    return kind == PGS_TOTAL_ROWS || kind == PGS_TOTAL_VALUES || kind == PGS_TOTAL_SUM ||
           kind == PGS_TOTAL_SUM_OR_ZERO;
}

/* The sum of nothing is null, and begins with 0. */
static bool
read_totals(const struct pgs_match_rows *match, struct pgs_text kept, struct pgs__total *totals)
{
    for (size_t i = 0; i < match->n_totals; i++) {
        struct pgs_text text = next_text(&kept);

        totals[i] = (struct pgs__total){.text = text};
        if (is_number(match->totals[i].kind) && text.at != NULL &&
            !read_number(text, &totals[i].number))
            return false;
    }
    return true;
}

/* ---- groups ---- */

/* The total that says how many rows the group has. */
static struct pgs__total *
rows_of(const struct pgs__work *work, const struct pgs__touch *group)
{
    return &group->totals[work->rows.live->n_columns];
}

/* A group without rows. */
static void
clear_totals(const struct pgs_match_rows *match, struct pgs__total *totals)
{
    for (size_t i = 0; i < match->n_totals; i++) {
        totals[i].number = 0;
        totals[i].is_open = false;
        if (match->totals[i].kind != PGS_TOTAL_GROUP)
            totals[i].text = (struct pgs_text){NULL, 0};
    }
}

static struct pgs__total *
make_totals(const struct pgs__work *work)
{
    return h2o_mem_alloc_pool(work->pool, work->rows.match->n_totals * sizeof(struct pgs__total));
}

/* Its first row is `row`. */
static struct pgs__touch *
begin_group(struct pgs__work *work, struct pgs_text key, const struct pgs_text *row)
{
    const struct pgs_match_rows *match = work->rows.match;
    static const struct pgs_text none = {"", 0};
    struct pgs__held_row *held = pgs__held_row_new(key, none, none, 0);
    struct pgs__touch *group;

    if (held == NULL || !pgs__held_put(work->held, held)) {
        free(held);
        return NULL;
    }
    group = pgs__work_touch(work);
    group->now = held;
    held->mark = group;
    group->totals = make_totals(work);
    for (size_t i = 0; i < match->n_totals; i++)
        if (match->totals[i].kind == PGS_TOTAL_GROUP)
            group->totals[i].text = row[match->totals[i].column];
    clear_totals(match, group->totals);
    return group;
}

/* A group of the result; NULL: it cannot be counted. */
static struct pgs__touch *
open_group(struct pgs__work *work, struct pgs__held_row *held)
{
    struct pgs__touch *group = pgs__work_touch_of(work, held);

    if (group != NULL)
        return group;
    if (held->totals_len == 0)
        return NULL;
    group = pgs__work_touch(work);
    group->was_there = true;
    group->old_hash = held->text_hash;
    group->now = held;
    held->mark = group;
    group->totals = make_totals(work);
    return read_totals(work->rows.match, pgs__held_totals(held), group->totals) ? group : NULL;
}

/* ---- a row ---- */

static bool
add_number(int64_t *number, int64_t value, bool comes)
{
    return comes ? !__builtin_add_overflow(*number, value, number)
                 : !__builtin_sub_overflow(*number, value, number);
}

/* False: they do not compare here. */
static bool
compare(const struct pgs_column *column, struct pgs_text a, struct pgs_text b, int *sign)
{
    struct pgs__order order;

    if (!pgs__order_read(&column->type, a, &order) || !pgs__order_read(&column->type, b, &order))
        return false;
    *sign = pgs_compare(column, a, b);
    return true;
}

/* `outward`: 1 of the highest value, -1 of the lowest. */
static bool
change_extreme(const struct pgs_column *column, struct pgs__total *total, struct pgs_text value,
               int outward, bool comes)
{
    int sign = outward;

    if (total->text.at != NULL && !compare(column, value, total->text, &sign))
        return false;
    sign *= outward;
    if (!comes && sign == 0)
        total->is_open = true; /* another row may have it as well */
    if (comes && sign >= 0) {
        total->text = value;
        total->is_open = false;
    }
    return comes || sign <= 0;
}

static bool
change_total(const struct pgs__rows *rows, size_t place, struct pgs__total *total,
             const struct pgs_text *row, bool comes)
{
    const struct pgs_match_total *of = &rows->match->totals[place];
    struct pgs_text value;
    int64_t number;

    if (of->kind == PGS_TOTAL_GROUP)
        return true;
    if (of->kind == PGS_TOTAL_ROWS)
        return add_number(&total->number, 1, comes) && total->number >= 0;
    value = row[of->column];
    if (value.at == NULL)
        return true;
    switch (of->kind) {
    case PGS_TOTAL_VALUES:
        return add_number(&total->number, 1, comes) && total->number >= 0;
    case PGS_TOTAL_SUM:
    case PGS_TOTAL_SUM_OR_ZERO:
        return read_number(value, &number) && add_number(&total->number, number, comes);
    case PGS_TOTAL_MIN:
        return change_extreme(&rows->live->columns[place], total, value, -1, comes);
    default:
        return change_extreme(&rows->live->columns[place], total, value, 1, comes);
    }
}

static bool
change_group(const struct pgs__work *work, struct pgs__touch *group, const struct pgs_text *row,
             bool comes)
{
    for (size_t i = 0; i < work->rows.match->n_totals; i++)
        if (!change_total(&work->rows, i, &group->totals[i], row, comes))
            return false;
    return true;
}

static bool
add_row(struct pgs__work *work, struct pgs_text key, const struct pgs_text *row)
{
    struct pgs__held_row *held = pgs__held_find(work->held, key, 0);
    struct pgs__touch *group = NULL;

    if (held != NULL)
        group = open_group(work, held);
    else if (work->rows.live->n_key > 0)
        group = begin_group(work, key, row);
    return group != NULL && change_group(work, group, row, true);
}

/* What the last row leaves behind is known without looking at it. */
static bool
take_row(struct pgs__work *work, struct pgs_text key, const struct pgs_text *row)
{
    struct pgs__held_row *held = pgs__held_find(work->held, key, 0);
    struct pgs__touch *group = held != NULL ? open_group(work, held) : NULL;

    if (group == NULL)
        return false;
    if (rows_of(work, group)->number != 1)
        return change_group(work, group, row, false);
    clear_totals(work->rows.match, group->totals);
    return true;
}

/* ---- a change ---- */

static struct pgs_text
key_of(const struct pgs__rows *rows, const struct pgs_text *row, h2o_mem_pool_t *pool)
{
    struct pgs_text values[PGS__MAX_COLUMNS];
    struct pgs_buf buf;

    for (size_t i = 0; i < rows->live->n_key; i++) {
        uint16_t place = rows->live->key[i];

        values[place] = row[rows->match->totals[place].column];
    }
    pgs_buf_init(&buf, 0);
    pgs__row_write_key(rows->live, values, &buf);
    return pgs__text_keep(pool, &buf);
}

/* The keys of the groups that the old row and the new one are in, if they are in any. */
static void
make_image(const struct pgs__rows *rows, h2o_mem_pool_t *pool, struct pgs__image *image)
{
    const struct pgs_match_rows *match = rows->match;
    const struct pgs_change *change = image->change;

    image->is_made = true;
    image->is_known =
        (change->before == NULL ||
         pgs__row_is_told(change->before, match->needed, match->n_needed)) &&
        (change->after == NULL || pgs__row_is_told(change->after, match->needed, match->n_needed));
    if (!image->is_known)
        return;
    if (change->before != NULL)
        image->before = key_of(rows, change->before, pool);
    if (change->after != NULL)
        image->key = key_of(rows, change->after, pool);
}

static bool
is_counted(const struct pgs__work *work, const struct pgs_text *row)
{
    return row != NULL && work->rows.match->holds(row, work->facts) == PGS_TRUE;
}

/* The new row first: a highest value that grows is the highest one still. */
bool
pgs__groups_apply(struct pgs__work *work, struct pgs__image *image)
{
    const struct pgs_change *change = image->change;

    if (!image->is_made)
        make_image(&work->rows, work->pool, image);
    if (!image->is_known)
        return false;
    return (!is_counted(work, change->after) || add_row(work, image->key, change->after)) &&
           (!is_counted(work, change->before) || take_row(work, image->before, change->before));
}

/* ---- the result ---- */

static void
take_out(struct pgs__work *work, struct pgs__touch *group)
{
    pgs__held_take(work->held, group->now);
    if (group->was_there)
        group->before = group->now;
    else
        free(group->now);
    group->was_there = false;
    group->now = NULL;
}

/* `digits` has room for each. */
static void
write_values(const struct pgs_match_rows *match, const struct pgs__total *totals,
             struct pgs_buf *digits, struct pgs_text *values)
{
    for (size_t i = 0; i < match->n_totals; i++) {
        const struct pgs_match_total *of = &match->totals[i];
        size_t from = digits->len;

        values[i] = totals[i].text;
        if (!is_number(of->kind))
            continue;
        pgs_buf_add_int(digits, totals[i].number);
        values[i] = (struct pgs_text){digits->at + from, digits->len - from};
        if (of->kind == PGS_TOTAL_SUM && totals[of->values].number == 0)
            values[i] = (struct pgs_text){NULL, 0};
    }
}

/* The group's row as it is now, which is not in the result yet. */
static struct pgs__held_row *
make_row(struct pgs__work *work, struct pgs__touch *group)
{
    const struct pgs_match_rows *match = work->rows.match;
    struct pgs_text values[PGS__MAX_COLUMNS], kept;
    struct pgs_buf digits, buf;

    pgs_buf_init(&digits, 0);
    if (pgs_buf_reserve(&digits, match->n_totals * (NUMBER_CHARS + 1)) == NULL)
        abort();
    write_values(match, group->totals, &digits, values);
    pgs_buf_init(&buf, 0);
    pgs__row_write(work->rows.live, values, &buf);
    group->text = pgs__text_keep(work->pool, &buf);
    work->text_bytes += group->text.len;
    pgs_buf_init(&buf, 0);
    pgs__totals_write(values, match->n_totals, &buf);
    kept = pgs__text_keep(work->pool, &buf);
    pgs_buf_clear(&digits);
    return pgs__held_row_new(pgs__held_key(group->now), (struct pgs_text){"", 0}, kept,
                             pgs__held_hash(group->text));
}

static bool
is_known(const struct pgs_match_rows *match, const struct pgs__touch *group)
{
    for (size_t i = 0; i < match->n_totals; i++)
        if (group->totals[i].is_open)
            return false;
    return true;
}

static bool
settle(struct pgs__work *work, struct pgs__touch *group)
{
    struct pgs__held_row *row;

    if (!is_known(work->rows.match, group))
        return false;
    if (rows_of(work, group)->number == 0 && work->rows.live->n_key > 0) {
        take_out(work, group);
        return true;
    }
    row = make_row(work, group);
    if (row == NULL)
        return false;
    take_out(work, group);
    if (!pgs__held_put(work->held, row)) {
        free(row);
        return false;
    }
    group->now = row;
    row->mark = group;
    return true;
}

bool
pgs__groups_settle(struct pgs__work *work)
{
    for (struct pgs__touch *group = work->touches; group != NULL; group = group->next)
        if (group->now != NULL && !settle(work, group))
            return false;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* What the outbox says that statements did, as changes of transactions. */
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "codec/text_array.h"
#include "db/feed_private.h"

/* ---- handing on ---- */

static void
hand_on(struct pgs_feed *feed, const char *xid)
{
    struct pgs_changes *changes =
        pgs_changes_finish(&feed->maker, (uint32_t)strtoull(xid, NULL, 10), 0);

    if (changes == NULL)
        return;
    pgs_count(PGS_CELL_LIVE_COMMITS, 1);
    feed->config.on_changes(feed->config.arg, changes);
}

void
pgs__records_hand_on_all(struct pgs_feed *feed, const char *xid)
{
    for (size_t i = 0; i < feed->n_watched; i++)
        pgs_changes_add_unread(&feed->maker, (int)i);
    hand_on(feed, xid);
}

/* ---- rows ---- */

/* Values of that column, which is an array.  False: it is null, or no such array. */
static bool
open_array(const PGresult *result, int row, int column, struct pgs_text_array *array)
{
    return !PQgetisnull(result, row, column) &&
           pgs_text_array_open((const uint8_t *)PQgetvalue(result, row, column),
                               (size_t)PQgetlength(result, row, column), array);
}

/* They are those that the application was built for, in that order. */
static bool
has_columns(const PGresult *result, int row, const struct pgs_watched *watched, size_t *n)
{
    struct pgs_text_array array;
    struct pgs_text name;

    *n = 0;
    if (watched->columns == NULL || !open_array(result, row, PGS__READ_COLUMNS, &array))
        return false;
    for (; watched->columns[*n] != NULL; (*n)++)
        if (!pgs_text_array_next(&array, &name) || name.at == NULL ||
            name.len != strlen(watched->columns[*n]) ||
            memcmp(name.at, watched->columns[*n], name.len) != 0)
            return false;
    return array.left == 0;
}

static bool
read_row(struct pgs_text_array *array, struct pgs_text *values)
{
    for (size_t i = 0; i < array->n_columns; i++)
        if (!pgs_text_array_next(array, &values[i]))
            return false;
    return true;
}

/* All rows of the one side. */
static bool
add_side(struct pgs_changes_maker *maker, int watched, struct pgs_text_array *array, bool is_after,
         struct pgs_text *values)
{
    for (size_t i = 0; i < array->n_rows; i++) {
        if (!read_row(array, values))
            return false;
        pgs_changes_add_row(maker, watched, is_after ? NULL : values, is_after ? values : NULL,
                            array->n_columns);
    }
    return true;
}

/*
 * Of an update, which old row became which new one is not told, unless it is one: several go, then
 * come.
 */
static bool
add_sides(struct pgs_changes_maker *maker, int watched, struct pgs_text_array *before,
          struct pgs_text_array *after, struct pgs_text *values)
{
    size_t n = after->n_columns;

    if (before->n_rows != 1 || after->n_rows != 1)
        return add_side(maker, watched, before, false, values) &&
               add_side(maker, watched, after, true, values);
    if (!read_row(before, values) || !read_row(after, values + n))
        return false;
    pgs_changes_add_row(maker, watched, values, values + n, n);
    return true;
}

/* False: the record does not have rows, or not ours. */
static bool
add_rows(struct pgs_feed *feed, const PGresult *result, int row, int watched)
{
    struct pgs_text_array before = {.n_rows = 0}, after = {.n_rows = 0};
    struct pgs_text *values;
    size_t n;
    bool good;

    if (!feed->config.wants_rows(feed->config.arg, (unsigned)watched) ||
        !has_columns(result, row, &feed->config.watched[watched], &n))
        return false;
    if (!open_array(result, row, PGS__READ_BEFORE, &before))
        before.n_rows = 0;
    if (!open_array(result, row, PGS__READ_AFTER, &after))
        after.n_rows = 0;
    if (before.n_rows + after.n_rows == 0 || (before.n_rows > 0 && before.n_columns != n) ||
        (after.n_rows > 0 && after.n_columns != n))
        return false;
    values = calloc(2 * n, sizeof(*values));
    if (values == NULL)
        abort();
    good = add_sides(&feed->maker, watched, &before, &after, values);
    free(values);
    return good;
}

/* ---- transactions ---- */

/* Records of one transaction: from `first`, without `end`. */
struct records {
    const PGresult *result;
    int first, end;
};

static bool
next_transaction(struct records *records)
{
    int n = PQntuples(records->result);

    records->first = records->end;
    while (records->end < n &&
           strcmp(PQgetvalue(records->result, records->first, PGS__READ_XID),
                  PQgetvalue(records->result, records->end, PGS__READ_XID)) == 0)
        records->end++;
    return records->first < n;
}

static int
watched_of(const struct pgs_feed *feed, const struct records *records, int row)
{
    return pgs__feed_find_watched(feed, PQgetvalue(records->result, row, PGS__READ_SCHEMA),
                                  PQgetvalue(records->result, row, PGS__READ_TABLE));
}

static bool
has_deciding(const struct pgs_feed *feed, const struct records *records)
{
    for (int row = records->first; row < records->end; row++) {
        int watched = watched_of(feed, records, row);

        if (watched >= 0 && feed->config.decides(feed->config.arg, (unsigned)watched))
            return true;
    }
    return false;
}

/*
 * Rows are read only where one statement changed a table: of several, a trigger or function within
 * another statement may have written its record before it.  `counts` has room for each table.
 */
static void
hand_on_records(struct pgs_feed *feed, const struct records *records, unsigned *counts)
{
    if (counts != NULL)
        memset(counts, 0, feed->n_watched * sizeof(*counts));
    for (int row = records->first; row < records->end && counts != NULL; row++) {
        int watched = watched_of(feed, records, row);

        if (watched >= 0)
            counts[watched]++;
    }
    for (int row = records->first; row < records->end; row++) {
        int watched = watched_of(feed, records, row);

        if (watched >= 0 && (counts == NULL || counts[watched] > 1 ||
                             !add_rows(feed, records->result, row, watched)))
            pgs_changes_add_unread(&feed->maker, watched);
    }
    hand_on(feed, PQgetvalue(records->result, records->first, PGS__READ_XID));
}

/*
 * Which of several transactions came first is known where they waited for the same rows, and not
 * else.  So what decides who may see rows comes before the others, and has all that it concerns
 * asked for again: nobody is told a row by a membership that had ended before it was written.
 */
void
pgs__records_hand_on(struct pgs_feed *feed, const PGresult *result)
{
    struct records records = {result, 0, 0};
    unsigned *counts = calloc(feed->n_watched + 1, sizeof(*counts));
    int n = 0;

    if (counts == NULL)
        abort();
    while (next_transaction(&records))
        n++;
    for (int pass = 0; pass < 2; pass++) {
        records.end = 0;
        while (next_transaction(&records))
            if ((n == 1 || !has_deciding(feed, &records)) == (pass == 1))
                hand_on_records(feed, &records, pass == 1 ? counts : NULL);
    }
    free(counts);
}

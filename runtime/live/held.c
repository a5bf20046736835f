/* SPDX-License-Identifier: MIT */
#include "live/held.h"

#include <stdlib.h>
#include <string.h>

#include "codec/order.h"
#include "http/keyed_hash.h"

#define NEAR 64 /* places: to look through as many pointers is cheaper than to compare six rows */

uint64_t
pgs__held_hash(struct pgs_text text)
{
    return pgs__keyed_hash(text.at, text.len);
}

void
pgs__held_clear(struct pgs__held *held)
{
    for (size_t i = 0; i < held->n; i++)
        free(held->rows[i]);
    free(held->rows);
    free(held->buckets);
    memset(held, 0, sizeof(*held));
}

/* What an occurrence adds to the hash of its key. */
static uint64_t
share(uint32_t occurrence)
{
    return occurrence * 0x9e3779b97f4a7c15u;
}

struct pgs__held_row *
pgs__held_row_new(struct pgs_text key, struct pgs_text sort, struct pgs_text totals,
                  uint64_t text_hash)
{
    struct pgs__held_row *row = malloc(sizeof(*row) + key.len + sort.len + totals.len);

    if (row == NULL)
        return NULL;
    *row = (struct pgs__held_row){.key_hash = pgs__held_hash(key),
                                  .text_hash = text_hash,
                                  .key_len = (uint32_t)key.len,
                                  .sort_len = (uint32_t)sort.len,
                                  .totals_len = (uint32_t)totals.len};
    memcpy(row->bytes, key.at, key.len);
    if (sort.len > 0)
        memcpy(row->bytes + key.len, sort.at, sort.len);
    if (totals.len > 0)
        memcpy(row->bytes + key.len + sort.len, totals.at, totals.len);
    return row;
}

static size_t
row_bytes(const struct pgs__held_row *row)
{
    return sizeof(*row) + row->key_len + row->sort_len + row->totals_len + 2 * sizeof(void *);
}

/* ---- by key ---- */

static struct pgs__held_row **
bucket(const struct pgs__held *held, uint64_t hash)
{
    return &held->buckets[hash & (held->n_buckets - 1)];
}

/* `hash` is the key's. */
static struct pgs__held_row *
find(const struct pgs__held *held, struct pgs_text key, uint64_t hash, uint32_t occurrence)
{
    struct pgs__held_row *row;

    if (held->n == 0)
        return NULL;
    hash += share(occurrence);
    for (row = *bucket(held, hash); row != NULL; row = row->next)
        if (row->key_hash == hash && row->occurrence == occurrence && row->key_len == key.len &&
            memcmp(row->bytes, key.at, key.len) == 0)
            return row;
    return NULL;
}

struct pgs__held_row *
pgs__held_find(const struct pgs__held *held, struct pgs_text key, uint32_t occurrence)
{
    return held->n > 0 ? find(held, key, pgs__held_hash(key), occurrence) : NULL;
}

static void
link_row(struct pgs__held *held, struct pgs__held_row *row)
{
    struct pgs__held_row **head = bucket(held, row->key_hash);

    row->next = *head;
    *head = row;
}

static bool
grow_buckets(struct pgs__held *held)
{
    size_t n_buckets = held->n_buckets > 0 ? 2 * held->n_buckets : 8;
    struct pgs__held_row **buckets = calloc(n_buckets, sizeof(struct pgs__held_row *));

    if (buckets == NULL)
        return false;
    free(held->buckets);
    held->buckets = buckets;
    held->n_buckets = n_buckets;
    for (size_t i = 0; i < held->n; i++)
        link_row(held, held->rows[i]);
    return true;
}

static bool
grow_rows(struct pgs__held *held)
{
    size_t room = held->room > 0 ? 2 * held->room : 8;
    struct pgs__held_row **rows = realloc(held->rows, room * sizeof(struct pgs__held_row *));

    if (rows == NULL)
        return false;
    held->rows = rows;
    held->room = room;
    return true;
}

/* Of the rows of its key the one with number 0; NULL: there is none. */
static struct pgs__held_row *
find_first(const struct pgs__held *held, const struct pgs__held_row *row)
{
    return find(held, pgs__held_key(row), row->key_hash - share(row->occurrence), 0);
}

/* Rows of one key are told apart by the lowest number that was free when they came. */
static void
number_occurrence(const struct pgs__held *held, struct pgs__held_row *row)
{
    struct pgs__held_row *first = find_first(held, row);
    uint64_t hash = row->key_hash - share(row->occurrence);
    uint32_t occurrence = 0;

    row->n_numbered = 1;
    if (first != NULL) {
        occurrence = first->n_numbered;
        while (find(held, pgs__held_key(row), hash, occurrence) != NULL)
            occurrence++;
        first->n_numbered = occurrence + 1;
    }
    row->occurrence = occurrence;
    row->key_hash = hash + share(occurrence);
}

static void
free_occurrence(const struct pgs__held *held, const struct pgs__held_row *row)
{
    struct pgs__held_row *first = row->occurrence > 0 ? find_first(held, row) : NULL;

    if (first != NULL && row->occurrence < first->n_numbered)
        first->n_numbered = row->occurrence;
}

/* ---- by place ---- */

static bool
stands_before(const struct pgs__held_row *row, struct pgs_text sort)
{
    struct pgs_text own = pgs__held_sort(row);

    return pgs__order_compare_bytes(own, sort) < 0;
}

/* Of the first row that does not stand before `sort`.  Most come at one of the ends, and each row
 * that is compared is memory that nobody has looked at of late. */
static size_t
lower_bound(const struct pgs__held *held, struct pgs_text sort)
{
    size_t low = 1, high = held->n;

    if (high == 0 || !stands_before(held->rows[0], sort))
        return 0;
    if (stands_before(held->rows[high - 1], sort))
        return high;
    for (high--; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (stands_before(held->rows[middle], sort))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
pgs__held_put(struct pgs__held *held, struct pgs__held_row *row)
{
    size_t place;

    if ((held->n == held->room && !grow_rows(held)) ||
        (held->n >= held->n_buckets && !grow_buckets(held)))
        return false;
    number_occurrence(held, row);
    place = row->sort_len > 0 ? lower_bound(held, pgs__held_sort(row)) : held->n;
    memmove(&held->rows[place + 1], &held->rows[place],
            (held->n - place) * sizeof(struct pgs__held_row *));
    held->rows[place] = row;
    row->place = (uint32_t)place;
    link_row(held, row);
    held->n++;
    held->bytes += row_bytes(row);
    return true;
}

/* Those that came and went before it have moved it a little since it was put.  `*place` is that of
 * the row if it is found. */
static bool
find_near(const struct pgs__held *held, const struct pgs__held_row *row, size_t *place)
{
    size_t end = (size_t)row->place + NEAR < held->n ? row->place + NEAR : held->n;

    for (*place = row->place > NEAR ? row->place - NEAR : 0; *place < end; ++*place)
        if (held->rows[*place] == row)
            return true;
    return false;
}

size_t
pgs__held_place(const struct pgs__held *held, const struct pgs__held_row *row)
{
    size_t place;

    if (row->sort_len == 0)
        return row->place;
    if (find_near(held, row, &place))
        return place;
    place = lower_bound(held, pgs__held_sort(row));
    while (held->rows[place] != row) /* rows that stand in the same place */
        place++;
    return place;
}

void
pgs__held_take(struct pgs__held *held, struct pgs__held_row *row)
{
    size_t place = pgs__held_place(held, row);
    struct pgs__held_row **at = bucket(held, row->key_hash);

    free_occurrence(held, row);
    while (*at != row)
        at = &(*at)->next;
    *at = row->next;
    held->n--;
    held->bytes -= row_bytes(row);
    if (row->sort_len > 0) {
        memmove(&held->rows[place], &held->rows[place + 1],
                (held->n - place) * sizeof(struct pgs__held_row *));
        return;
    }
    held->rows[place] = held->rows[held->n]; /* no order is lost: there is none */
    held->rows[place]->place = (uint32_t)place;
}

void
pgs__held_number(struct pgs__held *held)
{
    for (size_t i = 0; i < held->n; i++) {
        held->rows[i]->place = (uint32_t)i;
        held->rows[i]->mark = NULL;
    }
}

/* SPDX-License-Identifier: MIT */
#include "live/joined.h"

#include <stdlib.h>
#include <string.h>

#include "http/keyed_hash.h"
#include "live/facts.h"

struct known {
    struct known *next;
    uint64_t hash;
    const struct pgs_match_join *join;
    struct pgs_text texts[]; /* of its columns, then of its outputs; bytes behind them */
};

struct pgs__joined {
    size_t bytes;
    size_t n_buckets; /* a power of two */
    struct known *buckets[];
};

/* ---- looking up ---- */

static uint64_t
hash_of(const struct pgs_match_join *join, const struct pgs_text *values)
{
    uint64_t hash = (uintptr_t)join;

    for (size_t i = 0; i < join->n_columns; i++)
        hash = hash * 0x9e3779b97f4a7c15u +
               (values[i].at != NULL ? pgs__keyed_hash(values[i].at, values[i].len) : 1);
    return hash;
}

/* As `is not distinct from` says. */
static bool
are_same(const struct pgs_text *a, const struct pgs_text *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((a[i].at == NULL) != (b[i].at == NULL) || a[i].len != b[i].len ||
            (a[i].len > 0 && memcmp(a[i].at, b[i].at, a[i].len) != 0))
            return false;
    return true;
}

static struct known **
bucket(struct pgs__joined *joined, uint64_t hash)
{
    return &joined->buckets[hash & (joined->n_buckets - 1)];
}

static const struct known *
find(const struct pgs__joined *joined, const struct pgs_match_join *join,
     const struct pgs_text *values)
{
    uint64_t hash = hash_of(join, values);
    const struct known *known = joined->buckets[hash & (joined->n_buckets - 1)];

    while (known != NULL && (known->hash != hash || known->join != join ||
                             !are_same(known->texts, values, join->n_columns)))
        known = known->next;
    return known;
}

static bool
find_one(const struct pgs__joined *joined, const struct pgs_match_join *join,
         const struct pgs_text *row, struct pgs_text *outputs)
{
    struct pgs_text values[PGS__MAX_COLUMNS];
    const struct known *known;

    for (size_t i = 0; i < join->n_columns; i++)
        values[i] = row[join->columns[i]];
    known = find(joined, join, values);
    if (known == NULL)
        return false;
    for (size_t i = 0; i < join->n_outputs; i++)
        outputs[join->outputs[i]] = known->texts[join->n_columns + i];
    return true;
}

bool
pgs__joined_find(const struct pgs__joined *joined, const struct pgs_match_rows *match,
                 const struct pgs_text *row, struct pgs_text *outputs)
{
    for (size_t i = 0; i < match->n_joins; i++)
        if (joined == NULL || !find_one(joined, &match->joins[i], row, outputs))
            return false;
    return true;
}

/* ---- reading ---- */

static size_t
known_bytes(const struct pgs_match_join *join, const struct pgs_text *texts)
{
    size_t n = join->n_columns + join->n_outputs;
    size_t bytes = sizeof(struct known) + n * sizeof(*texts);

    for (size_t i = 0; i < n; i++)
        bytes += texts[i].len;
    return bytes;
}

static struct known *
make_known(const struct pgs_match_join *join, const struct pgs_text *texts, size_t bytes)
{
    size_t n = join->n_columns + join->n_outputs;
    struct known *known = malloc(bytes);
    char *at;

    if (known == NULL)
        return NULL;
    *known = (struct known){.hash = hash_of(join, texts), .join = join};
    at = (char *)&known->texts[n];
    for (size_t i = 0; i < n; i++) {
        known->texts[i] = (struct pgs_text){texts[i].at != NULL ? at : NULL, texts[i].len};
        if (texts[i].len > 0)
            memcpy(at, texts[i].at, texts[i].len);
        at += texts[i].len;
    }
    return known;
}

/* What there is no room for is not known. */
static void
keep(struct pgs__joined *joined, const struct pgs_match_join *join, const struct pgs_text *texts)
{
    struct known *known, **head;
    size_t bytes;

    if (find(joined, join, texts) != NULL)
        return;
    bytes = known_bytes(join, texts);
    if (joined->bytes + bytes > PGS_FACTS_MAX_BYTES ||
        (known = make_known(join, texts, bytes)) == NULL)
        return;
    head = bucket(joined, known->hash);
    known->next = *head;
    *head = known;
    joined->bytes += bytes;
}

static void
read_row(struct pgs__joined *joined, const struct pgs__rows *rows, struct pgs_txn *txn,
         int statement, int row)
{
    struct pgs_text texts[2 * PGS__MAX_COLUMNS];
    int column = (int)rows->live->n_columns;

    for (size_t i = 0; i < rows->match->n_joins; i++) {
        const struct pgs_match_join *join = &rows->match->joins[i];
        struct pgs_text *text = texts;

        for (size_t j = 0; j < join->n_columns; j++, text++) {
            text->len = 0;
            text->at = pgs_txn_value(txn, statement, row, column++, &text->len);
        }
        for (size_t j = 0; j < join->n_outputs; j++, text++) {
            text->len = 0;
            text->at = pgs_txn_value(txn, statement, row, join->outputs[j], &text->len);
        }
        keep(joined, join, texts);
    }
}

struct pgs__joined *
pgs__joined_read(const struct pgs__rows *rows, struct pgs_txn *txn, int statement)
{
    int n_rows = pgs_txn_row_count(txn, statement);
    size_t n_buckets = 4;
    struct pgs__joined *joined;

    if (rows->match == NULL || rows->match->n_joins == 0)
        return NULL;
    while (n_buckets < (size_t)n_rows)
        n_buckets *= 2;
    joined = calloc(1, sizeof(*joined) + n_buckets * sizeof(struct known *));
    if (joined == NULL)
        return NULL;
    joined->n_buckets = n_buckets;
    joined->bytes = sizeof(*joined) + n_buckets * sizeof(struct known *);
    for (int row = 0; row < n_rows; row++)
        read_row(joined, rows, txn, statement, row);
    return joined;
}

void
pgs__joined_free(struct pgs__joined *joined)
{
    for (size_t i = 0; joined != NULL && i < joined->n_buckets; i++)
        while (joined->buckets[i] != NULL) {
            struct known *known = joined->buckets[i];

            joined->buckets[i] = known->next;
            free(known);
        }
    free(joined);
}

size_t
pgs__joined_bytes(const struct pgs__joined *joined)
{
    return joined != NULL ? joined->bytes : 0;
}

/* SPDX-License-Identifier: MIT */
#include "live/joined.h"

#include <stdlib.h>
#include <string.h>

#include "http/keyed_hash.h"
#include "live/facts.h"

#define MAX_SHOWN 64 /* by the rows of one answer: each is looked for among them */

struct known {
    struct known *next;
    uint64_t hash;
    const struct pgs_match_join *join; /* NULL: it leads nowhere */
    struct known *next_shown;
    uint32_t bytes;
    uint16_t n_columns;
    bool is_doubted; /* it leads nobody knows where */
    /* Of its columns, then of its outputs.  Where it leads nowhere, of the columns of all joins,
     * then the key of the row that shows it; at NULL: an earlier answer did.  Bytes are behind
     * them. */
    struct pgs_text texts[];
};

struct pgs__joined {
    size_t bytes;
    size_t n_nowhere;
    struct known *shown; /* those of n_nowhere that rows show */
    size_t n_shown;
    bool is_settled;
    size_t n_buckets; /* a power of two */
    struct known *buckets[];
};

/* ---- looking up ---- */

static uint64_t
hash_of(const struct pgs_match_join *join, const struct pgs_text *values, size_t n)
{
    uint64_t hash = (uintptr_t)join;

    for (size_t i = 0; i < n; i++)
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

/* Of the values of `n` columns. */
static const struct known *
find(const struct pgs__joined *joined, const struct pgs_match_join *join,
     const struct pgs_text *values, size_t n)
{
    uint64_t hash = hash_of(join, values, n);
    const struct known *known = joined->buckets[hash & (joined->n_buckets - 1)];

    while (known != NULL && (known->hash != hash || known->join != join || known->is_doubted ||
                             !are_same(known->texts, values, n)))
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
    known = find(joined, join, values, join->n_columns);
    if (known == NULL)
        return false;
    for (size_t i = 0; i < join->n_outputs; i++)
        outputs[join->outputs[i]] = known->texts[join->n_columns + i];
    return true;
}

/* The values by which all that a row is joined to is found.  An answer has had columns for them, so
 * there is room. */
static size_t
take_values(const struct pgs_match_rows *match, const struct pgs_text *row, struct pgs_text *values)
{
    size_t n = 0;

    for (size_t i = 0; i < match->n_joins; i++)
        for (size_t j = 0; j < match->joins[i].n_columns; j++)
            values[n++] = row[match->joins[i].columns[j]];
    return n;
}

static bool
leads_nowhere(const struct pgs__joined *joined, const struct pgs_match_rows *match,
              const struct pgs_text *row)
{
    struct pgs_text values[PGS__MAX_COLUMNS];

    return joined->is_settled && joined->n_nowhere > 0 &&
           find(joined, NULL, values, take_values(match, row, values)) != NULL;
}

enum pgs__leads
pgs__joined_find(const struct pgs__joined *joined, const struct pgs_match_rows *match,
                 const struct pgs_text *row, struct pgs_text *outputs)
{
    size_t i = 0;

    if (joined == NULL)
        return PGS__LEADS_UNKNOWN;
    while (i < match->n_joins && find_one(joined, &match->joins[i], row, outputs))
        i++;
    if (i == match->n_joins)
        return PGS__LEADS_ON;
    return leads_nowhere(joined, match, row) ? PGS__LEADS_NOWHERE : PGS__LEADS_UNKNOWN;
}

/* ---- keeping ---- */

/* To `*at`, which moves on. */
static struct pgs_text
copy(char **at, struct pgs_text text)
{
    struct pgs_text copied = {text.at != NULL ? *at : NULL, text.len};

    if (text.len > 0)
        memcpy(*at, text.at, text.len);
    *at += text.len;
    return copied;
}

static struct known *
make_known(const struct pgs_text *texts, size_t n)
{
    size_t bytes = sizeof(struct known) + n * sizeof(*texts);
    struct known *known;
    char *at;

    for (size_t i = 0; i < n; i++)
        bytes += texts[i].len;
    known = bytes <= PGS_FACTS_MAX_BYTES ? malloc(bytes) : NULL;
    if (known == NULL)
        return NULL;
    *known = (struct known){.bytes = (uint32_t)bytes};
    at = (char *)&known->texts[n];
    for (size_t i = 0; i < n; i++)
        known->texts[i] = copy(&at, texts[i]);
    return known;
}

static void
link_known(struct pgs__joined *joined, struct known *known)
{
    struct known **head = &joined->buckets[known->hash & (joined->n_buckets - 1)];

    known->next = *head;
    *head = known;
    joined->bytes += known->bytes;
    joined->n_nowhere += known->join == NULL;
}

static bool
has_room(const struct pgs__joined *joined, const struct known *known)
{
    return joined->bytes + known->bytes <= PGS_FACTS_MAX_BYTES;
}

/* The first `n_columns` of `texts` lead to the others.  What there is no room for is not known. */
static struct known *
keep(struct pgs__joined *joined, const struct pgs_match_join *join, const struct pgs_text *texts,
     size_t n_columns, size_t n)
{
    struct known *known = make_known(texts, n);

    if (known == NULL || !has_room(joined, known)) {
        free(known);
        return NULL;
    }
    known->join = join;
    known->n_columns = (uint16_t)n_columns;
    known->hash = hash_of(join, texts, n_columns);
    link_known(joined, known);
    return known;
}

/* ---- reading ---- */

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
        if (find(joined, join, texts, join->n_columns) == NULL)
            (void)keep(joined, join, texts, join->n_columns, join->n_columns + join->n_outputs);
    }
}

/* NULL: no memory. */
static struct pgs__joined *
open_joined(size_t n)
{
    size_t n_buckets = 4, bytes;
    struct pgs__joined *joined;

    while (n_buckets < n)
        n_buckets *= 2;
    bytes = sizeof(*joined) + n_buckets * sizeof(struct known *);
    joined = calloc(1, bytes);
    if (joined == NULL)
        return NULL;
    joined->n_buckets = n_buckets;
    joined->bytes = bytes;
    return joined;
}

/* Not what only the rows of an answer show that was not settled. */
static void
take_over(struct pgs__joined *joined, struct pgs__joined *before)
{
    for (size_t i = 0; before->is_settled && i < before->n_buckets; i++)
        for (struct known **at = &before->buckets[i]; *at != NULL;) {
            struct known *known = *at;

            if (known->join != NULL || known->is_doubted || !has_room(joined, known)) {
                at = &known->next;
                continue;
            }
            *at = known->next;
            known->texts[known->n_columns].at = NULL;
            link_known(joined, known);
        }
}

struct pgs__joined *
pgs__joined_read(const struct pgs__rows *rows, struct pgs_txn *txn, int statement,
                 struct pgs__joined *before)
{
    int n_rows = pgs_txn_row_count(txn, statement);
    size_t n = (size_t)n_rows + (before != NULL ? before->n_nowhere : 0);
    struct pgs__joined *joined = NULL;

    if (rows->match != NULL && rows->match->n_joins > 0)
        joined = open_joined(n);
    for (int row = 0; joined != NULL && row < n_rows; row++)
        read_row(joined, rows, txn, statement, row);
    if (joined != NULL && before != NULL)
        take_over(joined, before);
    pgs__joined_free(before);
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

/* ---- what leads nowhere ---- */

static bool
is_shown_by(const struct known *known, struct pgs_text key)
{
    const struct pgs_text *shown_by = &known->texts[known->n_columns];

    return shown_by->at != NULL && (key.at == NULL || are_same(shown_by, &key, 1));
}

void
pgs__joined_doubt(struct pgs__joined *joined, struct pgs_text key)
{
    if (joined == NULL)
        return;
    for (struct known *known = joined->shown; known != NULL; known = known->next_shown)
        if (is_shown_by(known, key))
            known->is_doubted = true;
}

void
pgs__joined_miss(struct pgs__joined *joined, const struct pgs_match_rows *match,
                 struct pgs_text key, const struct pgs_text *row)
{
    struct pgs_text values[PGS__MAX_COLUMNS + 1];
    const struct known *there;
    struct known *known;
    size_t n;

    if (joined == NULL)
        return;
    n = take_values(match, row, values);
    there = find(joined, NULL, values, n);
    if (there == NULL || !is_shown_by(there, key))
        pgs__joined_doubt(joined, key);
    if (there != NULL || joined->n_shown == MAX_SHOWN)
        return;
    values[n] = key;
    known = keep(joined, NULL, values, n, n + 1);
    if (known == NULL)
        return;
    known->next_shown = joined->shown;
    joined->shown = known;
    joined->n_shown++;
}

void
pgs__joined_forget(struct pgs__joined *joined)
{
    if (joined == NULL || joined->n_nowhere == 0)
        return;
    for (size_t i = 0; i < joined->n_buckets; i++)
        for (struct known **at = &joined->buckets[i]; *at != NULL;) {
            struct known *known = *at;

            if (known->join != NULL) {
                at = &known->next;
                continue;
            }
            *at = known->next;
            joined->bytes -= known->bytes;
            free(known);
        }
    joined->shown = NULL;
    joined->n_shown = joined->n_nowhere = 0;
}

void
pgs__joined_settle(struct pgs__joined *joined)
{
    if (joined != NULL)
        joined->is_settled = true;
}

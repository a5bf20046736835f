/* SPDX-License-Identifier: MIT */
/* All that one asking brings lies in one block: pointers first, then texts, then the tables that
 * sets are looked up by. */
#include "live/facts.h"

#include <stdlib.h>
#include <string.h>

#include "http/keyed_hash.h"

struct pgs_fact_set {
    const struct pgs_text *rows; /* n_rows of n_columns */
    uint32_t *slots;             /* by hash: number of a row and one; 0: none */
    size_t n_slots;              /* a power of two */
    size_t n_rows, n_columns;
    bool has_null;
};

/* ---- looking up ---- */

static uint64_t
hash_row(const struct pgs_text *values, size_t n)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < n; i++)
        hash = hash * 0x9e3779b97f4a7c15u + pgs__keyed_hash(values[i].at, values[i].len);
    return hash;
}

static bool
are_equal(const struct pgs_text *a, const struct pgs_text *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].at == NULL || b[i].at == NULL || a[i].len != b[i].len ||
            memcmp(a[i].at, b[i].at, a[i].len) != 0)
            return false;
    return true;
}

static bool
has_null(const struct pgs_text *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i].at == NULL)
            return true;
    return false;
}

bool
pgs_set_has(const struct pgs_fact_set *set, const struct pgs_text *values, size_t n)
{
    size_t slot;

    if (set->n_rows == 0 || n != set->n_columns || has_null(values, n))
        return false;
    slot = hash_row(values, n) & (set->n_slots - 1);
    for (; set->slots[slot] != 0; slot = (slot + 1) & (set->n_slots - 1))
        if (are_equal(&set->rows[(set->slots[slot] - 1) * n], values, n))
            return true;
    return false;
}

enum pgs_truth
pgs_set_contains(const struct pgs_fact_set *set, struct pgs_text value)
{
    if (set->n_rows == 0)
        return PGS_FALSE;
    if (value.at == NULL)
        return PGS_UNKNOWN;
    if (pgs_set_has(set, &value, 1))
        return PGS_TRUE;
    return set->has_null ? PGS_UNKNOWN : PGS_FALSE;
}

/* ---- asking ---- */

static void
ask(struct pgs_txn *txn, const struct pgs_fact_query *query, const struct pgs_text *arguments)
{
    pgs_txn_statement(txn, query->sql, strlen(query->sql));
    for (size_t i = 0; i < query->n_arguments; i++) {
        struct pgs_text argument = arguments[query->arguments[i]];

        if (argument.at != NULL)
            pgs_txn_bind_text(txn, argument.at, argument.len);
        else
            pgs_txn_bind_null(txn);
    }
}

void
pgs__facts_ask(struct pgs_txn *txn, const struct pgs_matcher *matcher,
               const struct pgs_text *arguments)
{
    if (matcher->values.sql != NULL)
        ask(txn, &matcher->values, arguments);
    for (size_t i = 0; i < matcher->n_sets; i++)
        ask(txn, &matcher->sets[i], arguments);
}

/* ---- reading ---- */

/* What an answer takes in the block. */
struct room {
    size_t texts, bytes, slots;
};

static size_t
slots_for(size_t rows)
{
    size_t n = 4;

    while (n < 2 * rows)
        n *= 2;
    return n;
}

static void
measure(struct pgs_txn *txn, int statement, size_t columns, struct room *room)
{
    int n = pgs_txn_row_count(txn, statement);
    size_t len;

    room->texts += (size_t)n * columns;
    room->slots += slots_for((size_t)n);
    for (int row = 0; row < n; row++)
        for (size_t column = 0; column < columns; column++) {
            len = 0;
            (void)pgs_txn_value(txn, statement, row, (int)column, &len);
            room->bytes += len;
        }
}

/* What is left of the block. */
struct block {
    struct pgs_text *texts;
    uint32_t *slots;
    char *bytes;
};

static const struct pgs_text *
read_rows(struct pgs_txn *txn, int statement, size_t columns, struct block *block)
{
    const struct pgs_text *rows = block->texts;
    int n = pgs_txn_row_count(txn, statement);

    for (int row = 0; row < n; row++)
        for (size_t column = 0; column < columns; column++) {
            size_t len = 0;
            const char *text = pgs_txn_value(txn, statement, row, (int)column, &len);

            *block->texts++ = (struct pgs_text){text != NULL ? block->bytes : NULL, len};
            if (len > 0)
                memcpy(block->bytes, text, len);
            block->bytes += len;
        }
    return rows;
}

static void
fill_set(struct pgs_fact_set *set, struct block *block)
{
    set->slots = block->slots;
    set->n_slots = slots_for(set->n_rows);
    block->slots += set->n_slots;
    for (size_t i = 0; i < set->n_rows; i++) {
        const struct pgs_text *row = &set->rows[i * set->n_columns];
        size_t slot;

        if (has_null(row, set->n_columns)) {
            set->has_null = true;
            continue;
        }
        slot = hash_row(row, set->n_columns) & (set->n_slots - 1);
        while (set->slots[slot] != 0)
            slot = (slot + 1) & (set->n_slots - 1);
        set->slots[slot] = (uint32_t)i + 1;
    }
}

/* False: a set is larger than is kept, or the values are not one row. */
static bool
measure_all(struct pgs_txn *txn, const struct pgs_matcher *matcher, int statement,
            struct room *room)
{
    if (matcher->values.sql != NULL) {
        if (pgs_txn_row_count(txn, statement) != 1)
            return false;
        measure(txn, statement++, matcher->values.n_columns, room);
    }
    for (size_t i = 0; i < matcher->n_sets; i++, statement++) {
        if (pgs_txn_row_count(txn, statement) > PGS_LIVE_MAX_ROWS)
            return false;
        measure(txn, statement, matcher->sets[i].n_columns, room);
    }
    return room->bytes <= PGS_FACTS_MAX_BYTES;
}

struct pgs_facts *
pgs__facts_read(struct pgs_txn *txn, const struct pgs_matcher *matcher, int statement,
                size_t *bytes)
{
    size_t n_sets = matcher->n_sets;
    struct pgs_fact_set *sets;
    const struct pgs_fact_set **list;
    struct pgs_facts *facts;
    struct room room = {0};
    struct block block;

    if (!measure_all(txn, matcher, statement, &room))
        return NULL;
    *bytes = sizeof(*facts) + n_sets * (sizeof(*sets) + sizeof(*list)) +
             room.texts * sizeof(struct pgs_text) + room.slots * sizeof(uint32_t) + room.bytes;
    facts = calloc(1, *bytes);
    if (facts == NULL)
        return NULL;
    sets = (struct pgs_fact_set *)(facts + 1);
    list = (const struct pgs_fact_set **)(sets + n_sets);
    block.texts = (struct pgs_text *)(list + n_sets);
    block.slots = (uint32_t *)(block.texts + room.texts);
    block.bytes = (char *)(block.slots + room.slots);
    facts->sets = list;
    if (matcher->values.sql != NULL)
        facts->values = read_rows(txn, statement++, matcher->values.n_columns, &block);
    for (size_t i = 0; i < n_sets; i++, statement++) {
        list[i] = &sets[i];
        sets[i].n_columns = matcher->sets[i].n_columns;
        sets[i].n_rows = (size_t)pgs_txn_row_count(txn, statement);
        sets[i].rows = read_rows(txn, statement, sets[i].n_columns, &block);
        fill_set(&sets[i], &block);
    }
    return facts;
}

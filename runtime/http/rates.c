/* SPDX-License-Identifier: MIT */
/*
 * The generic cell rate algorithm: of each caller there is one time, at which all that it has spent
 * has come back.  Rows of eight such cells, each row under one of many mutexes.
 */
#include "http/rates.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "http/keyed_hash.h"

enum {
    CELLS = 8,
    MUTEXES = 256,    /* a power of two */
    CALLER_MAX = 160, /* bytes of one; longer ones are cut */
};

struct cell {
    uint64_t hash;   /* of rate and caller; 64 bits of a keyed hash do not meet by chance */
    int64_t full_us; /* nothing is spent from then on */
};

struct row {
    struct cell cells[CELLS];
};

struct pgs_rates {
    pthread_mutex_t mutexes[MUTEXES];
    size_t mask; /* of rows */
    struct row rows[];
};

struct pgs_rates *
pgs_rates_open(int room)
{
    size_t rows = 1;
    struct pgs_rates *rates;

    while (rows * CELLS < (size_t)room)
        rows *= 2;
    rates = calloc(1, sizeof(*rates) + rows * sizeof(rates->rows[0]));
    if (rates == NULL)
        abort();
    rates->mask = rows - 1;
    for (size_t i = 0; i < MUTEXES; i++)
        (void)pthread_mutex_init(&rates->mutexes[i], NULL);
    return rates;
}

void
pgs_rates_close(struct pgs_rates *rates)
{
    for (size_t i = 0; i < MUTEXES; i++)
        (void)pthread_mutex_destroy(&rates->mutexes[i]);
    free(rates);
}

static uint64_t
hash(const struct pgs_rate *rate, struct pgs_text caller)
{
    struct {
        const struct pgs_rate *rate;
        char caller[CALLER_MAX];
    } key = {.rate = rate};
    size_t len = caller.len < CALLER_MAX ? caller.len : CALLER_MAX;

    memcpy(key.caller, caller.at, len);
    return pgs__keyed_hash(&key, sizeof(key.rate) + len);
}

/* The caller's cell, or the one of the row that is least missed. */
static struct cell *
find(struct row *row, uint64_t of, int64_t now_us)
{
    struct cell *least = &row->cells[0];

    for (struct cell *cell = row->cells; cell < row->cells + CELLS; cell++) {
        if (cell->hash == of)
            return cell;
        if (cell->full_us < least->full_us)
            least = cell;
    }
    if (least->full_us > now_us)
        pgs_limit_hit(PGS_LIMIT_RATE_CALLERS);
    *least = (struct cell){.hash = of};
    return least;
}

/* Whether the cell has room for one more; then it is spent. */
static bool
spend(struct cell *cell, const struct pgs_rate *rate, int64_t now_us, struct pgs_rate_state *state)
{
    int64_t each_us = (int64_t)rate->seconds * 1000000 / rate->requests;
    int64_t all_us = each_us * rate->requests;
    int64_t full_us = cell->full_us > now_us ? cell->full_us - now_us : 0;
    bool may = full_us + each_us <= all_us;

    if (may)
        full_us += each_us;
    cell->full_us = now_us + full_us;
    state->full_us = full_us;
    state->remaining = (uint32_t)((all_us - full_us) / each_us);
    state->wait_us = may ? 0 : full_us + each_us - all_us;
    return may;
}

bool
pgs_rate_spend(struct pgs_rates *rates, const struct pgs_rate *rate, struct pgs_text caller,
               int64_t now_us, struct pgs_rate_state *state)
{
    uint64_t of = hash(rate, caller);
    size_t row = of & rates->mask;
    pthread_mutex_t *mutex = &rates->mutexes[row % MUTEXES];
    bool may;

    (void)pthread_mutex_lock(mutex);
    may = spend(find(&rates->rows[row], of, now_us), rate, now_us, state);
    (void)pthread_mutex_unlock(mutex);
    return may;
}

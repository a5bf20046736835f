/* SPDX-License-Identifier: MIT */
/*
 * Numbers that each thread counts for itself and /metrics sums up.
 *
 * A thread's cells are written by it alone: a relaxed load and a relaxed store, no lock and no
 * locked instruction.  Threads that have opened none share cells that nobody reads.
 */
#ifndef PGS_BASE_METRIC_H
#define PGS_BASE_METRIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pgs_way {
    PGS_WAY_H1,
    PGS_WAY_H1_TLS,
    PGS_WAY_H2_TLS,
};

/* Whom a pool is for. */
enum pgs_plane {
    PGS_PLANE_DATA,
    PGS_PLANE_ADMIN,
    PGS_PLANE_LIVE,
    PGS_PLANES,
};

/* Of a pool's connection; those of all planes are one list. */
enum pgs_lane {
    PGS_LANE_QUICK,
    PGS_LANE_SLOW,
    PGS_LANES,
};

enum pgs_conn_shown {
    PGS_SHOWN_IDLE,
    PGS_SHOWN_BUSY,
    PGS_SHOWN_CONNECTING,
    PGS_SHOWN_DOWN,
    PGS_SHOWN_STATES,
};

enum pgs_conn_event {
    PGS_EVENT_CONNECTED,
    PGS_EVENT_LOST,
    PGS_EVENT_FAILED,
};

enum pgs_token_result {
    PGS_TOKEN_REMEMBERED,
    PGS_TOKEN_VERIFIED,
    PGS_TOKEN_REFUSED,
};

/* How a live result was brought up to date. */
enum pgs_live_way {
    PGS_LIVE_MATCHED,
    PGS_LIVE_ASKED,
};

/* What a subscriber is told. */
enum pgs_live_frame {
    PGS_FRAME_SNAPSHOT,
    PGS_FRAME_DELTA,
    PGS_FRAME_RESET,
    PGS_FRAME_RESUMED,
};

/* How many texts each list of labels has (base/metric.c); the enums above are in their order. */
enum {
    PGS_LABELS_NONE = 1,
    PGS_LABELS_WAYS = 3,
    PGS_LABELS_PLANES = PGS_PLANES,
    PGS_LABELS_LANES = PGS_PLANES * PGS_LANES,
    PGS_LABELS_STATES = PGS_SHOWN_STATES,
    PGS_LABELS_EVENTS = 3,
    PGS_LABELS_TOKENS = 3,
    PGS_LABELS_OUTCOMES = 7,
    PGS_LABELS_LIVE_WAYS = 2,
    PGS_LABELS_FRAMES = 4,
    PGS_LABELS_CLASSES = 46,
};

#define PGS_BUCKETS 17

typedef _Atomic uint64_t pgs_cell;

enum {
    PGS_CELLS_COUNTER = 1,
    PGS_CELLS_GAUGE = 1,
    PGS_CELLS_HISTOGRAM = 1 + PGS_BUCKETS, /* the sum, then the buckets, not cumulated */
};

/* The first cell of each metric; the others follow in the order of its labels. */
enum {
#define PGS_METRIC(id, name, kind, labels, more, meaning)                                          \
    PGS_CELL_##id,                                                                                 \
        PGS_CELL_##id##_LAST =                                                                     \
            PGS_CELL_##id + PGS_LABELS_##labels * PGS_LABELS_##more * PGS_CELLS_##kind - 1,
#include "base/metrics.def"
#undef PGS_METRIC
    PGS_CELLS,
};

extern __thread pgs_cell *pgs__cells;

/* What the calling thread counts from here on is shown.  Stays until the process ends. */
void pgs_metrics_open(void);

static inline void
pgs_cell_add(pgs_cell *cell, uint64_t n)
{
    uint64_t now = atomic_load_explicit(cell, memory_order_relaxed);

    atomic_store_explicit(cell, now + n, memory_order_relaxed);
}

static inline uint64_t
pgs_cell_get(const pgs_cell *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

static inline void
pgs_count(int cell, uint64_t n)
{
    pgs_cell_add(&pgs__cells[cell], n);
}

/* Gauges go both ways; a thread's share may be below zero. */
static inline void
pgs_gauge_add(int cell, int n)
{
    pgs_cell_add(&pgs__cells[cell], (uint64_t)(int64_t)n);
}

static inline void
pgs_gauge_set(int cell, uint64_t n)
{
    atomic_store_explicit(&pgs__cells[cell], n, memory_order_relaxed);
}

void pgs_histogram_add(pgs_cell histogram[PGS_CELLS_HISTOGRAM], int64_t us);

/* Into the histogram of a metric, of the label `index`. */
static inline void
pgs_observe(int cell, int index, int64_t us)
{
    pgs_histogram_add(&pgs__cells[cell + index * PGS_CELLS_HISTOGRAM], us);
}

/* An error of PostgreSQL; classes that it does not know itself are counted together. */
void pgs_count_error(const char *sqlstate);

/* ---- for who writes them ---- */

enum pgs_metric_kind {
    PGS_METRIC_COUNTER,
    PGS_METRIC_GAUGE,
    PGS_METRIC_HISTOGRAM,
};

struct pgs_metric {
    const char *name;
    enum pgs_metric_kind kind;
    const char *const *labels; /* texts such as `lane="quick"`, or "" */
    size_t n_labels;
    const char *const *more;
    size_t n_more;
    const char *meaning;
    int cell;
};

extern const struct pgs_metric pgs_metrics[];
extern const size_t pgs_n_metrics;

/* Upper bounds of the buckets of a histogram; the last one has none. */
extern const int64_t pgs_bounds_us[PGS_BUCKETS - 1];

/* Of all threads. */
uint64_t pgs_cell_sum(int cell);

#endif

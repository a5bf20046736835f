/* SPDX-License-Identifier: MIT */
#include "base/metric.h"

#include <stdlib.h>
#include <string.h>

struct thread {
    struct thread *next;
    pgs_cell cells[PGS_CELLS];
};

static _Atomic(struct thread *) threads;
static pgs_cell unseen[PGS_CELLS]; /* of threads that have opened none */

__thread pgs_cell *pgs__cells = unseen;

const int64_t pgs_bounds_us[PGS_BUCKETS - 1] = {100,     250,     500,     1000,    2500,   5000,
                                                10000,   25000,   50000,   100000,  250000, 500000,
                                                1000000, 2500000, 5000000, 10000000};

static const char *const none[PGS_LABELS_NONE] = {""};
static const char *const ways[PGS_LABELS_WAYS] = {
    "protocol=\"http/1.1\",tls=\"false\"",
    "protocol=\"http/1.1\",tls=\"true\"",
    "protocol=\"h2\",tls=\"true\"",
};
static const char *const planes[PGS_LABELS_PLANES] = {"plane=\"data\"", "plane=\"admin\"",
                                                      "plane=\"live\""};
static const char *const lanes[PGS_LABELS_LANES] = {
    "plane=\"data\",lane=\"quick\"",  "plane=\"data\",lane=\"slow\"",
    "plane=\"admin\",lane=\"quick\"", "plane=\"admin\",lane=\"slow\"",
    "plane=\"live\",lane=\"quick\"",  "plane=\"live\",lane=\"slow\"",
};
static const char *const states[PGS_LABELS_STATES] = {
    "state=\"idle\"",
    "state=\"busy\"",
    "state=\"connecting\"",
    "state=\"down\"",
};
static const char *const events[PGS_LABELS_EVENTS] = {
    "event=\"connected\"",
    "event=\"lost\"",
    "event=\"failed\"",
};
static const char *const tokens[PGS_LABELS_TOKENS] = {
    "result=\"remembered\"",
    "result=\"verified\"",
    "result=\"refused\"",
};
static const char *const outcomes[PGS_LABELS_OUTCOMES] = {
    "result=\"ok\"",   "result=\"failed\"", "result=\"read_only\"", "result=\"unavailable\"",
    "result=\"lost\"", "result=\"busy\"",   "result=\"unwanted\"",
};

static const char *const live_ways[PGS_LABELS_LIVE_WAYS] = {"by=\"matching\"", "by=\"asking\""};
static const char *const frames[PGS_LABELS_FRAMES] = {
    "type=\"snapshot\"",
    "type=\"delta\"",
    "type=\"reset\"",
    "type=\"resumed\"",
};

/* Appendix A of PostgreSQL's manual, PT of functions that choose a status, and the rest. */
#define CLASS(c) "class=\"" c "\""
static const char *const classes[PGS_LABELS_CLASSES] = {
    CLASS("00"), CLASS("01"), CLASS("02"), CLASS("03"),    CLASS("08"), CLASS("09"), CLASS("0A"),
    CLASS("0B"), CLASS("0F"), CLASS("0L"), CLASS("0P"),    CLASS("0Z"), CLASS("10"), CLASS("20"),
    CLASS("21"), CLASS("22"), CLASS("23"), CLASS("24"),    CLASS("25"), CLASS("26"), CLASS("27"),
    CLASS("28"), CLASS("2B"), CLASS("2D"), CLASS("2F"),    CLASS("34"), CLASS("38"), CLASS("39"),
    CLASS("3B"), CLASS("3D"), CLASS("3F"), CLASS("40"),    CLASS("42"), CLASS("44"), CLASS("53"),
    CLASS("54"), CLASS("55"), CLASS("57"), CLASS("58"),    CLASS("72"), CLASS("F0"), CLASS("HV"),
    CLASS("P0"), CLASS("PT"), CLASS("XX"), CLASS("other"),
};

#define LABELS_NONE none
#define LABELS_WAYS ways
#define LABELS_PLANES planes
#define LABELS_LANES lanes
#define LABELS_STATES states
#define LABELS_EVENTS events
#define LABELS_TOKENS tokens
#define LABELS_OUTCOMES outcomes
#define LABELS_CLASSES classes
#define LABELS_LIVE_WAYS live_ways
#define LABELS_FRAMES frames

const struct pgs_metric pgs_metrics[] = {
#define PGS_METRIC(id, name, kind, labels, more, meaning)                                          \
    {name,          PGS_METRIC_##kind, LABELS_##labels, PGS_LABELS_##labels,                       \
     LABELS_##more, PGS_LABELS_##more, meaning,         PGS_CELL_##id},
#include "base/metrics.def"
#undef PGS_METRIC
};
const size_t pgs_n_metrics = sizeof(pgs_metrics) / sizeof(pgs_metrics[0]);

void
pgs_metrics_open(void)
{
    struct thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL)
        abort();
    thread->next = atomic_load(&threads);
    while (!atomic_compare_exchange_weak(&threads, &thread->next, thread))
        ;
    pgs__cells = thread->cells;
}

void
pgs_histogram_add(pgs_cell histogram[PGS_CELLS_HISTOGRAM], int64_t us)
{
    int i = 0;

    while (i < PGS_BUCKETS - 1 && us > pgs_bounds_us[i])
        i++;
    pgs_cell_add(&histogram[0], us > 0 ? (uint64_t)us : 0);
    pgs_cell_add(&histogram[1 + i], 1);
}

void
pgs_count_error(const char *sqlstate)
{
    static const size_t at = sizeof("class=\"") - 1;
    int i = 0;

    while (i < PGS_LABELS_CLASSES - 1 && strncmp(classes[i] + at, sqlstate, 2) != 0)
        i++;
    pgs_count(PGS_CELL_ERRORS + i, 1);
}

uint64_t
pgs_cell_sum(int cell)
{
    uint64_t sum = 0;

    for (struct thread *thread = atomic_load(&threads); thread != NULL; thread = thread->next)
        sum += pgs_cell_get(&thread->cells[cell]);
    return sum;
}

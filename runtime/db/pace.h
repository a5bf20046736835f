/* SPDX-License-Identifier: MIT */
/*
 * Where commits come thick and fast, what comes within a moment is read together: to wake for each
 * of them, and to wake others, costs more than the reading.  One that comes alone never waits.
 */
#ifndef PGS_DB_PACE_H
#define PGS_DB_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PGS_PACE_WINDOW_MS = 10, /* that is looked at */
    PGS_PACE_BUSY = 50,      /* commits within it: 5,000 a second */
    PGS_PACE_PAUSE_MS = 1,   /* between two readings then */
};

struct pgs__pace {
    int64_t since_ms;
    int64_t n_commits; /* since then */
    bool is_busy;
};

/* So many commits more have come.  True: the next reading is better put off. */
bool pgs__pace_count(struct pgs__pace *pace, int64_t n_commits, int64_t now_ms);

#endif

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
    PGS_PACE_SOONER = 8,     /* an outbox is read so many times as often while changes come, and */
    PGS_PACE_REST = 4,       /* not for so many times as long as a reading took */
};

struct pgs__pace {
    int64_t since_ms;
    int64_t n_commits; /* since then */
    bool is_busy;
};

/* So many commits more have come.  True: the next reading is better put off. */
bool pgs__pace_count(struct pgs__pace *pace, int64_t n_commits, int64_t now_ms);

/* How long until an outbox is read again, `most_ms` or less: after a pause of `last_ms` a reading
 * took so long, and there was something. */
int pgs__pace_wait_ms(int last_ms, int most_ms, bool has_found, int64_t took_us);

#endif

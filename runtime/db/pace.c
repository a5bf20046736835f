/* SPDX-License-Identifier: MIT */
#include "db/pace.h"

bool
pgs__pace_count(struct pgs__pace *pace, int64_t n_commits, int64_t now_ms)
{
    int64_t ms = now_ms - pace->since_ms;

    pace->n_commits += n_commits;
    if (ms < PGS_PACE_WINDOW_MS)
        return pace->is_busy;
    pace->is_busy = pace->n_commits * PGS_PACE_WINDOW_MS >= PGS_PACE_BUSY * ms;
    pace->since_ms = now_ms;
    pace->n_commits = 0;
    return pace->is_busy;
}

int
pgs__pace_wait_ms(int last_ms, int most_ms, bool has_found, int64_t took_us)
{
    int64_t ms = has_found ? most_ms / PGS_PACE_SOONER : 2 * (int64_t)last_ms;

    if (ms < took_us * PGS_PACE_REST / 1000)
        ms = took_us * PGS_PACE_REST / 1000;
    if (ms < 1)
        ms = 1;
    return ms < most_ms ? (int)ms : most_ms;
}

/* SPDX-License-Identifier: MIT */
/* A turn of libh2o's loop whose timers survive a wall clock that is set back. */
#ifndef PGS_HTTP_LOOP_H
#define PGS_HTTP_LOOP_H

#include <h2o.h>

/* `now_ms` is the loop's time after the last turn, 0 before the first; waits `max_wait_ms` at most.
 */
void pgs__loop_turn(h2o_loop_t *loop, uint64_t *now_ms, int32_t max_wait_ms);

#endif

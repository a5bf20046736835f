/* SPDX-License-Identifier: MIT */
/*
 * libh2o's timers go by the wall clock: one that is set back by an hour would stop them for an
 * hour, and with them what leaves in the loop's next turn.  A clock that is set forward only ends
 * waits early.
 */
#include "http/loop.h"

/* Those that began in what is the future now begin anew; so they stay in order. */
static void
restart_timers(h2o_loop_t *loop)
{
    uint64_t now_ms = h2o_now(loop);

    for (h2o_linklist_t *t = loop->_timeouts.next; t != &loop->_timeouts; t = t->next) {
        h2o_timeout_t *timeout = H2O_STRUCT_FROM_MEMBER(h2o_timeout_t, _link, t);

        for (h2o_linklist_t *e = timeout->_entries.next; e != &timeout->_entries; e = e->next) {
            h2o_timeout_entry_t *entry = H2O_STRUCT_FROM_MEMBER(h2o_timeout_entry_t, _link, e);

            if (entry->registered_at > now_ms)
                entry->registered_at = now_ms;
        }
    }
}

void
pgs__loop_turn(h2o_loop_t *loop, uint64_t *now_ms, int32_t max_wait_ms)
{
    (void)h2o_evloop_run(loop, max_wait_ms);
    if (h2o_now(loop) < *now_ms)
        restart_timers(loop);
    *now_ms = h2o_now(loop);
}

/* SPDX-License-Identifier: MIT */
/* The loop's timers under a wall clock that is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/time.h>
#include <time.h>

#include "base/clock.h"
#include "http/loop.h"

static time_t set_by_s;

/* libh2o's way to the time, in place of the C library's. */
int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec real;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &real);
    *now = (struct timeval){real.tv_sec + set_by_s, real.tv_nsec / 1000};
    return 0;
}

struct alarm {
    h2o_timeout_entry_t entry;
    int64_t rang_ms;
};

static void
ring(h2o_timeout_entry_t *entry)
{
    H2O_STRUCT_FROM_MEMBER(struct alarm, entry, entry)->rang_ms = pgs_clock_ms();
}

static int64_t
wait_for(h2o_loop_t *loop, const struct alarm *alarm, uint64_t *now_ms)
{
    int64_t since_ms = pgs_clock_ms();

    while (alarm->rang_ms == 0 && pgs_clock_ms() - since_ms < 10000)
        pgs__loop_turn(loop, now_ms, 100);
    return alarm->rang_ms - since_ms;
}

static void
test_a_clock_set_back(void **state)
{
    h2o_loop_t *loop = h2o_evloop_create();
    struct alarm early = {.entry = {.cb = ring}}, late = {.entry = {.cb = ring}};
    h2o_timeout_t soon, later;
    uint64_t now_ms = 0;

    (void)state;
    h2o_timeout_init(loop, &soon, 20);
    h2o_timeout_init(loop, &later, 200);
    pgs__loop_turn(loop, &now_ms, 1);
    h2o_timeout_link(loop, &soon, &early.entry);
    h2o_timeout_link(loop, &later, &late.entry);
    set_by_s = -3600;
    assert_true(wait_for(loop, &early, &now_ms) >= 20);
    assert_int_equal(late.rang_ms, 0);
    assert_true(wait_for(loop, &late, &now_ms) > 0);
    set_by_s = 0; /* forward: nothing waits longer */
    early.rang_ms = 0;
    h2o_timeout_link(loop, &soon, &early.entry);
    assert_true(wait_for(loop, &early, &now_ms) >= 0);
    h2o_timeout_dispose(loop, &soon);
    h2o_timeout_dispose(loop, &later);
    h2o_evloop_destroy(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_clock_set_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* When readings of the log are put off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/pace.h"

/* `n` commits, one a step of time: what is said of the last. */
static bool
come(struct pgs__pace *pace, int64_t *now_ms, int n, int64_t each, int64_t step_ms)
{
    bool is_busy = false;

    for (int i = 0; i < n; i++)
        is_busy = pgs__pace_count(pace, each, *now_ms += step_ms);
    return is_busy;
}

static void
test_only_a_crowd_waits(void **state)
{
    struct pgs__pace pace = {.since_ms = 0};
    int64_t now_ms = 1000000;

    (void)state;
    assert_false(come(&pace, &now_ms, 1, 1, 1));
    assert_false(come(&pace, &now_ms, 100, 1, 1));
    assert_false(come(&pace, &now_ms, 100, 4, 1)); /* 4,000 a second */
    assert_true(come(&pace, &now_ms, 100, 6, 1));
    assert_true(come(&pace, &now_ms, 100, 60, 1));
    assert_false(come(&pace, &now_ms, 40, 4, 1));
}

/* What was a crowd before does not keep waiting who comes after a while. */
static void
test_a_crowd_that_has_gone(void **state)
{
    struct pgs__pace pace = {.since_ms = 0};
    int64_t now_ms = 1000000;

    (void)state;
    assert_true(come(&pace, &now_ms, 29, 60, 1));
    assert_false(come(&pace, &now_ms, 1, 1, 5000));
}

static void
test_an_outbox_is_read_sooner_while_changes_come(void **state)
{
    int ms = 20;

    (void)state;
    ms = pgs__pace_wait_ms(ms, 20, true, 100);
    assert_int_equal(ms, 2);
    for (int i = 0; i < 3; i++)
        ms = pgs__pace_wait_ms(ms, 20, false, 100);
    assert_int_equal(ms, 16);
    ms = pgs__pace_wait_ms(ms, 20, false, 100);
    assert_int_equal(ms, 20);
    assert_int_equal(pgs__pace_wait_ms(ms, 20, true, 3000), 12); /* it has its price */
    assert_int_equal(pgs__pace_wait_ms(ms, 20, true, 5000000), 20);
    assert_int_equal(pgs__pace_wait_ms(0, 20, false, 0), 1);
    assert_int_equal(pgs__pace_wait_ms(1, 1, true, 5000), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_crowd_waits),
        cmocka_unit_test(test_a_crowd_that_has_gone),
        cmocka_unit_test(test_an_outbox_is_read_sooner_while_changes_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

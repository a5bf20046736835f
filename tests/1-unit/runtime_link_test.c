/* SPDX-License-Identifier: MIT */
/* How soon a connection of a thread's own is tried again, however often it has failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/link.h"

static void
test_backoff(void **state)
{
    struct pgs__link link = {.failures = 0};
    int before_ms = 0;

    (void)state;
    while (++link.failures < 1000) {
        int ms = pgs__link_backoff_ms(&link);

        assert_in_range(ms, before_ms > 0 ? before_ms : 1, 1000);
        before_ms = ms;
    }
    assert_int_equal(before_ms, 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_backoff)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

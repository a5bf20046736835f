/* SPDX-License-Identifier: MIT */
/*
 * How rate limits count, on a clock of the test's own.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limit.h"
#include "http/rates.h"

#define SECOND INT64_C(1000000)

static const struct pgs_rate six_a_minute = {.name = "x", .requests = 6, .seconds = 60};
static const struct pgs_text ada = {"ada", 3}, bob = {"bob", 3};

/* How many of `n` requests at one time are let in. */
static int
admitted(struct pgs_rates *rates, const struct pgs_rate *rate, struct pgs_text caller, int n,
         int64_t now_us)
{
    struct pgs_rate_state state;
    int in = 0;

    for (int i = 0; i < n; i++)
        in += pgs_rate_spend(rates, rate, caller, now_us, &state);
    return in;
}

static void
test_all_at_once_then_one_by_one(void **state)
{
    struct pgs_rates *rates = pgs_rates_open(64);
    const int64_t now_us = 1000 * SECOND;

    (void)state;
    assert_int_equal(admitted(rates, &six_a_minute, ada, 20, now_us), 6);
    assert_int_equal(admitted(rates, &six_a_minute, bob, 20, now_us), 6);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 20, now_us + 10 * SECOND - 1), 0);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 20, now_us + 10 * SECOND), 1);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 20, now_us + 35 * SECOND), 2);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 20, now_us + 1000 * SECOND), 6);
    pgs_rates_close(rates);
}

static void
test_state(void **state)
{
    struct pgs_rates *rates = pgs_rates_open(64);
    struct pgs_rate_state now;

    (void)state;
    assert_true(pgs_rate_spend(rates, &six_a_minute, ada, SECOND, &now));
    assert_int_equal(now.remaining, 5);
    assert_int_equal(now.full_us, 10 * SECOND);
    assert_int_equal(now.wait_us, 0);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 5, SECOND), 5);
    assert_false(pgs_rate_spend(rates, &six_a_minute, ada, 4 * SECOND, &now));
    assert_int_equal(now.remaining, 0);
    assert_int_equal(now.full_us, 57 * SECOND);
    assert_int_equal(now.wait_us, 7 * SECOND);
    pgs_rates_close(rates);
}

/* Whatever the rate, a caller who never stops asking gets what is declared, and the first burst. */
static void
test_rates_hold_over_time(void **state)
{
    static const struct pgs_rate rates_of[] = {
        {.name = "a", .requests = 1, .seconds = 1},
        {.name = "b", .requests = 3, .seconds = 1},
        {.name = "c", .requests = 7, .seconds = 60},
        {.name = "d", .requests = 1000, .seconds = 86400},
        {.name = "e", .requests = 1000000, .seconds = 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rates_of) / sizeof(rates_of[0]); i++) {
        const struct pgs_rate *rate = &rates_of[i];
        struct pgs_rates *rates = pgs_rates_open(64);
        struct pgs_rate_state now;
        int64_t in = 0, step_us = (int64_t)rate->seconds * SECOND / rate->requests / 2 + 1;

        for (int64_t t = 0; t < 3 * (int64_t)rate->seconds * SECOND && in < 100000; t += step_us)
            in += pgs_rate_spend(rates, rate, ada, t, &now);
        assert_in_range((uintmax_t)in, rate->requests < 100000 ? 3 * rate->requests - 1 : 100000,
                        4 * (uintmax_t)rate->requests);
        pgs_rates_close(rates);
    }
}

static void
test_each_limit_counts_alone(void **state)
{
    static const struct pgs_rate twin = {.name = "y", .requests = 6, .seconds = 60};
    struct pgs_rates *rates = pgs_rates_open(64);
    char longer[400];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    assert_int_equal(admitted(rates, &six_a_minute, ada, 9, SECOND), 6);
    assert_int_equal(admitted(rates, &twin, ada, 9, SECOND), 6);
    assert_int_equal(admitted(rates, &twin, (struct pgs_text){"", 0}, 9, SECOND), 6);
    assert_int_equal(admitted(rates, &twin, (struct pgs_text){longer, sizeof(longer)}, 9, SECOND),
                     6);
    pgs_rates_close(rates);
}

/* Whoever has used most is remembered longest. */
static void
test_a_full_table_forgets_the_least(void **state)
{
    struct pgs_rates *rates = pgs_rates_open(64);
    uint64_t before = pgs_limit_hits(PGS_LIMIT_RATE_CALLERS);
    char name[16];

    (void)state;
    assert_int_equal(admitted(rates, &six_a_minute, ada, 9, SECOND), 6);
    for (int i = 0; i < 10000; i++) {
        int len = snprintf(name, sizeof(name), "caller %d", i);

        assert_int_equal(
            admitted(rates, &six_a_minute, (struct pgs_text){name, (size_t)len}, 1, SECOND), 1);
    }
    assert_true(pgs_limit_hits(PGS_LIMIT_RATE_CALLERS) > before);
    assert_int_equal(admitted(rates, &six_a_minute, ada, 9, SECOND), 0);
    before = pgs_limit_hits(PGS_LIMIT_RATE_CALLERS);
    assert_int_equal(admitted(rates, &six_a_minute, bob, 1, 1000 * SECOND), 1);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_RATE_CALLERS), before); /* all had come back */
    pgs_rates_close(rates);
}

struct crowd {
    struct pgs_rates *rates;
    int in;
};

static void *
ask(void *arg)
{
    struct crowd *crowd = arg;

    crowd->in = 0;
    for (int i = 0; i < 20000; i++)
        crowd->in += admitted(crowd->rates, &six_a_minute, i % 2 == 0 ? ada : bob, 1, SECOND);
    return NULL;
}

static void
test_threads_share_the_count(void **state)
{
    struct pgs_rates *rates = pgs_rates_open(64);
    struct crowd crowds[4];
    pthread_t threads[4];
    int in = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        crowds[i].rates = rates;
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &crowds[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        in += crowds[i].in;
    }
    assert_int_equal(in, 12);
    pgs_rates_close(rates);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_at_once_then_one_by_one),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_rates_hold_over_time),
        cmocka_unit_test(test_each_limit_counts_alone),
        cmocka_unit_test(test_a_full_table_forgets_the_least),
        cmocka_unit_test(test_threads_share_the_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What threads count, and what it adds up to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/metric.h"

enum {
    THREADS = 4,
    TIMES = 10000,
};

static void *
count(void *unused)
{
    pgs_metrics_open();
    for (int i = 0; i < TIMES; i++) {
        pgs_count(PGS_CELL_ACCEPTED, 2);
        pgs_gauge_add(PGS_CELL_REQUESTS_ACTIVE, i % 2 == 0 ? 1 : -1);
        pgs_observe(PGS_CELL_DATABASE, PGS_LANE_SLOW, 3);
    }
    return unused;
}

static void
test_threads_add_up(void **state)
{
    int cell = PGS_CELL_DATABASE + PGS_LANE_SLOW * PGS_CELLS_HISTOGRAM;
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pgs_cell_sum(PGS_CELL_ACCEPTED), 2 * THREADS * TIMES);
    assert_int_equal(pgs_cell_sum(PGS_CELL_REQUESTS_ACTIVE), 0);
    assert_int_equal(pgs_cell_sum(cell), 3 * THREADS * TIMES);
    assert_int_equal(pgs_cell_sum(cell + 1), THREADS * TIMES);
}

static void
test_unseen(void **state)
{
    uint64_t before = pgs_cell_sum(PGS_CELL_PREPARED);

    (void)state;
    pgs_count(PGS_CELL_PREPARED, 1); /* by a thread that has opened none */
    assert_int_equal(pgs_cell_sum(PGS_CELL_PREPARED), before);
}

/* A bound belongs to its bucket, as `le` says. */
static void
test_buckets(void **state)
{
    (void)state;
    for (int i = 0; i < PGS_BUCKETS; i++) {
        pgs_cell histogram[PGS_CELLS_HISTOGRAM] = {0};
        int64_t least = i == 0 ? -1 : pgs_bounds_us[i - 1] + 1;
        int64_t most = i < PGS_BUCKETS - 1 ? pgs_bounds_us[i] : INT64_C(1) << 40;

        pgs_histogram_add(histogram, least);
        pgs_histogram_add(histogram, most);
        assert_int_equal(pgs_cell_get(&histogram[1 + i]), 2);
        assert_int_equal(pgs_cell_get(&histogram[0]), (least > 0 ? least : 0) + most);
    }
}

static uint64_t
errors_of(const char *class)
{
    const struct pgs_metric *metric = pgs_metrics;
    size_t i = 0;

    while (metric->cell != PGS_CELL_ERRORS)
        metric++;
    while (strstr(metric->labels[i], class) == NULL)
        i++;
    return pgs_cell_sum(metric->cell + (int)i);
}

static void *
count_errors(void *unused)
{
    pgs_metrics_open();
    pgs_count_error("23505");
    pgs_count_error("PT402");
    pgs_count_error("ZZ123");
    pgs_count_error("");
    return unused;
}

static void
test_error_classes(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, count_errors, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(errors_of("\"23\""), 1);
    assert_int_equal(errors_of("\"PT\""), 1);
    assert_int_equal(errors_of("\"other\""), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_add_up),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_error_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

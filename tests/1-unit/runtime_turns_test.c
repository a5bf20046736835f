/* SPDX-License-Identifier: MIT */
/* Whose turn it is to be asked for: sessions one after the other, and nobody for more than his
 * share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limit.h"
#include "live/thread.h"

#define MANY 40

static int64_t now_us = 1000000;
static h2o_loop_t *loop;
static struct pgs_pool *pool;
static struct pgs_live_thread thread;
static struct pgs__session a, b;
static struct pgs__subscription of_a[MANY], of_b[MANY];

static int64_t
clock_us(void)
{
    return now_us;
}

static void
begin_session(struct pgs__session *session, struct pgs__subscription *subscriptions)
{
    *session = (struct pgs__session){.thread = &thread};
    pgs__places_init(&session->places);
    for (size_t i = 0; i < MANY; i++)
        subscriptions[i] = (struct pgs__subscription){.session = session};
}

static int
begin(void **state)
{
    static const struct pgs_clock clock = {clock_us, NULL};
    const struct pgs_pool_config config = {
        .conninfo = "host=/nowhere", .session_sql = "select 1", .n_session = 1, .connections = 1};

    (void)state;
    pgs_clock_replace(&clock);
    loop = loop != NULL ? loop : h2o_evloop_create();
    pool = pgs_pool_open(loop, &config);
    thread = (struct pgs_live_thread){.loop = loop, .config = {.pool = pool}};
    pgs__turns_init(&thread.turns);
    h2o_timeout_init(loop, &thread.tick_timeout, 2);
    begin_session(&a, of_a);
    begin_session(&b, of_b);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    if (h2o_timeout_is_linked(&thread.tick))
        h2o_timeout_unlink(&thread.tick);
    h2o_timeout_dispose(loop, &thread.tick_timeout);
    pgs_pool_close(pool);
    pgs_pool_free(pool);
    return 0;
}

static void
all_due(struct pgs__subscription *subscriptions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pgs__turn_now(&subscriptions[i]);
}

static struct pgs__asking *
ask(struct pgs__subscription *subscription)
{
    const struct pgs_text role = {"anon", 4};
    struct pgs_txn *txn = pgs_txn_new(pool, &role);
    struct pgs__asking *asking;

    assert_non_null(subscription);
    assert_non_null(txn);
    asking = pgs__asking_begin(subscription, txn);
    assert_non_null(asking);
    return asking;
}

static void
answer(struct pgs__asking *asking)
{
    pgs_txn_discard(asking->txn);
    (void)pgs__asking_end(asking);
}

static void
answer_all(struct pgs__asking **askings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        answer(askings[i]);
}

static void
test_sessions_take_turns(void **state)
{
    (void)state;
    all_due(of_a, 5);
    all_due(of_b, 2);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[0]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_b[0]);
    pgs__turn_drop(&of_a[1]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[2]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_b[1]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[3]);
    pgs__turn_drop(&of_a[4]);
    assert_null(pgs__turns_next(&thread));
}

static void
test_a_session_has_its_share(void **state)
{
    struct pgs__asking *askings[PGS_LIVE_MAX_SESSION_ASKED];
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_ASKED);

    (void)state;
    all_due(of_a, MANY);
    for (size_t i = 0; i < PGS_LIVE_MAX_SESSION_ASKED; i++)
        askings[i] = ask(pgs__turns_next(&thread));
    assert_null(pgs__turns_next(&thread));
    pgs__turn_now(&of_a[0]);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_ASKED), hits + 1);
    pgs__turn_now(&of_b[0]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_b[0]);
    answer(askings[0]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[PGS_LIVE_MAX_SESSION_ASKED]);
    answer_all(askings + 1, PGS_LIVE_MAX_SESSION_ASKED - 1);
    for (size_t i = 0; i < MANY; i++)
        pgs__turn_drop(&of_a[i]);
}

/* Whoever comes and goes has the thread busy no longer than the others would. */
static void
test_what_nobody_waits_for_counts(void **state)
{
    struct pgs__asking *askings[PGS_LIVE_MAX_ASKED];

    (void)state;
    for (size_t i = 0; i < PGS_LIVE_MAX_ASKED; i++) {
        struct pgs__session session;
        struct pgs__subscription one[MANY];

        begin_session(&session, one);
        pgs__turn_now(&one[0]);
        askings[i] = ask(pgs__turns_next(&thread));
        pgs__asking_forsake(&one[0]);
        assert_null(one[0].asking);
        pgs__places_leave(&session.places);
    }
    pgs__turn_now(&of_a[0]);
    assert_null(pgs__turns_next(&thread));
    answer(askings[0]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[0]);
    answer_all(askings + 1, PGS_LIVE_MAX_ASKED - 1);
    assert_int_equal(thread.turns.lines[PGS__LINE_QUICK].n_asked, 0);
}

static void
test_what_is_slow_waits_for_itself(void **state)
{
    struct pgs__asking *slow;

    (void)state;
    of_a[0].line = of_b[0].line = PGS__LINE_SLOW;
    all_due(of_a, 1);
    all_due(of_b, 2);
    assert_ptr_equal(pgs__turns_next(&thread), &of_b[1]);
    slow = ask(pgs__turns_next(&thread));
    assert_ptr_equal(slow->subscription, &of_a[0]);
    assert_null(pgs__turns_next(&thread));
    answer(slow);
    assert_null(of_a[0].asking);
    assert_ptr_equal(pgs__turns_next(&thread), &of_b[0]);
}

static void
test_not_before_its_time(void **state)
{
    (void)state;
    pgs__turn_later(&of_a[0], 100);
    pgs__turn_later(&of_a[1], 200);
    pgs__turns_tick(&thread);
    assert_null(pgs__turns_next(&thread));
    now_us += 100000;
    pgs__turns_tick(&thread);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[0]);
    assert_null(pgs__turns_next(&thread));
    pgs__turn_now(&of_a[1]);
    assert_ptr_equal(pgs__turns_next(&thread), &of_a[1]);
    assert_true(h2o_linklist_is_empty(&thread.turns.waiting));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_sessions_take_turns),          CASE(test_a_session_has_its_share),
        CASE(test_what_nobody_waits_for_counts), CASE(test_what_is_slow_waits_for_itself),
        CASE(test_not_before_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

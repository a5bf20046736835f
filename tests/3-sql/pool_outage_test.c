/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL goes and comes back.  Whoever runs this stops and starts it: a line `> stop` or
 * `> start` asks for that, and waits for a line in return.
 */
#include "pool_fixture.h"

#include <stdio.h>

#include "db/pool_private.h"

/* The pool's clock stands still meanwhile: how long PostgreSQL takes is not the question. */
static void
ask_runner(const char *what)
{
    bool was_held = hold_clock(true);
    char line[16];

    printf("> %s\n", what);
    (void)fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        fail_msg("nobody answers to \"> %s\"", what);
    (void)hold_clock(was_held);
}

static void
start_postgres(void)
{
    ask_runner("start");
    reconnect_admin();
}

static struct pgs_pool_config
patient(void)
{
    struct pgs_pool_config config = one_connection();

    config.connections = 2;
    config.wait_timeout_ms = 60000;
    return config;
}

/* The machine has failed: in flight is lost, and nobody waits for what has been away for long. */
static void
test_crash_and_recovery(void **state)
{
    struct answer *in_flight, *waiting, *late;

    (void)state;
    open_pool(patient());
    close_gate();
    in_flight = start(&ada, AT_GATE, NULL);
    wait_for_waiters(1);
    ask_runner("crash");
    wait_for(in_flight);
    assert_string_equal(in_flight->how, "lost");
    run_loop(100);
    assert_false(pgs_pool_is_connected(pool));
    waiting = start(&ada, "select 1", NULL);
    run_loop(20);
    assert_string_equal(waiting->how, "waiting"); /* it may be back in a moment */
    put_clock_forward(1100);
    late = start(&ada, "select 1", NULL);
    wait_for(waiting);
    wait_for(late);
    assert_string_equal(waiting->how, "unavailable");
    assert_string_equal(late->how, "unavailable");
    start_postgres();
    wait_for_connections();
    assert_string_equal(ask(&ada, "select count(*) from pool_test.item")->value, "10");
}

/* PostgreSQL's last words tell what was not begun: it waits for PostgreSQL to come back. */
static void
test_not_begun_when_it_crashed(void **state)
{
    struct answer *a[4];

    (void)state;
    open_pool(one_connection());
    close_gate();
    for (int i = 0; i < 4; i++)
        a[i] = start(&ada,
                     "insert into pool_test.entry select 'once'"
                     " from pg_advisory_xact_lock_shared(1)",
                     NULL);
    wait_for_waiters(1);
    ask_runner("crash");
    wait_for(a[0]);
    assert_string_equal(a[0]->how, "lost");
    assert_int_equal(count_answers("waiting"), 3);
    start_postgres();
    wait_for_all();
    assert_int_equal(count_answers("ok"), 3);
    assert_int_equal(admin_count("select count(*) from pool_test.entry"), 3);
}

static void
test_orderly_stop(void **state)
{
    (void)state;
    open_pool(patient());
    (void)ask(&ada, "select 1");
    ask_runner("stop");
    run_loop(100);
    assert_false(pgs_pool_is_connected(pool));
    start_postgres();
    wait_for_connections();
    assert_string_equal(ask(&ada, "select count(*) from pool_test.item")->value, "10");
}

/* The pool's clock goes on only while nothing is under way: what the machine takes does not count.
 */
static void
test_back_within_two_seconds(void **state)
{
    const struct pgs__conn *conn;
    int64_t until_ms = real_ms() + PATIENCE_MS;
    int waited_ms = 0;

    (void)state;
    open_pool(one_connection());
    conn = &pool->conns[0];
    ask_runner("stop");
    (void)hold_clock(true);
    for (; conn->failures < 12 && real_ms() < until_ms; run_loop(20))
        put_clock_forward(conn->state == PGS__CONN_DOWN ? 1000 : 0);
    assert_int_equal(conn->failures, 12);
    start_postgres();
    until_ms = real_ms() + PATIENCE_MS;
    for (; !pgs_pool_is_connected(pool) && real_ms() < until_ms; run_loop(60))
        if (conn->state == PGS__CONN_DOWN) {
            put_clock_forward(100);
            waited_ms += 100;
        }
    assert_true(pgs_pool_is_connected(pool));
    assert_in_range(waited_ms, 0, 2000);
}

static void
test_opened_before_postgres(void **state)
{
    struct pgs_pool_config config = patient();
    struct answer *a;

    (void)state;
    ask_runner("stop");
    begin_to_open_pool(&config);
    a = start(&ada, "select count(*) from pool_test.item", NULL);
    run_loop(100);
    assert_string_equal(a->how, "waiting");
    start_postgres();
    wait_for(a);
    assert_string_equal(a->value, "10");
}

static void
test_closed_while_away(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(patient());
    ask_runner("stop");
    run_loop(100);
    a = start(&ada, "select 1", NULL);
    close_pool();
    assert_string_equal(a->how, "unavailable");
    start_postgres();
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_crash_and_recovery),     a_case(test_not_begun_when_it_crashed),
        a_case(test_orderly_stop),           a_case(test_back_within_two_seconds),
        a_case(test_opened_before_postgres), a_case(test_closed_while_away),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

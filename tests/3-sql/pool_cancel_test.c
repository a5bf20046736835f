/* SPDX-License-Identifier: MIT */
/*
 * Work whose client has gone: dropped before it is sent, cancelled when it runs for long, and never
 * another's in its place.
 */
#include "pool_fixture.h"

#include <stdio.h>
#include <string.h>

#define NAPPING                                                                                    \
    "pg_stat_activity where datname = current_database()"                                          \
    " and state = 'active' and query like 'select pg_sleep%'"
#define RUNNING_NAPS "select count(*) from " NAPPING
#define NAP "select pg_sleep(60)"

static struct pgs_pool_config
two_lanes(void)
{
    struct pgs_pool_config config = one_connection();

    config.slow_connections = 1;
    config.statement_timeout_ms = 60000;
    return config;
}

static struct answer *
start_nap(void)
{
    struct answer *a = start_slow(&ada, NAP);

    wait_for_count(RUNNING_NAPS, 1);
    return a;
}

static void
test_slow_and_forsaken(void **state)
{
    (void)state;
    open_pool(two_lanes());
    detach(start_nap());
    wait_for_count(RUNNING_NAPS, 0);
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* The connections of live queries have settings of their own. */
static void
test_forsaken_of_one_snapshot(void **state)
{
    struct pgs_pool_config config = two_lanes();

    (void)state;
    config.one_snapshot = true;
    open_pool(config);
    detach(start_nap());
    wait_for_count(RUNNING_NAPS, 0);
}

/* Before and after each cancelled one stands an innocent one, on the same connection. */
static void
test_neighbours_of_the_forsaken(void **state)
{
    struct answer *a, *before, *after;

    (void)state;
    open_pool(two_lanes());
    for (int i = 0; i < 12; i++) {
        before = start_slow(&ada, "insert into pool_test.entry values ('before')");
        a = start_slow(&ada, NAP);
        wait_for(before);
        wait_for_count(RUNNING_NAPS, 1);
        after = start_slow(&ada, "insert into pool_test.entry values ('after')");
        run_loop(chance(60));
        detach(a);
        put_clock_forward(200);
        wait_for(after);
        assert_string_equal(before->how, "ok");
        assert_string_equal(after->how, "ok");
    }
    assert_int_equal(admin_count("select count(*) from pool_test.entry"), 24);
}

/* The end of the forsaken one and the cancel request cross on their way. */
static void
test_cancelled_as_it_ends(void **state)
{
    struct answer *a, *after;

    (void)state;
    open_pool(two_lanes());
    for (int i = 0; i < 30; i++) {
        a = start_slow(&ada, "select pg_sleep(0.1)");
        run_loop(20);
        detach(a);
        after = start_slow(&ada, "select pg_sleep(0.02)");
        wait_for(after);
        assert_string_equal(after->how, "ok");
    }
}

static void
test_quick_lane_when_alone(void **state)
{
    struct pgs_pool_config config = two_lanes();
    struct answer *a;

    (void)state;
    config.connections = 2;
    open_pool(config);
    a = start(&ada, NAP, NULL);
    wait_for_count(RUNNING_NAPS, 1);
    detach(a);
    wait_for_count(RUNNING_NAPS, 0);
}

/* It could be the neighbour that the signal hits. */
static void
test_quick_lane_with_neighbours(void **state)
{
    struct answer *a, *neighbour;

    (void)state;
    open_pool(two_lanes());
    close_gate();
    a = start(&ada, AT_GATE, NULL);
    wait_for_waiters(1);
    neighbour = start(&ada, "select 1", NULL);
    run_loop(20);
    detach(a);
    put_clock_forward(1000);
    run_loop(300);
    assert_int_equal(admin_count("select count(*) from pg_stat_activity"
                                 " where datname = current_database()"
                                 " and wait_event = 'advisory'"),
                     1);
    open_gate();
    wait_for(neighbour);
    assert_string_equal(neighbour->how, "ok");
}

/* There is nothing to cancel it over: it ends by itself. */
static void
test_only_connection(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a;

    (void)state;
    config.statement_timeout_ms = 1000;
    open_pool(config);
    a = start(&ada, NAP, NULL);
    wait_for_count(RUNNING_NAPS, 1);
    detach(a);
    wait_for_count(RUNNING_NAPS, 0);
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* Who only closed its side gets an answer. */
static void
test_cancelled_with_an_answer(void **state)
{
    struct answer *running, *queued;

    (void)state;
    open_pool(two_lanes());
    running = start_slow(&ada, NAP);
    queued = start_slow(&ada, "insert into pool_test.entry values ('queued')");
    wait_for_count(RUNNING_NAPS, 1);
    pgs_txn_cancel(queued->txn);
    pgs_txn_cancel(running->txn);
    wait_for_all();
    assert_string_equal(queued->how, "unwanted");
    assert_string_equal(running->how, "unwanted");
    assert_int_equal(admin_count("select count(*) from pool_test.entry"), 0);
}

/* A table that is locked holds up already what is prepared. */
static void
test_forsaken_before_its_time(void **state)
{
    const char waiting[] = "select count(*) from pg_locks where not granted"
                           " and relation = 'pool_test.item'::regclass";
    struct answer *a;

    (void)state;
    open_pool(two_lanes());
    admin("begin; lock table pool_test.item in access exclusive mode");
    a = start_slow(&ada, "select count(*) from pool_test.item a, pool_test.item b");
    wait_for_count(waiting, 1);
    detach(a);
    wait_for_count(waiting, 0);
    admin("rollback");
    wait_for_connections();
    a = start_slow(&ada, "select count(*) from pool_test.item a, pool_test.item b");
    wait_for(a);
    assert_string_equal(a->how, "ok");
}

/* It does not keep the pool from closing. */
static void
test_forsaken_at_the_end(void **state)
{
    (void)state;
    open_pool(two_lanes());
    detach(start_nap());
    close_pool();
    wait_for_count(RUNNING_NAPS, 0);
}

static void
cancel_a_nap(void)
{
    detach(start_nap());
    put_clock_forward(200);
}

/* Of this database: who logs in to another one waits for the same lock. */
#define WAITING_FOR_ROLES                                                                          \
    "pg_locks join pg_stat_activity using (pid) where not granted"                                 \
    " and relation = 'pg_authid'::regclass and datname = current_database()"

/* The signal may have gone out or not, at any later time: the connection must not be used again. */
static void
test_lost_cancel_request(void **state)
{
    struct answer *before, *after, *forsaken;

    (void)state;
    open_pool(two_lanes());
    cancel_a_nap(); /* its statement is prepared from here on */
    before = start_slow(&ada, "select pg_backend_pid()");
    wait_for(before);
    admin("begin; lock table pg_catalog.pg_authid in access exclusive mode");
    forsaken = start_slow(&ada, NAP);
    run_loop(50);
    detach(forsaken);
    put_clock_forward(200);
    wait_for_count("select count(*) from " WAITING_FOR_ROLES, 1);
    admin("select pg_terminate_backend(pid, 5000) from " WAITING_FOR_ROLES);
    admin("rollback");
    after = start_slow(&ada, "select pg_backend_pid()");
    wait_for(after);
    admin("select pg_terminate_backend(pid, 5000) from " NAPPING); /* it was given up, not ended */
    assert_string_equal(after->how, "ok");
    assert_string_not_equal(after->value, before->value);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_slow_and_forsaken),          a_case(test_neighbours_of_the_forsaken),
        a_case(test_cancelled_as_it_ends),       a_case(test_quick_lane_when_alone),
        a_case(test_quick_lane_with_neighbours), a_case(test_only_connection),
        a_case(test_cancelled_with_an_answer),   a_case(test_lost_cancel_request),
        a_case(test_forsaken_of_one_snapshot),   a_case(test_forsaken_before_its_time),
        a_case(test_forsaken_at_the_end),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

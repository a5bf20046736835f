/* SPDX-License-Identifier: MIT */
/*
 * Limits and losses: lanes, full queues, silence, connections that end, and the end of the pool.
 *
 * "The gate" is a lock that the superuser holds: a transaction that waits there is in flight for
 * as long as the case wants.
 */
#include "pool_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENTER_AT_GATE                                                                              \
    "insert into pool_test.entry select pg_backend_pid()::text"                                    \
    " from pg_advisory_xact_lock_shared(1) returning word"
#define COUNT_ENTRIES "select count(*) from pool_test.entry"

/* ---- lanes and queues ---- */

static void
test_slow_ones_hold_up_no_quick_one(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *third;

    (void)state;
    config.slow_connections = 2;
    open_pool(config);
    close_gate();
    (void)start_slow(&ada, AT_GATE);
    (void)start_slow(&ada, AT_GATE);
    third = start_slow(&ada, ENTER_AT_GATE);
    wait_for_waiters(2);
    for (int i = 0; i < 10; i++)
        assert_string_equal(ask(&ada, "select 1")->how, "ok");
    /* One at a time on each: the third was not even sent. */
    assert_int_equal(count_answers("waiting"), 3);
    detach(third);
    open_gate();
    wait_for_all();
    assert_int_equal(count_answers("ok"), 12);
    assert_int_equal(admin_count(COUNT_ENTRIES), 0);
}

static void
test_slow_without_a_lane(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    a = start_slow(&ada, "select 1");
    wait_for(a);
    assert_string_equal(a->how, "ok");
}

static void
test_full_queue(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a[15];

    (void)state;
    config.max_waiting = 10;
    open_pool(config);
    for (int i = 0; i < 15; i++)
        a[i] = start(&ada, "select 1", NULL);
    wait_for_all();
    for (int i = 0; i < 15; i++)
        assert_string_equal(a[i]->how, i < 10 ? "ok" : "busy");
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

static void
test_long_wait_in_the_queue(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *first, *second, *third;

    (void)state;
    config.max_in_flight = 1;
    config.wait_timeout_ms = 4000;
    open_pool(config);
    close_gate();
    first = start(&ada, AT_GATE, NULL);
    wait_for_waiters(1);
    second = start(&ada, "insert into pool_test.entry values ('late')", NULL);
    put_clock_forward(2000);
    third = start(&ada, "select 1", NULL);
    run_loop(100);
    assert_string_equal(second->how, "waiting");
    put_clock_forward(2500);
    wait_for(second);
    assert_string_equal(second->how, "busy");
    assert_string_equal(third->how, "waiting");
    open_gate();
    wait_for_all();
    assert_string_equal(first->how, "ok");
    assert_string_equal(third->how, "ok");
    assert_int_equal(admin_count(COUNT_ENTRIES), 0);
}

/* ---- lost connections ---- */

/* Two connections, which share the work: what one was at is lost, and nothing else. */
static void
test_killed_beside_another(void **state)
{
    struct pgs_pool_config config = one_connection();

    (void)state;
    config.connections = 2;
    open_pool(config);
    close_gate();
    for (int i = 0; i < 8; i++)
        (void)start(&ada, ENTER_AT_GATE, NULL);
    wait_for_waiters(2);
    kill_a_waiter();
    open_gate();
    wait_for_all();
    assert_int_equal(count_answers("lost"), 1);
    assert_int_equal(count_answers("ok"), 7);
    assert_int_equal(admin_count(COUNT_ENTRIES), 7);
    wait_for_connections();
}

/* What was not begun goes to the next connection, in its order: PostgreSQL's goodbye tells. */
static void
test_killed_with_a_queue(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a[10];

    (void)state;
    config.max_in_flight = 4;
    open_pool(config);
    close_gate();
    for (int i = 0; i < 10; i++)
        a[i] = start(&ada, ENTER_AT_GATE, NULL);
    wait_for_waiters(1);
    kill_a_waiter();
    open_gate();
    wait_for_all();
    for (int i = 0; i < 10; i++)
        assert_string_equal(a[i]->how, i < 1 ? "lost" : "ok");
    for (int i = 2; i < 10; i++)
        assert_true(a[i]->turn > a[i - 1]->turn);
    assert_int_equal(admin_count(COUNT_ENTRIES), 9);
}

static void
test_killed_at_rest(void **state)
{
    (void)state;
    open_pool(one_connection());
    (void)ask(&ada, "select 1");
    admin("select pg_terminate_backend(pid, 5000) from pg_stat_activity"
          " where datname = current_database() and application_name = 'pgstack'");
    wait_for_count(count_connections, 1); /* a new one */
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

static void
test_detached_from_a_killed_one(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    close_gate();
    a = start(&ada, AT_GATE, NULL);
    wait_for_waiters(1);
    detach(a);
    kill_a_waiter();
    open_gate();
    wait_for_count(count_connections, 1); /* a new one */
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* Longer than any statement may take, and five seconds more. */
static void
test_silence(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection()); /* statements may take 5 s */
    (void)ask(&ada, AT_GATE);    /* prepared: nothing more will come before the answer */
    close_gate();
    a = start(&ada, AT_GATE, NULL);
    wait_for_waiters(1);
    put_clock_forward(8000);
    run_loop(100);
    assert_string_equal(a->how, "waiting");
    put_clock_forward(2500);
    wait_for(a);
    assert_string_equal(a->how, "lost");
    open_gate();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* ---- connecting ---- */

/* Lets connect, and says nothing; the caller closes it. */
static int
listen_in_silence(char *conninfo, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(conninfo, size, "host=127.0.0.1 port=%d user=nobody dbname=nothing",
                   ntohs(address.sin_port));
    return fd;
}

/* The caller closes it, too. */
static int
wait_for_connection(int listener)
{
    int64_t end = real_ms() + PATIENCE_MS;
    int fd;

    while ((fd = accept(listener, NULL, NULL)) < 0) {
        if (real_ms() > end)
            fail_msg("nobody connects");
        run_loop(0);
    }
    return fd;
}

static void
test_server_that_says_nothing(void **state)
{
    struct pgs_pool_config config = one_connection();
    char conninfo[128];
    int listener = listen_in_silence(conninfo, sizeof(conninfo));
    int first, second;
    struct answer *a;

    (void)state;
    config.conninfo = conninfo;
    begin_to_open_pool(&config);
    a = start(&ada, "select 1", NULL);
    first = wait_for_connection(listener);
    run_loop(100);
    assert_string_equal(a->how, "waiting");
    assert_false(pgs_pool_is_connected(pool));
    put_clock_forward(5100);
    second = wait_for_connection(listener);
    wait_for(a);
    assert_string_equal(a->how, "unavailable");
    a = start(&ada, "select 1", NULL);
    run_loop(20); /* nobody waits for what has been away for long */
    assert_string_equal(a->how, "unavailable");
    close_pool();
    (void)close(second);
    (void)close(first);
    (void)close(listener);
}

/* libpq changes its socket on the way; whoever watched the old one would turn without end. */
static void
test_second_address(void **state)
{
    struct pgs_pool_config config = one_connection();
    char conninfo[512];
    clock_t worked;

    (void)state;
    write_address_behind(conninfo, sizeof(conninfo), 1);
    config.conninfo = conninfo;
    open_pool(config);
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
    worked = clock();
    run_loop(200);
    assert_in_range(clock() - worked, 0, CLOCKS_PER_SEC / 20);
}

/* libpq would stay with the first for ever. */
static void
test_silent_first_of_two(void **state)
{
    struct pgs_pool_config config = one_connection();
    char silent[128], conninfo[512];
    int listener = listen_in_silence(silent, sizeof(silent)), first;

    (void)state;
    write_address_behind(conninfo, sizeof(conninfo), atoi(strstr(silent, "port=") + 5));
    config.conninfo = conninfo;
    config.connections = 3;
    begin_to_open_pool(&config);
    first = wait_for_connection(listener);
    run_loop(50);
    put_clock_forward(1600);
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
    (void)close(first);
    (void)close(listener);
}

/* ---- closing ---- */

static void
test_close_with_work(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a[5];

    (void)state;
    config.max_in_flight = 2;
    open_pool(config);
    close_gate();
    for (int i = 0; i < 4; i++)
        a[i] = start(&ada, ENTER_AT_GATE, NULL);
    wait_for_waiters(1);
    pgs_pool_close(pool);
    a[4] = start(&ada, ENTER_AT_GATE, NULL);
    wait_for(a[4]);
    for (int i = 0; i < 5; i++)
        assert_string_equal(a[i]->how, i < 2 ? "waiting" : "unavailable");
    assert_false(pgs_pool_is_closed(pool));
    open_gate();
    close_pool();
    assert_string_equal(a[0]->how, "ok");
    assert_string_equal(a[1]->how, "ok");
    assert_int_equal(admin_count(COUNT_ENTRIES), 2);
    wait_for_count(count_connections, 0);
}

static void
test_close_while_connecting(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a;

    (void)state;
    config.connections = 3;
    for (int turns = 0; turns < 4; turns++) {
        begin_to_open_pool(&config);
        a = start(&ada, "select 1", NULL);
        for (int i = 0; i < turns; i++)
            run_loop(0);
        close_pool();
        assert_string_not_equal(a->how, "waiting");
    }
    wait_for_count(count_connections, 0);
}

/* It would be sent a second time, but there is no second time. */
static void
test_close_before_a_retry(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a;

    (void)state;
    config.statement_timeout_ms = 600;
    open_pool(config);
    admin("begin; lock table pool_test.parent in access exclusive mode");
    a = start(&ada, "select * from pool_test.parent", NULL);
    wait_for_count("select count(*) from pg_stat_activity"
                   " where datname = current_database() and wait_event = 'relation'",
                   1);
    pgs_pool_close(pool);
    close_pool();
    assert_string_equal(a->how, "unavailable");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_slow_ones_hold_up_no_quick_one),
        a_case(test_slow_without_a_lane),
        a_case(test_full_queue),
        a_case(test_long_wait_in_the_queue),
        a_case(test_killed_beside_another),
        a_case(test_killed_with_a_queue),
        a_case(test_killed_at_rest),
        a_case(test_detached_from_a_killed_one),
        a_case(test_silence),
        a_case(test_server_that_says_nothing),
        a_case(test_second_address),
        a_case(test_silent_first_of_two),
        a_case(test_close_with_work),
        a_case(test_close_while_connecting),
        a_case(test_close_before_a_retry),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

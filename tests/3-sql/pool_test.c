/* SPDX-License-Identifier: MIT */
/*
 * What a transaction of the pool is to its owner: whose rights it has, what comes of it, and what
 * of its neighbours in the pipeline reaches it.
 */
#include "pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_ITEM "select owner, note from pool_test.item where id = $1::int"
#define COUNT_ENTRIES "select count(*) from pool_test.entry"
#define ENTER "insert into pool_test.entry values ($1::text)"

/* ---- rights ---- */

static void
test_each_as_its_caller(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    a = ask_with(&ada, OWN_ITEM, "1");
    assert_string_equal(a->how, "ok");
    assert_int_equal(a->rows, 1);
    assert_int_equal(a->columns, 2);
    assert_string_equal(a->value, "u1");
    a = ask_with(&bob, OWN_ITEM, "1");
    assert_string_equal(a->how, "ok");
    assert_int_equal(a->rows, 0);
    assert_string_equal(ask_with(&guest, OWN_ITEM, "1")->how, "42501");
}

static void
test_nothing_of_the_last_caller(void **state)
{
    (void)state;
    open_pool(one_connection());
    (void)ask_with(&ada, OWN_ITEM, "1");
    assert_string_equal(
        ask(&login, "select current_user = session_user and current_setting('pool_test.uid') = ''")
            ->value,
        "t");
    (void)ask(&ada, "select 1/0");
    assert_string_equal(ask(&login, "select current_user = session_user")->value, "t");
}

static void
test_a_role_that_is_not(void **state)
{
    static const struct caller stranger = {"pool_stranger", "u1"};
    static const struct caller postgres = {"postgres", "u1"};

    (void)state;
    open_pool(one_connection());
    assert_string_equal(ask(&stranger, "select 1")->how, "22023");
    assert_string_equal(ask(&postgres, "select 1")->how, "42501");
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* ---- what comes of a transaction ---- */

static void
test_all_of_it_or_nothing(void **state)
{
    struct pgs_txn *txn = NULL;

    (void)state;
    open_pool(one_connection());
    txn = new_txn(&ada);
    add_statement(txn, ENTER);
    pgs_txn_bind_text(txn, "one", 3);
    add_statement(txn, "select 1/0");
    wait_for(send_txn(txn, false));
    assert_int_equal(count_answers("22012"), 1);
    assert_int_equal(admin_count(COUNT_ENTRIES), 0);
}

/* `done` that reads more than one statement. */
struct three {
    int n_done;
    int rows[3];
    int64_t affected;
    bool is_null;
};

static void
on_three(struct pgs_txn *txn, void *owner)
{
    struct three *three = owner;
    size_t len;

    three->n_done++;
    if (pgs_txn_state(txn) != PGS_TXN_OK)
        return;
    for (int i = 0; i < 3; i++)
        three->rows[i] = pgs_txn_row_count(txn, i);
    three->affected = pgs_txn_affected(txn, 0);
    three->is_null = pgs_txn_value(txn, 1, 0, 0, &len) == NULL;
}

static void
test_each_statement_has_its_result(void **state)
{
    static struct three three;
    struct pgs_txn *txn;

    (void)state;
    open_pool(one_connection());
    txn = new_txn(&ada);
    add_statement(txn, "update pool_test.item set note = 'x' where id < 100");
    add_statement(txn, "select $1::text");
    pgs_txn_bind_null(txn);
    add_statement(txn, "select g, $1::int from generate_series(1, $2::int) g");
    pgs_txn_bind_text(txn, "1", 1);
    pgs_txn_bind_text(txn, "7", 1);
    three = (struct three){0};
    pgs_txn_send(txn, false, on_three, &three);
    while (three.n_done == 0)
        run_loop(0);
    assert_int_equal(three.affected, 4); /* items 1, 33, 65, 97 */
    assert_int_equal(three.rows[0], 0);
    assert_int_equal(three.rows[1], 1);
    assert_true(three.is_null);
    assert_int_equal(three.rows[2], 7);
}

/* Commands have all succeeded when it fails; only the commit has not. */
static void
test_deferred_constraint(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    a = ask(&ada, "insert into pool_test.child values (99) returning parent");
    assert_string_equal(a->how, "23503");
    assert_int_equal(admin_count("select count(*) from pool_test.child"), 0);
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

static void
test_what_is_never_sent(void **state)
{
    struct pgs_txn *txn;
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    txn = new_txn(&ada);
    add_statement(txn, ENTER);
    pgs_txn_bind_text(txn, "a\0b", 3);
    a = send_txn(txn, false);
    wait_for(a);
    assert_string_equal(a->how, "22021");

    txn = new_txn(&(struct caller){"pool_member", "u1"});
    for (int i = 0; i < 9; i++)
        add_statement(txn, "insert into pool_test.entry values ('nine')");
    a = send_txn(txn, false);
    wait_for(a);
    assert_string_equal(a->how, "54000");

    pgs_txn_discard(new_txn(&ada));
    assert_int_equal(admin_count(COUNT_ENTRIES), 0);
}

/* More than the buffers of sockets and of both sides hold, both ways. */
static void
test_large_both_ways(void **state)
{
    const size_t size = 24000000;
    char *large = malloc(size + 1);
    struct answer *a[3];

    (void)state;
    assert_non_null(large);
    memset(large, 'x', size);
    large[size] = '\0';
    open_pool(one_connection());
    for (int i = 0; i < 3; i++)
        a[i] = start(&ada, "select length($1::text), repeat('y', 10000000)", large);
    free(large);
    for (int i = 0; i < 3; i++) {
        wait_for(a[i]);
        assert_string_equal(a[i]->value, "24000000");
    }
}

static void
test_statement_timeout(void **state)
{
    struct pgs_pool_config config = one_connection();

    (void)state;
    config.statement_timeout_ms = 300;
    open_pool(config);
    assert_string_equal(ask(&ada, "select pg_sleep(9)")->how, "57014");
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

/* As ada, within so many milliseconds. */
static struct answer *
ask_within(uint32_t within_ms, const char *sql)
{
    struct pgs_text session[] = {{ada.role, strlen(ada.role)}, {ada.uid, strlen(ada.uid)}};
    struct pgs_txn *txn = pgs_txn_new_within(pool, session, within_ms);

    add_statement(txn, sql);
    return send_txn(txn, false);
}

/* All leave in one send: each has its own time, and leaves none to the next. */
static void
test_within(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a[6];

    (void)state;
    config.statement_timeout_ms = 1500;
    open_pool(config);
    a[0] = ask_within(200, "select pg_sleep(60)");
    a[1] = ask_within(0, "select pg_sleep(0.5), current_setting('statement_timeout')");
    a[2] = ask_within(300, "select current_setting('statement_timeout')");
    a[3] = ask_within(300, "select pg_sleep(0.5)");
    a[4] = ask_within(999999, "select current_setting('statement_timeout')");
    a[5] = ask_within(999999, "select pg_sleep(60)");
    for (size_t i = 0; i < 6; i++)
        wait_for(a[i]);
    assert_string_equal(a[0]->how, "57014");
    assert_string_equal(a[1]->how, "ok");
    assert_string_equal(a[2]->value, "300ms");
    assert_string_equal(a[3]->how, "57014");
    assert_string_equal(a[4]->value, "1500ms");
    assert_string_equal(a[5]->how, "57014");
}

/* ---- neighbours in the pipeline ---- */

/* All leave in one send: refused at Parse, failing at Execute, failing at Sync, and good ones that
 * share their text. */
static void
test_errors_stay_at_home(void **state)
{
    static const struct {
        const char *sql;
        const char *how;
    } kinds[] = {
        {"select nothing from pool_test.item", "42703"},
        {"select note from pool_test.item where id = 1", "ok"},
        {"select 1/(id - id) from pool_test.item", "22012"},
        {"insert into pool_test.child values (99)", "23503"},
        {"select", "ok"},
        {"select note from pool_test.item where id = 1; select 1", "42601"},
    };
    struct answer *a[60];

    (void)state;
    open_pool(one_connection());
    for (int i = 0; i < 60; i++)
        a[i] = start(&ada, kinds[i % 6].sql, NULL);
    wait_for_all();
    for (int i = 0; i < 60; i++) {
        assert_string_equal(a[i]->how, kinds[i % 6].how);
        assert_int_equal(a[i]->turn, i + 1);
    }
    assert_int_equal(admin_count(count_connections), 1);
}

/* The text that fails is asked for again: it fails again, and only it. */
static void
test_a_refused_text_again(void **state)
{
    (void)state;
    open_pool(one_connection());
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask(&ada, "select * from pool_test.later")->how, "42P01");
        assert_string_equal(ask(&ada, "select * from pool_test.item where id = 1")->how, "ok");
    }
    admin("create table pool_test.later (id int); grant select on pool_test.later to pool_member");
    assert_string_equal(ask(&ada, "select * from pool_test.later")->how, "ok");
}

static void
test_session_settings_that_fail(void **state)
{
    struct pgs_pool_config config = one_connection();

    (void)state;
    config.session_sql = "select set_config('role', $1, true), $2::text, nothing";
    open_pool(config);
    assert_string_equal(ask(&ada, ENTER)->how, "42703");
    assert_string_equal(ask(&ada, "select 1")->how, "42703");
}

/* ---- requesters that go ---- */

static void
test_detach_before_it_is_sent(void **state)
{
    (void)state;
    open_pool(one_connection());
    detach(start(&ada, ENTER, "never"));
    (void)ask_with(&ada, ENTER, "always");
    assert_int_equal(admin_count(COUNT_ENTRIES), 1);
    assert_int_equal(admin_count(COUNT_ENTRIES " where word = 'always'"), 1);
}

/* What PostgreSQL has, it does. */
static void
test_detach_in_flight(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    close_gate();
    a = start(&ada, "with g as (" AT_GATE ") insert into pool_test.entry select 'done' from g",
              NULL);
    wait_for_waiters(1);
    detach(a);
    open_gate();
    assert_string_equal(ask(&ada, COUNT_ENTRIES)->value, "1");
}

static void
test_detach_what_was_refused(void **state)
{
    struct pgs_txn *txn;

    (void)state;
    open_pool(one_connection());
    txn = new_txn(&ada);
    add_statement(txn, ENTER);
    pgs_txn_bind_text(txn, "\0", 1);
    detach(send_txn(txn, false));
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_each_as_its_caller),
        a_case(test_nothing_of_the_last_caller),
        a_case(test_a_role_that_is_not),
        a_case(test_all_of_it_or_nothing),
        a_case(test_each_statement_has_its_result),
        a_case(test_deferred_constraint),
        a_case(test_what_is_never_sent),
        a_case(test_large_both_ways),
        a_case(test_statement_timeout),
        a_case(test_within),
        a_case(test_errors_stay_at_home),
        a_case(test_a_refused_text_again),
        a_case(test_session_settings_that_fail),
        a_case(test_detach_before_it_is_sent),
        a_case(test_detach_in_flight),
        a_case(test_detach_what_was_refused),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

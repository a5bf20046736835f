/* SPDX-License-Identifier: MIT */
/*
 * Prepared statements: how many a connection keeps, and what happens when PostgreSQL has lost one,
 * or the plan of one.
 */
#include "pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define PREPARED "select count(*) from pg_prepared_statements"
#define MAX_STATEMENTS 16
#define TEXTS 40

static void
test_roles_share_none(void **state)
{
    (void)state;
    open_pool(one_connection());
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask(&ada, "select 'shared?'")->how, "ok");
        assert_string_equal(ask(&bob, "select 'shared?'")->how, "ok");
        assert_string_equal(ask(&guest, "select 'shared?'")->how, "ok");
    }
    /* ada and bob are of one role */
    assert_string_equal(ask(&login, PREPARED " where statement = 'select ''shared?'''")->value,
                        "2");
}

/* Statements come and go while others that were sent before still wait for their turn. */
static void
test_the_least_recently_used_goes(void **state)
{
    struct pgs_pool_config config = one_connection();
    struct answer *a[200];
    int wanted[200];
    char sql[32];
    char value[8];

    (void)state;
    config.max_statements = MAX_STATEMENTS;
    open_pool(config);
    for (int i = 0; i < 200; i++) {
        wanted[i] = chance(TEXTS);
        (void)snprintf(sql, sizeof(sql), "select %d", wanted[i]);
        a[i] = start(&ada, sql, NULL);
    }
    for (int i = 0; i < 200; i++) {
        wait_for(a[i]);
        (void)snprintf(value, sizeof(value), "%d", wanted[i]);
        assert_string_equal(a[i]->value, value);
    }
    assert_string_equal(ask(&login, "select count(*) <= 16 from pg_prepared_statements")->value,
                        "t");
}

static void
test_the_most_used_stays(void **state)
{
    static const char name_of_hot[] =
        "select name from pg_prepared_statements where statement = 'select ''hot'''";
    struct pgs_pool_config config = one_connection();
    const struct answer *before;
    char sql[32];

    (void)state;
    config.max_statements = MAX_STATEMENTS;
    open_pool(config);
    (void)ask(&ada, "select 'hot'");
    before = ask(&login, name_of_hot);
    for (int i = 0; i < TEXTS; i++) {
        (void)snprintf(sql, sizeof(sql), "select %d", i);
        (void)start(&ada, sql, NULL);
        (void)start(&ada, "select 'hot'", NULL);
    }
    wait_for_all();
    assert_string_equal(before->value, ask(&login, name_of_hot)->value);
    assert_string_equal(ask(&login, PREPARED " where statement = 'select 0'")->value, "0");
}

/* Two statements, so that both may have been lost. */
static struct answer *
start_two(void)
{
    struct pgs_txn *txn = new_txn(&ada);

    add_statement(txn, "select * from pool_test.shape");
    add_statement(txn, "select * from pool_test.shape where id > 0");
    return send_txn(txn, false);
}

static void
make_shape(void)
{
    admin("drop table if exists pool_test.shape;"
          "create table pool_test.shape (id int); insert into pool_test.shape values (1);"
          "grant select on pool_test.shape to pool_member");
}

static void
test_deallocated_behind_our_back(void **state)
{
    struct answer *a[20];

    (void)state;
    make_shape();
    open_pool(one_connection());
    wait_for(start_two());
    for (int i = 0; i < 20; i++)
        a[i] = i == 10 ? start(&login, "deallocate all", NULL) : start_two();
    for (int i = 0; i < 20; i++) {
        wait_for(a[i]);
        assert_string_equal(a[i]->how, "ok");
    }
}

/* Whoever deallocates what he needs is told so, and not tried for ever. */
static void
test_deallocated_by_itself(void **state)
{
    struct pgs_txn *txn;
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    txn = new_txn(&ada);
    add_statement(txn, "deallocate all");
    add_statement(txn, "insert into pool_test.entry values ('itself')");
    a = send_txn(txn, false);
    wait_for(a);
    assert_string_equal(a->how, "26000");
    assert_int_equal(admin_count("select count(*) from pool_test.entry"), 0);
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

static void
test_changed_result_type(void **state)
{
    struct answer *a[8];

    (void)state;
    make_shape();
    open_pool(one_connection());
    wait_for(start_two());
    admin("alter table pool_test.shape add column name text");
    for (int i = 0; i < 8; i++)
        a[i] = start_two();
    for (int i = 0; i < 8; i++) {
        wait_for(a[i]);
        assert_string_equal(a[i]->how, "ok");
        assert_int_equal(a[i]->columns, 2);
    }
    /* Neither what was lost nor what took its place has piled up. */
    assert_string_equal(ask(&login, PREPARED " where statement like '%shape'")->value, "1");
}

/* An application's own error is no lost statement, whatever code it has. */
static void
test_own_error_with_that_code(void **state)
{
    struct answer *before;

    (void)state;
    admin("create sequence if not exists pool_test.calls;"
          "create or replace function pool_test.refuse() returns int language plpgsql as $$ begin"
          "  perform nextval('pool_test.calls');"
          "  raise exception 'not today' using errcode = '26000'; end $$;"
          "grant all on sequence pool_test.calls to pool_member");
    open_pool(one_connection());
    before = ask(&login, PREPARED);
    for (int i = 0; i < 5; i++)
        assert_string_equal(ask(&ada, "select pool_test.refuse()")->message, "not today");
    assert_int_equal(admin_count("select last_value from pool_test.calls"), 5);
    /* the question, and the statement that was refused */
    assert_int_equal(atoi(ask(&login, PREPARED)->value), atoi(before->value) + 1);
}

/* A Parse that failed for a reason of the moment is not held against the text. */
static void
test_timeout_of_a_prepare(void **state)
{
    struct pgs_pool_config config = one_connection();

    (void)state;
    config.statement_timeout_ms = 300;
    open_pool(config);
    admin("begin; lock table pool_test.parent in access exclusive mode");
    assert_string_equal(ask(&ada, "select * from pool_test.parent")->how, "57014");
    admin("rollback");
    assert_string_equal(ask(&ada, "select * from pool_test.parent")->how, "ok");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_roles_share_none),         a_case(test_the_least_recently_used_goes),
        a_case(test_the_most_used_stays),      a_case(test_deallocated_behind_our_back),
        a_case(test_deallocated_by_itself),    a_case(test_changed_result_type),
        a_case(test_own_error_with_that_code), a_case(test_timeout_of_a_prepare),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

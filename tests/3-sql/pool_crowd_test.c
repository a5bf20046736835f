/* SPDX-License-Identifier: MIT */
/*
 * Many users over few connections, each asking for the next thing as soon as the last was answered:
 * nobody may ever see another's rows or another's answer, also while connections are killed.
 */
#include "pool_fixture.h"

#include <stdio.h>
#include <string.h>

#define USERS 32
#define TRANSACTIONS 60 /* of each user */
#define MAX_IN_FLIGHT 8
#define KILLS 8
#define TEXTS 24 /* more than a connection may keep prepared */

/* Each returns the caller's name and the ticket that it was sent with. */
static const struct kind {
    const char *sql;
    const char *how;
    int weight;
    bool as_guest;
    bool writes;
} kinds[] = {
    {"select owner, $1::text from pool_test.item order by id limit 3", "", 8, false, false},
    {"insert into pool_test.entry values ($1::text)"
     " returning current_setting('pool_test.uid'), word",
     "", 3, false, true},
    {"select owner, $1::text from pool_test.item where 1/(id - id) = 1", "22012", 1, false, false},
    {"select nothing, $1::text from pool_test.item", "42703", 1, false, false},
    {"insert into pool_test.child values (99)"
     " returning current_setting('pool_test.uid'), $1::text",
     "23503", 1, false, false},
    {"select owner, $1::text from pool_test.item", "42501", 1, true, false},
};

struct user {
    char name[8];
    char ticket[32]; /* of the transaction under way */
    const struct kind *kind;
    int n_sent;
};

static struct user users[USERS];

static struct {
    int answered;
    int unavailable;
    int wrong;
    int written;
    int may_be_written; /* the answer was lost */
    char first_wrong[160];
} seen;

static const struct kind *
choose_kind(void)
{
    int n = 0;
    const struct kind *kind = kinds;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        n += kinds[i].weight;
    for (n = chance(n); n >= kind->weight; kind++)
        n -= kind->weight;
    return kind;
}

static void
note_wrong(const struct user *user, const char *what, const char *is)
{
    if (seen.wrong++ == 0)
        (void)snprintf(seen.first_wrong, sizeof(seen.first_wrong), "%s, ticket %s: %s %s",
                       user->name, user->ticket, what, is);
}

/* A column of a row is the text expected. */
static void
check_column(const struct user *user, struct pgs_txn *txn, int row, int column,
             const char *expected, const char *what)
{
    char is[64] = "";
    size_t len;
    const char *value = pgs_txn_value(txn, 0, row, column, &len);

    if (value != NULL)
        (void)snprintf(is, sizeof(is), "%.*s", (int)len, value);
    if (strcmp(is, expected) != 0)
        note_wrong(user, what, is);
}

static void
check_rows(const struct user *user, struct pgs_txn *txn)
{
    if (pgs_txn_row_count(txn, 0) == 0)
        note_wrong(user, "no rows", "");
    for (int i = 0; i < pgs_txn_row_count(txn, 0); i++) {
        check_column(user, txn, i, 0, user->name, "a row of");
        check_column(user, txn, i, 1, user->ticket, "the answer to");
    }
}

static void
check_answer(const struct user *user, struct pgs_txn *txn)
{
    const char *sqlstate = pgs_txn_error(txn).sqlstate;

    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        seen.written += user->kind->writes;
        if (*user->kind->how != '\0')
            note_wrong(user, "succeeded in spite of", user->kind->how);
        check_rows(user, txn);
        break;
    case PGS_TXN_FAILED:
        if (strcmp(sqlstate, user->kind->how) != 0)
            note_wrong(user, sqlstate, pgs_txn_error(txn).message);
        break;
    case PGS_TXN_UNAVAILABLE:
        seen.unavailable++;
        break;
    case PGS_TXN_LOST:
        seen.unavailable++;
        seen.may_be_written += user->kind->writes;
        break;
    case PGS_TXN_READ_ONLY:
    case PGS_TXN_BUSY:
    case PGS_TXN_UNWANTED:
        note_wrong(user, "neither done nor lost", "");
        break;
    }
}

static void send_next(struct user *user);

static void
on_answer(struct pgs_txn *txn, void *owner)
{
    struct user *user = owner;

    seen.answered++;
    check_answer(user, txn);
    if (user->n_sent < TRANSACTIONS)
        send_next(user);
}

static void
send_next(struct user *user)
{
    struct pgs_txn *txn;
    char sql[200];

    user->kind = choose_kind();
    (void)snprintf(user->ticket, sizeof(user->ticket), "%s-%d", user->name, user->n_sent++);
    (void)snprintf(sql, sizeof(sql), "%s /* %d */", user->kind->sql, chance(TEXTS));
    txn =
        new_txn(&(struct caller){user->kind->as_guest ? "pool_guest" : "pool_member", user->name});
    add_statement(txn, sql);
    pgs_txn_bind_text(txn, user->ticket, strlen(user->ticket));
    pgs_txn_send(txn, chance(8) == 0, on_answer, user);
}

static void
open_crowded_pool(void)
{
    struct pgs_pool_config config = one_connection();

    config.connections = 2;
    config.slow_connections = 1;
    config.max_in_flight = MAX_IN_FLIGHT;
    config.max_statements = 16;
    config.wait_timeout_ms = 60000;
    open_pool(config);
}

/* Returns 1, or 0: just now there is none. */
static int
kill_any(void)
{
    char sql[300];

    (void)snprintf(sql, sizeof(sql),
                   "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity"
                   " where datname = current_database() and application_name = 'pgstack'"
                   " order by md5(pid || '-%d') limit 1) one",
                   chance(1000));
    return admin_count(sql);
}

/* Returns how many connections were killed. */
static int
let_them_ask(int kills)
{
    int64_t end_ms = real_ms() + PATIENCE_MS;
    int killed = 0;

    memset(&seen, 0, sizeof(seen));
    for (int i = 0; i < USERS; i++) {
        users[i] = (struct user){.n_sent = 0};
        (void)snprintf(users[i].name, sizeof(users[i].name), "u%d", i);
        send_next(&users[i]);
    }
    while (seen.answered < USERS * TRANSACTIONS) {
        run_loop(0);
        if (seen.answered > USERS * TRANSACTIONS * (killed + 1) / (kills + 2) && killed < kills)
            killed += kill_any();
        if (real_ms() > end_ms)
            fail_msg("%d transactions are not answered", USERS * TRANSACTIONS - seen.answered);
    }
    return killed;
}

static void
check_what_was_seen(void)
{
    int written = admin_count("select count(*) from pool_test.entry");

    assert_string_equal(seen.first_wrong, "");
    assert_int_equal(seen.wrong, 0);
    assert_int_equal(seen.answered, USERS * TRANSACTIONS);
    assert_in_range(written, seen.written, seen.written + seen.may_be_written);
    assert_int_equal(admin_count("select count(distinct word) from pool_test.entry"), written);
    assert_int_equal(admin_count("select count(*) from pool_test.child"), 0);
}

static void
test_crowd(void **state)
{
    (void)state;
    open_crowded_pool();
    (void)let_them_ask(0);
    check_what_was_seen();
    assert_int_equal(seen.unavailable, 0);
}

static void
test_crowd_with_kills(void **state)
{
    (void)state;
    open_crowded_pool();
    assert_int_equal(let_them_ask(KILLS), KILLS);
    check_what_was_seen();
    assert_in_range(seen.unavailable, 0, KILLS * MAX_IN_FLIGHT);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_crowd),
        a_case(test_crowd_with_kills),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

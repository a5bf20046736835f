/* SPDX-License-Identifier: MIT */
/*
 * The pool's own protocol against libpq: the same statements under the same login give the same
 * rows, counts and errors.
 */
#include "pool_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* What one of them was told, as one text. */
static struct pgs_buf heard;
static bool is_heard;
static PGconn *reference;

static void
note(const char *text)
{
    pgs_buf_add_str(&heard, text);
    pgs_buf_add_char(&heard, '\n');
}

static void
note_value(const char *value, size_t len)
{
    if (value == NULL) {
        note("null");
        return;
    }
    pgs_buf_add_char(&heard, '=');
    pgs_buf_add(&heard, value, len);
    pgs_buf_add_char(&heard, '\n');
}

static void
note_count(const char *what, int64_t n)
{
    pgs_buf_add_str(&heard, what);
    pgs_buf_add_int(&heard, n);
    pgs_buf_add_char(&heard, '\n');
}

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct pgs_db_error error = pgs_txn_error(txn);
    int rows = pgs_txn_row_count(txn, 0), columns = pgs_txn_column_count(txn, 0);

    (void)owner;
    is_heard = true;
    if (pgs_txn_state(txn) == PGS_TXN_FAILED) {
        note(error.sqlstate);
        note(error.message);
        note(error.detail);
        note(error.hint);
        return;
    }
    note(pgs_txn_state(txn) == PGS_TXN_OK ? "ok" : "no answer");
    note_count("rows ", rows);
    note_count("affected ", pgs_txn_affected(txn, 0));
    for (int row = 0; row < rows; row++) {
        note_count("columns ", columns);
        for (int i = 0; i < columns; i++) {
            size_t len;
            const char *value = pgs_txn_value(txn, 0, row, i, &len);

            note_value(value, len);
        }
    }
}

static const char *
field(const PGresult *result, int which)
{
    const char *text = PQresultErrorField(result, which);

    return text != NULL ? text : "";
}

static void
note_rows(PGresult *result)
{
    note("ok");
    note_count("rows ", PQntuples(result));
    note_count("affected ", strtoll(PQcmdTuples(result), NULL, 10));
    for (int row = 0; row < PQntuples(result); row++) {
        note_count("columns ", PQnfields(result));
        for (int i = 0; i < PQnfields(result); i++)
            note_value(PQgetisnull(result, row, i) == 1 ? NULL : PQgetvalue(result, row, i),
                       (size_t)PQgetlength(result, row, i));
    }
}

/* Ends the transaction, so that what is deferred to its end fails as it does in the pool. */
static PGresult *
commit_or_roll_back(PGresult *result)
{
    PGresult *end;

    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_EMPTY_QUERY) {
        PQclear(PQexec(reference, "rollback"));
        return result;
    }
    end = PQexec(reference, "commit");
    if (PQresultStatus(end) == PGRES_COMMAND_OK) {
        PQclear(end);
        return result;
    }
    PQclear(result);
    return end;
}

static void
ask_libpq(const char *sql, const char *const *values, int n)
{
    PGresult *result;

    PQclear(PQexec(reference, "begin; select set_config('role', 'pool_member', true)"));
    result = commit_or_roll_back(PQexecParams(reference, sql, n, NULL, values, NULL, NULL, 0));
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        note(field(result, PG_DIAG_SQLSTATE));
        note(field(result, PG_DIAG_MESSAGE_PRIMARY));
        note(field(result, PG_DIAG_MESSAGE_DETAIL));
        note(field(result, PG_DIAG_MESSAGE_HINT));
    } else {
        note_rows(result);
    }
    PQclear(result);
}

static void
ask_pool(const char *sql, const char *const *values, int n)
{
    struct pgs_txn *txn = new_txn(&(struct caller){"pool_member", ""});
    int64_t end = real_ms() + PATIENCE_MS;

    add_statement(txn, sql);
    for (int i = 0; i < n; i++) {
        if (values[i] != NULL)
            pgs_txn_bind_text(txn, values[i], strlen(values[i]));
        else
            pgs_txn_bind_null(txn);
    }
    is_heard = false;
    pgs_txn_send(txn, false, on_done, NULL);
    while (!is_heard) {
        if (real_ms() > end)
            fail_msg("no answer in %d ms: %s", PATIENCE_MS, sql);
        run_loop(0);
    }
}

/* Both begin with the same rows. */
static const char some_entries[] = "begin; delete from pool_test.entry; insert into "
                                   "pool_test.entry values ('a'), ('b'), ('c'); commit";

static void
compare(const char *sql, const char *const *values, int n)
{
    struct pgs_buf of_libpq;

    heard.len = 0;
    admin(some_entries);
    ask_libpq(sql, values, n);
    of_libpq = heard;
    pgs_buf_init(&heard, 0);
    admin(some_entries);
    ask_pool(sql, values, n);
    if (heard.len != of_libpq.len || memcmp(heard.at, of_libpq.at, heard.len) != 0)
        fail_msg("%s\nlibpq was told:\n%.*s\nthe pool:\n%.*s", sql,
                 (int)(of_libpq.len < 2000 ? of_libpq.len : 2000), of_libpq.at,
                 (int)(heard.len < 2000 ? heard.len : 2000), heard.at);
    pgs_buf_clear(&of_libpq);
}

static void
ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* The pool's session speaks so; libpq's is to speak likewise. */
static void
open_reference(void)
{
    static const char settings[] =
        "set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set intervalstyle = 'postgres';"
        " set extra_float_digits = 1; set search_path = pg_catalog, pg_temp;"
        " set statement_timeout = 5000";

    reference = PQconnectdb(getenv("PGS_TEST_CONNINFO"));
    assert_int_equal(PQstatus(reference), CONNECTION_OK);
    PQclear(PQexec(reference, settings));
    (void)PQsetNoticeProcessor(reference, ignore_notice, NULL);
}

static void
close_reference(void)
{
    PQfinish(reference);
    pgs_buf_clear(&heard);
}

static const char *const statements[] = {
    "",
    "select",
    "select from generate_series(1, 3)",
    "select 1 where false",
    "select null, '', 'x', E'tab\\tand \\\\ and \"'",
    "select i, repeat('é', i % 40), nullif(i % 3, 0) from generate_series(1, 3000) i",
    "select repeat('x', 3000000), 7",
    "select array[1,null,3], '{\"a\": [1]}'::jsonb, 1.50, 'infinity'::timestamptz, '1 "
    "day'::interval,"
    " '\\x00ff'::bytea, true, row(1, 'a'), int4range(1, 5), 1e100::float8",
    "select pg_catalog.string_agg(chr(i), '') from generate_series(1, 20000) i where i not between "
    "55296 and 57343",
    "insert into pool_test.entry values ('a'), ('b')",
    "insert into pool_test.entry values ('c') returning word, length(word)",
    "update pool_test.entry set word = word || '!' where word <> 'b'",
    "delete from pool_test.entry where word = 'nobody'",
    "delete from pool_test.entry",
    "select 1/0",
    "select 'x'::integer",
    "select * from pool_test.nothing",
    "selec",
    "insert into pool_test.parent values (1), (1)",
    "insert into pool_test.child values (5)",
    "do $$ begin raise notice 'a notice'; raise warning 'another'; end $$",
    "do $$ begin raise exception 'x %', 1 using detail = 'd', hint = 'h', errcode = 'P0042'; end "
    "$$",
    "select pg_sleep(0.001), 1",
    "create temporary table t_x (i integer)",
    "set statement_timeout = 4000",
};
#define N_STATEMENTS (sizeof(statements) / sizeof(statements[0]))

static void
test_same_answers(void **state)
{
    (void)state;
    open_pool(one_connection());
    open_reference();
    for (int round = 0; round < 2; round++) /* not prepared yet, and prepared */
        for (size_t i = 0; i < N_STATEMENTS; i++)
            compare(statements[i], NULL, 0);
    close_reference();
}

static void
test_same_parameters(void **state)
{
    static char large[2000001];
    const char *const lists[][3] = {
        {"", NULL, "x"},      {"'", "\\", "\""},
        {"1", "2", "3"},      {"é\xf0\x9f\x98\x80", "\t\n", "{}"},
        {large, NULL, large}, {NULL, NULL, NULL},
    };

    (void)state;
    memset(large, 'y', sizeof(large) - 1);
    open_pool(one_connection());
    open_reference();
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        compare("select $1::text, $2::text, $3::text", lists[i], 3);
        compare("select $1::integer, length($2), coalesce($3, 'none')", lists[i], 3);
    }
    close_reference();
}

static void
test_same_random_rows(void **state)
{
    char sql[512];

    (void)state;
    open_pool(one_connection());
    open_reference();
    for (int i = 0; i < 300; i++) {
        int rows = chance(200), most = 1 + chance(i % 20 == 0 ? 30000 : 300);

        (void)snprintf(
            sql, sizeof(sql),
            "select i, case when i %% %d > 0 then repeat(chr(32 + (i * 7) %% 94),"
            " (i * 7919) %% %d) end, null, i::numeric / %d from generate_series(1, %d) i",
            1 + chance(5), most, 1 + chance(9), rows);
        compare(sql, NULL, 0);
    }
    close_reference();
}

/* A COPY ends the connection, and no more than that. */
static void
test_copy_is_refused(void **state)
{
    struct answer *a;

    (void)state;
    open_pool(one_connection());
    a = ask(&ada, "copy (select 1) to stdout");
    assert_string_not_equal(a->how, "ok");
    wait_for_connections();
    assert_string_equal(ask(&ada, "select 1")->how, "ok");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        a_case(test_same_answers),
        a_case(test_same_parameters),
        a_case(test_same_random_rows),
        a_case(test_copy_is_refused),
    };

    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime_backend.h"

static const char *const two[] = {"select a, b from t", "select 1 where false"};

#define PARSED "1\0\0\0\4"
#define BOUND "2\0\0\0\4"
#define READY "Z\0\0\0\5I"
#define SELECTED_1 "C\0\0\0\15SELECT 1\0"
#define SELECTED_0 "C\0\0\0\15SELECT 0\0"
#define SELECTED_2 "C\0\0\0\15SELECT 2\0"
#define ROLE "D\0\0\0\16\0\1\0\0\0\4anon"
#define ROW_XY "D\0\0\0\20\0\2\0\0\0\1x\0\0\0\1y"
#define ROW_NULL "D\0\0\0\16\0\2\xff\xff\xff\xff\0\0\0\0"
#define NOTICE "N\0\0\0\24SNOTICE\0Mhello\0\0"
#define PARAMETER "S\0\0\0\25TimeZone\0Etc/UTC\0"
#define NOTIFIED "A\0\0\0\15\0\0\0\1ch\0p\0"
#define ERROR_ "E\0\0\0\55SERROR\0VERROR\0C22P02\0Mbad\0Ddetail\0Hhint\0\0"
#define FATAL "E\0\0\0\37SFATAL\0VFATAL\0C57P01\0Mend\0\0"

/* What PostgreSQL says to two prepares of the first transaction, and one of its second. */
#define PREPARED PARSED READY PARSED READY PARSED READY

static const char answers[] = PREPARED BOUND ROLE SELECTED_1 BOUND ROW_XY NOTICE ROW_NULL SELECTED_2
    BOUND SELECTED_0 READY PARAMETER BOUND ROLE SELECTED_1 NOTICE BOUND ERROR_ READY NOTIFIED BOUND
        ROLE SELECTED_1 BOUND ROW_NULL SELECTED_1 BOUND SELECTED_0 READY;
static const char all_heard[] =
    "ok (x,y) (null,) 2 0; failed 22P02 baddetailhint; ok (null,) 1 0; ";

static void
ask_thrice(struct backend *backend)
{
    backend_open(backend);
    for (int i = 0; i < 3; i++)
        backend_ask(backend, two, 2);
}

static void
assert_heard(const struct backend *backend, const char *expected)
{
    assert_int_equal(backend->heard.len, strlen(expected));
    assert_memory_equal(backend->heard.at, expected, strlen(expected));
}

static void
test_at_once(void **state)
{
    struct backend backend;

    (void)state;
    ask_thrice(&backend);
    assert_true(backend_say(&backend, answers, sizeof(answers) - 1));
    assert_heard(&backend, all_heard);
    assert_int_equal(backend.conn.n_in_flight, 0);
    assert_null(backend.conn.jobs);
    assert_int_equal(backend.conn.stream.in_done, backend.conn.stream.in_len);
    backend_close(&backend);
}

static void
test_split_at_every_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(answers); at++) {
        struct backend backend;

        ask_thrice(&backend);
        assert_true(backend_say(&backend, answers, at));
        assert_true(backend_say(&backend, answers + at, sizeof(answers) - 1 - at));
        assert_heard(&backend, all_heard);
        backend_close(&backend);
    }
}

static void
test_byte_by_byte(void **state)
{
    struct backend backend;

    (void)state;
    ask_thrice(&backend);
    for (size_t i = 0; i < sizeof(answers) - 1; i++)
        assert_true(backend_say(&backend, answers + i, 1));
    assert_heard(&backend, all_heard);
    backend_close(&backend);
}

/* Cut anywhere, the rest of them is lost, and nobody is told half an answer. */
static void
test_ends_anywhere(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(answers) - 1; at++) {
        struct backend backend;
        size_t heard;

        ask_thrice(&backend);
        assert_true(backend_say(&backend, answers, at));
        heard = backend.heard.len;
        assert_memory_equal(backend.heard.at != NULL ? backend.heard.at : "", all_heard, heard);
        pgs__conn_close(&backend.conn);
        assert_memory_equal(backend.heard.at + heard, "lost; ", 6);
        backend_close(&backend);
    }
}

/* Its rows are let go as they come, and those behind it have their answers. */
static void
test_too_large(void **state)
{
    static const char before[] = PREPARED BOUND ROLE SELECTED_1 BOUND,
                      rest[] = SELECTED_2 BOUND SELECTED_0 READY BOUND ROLE SELECTED_1 BOUND ERROR_
                          READY BOUND ROLE SELECTED_1 BOUND ROW_NULL SELECTED_1 BOUND SELECTED_0
                              READY;
    struct backend backend;

    (void)state;
    ask_thrice(&backend);
    backend.pool->config.max_answer_bytes = 100;
    assert_true(backend_say(&backend, before, sizeof(before) - 1));
    for (int i = 0; i < 1000; i++) {
        assert_true(backend_say(&backend, ROW_XY, sizeof(ROW_XY) - 1));
        assert_true(backend.conn.stream.in_len - backend.conn.stream.in_done <= 100);
    }
    assert_true(backend_say(&backend, rest, sizeof(rest) - 1));
    assert_heard(&backend, "failed 54000 the answer has too many bytes; "
                           "failed 22P02 baddetailhint; ok (null,) 1 0; ");
    backend_close(&backend);
}

/* What PostgreSQL said goodbye to was not begun: it is queued again, and not lost. */
static void
test_goodbye(void **state)
{
    struct backend backend;

    (void)state;
    ask_thrice(&backend);
    assert_true(backend_say(&backend, PREPARED FATAL, sizeof(PREPARED FATAL) - 1));
    assert_true(backend.conn.said_goodbye);
    assert_string_equal(backend.conn.last_words, "FATAL:  57P01: end");
    pgs__conn_close(&backend.conn);
    assert_int_equal(backend.heard.len, 0);
    assert_int_equal(backend.pool->n_queued, 3);
    backend_close(&backend);
}

static void
test_nonsense(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
#define A_CASE(literal) {literal, sizeof(literal) - 1}
        A_CASE("R\0\0\0\10\0\0\0\0"),                      /* an authentication */
        A_CASE("G\0\0\0\7\0\0\0"),                         /* a copy */
        A_CASE("T\0\0\0\6\0\0"),                           /* nobody asked for a description */
        A_CASE("D\0\0\0\5\0"),                             /* half a row */
        A_CASE(PREPARED BOUND ROLE ROW_XY),                /* rows of two kinds in one result */
        A_CASE("E\0\0\0\7SER"),                            /* an error that does not end */
        A_CASE("N\0\0\0\4"),                               /* a notice of nothing */
        A_CASE("S\0\0\0\6ab"),                             /* half a parameter */
        A_CASE("Z\0\0\0\3"),                               /* no length */
        A_CASE(READY READY READY READY READY READY READY), /* more than was asked */
#undef A_CASE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backend backend;

        ask_thrice(&backend);
        if (backend_say(&backend, cases[i].bytes, cases[i].len))
            fail_msg("case %zu was taken", i);
        backend_close(&backend);
    }
}

/* A column or a row that did not come is null, whatever the model says. */
static void
on_asked_beyond(struct pgs_txn *txn, void *owner)
{
    size_t len;

    (void)owner;
    assert_null(pgs_txn_value(txn, 0, 0, 2, &len));
    assert_null(pgs_txn_value(txn, 0, 2, 0, &len));
    assert_null(pgs_txn_value(txn, 1, 0, 0, &len));
    assert_non_null(pgs_txn_value(txn, 0, 1, 1, &len));
    assert_non_null(pgs_txn_value(txn, 0, 0, 1, &len)); /* backwards */
    assert_memory_equal(pgs_txn_value(txn, 0, 0, 0, &len), "x", 1);
    assert_int_equal(pgs_txn_int(txn, 0, 0, 0), 0);
    assert_int_equal(len, 1);
}

static void
test_values_beyond(void **state)
{
    struct backend backend;

    (void)state;
    ask_thrice(&backend);
    backend.conn.jobs->next->next->next->txn->done = on_asked_beyond;
    assert_true(backend_say(&backend, answers, sizeof(answers) - 1));
    backend_close(&backend);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),      cmocka_unit_test(test_split_at_every_byte),
        cmocka_unit_test(test_byte_by_byte), cmocka_unit_test(test_ends_anywhere),
        cmocka_unit_test(test_too_large),    cmocka_unit_test(test_goodbye),
        cmocka_unit_test(test_nonsense),     cmocka_unit_test(test_values_beyond),
    };

    return cmocka_run_group_tests_name("runtime_answer", tests, NULL, NULL);
}

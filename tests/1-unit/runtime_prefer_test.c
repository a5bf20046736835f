/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rest/prefer.h"
#include "codec/sqlstate.h"

static struct pgs_prefer
read_prefer(const char *header)
{
    struct pgs_prefer prefer = {0};

    pgs_prefer_read(header, strlen(header), &prefer);
    return prefer;
}

static void
test_prefer_reads_each_preference(void **state)
{
    struct pgs_prefer p = read_prefer("return=representation, count=exact ,missing=default");

    (void)state;
    assert_int_equal(p.returning, PGS_RETURN_REPRESENTATION);
    assert_true(p.count);
    assert_true(p.missing_default);
    assert_null(p.unknown);
    assert_int_equal(read_prefer("return=minimal").returning, PGS_RETURN_MINIMAL);
    assert_true(read_prefer("return=minimal, LSN").lsn);
    assert_false(read_prefer("lsn=1").lsn);
    assert_int_equal(read_prefer("Return=Headers-Only").returning, PGS_RETURN_HEADERS_ONLY);
    assert_int_equal(read_prefer("resolution=merge-duplicates").resolution, PGS_RESOLUTION_MERGE);
    assert_int_equal(read_prefer("resolution=ignore-duplicates").resolution, PGS_RESOLUTION_IGNORE);
}

static void
test_prefer_keeps_the_first_of_a_kind(void **state)
{
    (void)state;
    assert_int_equal(read_prefer("return=minimal, return=representation").returning,
                     PGS_RETURN_MINIMAL);
}

static void
test_prefer_names_what_it_does_not_know(void **state)
{
    struct pgs_prefer p = read_prefer("handling=strict,, tx=rollback, anything");

    (void)state;
    assert_true(p.strict);
    assert_int_equal(p.unknown_len, strlen("tx=rollback"));
    assert_memory_equal(p.unknown, "tx=rollback", p.unknown_len);
    assert_null(read_prefer("").unknown);
    assert_null(read_prefer(" , ,").unknown);
}

static void
test_range(void **state)
{
    static const struct {
        const char *header;
        bool ok;
        int64_t first, last;
    } cases[] = {
        {"0-24", true, 0, 24},      {"10-", true, 10, -1},
        {"items=2-2", true, 2, 2},  {"5-4", true, 5, 4},
        {"-5", false, 0, 0},        {"", false, 0, 0},
        {"1-2,4-5", false, 0, 0},   {"99999999999999999999-", false, 0, 0},
        {"bytes=0-1", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t first = 0, last = 0;

        assert_int_equal(pgs_range_read(cases[i].header, strlen(cases[i].header), &first, &last),
                         cases[i].ok);
        if (cases[i].ok) {
            assert_int_equal(first, cases[i].first);
            assert_int_equal(last, cases[i].last);
        }
    }
}

static void
test_accept(void **state)
{
    static const struct {
        const char *header;
        enum pgs_accept accept;
    } cases[] = {
        {"", PGS_ACCEPT_JSON},
        {"*/*", PGS_ACCEPT_JSON},
        {"application/json; charset=utf-8", PGS_ACCEPT_JSON},
        {"text/html, application/json;q=0.9", PGS_ACCEPT_JSON},
        {"application/vnd.pgrst.object+json; charset=utf-8", PGS_ACCEPT_OBJECT},
        {"application/vnd.pgrst.object+json;nulls=stripped", PGS_ACCEPT_NONE},
        {"application/vnd.pgrst.array+json;nulls=stripped, application/json", PGS_ACCEPT_JSON},
        {"text/csv", PGS_ACCEPT_NONE},
        {"image/png, text/html", PGS_ACCEPT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(pgs_accept_read(cases[i].header, strlen(cases[i].header)),
                         cases[i].accept);
}

static void
test_sqlstate_status(void **state)
{
    static const struct {
        const char *sqlstate;
        bool anonymous;
        int status;
    } cases[] = {
        {"23505", false, 409}, {"23503", false, 409}, {"23502", false, 400}, {"42501", true, 401},
        {"42501", false, 403}, {"42883", false, 404}, {"42703", false, 400}, {"57014", false, 504},
        {"57P01", false, 503}, {"53300", false, 503}, {"53400", false, 500}, {"P0001", false, 400},
        {"P0002", false, 500}, {"PT402", false, 402}, {"PT999", false, 400}, {"22P02", false, 400},
        {"XX000", false, 500}, {"40001", false, 500}, {"55P03", false, 503}, {"55006", false, 500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(pgs_sqlstate_status(cases[i].sqlstate, cases[i].anonymous),
                         cases[i].status);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefer_reads_each_preference),
        cmocka_unit_test(test_prefer_keeps_the_first_of_a_kind),
        cmocka_unit_test(test_prefer_names_what_it_does_not_know),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_sqlstate_status),
    };

    return cmocka_run_group_tests_name("runtime_prefer", tests, NULL, NULL);
}

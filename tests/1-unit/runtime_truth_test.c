/* SPDX-License-Identifier: MIT */
/* SQL's comparisons over texts, which generated conditions of live queries are made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "pgs/truth.h"

static const struct pgs_text null;

static struct pgs_text
text(const char *at)
{
    return (struct pgs_text){at, strlen(at)};
}

/* As PostgreSQL 15 answers `select a and b, a or b, a = b, not a` for all pairs. */
static void
test_three_values(void **state)
{
    enum pgs_truth t = PGS_TRUE, f = PGS_FALSE, u = PGS_UNKNOWN;
    const struct {
        enum pgs_truth a, b, both, either, same;
    } cases[] = {{t, t, t, t, t}, {t, f, f, t, f}, {t, u, u, t, u},
                 {f, t, f, t, f}, {f, f, f, f, t}, {f, u, f, u, u},
                 {u, t, u, t, u}, {u, f, f, u, u}, {u, u, u, u, u}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pgs_and(cases[i].a, cases[i].b), cases[i].both);
        assert_int_equal(pgs_or(cases[i].a, cases[i].b), cases[i].either);
        assert_int_equal(pgs_both(cases[i].a, cases[i].b), cases[i].same);
        assert_int_equal(pgs_else(cases[i].a, cases[i].b),
                         cases[i].a == u ? cases[i].b : cases[i].a);
        assert_int_equal(pgs_is(cases[i].a, cases[i].b), cases[i].a == cases[i].b ? t : f);
    }
    assert_int_equal(pgs_not(t), f);
    assert_int_equal(pgs_not(f), t);
    assert_int_equal(pgs_not(u), u);
}

static void
test_equality(void **state)
{
    (void)state;
    assert_int_equal(pgs_equal(text("a"), text("a")), PGS_TRUE);
    assert_int_equal(pgs_equal(text("a"), text("ab")), PGS_FALSE);
    assert_int_equal(pgs_equal(text(""), text("")), PGS_TRUE);
    assert_int_equal(pgs_equal(text("a"), null), PGS_UNKNOWN);
    assert_int_equal(pgs_equal(null, null), PGS_UNKNOWN);
    assert_int_equal(pgs_same(null, null), PGS_TRUE);
    assert_int_equal(pgs_same(text(""), null), PGS_FALSE);
    assert_int_equal(pgs_same(text("a"), text("a")), PGS_TRUE);
    assert_int_equal(pgs_is_null(null), PGS_TRUE);
    assert_int_equal(pgs_is_null(text("")), PGS_FALSE);
    assert_int_equal(pgs_boolean(text("t")), PGS_TRUE);
    assert_int_equal(pgs_boolean(text("true")), PGS_TRUE);
    assert_int_equal(pgs_boolean(text("f")), PGS_FALSE);
    assert_int_equal(pgs_boolean(text("false")), PGS_FALSE);
    assert_int_equal(pgs_boolean(null), PGS_UNKNOWN);
}

/* Each list in the order that PostgreSQL gives it. */
static void
check_order(const struct pgs_column *type, const char *const *values)
{
    for (size_t i = 0; values[i] != NULL; i++)
        for (size_t j = 0; values[j] != NULL; j++) {
            struct pgs_text a = text(values[i]), b = text(values[j]);

            assert_int_equal(pgs_less(type, a, b), i < j ? PGS_TRUE : PGS_FALSE);
            assert_int_equal(pgs_less_equal(type, a, b), i <= j ? PGS_TRUE : PGS_FALSE);
        }
    assert_int_equal(pgs_less(type, null, text(values[0])), PGS_UNKNOWN);
    assert_int_equal(pgs_less_equal(type, text(values[0]), null), PGS_UNKNOWN);
}

static void
test_order(void **state)
{
    static const char *const labels[] = {"open", "pending", "a", NULL};
    static const struct pgs_column whole = PGS_COLUMN("n", "n", PGS_INT8, "bigint", true);
    static const struct pgs_column day = PGS_COLUMN("d", "d", PGS_DATE, "date", true);
    static const struct pgs_column local =
        PGS_COLUMN("t", "t", PGS_TIMESTAMP, "timestamp without time zone", true);
    static const struct pgs_column zoned =
        PGS_COLUMN("t", "t", PGS_TIMESTAMPTZ, "timestamp with time zone", true);
    static const struct pgs_column bytes = PGS_COLUMN("c", "c", PGS_TEXT, "text", true);
    static const struct pgs_column yes = PGS_COLUMN("b", "b", PGS_BOOL, "boolean", true);
    static const struct pgs_column state_type = PGS_ENUM_COLUMN("s", "s", "s", labels, true);

    (void)state;
    check_order(&whole, (const char *const[]){"-9223372036854775808", "-10", "-9", "0", "1", "9",
                                              "10", "9223372036854775807", NULL});
    check_order(&day, (const char *const[]){"-infinity", "4713-01-01 BC", "0044-03-15 BC",
                                            "0044-12-31 BC", "0001-01-01", "2024-02-28",
                                            "2024-02-29", "10000-01-01", "infinity", NULL});
    check_order(&local, (const char *const[]){"-infinity", "0044-03-15 00:00:00 BC",
                                              "0044-03-15 00:00:00.5 BC", "2024-01-01 00:00:00",
                                              "2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.1",
                                              "2024-01-01 00:00:00.12", "2024-01-01 00:00:01",
                                              "infinity", NULL});
    check_order(&zoned, (const char *const[]){"2024-01-01 00:00:00+00", "2024-01-01 00:00:00.5+00",
                                              "2024-01-01 00:00:00.55+00", "2024-01-01 00:00:01+00",
                                              "12024-01-01 00:00:00+00", NULL});
    check_order(&bytes, (const char *const[]){"", "A", "B", "a", "aa", "\xc3\xa4", NULL});
    check_order(&yes, (const char *const[]){"f", "t", NULL});
    check_order(&state_type, labels);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_values),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

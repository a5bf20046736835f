/* SPDX-License-Identifier: MIT */
/* SQL as it is broken for reviewers, and quoted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "emit/emit.h"

#define LONG "a_name_that_makes_the_line_longer_than_it_may_be_without_a_break_in_it"

static void
expect(const char *head, const char *text, const char *tail, const char *broken)
{
    struct out *out = out_scratch();

    emit_statement(out, head, text, tail);
    assert_string_equal(out_text(out), broken);
}

static void
what_fits_stays(void **state)
{
    (void)state;
    expect("  ", "select a from b where c and d", ";\n", "  select a from b where c and d;\n");
}

static void
clauses_come_before_conditions(void **state)
{
    (void)state;
    expect("  ", "select " LONG " from t where a = 1 and b = 2 order by a", ";",
           "  select " LONG "\n"
           "    from t\n"
           "    where a = 1 and b = 2\n"
           "    order by a;");
}

static void
conditions_come_before_what_is_in_brackets(void **state)
{
    (void)state;
    expect("  using (", "x and exists (select 1 from t where " LONG " and " LONG ")", ")",
           "  using (x\n"
           "    and exists (select 1\n"
           "      from t\n"
           "      where " LONG "\n"
           "        and " LONG "))");
}

static void
what_binds_loosest_breaks_first(void **state)
{
    (void)state;
    expect("  ", "a and b or " LONG " and " LONG " and c or d", ";",
           "  a and b\n"
           "    or " LONG "\n"
           "      and " LONG "\n"
           "      and c\n"
           "    or d;");
}

static void
only_words_of_the_statement_count(void **state)
{
    (void)state;
    expect("  ", "' and " LONG "' = \" or " LONG "\"", ";",
           "  ' and " LONG "' = \" or " LONG "\";");
    expect("  ", "E'\\' and " LONG " and ' <> " LONG, ";",
           "  E'\\' and " LONG " and ' <> " LONG ";");
    expect("  ", "a is distinct from " LONG " or b not between 1 and 2 or sand and band", ";",
           "  a is distinct from " LONG "\n"
           "    or b not between 1 and 2\n"
           "    or sand and band;");
    expect("  ", "case when a and b between 1 and 2 then c end = legend and " LONG, ";",
           "  case when a and b between 1 and 2 then c end = legend\n"
           "    and " LONG ";");
}

static void
raw_sql_stays_as_it_is(void **state)
{
    (void)state;
    expect("  ", "a\n-- " LONG " and " LONG "\n and b", ";",
           "  a\n-- " LONG " and " LONG "\n and b;");
}

static void
a_quote_is_not_in_its_text(void **state)
{
    static const char *const cases[][2] = {
        {"", "$$$$"},
        {"a", "$$a$$"},
        {"a$$b", "$q1$a$$b$q1$"},
        {"a$", "$q1$a$$q1$"},
        {"$q1$ $$", "$q2$$q1$ $$$q2$"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct out *out = out_scratch();

        emit_dollar_quoted(out, cases[i][0]);
        assert_string_equal(out_text(out), cases[i][1]);
    }
}

static void
a_long_list_takes_lines(void **state)
{
    struct words words = {0};

    (void)state;
    words_add(&words, LONG);
    words_add(&words, "b");
    words_add(&words, LONG);
    words_add(&words, "c");
    assert_string_equal(emit_list(&words), LONG ", b,\n    " LONG ", c");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays),
        cmocka_unit_test(clauses_come_before_conditions),
        cmocka_unit_test(conditions_come_before_what_is_in_brackets),
        cmocka_unit_test(what_binds_loosest_breaks_first),
        cmocka_unit_test(only_words_of_the_statement_count),
        cmocka_unit_test(raw_sql_stays_as_it_is),
        cmocka_unit_test(a_quote_is_not_in_its_text),
        cmocka_unit_test(a_long_list_takes_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Names in SQL and C, and the ones that PostgreSQL would choose. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/names.h"

static void
names_are_quoted_only_when_they_must_be(void **state)
{
    (void)state;
    assert_string_equal(name_sql("ticket"), "ticket");
    assert_string_equal(name_sql("_a1"), "_a1");
    assert_string_equal(name_sql("user"), "\"user\"");
    assert_string_equal(name_sql("values"), "\"values\"");
    assert_string_equal(name_sql("name"), "name");
    assert_string_equal(name_sql("Ticket"), "\"Ticket\"");
    assert_string_equal(name_sql("a b"), "\"a b\"");
    assert_string_equal(name_sql("1a"), "\"1a\"");
    assert_string_equal(name_sql("say \"x\""), "\"say \"\"x\"\"\"");
}

static void
literals_double_quotes_and_backslashes(void **state)
{
    (void)state;
    assert_string_equal(name_literal("it's"), "'it''s'");
    assert_string_equal(name_literal(""), "''");
    assert_string_equal(name_literal("a\\'b"), "E'a\\\\''b'");
}

static void
names_become_c(void **state)
{
    (void)state;
    assert_string_equal(name_c("ticket"), "ticket");
    assert_string_equal(name_c("int"), "int_");
    assert_string_equal(name_c("_Bool"), "_Bool_");
    assert_string_equal(name_c("while"), "while_");
    assert_string_equal(name_c("a-b c"), "a_b_c");
    assert_string_equal(name_c("2fa"), "_2fa");
    assert_string_equal(name_c_upper("state"), "STATE");
}

/* The longer part loses bytes first, as in PostgreSQL; no character is cut in two. */
static void
long_names_are_cut_as_postgresql_cuts(void **state)
{
    char table[61], umlauts[61];

    (void)state;
    memset(table, 't', 60);
    table[60] = '\0';
    for (int i = 0; i < 60; i += 2)
        memcpy(umlauts + i, "\xC3\xA4", 2);
    umlauts[60] = '\0';
    assert_string_equal(name_object("ticket", NULL, "pkey"), "ticket_pkey");
    assert_string_equal(name_object("ticket", "title", "check"), "ticket_title_check");
    assert_int_equal(strlen(name_object(table, NULL, "pkey")), 63);
    assert_int_equal(strlen(name_object(table, "team_id", "fkey")), 63);
    assert_non_null(strstr(name_object(table, "team_id", "fkey"), "t_team_id_fkey"));
    assert_int_equal(strlen(name_object(umlauts, NULL, "pkey")), 58 + 5);
    assert_int_equal(strlen(name_object(umlauts, NULL, "check")), 56 + 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_quoted_only_when_they_must_be),
        cmocka_unit_test(literals_double_quotes_and_backslashes),
        cmocka_unit_test(names_become_c),
        cmocka_unit_test(long_names_are_cut_as_postgresql_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

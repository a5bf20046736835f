/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "db/statement.h"

static struct pgs_text
text(const char *str)
{
    return (struct pgs_text){str, strlen(str)};
}

static struct pgs__statement *
find(struct pgs__statements *statements, const char *role, const char *sql)
{
    return pgs__statement_find(statements, text(role), text(sql));
}

static void
assert_text(struct pgs_text is, const char *expected)
{
    assert_int_equal(is.len, strlen(expected));
    assert_memory_equal(is.at, expected, is.len);
}

static void
test_one_a_role(void **state)
{
    struct pgs__statements statements;
    struct pgs__statement *anon, *user;

    (void)state;
    pgs__statements_init(&statements);
    assert_null(find(&statements, "anon", "select 1"));
    anon = pgs__statement_add(&statements, text("anon"), text("select 1"));
    user = pgs__statement_add(&statements, text("user"), text("select 1"));
    assert_ptr_equal(find(&statements, "anon", "select 1"), anon);
    assert_ptr_equal(find(&statements, "user", "select 1"), user);
    assert_string_not_equal(anon->name, user->name);
    assert_text(pgs__statement_sql(user), "select 1");
    /* The border between role and text counts. */
    assert_null(find(&statements, "anons", "elect 1"));
    assert_null(find(&statements, "", "anonselect 1"));
    pgs__statements_clear(&statements);
    assert_int_equal(statements.n, 0);
    assert_null(find(&statements, "anon", "select 1"));
}

static void
test_oldest(void **state)
{
    struct pgs__statements statements;
    char sql[32];

    (void)state;
    pgs__statements_init(&statements);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(sql, sizeof(sql), "select %d", i);
        (void)pgs__statement_add(&statements, text("anon"), text(sql));
    }
    assert_int_equal(statements.n, 1000);
    assert_text(pgs__statement_sql(pgs__statement_oldest(&statements)), "select 0");
    assert_non_null(find(&statements, "anon", "select 0"));
    assert_text(pgs__statement_sql(pgs__statement_oldest(&statements)), "select 1");
    pgs__statement_forget(&statements, pgs__statement_oldest(&statements));
    assert_null(find(&statements, "anon", "select 1"));
    assert_non_null(find(&statements, "anon", "select 999"));
    pgs__statements_clear(&statements);
    assert_null(pgs__statement_oldest(&statements));
}

/* A transaction in flight still asks a forgotten statement for its error. */
static void
test_forgotten_lives(void **state)
{
    struct pgs__statements statements;
    struct pgs__statement *statement;

    (void)state;
    pgs__statements_init(&statements);
    statement =
        pgs__statement_ref(pgs__statement_add(&statements, text("anon"), text("select nothing")));
    pgs__statement_forget(&statements, statement);
    pgs__statement_forget(&statements, statement);
    assert_null(find(&statements, "anon", "select nothing"));
    assert_text(pgs__statement_sql(statement), "select nothing");
    pgs__statement_unref(statement);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_a_role),
        cmocka_unit_test(test_oldest),
        cmocka_unit_test(test_forgotten_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

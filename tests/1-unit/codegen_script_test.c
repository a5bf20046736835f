/* SPDX-License-Identifier: MIT */
/* Migration files in their parts and statements; where they end is what psql would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/diag.h"
#include "migrate/script.h"

static const struct source *
source_of(const char *text)
{
    return source_from_text("migrations/20240101000000_x.sql", text, strlen(text));
}

static const char *
statement(const struct script_part *part, size_t i)
{
    struct span span;

    assert_true(i < part->statements.n);
    span = part->statements.at[i];
    return arena_copy(span.file->text + span.start, span.end - span.start);
}

/* The text is one statement of a plain script, up to an added semicolon. */
static void
assert_whole(const char *text)
{
    struct script script;

    assert_true(script_read_plain(source_of(arena_printf("%s ; select 2", text)), &script));
    assert_int_equal(script.up.statements.n, 2);
    assert_string_equal(statement(&script.up, 0), text);
    assert_string_equal(statement(&script.up, 1), "select 2");
}

static void
semicolons_that_end_nothing(void **state)
{
    (void)state;
    assert_whole("select ';'");
    assert_whole("select 'it''s;'");
    assert_whole("select e'it\\'s;', \";\"");
    assert_whole("select $$;$$, $a$ $b$ ; $$ $a$");
    assert_whole("select 1 -- ;\n + 2");
    assert_whole("select 1 /* ; /* ; */ ; */ + 2");
    assert_whole("create rule r as on insert to t do (select 1; select 2)");
    assert_whole("create function f() returns int begin atomic select 1; select 2; end");
    assert_whole("create or replace function f() returns int language sql begin atomic"
                 " select case when true then 1 else 2 end; select 3; end");
    assert_whole("create procedure p() begin atomic end");
    assert_whole("select a$b$c from t");
    assert_whole("select $1");
}

static void
begin_is_a_name_elsewhere(void **state)
{
    struct script script;

    (void)state;
    assert_true(script_read_plain(
        source_of("create table t (\"begin\" int); select atomic from begin; select 1"), &script));
    assert_int_equal(script.up.statements.n, 3);
}

static void
parts(void **state)
{
    struct script script;

    (void)state;
    assert_true(script_read_migration(source_of("-- A comment; it counts for nothing.\n"
                                                "\n"
                                                "  -- migrate:up\n"
                                                "create table t (a int);\n"
                                                "insert into t values (1)\n"
                                                "-- migrate:down\r\n"
                                                "drop table t;;\n"),
                                      &script));
    assert_int_equal(script.up.statements.n, 2);
    assert_true(script.up.transaction);
    assert_string_equal(statement(&script.up, 1), "insert into t values (1)");
    assert_int_equal(script.down.statements.n, 1);
    assert_string_equal(statement(&script.down, 0), "drop table t");
}

static void
markers_in_strings_are_data(void **state)
{
    struct script script;

    (void)state;
    assert_true(script_read_migration(source_of("-- migrate:up\n"
                                                "select '\n-- migrate:down\n', $$\n"
                                                "-- migrate:down\n$$, 1 -- migrate:down\n"
                                                "/*\n-- migrate:down\n*/;\n"),
                                      &script));
    assert_int_equal(script.up.statements.n, 1);
    assert_false(script.down.present);
}

static void
transaction_option(void **state)
{
    struct script script;

    (void)state;
    assert_true(script_read_migration(
        source_of("-- migrate:up transaction:false\nvacuum;\n-- migrate:down\nselect 1"), &script));
    assert_false(script.up.transaction);
    assert_true(script.down.transaction);
    assert_true(script_read_migration(
        source_of("-- migrate:up\n-- transaction:false\nbegin; commit"), &script));
    assert_false(script.up.transaction);
    assert_int_equal(script.up.statements.n, 2);
}

static void
refused(void **state)
{
    static const char *const texts[] = {
        "",
        "select 1;",
        "select 1;\n-- migrate:up\n",
        "-- migrate:down\n-- migrate:up\n",
        "-- migrate:up\n-- migrate:up\n",
        "-- migrate:up\n-- migrate:sideways\n",
        "-- migrate:up maybe\n",
        "-- migrate:up\nselect 'open",
        "-- migrate:up\nselect \"open",
        "-- migrate:up\nselect $a$ open $b$",
        "-- migrate:up\n/* open /* */",
        "-- migrate:up\nselect 1; commit; select 2",
        "-- migrate:up\nBEGIN",
    };
    struct script script;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        diag_reset();
        assert_false(script_read_migration(source_of(texts[i]), &script));
        assert_true(diag_errors() > 0);
    }
    diag_reset();
    assert_false(
        script_read_migration(source_from_text("x", "-- migrate:up\n\0select", 21), &script));
    diag_reset();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semicolons_that_end_nothing),
        cmocka_unit_test(begin_is_a_name_elsewhere),
        cmocka_unit_test(parts),
        cmocka_unit_test(markers_in_strings_are_data),
        cmocka_unit_test(transaction_option),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Output: templates, line breaks as clang-format makes them, names in C, fingerprints. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fingerprint.h"
#include "layout.h"
#include "plan_names.h"

/* The texts up to NULL. */
static struct words
words_of(const char *first, ...)
{
    struct words words = {0};
    va_list ap;

    va_start(ap, first);
    for (const char *word = first; word != NULL; word = va_arg(ap, const char *))
        words_add(&words, word);
    va_end(ap);
    return words;
}

static void
holes_are_filled_by_name(void **state)
{
    struct out *out = out_scratch();

    (void)state;
    out_fill(out, "@a@ and @b@, then @a@ again", "a", "x@b@", "b", "", NULL);
    assert_string_equal(out_text(out), "x@b@ and , then x@b@ again");
}

static void
long_text_is_printed_whole(void **state)
{
    struct out *out = out_scratch();
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    out_printf(out, "<%s>", text);
    assert_int_equal(strlen(out_text(out)), sizeof(text) + 1);
}

static void
a_call_breaks_behind_its_bracket(void **state)
{
    struct words words =
        words_of("\"created_at_of_the_first_comment\"", "\"created_at_of_the_first_comment\"",
                 "PGS_TIMESTAMPTZ", "\"timestamp with time zone\"", NULL);
    struct out *out = out_scratch();

    (void)state;
    layout_call(out, 4, "PGS_COLUMN(", &words, "),");
    assert_string_equal(out_text(out),
                        "    PGS_COLUMN(\"created_at_of_the_first_comment\", "
                        "\"created_at_of_the_first_comment\",\n"
                        "               PGS_TIMESTAMPTZ, \"timestamp with time zone\"),\n");
}

static void
a_list_is_one_line_or_columns(void **state)
{
    struct words words = words_of("A", "B", NULL);
    struct words more = words_of("TICKET_ID", "TICKET_TEAM_ID", "TICKET_AUTHOR_ID", "TICKET_STATE",
                                 "TICKET_PRIORITY", "TICKET_TAGS", "TICKET_CREATED_AT", NULL);
    struct out *out = out_scratch();

    (void)state;
    layout_list(out, "static int x[]", &words);
    layout_list(out, "static const uint16_t ticket_filters[]", &more);
    assert_string_equal(out_text(out),
                        "static int x[] = {A, B};\n"
                        "static const uint16_t ticket_filters[] = {\n"
                        "    TICKET_ID,       TICKET_TEAM_ID, TICKET_AUTHOR_ID,  TICKET_STATE,\n"
                        "    TICKET_PRIORITY, TICKET_TAGS,    TICKET_CREATED_AT,\n"
                        "};\n");
}

static void
a_string_is_safe_in_c(void **state)
{
    (void)state;
    assert_string_equal(layout_string("a\"b\\c\n\t?\?/é"), "\"a\\\"b\\\\c\\n\\011?\\?/é\"");
}

static void
names_clash_with_nothing(void **state)
{
    struct words objects = {0}, members = {0}, constants = {0};

    (void)state;
    assert_string_equal(plan_object_name("int", &objects), "int");
    assert_string_equal(plan_object_name("Int", &objects), "int_2");
    assert_string_equal(plan_object_name("app", &objects), "t_app");
    assert_string_equal(plan_object_name("t_app", &objects), "t_t_app");
    assert_string_equal(plan_object_name("pgs_run", &objects), "t_pgs_run");
    assert_string_equal(plan_object_name("9 lives", &objects), "t_9_lives");
    assert_string_equal(plan_object_name("approval", &objects), "approval");
    assert_string_equal(plan_member_name("has", &members), "has_");
    assert_string_equal(plan_member_name("int", &members), "int_");
    assert_string_equal(plan_member_name("int_", &members), "int__2");
    assert_string_equal(plan_constant_name("a", "b-c", 63, &constants), "A_B_C");
    assert_string_equal(plan_constant_name("a", "b c", 63, &constants), "A_B_C_2");
}

static void
a_fingerprint_is_of_statements_alone(void **state)
{
    const char *one = fingerprint_sql("-- a.schema:1\ncreate table t ();\n");

    (void)state;
    assert_int_equal(strlen(one), 64);
    assert_string_equal(one, fingerprint_sql("create table t ();\n-- b.schema:2\n"));
    assert_string_not_equal(one, fingerprint_sql("create table u ();\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_are_filled_by_name),
        cmocka_unit_test(long_text_is_printed_whole),
        cmocka_unit_test(a_call_breaks_behind_its_bracket),
        cmocka_unit_test(a_list_is_one_line_or_columns),
        cmocka_unit_test(a_string_is_safe_in_c),
        cmocka_unit_test(names_clash_with_nothing),
        cmocka_unit_test(a_fingerprint_is_of_statements_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

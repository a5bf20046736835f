/* SPDX-License-Identifier: MIT */
/* Diagnostics in print: order, lines, carets, notes, and text that must not reach a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/diag.h"

static char *printed;

static int
reset(void **state)
{
    (void)state;
    free(printed);
    printed = NULL;
    diag_reset();
    return 0;
}

static const char *
print(bool color)
{
    size_t size;
    FILE *out;

    free(printed);
    out = open_memstream(&printed, &size);
    diag_print(out, color);
    fclose(out);
    return printed;
}

static struct source *
from(const char *path, const char *text)
{
    return source_from_text(path, text, strlen(text));
}

/* The span of `word` in the source. */
static struct span
at(const struct source *source, const char *word)
{
    size_t start = (size_t)(strstr(source->text, word) - source->text);

    return (struct span){source, start, start + strlen(word)};
}

static void
a_caret_stands_under_the_word(void **state)
{
    struct source *source = from("policies/desk.schema", "policy x\n  using (auther_id = 1);\n");
    struct source *other = from("schema/desk.schema", "table t (\n  author_id uuid\n);\n");
    struct diag *diag = diag_at(at(source, "auther_id"), PGS0020_SYNTAX, "no column \"%s\"", "a");

    (void)state;
    diag_note(diag, at(other, "author_id"), "did you mean \"author_id\"?");
    diag_hint(diag, "look %s", "again");
    assert_string_equal(print(false), "policies/desk.schema:2:10: error[PGS0020]: no column \"a\"\n"
                                      "  using (auther_id = 1);\n"
                                      "         ^~~~~~~~~\n"
                                      "schema/desk.schema:2:3: note: did you mean \"author_id\"?\n"
                                      "hint: look again\n");
    assert_int_equal(diag_errors(), 1);
    assert_int_equal(diag_warnings(), 0);
}

static void
all_are_sorted_and_told_once(void **state)
{
    struct source *a = from("a.schema", "one two\n");
    struct source *b = from("b.schema", "three\n");

    (void)state;
    diag_at(at(b, "three"), PGS0020_SYNTAX, "last");
    diag_at(at(a, "two"), PGS0020_SYNTAX, "second");
    diag_at(at(a, "two"), PGS0020_SYNTAX, "second");
    diag_at(at(a, "one"), PGS0021_TOO_DEEP, "first");
    assert_string_equal(print(false), "a.schema:1:1: error[PGS0021]: first\n"
                                      "one two\n"
                                      "^~~\n"
                                      "a.schema:1:5: error[PGS0020]: second\n"
                                      "one two\n"
                                      "    ^~~\n"
                                      "b.schema:1:1: error[PGS0020]: last\n"
                                      "three\n"
                                      "^~~~~\n");
}

static void
tabs_and_wide_letters_keep_their_place(void **state)
{
    struct source *source = from("a.schema", "\t\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\xbc x\r\n");

    (void)state;
    diag_at(at(source, "\xc3\xbc\xc3\xbc"), PGS0020_SYNTAX, "here");
    assert_string_equal(print(false), "a.schema:1:5: error[PGS0020]: here\n"
                                      "\t\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\xbc x\n"
                                      "\t   ^~\n");
}

static void
a_span_over_lines_ends_with_the_first(void **state)
{
    struct source *source = from("a.schema", "ab cd\nef\n");

    (void)state;
    diag_at((struct span){source, 3, 8}, PGS0020_SYNTAX, "here");
    assert_string_equal(print(false), "a.schema:1:4: error[PGS0020]: here\nab cd\n   ^~\n");
}

static void
the_end_of_a_file_has_no_line(void **state)
{
    struct source *source = from("a.schema", "ab\n");

    (void)state;
    diag_at((struct span){source, 3, 3}, PGS0020_SYNTAX, "end");
    diag_at((struct span){0}, PGS0005_NO_SOURCES, "none");
    assert_string_equal(print(false), "pgstack: error[PGS0005]: none\n"
                                      "a.schema:2:1: error[PGS0020]: end\n");
}

static void
control_characters_stay_away_from_the_terminal(void **state)
{
    struct source *source = from("a.schema", "x \033[31m \xc2\x9b y\n");

    (void)state;
    diag_at(at(source, "y"), PGS0020_SYNTAX, "unexpected \"\033]0;\a\"");
    assert_string_equal(print(false), "a.schema:1:11: error[PGS0020]: unexpected \"?]0;?\"\n"
                                      "x ?[31m ? y\n"
                                      "          ^\n");
}

static void
a_long_line_is_cut_around_the_caret(void **state)
{
    char text[5001];
    struct source *source;

    (void)state;
    memset(text, 'x', 5000);
    text[4000] = 'y';
    text[5000] = '\0';
    source = from("a.schema", text);
    diag_at(at(source, "y"), PGS0020_SYNTAX, "here");
    assert_true(strlen(print(false)) < 500);
    assert_non_null(strstr(printed, "a.schema:1:4001:"));
    assert_non_null(strstr(printed, "xyx"));
}

static void
colors_come_only_when_asked(void **state)
{
    struct source *source = from("a.schema", "ab\n");

    (void)state;
    diag_at(at(source, "ab"), PGS0020_SYNTAX, "here");
    assert_null(strchr(print(false), '\033'));
    assert_non_null(strchr(print(true), '\033'));
}

static void
near_names_are_offered(void **state)
{
    static const char *const known[] = {"author_id", "title", "id", "state"};

    (void)state;
    assert_string_equal(diag_nearest("auther_id", known, 4), "author_id");
    assert_string_equal(diag_nearest("tilte", known, 4), "title");
    assert_string_equal(diag_nearest("ide", known, 4), "id");
    assert_null(diag_nearest("created_at", known, 4));
    assert_null(diag_nearest("x", known, 4));
    assert_null(diag_nearest("", known, 4));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_caret_stands_under_the_word, reset),
        cmocka_unit_test_teardown(all_are_sorted_and_told_once, reset),
        cmocka_unit_test_teardown(tabs_and_wide_letters_keep_their_place, reset),
        cmocka_unit_test_teardown(a_span_over_lines_ends_with_the_first, reset),
        cmocka_unit_test_teardown(the_end_of_a_file_has_no_line, reset),
        cmocka_unit_test_teardown(control_characters_stay_away_from_the_terminal, reset),
        cmocka_unit_test_teardown(a_long_line_is_cut_around_the_caret, reset),
        cmocka_unit_test_teardown(colors_come_only_when_asked, reset),
        cmocka_unit_test_teardown(near_names_are_offered, reset),
    };

    return cmocka_run_group_tests_name("codegen_diag", tests, NULL, NULL);
}

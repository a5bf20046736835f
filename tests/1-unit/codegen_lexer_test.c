/* SPDX-License-Identifier: MIT */
/* Text to tokens, the way PostgreSQL reads it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/diag.h"
#include "syntax/grammar.h"
#include "syntax/lexer.h"
#include "base/str.h"

static int
reset(void **state)
{
    (void)state;
    diag_reset();
    return 0;
}

/* The texts of all tokens, with `|` between. */
static const char *
tokens(const char *text)
{
    struct lexer lexer;
    struct str all = {0};
    struct token token;

    lex_open(&lexer, source_from_text("a.schema", text, strlen(text)));
    str_puts(&all, "");
    while ((token = lex_next(&lexer)).kind) {
        str_puts(&all, all.n ? "|" : "");
        str_puts(&all, token.text);
    }
    return all.at;
}

static int
kind_of(const char *text)
{
    struct lexer lexer;

    lex_open(&lexer, source_from_text("a.schema", text, strlen(text)));
    return lex_next(&lexer).kind;
}

static void
names_are_folded_unless_quoted(void **state)
{
    (void)state;
    assert_string_equal(tokens("Team \"Team\" \"a\"\"b\" \xc3\x84_1 a$b"),
                        "team|Team|a\"b|\xc3\x84_1|a$b");
    assert_int_equal(kind_of("TABLE"), TOKEN_TABLE);
    assert_int_equal(kind_of("\"table\""), TOKEN_ID);
    assert_int_equal(diag_errors(), 0);
}

static void
strings_have_their_value(void **state)
{
    (void)state;
    assert_string_equal(tokens("'it''s' '' 'a\nb' 'a\\n'"), "it's||a\nb|a\\n");
    assert_string_equal(tokens("E'a\\n\\t\\\\\\'''\\u00e9\\x41\\101'"), "a\n\t\\''\xc3\xa9"
                                                                        "AA");
    assert_string_equal(tokens("$$ it's $1 $$ $a$ $$ $b$ $a$"), " it's $1 | $$ $b$ ");
    assert_string_equal(tokens("$$ a -- b\n$$ $$ a -- b $$ $$--$$"), " a -- b\n| a -- b \n|--\n");
    assert_int_equal(diag_errors(), 0);
}

static void
comments_are_gone_and_nest(void **state)
{
    (void)state;
    assert_string_equal(tokens("a -- b\nc /* d /* e */ f */ g"), "a|c|g");
    assert_int_equal(diag_errors(), 0);
}

static void
operators_end_as_in_postgresql(void **state)
{
    (void)state;
    assert_string_equal(tokens("a*-b"), "a|*|-|b");
    assert_string_equal(tokens("a@-b"), "a|@-|b");
    assert_string_equal(tokens("a<--b\nc"), "a|<|c");
    assert_string_equal(tokens("a=/*b*/c"), "a|=|c");
    assert_string_equal(tokens("a#>>b ->> @> <@ && !~~* != >= ::"),
                        "a|#>>|b|->>|@>|<@|&&|!~~*|<>|>=|::");
    assert_int_equal(kind_of("!="), TOKEN_NE);
    assert_int_equal(kind_of("||"), TOKEN_OP);
    assert_int_equal(kind_of("*"), TOKEN_STAR);
    assert_int_equal(diag_errors(), 0);
}

static void
numbers_are_kept_as_written(void **state)
{
    (void)state;
    assert_string_equal(tokens("1 1.50 .5 1. 1e-9 12345678901234567890"),
                        "1|1.50|.5|1.|1e-9|12345678901234567890");
    assert_int_equal(diag_errors(), 0);
}

static void
what_is_open_is_an_error_and_the_scan_goes_on(void **state)
{
    static const char *const cases[] = {
        "'abc\nb",  "E'abc\\", "\"abc\nb", "$$ abc",   "$a$ abc $$",
        "/* /* */", "E'\\q'",  "E'\\u00'", "E'\\000'", "E'\\xff'",
        "12ab",     "a\x01",   "\"\"",     "$1",       "\\",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        diag_reset();
        tokens(cases[i]);
        assert_true(diag_errors() >= 1);
    }
    assert_string_equal(tokens("'open\nnext"), "next");
}

static void
a_name_that_would_be_cut_is_an_error(void **state)
{
    (void)state;
    tokens("a23456789012345678901234567890123456789012345678901234567890123");
    assert_int_equal(diag_errors(), 0);
    tokens("a234567890123456789012345678901234567890123456789012345678901234");
    assert_int_equal(diag_errors(), 1);
}

static void
keywords_are_sorted(void **state)
{
    static const char *const words[] = {
#define KEYWORD(word, token) #word,
#include "syntax/keywords.def"
#undef KEYWORD
    };

    (void)state;
    for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++)
        assert_true(strcmp(words[i - 1], words[i]) < 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_string_equal(lex_keyword(kind_of(words[i])), words[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names_are_folded_unless_quoted, reset),
        cmocka_unit_test_teardown(strings_have_their_value, reset),
        cmocka_unit_test_teardown(comments_are_gone_and_nest, reset),
        cmocka_unit_test_teardown(operators_end_as_in_postgresql, reset),
        cmocka_unit_test_teardown(numbers_are_kept_as_written, reset),
        cmocka_unit_test_teardown(what_is_open_is_an_error_and_the_scan_goes_on, reset),
        cmocka_unit_test_teardown(a_name_that_would_be_cut_is_an_error, reset),
        cmocka_unit_test_teardown(keywords_are_sorted, reset),
    };

    return cmocka_run_group_tests_name("codegen_lexer", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Sources, and the tier below: places in text, bytes that are no text, growing arrays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "text/source.h"
#include "base/str.h"
#include "base/vec.h"

static struct source *
from(const char *text)
{
    return source_from_text("a.schema", text, strlen(text));
}

static void
positions_count_characters(void **state)
{
    struct source *source = from("ab\n\xc3\xa4\xe2\x82\xac x\n");
    size_t line, column;

    (void)state;
    source_position(source, 0, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);
    source_position(source, 2, &line, &column);
    assert_int_equal(column, 3);
    source_position(source, 3, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 1);
    source_position(source, 9, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 4);
    source_position(source, 999, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 1);
}

static void
bad_bytes_are_found(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        size_t bad;
    } cases[] = {
        {"abc", 3, 3},
        {"a\0c", 3, 1},
        {"\xc3\xa4\xf0\x9f\x98\x80", 6, 6},
        {"a\xff", 2, 1},
        {"\xc0\x80", 2, 0},         /* overlong */
        {"x\xed\xa0\x80", 4, 1},    /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"ab\xe2\x82", 4, 2},       /* cut off */
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *source = source_from_text("x", cases[i].text, cases[i].len);

        assert_int_equal(source_bad_byte(source), cases[i].bad);
    }
}

static void
what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_null(source_read("/", "nowhere/nothing.schema"));
    assert_int_equal(errno, ENOENT);
    assert_null(source_read(NULL, "/"));
    assert_int_equal(errno, EISDIR);
}

static void
arrays_keep_their_items(void **state)
{
    VEC(size_t) numbers = {0};

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        vec_push(&numbers, i * i);
    assert_int_equal(numbers.n, 1000);
    for (size_t i = 0; i < numbers.n; i++)
        assert_int_equal(numbers.at[i], i * i);
}

static void
text_grows(void **state)
{
    struct str text = {0};
    char *big = arena_alloc(300001);

    (void)state;
    str_puts(&text, "");
    assert_string_equal(text.at, "");
    for (int i = 0; i < 100; i++)
        str_printf(&text, "%d,", i);
    assert_int_equal(text.n, 290);
    assert_memory_equal(text.at, "0,1,2,", 6);
    memset(big, 'x', 300000);
    str_puts(&text, big);
    assert_int_equal(strlen(text.at), 300290);
    assert_string_equal(arena_printf("%s-%d", "a", 7), "a-7");
    assert_string_equal(arena_copy("abc", 2), "ab");
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, "a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_count_characters),
        cmocka_unit_test(bad_bytes_are_found),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(arrays_keep_their_items),
        cmocka_unit_test(text_grows),
    };

    return cmocka_run_group_tests_name("codegen_source", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "db/wire.h"

#define TEXT(literal)                                                                              \
    (struct pgs_text)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* What was written is these bytes; the buffer is empty again. */
#define assert_written(out, literal)                                                               \
    do {                                                                                           \
        assert_int_equal((out)->len, sizeof(literal) - 1);                                         \
        assert_memory_equal((out)->at, literal, sizeof(literal) - 1);                              \
        (out)->len = 0;                                                                            \
    } while (0)

static void
test_write(void **state)
{
    const struct pgs_text values[] = {TEXT("ab"), {NULL, 0}, {"", 0}};
    struct pgs_buf out;

    (void)state;
    pgs_buf_init(&out, 0);
    pgs__wire_parse(&out, "p1", TEXT("select 1"));
    assert_written(&out, "P\0\0\0\x12p1\0select 1\0\0\0");
    pgs__wire_bind(&out, "p1", values, 3);
    assert_written(&out, "B\0\0\0\x1c\0p1\0\0\0\0\x03\0\0\0\x02"
                         "ab\xff\xff\xff\xff\0\0\0\0\0\0");
    pgs__wire_bind(&out, "", NULL, 0);
    assert_written(&out, "B\0\0\0\x0c\0\0\0\0\0\0\0\0");
    pgs__wire_execute(&out);
    assert_written(&out, "E\0\0\0\x09\0\0\0\0\0");
    pgs__wire_sync(&out);
    assert_written(&out, "S\0\0\0\x04");
    pgs_buf_clear(&out);
}

static void
test_too_long_to_write(void **state)
{
    struct pgs_buf out;

    (void)state;
    pgs_buf_init(&out, 0);
    pgs__wire_bind(&out, "p1", &(struct pgs_text){"", (size_t)1 << 31}, 1);
    assert_true(out.failed);
    assert_int_equal(out.len, 0);
    pgs_buf_clear(&out);
}

/* A copy that ends where its memory does, so that a sanitizer sees a byte read beyond it. */
static char *
copy(const char *bytes, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    memcpy(exact, bytes, len);
    return exact;
}

static void
test_messages_come_in_pieces(void **state)
{
    static const char bytes[] = "C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
    struct pgs__message message;

    (void)state;
    for (size_t len = 0; len < sizeof(bytes) - 1; len++) {
        char *piece = copy(bytes, len);

        assert_int_equal(pgs__wire_next(piece, len, &message),
                         len < 14 ? PGS__WIRE_MORE : PGS__WIRE_MESSAGE);
        if (len >= 14) {
            assert_int_equal(message.type, PGS__MESSAGE_COMPLETE);
            assert_int_equal(message.len, 9);
            assert_ptr_equal(message.at, piece + PGS__MESSAGE_HEAD);
        }
        free(piece);
    }
}

static void
test_lengths_that_are_none(void **state)
{
    static const char *const heads[] = {"D\0\0\0\0", "D\0\0\0\3", "D\xff\xff\xff\xff",
                                        "D\x40\0\0\1"};
    struct pgs__message message;

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        assert_int_equal(pgs__wire_next(heads[i], 5, &message), PGS__WIRE_BAD);
    assert_int_equal(pgs__wire_next("D\x40\0\0\0", 5, &message), PGS__WIRE_MORE);
}

static int
columns_of(const char *body, size_t len)
{
    char *exact = copy(body, len);
    int n = pgs__row_columns(&(struct pgs__message){'D', exact, len});

    free(exact);
    return n;
}

static void
test_rows(void **state)
{
    static const char body[] = "\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0";
    const char *at = pgs__row_values(body);
    struct pgs_text value;

    (void)state;
    assert_int_equal(columns_of(body, sizeof(body) - 1), 3);
    value = pgs__row_next(&at);
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.at, "ab", 2);
    assert_null(pgs__row_next(&at).at);
    value = pgs__row_next(&at);
    assert_non_null(value.at);
    assert_int_equal(value.len, 0);
    assert_ptr_equal(at, body + sizeof(body) - 1);
    assert_int_equal(columns_of("\0\0", 2), 0);
}

static void
test_rows_that_are_none(void **state)
{
    static const char body[] = "\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0";

    (void)state;
    for (size_t len = 0; len < sizeof(body) - 1; len++)
        assert_int_equal(columns_of(body, len), -1);
    assert_int_equal(columns_of("\0\1\0\0\0\1ab", 8), -1);       /* more than it says */
    assert_int_equal(columns_of("\0\1\xff\xff\xff\xfe", 6), -1); /* no length */
    assert_int_equal(columns_of("\xff\xff\xff\xff\xff\xff", 6), -1);
}

static void
test_errors(void **state)
{
    static const char body[] = "SERROR\0C22P02\0Mbad input\0\0";
    const struct pgs_text error = {body, sizeof(body) - 1};

    (void)state;
    assert_true(pgs__error_is_sound(error));
    assert_string_equal(pgs__error_field(error, 'C'), "22P02");
    assert_string_equal(pgs__error_field(error, 'M'), "bad input");
    assert_string_equal(pgs__error_field(error, 'D'), "");
    assert_string_equal(pgs__error_field((struct pgs_text){NULL, 0}, 'C'), "");
    for (size_t len = 0; len < error.len; len++) {
        char *piece = copy(body, len);

        assert_false(pgs__error_is_sound((struct pgs_text){piece, len}));
        free(piece);
    }
    assert_true(pgs__error_is_sound((struct pgs_text){"", 1}));
    assert_false(pgs__error_is_sound((struct pgs_text){"SERROR\0\0x", 9}));
}

static void
test_tags(void **state)
{
    static const struct {
        const char *tag;
        int64_t rows;
    } cases[] = {
        {"SELECT 20", 20},
        {"INSERT 0 1000", 1000},
        {"DELETE 0", 0},
        {"CREATE TABLE", 0},
        {"UPDATE 12345678901234567", 12345678901234567},
        {"UPDATE 123456789012345678", 0}, /* more than there can be */
        {"12", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].tag);

        assert_int_equal(pgs__tag_rows((struct pgs_text){cases[i].tag, len}), cases[i].rows);
        assert_int_equal(pgs__tag_rows((struct pgs_text){cases[i].tag, len + 1}), cases[i].rows);
    }
}

static void
test_parameters(void **state)
{
    static const char body[] = "in_hot_standby\0on";
    const char *name, *value;

    (void)state;
    assert_true(
        pgs__parameter_read(&(struct pgs__message){'S', body, sizeof(body)}, &name, &value));
    assert_string_equal(name, "in_hot_standby");
    assert_string_equal(value, "on");
    for (size_t len = 0; len < sizeof(body); len++)
        assert_false(pgs__parameter_read(&(struct pgs__message){'S', body, len}, &name, &value));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_too_long_to_write),
        cmocka_unit_test(test_messages_come_in_pieces),
        cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_that_are_none),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_parameters),
    };

    return cmocka_run_group_tests_name("runtime_wire", tests, NULL, NULL);
}

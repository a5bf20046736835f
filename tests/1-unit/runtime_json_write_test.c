/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "codec/json_write.h"

static const struct pgs_type types[] = {
#define PGS_TYPE(kind_, sql_, ctype, oid, array_oid, json)                                         \
    [PGS_##kind_] = {.kind = PGS_##kind_, .sql = sql_},
#include "pgs/types.def"
#undef PGS_TYPE
    [PGS_ENUM] = {.kind = PGS_ENUM, .sql = "state"},
    [PGS_VOID] = {.kind = PGS_VOID, .sql = "void"},
};

static void
test_values(void **state)
{
    static const struct {
        enum pgs_kind kind;
        const char *text;
        const char *json;
    } cases[] = {
        {PGS_TEXT, NULL, "null"},
        {PGS_BOOL, "t", "true"},
        {PGS_BOOL, "f", "false"},
        {PGS_INT2, "-1", "-1"},
        {PGS_INT4, "0", "0"},
        {PGS_INT8, "9223372036854775807", "9223372036854775807"},
        {PGS_FLOAT8, "1e+20", "1e+20"},
        {PGS_FLOAT8, "-0", "-0"},
        {PGS_FLOAT4, "0.1", "0.1"},
        {PGS_FLOAT8, "NaN", "\"NaN\""},
        {PGS_FLOAT8, "Infinity", "\"Infinity\""},
        {PGS_FLOAT4, "-Infinity", "\"-Infinity\""},
        {PGS_NUMERIC, "123456789012345678901234567890.1200", "123456789012345678901234567890.1200"},
        {PGS_NUMERIC, "NaN", "\"NaN\""},
        {PGS_TEXT, "", "\"\""},
        {PGS_TEXT, "plain", "\"plain\""},
        {PGS_TEXT, "\"\\/\b\f\n\r\t\x01\x1f\x7f", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
        {PGS_TEXT, "\xC3\xA4\xF0\x9F\x98\x80 is longer than one word of the machine \"",
         "\"\xC3\xA4\xF0\x9F\x98\x80 is longer than one word of the machine \\\"\""},
        {PGS_VARCHAR, "a\nb", "\"a\\nb\""},
        {PGS_ENUM, "on \"hold\"", "\"on \\\"hold\\\"\""},
        {PGS_BYTEA, "\\x00ff", "\"\\\\x00ff\""},
        {PGS_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
         "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""},
        {PGS_DATE, "2024-01-02", "\"2024-01-02\""},
        {PGS_DATE, "infinity", "\"infinity\""},
        {PGS_DATE, "0044-03-15 BC", "\"0044-03-15 BC\""},
        {PGS_TIME, "24:00:00", "\"24:00:00\""},
        {PGS_TIMESTAMP, "2024-01-02 03:04:05.123456", "\"2024-01-02T03:04:05.123456\""},
        {PGS_TIMESTAMP, "0044-03-15 00:00:00 BC", "\"0044-03-15T00:00:00 BC\""},
        {PGS_TIMESTAMP, "-infinity", "\"-infinity\""},
        {PGS_TIMESTAMPTZ, "2024-01-02 03:04:05+00", "\"2024-01-02T03:04:05+00:00\""},
        {PGS_TIMESTAMPTZ, "2024-01-02 03:04:05.5+00", "\"2024-01-02T03:04:05.5+00:00\""},
        {PGS_TIMESTAMPTZ, "2024-01-02 03:04:05-05:30", "\"2024-01-02T03:04:05-05:30\""},
        {PGS_TIMESTAMPTZ, "1800-01-01 00:00:00+05:53:28", "\"1800-01-01T00:00:00+05:53:28\""},
        {PGS_TIMESTAMPTZ, "0044-03-15 00:00:00+00 BC", "\"0044-03-15T00:00:00+00:00 BC\""},
        {PGS_TIMESTAMPTZ, "infinity", "\"infinity\""},
        {PGS_JSON, "{\"a\" : 1}", "{\"a\" : 1}"},
        {PGS_JSONB, "null", "null"},
        {PGS_VOID, "", "null"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf out;

        pgs_buf_init(&out, 0);
        pgs_json_value(&out, &types[cases[i].kind], cases[i].text,
                       cases[i].text == NULL ? 0 : strlen(cases[i].text));
        pgs_buf_add_char(&out, '\0');
        assert_string_equal(out.at, cases[i].json);
        pgs_buf_clear(&out);
    }
}

static void
test_composites(void **state)
{
    static const struct pgs_column inner[] = {
        PGS_COLUMN("n", "n", PGS_INT4, "integer", true),
        PGS_ARRAY_COLUMN("ts", "ts", PGS_TEXT, "text", NULL, true),
    };
    static const struct pgs_column outer[] = {
        PGS_COLUMN("a \"b\"", "a", PGS_TEXT, "text", true),
        PGS_COMPOSITE_COLUMN("in", "in", "inner", inner, true),
        PGS_COMPOSITE_ARRAY_COLUMN("ins", "ins", "inner", inner, true),
    };
    static const struct pgs_type type = {.kind = PGS_COMPOSITE, .fields = outer, .n_fields = 3};
    static const char *const cases[][2] = {
        {"(,,)", "{\"a \\\"b\\\"\":null,\"in\":null,\"ins\":null}"},
        {"(\"\",\"(,)\",{})", "{\"a \\\"b\\\"\":\"\",\"in\":{\"n\":null,\"ts\":null},\"ins\":[]}"},
        {"(\"x, \"\"y\"\" \\\\ )\",\"(1,\"\"{a,\\\\\"\"b \\\\\"\"}\"\")\",\"{NULL,\"\"(2,)\"\"}\")",
         "{\"a \\\"b\\\"\":\"x, \\\"y\\\" \\\\ )\",\"in\":{\"n\":1,\"ts\":[\"a\",\"b \"]},"
         "\"ins\":[null,{\"n\":2,\"ts\":null}]}"},
        {"(a,)", "\"(a,)\""}, /* rather a string than broken JSON */
        {"(a,,,)", "\"(a,,,)\""},
        {"(a,,) ", "\"(a,,) \""},
        {"(\"a,,)", "\"(\\\"a,,)\""},
        {"", "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf out;

        pgs_buf_init(&out, 0);
        pgs_json_value(&out, &type, cases[i][0], strlen(cases[i][0]));
        pgs_buf_add_char(&out, '\0');
        assert_string_equal(out.at, cases[i][1]);
        pgs_buf_clear(&out);
    }
}

static void
test_arrays(void **state)
{
    static const struct {
        enum pgs_kind kind;
        const char *text;
        const char *json;
    } cases[] = {
        {PGS_INT4, "{}", "[]"},
        {PGS_INT4, "{1,-2,NULL}", "[1,-2,null]"},
        {PGS_INT4, "{{1,2},{3,4}}", "[[1,2],[3,4]]"},
        {PGS_INT4, "{{{1},{2}}}", "[[[1],[2]]]"},
        {PGS_INT4, "[0:1]={1,2}", "[1,2]"},
        {PGS_INT4, "[-1:0][2:2]={{1},{2}}", "[[1],[2]]"},
        {PGS_BOOL, "{t,f,NULL}", "[true,false,null]"},
        {PGS_FLOAT8, "{1.5,NaN,-Infinity}", "[1.5,\"NaN\",\"-Infinity\"]"},
        {PGS_TEXT, "{a,b c,\"\"}", "[\"a\",\"b c\",\"\"]"},
        {PGS_TEXT, "{\"NULL\",NULL,null}", "[\"NULL\",null,null]"},
        {PGS_TEXT, "{\"a,b\",\"{}\",\"q\\\"q\",\"b\\\\s\",\"n\nl\"}",
         "[\"a,b\",\"{}\",\"q\\\"q\",\"b\\\\s\",\"n\\nl\"]"},
        {PGS_TEXT, "{{a,\"b\"},{\"}\",d}}", "[[\"a\",\"b\"],[\"}\",\"d\"]]"},
        {PGS_TIMESTAMPTZ, "{\"2024-01-02 03:04:05+00\",infinity}",
         "[\"2024-01-02T03:04:05+00:00\",\"infinity\"]"},
        {PGS_JSONB, "{\"{\\\"a\\\": [1, \\\"x\\\\\\\\y\\\"]}\",\"null\",1,NULL}",
         "[{\"a\": [1, \"x\\\\y\"]},null,1,null]"},
        {PGS_BYTEA, "{\"\\\\x00ff\"}", "[\"\\\\x00ff\"]"},
        {PGS_TEXT, "no array", "\"no array\""}, /* rather a string than broken JSON */
        {PGS_TEXT, "{a", "\"{a\""},
        {PGS_TEXT, "{a\\", "\"{a\\\\\""},
        {PGS_TEXT, "{\"a", "\"{\\\"a\""},
        {PGS_TEXT, "{a}}", "\"{a}}\""},
        {PGS_TEXT, "{,}", "\"{,}\""},
        {PGS_TEXT, "", "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_type type = types[cases[i].kind];
        struct pgs_buf out;

        type.array = true;
        pgs_buf_init(&out, 0);
        pgs_json_value(&out, &type, cases[i].text, strlen(cases[i].text));
        pgs_buf_add_char(&out, '\0');
        assert_string_equal(out.at, cases[i].json);
        pgs_buf_clear(&out);
    }
}

/* Every byte at every place of a word of the machine: the search by words misses none. */
static void
test_escapes_anywhere(void **state)
{
    (void)state;
    for (int byte = 1; byte < 0x80; byte++) {
        for (size_t place = 0; place < 20; place++) {
            char text[20], expected[64], escape[8];
            struct pgs_buf out;

            memset(text, 'x', sizeof(text));
            text[place] = (char)byte;
            if (byte == '"' || byte == '\\')
                snprintf(escape, sizeof(escape), "\\%c", byte);
            else if (byte < 0x20 && strchr("\b\f\n\r\t", byte) != NULL)
                snprintf(escape, sizeof(escape), "\\%c", "btn?fr"[byte - '\b']);
            else if (byte < 0x20)
                snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)byte);
            else
                snprintf(escape, sizeof(escape), "%c", byte);
            snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)place,
                     "xxxxxxxxxxxxxxxxxxxx", escape, (int)(19 - place), "xxxxxxxxxxxxxxxxxxxx");
            pgs_buf_init(&out, 0);
            pgs_json_string(&out, text, sizeof(text));
            pgs_buf_add_char(&out, '\0');
            assert_string_equal(out.at, expected);
            pgs_buf_clear(&out);
        }
    }
}

/* A buffer that is full stays full, and nothing is written beyond it. */
static void
test_full_buffer(void **state)
{
    (void)state;
    for (size_t max = 1; max < 40; max++) {
        static const char text[] = "some \"text\" with \n escapes";
        struct pgs_type array = {.kind = PGS_TEXT, .array = true};
        struct pgs_buf out;

        pgs_buf_init(&out, max);
        pgs_json_string(&out, text, sizeof(text) - 1);
        assert_true(out.len <= max);
        assert_true(out.failed || max >= 31); /* its length; escapes may ask for more room */
        pgs_buf_clear(&out);
        pgs_json_value(&out, &array, "{\"a\\\"b\",cdefghijklmnopqrstuvwxyz}", 33);
        assert_true(out.len <= max);
        pgs_buf_clear(&out);
        pgs_json_value(&out, &types[PGS_TIMESTAMPTZ], "2024-01-02 03:04:05.123456+00", 29);
        assert_true(out.len <= max);
        pgs_buf_clear(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_composites),
        cmocka_unit_test(test_arrays),      cmocka_unit_test(test_escapes_anywhere),
        cmocka_unit_test(test_full_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "codec/json_read.h"
#include "runtime_heap.h"
#include "runtime_row.h"

#define ROWS_MAX 5

static void
read_and_describe(struct pgs_buf *out, const char *json, size_t len)
{
    struct pgs_read_error error;
    size_t n_rows;
    bool was_array;
    void *rows;
    char *copy = memcpy(heap_alloc(NULL, len), json, len); /* no byte behind it */

    if (!pgs_json_read(&shape, copy, len, ROWS_MAX, heap, &rows, &n_rows, &was_array, &error)) {
        describe_error(out, &error, len > 0 && json[0] == '[');
        return;
    }
    if (was_array)
        pgs_buf_add_str(out, "[");
    for (size_t i = 0; i < n_rows; i++) {
        pgs_buf_add_str(out, i == 0 ? "" : "; ");
        describe_row(out, (const struct row *)rows + i);
    }
    if (was_array)
        pgs_buf_add_str(out, "]");
}

struct expectation {
    const char *json;
    const char *understood;
};

static void
expect_text(const char *json, size_t len, const char *understood)
{
    struct pgs_buf out;

    pgs_buf_init(&out, 0);
    read_and_describe(&out, json, len);
    pgs_buf_add_char(&out, '\0');
    if (strcmp(out.at, understood) != 0)
        fail_msg("%s gave\n%s\nnot\n%s", json, out.at, understood);
    pgs_buf_clear(&out);
    heap_free_all();
}

static void
expect(const struct expectation *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_text(cases[i].json, strlen(cases[i].json), cases[i].understood);
}

#define EXPECT(cases) expect((cases), PGS_COUNT(cases))

static void
test_bodies(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":1}", "id=1"},
        {" \t\r\n{ \"id\" : 1 }\n", "id=1"},
        {"[]", "[]"},
        {"[{\"id\":1},{\"t\":\"x\",\"id\":2},{\"id\":3,\"t\":null}]",
         "[id=1; id=2 t=x; id=3 t=NULL]"},
        {"{\"t\":\"[{,\",\"id\":1}", "id=1 t=[{,"},
        {"[{\"id\":1,\"t\":\"},{\\\"},\",\"j\":[{},[,\"]",
         "PGRST102 row 0 j: Empty or invalid json | line 1, column 34: parse error: unallowed "
         "token at this point in JSON text"},
        {"[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4},{\"id\":5}]",
         "[id=1; id=2; id=3; id=4; id=5]"},
        {"[{},{},{},{},{},{}]", "PGRST102 row 0 -: too many rows: at most 5"},
        {"[{\"id\":1},{}]", "23502 row 1 id: a value is required"},
        {"{\"t\":\"x\"}", "23502 id: a value is required"},
        {"{\"id\":null}", "id=NULL"},
        {"{\"id\":1,\"nope\":2}", "PGRST204 nope: there is no such field"},
        {"{\"id\":1,\"\":2}", "PGRST204 -: there is no such field"},
        {"{\"id\":1,\"ID\":2}", "PGRST204 ID: there is no such field"},
        {"{\"id\":1,\"i\":2}", "PGRST204 i: there is no such field"},
        {"{\"id\":1,\"i\\u0064\":2}", "PGRST102 id: the field is given twice"},
        {"{\"t\":null,\"t\":\"x\"}", "PGRST102 t: the field is given twice"},
        {"", "PGRST102 -: Empty or invalid json | line 1, column 1: parse error: premature EOF"},
        {"  ", "PGRST102 -: Empty or invalid json | line 1, column 3: parse error: premature EOF"},
        {"{\n\"id\":1\n",
         "PGRST102 -: Empty or invalid json | line 3, column 1: parse error: premature EOF"},
        {"\xEF\xBB\xBF{\"id\":1}",
         "PGRST102 -: Empty or invalid json | line 1, column 1: a byte order mark"},
        {"{\"id\":1} x",
         "PGRST102 -: Empty or invalid json | line 1, column 11: parse error: trailing garbage"},
        {"{\"id\":1}{}",
         "PGRST102 -: Empty or invalid json | line 1, column 10: parse error: trailing garbage"},
        {"{\"id\":01}", "PGRST102 -: Empty or invalid json | line 1, column 8: parse error: after "
                        "key and value, inside map, I expect ',' or '}'"},
        {"{'id':1}", "PGRST102 -: Empty or invalid json | line 1, column 3: lexical error: invalid "
                     "char in json text."},
        {"{\"id\":1,}", "PGRST102 -: Empty or invalid json | line 1, column 10: parse error: "
                        "invalid object key (must be a string)"},
        {"{\"id\":1}\"abc",
         "PGRST102 -: Empty or invalid json | line 1, column 9: parse error: trailing garbage"},
        {"{\"id\":1} \"\xFF",
         "PGRST102 -: Empty or invalid json | line 1, column 10: parse error: trailing garbage"},
        {"{\"id\":1}tru",
         "PGRST102 -: Empty or invalid json | line 1, column 12: parse error: trailing garbage"},
        {"{\"id\":1}-",
         "PGRST102 -: Empty or invalid json | line 1, column 10: parse error: trailing garbage"},
        {"{\"id\":1}/",
         "PGRST102 -: Empty or invalid json | line 1, column 9: parse error: trailing garbage"},
        {"{\"id\":1,\v\"t\":\"\"}", "PGRST102 -: Empty or invalid json | line 1, column 9: lexical "
                                    "error: invalid char in json text."},
        {"\f{\"id\":1}", "PGRST102 -: Empty or invalid json | line 1, column 1: lexical error: "
                         "invalid char in json text."},
        {"{\"id\":1 \f}", "PGRST102 -: Empty or invalid json | line 1, column 9: lexical error: "
                          "invalid char in json text."},
        {"{\"id\":1}\v",
         "PGRST102 -: Empty or invalid json | line 1, column 9: parse error: trailing garbage"},
        {"123", "PGRST102 -: expected an object, got a number"},
        {"\"x\"", "PGRST102 -: expected an object, got a string"},
        {"null", "PGRST102 -: expected an object, got null"},
        {"[1]", "PGRST102 row 0 -: expected an array of objects, got a number"},
        {"[{\"id\":1},[]]", "PGRST102 row 1 -: expected an array of objects, got an array"},
        {"[[{\"id\":1}]]", "PGRST102 row 0 -: expected an array of objects, got an array"},
    };

    (void)state;
    EXPECT(cases);
}

static void
test_numbers(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":9223372036854775807}", "id=9223372036854775807"},
        {"{\"id\":-9223372036854775808}", "id=-9223372036854775808"},
        {"{\"id\":\"9223372036854775807\"}", "id=9223372036854775807"},
        {"{\"id\":-0}", "id=0"},
        {"{\"id\":\" +7 \"}", "id=7"},
        {"{\"id\":9223372036854775808}",
         "22003 id: value \"9223372036854775808\" is out of range for type bigint"},
        {"{\"id\":99999999999999999999999999}",
         "22003 id: value \"99999999999999999999999999\" is out of range for type bigint"},
        {"{\"id\":-9223372036854775809}",
         "22003 id: value \"-9223372036854775809\" is out of range for type bigint"},
        {"{\"id\":1,\"i2\":-32768,\"i4\":2147483647}", "id=1 i2=-32768 i4=2147483647"},
        {"{\"i2\":32768}", "22003 i2: value \"32768\" is out of range for type smallint"},
        {"{\"i4\":-2147483649}",
         "22003 i4: value \"-2147483649\" is out of range for type integer"},
        {"{\"id\":1.0}", "22P02 id: expected an integer, got \"1.0\""},
        {"{\"id\":1e3}", "22P02 id: expected an integer, got \"1e3\""},
        {"{\"id\":\"\"}", "22P02 id: expected an integer, got \"\""},
        {"{\"id\":\"-\"}", "22P02 id: expected an integer, got \"-\""},
        {"{\"id\":\"0x1F\"}", "22P02 id: expected an integer, got \"0x1F\""},
        {"{\"id\":\"1\\u00a0\"}", "22P02 id: expected an integer, got \"1\xC2\xA0\""},
        {"{\"id\":true}", "22P02 id: expected an integer, got a boolean"},
        {"{\"id\":{}}", "22P02 id: expected an integer, got an object"},
        {"{\"id\":[1]}", "22P02 id: expected an integer, got an array"},
        {"{\"id\":1,\"n\":123456789012345678901234567890.123456789}",
         "id=1 n=123456789012345678901234567890.123456789"},
        {"{\"id\":1,\"n\":\"NaN\"}", "id=1 n=NaN"},
        {"{\"id\":1,\"n\":\"-Infinity\"}", "id=1 n=-Infinity"},
        {"{\"id\":1,\"n\":1e999}", "id=1 n=1e999"},
        {"{\"id\":1,\"n\":\"1e\"}", "22P02 n: expected a number, got \"1e\""},
        {"{\"id\":1,\"n\":\".\"}", "22P02 n: expected a number, got \".\""},
        {"{\"id\":1,\"n\":\"1 2\"}", "22P02 n: expected a number, got \"1 2\""},
        {"{\"id\":1,\"f8\":0.1,\"f4\":0.1}", "id=1 f4=0.100000001 f8=0.10000000000000001"},
        {"{\"id\":1,\"f8\":1e308}", "id=1 f8=1e+308"},
        {"{\"id\":1,\"f8\":\"Infinity\",\"f4\":\"nan\"}", "id=1 f4=nan f8=inf"},
        {"{\"f8\":1e309}", "22003 f8: value \"1e309\" is out of range for type double precision"},
        {"{\"f8\":-1e309}", "22003 f8: value \"-1e309\" is out of range for type double precision"},
        {"{\"f8\":1e-400}", "22003 f8: value \"1e-400\" is out of range for type double precision"},
        {"{\"f4\":1e39}", "22003 f4: value \"1e39\" is out of range for type real"},
        {"{\"f8\":\"0x10\"}", "22P02 f8: expected a number, got \"0x10\""},
        {"{\"f8\":\"1.0.0\"}", "22P02 f8: expected a number, got \"1.0.0\""},
        {"{\"id\":1,\"b\":true}", "id=1 b=true"},
        {"{\"id\":1,\"b\":\"f\"}", "id=1 b=false"},
        {"{\"id\":1,\"b\":\"TRUE\"}", "id=1 b=true"},
        {"{\"b\":1}", "22P02 b: expected true or false, got a number"},
        {"{\"b\":\"maybe\"}", "22P02 b: expected true or false, got \"maybe\""},
    };

    (void)state;
    EXPECT(cases);
}

static void
test_texts(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":1,\"t\":\"\"}", "id=1 t="},
        {"{\"id\":1,\"t\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"}",
         "id=1 t=\"\\/\b\f\n\r\t\xC3\xA4\xF0\x9F\x98\x80"},
        {"{\"t\":1}", "22P02 t: expected a string, got a number"},
        {"{\"t\":true}", "22P02 t: expected a string, got a boolean"},
        {"{\"t\":{}}", "22P02 t: expected a string, got an object"},
        {"{\"id\":1,\"v3\":\"\xC3\xA4\xC3\xA4\xC3\xA4\"}", "id=1 v3=\xC3\xA4\xC3\xA4\xC3\xA4"},
        {"{\"v3\":\"abcd\"}", "22001 v3: value too long: 4 characters, at most 3"},
        {"{\"v3\":\"abc \"}", "22001 v3: value too long: 4 characters, at most 3"},
        {"{\"id\":1,\"e\":\"on hold\"}", "id=1 e=on hold"},
        {"{\"e\":\"Open\"}", "22P02 e: expected one of open, on hold, done, got \"Open\""},
        {"{\"e\":\"\"}", "22P02 e: expected one of open, on hold, done, got \"\""},
        {"{\"e\":0}", "22P02 e: expected a string, got a number"},
        {"{\"t\":\"a\\u0000b\"}", "22P05 t: unsupported Unicode escape sequence | line 1, column "
                                  "8: \\u0000 cannot be converted to text"},
        {"{\"t\":\"\\ud83d\"}",
         "22P02 t: invalid Unicode surrogate pair | line 1, column 7: half of a surrogate pair"},
        {"{\"t\":\"\\ude00\"}",
         "22P02 t: invalid Unicode surrogate pair | line 1, column 7: half of a surrogate pair"},
        {"{\"t\":\"\\ud83d\\u0041\"}",
         "22P02 t: invalid Unicode surrogate pair | line 1, column 7: half of a surrogate pair"},
        {"{\"t\":\"\\ud83d\\ud83d\\ude00\"}",
         "22P02 t: invalid Unicode surrogate pair | line 1, column 7: half of a surrogate pair"},
        {"{\"id\":1,\"t\":\"\\\\u0000\"}", "id=1 t=\\u0000"},
        {"{\"t\":\"a\xFF\"}", "22021 t: invalid byte sequence for encoding \"UTF8\" | line 1, "
                              "column 8: not valid UTF-8"},
        {"{\"t\":\"\xC0\x80\"}", "22021 t: invalid byte sequence for encoding \"UTF8\" | line 1, "
                                 "column 7: not valid UTF-8"},
        {"{\"t\":\"\xED\xA0\x80\"}", "22021 t: invalid byte sequence for encoding \"UTF8\" | line "
                                     "1, column 7: not valid UTF-8"},
        {"{\"a\xFF\":1}", "22021 -: invalid byte sequence for encoding \"UTF8\" | line 1, column "
                          "4: not valid UTF-8"},
        {"{\"a\\u0000\":1}", "22P05 -: unsupported Unicode escape sequence | line 1, column 4: "
                             "\\u0000 cannot be converted to text"},
        {"{\"t\":\"a\nb\"}", "PGRST102 t: Empty or invalid json | line 1, column 8: lexical error: "
                             "invalid character inside string."},
        {"{\"t\":\"\\x41\"}",
         "PGRST102 t: Empty or invalid json | line 1, column 8: lexical error: inside a string, "
         "'\\' occurs before a character which it may not."},
        {"{\"id\":1,\"u\":\"A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11\"}",
         "id=1 u=a0eebc999c0b4ef8bb6d6bb9bd380a11"},
        {"{\"id\":1,\"u\":\"{a0eebc999c0b4ef8bb6d6bb9bd380a11}\"}",
         "id=1 u=a0eebc999c0b4ef8bb6d6bb9bd380a11"},
        {"{\"u\":\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\"}",
         "22P02 u: expected a UUID, got \"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\""},
        {"{\"u\":\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111\"}",
         "22P02 u: expected a UUID, got \"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111\""},
        {"{\"u\":\"{a0eebc999c0b4ef8bb6d6bb9bd380a11\"}",
         "22P02 u: expected a UUID, got \"{a0eebc999c0b4ef8bb6d6bb9bd380a11\""},
        {"{\"u\":\"\"}", "22P02 u: expected a UUID, got \"\""},
        {"{\"id\":1,\"y\":\"\\\\x00fF\"}", "id=1 y=\\x00fF"},
        {"{\"id\":1,\"y\":\"\\\\x\"}", "id=1 y=\\x"},
        {"{\"y\":\"\\\\x0\"}", "22P02 y: expected bytes in hexadecimal (\\x...), got \"\\x0\""},
        {"{\"y\":\"abc\"}", "22P02 y: expected bytes in hexadecimal (\\x...), got \"abc\""},
    };

    (void)state;
    EXPECT(cases);
    expect_text("{\"id\":1}\0", 9,
                "PGRST102 -: Empty or invalid json | line 1, column 10: "
                "parse error: trailing garbage");
    expect_text("{\"t\":\"a\0b\"}", 11,
                "PGRST102 t: Empty or invalid json | line 1, column 8: lexical error: invalid "
                "character inside string.");
}

static void
test_json_is_verbatim(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":1,\"j\": {\"a\" : [1.50, {}],\n\"a\":2} }",
         "id=1 j={\"a\" : [1.50, {}],\n\"a\":2}"},
        {"{\"id\":1,\"j\": \"te\\u00e4xt\" ,\"jb\":1e400}", "id=1 j=\"te\\u00e4xt\" jb=1e400"},
        {"{\"id\":1,\"j\":true,\"jb\":null}", "id=1 j=true jb=NULL"},
        {"[{\"j\":[],\"id\":1},{\"j\":{},\"id\":2}]", "[id=1 j=[]; id=2 j={}]"},
        {"{\"j\":\v{}}", "PGRST102 j: Empty or invalid json | line 1, column 6: lexical error: "
                         "invalid char in json text."},
        {"{\"j\":[1,\f2]}", "PGRST102 j: Empty or invalid json | line 1, column 9: lexical error: "
                            "invalid char in json text."},
        {"{\"j\":{\"a\":\"\\u0000\"}}", "22P05 j: unsupported Unicode escape sequence | line 1, "
                                        "column 12: \\u0000 cannot be converted to text"},
        {"{\"j\":{\"a\":\"\\udc00\"}}",
         "22P02 j: invalid Unicode surrogate pair | line 1, column 12: half of a surrogate pair"},
    };

    (void)state;
    EXPECT(cases);
}

static void
test_composites(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":1,\"co\":{}}", "id=1 co=(,,)"},
        {"{\"id\":1,\"co\":{\"home\":null,\"name\":\"a\\\"\\\\\"}}", "id=1 co=(\"a\\\"\\\\\",,)"},
        {"{\"id\":1,\"co\":\"(a,,)\"}", "id=1 co=(a,,)"},
        {"{\"id\":1,\"co\":{\"home\":{\"floor\":\"2\",\"doc\":{\"a\": "
         "[1]},\"tags\":[\"x\",null]}}}",
         "id=1 co=(,\"(,\\\"2\\\",\\\"{\\\\\\\"x\\\\\\\",NULL}\\\",\\\"{\\\\\\\"a\\\\\\\": "
         "[1]}\\\")\",)"},
        {"{\"id\":1,\"ca\":[]}", "id=1 ca={}"},
        {"{\"id\":1,\"ca\":[null,{\"floor\":1}]}", "id=1 ca={NULL,\"(,\\\"1\\\",,)\"}"},
        {"{\"co\":{\"name\":\"abcd\"}}",
         "22001 co: \"name\": value too long: 4 characters, at most 3"},
        {"{\"co\":{\"home\":{\"floor\":1.5}}}",
         "22P02 co: \"home\": \"floor\": expected an integer, got \"1.5\""},
        {"{\"co\":{\"home\":{\"tags\":{}}}}",
         "22P02 co: \"home\": \"tags\": expected an array, got an object"},
        {"{\"co\":{\"home\":[]}}", "22P02 co: \"home\": expected an object, got an array"},
        {"{\"co\":{\"nick\":1}}", "PGRST204 co: there is no field \"nick\" in it"},
        {"{\"co\":{\"name\":\"a\",\"name\":\"b\"}}",
         "PGRST102 co: \"name\": the field is given twice"},
        {"{\"co\":[]}", "22P02 co: expected an object, got an array"},
        {"{\"co\":1}", "22P02 co: expected an object, got a number"},
        {"{\"ca\":{}}", "22P02 ca: expected an array, got an object"},
        {"{\"ca\":[[{}]]}", "22P02 ca: expected an object, got an array"},
        {"{\"ca\":[{\"floor\":true}]}", "22P02 ca: \"floor\": expected an integer, got a boolean"},
    };

    (void)state;
    EXPECT(cases);
}

static void
test_arrays(void **state)
{
    static const struct expectation cases[] = {
        {"{\"id\":1,\"ta\":[]}", "id=1 ta={}"},
        {"{\"id\":1,\"ta\":[\"a\",\"b,{}\",\"c\\\"\\\\d\",null,\"NULL\",\"\"]}",
         "id=1 ta={\"a\",\"b,{}\",\"c\\\"\\\\d\",NULL,\"NULL\",\"\"}"},
        {"{\"id\":1,\"ta\":[[\"a\"],[\"b\"]]}", "id=1 ta={{\"a\"},{\"b\"}}"},
        {"{\"id\":1,\"ia\":[1,\"2\"],\"ta\":[\"x\"]}", "id=1 ta={\"x\"} ia={\"1\",\"2\"}"},
        {"{\"id\":1,\"ja\":[{\"a\":[1]},[2],\"s\\\"\",3,null,true]}",
         "id=1 ja={\"{\\\"a\\\":[1]}\",\"[2]\",\"\\\"s\\\\\\\"\\\"\",\"3\",NULL,\"true\"}"},
        {"{\"id\":1,\"ta\":\"{a,\\\"b c\\\",NULL,x}\"}", "id=1 ta={a,\"b c\",NULL,x}"},
        {"{\"id\":1,\"ia\":\" [0:1]={1,2} \"}", "id=1 ia= [0:1]={1,2} "},
        {"{\"id\":1,\"ea\":[\"done\"]}", "id=1 ea={\"done\"}"},
        {"{\"ea\":[\"done\",\"x\"]}", "22P02 ea: expected one of open, on hold, done, got \"x\""},
        {"{\"ea\":\"{x}\"}", "22P02 ea: expected one of open, on hold, done, got \"x\""},
        {"{\"ia\":[1,1.5]}", "22P02 ia: expected an integer, got \"1.5\""},
        {"{\"ia\":[1,true]}",
         "22P02 ia: expected an array of which each is an integer, got a boolean"},
        {"{\"ia\":[{}]}", "22P02 ia: expected an array of which each is an integer, got an object"},
        {"{\"ia\":1}", "22P02 ia: expected an array, got a number"},
        {"{\"ia\":{}}", "22P02 ia: expected an array, got an object"},
        {"{\"ia\":\"1,2\"}", "22P02 ia: expected an array, got \"1,2\""},
        {"{\"ia\":\"{1,2\"}", "22P02 ia: expected an array, got \"{1,2\""},
        {"{\"ia\":\"{1,}\"}", "22P02 ia: expected an array, got \"{1,}\""},
        {"{\"ia\":\"{1}x\"}", "22P02 ia: expected an array, got \"{1}x\""},
        {"{\"ia\":\"{x}\"}", "22P02 ia: expected an integer, got \"x\""},
        {"{\"ia\":[[1],[2,3]]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
        {"{\"ia\":[1,[2]]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
        {"{\"ia\":[[1],2]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
        {"{\"ia\":[[1],[[2]]]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
        {"{\"ia\":[[],[]]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
        {"{\"ia\":\"{{1},{2,3}}\"}", "22P02 ia: expected an array, got \"{{1},{2,3}}\""},
        {"{\"ia\":\"{1,{2}}\"}", "22P02 ia: expected an array, got \"{1,{2}}\""},
        {"{\"ia\":\"{{}}\"}", "22P02 ia: expected an array, got \"{{}}\""},
        {"{\"id\":1,\"ia\":[[[1,2]],[[3,4]]]}", "id=1 ia={{{\"1\",\"2\"}},{{\"3\",\"4\"}}}"},
        {"{\"ia\":[[[[[[[1]]]]]]]}",
         "22P02 ia: expected an array whose parts are of one size, at most 6 deep"},
    };

    (void)state;
    EXPECT(cases);
}

/* Sixty-four levels are read, one more is not, and the field is named either way. */
static void
test_depth(void **state)
{
    (void)state;
    for (size_t depth = 63; depth <= 64; depth++) {
        struct pgs_buf json, out;

        pgs_buf_init(&json, 0);
        pgs_buf_init(&out, 0);
        pgs_buf_add_str(&json, "{\"id\":1,\"j\":");
        for (size_t i = 0; i < depth; i++)
            pgs_buf_add_char(&json, '[');
        for (size_t i = 0; i < depth; i++)
            pgs_buf_add_char(&json, ']');
        pgs_buf_add_char(&json, '}');
        read_and_describe(&out, json.at, json.len);
        pgs_buf_add_char(&out, '\0');
        if (depth == 63)
            assert_memory_equal(out.at, "id=1 j=[[[", 10);
        else
            assert_string_equal(
                out.at,
                "PGRST102 j: the JSON is nested too deeply | line 1, column 76: at most 64 levels");
        pgs_buf_clear(&json);
        pgs_buf_clear(&out);
        heap_free_all();
    }
}

/* Clients may change the order of keys from row to row. */
static void
test_keys_in_any_order(void **state)
{
    static const char json[] = "[{\"id\":1,\"t\":\"a\",\"b\":true},{\"b\":false,\"id\":2},{\"t\":"
                               "\"c\",\"b\":true,\"id\":3},{\"id\":4,\"t\":\"d\"}]";

    (void)state;
    expect_text(json, sizeof(json) - 1,
                "[id=1 b=true t=a; id=2 b=false; id=3 b=true t=c; id=4 t=d]");
}

static void
test_changes_require_nothing(void **state)
{
    static const struct pgs_shape change = PGS_PARTIAL_SHAPE(struct row, fields);
    struct pgs_read_error error;
    bool was_array;
    size_t n;
    void *rows;

    (void)state;
    assert_true(pgs_json_read(&change, "{\"t\":\"x\"}", 9, 1, heap, &rows, &n, &was_array, &error));
    assert_int_equal(((const struct row *)rows)->has[0], PGS_ABSENT);
    heap_free_all();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_json_is_verbatim),
        cmocka_unit_test(test_composites),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_changes_require_nothing),
        cmocka_unit_test(test_keys_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

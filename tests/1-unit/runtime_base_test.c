/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digits.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/siphash.h"
#include "base/utf8.h"

static void
test_buf_grows(void **state)
{
    struct pgs_buf buf;
    size_t len;
    char *taken;

    (void)state;
    pgs_buf_init(&buf, 0);
    assert_non_null(pgs_buf_reserve(&buf, 0));
    for (int i = 0; i < 100000; i++)
        pgs_buf_add_char(&buf, (char)('a' + i % 26));
    pgs_buf_add_str(&buf, "");
    pgs_buf_add(&buf, "end", 3);
    assert_int_equal(buf.len, 100003);
    assert_memory_equal(buf.at + 100000, "end", 3);
    taken = pgs_buf_take(&buf, &len);
    assert_int_equal(len, 100003);
    assert_int_equal(buf.len, 0);
    free(taken);
    pgs_buf_clear(&buf);
}

static void
test_buf_keeps_its_bound(void **state)
{
    struct pgs_buf buf;

    (void)state;
    pgs_buf_init(&buf, 10);
    pgs_buf_add_str(&buf, "0123456789");
    assert_false(buf.failed);
    pgs_buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    pgs_buf_clear(&buf);
    assert_false(buf.failed);
    assert_null(pgs_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    pgs_buf_add_str(&buf, "ignored");
    assert_int_equal(buf.len, 0);
    pgs_buf_clear(&buf);
}

static void
test_buf_integers(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pgs_buf buf;

        pgs_buf_init(&buf, 0);
        pgs_buf_add_int(&buf, cases[i].value);
        pgs_buf_add_char(&buf, '\0');
        assert_string_equal(buf.at, cases[i].text);
        pgs_buf_clear(&buf);
    }
}

static void
test_hex(void **state)
{
    char text[PGS_HEX_MAX + 1], expected[PGS_HEX_MAX + 1];

    (void)state;
    for (uint64_t value = UINT64_MAX; value > 0; value = value / 3 - (value > 9)) {
        *pgs_write_hex(text, value) = '\0';
        (void)snprintf(expected, sizeof(expected), "%" PRIX64, value);
        assert_string_equal(text, expected);
    }
    *pgs_write_hex(text, 0) = '\0';
    assert_string_equal(text, "0");
}

/* Every length up to some words, each byte of it differing in each bit. */
static void
test_secret_is(void **state)
{
    char secret[40], given[40];

    (void)state;
    memset(secret, 'x', sizeof(secret));
    for (size_t len = 0; len <= sizeof(secret); len++) {
        memcpy(given, secret, sizeof(secret));
        assert_true(pgs_secret_is(secret, given, len));
        for (size_t bit = 0; bit < 8 * sizeof(secret); bit++) {
            given[bit / 8] ^= (char)(1 << bit % 8);
            assert_int_equal(pgs_secret_is(secret, given, len), bit / 8 >= len);
            given[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

static void
test_hash_sees_all(void **state)
{
    char text[24] = {0};
    uint64_t hash;

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        hash = pgs_hash(1, text, len);
        assert_true(hash != pgs_hash(2, text, len));
        assert_true(hash != pgs_hash(1, text, len + 1));
        for (size_t i = 0; i < len; i++) {
            text[i] = 1;
            assert_true(hash != pgs_hash(1, text, len));
            text[i] = 0;
        }
    }
}

/* What libcrypto makes of it; `key` little-endian, as the numbers of a key are. */
static uint64_t
reference_siphash(EVP_MAC_CTX *mac, const unsigned char key[16], const void *bytes, size_t len)
{
    size_t size = 8;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                 OSSL_PARAM_construct_end()};
    unsigned char tag[8] = {0};
    uint64_t hash = 0;

    assert_int_equal(EVP_MAC_init(mac, key, 16, params), 1);
    assert_int_equal(EVP_MAC_update(mac, bytes, len), 1);
    assert_int_equal(EVP_MAC_final(mac, tag, &size, sizeof(tag)), 1);
    for (size_t i = 0; i < sizeof(tag); i++)
        hash |= (uint64_t)tag[i] << 8 * i;
    return hash;
}

static void
test_siphash(void **state)
{
    const struct pgs_siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    EVP_MAC *siphash = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(siphash);
    unsigned char key_bytes[16], text[130];

    (void)state;
    assert_non_null(mac);
    for (size_t i = 0; i < sizeof(key_bytes); i++)
        key_bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (unsigned char)(i * 37);
    for (size_t from = 0; from < 8; from++)
        for (size_t len = 0; len + from < sizeof(text); len++)
            assert_true(pgs_siphash(&key, text + from, len) ==
                        reference_siphash(mac, key_bytes, text + from, len));
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(siphash);
}

static void
test_utf8_check(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        {"", 0},
        {"plain ascii, longer than a word", 31},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9},
        {"abcdefgh\xFFxyz", 8},
        {"abcdefg\xC3", 7},
        {"\x80", 0},         /* a continuation alone */
        {"\xC0\x80", 0},     /* U+0000, overlong */
        {"\xC1\xBF", 0},     /* overlong */
        {"\xE0\x9F\xBF", 0}, /* overlong */
        {"\xF0\x8F\xBF\xBF", 0},
        {"\xED\x9F\xBF", 3},
        {"\xED\xA0\x80", 0}, /* a surrogate */
        {"\xEE\x80\x80", 3},
        {"\xF4\x8F\xBF\xBF", 4},
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 0},
        {"\xE2\x82", 0},
        {"\xE2\x28\xA1", 0},
        {"\xF0\x9F\x98\x28", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(pgs_utf8_check(cases[i].text, strlen(cases[i].text)), cases[i].valid);
}

/* Every code point there is, and none besides. */
static void
test_utf8_write_and_check_agree(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char bytes[4];
        size_t len;

        if (code >= 0xD800 && code < 0xE000)
            continue;
        len = pgs_utf8_write(bytes, code);
        assert_int_equal(pgs_utf8_sequence(bytes, len), len);
        assert_int_equal(pgs_utf8_count(bytes, len), 1);
        assert_int_equal(len > 1 ? pgs_utf8_sequence(bytes, len - 1) : 0, 0);
    }
}

static void
test_utf8_cut(void **state)
{
    (void)state;
    assert_int_equal(pgs_utf8_cut("abc", 3, 5), 3);
    assert_int_equal(pgs_utf8_cut("abc", 3, 2), 2);
    assert_int_equal(pgs_utf8_cut("a\xE2\x82\xAC", 4, 3), 1);
    assert_int_equal(pgs_utf8_cut("a\xE2\x82\xAC", 4, 4), 4);
    assert_int_equal(pgs_utf8_cut("\xC3\xA4", 2, 1), 0);
}

static int64_t
fixed_us(void)
{
    return INT64_C(1709164799123456); /* a leap day */
}

static const struct pgs_clock fixed_clock = {fixed_us, fixed_us};

static void
test_clock(void **state)
{
    int64_t before = pgs_clock_ms();

    (void)state;
    assert_true(pgs_clock_ms() >= before);
    assert_true(pgs_clock_wall_s() > INT64_C(1500000000));
    pgs_clock_replace(&fixed_clock);
    assert_int_equal(pgs_clock_wall_s(), INT64_C(1709164799));
    assert_int_equal(pgs_clock_wall_ms(), INT64_C(1709164799123));
    assert_int_equal(pgs_clock_ms(), INT64_C(1709164799123));
    assert_int_equal(pgs_clock_us(), INT64_C(1709164799123456));
    pgs_clock_replace(NULL);
    assert_true(pgs_clock_ms() >= before);
}

static int log_pipe[2];

/* The line that has been written; "" when none was. */
static const char *
logged(void)
{
    static char line[PGS_LOG_MAX + 1];
    ssize_t n;

    assert_int_equal(write(log_pipe[1], "!", 1), 1); /* so that read() never waits */
    n = read(log_pipe[0], line, sizeof(line));
    assert_true(n >= 1);
    line[n - 1] = '\0';
    return line;
}

static int
open_log(void **state)
{
    (void)state;
    assert_int_equal(pipe(log_pipe), 0);
    pgs_log_open(log_pipe[1], PGS_LOG_INFO);
    pgs_clock_replace(&fixed_clock);
    return 0;
}

static int
close_log(void **state)
{
    (void)state;
    pgs_log_open(STDERR_FILENO, PGS_LOG_INFO);
    pgs_clock_replace(NULL);
    close(log_pipe[0]);
    close(log_pipe[1]);
    return 0;
}

#define HEAD "{\"time\":\"2024-02-28T23:59:59.123Z\",\"level\":"

static void
test_log_line(void **state)
{
    (void)state;
    PGS_LOG(PGS_LOG_WARN, "request", PGS_LOG_STR("path", "/a\"b\\c\n\x01\x7F"),
            PGS_LOG_INT("status", -200), PGS_LOG_BOOL("ok", true), PGS_LOG_STR("none", NULL),
            PGS_LOG_TEXT("text", "\xC3\xA4\xFFz\xC2\x9B\xC2\xA0", 8));
    assert_string_equal(logged(), HEAD "\"warn\",\"event\":\"request\","
                                       "\"path\":\"/a\\\"b\\\\c\\n\\u0001\\u007f\","
                                       "\"status\":-200,\"ok\":true,\"none\":null,"
                                       "\"text\":\"\xC3\xA4\xEF\xBF\xBDz\\u009b\xC2\xA0\"}\n");
    pgs_log(PGS_LOG_ERROR, "alone", NULL, 0);
    assert_string_equal(logged(), HEAD "\"error\",\"event\":\"alone\"}\n");
    PGS_LOG(PGS_LOG_INFO, "least", PGS_LOG_INT("n", INT64_MIN));
    assert_string_equal(logged(),
                        HEAD "\"info\",\"event\":\"least\",\"n\":-9223372036854775808}\n");
}

static void
test_log_levels(void **state)
{
    enum pgs_log_level level = PGS_LOG_INFO;

    (void)state;
    pgs_log(PGS_LOG_DEBUG, "not wanted", NULL, 0);
    assert_string_equal(logged(), "");
    assert_true(pgs_log_level_read("error", &level));
    assert_int_equal(level, PGS_LOG_ERROR);
    assert_false(pgs_log_level_read("Error", &level));
    pgs_log_open(log_pipe[1], PGS_LOG_OFF);
    pgs_log(PGS_LOG_ERROR, "not wanted either", NULL, 0);
    assert_string_equal(logged(), "");
    assert_false(pgs_log_wants(PGS_LOG_ERROR));
    pgs_log_open(log_pipe[1], PGS_LOG_INFO);
}

/* However long, it is one line within the bound, ends as JSON does, and says that it was cut. */
static void
test_log_is_cut(void **state)
{
    static const char cut[] = ",\"cut\":true}\n";
    char text[3000];
    const char *line;

    (void)state;
    memset(text, 'x', sizeof(text));
    PGS_LOG(PGS_LOG_INFO, "long", PGS_LOG_TEXT("a", text, sizeof(text)),
            PGS_LOG_TEXT("b", text, sizeof(text)), PGS_LOG_TEXT("c", text, sizeof(text)),
            PGS_LOG_TEXT("d", text, sizeof(text)), PGS_LOG_INT("last", 7));
    line = logged();
    assert_true(strlen(line) <= PGS_LOG_MAX);
    assert_string_equal(line + strlen(line) - strlen(cut), cut);
    assert_non_null(strstr(line, "xxx\xE2\x80\xA6\",\"b\":\"xxx"));
    assert_null(strstr(line, "\"d\""));
    assert_non_null(strstr(line, "\"last\":7"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_buf_keeps_its_bound),
        cmocka_unit_test(test_buf_integers),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_secret_is),
        cmocka_unit_test(test_hash_sees_all),
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_utf8_check),
        cmocka_unit_test(test_utf8_write_and_check_agree),
        cmocka_unit_test(test_utf8_cut),
        cmocka_unit_test(test_clock),
        cmocka_unit_test_setup_teardown(test_log_line, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_log_levels, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_log_is_cut, open_log, close_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

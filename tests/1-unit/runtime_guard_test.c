/* SPDX-License-Identifier: MIT */
/*
 * The raw heads that a proxy and libh2o could read in two ways, and those that are fine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/budget.h"
#include "http/chunked.h"
#include "http/guard.h"

struct head {
    const char *name;
    const char *text;
};

static const struct head good[] = {
    {"get", "GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n"},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n"},
    {"port", "GET / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n"},
    {"address", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
    {"length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
    {"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"},
    {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"spaces around a value", "GET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n"},
    {"a body with anything",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na\nb\0 c\r\n "},
    {"options of all", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"empty value", "GET / HTTP/1.1\r\nHost: x\r\nX-Empty:\r\n\r\n"},
    {"dots in a name", "GET /a..b/...c/.d/e. HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"encoded letters", "GET /%61%0a%20%5C%23\xc3\xa9/ HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"anything in a query", "GET /a?b=../%2f%00%zz\\ HTTP/1.1\r\nHost: x\r\n\r\n"},
};

static const struct head bad[] = {
    {"nothing", ""},
    {"length and encoding",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"},
    {"list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\n"},
    {"signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n"},
    {"hexadecimal length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\n"},
    {"endless length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n"},
    {"empty length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n"},
    {"two encodings", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                      "identity\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"list of encodings", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {"vertical tab", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \vchunked\r\n\r\n"},
    {"encoding in 1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {"user in Host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
    {"list of Hosts", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
    {"folded line", "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"},
    {"folded by tab", "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n\tb\r\n\r\n"},
    {"bare LF", "GET / HTTP/1.1\nHost: x\n\n"},
    {"bare LF in the middle", "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"},
    {"bare CR", "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n"},
    {"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"},
    {"no colon", "GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n"},
    {"no name", "GET / HTTP/1.1\r\nHost: x\r\n: abc\r\n\r\n"},
    {"HTTP/1.9", "GET / HTTP/1.9\r\nHost: x\r\n\r\n"},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {"no version", "GET /\r\nHost: x\r\n\r\n"},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"absolute target", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"dots", "GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"one dot", "GET /./b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"dots at the end", "GET /a/.. HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"encoded dots", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"half encoded dots", "GET /a/.%2e?x HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"encoded slash", "GET /a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"encoded NUL", "GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"backslash", "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"fragment behind the query", "GET /a?b#c HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"no hex digits", "GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"half an encoding", "GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"an encoding cut by the query", "GET /a%4?1 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"star and more", "GET *a HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"never ends", "GET / HTTP/1.1\r\nHost: x\r\n"},
};

static const char *
check(const char *text, size_t len)
{
    const char *why;
    int status = pgs_guard_check(text, len, &why);

    assert_int_equal(status == 0, why == NULL);
    return why;
}

/* A request with `n` fields, the last of them `length` bytes long. */
static int
check_size(int n, size_t line, size_t length)
{
    static char text[70000];
    size_t len = (size_t)sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: x\r\n", (int)line, 0);
    const char *why;

    for (int i = 2; i <= n; i++)
        len += (size_t)sprintf(text + len, "X: %0*d\r\n", i == n ? (int)length : 1, 0);
    len += (size_t)sprintf(text + len, "\r\n");
    return pgs_guard_check(text, len, &why);
}

static void
test_sizes(void **state)
{
    (void)state;
    assert_int_equal(check_size(100, 1, 1), 0);
    assert_int_equal(check_size(101, 1, 1), 431);
    assert_int_equal(check_size(2, 8000, 1), 0);
    assert_int_equal(check_size(2, 8192, 1), 414);
    assert_int_equal(check_size(2, 1, 32000), 0);
    assert_int_equal(check_size(2, 1, 32768), 431);
}

/* What the reader makes of `text`, given `step` bytes at a time: "what it holds|what follows". */
static const char *
read_chunks(const char *text, size_t step)
{
    static char bytes[4096], result[4096];
    struct pgs__chunked chunked = {.consume_trailer = 1};
    size_t len = strlen(text), held = 0, given = 0;

    while (given < len) {
        size_t n = len - given < step ? len - given : step;
        ssize_t follows;

        memcpy(bytes + held, text + given, n);
        given += n;
        follows = pgs__chunked_read(&chunked, bytes + held, &n);
        if (follows == -1)
            return "malformed";
        held += n;
        if (follows >= 0) {
            snprintf(result, sizeof(result), "%.*s|%.*s%s", (int)held, bytes, (int)follows,
                     bytes + held, text + given);
            return result;
        }
    }
    return "more";
}

static void
test_chunks(void **state)
{
    static const struct {
        const char *text, *result;
    } cases[] = {
        {"3\r\nabc\r\n0\r\n\r\n", "abc|"},
        {"3\r\nabc\r\n0\r\n\r\nGET /", "abc|GET /"},
        {"1\r\na\r\n02\r\nbc\r\n000\r\n\r\n", "abc|"},
        {"A\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n", "0123456789|"},
        {"0\r\n\r\n", "|"},
        {"3\r\nabc\r\n0\r\n", "more"},
        {"3\r\nab", "more"},
        {"0x3\r\nabc\r\n0\r\n\r\n", "malformed"},
        {"+3\r\nabc\r\n0\r\n\r\n", "malformed"},
        {" 3\r\nabc\r\n0\r\n\r\n", "malformed"},
        {"3 \r\nabc\r\n0\r\n\r\n", "malformed"},
        {"3;x=y\r\nabc\r\n0\r\n\r\n", "malformed"},
        {"3\nabc\r\n0\r\n\r\n", "malformed"},
        {"3\r\nabc\n0\r\n\r\n", "malformed"},
        {"3\r\nabcd\r\n0\r\n\r\n", "malformed"},
        {"3\r\nabc\r\n0\r\n\n", "malformed"},
        {"\r\nabc\r\n0\r\n\r\n", "malformed"},
        {"1000000000000000\r\nabc", "malformed"},
        {"0\r\nX: a\nY: b\r\n\r\n", "malformed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 40; step++)
            assert_string_equal(read_chunks(cases[i].text, step), cases[i].result);
}

/* A bucket gives its burst at once, then what a second brings. */
static void
test_budget(void **state)
{
    struct pgs__budget budget = {.of = {{0, 0}}};
    int64_t now_ms = 1000;
    int n = 0;

    (void)state;
    while (pgs__budget_spend(&budget, PGS_SPENT_RESET, now_ms))
        n++;
    assert_int_equal(n, 200);
    for (n = 0, now_ms += 2000; pgs__budget_spend(&budget, PGS_SPENT_RESET, now_ms);)
        n++;
    assert_in_range(n, 64, 66);
    for (n = 0, now_ms += 3600000; pgs__budget_spend(&budget, PGS_SPENT_RESET, now_ms);)
        n++;
    assert_int_equal(n, 200);
    assert_true(pgs__budget_spend(&budget, PGS_SPENT_PING, now_ms));
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_H2_RESET), 3);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_H2_PING), 0);
}

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *wrong = check(good[i].text, strlen(good[i].text));

        if (wrong != NULL)
            fail_msg("%s: %s", good[i].name, wrong);
    }
}

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (check(bad[i].text, strlen(bad[i].text)) == NULL)
            fail_msg("%s passes", bad[i].name);
}

/* HTTP/2 has no line, but the same rules. */
static void
test_h2(void **state)
{
    static const struct {
        const char *method, *target;
        size_t len;
        int status;
    } cases[] = {
        {"GET", "/a?b=c", 100, 0},
        {"OPTIONS", "*", 100, 0},
        {"GET", "", 100, 400},
        {"GET", "a", 100, 400},
        {"GET", "http://a/b", 100, 400},
        {"GET", "/a/../b", 100, 400},
        {"GET /x", "/", 100, 400},
        {"", "/", 100, 400},
        {"GET", "/", PGS_GUARD_MAX_HEAD + 1, 431},
    };
    char target[PGS_GUARD_MAX_LINE + 1];
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(pgs_guard_check_h2(cases[i].method, strlen(cases[i].method),
                                            cases[i].target, strlen(cases[i].target), cases[i].len,
                                            &why),
                         cases[i].status);
    memset(target, '/', sizeof(target));
    assert_int_equal(pgs_guard_check_h2("GET", 3, target, sizeof(target), 100, &why), 414);
    assert_int_equal(pgs_guard_check_h2("GET", 3, target, sizeof(target) - 1, 100, &why), 0);
}

static void
test_nul(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n";

    (void)state;
    assert_non_null(check(text, sizeof(text) - 1));
}

static void
test_large_head(void **state)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    size_t len = PGS_GUARD_MAX_HEAD + 100;
    char *text = malloc(len);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text, start, sizeof(start) - 1);
    memcpy(text + len - 4, "\r\n\r\n", 4);
    assert_non_null(check(text, len));
    memcpy(text + 1000, "\r\n\r\n", 4); /* the rest is a body */
    assert_null(check(text, len));
    free(text);
}

/* Cut short anywhere, a good head is a bad one, and nothing behind its end is read. */
static void
test_every_length(void **state)
{
    const char *text = "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n";

    (void)state;
    for (size_t len = 0; len < strlen(text); len++) {
        char *exact = malloc(len > 0 ? len : 1);

        assert_non_null(exact);
        memcpy(exact, text, len);
        assert_non_null(check(exact, len));
        free(exact);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_budget),       cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),          cmocka_unit_test(test_nul),
        cmocka_unit_test(test_h2),           cmocka_unit_test(test_large_head),
        cmocka_unit_test(test_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

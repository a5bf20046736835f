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

/* A long value in a message is cut between characters, and the message stays whole. */
static void
test_long_values_are_cut(void **state)
{
    struct pgs_read_error error;
    struct row row = {.id = 0};
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    assert_false(pgs_text_read(&fields[0], 0, text + 1, 0, heap, &row, &error));
    assert_string_equal(error.message, "expected an integer, got \"\"");
    assert_false(pgs_text_read(&fields[0], 0, text, sizeof(text), heap, &row, &error));
    assert_int_equal(strlen(error.message), strlen("expected an integer, got \"\"...") + 64);
    heap_free_all();
}

static void
test_dates(void **state)
{
    static const struct {
        enum {
            D,
            H,
            TS,
            TZ,
            HZ
        } kind;
        const char *text;
        const char *code; /* NULL: good */
    } cases[] = {
        {D, "2024-02-29", NULL},
        {D, "infinity", NULL},
        {D, "-Infinity", NULL},
        {D, "0044-03-15 BC", NULL},
        {D, "5874897-12-31", NULL},
        {D, " 2024-01-01 ", NULL},
        {D, "0005-02-29 BC", NULL},
        {D, "2023-02-29", "22008"},
        {D, "1900-02-29", "22008"},
        {D, "0004-02-29 BC", "22008"},
        {D, "0000-01-01", "22008"},
        {D, "5874898-01-01", "22008"},
        {D, "2024-13-01", "22008"},
        {D, "2024-00-01", "22008"},
        {D, "2024-04-31", "22008"},
        {D, "2024-01-00", "22008"},
        {D, "2024-1-1", "22007"},
        {D, "24-01-01", "22007"},
        {D, "2024/01/01", "22007"},
        {D, "20240101", "22007"},
        {D, "2024-01-01T00:00:00Z", "22007"},
        {D, "today", "22007"},
        {D, "", "22007"},
        {D, "99999999999999999999-01-01", "22007"},
        {H, "10:00", NULL},
        {H, "23:59:59.999999", NULL},
        {H, "24:00:00", NULL},
        {H, "23:59:60", NULL},
        {H, "24:00:01", "22008"},
        {H, "25:00", "22008"},
        {H, "10:60", "22008"},
        {H, "10:00:61", "22008"},
        {H, "1:00", "22007"},
        {H, "10:00Z", "22007"},
        {H, "10", "22007"},
        {H, "10:00:00.", "22007"},
        {H, "infinity", "22007"},
        {TS, "2024-01-02 03:04:05", NULL},
        {TS, "2024-01-02T03:04", NULL},
        {TS, "2024-01-02T03:04:05.123456789Z", NULL},
        {TS, "2024-01-02", NULL},
        {TS, "294276-12-31T23:59:59", NULL},
        {TS, "infinity", NULL},
        {TS, "294277-01-01", "22008"},
        {TS, "2024-01-02T", "22007"},
        {TS, "2024-01-02T03", "22007"},
        {TS, "2024-01-02  03:04", "22007"},
        {TS, "now", "22007"},
        {TZ, "2024-01-02T03:04:05Z", NULL},
        {TZ, "2024-01-02t03:04:05z", NULL},
        {TZ, "2024-01-02 03:04:05.5+00", NULL},
        {TZ, "2024-01-02 03:04:05-0530", NULL},
        {TZ, "2024-01-02 03:04:05+05:30", NULL},
        {TZ, "2024-01-02 03:04:05+05:53:28", NULL},
        {TZ, "0044-03-15T00:00:00+00:00 BC", NULL},
        {TZ, "2024-01-02 03:04:05+16:00", "22009"},
        {TZ, "2024-01-02 03:04:05+05:60", "22009"},
        {TZ, "2024-01-02 03:04:05+5", "22007"},
        {TZ, "2024-01-02 03:04:05+", "22007"},
        {TZ, "2024-01-02 03:04:05 UTC", "22007"},
        {TZ, "2024-01-02 03:04:05ZZ", "22007"},
        {TZ, "2024-01-02 03:04:05+05:", "22007"},
        {HZ, "10:00:00+02", NULL},
        {HZ, "10:00Z", NULL},
        {HZ, "10:00-0530", NULL},
        {HZ, "10:00:00", NULL},
        {HZ, "25:00:00+02", "22008"},
        {HZ, "10:00:00+16", "22009"},
        {HZ, "10:00:00 +02", "22007"},
        {HZ, "infinity", "22007"},
        {HZ, "now", "22007"},
    };
    static const size_t numbers[] = {[D] = 11, [H] = 12, [TS] = 13, [TZ] = 14, [HZ] = 22};

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_read_error error = {.code = NULL};
        size_t number = numbers[cases[i].kind];
        struct row row = {.id = 0};
        bool read = pgs_text_read(&fields[number], number, cases[i].text, strlen(cases[i].text),
                                  heap, &row, &error);

        if (read != (cases[i].code == NULL) || (!read && strcmp(error.code, cases[i].code) != 0))
            fail_msg("\"%s\": %s", cases[i].text, read ? "read" : error.message);
        assert_int_equal(row.has[number], read ? PGS_SET : PGS_ABSENT);
    }
    heap_free_all();
}

static void
test_text_values(void **state)
{
    static const struct {
        size_t number;
        const char *text;
        const char *understood;
    } cases[] = {
        {0, "42", "id=42"},
        {6, "on", "b=true"},
        {6, "0", "b=false"},
        {7, "", "t="},
        {7, "eq.1", "t=eq.1"},
        {16, "{\"a\": 1}", "j={\"a\": 1}"},
        {17, "12", "jb=12"},
        {18, "{a,b}", "ta={a,b}"},
        {19, "{1,x}", "22P02 ia: expected an integer, got \"x\""},
        {17, "{", "22P02 jb: expected JSON: line 1, column 2: parse error: premature EOF"},
        {7, "\xFF", "22021 t: invalid byte sequence for encoding \"UTF8\""},
        {8, "abcd", "22001 v3: value too long: 4 characters, at most 3"},
        {23, "abc ", "22001 c3: value too long: 4 characters, at most 3"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_read_error error;
        struct row row = {.id = 0};
        struct pgs_buf out;

        pgs_buf_init(&out, 0);
        if (pgs_text_read(&fields[cases[i].number], cases[i].number, cases[i].text,
                          strlen(cases[i].text), heap, &row, &error))
            describe_row(&out, &row);
        else
            describe_error(&out, &error, false);
        pgs_buf_add_char(&out, '\0');
        assert_string_equal(out.at, cases[i].understood);
        pgs_buf_clear(&out);
        heap_free_all();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_text_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

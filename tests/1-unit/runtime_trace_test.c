/* SPDX-License-Identifier: MIT */
/* Which traceparents are continued, and what is written for the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/trace.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void
begin(struct pgs_trace *trace, const char *text)
{
    pgs_trace_begin(trace, text, text != NULL ? strlen(text) : 0);
}

static const char *
written(const struct pgs_trace *trace)
{
    static char text[PGS_TRACE_LEN + 1];

    pgs_trace_write(trace, text);
    return text;
}

static void
test_continued(void **state)
{
    static const struct {
        const char *text, *flags;
    } cases[] = {
        {"00-" ID "-" SPAN "-01", "01"},
        {"00-" ID "-" SPAN "-00", "00"},
        {"00-" ID "-" SPAN "-03", "03"},
        {"00-" ID "-" SPAN "-ff", "03"}, /* flags that are not known are not passed on */
        {"01-" ID "-" SPAN "-01", "01"},
        {"cc-" ID "-" SPAN "-01-what-the-future-will-be-like", "01"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pgs_trace trace;
        char parent[17] = "";

        begin(&trace, cases[i].text);
        assert_memory_equal(written(&trace), "00-" ID "-", 36);
        assert_memory_not_equal(written(&trace) + 36, SPAN, 16);
        assert_string_equal(written(&trace) + 53, cases[i].flags);
        pgs_hex_write(parent, trace.parent, sizeof(trace.parent));
        assert_string_equal(parent, SPAN);
    }
}

static void
test_ignored(void **state)
{
    static const char *const cases[] = {
        NULL,
        "",
        "00",
        "00-" ID "-" SPAN,
        "00-" ID "-" SPAN "-0",
        "00-" ID "-" SPAN "-01-more",
        "00-" ID "-" SPAN "-01 ",
        "01-" ID "-" SPAN "-01more",
        "ff-" ID "-" SPAN "-01",
        "0x-" ID "-" SPAN "-01",
        "00-" ID "-" SPAN "-0X",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" ID "-0000000000000000-01",
        "00_" ID "-" SPAN "-01",
        "00-" ID "_" SPAN "-01",
        "00-" ID "-" SPAN "_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-" SPAN "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const uint8_t none[8];
        struct pgs_trace trace;

        begin(&trace, cases[i]);
        assert_memory_equal(written(&trace), "00-", 3);
        assert_memory_not_equal(written(&trace) + 3, ID, 32);
        assert_memory_not_equal(written(&trace) + 3, "00000000000000000000000000000000", 32);
        assert_string_equal(written(&trace) + 52, "-00");
        assert_memory_equal(trace.parent, none, sizeof(none));
    }
}

static void
test_unique(void **state)
{
    static struct pgs_trace traces[1000];

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        begin(&traces[i], NULL);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(traces[i].id, traces[j].id, 16);
            assert_memory_not_equal(traces[i].span, traces[j].span, 8);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_continued),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

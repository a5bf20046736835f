/* SPDX-License-Identifier: MIT */
/* Every code of diag.def has an entry in docs/errors.md, under its title. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "text/source.h"

static const struct {
    const char *number, *title;
} codes[] = {
#define DIAG(number, name, severity, title) {#number, title},
#include "text/diag.def"
#undef DIAG
};

static void
every_code_is_explained(void **state)
{
    struct source *page = source_read(".", "docs/errors.md");
    size_t missing = 0;

    (void)state;
    assert_non_null(page);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const char *heading = arena_printf("\n### PGS%s: %s", codes[i].number, codes[i].title);

        if (strstr(page->text, heading))
            continue;
        print_error("docs/errors.md has no entry \"PGS%s: %s\"\n", codes[i].number, codes[i].title);
        missing++;
    }
    assert_int_equal(missing, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_code_is_explained)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

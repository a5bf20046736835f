/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as two access matrices, the second behind a NUL: read, narrowed, compared and printed.
 * A matrix is the same as itself, and what is printed as JSON is JSON.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "review/compare.h"
#include "review/view.h"
#include "text/diag.h"
#include "fuzz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(bool holds)
{
    if (!holds)
        abort();
}

static void
print_all(const struct matrix *old, const struct matrix *new)
{
    struct changes changes = compare_matrices(old, new);
    struct view all = {0};
    struct str text = {0}, json = {0}, view = {0};

    changes_print_text(&text, &changes);
    changes_print_markdown(&text, &changes);
    changes_print_json(&json, &changes);
    expect(is_json(json.at, json.n));
    view_print_text(&text, new, &all);
    view_print_json(&view, new, &all);
    expect(is_json(view.at, view.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *both = arena_copy((const char *)data, size);
    const char *second = both + strlen(both) + 1;
    struct matrix old, new;

    if (matrix_read(both, &old)) {
        expect(compare_matrices(&old, &old).list.n == 0);
        if (second <= both + size && matrix_read(second, &new))
            print_all(&old, &new);
    }
    diag_reset();
    arena_reset();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Any bytes through the formatter: what parses has a form that says the same, is its own form, and
 * parses without an error that the text did not have.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "format/format.h"
#include "text/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct source *
copy(const char *text, size_t len)
{
    return source_without_returns(source_from_text("fuzz.schema", text, len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *once = format_checked(copy((const char *)data, size)), *twice;
    size_t errors = diag_errors();

    diag_reset();
    if (once) {
        twice = format_checked(copy(once, strlen(once)));
        if (!twice || strcmp(once, twice) != 0 || diag_errors() > errors)
            abort();
    } else if (errors == 0) {
        abort(); /* the form would have meant something else */
    }
    diag_reset();
    arena_reset();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Any bytes as a schema: no crash, no endless loop, and every error can be printed. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "text/diag.h"
#include "syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    struct ast ast = {0};

    if (!sink)
        sink = fopen("/dev/null", "w");
    parse_source(&ast, source_from_text("fuzz.schema", (const char *)data, size));
    if (sink)
        diag_print(sink, true);
    diag_reset();
    arena_reset();
    return 0;
}

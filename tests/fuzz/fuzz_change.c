/* SPDX-License-Identifier: MIT */
/* Any two schemas, a form feed between them, the second as what was released: no crash, no endless
 * loop. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "passes/check.h"
#include "text/diag.h"
#include "syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    const char *text = (const char *)data, *split = size ? memchr(text, '\f', size) : NULL;
    size_t now_len = split ? (size_t)(split - text) : size;
    struct ast now = {0}, last = {0};

    if (!sink)
        sink = fopen("/dev/null", "w");
    parse_source(&now, source_from_text("schema/fuzz.schema", text, now_len));
    if (split)
        parse_source(&last,
                     source_from_text("migrations/current.schema", split + 1, size - now_len - 1));
    check_project_since(&now, split ? &last : NULL);
    if (sink)
        diag_print(sink, false);
    diag_reset();
    arena_reset();
    return 0;
}

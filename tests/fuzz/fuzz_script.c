/* SPDX-License-Identifier: MIT */
/* Any bytes as a migration: no crash, no endless loop, and statements that lie in order inside it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "migrate/script.h"
#include "text/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_order(const struct script_part *part, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < part->statements.n; i++) {
        struct span span = part->statements.at[i];

        if (span.start < at || span.end <= span.start || span.end > size)
            abort();
        at = span.end;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    const struct source *source = source_from_text("fuzz.sql", (const char *)data, size);
    struct script script;

    if (!sink)
        sink = fopen("/dev/null", "w");
    if (script_read_migration(source, &script)) {
        expect_order(&script.up, size);
        expect_order(&script.down, size);
    }
    if (script_read_plain(source, &script))
        expect_order(&script.up, size);
    if (sink)
        diag_print(sink, false);
    diag_reset();
    arena_reset();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a schema, through the checker and the emitters: no crash, no endless loop.  What did
 * not parse is checked all the same; what is accepted becomes C, SQL and the rest; what is written
 * as JSON is JSON.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "passes/check.h"
#include "emit/emit.h"
#include "text/diag.h"
#include "syntax/parse.h"
#include "fuzz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_json(const char *text, size_t len)
{
    if (!is_json(text, len))
        abort();
}

static void
emit_all(const struct model *model)
{
    const struct plan *plan = plan_make(model);
    const char *fingerprint = emit_migration(plan), *openapi = emit_openapi_text(plan);

    for (size_t i = 0; i < plan->tables.n; i++)
        emit_table(plan, plan->tables.at[i]);
    emit_queries(plan);
    emit_app(plan, fingerprint);
    emit_access(plan);
    emit_types_text(plan);
    expect_json(openapi, strlen(openapi));
    out_reset();
}

static void
print_findings(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return;
    diag_print_json(out);
    fflush(out);
    expect_json(text, len);
    diag_print(out, true);
    fclose(out);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ast ast = {0};
    const struct model *model;

    parse_source(&ast, source_from_text("fuzz.schema", (const char *)data, size));
    model = check_project(&ast);
    if (model)
        emit_all(model);
    print_findings();
    diag_reset();
    arena_reset();
    return 0;
}

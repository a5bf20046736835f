/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a schema, through the checker and to SQL text: no crash, no endless loop.  What did
 * not parse is checked all the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "check/check.h"
#include "text/diag.h"
#include "syntax/parse.h"
#include "sql/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
print_all(const struct model *model)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->query)
            sql_select(model->tables.at[i]->query, SQL_PLAIN);
    for (size_t i = 0; i < model->queries.n; i++)
        if (model->queries.at[i]->body)
            sql_select(model->queries.at[i]->body, SQL_PLAIN);
    for (size_t i = 0; i < model->policies.n; i++) {
        if (model->policies.at[i]->using_expr)
            sql_expr(model->policies.at[i]->using_expr, SQL_POLICY);
        if (model->policies.at[i]->check_expr)
            sql_expr(model->policies.at[i]->check_expr, SQL_POLICY);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    struct ast ast = {0};
    const struct model *model;

    if (!sink)
        sink = fopen("/dev/null", "w");
    parse_source(&ast, source_from_text("fuzz.schema", (const char *)data, size));
    model = check_project(&ast);
    if (model)
        print_all(model);
    if (sink)
        diag_print(sink, true);
    diag_reset();
    arena_reset();
    return 0;
}

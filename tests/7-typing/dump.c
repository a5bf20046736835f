/* SPDX-License-Identifier: MIT */
/*
 * Prints what the checker finds in a schema: `name oid nullable` for the first column of each view,
 * where oid is a number, or the name of an enumeration; then the findings as JSON.
 */
#include <stdio.h>

#include "passes/check.h"
#include "model/catalog.h"
#include "model/types.h"
#include "syntax/parse.h"
#include "text/diag.h"

static void
print_type(struct type type)
{
    const struct catalog_type *row = catalog_type_of(type);

    if (type.kind == TYPE_ENUM)
        printf("%s%s", type.enumeration->name, type.array ? "[]" : "");
    else if (row)
        printf("%u", type.array ? row->array_oid : row->oid);
    else
        printf("?");
}

int
main(int argc, char **argv)
{
    struct source *source = argc == 2 ? source_read(".", argv[1]) : NULL;
    struct ast ast = {0};
    const struct model *model;

    if (!source)
        return 1;
    parse_source(&ast, source);
    model = check_project(&ast);
    for (size_t i = 0; model && i < model->tables.n; i++) {
        const struct table *view = model->tables.at[i];

        if (!view->is_view)
            continue;
        printf("%s ", view->name);
        print_type(view->columns.at[0]->type);
        printf(" %d\n", !view->columns.at[0]->not_null);
    }
    printf("---\n");
    diag_print_json(stdout);
    return 0;
}

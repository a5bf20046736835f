/* SPDX-License-Identifier: MIT */
/* endpoint f;: a declared function becomes a query of its own name. */
#include "check/checker.h"

#include <string.h>

#include "served/cost.h"
#include "served/rate.h"

static void
refuse(const struct ast_endpoint *ast, const struct declared_function *function,
       const char *message, const char *hint)
{
    struct diag *diag = diag_at(ast->table.span, PGS2308_FUNCTION_SERVED, "%s", message);

    diag_note(diag, function->span, "it is declared here");
    diag_hint(diag, "%s", hint);
}

static bool
may_be_served(const struct checker *checker, const struct ast_endpoint *ast,
              const struct declared_function *function)
{
    const struct query *same = check_query_named(checker->model, function->name);

    if (function->returns_trigger)
        refuse(ast, function, "a function that returns trigger cannot be served",
               "it is called by its triggers alone");
    else if (same && same->function == function)
        refuse(ast, function, arena_printf("\"%s\" is served twice", function->name),
               "drop one of the two");
    else if (ast->has_body || ast->scan_ok || ast->cors.text)
        refuse(ast, function, "the endpoint of a function has no verbs",
               arena_printf("write `endpoint %s;`", function->name));
    else if (function_takes_row(function))
        refuse(ast, function, "a function that takes the row of a table cannot be served",
               "let it take the key of the row, and read the table");
    else if (function->roles.n == 0)
        refuse(ast, function,
               arena_printf("\"%s\" is served, but no role may execute it", function->name),
               "add `to authenticated` to the function");
    else
        return true;
    return false;
}

/* PostgreSQL has the columns in rows of a table whole: private ones too.  Of a body that is no
 * text, check_definers() says it at the column. */
static void
check_private_rows(const struct declared_function *function)
{
    const struct table *table = function->returns_table;

    for (size_t i = 0; table && !function->body && i < table->columns.n; i++) {
        struct diag *diag;

        if (!table->columns.at[i]->is_private)
            continue;
        diag = diag_at(function->span, PGS4006_PRIVATE_SERVED,
                       "\"%s\" of \"%s\" is private: no endpoint may return it",
                       table->columns.at[i]->name, table->name);
        diag_note(diag, table->columns.at[i]->span, "it is marked here");
        diag_hint(diag, "return a list of columns: `returns table (...)`");
        return;
    }
}

bool
check_served_function(struct checker *checker, const struct ast_endpoint *ast)
{
    const char *schema = ast->table.schema.text;
    const struct declared_function *function =
        !schema || strcmp(schema, "public") == 0
            ? check_function_named(checker->model, ast->table.name.text)
            : NULL;
    struct query *query;

    if (!function || check_table_named(checker, "public", function->name))
        return false;
    uses_note(ast->table.name.span, USE_FUNCTION, function);
    if (!may_be_served(checker, ast, function))
        return true;
    check_private_rows(function);
    query = arena_alloc(sizeof(*query));
    query->span = function->span;
    query->name = function->name;
    query->params = function->params;
    for (size_t i = 0; i < function->roles.n; i++)
        vec_push(&query->roles, function->roles.at[i]);
    query->returns_set = function->returns_set;
    query->returns_table = function->returns_table;
    query->returns_type = function->returns_type;
    for (size_t i = 0; i < function->returns_columns.n; i++)
        vec_push(&query->returns_columns, function->returns_columns.at[i]);
    check_rates(&ast->rates, check_guests_of(query), &query->rates);
    check_rates_within(&query->rates, checker->model->rates);
    query->cost = check_query_cost(&ast->costs);
    query->raw = function->raw;
    query->function = function;
    vec_push(&checker->model->queries, query);
    return true;
}

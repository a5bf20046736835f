/* SPDX-License-Identifier: MIT */
/* Queries: arguments, what they return, and whether the body gives that. */
#include "check/checker.h"

#include <string.h>

#include "served/cost.h"
#include "served/rate.h"

/* PostgreSQL makes columns of it, so that there would be two ways to say the same. */
static void
report_composite(const struct ast_query *ast, struct type type)
{
    struct diag *diag = diag_at(ast->returns->span, PGS1207_RETURNS_COMPOSITE,
                                "a query cannot return %s as a value", type_text(type));
    const struct composite *composite = type.composite;
    const char *columns = "";

    for (size_t i = 0; i < composite->fields.n; i++)
        columns = arena_printf("%s%s%s %s", columns, i ? ", " : "", composite->fields.at[i]->name,
                               type_text(composite->fields.at[i]->type));
    diag_note(diag, composite->span, "\"%s\" is here", composite->name);
    diag_hint(diag, "write `returns table (%s)`", columns);
}

static void
read_returns(struct checker *checker, const struct ast_query *ast, struct query *query)
{
    if (!ast->returns) {
        check_result_columns(checker, &ast->returns_columns, &query->returns_columns);
        query->returns_set = true;
        return;
    }
    query->returns_set = ast->returns->setof;
    if (ast->returns->dimensions == 0)
        query->returns_table =
            check_table_named(checker, ast->returns->schema ? ast->returns->schema : "public",
                              ast->returns->spelling);
    uses_note_last(ast->returns->span, USE_TABLE, query->returns_table, ast->returns->spelling);
    if (!query->returns_table)
        check_storable_type(checker, ast->returns, &query->returns_type);
    if (query->returns_type.kind == TYPE_COMPOSITE && !query->returns_type.array)
        report_composite(ast, query->returns_type);
}

/* ---- the body gives what is returned ---- */

static void
report_count(const struct query *query, const struct ast_query *ast, size_t want)
{
    struct diag *diag = diag_at(ast->select->span, PGS4012_QUERY_RETURNS,
                                "query \"%s\" returns %zu column%s, but this gives %zu",
                                query->name, want, want == 1 ? "" : "s", query->body->outputs.n);

    diag_note(diag, ast->returns_span, "what it returns is here");
    diag_hint(diag, "let the two agree");
}

static void
check_output_type(const struct query *query, size_t i, struct type want, const char *name)
{
    const struct output *output = &query->body->outputs.at[i];
    struct diag *diag;

    if (type_cast_kind(output->expr->type, want) >= CAST_ASSIGNMENT)
        return;
    diag = diag_at(output->span, PGS4012_QUERY_RETURNS, "\"%s\" is returned as %s, but this is %s",
                   name, type_text(want), type_text(output->expr->type));
    diag_hint(diag, "cast it: `(...)::%s`", type_text(want));
}

static void
check_outputs(const struct query *query, const struct ast_query *ast)
{
    size_t want = query->returns_table ? query->returns_table->columns.n
                  : ast->returns       ? 1
                                       : query->returns_columns.n;

    for (size_t i = 0; i < query->body->from.n; i++)
        if (check_is_unknown(query->body->from.at[i]->table))
            return;
    if (query->body->outputs.n != want) {
        report_count(query, ast, want);
        return;
    }
    for (size_t i = 0; i < want; i++) {
        const struct column *column = query->returns_table ? query->returns_table->columns.at[i]
                                      : ast->returns       ? NULL
                                                           : query->returns_columns.at[i];

        check_output_type(query, i, column ? column->type : query->returns_type,
                          column ? column->name : query->name);
    }
}

static void
find_roles(struct checker *checker, const struct ast_query *ast, struct query *query)
{
    check_find_roles(checker, &ast->roles, &query->roles);
    if (ast->roles.n > 0)
        return;
    struct diag *diag = diag_at(query->span, PGS4011_QUERY_WITHOUT_ROLES,
                                "query \"%s\" does not say to whom", query->name);
    diag_hint(diag, "add `to authenticated`");
}

enum guests
check_guests_of(const struct query *query)
{
    for (size_t i = 0; i < query->roles.n; i++)
        if (strcmp(query->roles.at[i]->name, "anon") == 0)
            return GUESTS_SOME;
    return GUESTS_NONE;
}

static void
check_query(struct checker *checker, const struct ast_query *ast, struct query *query)
{
    check_params(checker, &ast->params, false, &query->params);
    read_returns(checker, ast, query);
    find_roles(checker, ast, query);
    check_rates(&ast->rates, check_guests_of(query), &query->rates);
    check_rates_within(&query->rates, checker->model->rates);
    query->cost = check_query_cost(&ast->costs);
    if (!ast->select) {
        query->raw = ast->raw.text;
        checker->model->reads_jwt = true;
        return;
    }
    query->body = check_statement(checker, PLACE_QUERY, &query->params, ast->select);
    check_outputs(query, ast);
}

void
check_queries(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->queries.n; i++) {
        const struct ast_query *ast = checker->ast->queries.at[i];
        struct query *query = check_query_named(checker->model, ast->name.text);

        if (check_same_place(query->span, ast->name.span))
            check_query(checker, ast, query);
    }
}

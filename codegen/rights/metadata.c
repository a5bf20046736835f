/* SPDX-License-Identifier: MIT */
/* I17: rights from what users can edit, as a declared claim or straight out of auth.jwt(). */
#include "check/checker.h"

#include <string.h>

#include "rights/flat.h"

#define CALLS_MAX 32 /* of functions in one another: an end for circles */

struct deciding {
    const struct policy *policy;
    VEC(struct span) reported; /* several policies share the expressions of one declaration */
    int depth;
};

static bool
is_reported(struct deciding *deciding, struct span span)
{
    for (size_t i = 0; i < deciding->reported.n; i++)
        if (check_same_place(deciding->reported.at[i], span))
            return true;
    vec_push(&deciding->reported, span);
    return false;
}

static void
report_claim(struct deciding *deciding, const struct expr *expr)
{
    const struct claim *claim = expr->claim;
    struct diag *diag;

    if (!check_is_user_path(claim->path) || is_reported(deciding, claim->path_span))
        return;
    diag = diag_at(claim->path_span, PGS3015_CLAIM_FROM_USER,
                   "claim \"%s\" comes from user_metadata, which users can change, and policy "
                   "\"%s\" decides by it",
                   claim->name, deciding->policy->name);
    diag_note(diag, expr->span, "it is compared here");
    diag_hint(diag, "take it from app_metadata; user_metadata may be shown, never compared");
}

/* ---- auth.jwt() -> 'user_metadata' ---- */

/* Behind casts and `(select x)`. */
static const struct expr *
bare(const struct expr *expr)
{
    for (;;) {
        if (expr->kind == EXPR_CAST)
            expr = expr->args.at[0];
        else if (expr->kind == EXPR_SELECT && expr->select->from.n == 0 &&
                 expr->select->outputs.n == 1)
            expr = expr->select->outputs.at[0].expr;
        else
            return expr;
    }
}

static bool
is_token(const struct expr *expr)
{
    expr = bare(expr);
    return expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "jwt") == 0;
}

/* 'user_metadata', '{user_metadata,org}', array['user_metadata'], '$.user_metadata' */
static bool
leads_to_metadata(const struct expr *path)
{
    static const char word[] = "user_metadata";
    const char *first;

    path = bare(path);
    if (path->kind == EXPR_ARRAY && path->args.n > 0)
        path = bare(path->args.at[0]);
    if (path->kind != EXPR_LITERAL || !path->value)
        return false;
    first = path->value + strspn(path->value, "{$.\" \t\n");
    if (strncmp(first, word, strlen(word)) != 0)
        return false;
    first += strlen(word);
    return *first == '\0' || strchr(",}.[\": \t\n", *first) != NULL;
}

/* An operator, subscript or function that takes user_metadata out of the token. */
static bool
takes_metadata(const struct expr *expr)
{
    bool takes = expr->kind == EXPR_OP || expr->kind == EXPR_SUBSCRIPT || expr->kind == EXPR_CALL;

    return takes && expr->args.n >= 2 && is_token(expr->args.at[0]) &&
           leads_to_metadata(expr->args.at[1]);
}

/* pgstack.users.user_metadata, which a definer predicate may read. */
static bool
is_stored_metadata(const struct expr *expr)
{
    return expr->kind == EXPR_COLUMN && expr->column->table->builtin &&
           strcmp(expr->column->name, "user_metadata") == 0;
}

static void
report_token(struct deciding *deciding, const struct expr *expr)
{
    struct diag *diag;

    if (is_reported(deciding, expr->span))
        return;
    diag = diag_at(expr->span, PGS3015_CLAIM_FROM_USER,
                   "policy \"%s\" on \"%s\" decides by user_metadata, which users can change",
                   deciding->policy->name, deciding->policy->table->name);
    diag_hint(diag, "take it from app_metadata; user_metadata may be shown, never compared");
}

static void visit(const struct expr *expr, void *data);

/* A function that calls itself is followed once. */
static void
visit_function(const struct declared_function *function, struct deciding *deciding)
{
    if (!function->body || deciding->depth > CALLS_MAX)
        return;
    deciding->depth++;
    walk_statement(function->body, visit, deciding);
    deciding->depth--;
}

/* What a column is made of: what a default or a computed column puts there, a view's output. */
static void
visit_column(const struct column *column, struct deciding *deciding)
{
    const struct table *table = column->table;

    if (deciding->depth > CALLS_MAX)
        return;
    deciding->depth++;
    if (table->is_view && table->query && (size_t)column->number < table->query->outputs.n)
        walk_expr(table->query->outputs.at[column->number].expr, visit, deciding);
    if (!table->is_view && column->default_expr)
        walk_expr(column->default_expr, visit, deciding);
    if (column->generated)
        walk_expr(column->generated, visit, deciding);
    deciding->depth--;
}

static void
visit(const struct expr *expr, void *data)
{
    if (expr->kind == EXPR_FUNCTION)
        visit_function(expr->declared, data);
    else if (expr->kind == EXPR_COLUMN && !is_stored_metadata(expr))
        visit_column(expr->column, data);
    else if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        walk_expr(expr->predicate->body, visit, data);
    else if (expr->kind == EXPR_CLAIM)
        report_claim(data, expr);
    else if (takes_metadata(expr) || is_stored_metadata(expr))
        report_token(data, expr);
}

/* As it is written, and with what derived tables give in its place. */
static void
visit_condition(struct deciding *deciding, const struct expr *expr)
{
    if (!expr)
        return;
    walk_expr(expr, visit, deciding);
    walk_expr(check_flat(expr), visit, deciding);
}

void
check_user_metadata(const struct model *model)
{
    struct deciding deciding = {0};

    for (size_t i = 0; i < model->policies.n; i++) {
        deciding.policy = model->policies.at[i];
        visit_condition(&deciding, deciding.policy->using_expr);
        visit_condition(&deciding, deciding.policy->check_expr);
    }
}

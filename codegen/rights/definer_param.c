/* SPDX-License-Identifier: MIT */
#include "rights/definer.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/raw_change.h"

/* ---- p_all or owner_id = auth.uid() ---- */

struct reading {
    bool row, caller, looks_up;
    const struct expr *param;
};

static void
note_reading(const struct expr *expr, void *data)
{
    struct reading *reading = data;

    if (expr->kind == EXPR_PARAM && !reading->param)
        reading->param = expr;
    reading->row |= expr->kind == EXPR_COLUMN;
    reading->looks_up |= expr->select || expr->kind == EXPR_RAW || expr->kind == EXPR_FUNCTION ||
                         expr->kind == EXPR_PREDICATE;
    reading->caller |= expr->kind == EXPR_CLAIM || (expr->kind == EXPR_CALL && expr->is_auth);
}

struct opening {
    const struct declared_function *function;
    bool reported;
};

static void
check_side(struct opening *opening, const struct expr *side, const struct expr *other)
{
    struct reading here = {0}, there = {0};
    struct diag *diag;

    walk_expr(side, note_reading, &here);
    walk_expr(other, note_reading, &there);
    if (opening->reported || !here.param || here.row || here.caller || here.looks_up ||
        !there.caller)
        return;
    opening->reported = true;
    diag = diag_at(side->span, PGS3403_PARAM_OPENS,
                   "definer function \"%s\" asks who calls, unless the caller says otherwise by "
                   "\"%s\"",
                   opening->function->name, here.param->param->name);
    diag_hint(diag, "drop the argument: who may see more follows from the token, or from a look-up "
                    "of the caller");
}

static void
visit_or(const struct expr *expr, void *data)
{
    if (expr->kind != EXPR_OP || strcmp(expr->name, "or") != 0 || expr->args.n != 2)
        return;
    check_side(data, expr->args.at[0], expr->args.at[1]);
    check_side(data, expr->args.at[1], expr->args.at[0]);
}

/* ---- on conflict do update ---- */

static bool
names_caller(const struct expr *expr)
{
    struct reading reading = {0};

    if (expr)
        walk_expr(expr, note_reading, &reading);
    return reading.caller || reading.looks_up;
}

/* The policy that compares a column with the caller, and the column. */
static const struct policy *
owner_policy(const struct table *table, const struct column **column)
{
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct expr *expr = table->policies.at[i]->using_expr;

        for (size_t j = 0; expr && expr->kind == EXPR_OP && strcmp(expr->name, "=") == 0 && j < 2;
             j++)
            if (expr->args.at[j]->kind == EXPR_COLUMN && check_is_identity(expr->args.at[1 - j])) {
                *column = expr->args.at[j]->column;
                return table->policies.at[i];
            }
    }
    return NULL;
}

static bool
check_upsert(const struct declared_function *function)
{
    const struct statement *body = function->body;
    const struct column *owner = NULL;
    const struct policy *policy =
        body->conflict == CONFLICT_UPDATE ? owner_policy(body->target->table, &owner) : NULL;
    struct diag *diag;

    if (!policy || body->conflict_set.n == 0 || names_caller(body->conflict_where))
        return false;
    for (size_t i = 0; i < body->conflict_columns.n; i++)
        if (body->conflict_columns.at[i] == owner)
            return false;
    diag = diag_at(body->conflict_set.at[0].span, PGS3404_UPSERT_TAKES,
                   "definer function \"%s\" writes over a row of \"%s\" that may be somebody "
                   "else's",
                   function->name, body->target->table->name);
    diag_note(diag, policy->span, "a policy of the table is here");
    diag_hint(diag, "add `where %s.%s = auth.uid()` behind it, or drop `security definer`",
              body->target->alias ? body->target->alias : body->target->table->name, owner->name);
    return true;
}

bool
check_definer_params(const struct declared_function *function)
{
    struct opening opening = {.function = function};

    if (function->roles.n == 0)
        return false;
    walk_statement(function->body, visit_or, &opening);
    return opening.reported || check_upsert(function);
}

/* ---- bodies in $$ ---- */

static bool
is_unequal(const struct raw_tokens *tokens, size_t i)
{
    return (raw_is(tokens, i, "<") && raw_is(tokens, i + 1, ">")) ||
           (raw_is(tokens, i, "!") && raw_is(tokens, i + 1, "="));
}

static bool
is_uid(const struct raw_tokens *tokens, size_t i)
{
    return raw_are(tokens, i, "auth . uid ( )");
}

/* if auth.uid() is not null and not exists (...) then raise: a visitor is not asked at all. */
static bool
check_guard(const struct declared_function *function, const struct raw_tokens *tokens)
{
    for (size_t i = 1; i < tokens->n; i++) {
        struct diag *diag;

        if (!is_uid(tokens, i) || !raw_is(tokens, i - 1, "if") ||
            !raw_are(tokens, i + 5, "is not null and") ||
            raw_find(tokens, i, "then raise") == tokens->n)
            continue;
        diag = diag_at(raw_from_to(tokens, i, i + 7), PGS3406_UNEQUAL_TO_NOBODY,
                       "without a token auth.uid() is null, and function \"%s\" does not ask any "
                       "further: visitors pass",
                       function->name);
        diag_hint(diag, "drop this side: what has no caller runs as service_role; and leave anon "
                        "out of `to`");
        return true;
    }
    return false;
}

/* if auth.uid() <> p_user then raise: for a visitor NULL, which is not true. */
static void
check_unequal(const struct declared_function *function, const struct raw_tokens *tokens)
{
    size_t first = tokens->n, last = 0;
    struct diag *diag;

    for (size_t i = 0; i < tokens->n; i++) {
        if (!is_uid(tokens, i))
            continue;
        if (raw_is(tokens, i + 5, "is"))
            return;
        if (first < tokens->n)
            continue;
        if (is_unequal(tokens, i + 5)) {
            first = i;
            last = i + 6;
        } else if (i >= 2 && is_unequal(tokens, i - 2)) {
            first = i - 2;
            last = i + 4;
        }
    }
    if (first == tokens->n)
        return;
    diag = diag_at(raw_from_to(tokens, first, last), PGS3406_UNEQUAL_TO_NOBODY,
                   "without a token auth.uid() is null, and this is not true: function \"%s\" lets "
                   "visitors through",
                   function->name);
    diag_hint(diag, "write `is distinct from`, and leave anon out of `to`");
}

void
check_unequal_text(const struct declared_function *function)
{
    struct raw_tokens tokens;

    if (!function->raw || !check_is_for_visitors(&function->roles))
        return;
    tokens = raw_text_tokens(function->raw_span);
    if (!check_guard(function, &tokens))
        check_unequal(function, &tokens);
}

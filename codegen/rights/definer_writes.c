/* SPDX-License-Identifier: MIT */
/*
 * What definer functions write past the policies: for everybody, or into the columns by which
 * policies decide.
 */
#include "rights/definer.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/raw_text.h"
#include "rights/rights.h"

/* ---- everybody ---- */

struct knowing {
    const struct statement *body;
    bool found;
};

static bool
is_key(const struct column *column)
{
    const struct constraint *key = column->table->primary_key;

    for (size_t i = 0; key && i < key->columns.n; i++)
        if (key->columns.at[i] == column)
            return true;
    return false;
}

/* A token in a link is a column of its own that is compared with what the visitor sent. */
static void
visit_secret(const struct expr *expr, void *data)
{
    struct knowing *knowing = data;

    if (expr->select || expr->kind == EXPR_PREDICATE || expr->kind == EXPR_FUNCTION ||
        expr->kind == EXPR_RAW)
        knowing->found = true;
    if (expr->kind != EXPR_OP || strcmp(expr->name, "=") != 0 || expr->args.n != 2)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct expr *column = expr->args.at[i];

        if (column->kind == EXPR_COLUMN && expr->args.at[1 - i]->kind != EXPR_LITERAL &&
            expr->args.at[1 - i]->kind != EXPR_COLUMN && !is_key(column->column))
            knowing->found = true;
    }
}

void
check_open_writes(const struct declared_function *function)
{
    const struct statement *body = function->body;
    struct knowing knowing = {.body = body};
    struct diag *diag;

    if (!check_is_for_visitors(&function->roles) || !body->target ||
        (body->kind != STATEMENT_UPDATE && body->kind != STATEMENT_DELETE))
        return;
    if (body->where)
        walk_expr(body->where, visit_secret, &knowing);
    if (knowing.found || body->from.n > 0)
        return;
    diag = diag_at(body->target->span, PGS3230_ANYBODY_WRITES,
                   "definer function \"%s\" lets everybody on the net %s rows of \"%s\"",
                   function->name, body->kind == STATEMENT_UPDATE ? "change" : "delete",
                   body->target->table->name);
    diag_hint(diag, "take \"anon\" out of `to`, or compare a column that only the right person can "
                    "know, such as a random token");
}

/* ---- columns that decide ---- */

static bool
decides(const struct checker *checker, const struct column *column)
{
    for (size_t i = 0; i < checker->deciders.n; i++)
        if (checker->deciders.at[i] == column)
            return true;
    return false;
}

static void
visit_param(const struct expr *expr, void *data)
{
    const struct expr **param = data;

    if (expr->kind == EXPR_PARAM && !*param)
        *param = expr;
}

static const struct expr *
param_in(const struct expr *expr)
{
    const struct expr *param = NULL;

    if (expr)
        walk_expr(expr, visit_param, &param);
    return param;
}

static void
visit_right(const struct expr *expr, void *data)
{
    bool *asks = data;

    if (expr->select || expr->kind == EXPR_PREDICATE || expr->kind == EXPR_FUNCTION ||
        expr->kind == EXPR_RAW ||
        (expr->kind == EXPR_CLAIM && strcmp(expr->claim->path, "sub") != 0) ||
        (expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "uid") != 0))
        *asks = true;
}

/* More is asked than whose row it is. */
static bool
asks_for_right(const struct statement *body)
{
    bool asks = body->from.n > 0 || (body->select && body->select->from.n > 0);

    if (!asks)
        walk_statement(body, visit_right, &asks);
    return asks;
}

static void
report_decided(const struct declared_function *function, const struct column *column,
               const struct expr *param)
{
    struct diag *diag = diag_at(param->span, PGS3231_DECIDES_BY_ARGUMENT,
                                "definer function \"%s\" lets its caller choose %s.%s, by which "
                                "policies decide",
                                function->name, column->table->name, column->name);

    diag_note(diag, column->span, "the column is here");
    diag_hint(diag, "write a constant, or ask in the function for the right to give this: an "
                    "invitation, an administrator's row");
}

static void
check_assigned(const struct checker *checker, const struct declared_function *function,
               const struct assignments *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (decides(checker, set->at[i].column) && param_in(set->at[i].expr))
            report_decided(function, set->at[i].column, param_in(set->at[i].expr));
}

static void
check_inserted(const struct checker *checker, const struct declared_function *function)
{
    const struct statement *body = function->body;

    for (size_t i = 0; body->select && i < body->columns.n; i++)
        for (size_t row = 0; row < body->select->rows.n; row++) {
            const struct expr *param = i < body->select->rows.at[row].n
                                           ? param_in(body->select->rows.at[row].at[i])
                                           : NULL;

            if (!param || !decides(checker, body->columns.at[i]))
                continue;
            report_decided(function, body->columns.at[i], param);
            break;
        }
}

static void
check_written(const struct checker *checker, const struct declared_function *function)
{
    if (!check_is_for_anybody(&function->roles) || !function->body->target ||
        asks_for_right(function->body))
        return;
    check_assigned(checker, function, &function->body->set);
    check_assigned(checker, function, &function->body->conflict_set);
    check_inserted(checker, function);
}

/* ---- bodies in $$ ---- */

static bool
is_metadata(const struct raw_token *token)
{
    return strcmp(token->text, "user_metadata") == 0 ||
           strcmp(token->text, "raw_user_meta_data") == 0;
}

/* A column that decides, in the statement of token i. */
static const struct column *
decider_in(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t first = i;

    while (first > 0 && tokens->at[first - 1].statement == tokens->at[i].statement)
        first--;
    for (; first < tokens->n && tokens->at[first].statement == tokens->at[i].statement; first++)
        for (size_t j = 0; j < checker->deciders.n; j++)
            if (tokens->at[first].kind != RAW_STRING && tokens->at[first].kind != RAW_SYMBOL &&
                strcmp(tokens->at[first].text, checker->deciders.at[j]->name) == 0)
                return checker->deciders.at[j];
    return NULL;
}

/* new.role := new.raw_user_meta_data ->> 'role' */
static void
check_metadata(const struct checker *checker, struct span text)
{
    struct raw_tokens tokens = raw_text_tokens(text);

    for (size_t i = 0; i < tokens.n; i++) {
        const struct column *column;
        struct diag *diag;

        if (!is_metadata(&tokens.at[i]) || !(column = decider_in(checker, &tokens, i)))
            continue;
        diag = diag_at(tokens.at[i].span, PGS3232_DECIDES_BY_METADATA,
                       "%s.%s, by which policies decide, comes from what users write about "
                       "themselves",
                       column->table->name, column->name);
        diag_note(diag, column->span, "the column is here");
        diag_hint(diag, "write a constant; who may have more is decided by somebody who has it");
        return;
    }
}

void
check_decided_writes(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing || checker->deciders.n == 0)
        return;
    for (size_t i = 0; i < model->functions.n; i++) {
        const struct declared_function *function = model->functions.at[i];

        if (function->raw)
            check_metadata(checker, function->raw_span);
        else if (function->definer && function->body)
            check_written(checker, function);
    }
    for (size_t i = 0; i < checker->ast->sqls.n; i++)
        check_metadata(checker, checker->ast->sqls.at[i]->up.span);
}

/* SPDX-License-Identifier: MIT */
/* Secrets that strangers guess: made of what can be computed, or short, and tried without limit. */
#include "rights/rights.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"
#include "rights/definer.h"

/* ---- default md5(random()::text) ---- */

static bool
is_unguessable(const struct column *column)
{
    static const char *const words[] = {"token", "secret", "api_key", "apikey",  "password",
                                        "nonce", "otp",    "pin",     "passcode"};

    return WORD_IS_PART(column->name, words) || check_is_code(column);
}

static void
find_random(const struct expr *expr, void *data)
{
    const struct expr **found = data;

    if (check_is_call(expr, "random"))
        *found = expr;
}

static void
check_default(const struct column *column)
{
    const struct expr *random = NULL;
    struct diag *diag;

    if (!column->default_expr || !is_unguessable(column))
        return;
    walk_expr(column->default_expr, find_random, &random);
    if (!random)
        return;
    diag = diag_at(random->span, PGS3330_GUESSED_DEFAULT,
                   "\"%s\" of \"%s\" is made of random(), whose next numbers follow from those "
                   "before",
                   column->name, column->table->name);
    diag_hint(diag, "take `gen_random_uuid()`, or `encode(gen_random_bytes(24), 'hex')` of "
                    "`extension pgcrypto`");
}

/* ---- where pin = p ---- */

static bool
is_short(const char *name)
{
    static const char *const words[] = {"pin",      "otp",        "passcode",          "pincode",
                                        "pin_code", "otp_code",   "verification_code", "login_code",
                                        "sms_code", "unlock_code"};

    return WORD_IS_PART(name, words);
}

static bool
is_reference(const struct column *column)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        for (size_t j = 0; key->kind == CONSTRAINT_FOREIGN_KEY && j < key->columns.n; j++)
            if (key->columns.at[j] == column)
                return true;
    }
    return false;
}

/* What somebody types, not what names a row. */
static bool
is_typed_code(const struct column *column)
{
    return is_short(column->name) && column->type.kind != TYPE_UUID && !is_reference(column);
}

static void
find_guess(const struct expr *expr, void *data)
{
    const struct expr **found = data;

    if (!check_is_op(expr, "=") || expr->args.n != 2)
        return;
    for (size_t i = 0; i < 2; i++)
        if (expr->args.at[i]->kind == EXPR_COLUMN && is_typed_code(expr->args.at[i]->column) &&
            expr->args.at[1 - i]->kind == EXPR_PARAM)
            *found = expr;
}

static void
check_tries(const struct query *query)
{
    const struct declared_function *function = query->function;
    const struct expr *guess = NULL;
    struct diag *diag;

    if (query->rates.n > 0)
        return;
    if (query->body)
        walk_select(query->body, find_guess, &guess);
    else if (function && function->body)
        walk_statement(function->body, find_guess, &guess);
    if (!guess)
        return;
    diag = diag_at(guess->span, PGS3335_UNLIMITED_TRIES,
                   "\"%s\" tells whether this is right as often as somebody asks: few signs are "
                   "soon tried",
                   query->name);
    diag_note(diag, query->span, "it is served without a limit");
    diag_hint(diag,
              function ? "write `endpoint %s limit 5 per minute by address;`"
                       : "write `query %s(...) ... limit 5 per minute by address as ...`",
              query->name);
}

/* ---- where id = p, and id is 1, 2, 3 ---- */

static void
find_counted(const struct expr *expr, void *data)
{
    const struct expr **found = data;

    for (size_t i = 0; check_is_op(expr, "=") && i < 2; i++) {
        const struct expr *column = expr->args.at[i];

        if (column->kind == EXPR_COLUMN && column->column->identity != IDENTITY_NONE &&
            column->column->table->policies.n == 0 && expr->args.at[1 - i]->kind == EXPR_PARAM)
            *found = column;
    }
}

void
check_counted(const struct declared_function *function)
{
    const struct statement *body = function->body;
    const struct expr *column = NULL;
    struct diag *diag;

    if (body->kind != STATEMENT_SELECT || body->select->kind != SELECT_PLAIN ||
        !body->select->where || body->select->where->kind != EXPR_OP ||
        !check_is_for_anybody(&function->roles))
        return;
    find_counted(body->select->where, &column);
    if (!column)
        return;
    diag = diag_at(column->span, PGS3336_COUNTED_KEY,
                   "definer function \"%s\" gives the row of \"%s\" to whoever guesses its number, "
                   "and numbers are counted",
                   function->name, column->column->table->name);
    diag_note(diag, column->column->span, "\"%s\" counts up", column->column->name);
    diag_hint(diag, "ask for the caller, or compare a token: a column `uuid not null default "
                    "gen_random_uuid()`");
}

/* ---- api_key = 'k-2024-ingest' ---- */

static bool
is_named_key(const struct expr *expr)
{
    static const char *const words[] = {"api_key",  "apikey",     "secret",   "password",
                                        "passcode", "access_key", "auth_key", "secret_key"};
    const char *name = expr->kind == EXPR_CLAIM   ? expr->claim->name
                       : expr->kind == EXPR_PARAM ? expr->param->name
                       : check_is_op(expr, "->>") ? expr->args.at[1]->value
                                                  : NULL;

    return name && WORD_IS_PART(name, words);
}

static void
find_key(const struct expr *expr, void *data)
{
    (void)data;
    for (size_t i = 0; check_is_op(expr, "=") && i < 2; i++) {
        const struct expr *literal = expr->args.at[i];
        struct diag *diag;

        if (literal->kind != EXPR_LITERAL || !literal->value || strlen(literal->value) < 4 ||
            !is_named_key(expr->args.at[1 - i]))
            continue;
        diag = diag_at(literal->span, PGS4020_SECRET_IN_TEXT, "this looks like a key");
        diag_hint(diag, "whoever reads the sources passes; give a role to those who may: `role "
                        "ingest when claim role = 'ingest'`");
    }
}

static void
check_conditions(const struct model *model)
{
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];

        if (policy_is_repeated(policy))
            continue;
        if (policy->using_expr)
            walk_expr(policy->using_expr, find_key, NULL);
        if (policy->check_expr && policy->check_expr != policy->using_expr)
            walk_expr(policy->check_expr, find_key, NULL);
    }
    for (size_t i = 0; i < model->predicates.n; i++)
        if (model->predicates.at[i]->body)
            walk_expr(model->predicates.at[i]->body, find_key, NULL);
    for (size_t i = 0; i < model->functions.n; i++)
        if (model->functions.at[i]->body)
            walk_statement(model->functions.at[i]->body, find_key, NULL);
}

void
check_guesses(const struct checker *checker)
{
    const struct model *model = checker->model;

    check_conditions(model);

    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->columns.n; j++)
            if (!model->tables.at[i]->is_view && !model->tables.at[i]->builtin)
                check_default(model->tables.at[i]->columns.at[j]);
    for (size_t i = 0; i < model->queries.n; i++)
        check_tries(model->queries.at[i]);
}

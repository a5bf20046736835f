/* SPDX-License-Identifier: MIT */
/*
 * What callers write to their own advantage: a balance, a flag that the application gives, a state
 * that means that somebody else has agreed.  Known by name; a condition on the new row that reads
 * the column, or a trigger on the table, shows that somebody thought of it.
 */
#include "rights/privilege.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"
#include "rights/rights.h"

bool
check_write_is_told(const struct writing *writing)
{
    struct checker *checker = writing->checker;

    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], writing->span))
            return true;
    for (size_t i = 0; i < checker->strayed.n; i++)
        if (checker->strayed.at[i] == writing->column)
            return true;
    vec_push(&checker->decided, writing->span);
    vec_push(&checker->strayed, writing->column);
    return false;
}

/* ---- who may write it ---- */

bool
check_has_trigger(const struct model *model, const struct table *table, enum command command)
{
    for (size_t i = 0; i < model->triggers.n; i++)
        if (model->triggers.at[i]->table == table && model->triggers.at[i]->on[command] &&
            model->triggers.at[i]->time == TRIGGER_BEFORE)
            return true;
    return model->raw_sqls.n > 0;
}

/* The caller is the owner, or anybody: no right beyond that is asked for. */
static bool
asks_for_nothing_more(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        struct mentions found = check_mentions(&branch->atoms.at[i], role);

        if (found.select || found.unknown)
            return false;
    }
    return !check_is_gated(branch, role);
}

bool
check_is_read_by(const struct branches *written, const struct column *column)
{
    for (size_t i = 0; i < written->n; i++)
        for (size_t j = 0; j < written->at[i].atoms.n; j++)
            if (check_names_column(&written->at[i].atoms.at[j], NULL, column))
                return true;
    return false;
}

/* The branch that lets callers write the column as they like; NULL: none. */
static const struct branch *
free_branch(const struct writing *writing, struct branches *written)
{
    const struct grant *grant = writing->grant;

    if (check_has_trigger(writing->checker->model, grant->table, grant->command) ||
        !check_role_branches(grant->role, grant->table, grant->command, true, written) ||
        check_is_read_by(written, writing->column))
        return NULL;
    for (size_t i = 0; i < written->n; i++)
        if (asks_for_nothing_more(&written->at[i], grant->role))
            return &written->at[i];
    return NULL;
}

/* ---- balances and flags ---- */

static bool
is_privilege(const char *name)
{
    static const char *const words[] = {
        "balance",        "credits",     "credit_balance", "coins",    "is_admin",   "admin",
        "is_staff",       "staff",       "superuser",      "role",     "roles",      "permissions",
        "verified",       "is_verified", "email_verified", "paid",     "is_paid",    "approved",
        "premium",        "is_premium",  "is_approved",    "banned",   "is_banned",  "quota",
        "tier",           "plan",        "karma",          "is_owner", "reputation", "paid_at",
        "wallet_balance", "verified_at", "approved_at"};

    return WORD_IS_AMONG(name, words);
}

/* ---- who speaks ---- */

struct voices {
    bool listed, is_chat;
};

static void
note_voice(struct voices *voices, const char *value)
{
    static const char *const words[] = {"assistant", "system", "tool",  "bot",
                                        "ai",        "model",  "human", "developer"};

    voices->listed = true;
    voices->is_chat |= WORD_IS_AMONG(value, words);
}

static void
visit_voice(const struct expr *expr, void *data)
{
    if (expr->kind == EXPR_LITERAL && expr->value)
        note_voice(data, expr->value);
}

static bool
is_list_of(const struct constraint *check, const struct column *column)
{
    return check->kind == CONSTRAINT_CHECK && check->check && check->check->kind == EXPR_IN &&
           check->check->args.n > 0 && check->check->args.at[0]->kind == EXPR_COLUMN &&
           check->check->args.at[0]->column == column;
}

static bool
has_words(const struct table *table)
{
    static const char *const words[] = {"content", "message", "body", "prompt", "parts", "text"};

    for (size_t i = 0; i < table->columns.n; i++)
        if (WORD_IS_AMONG(table->columns.at[i]->name, words))
            return true;
    return false;
}

bool
check_is_speaker(const struct column *column)
{
    const struct type type = column->type;
    struct voices voices = {0};

    if (strcmp(column->name, "role") != 0)
        return false;
    for (size_t i = 0; type.kind == TYPE_ENUM && i < type.enumeration->labels.n; i++)
        note_voice(&voices, type.enumeration->labels.at[i]);
    for (size_t i = 0; i < column->table->constraints.n; i++)
        if (is_list_of(column->table->constraints.at[i], column))
            walk_expr(column->table->constraints.at[i]->check, visit_voice, &voices);
    return voices.listed ? voices.is_chat : has_words(column->table);
}

static void
check_privilege(const struct writing *writing)
{
    const struct column *column = writing->column;
    const struct grant *grant = writing->grant;
    struct branches written = {0};
    const struct branch *branch;
    struct diag *diag;

    if (grant->columns.n == 0 || !is_privilege(column->name) || check_is_speaker(column))
        return;
    branch = free_branch(writing, &written);
    if (!branch || check_write_is_told(writing))
        return;
    diag = diag_at(writing->span, PGS3303_PRIVILEGED_WRITE,
                   "\"%s\" may %s \"%s\" of \"%s\" as they like: policy \"%s\" asks for no more "
                   "than whose row it is",
                   grant->role->name, command_name(grant->command), column->name,
                   grant->table->name, branch->policy->name);
    diag_note(diag, branch->policy->span, "the policy is here");
    diag_hint(diag,
              "take \"%s\" out of the grant and let a definer function or service_role write it; "
              "or say in `with check` what it may be",
              column->name);
}

/* ---- a state that means that somebody has agreed ---- */

struct states {
    const char *granted; /* a value that somebody else gives */
    bool by_default;
};

static bool
is_agreement(const char *value)
{
    static const char *const words[] = {"approved",  "paid",      "verified",   "granted",
                                        "refunded",  "settled",   "authorized", "accepted",
                                        "certified", "succeeded", "successful"};

    return WORD_IS_AMONG(value, words);
}

static void
visit_value(const struct expr *expr, void *data)
{
    struct states *states = data;

    if (expr->kind == EXPR_LITERAL && expr->value && is_agreement(expr->value))
        states->granted = expr->value;
}

static const char *
agreement_of(const struct column *column)
{
    struct states states = {0}, by_default = {0};

    if (column->type.array)
        return NULL;
    for (size_t i = 0; column->type.kind == TYPE_ENUM && i < column->type.enumeration->labels.n;
         i++)
        if (is_agreement(column->type.enumeration->labels.at[i]))
            states.granted = column->type.enumeration->labels.at[i];
    for (size_t i = 0; i < column->table->constraints.n; i++)
        if (is_list_of(column->table->constraints.at[i], column))
            walk_expr(column->table->constraints.at[i]->check, visit_value, &states);
    if (column->default_expr)
        walk_expr(column->default_expr, visit_value, &by_default);
    return column->default_expr && !by_default.granted ? states.granted : NULL;
}

/* The rows are the caller's because the caller makes them, or made them. */
static bool
is_authors(const struct branch *branch, const struct table *table, const struct role *role,
           enum command command)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];

        if ((command == CMD_INSERT ||
             (column->default_expr && check_is_identity(column->default_expr))) &&
            check_tie(branch, NULL, column, role) == TIE_SELF)
            return true;
    }
    return false;
}

static void
check_state(const struct writing *writing)
{
    const struct grant *grant = writing->grant;
    const char *agreement = agreement_of(writing->column);
    struct branches written = {0};
    const struct branch *branch;
    struct diag *diag;

    if (!agreement)
        return;
    branch = free_branch(writing, &written);
    if (!branch || !is_authors(branch, grant->table, grant->role, grant->command) ||
        check_write_is_told(writing))
        return;
    diag = diag_at(writing->span, PGS3304_SELF_APPROVAL,
                   "policy \"%s\" lets the author of a row of \"%s\" set \"%s\" to '%s'",
                   branch->policy->name, grant->table->name, writing->column->name, agreement);
    diag_note(diag, branch->policy->span, "the policy is here");
    diag_hint(diag,
              "take \"%s\" out of the %s grant, or list in `with check` the values that the "
              "author may set",
              writing->column->name, command_name(grant->command));
}

/* ---- approved_by ---- */

static bool
is_approval(const char *name)
{
    static const char *const words[] = {"approved_by", "approver_id", "verified_by",
                                        "reviewed_by", "reviewer_id", "authorized_by"};

    return WORD_IS_AMONG(name, words);
}

static const struct column *
author_of(const struct table *table, const struct column *but)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (table->columns.at[i] != but && table->columns.at[i]->default_expr &&
            check_is_identity(table->columns.at[i]->default_expr))
            return table->columns.at[i];
    return NULL;
}

/* Who approves is held to be the caller, and is not held apart from the author. */
static void
check_approval(const struct writing *writing)
{
    const struct grant *grant = writing->grant;
    const struct column *author = author_of(grant->table, writing->column);
    struct branches written = {0}, rows = {0};
    struct diag *diag;

    if (!author || grant->command != CMD_UPDATE || !is_approval(writing->column->name) ||
        check_has_trigger(writing->checker->model, grant->table, CMD_UPDATE) ||
        !check_role_branches(grant->role, grant->table, CMD_UPDATE, true, &written) ||
        !check_role_branches(grant->role, grant->table, CMD_UPDATE, false, &rows) ||
        check_is_read_by(&rows, author) || check_is_read_by(&written, author) || written.n == 0 ||
        check_write_is_told(writing))
        return;
    diag = diag_at(writing->span, PGS3304_SELF_APPROVAL,
                   "policy \"%s\" lets the author of a row of \"%s\" be its \"%s\"",
                   written.at[0].policy->name, grant->table->name, writing->column->name);
    diag_note(diag, author->span, "the author is here");
    diag_hint(diag, "add `%s <> auth.uid()` to `using`", author->name);
}

/* ---- all ---- */

static void
check_grant(struct writing *writing)
{
    const struct grant *grant = writing->grant;

    for (size_t i = 0; i < grant->table->columns.n; i++) {
        bool listed = grant->columns.n == 0;

        writing->column = grant->table->columns.at[i];
        writing->span = grant->span;
        for (size_t j = 0; j < grant->columns.n; j++)
            if (grant->columns.at[j] == writing->column) {
                writing->span = grant->column_spans.at[j];
                listed = true;
            }
        if (!listed || writing->column->generated)
            continue;
        check_privilege(writing);
        check_price(writing);
        check_state(writing);
        check_approval(writing);
    }
}

void
check_privileges(struct checker *checker)
{
    if (checker->guessing)
        return;
    for (size_t i = 0; i < checker->model->grants.n; i++) {
        const struct grant *grant = checker->model->grants.at[i];
        struct writing writing = {.checker = checker, .grant = grant};

        if (!grant->table->is_view && check_is_anybody(grant->role) &&
            (grant->command == CMD_INSERT || grant->command == CMD_UPDATE))
            check_grant(&writing);
    }
}

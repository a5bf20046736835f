/* SPDX-License-Identifier: MIT */
/*
 * `status <> 'deleted' or owner_id = auth.uid()`: one side names the caller, the other only says
 * which rows are not meant, and opens all others to everybody.  A positive side (`published`) says
 * which rows are public, and is left alone.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

/* deleted_at, is_archived, banned */
static bool
marks_the_gone(const struct column *column)
{
    static const char *const words[] = {"delet", "remov", "archiv", "trash", "ban", "block"};

    if (column->table->soft_delete == column)
        return false; /* said: its owner must go on seeing the row */
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(column->name, words[i]))
            return true;
    return false;
}

static bool
is_gone_mark(const struct expr *expr, const struct binding *binding)
{
    expr = check_stands_for(expr, &binding);
    return expr->kind == EXPR_COLUMN && marks_the_gone(expr->column);
}

/* Says which rows are not meant, of the row alone. */
static bool
is_negative(const struct atom *atom)
{
    const struct expr *expr = atom->expr;

    if (check_is_op(expr, atom->negated ? "is not null" : "is null"))
        return is_gone_mark(expr->args.at[0], atom->binding);
    if (expr->kind == EXPR_COLUMN)
        return atom->negated && is_gone_mark(expr, atom->binding);
    return (expr->kind == EXPR_OP || expr->kind == EXPR_IN || expr->kind == EXPR_ALL) &&
           check_is_exclusion(atom);
}

static bool
is_negative_side(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        struct mentions found = check_mentions(&branch->atoms.at[i], role);

        if (!found.row || found.caller || found.select || found.unknown ||
            !is_negative(&branch->atoms.at[i]))
            return false;
    }
    return branch->atoms.n > 0;
}

/* The side that compares the row with the caller; NULL: none does. */
static const struct branch *
side_of_caller(const struct branches *branches, const struct role *role)
{
    for (size_t i = 0; i < branches->n; i++)
        for (size_t j = 0; j < branches->at[i].atoms.n; j++) {
            struct mentions found = check_mentions(&branches->at[i].atoms.at[j], role);

            if (found.row && (found.caller || found.filtered))
                return &branches->at[i];
        }
    return NULL;
}

static bool
is_reported(struct checker *checker, struct span span)
{
    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], span))
            return true;
    vec_push(&checker->decided, span);
    return false;
}

/* ": `using (...)`" of the side, a `not` before it as well; of a call it is not known. */
static const char *
text_of(const struct branch *side)
{
    const struct expr *part = side->part;
    bool is_negated = side->atoms.n == 1 && side->atoms.at[0].negated;

    if (part->kind == EXPR_PREDICATE || part->declared)
        return "";
    return arena_printf(": `using (%s%.*s)`", is_negated ? "not " : "",
                        (int)(part->span.end - part->span.start),
                        part->span.file->text + part->span.start);
}

static void
report(const struct policy *policy, const struct branch *side, const struct branch *callers)
{
    struct diag *diag = diag_at(
        side->part->span, PGS3112_NEGATIVE_SIDE,
        "policy \"%s\" on \"%s\" opens to everybody all rows but those that this leaves out",
        policy->name, policy->table->name);

    diag_note(diag, callers->part->span, "only this side names the caller");
    diag_hint(diag, "join them by `and`; if the world is meant, say it in a policy of its own%s",
              text_of(side));
}

static void
check_sides_of(struct checker *checker, const struct policy *policy, const struct expr *condition)
{
    struct branches branches = {0};
    const struct branch *callers;

    if (!condition || !check_branches(condition, &branches) || branches.n < 2)
        return;
    callers = side_of_caller(&branches, policy->roles.at[0]);
    for (size_t i = 0; callers && i < branches.n; i++) {
        const struct expr *part = branches.at[i].part;

        if (is_negative_side(&branches.at[i], policy->roles.at[0]) &&
            !is_reported(checker, part->span))
            report(policy, &branches.at[i], callers);
    }
}

void
check_negative_sides(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];

        /* For visitors, too: nobody writes that by mistake. */
        if (policy->restrictive || policy->roles.n == 0 || check_is_for_visitors(&policy->roles) ||
            !check_is_anybody(policy->roles.at[0]))
            continue;
        check_sides_of(checker, policy, policy->using_expr);
        if (policy->check_expr != policy->using_expr)
            check_sides_of(checker, policy, policy->check_expr);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * What passes because nobody named it: `else true`, a value that stands for a missing claim, a
 * claim that only must not be something.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/fold_parts.h"
#include "syntax/spell.h"

struct falling {
    struct checker *checker;
    const struct policy *policy;
};

static bool
is_decided(const struct falling *falling, struct span span)
{
    for (size_t i = 0; i < falling->checker->decided.n; i++)
        if (check_same_place(falling->checker->decided.at[i], span))
            return true;
    return false;
}

static bool
is_told(const struct falling *falling, struct span span)
{
    if (is_decided(falling, span))
        return true;
    vec_push(&falling->checker->decided, span);
    return false;
}

static struct mentions
mentions_of(const struct expr *expr, const struct binding *binding)
{
    struct atom atom = {.expr = expr, .binding = binding};

    return check_mentions(&atom, NULL);
}

/* ---- case ... else true ---- */

static bool
is_true(const struct expr *expr, const struct binding *binding)
{
    struct assumption a = {.binding = binding};

    return check_fold(expr, &a).kind == V_TRUE;
}

/* Some `then` asks who the caller is: the case decides a right. */
static bool
decides(const struct expr *expr, const struct binding *binding)
{
    for (size_t i = 2; i + 1 < expr->args.n; i += 2)
        if (mentions_of(expr->args.at[i], binding).caller ||
            mentions_of(expr->args.at[i], binding).select)
            return true;
    return false;
}

static void
check_else(const struct falling *falling, const struct expr *expr, const struct binding *binding)
{
    const struct expr *otherwise = expr->kind == EXPR_CASE ? expr->args.at[expr->args.n - 1] : NULL;
    struct diag *diag;

    if (!otherwise || expr->type.kind != TYPE_BOOL || !is_true(otherwise, binding) ||
        !decides(expr, binding) || is_told(falling, otherwise->span))
        return;
    diag = diag_at(otherwise->span, PGS3302_ELSE_TRUE,
                   "policy \"%s\" on \"%s\" opens every row that no `when` names",
                   falling->policy->name, falling->policy->table->name);
    diag_hint(diag, "end it with `else false`, and name what is open: a value that is added later, "
                    "and a NULL, would pass here");
}

/* ---- coalesce(my_tenant, 'default') ---- */

static bool
is_constant(const struct expr *expr, const struct binding *binding)
{
    expr = check_stands_for(expr, &binding);
    return expr->kind == EXPR_LITERAL && strcmp(expr->text ? expr->text : "", "null") != 0;
}

/* A value of the token that has a constant in its place where it is missing. */
static const struct expr *
fallback_of(const struct expr *expr, const struct binding *binding)
{
    const struct expr *first;

    expr = check_stands_for(expr, &binding);
    if (expr->kind != EXPR_CALL || expr->is_auth || strcmp(expr->name, "coalesce") != 0 ||
        expr->args.n != 2 || expr->type.kind == TYPE_BOOL)
        return NULL;
    first = expr->args.at[0];
    if (!mentions_of(first, binding).caller || mentions_of(first, binding).row ||
        mentions_of(first, binding).select || !is_constant(expr->args.at[1], binding))
        return NULL;
    return expr;
}

static bool
is_column(const struct expr *expr, const struct binding *binding)
{
    return check_stands_for(expr, &binding)->kind == EXPR_COLUMN;
}

static void
check_fallback(const struct falling *falling, const struct expr *expr,
               const struct binding *binding)
{
    bool equals = expr->kind == EXPR_OP && strcmp(expr->name, "=") == 0;

    for (size_t i = 0; equals && i < 2; i++) {
        const struct expr *fallback = fallback_of(expr->args.at[i], binding);
        const struct expr *constant;
        struct diag *diag;

        if (!fallback || !is_column(expr->args.at[1 - i], binding) ||
            is_told(falling, fallback->span))
            continue;
        constant = check_stands_for(fallback->args.at[1], &binding);
        diag = diag_at(fallback->span, PGS3301_CLAIM_FALLBACK,
                       "policy \"%s\" on \"%s\" gives callers whose token has no such value the "
                       "rows of %s",
                       falling->policy->name, falling->policy->table->name, constant->text);
        diag_hint(diag, "compare the value alone: where it is missing nothing passes; rows for all "
                        "have a column that says so, or `using (public)`");
    }
}

/* ---- a claim that only must not be something ---- */

static bool
is_claim_exclusion(const struct atom *atom)
{
    const struct expr *expr = atom->expr;
    bool unequal = expr->kind == EXPR_OP && strcmp(expr->name, atom->negated ? "=" : "<>") == 0;
    bool not_in = expr->kind == EXPR_IN && !expr->select && expr->negated != atom->negated;
    const struct binding *binding = atom->binding;
    const struct expr *claim;

    if ((!unequal && !not_in) || expr->args.n < 2)
        return false;
    claim = check_stands_for(expr->args.at[0], &binding);
    return claim->kind == EXPR_CLAIM && claim->type.kind != TYPE_BOOL &&
           is_constant(expr->args.at[1], atom->binding);
}

/* `not 'banned' = any (roles)`, `'banned' <> all (roles)`, `not roles ? 'banned'` */
static bool
is_list_exclusion(const struct atom *atom)
{
    const struct expr *expr = atom->expr;
    bool any = expr->kind == EXPR_ANY && !expr->select && strcmp(expr->name, "=") == 0;
    bool all = expr->kind == EXPR_ALL && !expr->select && strcmp(expr->name, "<>") == 0;
    bool holds = check_is_op(expr, "@>") || check_is_op(expr, "?");
    const struct binding *binding = atom->binding;

    if (atom->negated ? !any && !holds : !all)
        return false;
    return check_stands_for(expr->args.at[holds ? 0 : 1], &binding)->kind == EXPR_CLAIM &&
           is_constant(expr->args.at[holds ? 1 : 0], atom->binding);
}

/* The platform itself puts it into every token. */
static bool
is_in_every_token(const struct claim *claim)
{
    return strcmp(claim->path, "is_anonymous") == 0 || strstr(claim->path, "_verified") != NULL;
}

/* `not is_banned`, perhaps of `coalesce(is_banned, false)`: the claim; NULL: it is none. */
static const struct expr *
negated_claim(const struct atom *atom)
{
    const struct binding *binding = atom->binding;
    const struct expr *claim = check_stands_for(atom->expr, &binding);
    bool coalesced = claim->kind == EXPR_CALL && !claim->is_auth && claim->args.n == 2 &&
                     strcmp(claim->name, "coalesce") == 0;

    if (coalesced)
        claim = check_stands_for(claim->args.at[0], &binding);
    return atom->negated && claim->kind == EXPR_CLAIM && !is_in_every_token(claim->claim) ? claim
                                                                                          : NULL;
}

static void
check_claim_exclusion(const struct falling *falling, const struct branch *branch)
{
    const struct policy *policy = falling->policy;
    const struct expr *expr;
    struct diag *diag;

    if (branch->atoms.n == 0 || is_decided(falling, policy->span))
        return;
    for (size_t i = 0; i < branch->atoms.n; i++)
        if (!is_claim_exclusion(&branch->atoms.at[i]) && !is_list_exclusion(&branch->atoms.at[i]) &&
            !negated_claim(&branch->atoms.at[i]))
            return;
    expr = branch->atoms.at[0].expr;
    if (is_told(falling, expr->span))
        return;
    diag = diag_at(expr->span, PGS3043_EXCLUSION_ONLY,
                   "policy \"%s\" on \"%s\" only says who may not: every other value of the claim "
                   "passes",
                   policy->name, policy->table->name);
    if (negated_claim(&branch->atoms.at[0]))
        diag_hint(diag, "name the caller beside it, with `and`; if all others are meant, join it "
                        "to a `(public)` policy as a restrictive one");
    else
        diag_hint(diag, "list the values that may, with `=` or `in`: one that is new, or misspelt, "
                        "is then refused");
}

/* ---- a claim that is negated, and missing ---- */

/* `not null` is null: who has no such claim is refused, though nobody has banned them. */
static void
check_negation(const struct expr *expr, const struct binding *binding, void *data)
{
    const struct falling *falling = data;
    const struct expr *claim;
    struct diag *diag;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "not") != 0)
        return;
    claim = check_stands_for(expr->args.at[0], &binding);
    if (claim->kind != EXPR_CLAIM || is_in_every_token(claim->claim) ||
        is_told(falling, expr->span))
        return;
    diag = diag_at(expr->span, PGS3121_NEGATED_CLAIM,
                   "policy \"%s\" on \"%s\" refuses everybody whose token says nothing of \"%s\": "
                   "`not` of what is missing is not true",
                   falling->policy->name, falling->policy->table->name, claim->claim->name);
    diag_note(diag, claim->claim->span, "the claim is here");
    diag_hint(diag, "write `%s is not true`", claim->claim->name);
    diag_fix(diag, expr->span, "%s is not true", spell_name(claim->claim->name));
}

/* ---- all ---- */

static void
visit(const struct expr *expr, const struct binding *binding, void *data)
{
    check_else(data, expr, binding);
    check_fallback(data, expr, binding);
}

static void
check_condition_of(const struct falling *falling, const struct expr *condition)
{
    struct branches branches = {0};

    if (!condition)
        return;
    check_walk_bound(condition, NULL, visit, (void *)falling);
    if (!check_branches(condition, &branches))
        return;
    for (size_t i = 0; i < branches.n; i++)
        check_claim_exclusion(falling, &branches.at[i]);
}

static void
check_negations(const struct falling *falling, const struct expr *condition)
{
    if (condition)
        check_walk_bound(condition, NULL, check_negation, (void *)falling);
}

void
check_fallbacks(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        struct falling falling = {checker, policy};

        check_negations(&falling, policy->using_expr);
        check_negations(&falling, policy->check_expr);
        if (policy->restrictive)
            continue;
        check_condition_of(&falling, policy->using_expr);
        if (policy->check_expr != policy->using_expr)
            check_condition_of(&falling, policy->check_expr);
    }
}

/* SPDX-License-Identifier: MIT */
/* What the atoms of a branch mention, and which columns they tie to the caller. */
#include "rights/branch.h"

#include <string.h>

#include "check/checker.h"
#include "rights/flat.h"
#include "rights/fold_parts.h"

#define STEPS_MAX 20000 /* a predicate that calls another twice, twenty deep: too much to say */
#define POLICY_DEPTH 3  /* of tables whose policies read tables whose policies ... */

/* ---- walking ---- */

struct bound_walk {
    const struct binding *binding;
    void (*visit)(const struct expr *expr, const struct binding *binding, void *data);
    void *data;
    int *steps;
};

static void
visit_bound(const struct expr *expr, void *data)
{
    const struct bound_walk *walk = data;
    struct bound_walk inside = *walk;
    struct binding *binding;

    if (--*walk->steps < 0)
        return;
    walk->visit(expr, walk->binding, walk->data);
    if (expr->kind == EXPR_PARAM && walk->binding) {
        inside.binding = walk->binding->caller;
        walk_expr(walk->binding->call->args.at[expr->param->number], visit_bound, &inside);
    } else if (expr->kind == EXPR_PREDICATE && expr->predicate->body) {
        binding = arena_alloc(sizeof(*binding));
        binding->caller = walk->binding;
        binding->call = expr;
        inside.binding = binding;
        walk_expr(check_flat(expr->predicate->body), visit_bound, &inside);
    }
}

void
check_walk_bound(const struct expr *expr, const struct binding *binding,
                 void (*visit)(const struct expr *expr, const struct binding *binding, void *data),
                 void *data)
{
    int steps = STEPS_MAX;
    struct bound_walk walk = {binding, visit, data, &steps};

    walk_expr(check_flat(expr), visit_bound, &walk);
}

const struct expr *
check_stands_for(const struct expr *expr, const struct binding **binding)
{
    for (;;) {
        const struct select *select = expr->select;

        if (expr->kind == EXPR_CAST) {
            expr = expr->args.at[0];
        } else if (expr->kind == EXPR_PARAM && *binding) {
            expr = (*binding)->call->args.at[expr->param->number];
            *binding = (*binding)->caller;
        } else if (expr->kind == EXPR_SELECT && select->from.n == 0 && !select->where &&
                   !select->having && !select->limit && !select->offset && select->outputs.n == 1) {
            expr = select->outputs.at[0].expr;
        } else {
            return expr;
        }
    }
}

/* ---- mentions ---- */

struct mentioning {
    struct mentions found;
    const struct role *role;
    bool definer;
    int depth;
    const struct range *range; /* the column that is asked for, or */
    const struct column *column;
    bool has_column;
};

static struct mentions mentions_at(const struct atom *atom, const struct role *role, int depth);

/* Each branch of what the role sees of the table names the caller. */
static bool
is_filtered(const struct table *table, const struct role *role, int depth)
{
    struct branches branches = {0};

    if (!role || depth <= 0 || table->is_view || table->builtin ||
        !check_role_branches(role, table, CMD_SELECT, false, &branches))
        return false;
    for (size_t i = 0; i < branches.n; i++) {
        bool named = false;

        for (size_t j = 0; j < branches.at[i].atoms.n; j++) {
            struct mentions found = mentions_at(&branches.at[i].atoms.at[j], role, depth - 1);

            named |= (found.caller || found.filtered) && !branches.at[i].atoms.at[j].negated &&
                     !check_is_any_caller(&branches.at[i].atoms.at[j]);
        }
        if (!named)
            return false;
    }
    return true;
}

static void
mention_select(const struct select *select, struct mentioning *mentioning)
{
    for (size_t i = 0; i < select->from.n; i++) {
        const struct range *range = select->from.at[i];

        mentioning->found.select = true;
        if (range->table->raw)
            mentioning->found.unknown = true;
        if (!mentioning->definer && !range->past_policies && !mentioning->found.filtered)
            mentioning->found.filtered =
                is_filtered(range->table, mentioning->role, mentioning->depth);
    }
}

static bool
is_column(const struct expr *expr, const struct range *range, const struct column *column)
{
    return expr->kind == EXPR_COLUMN && expr->column == column &&
           (range ? expr->range == range : expr->range->implicit);
}

static void
visit_mention(const struct expr *expr, const struct binding *binding, void *data)
{
    struct mentioning *mentioning = data;

    (void)binding;
    if (expr->kind == EXPR_COLUMN) {
        mentioning->found.row |= expr->range->implicit;
        mentioning->has_column |=
            mentioning->column && is_column(expr, mentioning->range, mentioning->column);
    }
    if (expr->kind == EXPR_CLAIM || (expr->kind == EXPR_CALL && expr->is_auth))
        mentioning->found.caller = true;
    if (expr->kind == EXPR_RAW || expr->kind == EXPR_FUNCTION)
        mentioning->found.unknown = true;
    if (expr->kind == EXPR_PREDICATE && expr->predicate->definer)
        mentioning->definer = true;
    if (expr->select)
        mention_select(expr->select, mentioning);
}

static struct mentions
mentions_at(const struct atom *atom, const struct role *role, int depth)
{
    struct mentioning mentioning = {.role = role, .definer = atom->definer, .depth = depth};

    check_walk_bound(atom->expr, atom->binding, visit_mention, &mentioning);
    return mentioning.found;
}

struct mentions
check_mentions(const struct atom *atom, const struct role *role)
{
    return mentions_at(atom, role, POLICY_DEPTH);
}

bool
check_expr_names_caller(const struct expr *expr, const struct role *role)
{
    struct atom atom = {.expr = expr};
    struct mentions found = check_mentions(&atom, role);

    return found.caller || found.filtered || found.unknown;
}

bool
check_names_caller(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        struct mentions found = check_mentions(&branch->atoms.at[i], role);

        if (found.caller || found.filtered || found.unknown)
            return true;
    }
    return false;
}

bool
check_names_column(const struct atom *atom, const struct range *range, const struct column *column)
{
    struct mentioning mentioning = {.range = range, .column = column};

    check_walk_bound(atom->expr, atom->binding, visit_mention, &mentioning);
    return mentioning.has_column;
}

/* ---- ties ---- */

static bool
is_uid(const struct expr *expr)
{
    return (expr->kind == EXPR_CALL && expr->is_auth && strcmp(expr->name, "uid") == 0) ||
           (expr->kind == EXPR_CLAIM && strcmp(expr->claim->path, "sub") == 0);
}

static bool
is_exclusion(const struct expr *expr)
{
    return (expr->kind == EXPR_OP &&
            (strcmp(expr->name, "<>") == 0 || strcmp(expr->name, "is distinct from") == 0 ||
             strncmp(expr->name, "not ", 4) == 0)) ||
           ((expr->kind == EXPR_IN || expr->kind == EXPR_EXISTS) && expr->negated) ||
           (expr->kind == EXPR_ALL && expr->name && strcmp(expr->name, "<>") == 0);
}

bool
check_is_exclusion(const struct atom *atom)
{
    return atom->negated != is_exclusion(atom->expr);
}

static enum tie tie_at(const struct branch *branch, const struct range *range,
                       const struct column *column, const struct role *role, int depth);

/* `column = other`: what the other side is tied to. */
static enum tie
tie_of_equality(const struct branch *branch, const struct atom *atom, const struct range *range,
                const struct column *column, const struct role *role, int depth)
{
    for (size_t side = 0; side < 2; side++) {
        const struct binding *here = atom->binding, *there = atom->binding;
        const struct expr *mine = check_stands_for(atom->expr->args.at[side], &here);
        const struct expr *other = check_stands_for(atom->expr->args.at[1 - side], &there);

        if (!is_column(mine, range, column))
            continue;
        if (is_uid(other))
            return TIE_SELF;
        if (other->kind == EXPR_COLUMN)
            return depth == 0 ? TIE_NONE
                              : tie_at(branch, other->range->implicit ? NULL : other->range,
                                       other->column, role, depth - 1);
    }
    return TIE_CONSTANT; /* no plain comparison: the caller decides */
}

static enum tie
tie_of_atom(const struct branch *branch, const struct atom *atom, const struct range *range,
            const struct column *column, const struct role *role, int depth)
{
    struct mentioning mentioning = {.role = role,
                                    .definer = atom->definer,
                                    .depth = POLICY_DEPTH,
                                    .range = range,
                                    .column = column};
    bool names_caller;

    check_walk_bound(atom->expr, atom->binding, visit_mention, &mentioning);
    if (!mentioning.has_column)
        return TIE_NONE;
    names_caller = mentioning.found.caller || mentioning.found.filtered;
    if (mentioning.found.unknown)
        return TIE_LOOKUP;
    if (!mentioning.found.select && atom->expr->kind == EXPR_OP &&
        strcmp(atom->expr->name, "=") == 0 && !atom->negated) {
        enum tie tie = tie_of_equality(branch, atom, range, column, role, depth);

        if (tie != TIE_CONSTANT || !names_caller)
            return tie;
    }
    if (!names_caller)
        return TIE_CONSTANT;
    if (check_is_exclusion(atom))
        return TIE_NONE;
    return mentioning.found.select ? TIE_LOOKUP : TIE_CLAIM;
}

static enum tie
tie_at(const struct branch *branch, const struct range *range, const struct column *column,
       const struct role *role, int depth)
{
    enum tie best = TIE_NONE;

    for (size_t i = 0; i < branch->atoms.n; i++) {
        enum tie tie = tie_of_atom(branch, &branch->atoms.at[i], range, column, role, depth);

        if (tie > best)
            best = tie;
    }
    return best;
}

enum tie
check_tie(const struct branch *branch, const struct range *range, const struct column *column,
          const struct role *role)
{
    return tie_at(branch, range, column, role, 3);
}

enum tie
check_weakest_tie(const struct branches *branches, const struct column *column,
                  const struct role *role)
{
    enum tie weakest = branches->n > 0 ? TIE_SELF : TIE_NONE;

    for (size_t i = 0; i < branches->n; i++) {
        enum tie tie = check_tie(&branches->at[i], NULL, column, role);

        if (tie < weakest)
            weakest = tie;
    }
    return weakest;
}

/* ---- any caller, or somebody ---- */

/* What the token of every user has. */
static bool
is_common_path(const char *path)
{
    static const char *const paths[] = {"sub", "email", "role", "aud",       "iss",
                                        "exp", "iat",   "nbf",  "session_id"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(paths[i], path) == 0)
            return true;
    return false;
}

static bool
is_token_part(const struct expr *expr)
{
    const struct expr *key;

    if (expr->kind == EXPR_CLAIM)
        return is_common_path(expr->claim->path);
    if (expr->kind == EXPR_OP && expr->args.n == 2 && strncmp(expr->name, "->", 2) == 0) {
        key = expr->args.at[1];
        return is_token_part(expr->args.at[0]) && key->value && is_common_path(key->value);
    }
    return expr->kind == EXPR_CALL && expr->is_auth;
}

static bool
is_signed_in_word(const struct expr *expr)
{
    return expr->kind == EXPR_LITERAL && expr->value &&
           (strcmp(expr->value, "authenticated") == 0 || strcmp(expr->value, "") == 0);
}

/* exp > 0 */
static bool
is_order(const struct expr *expr)
{
    return check_is_op(expr, ">") || check_is_op(expr, ">=") || check_is_op(expr, "<") ||
           check_is_op(expr, "<=");
}

bool
check_is_any_caller(const struct atom *atom)
{
    const struct expr *expr = atom->expr, *left, *right;
    const struct binding *binding = atom->binding;

    if (check_is_op(expr, atom->negated ? "is null" : "is not null")) {
        left = check_stands_for(expr->args.at[0], &binding);
        return is_token_part(left);
    }
    if (expr->kind != EXPR_OP || expr->args.n != 2)
        return false;
    left = check_stands_for(expr->args.at[0], &binding);
    binding = atom->binding;
    right = check_stands_for(expr->args.at[1], &binding);
    if (right->kind != EXPR_LITERAL) {
        const struct expr *swap = left;

        left = right;
        right = swap;
    }
    if (!is_token_part(left) || right->kind != EXPR_LITERAL)
        return false;
    if (is_order(expr))
        return !atom->negated;
    if (check_is_op(expr, "=") && !atom->negated)
        return is_signed_in_word(right) && right->value[0];
    return check_is_exclusion(atom) || (check_is_op(expr, "=") && atom->negated);
}

bool
check_is_gated(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        struct mentions found = check_mentions(atom, role);

        if (found.unknown)
            return true;
        if (!found.row && (found.caller || found.filtered) && !check_is_any_caller(atom) &&
            (!check_is_exclusion(atom) || !found.select))
            return true;
    }
    return false;
}

bool
check_has_free_side(const struct branches *written, const struct role *role)
{
    for (size_t i = 0; i < written->n; i++)
        if (!check_is_gated(&written->at[i], role))
            return true;
    return false;
}

bool
check_is_public(const struct branch *branch)
{
    return branch->atoms.n == 1 && branch->atoms.at[0].expr->kind == EXPR_PUBLIC;
}

bool
check_is_anybody(const struct role *role)
{
    return role->builtin && strcmp(role->name, "service_role") != 0;
}

bool
check_is_for_anybody(const struct roles *roles)
{
    for (size_t i = 0; i < roles->n; i++)
        if (check_is_anybody(roles->at[i]))
            return true;
    return false;
}

bool
check_is_for_visitors(const struct roles *roles)
{
    for (size_t i = 0; i < roles->n; i++)
        if (strcmp(roles->at[i]->name, "anon") == 0)
            return true;
    return false;
}

bool
check_is_unique(const struct column *column)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        if ((key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE) &&
            key->columns.n == 1 && key->columns.at[0] == column)
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Conditions that let in more than they seem to: branches that hold for whoever is signed in, that
 * only shut somebody out, or that no request can meet; sub-selects that have nothing to do with the
 * row.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/fold_parts.h"

struct opening {
    const struct checker *checker;
    const struct policy *policy;
    const struct expr *condition;
    const struct role *role;
    const struct branches *branches;
};

static const char *
clause_of(const struct opening *opening)
{
    return opening->condition == opening->policy->using_expr ? "using" : "with check";
}

static struct diag *
report_at(const struct opening *opening, const struct branch *branch, const struct expr *expr,
          enum diag_code code, const char *what)
{
    const struct policy *policy = opening->policy;
    bool inside = branch->part->kind == EXPR_PREDICATE || branch->part->declared;
    struct diag *diag =
        diag_at(inside ? branch->part->span : expr->span, code, "policy \"%s\" on \"%s\" %s",
                policy->name, policy->table->name, what);

    if (inside)
        diag_note(diag, expr->span, "it is decided here");
    return diag;
}

/* ---- one branch, atom by atom ---- */

struct summary {
    size_t any;   /* hold for whoever is signed in */
    size_t shut;  /* only shut somebody out */
    size_t named; /* ask for the caller */
    size_t row;   /* read the row */
    size_t blind; /* a sub-select that reads neither row nor caller */
    size_t gates; /* ask for a value of the token */
    const struct atom *first_shut, *first_blind;
};

static struct summary
summarize(const struct branch *branch, const struct role *role)
{
    struct summary sum = {0};

    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        struct mentions found = check_mentions(atom, role);
        bool caller = found.caller || found.filtered || found.unknown;

        sum.row += found.row;
        if (check_is_any_caller(atom)) {
            sum.any++;
        } else if (caller && check_is_exclusion(atom) && (found.row || found.select)) {
            sum.shut++;
            if (!sum.first_shut)
                sum.first_shut = atom;
        } else if (caller) {
            sum.named++;
        } else if (found.select && !found.row) {
            sum.blind++;
            if (!sum.first_blind)
                sum.first_blind = atom;
        }
    }
    return sum;
}

static bool
report_any_caller(const struct opening *opening, const struct branch *branch)
{
    const struct expr *expr = branch->atoms.n == 1 ? branch->atoms.at[0].expr : branch->part;
    struct diag *diag;

    diag = report_at(opening, branch, expr, PGS3040_OPEN_TO_SIGNED_IN,
                     "is true for every row as soon as somebody is signed in");
    diag_hint(diag,
              "name the caller (`owner_id = auth.uid()`); if every row is meant to be open, write "
              "`%s (public)`",
              clause_of(opening));
    return true;
}

static bool
report_blind(const struct opening *opening, const struct branch *branch, const struct atom *atom)
{
    struct diag *diag = report_at(opening, branch, atom->expr, PGS3041_BLIND_LOOKUP,
                                  "asks a table for neither the row nor the caller");

    diag_hint(diag, "compare a column of the row, and auth.uid(), in the sub-select");
    return true;
}

static bool
report_exclusion(const struct opening *opening, const struct branch *branch,
                 const struct atom *atom)
{
    struct diag *diag = report_at(opening, branch, atom->expr, PGS3043_EXCLUSION_ONLY,
                                  "only says who may not: every stranger passes");

    diag_hint(diag, "say who may, and add this with `and`; if all others are meant, join it to a "
                    "`(public)` policy as a restrictive one");
    return true;
}

/* ---- a sub-select without the row ---- */

static const struct table *
reference_of(const struct column *column, const struct column **target)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        for (size_t j = 0; key->kind == CONSTRAINT_FOREIGN_KEY && j < key->columns.n; j++)
            if (key->columns.at[j] == column && !key->target->builtin) {
                *target = j < key->target_columns.n ? key->target_columns.at[j] : NULL;
                return key->target;
            }
    }
    return NULL;
}

static bool
names_a_tenant(const struct column *column)
{
    size_t len = strlen(column->name);

    return len > 3 && strcmp(column->name + len - 3, "_id") == 0 &&
           strcmp(column->name, "user_id") != 0 && strcmp(column->name, "owner_id") != 0 &&
           strcmp(column->name, "author_id") != 0;
}

/* Both columns say to what the row belongs: `inner` of the look-up, `outer` of the row. */
static bool
is_related(const struct column *inner, const struct column *outer)
{
    const struct column *a = NULL, *b = NULL;
    const struct table *inner_target = reference_of(inner, &a);
    const struct table *outer_target = reference_of(outer, &b);

    if (inner_target && inner_target == outer_target && a == b)
        return true;
    if (inner_target == outer->table && inner_target && a == outer)
        return true;
    if (outer_target == inner->table && outer_target && b == inner)
        return true;
    return !inner_target && !outer_target && strcmp(inner->name, outer->name) == 0 &&
           inner->type.kind == outer->type.kind && names_a_tenant(inner);
}

struct pair {
    const struct column *inner, *outer;
    const struct range *range;
};

static bool
names_column(const struct branch *branch, const struct range *range, const struct column *column)
{
    for (size_t i = 0; i < branch->atoms.n; i++)
        if (check_names_column(&branch->atoms.at[i], range, column))
            return true;
    return false;
}

static bool
find_pair_in(const struct opening *opening, const struct branch *branch, const struct range *range,
             const struct branches *inside, struct pair *out)
{
    const struct table *table = opening->policy->table;

    if (range->table->is_view || range->table == table)
        return false;
    for (size_t i = 0; i < range->table->columns.n; i++)
        for (size_t j = 0; j < table->columns.n; j++) {
            const struct column *inner = range->table->columns.at[i];
            const struct column *outer = table->columns.at[j];
            bool held = false;

            if (!is_related(inner, outer) || check_tie(branch, NULL, outer, opening->role))
                continue;
            for (size_t k = 0; k < inside->n; k++)
                held |= names_column(&inside->at[k], range, inner);
            if (!held) {
                *out = (struct pair){inner, outer, range};
                return true;
            }
        }
    return false;
}

struct lookup {
    const struct opening *opening;
    const struct branch *branch;
    const struct atom *atom;
    struct pair pair;
    bool found;
};

static void
visit_lookup(const struct expr *expr, const struct binding *binding, void *data)
{
    struct lookup *lookup = data;
    struct atom atom = {.binding = binding};
    struct branches inside = {0};

    if (!expr->select || expr->select->from.n == 0 || lookup->found ||
        !check_select_branches(expr->select, &atom, &inside))
        return;
    for (size_t i = 0; i < expr->select->from.n && !lookup->found; i++)
        lookup->found = find_pair_in(lookup->opening, lookup->branch, expr->select->from.at[i],
                                     &inside, &lookup->pair);
}

static bool
check_lookup(const struct opening *opening, const struct branch *branch, const struct atom *atom)
{
    struct mentions found = check_mentions(atom, opening->role);
    struct lookup lookup = {opening, branch, atom, {0}, false};
    const char *outer = opening->policy->table->name;
    struct diag *diag;

    if (!found.select || found.row || found.unknown || !(found.caller || found.filtered) ||
        check_is_exclusion(atom))
        return false;
    check_walk_bound(atom->expr, atom->binding, visit_lookup, &lookup);
    if (!lookup.found)
        return false;
    diag = report_at(opening, branch, atom->expr, PGS3042_LOOKUP_WITHOUT_ROW,
                     arena_printf("asks \"%s\" without the row: whoever has one there passes for "
                                  "every row",
                                  lookup.pair.range->table->name));
    diag_note(diag, lookup.pair.outer->span, "\"%s\" says to what the row belongs",
              lookup.pair.outer->name);
    diag_hint(diag, "compare `%s.%s = %s.%s` in the sub-select", lookup.pair.range->alias,
              lookup.pair.inner->name, outer, lookup.pair.outer->name);
    return true;
}

/* ---- a branch that no request can meet ---- */

static bool
is_dead_for(const struct atom *atom, const struct role *role)
{
    struct assumption a = {.role = role->name, .binding = atom->binding};
    struct value value = check_fold(atom->expr, &a);

    return value.kind == V_NULL || value.kind == (atom->negated ? V_TRUE : V_FALSE);
}

static bool
is_dead(const struct opening *opening, const struct atom *atom)
{
    const struct model *model = opening->checker->model;
    const struct policy *policy = opening->policy;
    bool asked = false;

    for (size_t i = 0; i < model->roles.n; i++) {
        if (!policy_applies(policy, model->roles.at[i], policy->table, policy->command))
            continue;
        asked = true;
        if (!is_dead_for(atom, model->roles.at[i]))
            return false;
    }
    return asked;
}

static bool
check_dead(const struct opening *opening, const struct branch *branch)
{
    struct diag *diag;

    for (size_t i = 0; i < branch->atoms.n && opening->branches->n > 1; i++) {
        const struct atom *atom = &branch->atoms.at[i];

        if (!is_dead(opening, atom))
            continue;
        diag = report_at(opening, branch, atom->expr, PGS3049_DEAD_BRANCH,
                         "has a side that is never true for its roles");
        diag_hint(diag, "drop it; service_role passes every policy without being asked");
        return true;
    }
    return false;
}

/* ---- rows without an owner ---- */

static bool
anybody_writes(const struct checker *checker, const struct column *column)
{
    for (size_t i = 0; i < checker->model->roles.n; i++)
        if (check_is_anybody(checker->model->roles.at[i]) &&
            (access_column(checker->model->roles.at[i], column, CMD_INSERT) ||
             access_column(checker->model->roles.at[i], column, CMD_UPDATE)))
            return true;
    return false;
}

static bool
is_owner_elsewhere(const struct opening *opening, const struct branch *but,
                   const struct column *column)
{
    for (size_t i = 0; i < opening->branches->n; i++)
        if (&opening->branches->at[i] != but &&
            check_tie(&opening->branches->at[i], NULL, column, opening->role) == TIE_SELF)
            return true;
    return false;
}

/* `owner_id is null` beside `owner_id = auth.uid()`. */
static const struct column *
ownerless_side(const struct opening *opening, const struct branch *branch, const struct atom *atom)
{
    const struct binding *binding = atom->binding;
    const struct expr *column;

    if (branch->atoms.n != 1 || atom->negated || !check_is_op(atom->expr, "is null"))
        return NULL;
    column = check_stands_for(atom->expr->args.at[0], &binding);
    if (column->kind != EXPR_COLUMN || !column->range->implicit ||
        !(anybody_writes(opening->checker, column->column) || check_is_let_go(column->column)) ||
        !is_owner_elsewhere(opening, branch, column->column))
        return NULL;
    return column->column;
}

/* auth.uid() is NULL for visitors alone; a claim may be missing from any token. */
static bool
may_be_nobody(const struct opening *opening, const struct atom *atom)
{
    for (size_t i = 0; i < 2; i++) {
        const struct binding *binding = atom->binding;

        if (check_stands_for(atom->expr->args.at[i], &binding)->kind == EXPR_CLAIM)
            return true;
    }
    return check_is_for_visitors(&opening->policy->roles);
}

static void
check_ownerless(const struct opening *opening, const struct branch *branch)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        const struct column *column = ownerless_side(opening, branch, atom);
        struct diag *diag;

        if (!column &&
            (!check_is_op(atom->expr, "is not distinct from") || may_be_nobody(opening, atom)))
            column = check_takes_ownerless(atom);
        if (!column)
            continue;
        diag = report_at(opening, branch, atom->expr, PGS3044_OWNERLESS_ROWS,
                         arena_printf("opens the rows without \"%s\" to everyone", column->name));
        diag_note(diag, column->span, "\"%s\" may be null", column->name);
        diag_hint(diag, "make \"%s\" `not null`, or compare it with `=` alone", column->name);
        return;
    }
}

static bool
check_itself(const struct opening *opening, const struct branch *branch)
{
    const struct column *column =
        branch->atoms.n == 1 ? check_compares_itself(&branch->atoms.at[0]) : NULL;
    const struct expr *expr;
    bool is_pattern, is_test;
    struct diag *diag;

    if (!column)
        return false;
    expr = branch->atoms.at[0].expr;
    is_pattern = check_is_op(expr, "like") || check_is_op(expr, "ilike");
    is_test = check_is_op(expr, "is null") || check_is_op(expr, "is not null");
    diag = report_at(opening, branch, expr, PGS3045_ROW_ITSELF,
                     arena_printf(is_pattern ? "matches every \"%s\" there is"
                                  : is_test  ? "asks whether there is a \"%s\", not whose it is"
                                             : "compares \"%s\" with itself: that holds for every "
                                               "row that has one",
                                  column->name));
    if (is_pattern)
        diag_hint(diag, "name the caller; if every row is meant to be open, write `%s (public)`",
                  clause_of(opening));
    else if (check_is_code(column))
        diag_hint(diag, "a code that is handed out is an argument of a definer function, which "
                        "compares it");
    else
        diag_hint(diag, "compare it with the caller alone: `%s = auth.uid()`%s", column->name,
                  is_test ? "; a code that is handed out is an argument of a definer function"
                          : "");
    return true;
}

/* ---- the whole ---- */

static bool
check_branch(const struct opening *opening, const struct branch *branch)
{
    struct summary sum = summarize(branch, opening->role);

    if (check_is_public(branch))
        return false;
    if (check_dead(opening, branch) || check_itself(opening, branch))
        return true;
    if (sum.any > 0 && sum.row == 0 && sum.any == branch->atoms.n)
        return report_any_caller(opening, branch);
    if (sum.blind > 0 && sum.named == 0 && sum.row == 0)
        return report_blind(opening, branch, sum.first_blind);
    if (sum.shut > 0 && sum.named == 0)
        return report_exclusion(opening, branch, sum.first_shut);
    for (size_t i = 0; i < branch->atoms.n; i++)
        if (check_lookup(opening, branch, &branch->atoms.at[i]))
            return true;
    check_ownerless(opening, branch);
    return false;
}

void
check_opening(const struct checker *checker, const struct policy *policy,
              const struct expr *condition)
{
    struct branches branches = {0};
    struct opening opening = {checker, policy, condition, NULL, &branches};

    if (policy->restrictive || policy->roles.n == 0 || !check_branches(condition, &branches))
        return;
    opening.role = policy->roles.at[0];
    check_mixed(policy, condition);
    for (size_t i = 0; i < branches.n; i++)
        if (check_branch(&opening, &branches.at[i]))
            return;
}

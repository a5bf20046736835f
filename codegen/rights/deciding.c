/* SPDX-License-Identifier: MIT */
/*
 * I15: columns that decide rights.  A policy looks up the caller's own row in some table, as in
 * `exists (select 1 from profile p where p.id = auth.uid() and p.role = 'driver')`: then whoever
 * may write profile.role decides.  Such a column, and a whole row of such a table, must not be
 * anybody's to write, unless the check of the write asks for a right that the writer has already.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"
#include "rights/fold_parts.h"

struct decision {
    const struct checker *checker;
    const struct policy *policy;
    struct span from;            /* of the look-up */
    const struct select *select; /* that looks up */
    const struct range *range;   /* the table that decides */
    const struct branches *inside;
    bool is_existence; /* what the select gives decides nothing */
};

/* ---- may anybody write it ---- */

static bool
holds_literal(const struct atom *atom, const char *value)
{
    for (size_t i = 0; i < atom->expr->args.n; i++) {
        const struct binding *binding = atom->binding;
        const struct expr *arg = check_stands_for(atom->expr->args.at[i], &binding);

        if (arg->kind == EXPR_LITERAL && arg->value && strcmp(arg->value, value) == 0)
            return true;
        for (size_t j = 0; arg->kind == EXPR_ARRAY && j < arg->args.n; j++)
            if (arg->args.at[j]->value && strcmp(arg->args.at[j]->value, value) == 0)
                return true;
    }
    return false;
}

/* The new row's column may have a value that the look-up asks for. */
static bool
admits_value(const struct decision *decision, const struct column *column, const struct atom *test)
{
    for (size_t i = 0; i < decision->inside->n; i++)
        for (size_t j = 0; j < decision->inside->at[i].atoms.n; j++) {
            const struct atom *atom = &decision->inside->at[i].atoms.at[j];

            if (!check_names_column(atom, decision->range, column))
                continue;
            for (size_t k = 0; k < atom->expr->args.n; k++) {
                const char *value = atom->expr->args.at[k]->value;

                if (value && holds_literal(test, value) != check_is_exclusion(test))
                    return true;
            }
        }
    return false;
}

static bool
is_held_to_constant(const struct decision *decision, const struct branch *branch,
                    const struct column *column)
{
    bool held = false;

    for (size_t i = 0; i < branch->atoms.n; i++) {
        if (!check_names_column(&branch->atoms.at[i], NULL, column))
            continue;
        if (admits_value(decision, column, &branch->atoms.at[i]))
            return false;
        held = true;
    }
    return held;
}

struct authority {
    const struct column *column;
    const struct atom *atom;
    bool found;
};

struct reading {
    const struct column *column;
    bool found;
};

static void
find_reading(const struct expr *expr, const struct binding *binding, void *data)
{
    struct reading *reading = data;

    (void)binding;
    reading->found |= expr->kind == EXPR_COLUMN && expr->column == reading->column;
}

/* An invitation says for which role it is, and the look-up does not ask: it is no right to it. */
static bool
leaves_value_out(const struct table *table, const struct authority *authority)
{
    struct reading reading = {.column = check_column_named(table, authority->column->name)};

    if (!reading.column || reading.column->type.kind != authority->column->type.kind ||
        reading.column->type.kind == TYPE_UUID)
        return false;
    check_walk_bound(authority->atom->expr, authority->atom->binding, find_reading, &reading);
    return !reading.found;
}

static void
visit_authority(const struct expr *expr, const struct binding *binding, void *data)
{
    struct authority *authority = data;

    (void)binding;
    if (expr->kind == EXPR_COLUMN && expr->column == authority->column && !expr->range->implicit)
        authority->found = true;
    if (!expr->select)
        return;
    for (size_t i = 0; i < expr->select->from.n; i++)
        if (expr->select->from.at[i]->table != authority->column->table &&
            !leaves_value_out(expr->select->from.at[i]->table, authority))
            authority->found = true;
}

/* The writer proves a right that reaches further than the table itself gives to all its rows. */
static bool
has_authority(const struct branch *branch, const struct column *column, const struct role *role)
{
    if (check_is_gated(branch, role))
        return true;
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        struct authority authority = {.column = column, .atom = atom};
        struct mentions found = check_mentions(atom, role);

        if (!found.select || !(found.caller || found.filtered) || check_is_exclusion(atom))
            continue;
        check_walk_bound(atom->expr, atom->binding, visit_authority, &authority);
        if (authority.found)
            return true;
    }
    return false;
}

static bool
is_bound(const struct decision *decision, const struct branch *branch, const struct column *column,
         const struct role *role)
{
    enum tie tie = check_tie(branch, NULL, column, role);

    if (tie == TIE_CONSTANT)
        return is_held_to_constant(decision, branch, column) || has_authority(branch, column, role);
    return tie != TIE_NONE || has_authority(branch, column, role);
}

/* Every row that an update starts from is the writer's by right, not by being in it. */
static bool
starts_with_authority(const struct policy *policy, const struct column *column,
                      const struct role *role)
{
    struct branches branches = {0};

    if (!policy || policy->command != CMD_UPDATE || !policy->using_expr ||
        !check_branches(policy->using_expr, &branches))
        return false;
    for (size_t i = 0; i < branches.n; i++)
        if (!has_authority(&branches.at[i], column, role))
            return false;
    return branches.n > 0;
}

/* The policy that lets the role write any value into the column; NULL: none. */
static const struct policy *
writing_policy(const struct decision *decision, const struct column *column,
               const struct role *role, enum command command)
{
    struct branches branches = {0};

    if (!check_role_branches(role, column->table, command, true, &branches))
        return NULL;
    for (size_t i = 0; i < branches.n; i++)
        if (!is_bound(decision, &branches.at[i], column, role) &&
            !starts_with_authority(branches.at[i].policy, column, role))
            return branches.at[i].policy;
    return NULL;
}

/* ---- reports ---- */

static bool
is_same_column(const struct column *column, const void *data)
{
    return column == data;
}

static void
hint_columns(struct diag *diag, const struct grant *grant, const struct column *column)
{
    if (grant->columns.n == 0) {
        diag_hint(diag,
                  "list the columns: `%s (...)` without \"%s\"; what is left out keeps its "
                  "default",
                  command_name(grant->command), column->name);
        check_fix_columns(diag, grant, is_same_column, column);
        return;
    }
    diag_hint(diag,
              "take \"%s\" out of the grant, or bind it in `with check` to something "
              "that the caller already controls",
              column->name);
}

static void
report_column(const struct decision *decision, const struct grant *grant,
              const struct column *column, const struct policy *by)
{
    struct diag *diag =
        diag_at(grant_place(grant, column), PGS3050_DECIDES_BY_IT,
                "\"%s\" may %s %s.%s, and policy \"%s\" on \"%s\" decides by it", grant->role->name,
                command_name(grant->command), column->table->name, column->name,
                decision->policy->name, decision->policy->table->name);

    vec_push(&((struct checker *)decision->checker)->strayed, column);
    diag_note(diag, decision->from, "it decides here");
    diag_note(diag, by->span, "policy \"%s\" leaves the value to the writer", by->name);
    hint_columns(diag, grant, column);
}

static void
report_admission(const struct decision *decision, const struct grant *grant)
{
    const struct table *table = decision->range->table;
    struct diag *diag = diag_at(
        grant->span, PGS3051_SELF_ADMISSION,
        "\"%s\" may put itself into \"%s\", and policy \"%s\" on \"%s\" asks for no more",
        grant->role->name, table->name, decision->policy->name, decision->policy->table->name);

    diag_note(diag, decision->from, "it decides here");
    diag_hint(diag,
              "take the grant back, or ask for something that callers cannot give themselves");
}

/* ---- what decides ---- */

static bool
is_reported(const struct decision *decision, struct span span)
{
    const struct checker *checker = decision->checker;

    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], span))
            return true;
    vec_push(&((struct checker *)checker)->decided, span);
    return false;
}

static void
check_writers(const struct decision *decision, const struct column *column)
{
    vec_push(&((struct checker *)decision->checker)->deciders, column);
    for (size_t i = 0; i < column->table->grants.n; i++) {
        const struct grant *grant = column->table->grants.at[i];
        const struct policy *by;

        if ((grant->command != CMD_INSERT && grant->command != CMD_UPDATE) ||
            !check_is_anybody(grant->role) || !grant_holds_for(grant, column))
            continue;
        by = writing_policy(decision, column, grant->role, grant->command);
        if (by && !is_reported(decision, grant_place(grant, column)))
            report_column(decision, grant, column, by);
    }
}

static void
check_admission(const struct decision *decision)
{
    const struct table *table = decision->range->table;

    for (size_t i = 0; i < table->grants.n; i++) {
        const struct grant *grant = table->grants.at[i];
        struct branches branches = {0};

        if (grant->command != CMD_INSERT || !check_is_anybody(grant->role) ||
            !check_role_branches(grant->role, table, CMD_INSERT, true, &branches))
            continue;
        for (size_t j = 0; j < branches.n; j++)
            if (!check_is_gated(&branches.at[j], grant->role)) {
                if (!is_reported(decision, grant->span))
                    report_admission(decision, grant);
                break;
            }
    }
}

/* How the look-up holds a column of the table: in all of its branches. */
static enum tie
weakest(const struct decision *decision, const struct column *column)
{
    enum tie tie = TIE_SELF;

    for (size_t i = 0; i < decision->inside->n; i++) {
        enum tie one = check_tie(&decision->inside->at[i], decision->range, column, NULL);

        if (one < tie)
            tie = one;
    }
    return decision->inside->n > 0 ? tie : TIE_NONE;
}

static bool
is_named(const struct decision *decision, const struct column *column)
{
    for (size_t i = 0; i < decision->inside->n; i++)
        for (size_t j = 0; j < decision->inside->at[i].atoms.n; j++)
            if (check_names_column(&decision->inside->at[i].atoms.at[j], decision->range, column))
                return true;
    for (size_t i = 0; i < decision->select->outputs.n && !decision->is_existence; i++) {
        struct atom output = {.expr = decision->select->outputs.at[i].expr};

        if (check_names_column(&output, decision->range, column))
            return true;
    }
    return false;
}

/* The row that is looked up is the caller's, and not found by its own key. */
static void
check_decision(const struct decision *decision)
{
    const struct table *table = decision->range->table;
    bool is_callers = false, has_others = false;

    for (size_t i = 0; i < table->columns.n; i++)
        is_callers |= weakest(decision, table->columns.at[i]) == TIE_SELF;
    if (!is_callers)
        return;
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];

        if (!is_named(decision, column) || weakest(decision, column) == TIE_SELF)
            continue;
        has_others = true;
        if (check_is_unique(column))
            return;
    }
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];

        if (is_named(decision, column) && weakest(decision, column) != TIE_SELF)
            check_writers(decision, column);
    }
    if (!has_others && decision->select->from.n == 1)
        check_admission(decision);
}

/* ---- the look-ups of all policies ---- */

struct looking {
    const struct checker *checker;
    const struct policy *policy;
};

static void
look_into(const struct looking *looking, const struct select *select, const struct expr *expr,
          const struct binding *binding)
{
    struct atom outer = {.binding = binding};
    struct branches inside = {0};

    if (!check_select_branches(select, &outer, &inside))
        return;
    for (size_t i = 0; i < select->from.n; i++) {
        struct decision decision = {
            looking->checker,   looking->policy, expr->select->span,       select,
            select->from.at[i], &inside,         expr->kind == EXPR_EXISTS};

        if (!decision.range->table->is_view && !decision.range->table->builtin)
            check_decision(&decision);
    }
}

/* `auth.uid() in (select user_id from ...)`: as if the select asked for it. */
static const struct select *
with_subject(const struct expr *expr, const struct binding *binding)
{
    struct select *select;
    struct expr *where, *equal;

    if ((expr->kind != EXPR_IN && expr->kind != EXPR_ANY) || expr->negated || expr->args.n == 0 ||
        expr->select->outputs.n != 1 ||
        !check_is_identity(check_stands_for(expr->args.at[0], &binding)))
        return expr->select;
    select = arena_alloc(sizeof(*select));
    *select = *expr->select;
    equal = check_new_expr(EXPR_OP, expr->span);
    equal->name = "=";
    vec_push(&equal->args, select->outputs.at[0].expr);
    vec_push(&equal->args, expr->args.at[0]);
    where = equal;
    if (select->where) {
        where = check_new_expr(EXPR_OP, expr->span);
        where->name = "and";
        vec_push(&where->args, select->where);
        vec_push(&where->args, equal);
    }
    select->where = where;
    return select;
}

static void
visit_select(const struct expr *expr, const struct binding *binding, void *data)
{
    if (expr->select && expr->select->from.n > 0)
        look_into(data, with_subject(expr, binding), expr, binding);
}

void
check_deciding(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->policies.n; i++) {
        const struct policy *policy = model->policies.at[i];
        struct looking looking = {checker, policy};

        check_walk_policy(policy, visit_select, &looking);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Rights that outlive what they came from: a policy looks up a row about the caller that says
 * whether it still holds (an invitation that was not accepted, a share that has expired, a member
 * who was banned), and does not ask.  What says so is known by its name, and by the values it
 * lists.
 */
#include "rights/rights.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"

/* is_banned is banned */
static const char *
without_is(const char *name)
{
    return strncmp(name, "is_", 3) == 0 ? name + 3 : name;
}

/* ---- what says whether it holds ---- */

static bool
is_end(const struct column *column)
{
    static const char *const ends[] = {"expires_at", "expires",  "expires_on",  "expiry",
                                       "expire_at",  "ends_at",  "valid_until", "valid_to",
                                       "expiration", "ended_at", "until"};

    return WORD_IS_AMONG(column->name, ends);
}

static bool
is_switch_off(const char *word)
{
    static const char *const words[] = {"revoked",  "banned",  "suspended", "disabled",
                                        "blocked",  "removed", "deleted",   "deactivated",
                                        "inactive", "pending", "expired",   "archived"};

    return WORD_IS_AMONG(without_is(word), words);
}

static bool
is_switch_on(const char *word)
{
    static const char *const words[] = {"active",    "enabled",  "accepted",
                                        "confirmed", "approved", "valid"};

    return WORD_IS_AMONG(without_is(word), words);
}

/* A value of a state under which nobody has rights. */
static bool
is_without_right(const char *value)
{
    static const char *const values[] = {
        "invited",  "pending",  "requested", "banned",   "revoked",  "suspended",  "removed",
        "inactive", "blocked",  "left",      "declined", "rejected", "expired",    "disabled",
        "deleted",  "canceled", "cancelled", "waiting",  "kicked",   "deactivated"};

    return WORD_IS_AMONG(value, values);
}

/* And of the work on something: whose it is stays so whatever becomes of it. */
static bool
is_of_work(const char *value)
{
    static const char *const values[] = {"pending",  "requested", "rejected", "declined", "waiting",
                                         "canceled", "cancelled", "expired",  "deleted"};

    return WORD_IS_AMONG(value, values);
}

/* A key of the table holds somebody: its rows say what they are to something. */
static bool
is_membership(const struct table *table)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];

        if ((key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE) &&
            key->columns.n > 1)
            return true;
    }
    return false;
}

struct values {
    const char *found; /* a value without a right */
    const char *right; /* the first of the others */
    bool all;          /* values of work count, too */
};

static void
note_value(struct values *values, const char *value)
{
    bool found = is_without_right(value);
    const char **place = found ? &values->found : &values->right;

    if (!*place && (!found || values->all || !is_of_work(value)))
        *place = value;
}

static void
visit_value(const struct expr *expr, void *data)
{
    if (expr->kind == EXPR_LITERAL && expr->value)
        note_value(data, expr->value);
}

static bool
is_about(const struct constraint *check, const struct column *column)
{
    return check->kind == CONSTRAINT_CHECK && check->check && check->check->kind == EXPR_IN &&
           check->check->args.n > 0 && check->check->args.at[0]->kind == EXPR_COLUMN &&
           check->check->args.at[0]->column == column;
}

/* The values of a state, as far as they are listed. */
static struct values
values_of(const struct column *column)
{
    const struct enumeration *type = column->type.enumeration;
    struct values values = {.all = is_membership(column->table)};

    for (size_t i = 0; column->type.kind == TYPE_ENUM && i < type->labels.n; i++)
        note_value(&values, type->labels.at[i]);
    for (size_t i = 0; i < column->table->constraints.n; i++)
        if (is_about(column->table->constraints.at[i], column))
            walk_expr(column->table->constraints.at[i]->check, visit_value, &values);
    if (column->default_expr)
        walk_expr(column->default_expr, visit_value, &values);
    return values;
}

/* What a state has to be; NULL: it is none, or has no value under which nobody has rights. */
static const char *
test_of_state(const struct column *column)
{
    static const char *const names[] = {"status", "state", "membership_status", "invite_status"};
    struct values values;

    if (column->type.array || !WORD_IS_AMONG(column->name, names))
        return NULL;
    values = values_of(column);
    if (!values.found)
        return NULL;
    return arena_printf(values.right ? "%s = '%s'" : "%s <> '%s'", column->name,
                        values.right ? values.right : values.found);
}

static bool
is_time(struct type type)
{
    return !type.array &&
           (type.kind == TYPE_TIMESTAMPTZ || type.kind == TYPE_TIMESTAMP || type.kind == TYPE_DATE);
}

struct standing {
    const struct column *column;
    const char *test; /* what has to hold, behind the name of the table */
};

static bool
says_standing(const struct column *column, struct standing *out)
{
    const char *name = column->name;

    *out = (struct standing){.column = column, .test = test_of_state(column)};
    if (out->test)
        return true;
    if (is_time(column->type) && is_end(column))
        out->test = arena_printf("%s > now()", name);
    else if (column->type.kind == TYPE_BOOL && is_switch_on(name))
        out->test = name;
    else if (column->type.kind == TYPE_BOOL && is_switch_off(name))
        out->test = arena_printf("%s is not true", name);
    return out->test != NULL;
}

/* ---- who asks ---- */

struct asking {
    struct checker *checker;
    const struct policy *policy;
    bool definer;
    VEC(const struct range *) told;
};

static bool
tests(const struct branch *branch, const struct range *range, const struct column *column)
{
    for (size_t i = 0; i < branch->atoms.n; i++)
        if (check_names_column(&branch->atoms.at[i], range, column))
            return true;
    return false;
}

/* The policies of what is looked up test it already. */
static bool
is_tested_by_all(const struct table *table, const struct role *role, const struct column *column)
{
    struct branches branches = {0};

    if (!check_role_branches(role, table, CMD_SELECT, false, &branches))
        return true;
    for (size_t i = 0; i < branches.n; i++)
        if (!tests(&branches.at[i], NULL, column))
            return false;
    return branches.n > 0;
}

/* Whoever made the row needs nobody's leave. */
static bool
is_author(const struct column *column)
{
    static const char *const names[] = {"owner_id",   "author_id",  "creator_id", "owner",
                                        "author",     "created_by", "creator",    "owned_by",
                                        "created_id", "admin_id",   "host_id",    "seller_id"};

    return WORD_IS_AMONG(column->name, names) ||
           (column->default_expr && check_is_identity(column->default_expr));
}

static bool
is_about_caller(const struct branch *branch, const struct range *range, const struct role *role)
{
    for (size_t i = 0; i < range->table->columns.n; i++) {
        const struct column *column = range->table->columns.at[i];

        if (check_tie(branch, range, column, role) == TIE_SELF && !is_author(column))
            return true;
    }
    return false;
}

static void
report(struct asking *asking, const struct range *range, const struct standing *standing)
{
    struct diag *diag;

    for (size_t i = 0; i < asking->told.n; i++)
        if (check_same_place(asking->told.at[i]->span, range->span))
            return;
    vec_push(&asking->told, range);
    diag = diag_at(range->span, PGS3300_STANDING_UNTESTED,
                   "policy \"%s\" on \"%s\" asks \"%s\" for the caller's row, and not whether it "
                   "still holds: \"%s\" is not tested",
                   asking->policy->name, asking->policy->table->name, range->table->name,
                   standing->column->name);
    diag_note(diag, standing->column->span, "\"%s\" is here", standing->column->name);
    diag_hint(diag, "add a test such as `%s.%s`", range->alias, standing->test);
}

static void
check_range(struct asking *asking, const struct range *range, const struct branches *inside)
{
    const struct role *role = asking->policy->roles.n > 0 ? asking->policy->roles.at[0] : NULL;
    struct standing standing;

    if (!role || range->table->is_view || range->table->derived || range->table->soft_delete)
        return;
    for (size_t i = 0; i < range->table->columns.n; i++) {
        if (!says_standing(range->table->columns.at[i], &standing) ||
            (!asking->definer && is_tested_by_all(range->table, role, standing.column)))
            continue;
        for (size_t j = 0; j < inside->n; j++)
            if (!tests(&inside->at[j], range, standing.column) &&
                is_about_caller(&inside->at[j], range, role)) {
                report(asking, range, &standing);
                return;
            }
    }
}

static void
visit(const struct expr *expr, const struct binding *binding, void *data)
{
    struct asking *asking = data;
    struct atom outer = {.binding = binding};
    struct branches inside = {0};

    if (expr->kind == EXPR_PREDICATE && expr->predicate->definer)
        asking->definer = true;
    if (!expr->select || expr->select->from.n == 0 ||
        !check_select_branches(expr->select, &outer, &inside))
        return;
    for (size_t i = 0; i < expr->select->from.n; i++)
        check_range(asking, expr->select->from.at[i], &inside);
}

void
check_standing(struct checker *checker)
{
    struct asking asking = {.checker = checker};

    if (checker->guessing)
        return;
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];

        if (policy->restrictive)
            continue;
        asking.policy = policy;
        asking.definer = false;
        if (policy->using_expr)
            check_walk_bound(policy->using_expr, NULL, visit, &asking);
        if (policy->check_expr && policy->check_expr != policy->using_expr)
            check_walk_bound(policy->check_expr, NULL, visit, &asking);
    }
}

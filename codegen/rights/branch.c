/* SPDX-License-Identifier: MIT */
#include "rights/branch.h"

#include <string.h>

#include "check/checker.h"
#include "rights/flat.h"
#include "rights/fold_parts.h"

#define BRANCHES_MAX 1024
#define PRODUCT_MAX 512 /* of two sides of an `and`, before what is said twice is left out */
#define STEPS_MAX 20000

struct form {
    const struct binding *binding;
    bool negated;
    bool definer;
    int *steps;
};

static bool add_form(const struct expr *expr, struct form form, struct branches *out);

/* ---- joining ---- */

static bool
push_branches(const struct branches *from, struct branches *out)
{
    for (size_t i = 0; i < from->n; i++)
        vec_push(out, from->at[i]);
    return out->n <= BRANCHES_MAX;
}

static bool
join_or(const struct expr *left, const struct expr *right, struct form form, struct branches *out)
{
    return add_form(left, form, out) && add_form(right, form, out) && out->n <= BRANCHES_MAX;
}

static bool is_same_bound(const struct expr *a, const struct binding *in_a, const struct expr *b,
                          const struct binding *in_b);

/* Calls of one predicate with the same arguments. */
static bool
is_same_binding(const struct binding *a, const struct binding *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->call->predicate != b->call->predicate)
        return false;
    for (size_t i = 0; i < a->call->args.n; i++)
        if (!is_same_bound(a->call->args.at[i], a->caller, b->call->args.at[i], b->caller))
            return false;
    return true;
}

/* The same, where parameters stand for the same; selects are the same only where they stand. */
static bool
is_same_bound(const struct expr *a, const struct binding *in_a, const struct expr *b,
              const struct binding *in_b)
{
    a = check_stands_for(a, &in_a);
    b = check_stands_for(b, &in_b);
    if (a == b && is_same_binding(in_a, in_b))
        return true;
    if (a->kind != b->kind || a->select || b->select || a->args.n != b->args.n || a->tail ||
        b->tail || a->predicate || a->kind == EXPR_PARAM)
        return false;
    if (a->args.n == 0)
        return check_same_expr(a, b);
    if (a->negated != b->negated || a->declared != b->declared || !a->name != !b->name ||
        (a->name && strcmp(a->name, b->name) != 0))
        return false;
    for (size_t i = 0; i < a->args.n; i++)
        if (!a->args.at[i] || !b->args.at[i] ||
            !is_same_bound(a->args.at[i], in_a, b->args.at[i], in_b))
            return false;
    return true;
}

static bool
has_atom(const struct branch *branch, const struct atom *atom)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *one = &branch->atoms.at[i];

        if (one->negated == atom->negated && one->definer == atom->definer &&
            is_same_bound(one->expr, one->binding, atom->expr, atom->binding))
            return true;
    }
    return false;
}

bool
check_asks_all(const struct branch *branch, const struct branch *other)
{
    for (size_t i = 0; i < other->atoms.n; i++)
        if (!has_atom(branch, &other->atoms.at[i]))
            return false;
    return true;
}

/* `(a or b) and (a or c)`: a, or b and c; what asks for more than another branch adds nothing. */
static void
push_unless_absorbed(const struct branch *branch, struct branches *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < out->n; i++)
        if (check_asks_all(branch, &out->at[i]))
            return;
    for (size_t i = 0; i < out->n; i++)
        if (!check_asks_all(&out->at[i], branch))
            out->at[kept++] = out->at[i];
    out->n = kept;
    vec_push(out, *branch);
}

static struct branch
both(const struct branch *a, const struct branch *b, const struct expr *part)
{
    struct branch sum = {.policy = a->policy, .part = part};

    for (size_t i = 0; i < a->atoms.n; i++)
        vec_push(&sum.atoms, a->atoms.at[i]);
    for (size_t i = 0; i < b->atoms.n; i++)
        if (!has_atom(a, &b->atoms.at[i]))
            vec_push(&sum.atoms, b->atoms.at[i]);
    return sum;
}

/* Each branch of the one with each of the other. */
static bool
multiply(const struct branches *a, const struct branches *b, const struct expr *part,
         struct branches *out)
{
    struct branches product = {0};

    if (a->n * b->n > PRODUCT_MAX)
        return false;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++) {
            const struct expr *side = a->at[i].part ? a->at[i].part : b->at[j].part;
            struct branch sum = both(&a->at[i], &b->at[j], part ? part : side);

            if (a->n == 1 || b->n == 1)
                vec_push(&product, sum);
            else
                push_unless_absorbed(&sum, &product);
        }
    return push_branches(&product, out);
}

static bool
join_and(const struct expr *whole, const struct expr *left, const struct expr *right,
         struct form form, struct branches *out)
{
    struct branches a = {0}, b = {0};
    bool many;

    if (!add_form(left, form, &a) || !add_form(right, form, &b))
        return false;
    many = a.n > 1 || b.n > 1;
    if (!many)
        return multiply(&a, &b, whole, out);
    return multiply(&a, &b, NULL, out);
}

/* ---- the forms ---- */

static bool
is_constant(const struct expr *expr, const struct binding *binding, enum value_kind kind)
{
    struct assumption a = {.binding = binding};

    return check_fold(expr, &a).kind == kind;
}

static bool
add_atom(const struct expr *expr, struct form form, struct branches *out)
{
    if (is_constant(expr, form.binding, form.negated ? V_TRUE : V_FALSE))
        return true;
    struct branch branch = {.part = expr};
    struct atom atom = {expr, form.binding, form.negated, form.definer};

    vec_push(&branch.atoms, atom);
    vec_push(out, branch);
    return out->n <= BRANCHES_MAX;
}

static bool
add_operator(const struct expr *expr, struct form form, struct branches *out)
{
    bool is_and = strcmp(expr->name, "and") == 0, is_or = strcmp(expr->name, "or") == 0;
    struct form opposite = form;

    opposite.negated = !form.negated;
    if (is_and || is_or)
        return is_and != form.negated
                   ? join_and(expr, expr->args.at[0], expr->args.at[1], form, out)
                   : join_or(expr->args.at[0], expr->args.at[1], form, out);
    if (strcmp(expr->name, "not") == 0)
        return add_form(expr->args.at[0], opposite, out);
    if (strcmp(expr->name, "is true") == 0)
        return add_form(expr->args.at[0], form, out);
    if (strcmp(expr->name, "is not true") == 0 || strcmp(expr->name, "is false") == 0)
        return add_form(expr->args.at[0], opposite, out);
    return add_atom(expr, form, out);
}

/* `case when a then b else c end`: (a and b) or c; that a was not true before c is left out. */
static bool
add_case(const struct expr *expr, struct form form, struct branches *out)
{
    size_t n = expr->args.n;
    const struct expr *otherwise = expr->args.at[n - 1];
    struct form when_form = form;

    if (expr->args.at[0])
        return add_atom(expr, form, out);
    when_form.negated = false;
    for (size_t i = 1; i + 2 < n; i += 2) {
        struct branches when = {0}, then = {0};
        struct assumption a = {.binding = form.binding};
        struct value value = check_fold(expr->args.at[i + 1], &a);

        if (value.kind == (form.negated ? V_TRUE : V_FALSE) || value.kind == V_NULL)
            continue;
        if (!add_form(expr->args.at[i], when_form, &when))
            return false;
        if (value.kind != V_UNKNOWN ? !push_branches(&when, out)
                                    : !add_form(expr->args.at[i + 1], form, &then) ||
                                          !multiply(&when, &then, NULL, out))
            return false;
    }
    return !otherwise || add_form(otherwise, form, out);
}

/* `exists (select 1 where x)`: there is one row, or none. */
static bool
is_condition_alone(const struct expr *expr)
{
    const struct select *select = expr->select;

    return expr->kind == EXPR_EXISTS && select->kind == SELECT_PLAIN && select->from.n == 0 &&
           select->group_by.n == 0 && select->where;
}

static bool
add_predicate(const struct expr *expr, struct form form, struct branches *out)
{
    struct binding *binding = arena_alloc(sizeof(*binding));
    size_t first = out->n;

    if (!expr->predicate->body)
        return add_atom(expr, form, out);
    binding->caller = form.binding;
    binding->call = expr;
    form.binding = binding;
    form.definer = form.definer || expr->predicate->definer;
    if (!add_form(check_flat(expr->predicate->body), form, out))
        return false;
    for (size_t i = first; i < out->n; i++)
        out->at[i].part = expr;
    return true;
}

/* What a cast, a parameter or a function in SQL comes to. */
static bool
add_meant(const struct expr *expr, const struct expr *meant, const struct binding *binding,
          struct form form, struct branches *out)
{
    size_t first = out->n;

    form.binding = binding;
    if (!add_form(meant, form, out))
        return false;
    for (size_t i = first; i < out->n && expr->declared; i++)
        out->at[i].part = expr;
    return true;
}

static bool
add_form(const struct expr *expr, struct form form, struct branches *out)
{
    const struct binding *binding = form.binding;
    const struct expr *meant;

    if (--*form.steps < 0)
        return false;
    meant = check_stands_for(expr, &binding);
    if (meant != expr)
        return add_meant(expr, meant, binding, form, out);
    if (expr->kind == EXPR_OP)
        return add_operator(expr, form, out);
    if (expr->kind == EXPR_CASE)
        return add_case(expr, form, out);
    if (expr->kind == EXPR_PREDICATE)
        return add_predicate(expr, form, out);
    if (is_condition_alone(expr)) {
        form.negated = form.negated != expr->negated;
        return add_form(expr->select->where, form, out);
    }
    if (expr->kind == EXPR_CALL && !expr->is_auth && strcmp(expr->name, "coalesce") == 0 &&
        expr->args.n == 2 && !form.negated && is_constant(expr->args.at[1], binding, V_FALSE))
        return add_form(expr->args.at[0], form, out);
    return add_atom(expr, form, out);
}

bool
check_branches(const struct expr *condition, struct branches *out)
{
    int steps = STEPS_MAX;

    return add_form(check_flat(condition), (struct form){.steps = &steps}, out);
}

bool
check_select_branches(const struct select *select, const struct atom *outer, struct branches *out)
{
    int steps = STEPS_MAX;
    struct form form = {.binding = outer ? outer->binding : NULL,
                        .definer = outer && outer->definer,
                        .steps = &steps};
    struct branches sum = {0}, next;
    struct branch empty = {0};

    vec_push(&sum, empty);
    for (size_t i = 0; i <= select->from.n; i++) {
        const struct expr *part = i < select->from.n ? select->from.at[i]->on : select->where;
        struct branches one = {0};

        if (!part)
            continue;
        next = (struct branches){0};
        if (!add_form(part, form, &one) || !multiply(&sum, &one, NULL, &next))
            return false;
        sum = next;
    }
    return push_branches(&sum, out);
}

/* ---- of a role ---- */

static const struct expr *
condition_of(const struct policy *policy, bool new_rows)
{
    if (new_rows && policy->check_expr)
        return policy->check_expr;
    return policy->using_expr;
}

static bool
add_permissive(const struct policy *policy, bool new_rows, struct branches *out)
{
    const struct expr *condition = condition_of(policy, new_rows);
    size_t first = out->n;

    if (!condition)
        return true;
    if (!check_branches(condition, out))
        return false;
    for (size_t i = first; i < out->n; i++)
        out->at[i].policy = policy;
    return true;
}

static bool
narrow(const struct policy *policy, bool new_rows, struct branches *sum)
{
    const struct expr *condition = condition_of(policy, new_rows);
    struct branches one = {0}, next = {0};

    if (!condition)
        return true;
    if (!check_branches(condition, &one) || !multiply(sum, &one, NULL, &next))
        return false;
    *sum = next;
    return true;
}

bool
check_role_branches(const struct role *role, const struct table *table, enum command command,
                    bool new_rows, struct branches *out)
{
    for (int restrictive = 0; restrictive < 2; restrictive++)
        for (size_t i = 0; i < table->policies.n; i++) {
            const struct policy *policy = table->policies.at[i];

            if (policy->restrictive != (bool)restrictive ||
                !policy_applies(policy, role, table, command))
                continue;
            if (restrictive ? !narrow(policy, new_rows, out)
                            : !add_permissive(policy, new_rows, out))
                return false;
        }
    return true;
}

void
check_walk_policy(const struct policy *policy,
                  void (*visit)(const struct expr *expr, const struct binding *binding, void *data),
                  void *data)
{
    if (policy->using_expr)
        check_walk_bound(policy->using_expr, NULL, visit, data);
    if (policy->check_expr && policy->check_expr != policy->using_expr)
        check_walk_bound(policy->check_expr, NULL, visit, data);
}

bool
check_is_told(struct checker *checker, struct span span)
{
    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], span))
            return true;
    vec_push(&checker->decided, span);
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Folds policies in three-valued logic: is one true whatever the row holds, or as soon as a claim
 * is missing?  What depends on the row stays unknown; nothing is claimed that is not certain.
 */
#include "checker.h"

#include <stdlib.h>
#include <string.h>

#include "functions.h"

enum value_kind {
    V_UNKNOWN, /* depends on the row, or is not followed */
    V_NULL,
    V_TRUE,
    V_FALSE,
    V_CONSTANT, /* text */
};

struct value {
    enum value_kind kind;
    const char *text;
};

/* What stands for the parameters of a predicate. */
struct binding {
    const struct binding *caller;
    const struct expr *call;
};

struct assumption {
    const char *role;               /* what auth.role() gives; NULL: unknown */
    bool uid_is_null;               /* no user */
    bool token_is_null;             /* no token at all: every claim, auth.jwt(), auth.email() */
    const struct claim *null_claim; /* this one is missing */
    const struct binding *binding;
};

static struct value fold(const struct expr *expr, const struct assumption *a);

static const struct value unknown = {V_UNKNOWN, NULL}, null = {V_NULL, NULL};

static struct value
truth(bool is_true)
{
    return (struct value){is_true ? V_TRUE : V_FALSE, NULL};
}

static struct value
negate(struct value value)
{
    if (value.kind == V_TRUE || value.kind == V_FALSE)
        return truth(value.kind == V_FALSE);
    return value;
}

/* ---- leaves ---- */

static struct value
fold_literal(const struct expr *expr)
{
    if (expr->value)
        return (struct value){V_CONSTANT, expr->value};
    if (strcmp(expr->text, "true") == 0 || strcmp(expr->text, "false") == 0)
        return truth(expr->text[0] == 't');
    if (strcmp(expr->text, "null") == 0)
        return null;
    return (struct value){V_CONSTANT, expr->text};
}

static struct value
fold_auth(const struct expr *expr, const struct assumption *a)
{
    if (strcmp(expr->name, "uid") == 0)
        return a->uid_is_null ? null : unknown;
    if (strcmp(expr->name, "role") == 0)
        return a->role ? (struct value){V_CONSTANT, a->role} : unknown;
    return a->token_is_null ? null : unknown;
}

static struct value
fold_param(const struct expr *expr, const struct assumption *a)
{
    struct assumption outside = *a;

    if (!a->binding)
        return unknown;
    outside.binding = a->binding->caller;
    return fold(a->binding->call->args.at[expr->param->number], &outside);
}

/* ---- operators ---- */

static struct value
fold_and(const struct expr *expr, const struct assumption *a)
{
    struct value left = fold(expr->args.at[0], a), right = fold(expr->args.at[1], a);

    if (left.kind == V_FALSE || right.kind == V_FALSE)
        return truth(false);
    if (left.kind == V_UNKNOWN || right.kind == V_UNKNOWN)
        return unknown;
    return left.kind == V_NULL || right.kind == V_NULL ? null : truth(true);
}

static struct value
fold_or(const struct expr *expr, const struct assumption *a)
{
    struct value left = fold(expr->args.at[0], a), right = fold(expr->args.at[1], a);

    if (left.kind == V_TRUE || right.kind == V_TRUE)
        return truth(true);
    if (left.kind == V_UNKNOWN || right.kind == V_UNKNOWN)
        return unknown;
    return left.kind == V_NULL || right.kind == V_NULL ? null : truth(false);
}

/* Numbers by value, everything else by its text. */
static int
compare_constants(const char *a, const char *b)
{
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);

    if (*a && *b && *end_a == '\0' && *end_b == '\0')
        return x < y ? -1 : x > y;
    return strcmp(a, b);
}

static struct value
order_holds(const char *op, int order)
{
    if (strcmp(op, "=") == 0)
        return truth(order == 0);
    if (strcmp(op, "<>") == 0)
        return truth(order != 0);
    if (strcmp(op, "<=") == 0)
        return order == 0 ? truth(true) : unknown;
    if (strcmp(op, ">=") == 0)
        return order == 0 ? truth(true) : unknown;
    if (strcmp(op, "<") == 0 || strcmp(op, ">") == 0)
        return order == 0 ? truth(false) : unknown;
    return unknown;
}

static const char *
text_of(struct value value)
{
    return value.kind == V_TRUE ? "true" : value.kind == V_FALSE ? "false" : value.text;
}

static struct value
fold_comparison(const struct expr *left, const struct expr *right, const char *op,
                const struct assumption *a)
{
    struct value x = fold(left, a), y = fold(right, a);

    if (x.kind == V_NULL || y.kind == V_NULL)
        return null;
    if (x.kind != V_UNKNOWN && y.kind != V_UNKNOWN)
        return order_holds(op, compare_constants(text_of(x), text_of(y)));
    if (left->kind == EXPR_COLUMN && check_same_expr(left, right) && !left->nullable)
        return order_holds(op, 0);
    return unknown;
}

static struct value
fold_null_test(const struct expr *arg, bool wants_null, const struct assumption *a)
{
    struct value value = fold(arg, a);

    if (value.kind != V_UNKNOWN)
        return truth((value.kind == V_NULL) == wants_null);
    if (arg->kind == EXPR_COLUMN && !arg->nullable)
        return truth(!wants_null);
    return unknown;
}

/* is true, is not false, is unknown, ... */
static struct value
fold_truth_test(const char *op, struct value value)
{
    bool negated = strncmp(op, "is not ", 7) == 0;
    const char *word = op + (negated ? 7 : 3);
    enum value_kind wanted = strcmp(word, "true") == 0    ? V_TRUE
                             : strcmp(word, "false") == 0 ? V_FALSE
                                                          : V_NULL;

    if (value.kind == V_UNKNOWN)
        return unknown;
    return truth((value.kind == wanted) != negated);
}

static struct value
fold_distinct(const struct expr *expr, const struct assumption *a)
{
    struct value x = fold(expr->args.at[0], a), y = fold(expr->args.at[1], a);
    bool negated = strstr(expr->name, "not") != NULL;

    if (x.kind == V_UNKNOWN || y.kind == V_UNKNOWN)
        return unknown;
    if (x.kind == V_NULL || y.kind == V_NULL)
        return truth(((x.kind == V_NULL) != (y.kind == V_NULL)) != negated);
    return truth((compare_constants(text_of(x), text_of(y)) != 0) != negated);
}

static struct value
fold_between(const struct expr *expr, const struct assumption *a)
{
    bool negated = strncmp(expr->name, "not", 3) == 0;

    for (size_t i = 0; i < expr->args.n; i++)
        if (fold(expr->args.at[i], a).kind == V_NULL)
            return i == 0 ? null : unknown;
    struct value low = fold_comparison(expr->args.at[0], expr->args.at[1], ">=", a);
    struct value high = fold_comparison(expr->args.at[0], expr->args.at[2], "<=", a);
    if (low.kind == V_TRUE && high.kind == V_TRUE)
        return truth(!negated);
    return unknown;
}

static struct value
fold_operator(const struct expr *expr, const struct assumption *a)
{
    const char *op = expr->name;

    if (strcmp(op, "and") == 0)
        return fold_and(expr, a);
    if (strcmp(op, "or") == 0)
        return fold_or(expr, a);
    if (strcmp(op, "not") == 0)
        return negate(fold(expr->args.at[0], a));
    if (strcmp(op, "is null") == 0 || strcmp(op, "is not null") == 0)
        return fold_null_test(expr->args.at[0], strcmp(op, "is null") == 0, a);
    if (strstr(op, "distinct from"))
        return fold_distinct(expr, a);
    if (strncmp(op, "is ", 3) == 0)
        return fold_truth_test(op, fold(expr->args.at[0], a));
    if (strstr(op, "between"))
        return fold_between(expr, a);
    if (expr->args.n == 2)
        return fold_comparison(expr->args.at[0], expr->args.at[1], op, a);
    return unknown;
}

/* ---- the other forms ---- */

static struct value
fold_call(const struct expr *expr, const struct assumption *a)
{
    const struct function *function;

    if (expr->is_auth)
        return fold_auth(expr, a);
    if (strcmp(expr->name, "coalesce") == 0) {
        for (size_t i = 0; i < expr->args.n; i++) {
            struct value value = fold(expr->args.at[i], a);

            if (value.kind != V_NULL)
                return value;
        }
        return null;
    }
    function = function_find(expr->name);
    for (size_t i = 0; function && function->nulls == STRICT && i < expr->args.n; i++)
        if (fold(expr->args.at[i], a).kind == V_NULL)
            return null;
    return unknown;
}

/* False or null, whichever: `x and null` is not known, but it is never true. */
static bool
is_never_true(const struct expr *expr, const struct assumption *a)
{
    struct value value = fold(expr, a);
    bool is_and = expr->kind == EXPR_OP && strcmp(expr->name, "and") == 0;
    bool is_or = expr->kind == EXPR_OP && strcmp(expr->name, "or") == 0;

    if (value.kind == V_FALSE || value.kind == V_NULL)
        return true;
    if (!is_and && !is_or)
        return false;
    bool left = is_never_true(expr->args.at[0], a), right = is_never_true(expr->args.at[1], a);
    return is_and ? left || right : left && right;
}

static bool
is_empty(const struct select *select, const struct assumption *a)
{
    return select->where && is_never_true(select->where, a);
}

static bool
has_aggregate(const struct select *select)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        if (select->outputs.at[i].expr->aggregate)
            return true;
    return select->group_by.n > 0;
}

static struct value
fold_exists(const struct expr *expr, const struct assumption *a)
{
    if (has_aggregate(expr->select) || !is_empty(expr->select, a))
        return unknown;
    return truth(expr->negated);
}

static struct value
fold_select(const struct expr *expr, const struct assumption *a)
{
    const struct select *select = expr->select;

    if (has_aggregate(select))
        return unknown;
    if (is_empty(select, a))
        return null;
    if (select->from.n == 0 && !select->where && select->outputs.n == 1)
        return fold(select->outputs.at[0].expr, a);
    return unknown;
}

/* in (): equal to one of them is true; otherwise it takes all of them to be known. */
static struct value
fold_in(const struct expr *expr, const struct assumption *a)
{
    struct value sum = truth(false);

    if (expr->select)
        return is_empty(expr->select, a) && !has_aggregate(expr->select) ? truth(expr->negated)
                                                                         : unknown;
    for (size_t i = 1; i < expr->args.n; i++) {
        struct value one = fold_comparison(expr->args.at[0], expr->args.at[i], "=", a);

        if (one.kind == V_TRUE)
            return truth(!expr->negated);
        if (one.kind == V_UNKNOWN || (one.kind == V_NULL && sum.kind == V_FALSE))
            sum = one;
    }
    return expr->negated ? negate(sum) : sum;
}

static struct value
fold_case(const struct expr *expr, const struct assumption *a)
{
    size_t n = expr->args.n;

    for (size_t i = 1; i + 2 < n; i += 2) {
        struct value when = expr->args.at[0]
                                ? fold_comparison(expr->args.at[0], expr->args.at[i], "=", a)
                                : fold(expr->args.at[i], a);

        if (when.kind == V_TRUE)
            return fold(expr->args.at[i + 1], a);
        if (when.kind == V_UNKNOWN)
            return unknown;
    }
    return expr->args.at[n - 1] ? fold(expr->args.at[n - 1], a) : null;
}

static struct value
fold_predicate(const struct expr *expr, const struct assumption *a)
{
    struct binding binding = {.caller = a->binding, .call = expr};
    struct assumption inside = *a;

    if (!expr->predicate->body)
        return unknown;
    inside.binding = &binding;
    return fold(expr->predicate->body, &inside);
}

static struct value
fold(const struct expr *expr, const struct assumption *a)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        return fold_literal(expr);
    case EXPR_CLAIM:
        return a->token_is_null || a->null_claim == expr->claim ? null : unknown;
    case EXPR_PARAM:
        return fold_param(expr, a);
    case EXPR_CALL:
        return fold_call(expr, a);
    case EXPR_OP:
        return fold_operator(expr, a);
    case EXPR_CAST:
        return fold(expr->args.at[0], a);
    case EXPR_EXISTS:
        return fold_exists(expr, a);
    case EXPR_SELECT:
        return fold_select(expr, a);
    case EXPR_IN:
        return fold_in(expr, a);
    case EXPR_CASE:
        return fold_case(expr, a);
    case EXPR_PREDICATE:
        return fold_predicate(expr, a);
    default:
        return unknown;
    }
}

/* ---- the rules ---- */

/* The side of an `or` that makes it true: what the caret should point at. */
static const struct expr *
guilty_part(const struct expr *expr, const struct assumption *a)
{
    while (expr->kind == EXPR_OP && strcmp(expr->name, "or") == 0) {
        const struct expr *left = expr->args.at[0];

        expr = fold(left, a).kind == V_TRUE ? left : expr->args.at[1];
        if (fold(expr, a).kind != V_TRUE)
            break;
    }
    return expr;
}

static const struct role *
role_it_is_true_for(const struct policy *policy, const struct expr *expr)
{
    for (size_t i = 0; i < policy->roles.n; i++) {
        struct assumption a = {.role = policy->roles.at[i]->name};

        if (fold(expr, &a).kind == V_TRUE)
            return policy->roles.at[i];
    }
    return NULL;
}

static bool
report_always_true(const struct policy *policy, const struct expr *expr)
{
    const struct expr *check = policy->check_expr;
    const struct role *role = role_it_is_true_for(policy, expr);
    struct assumption a = {.role = role ? role->name : NULL};
    const char *where = expr == check ? "with check" : "using";
    struct diag *diag;

    if (!role)
        return false;
    if (expr != check && check && check->kind != EXPR_PUBLIC && role_it_is_true_for(policy, check))
        where = "using, and with check";
    diag = diag_at(guilty_part(expr, &a)->span, PGS3003_POLICY_ALWAYS_TRUE,
                   "policy \"%s\" on \"%s\" is true for every row (%s)", policy->name,
                   policy->table->name, where);
    diag_hint(diag,
              "name the caller (`owner_id = auth.uid()`); if every row is meant to be open, "
              "write `%s (public)`",
              expr == check ? "with check" : "using");
    return true;
}

static bool
report_when_null(const struct policy *policy, const struct expr *expr, const struct assumption *a,
                 const char *what)
{
    struct diag *diag;

    if (fold(expr, a).kind != V_TRUE)
        return false;
    diag = diag_at(guilty_part(expr, a)->span, PGS3004_POLICY_TRUE_FOR_NOBODY,
                   "policy \"%s\" on \"%s\" is true for every row when %s", policy->name,
                   policy->table->name, what);
    diag_hint(diag, "drop that side; a job uses `service_role`, open rows are written `using "
                    "(public)`");
    return true;
}

static bool
check_nobody(const struct checker *checker, const struct policy *policy, const struct expr *expr)
{
    struct assumption no_user = {.uid_is_null = true};
    struct assumption no_token = {.uid_is_null = true, .token_is_null = true};

    if (report_when_null(policy, expr, &no_user, "auth.uid() is null"))
        return true;
    for (size_t i = 0; i < checker->model->claims.n; i++) {
        const struct claim *claim = checker->model->claims.at[i];
        struct assumption missing = {.null_claim = claim};

        if (report_when_null(policy, expr, &missing,
                             arena_printf("claim \"%s\" is missing", claim->name)))
            return true;
    }
    return report_when_null(policy, expr, &no_token, "there is no token");
}

static void
check_never_true(const struct policy *policy, const struct expr *expr)
{
    struct assumption a = {0};
    struct diag *diag;

    if (!is_never_true(expr, &a))
        return;
    diag = diag_at(expr->span, PGS3005_POLICY_NEVER_TRUE, "policy \"%s\" on \"%s\" is never true",
                   policy->name, policy->table->name);
    diag_hint(diag, "drop the policy: what none admits is refused anyway");
}

static void
check_expression(const struct checker *checker, const struct policy *policy,
                 const struct expr *expr)
{
    if (expr->kind == EXPR_PUBLIC)
        return;
    if (report_always_true(policy, expr) || check_nobody(checker, policy, expr))
        return;
    check_never_true(policy, expr);
}

VEC_STRUCT(seen, const struct expr *);

/* A declaration for several commands has become several policies with the same expressions. */
static bool
is_new(struct seen *seen, const struct expr *expr)
{
    for (size_t i = 0; i < seen->n; i++)
        if (seen->at[i] == expr)
            return false;
    vec_push(seen, expr);
    return true;
}

void
check_truth(struct checker *checker)
{
    struct seen seen = {0};

    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        size_t errors = diag_errors();

        if (policy->using_expr && is_new(&seen, policy->using_expr))
            check_expression(checker, policy, policy->using_expr);
        if (policy->check_expr && is_new(&seen, policy->check_expr) && diag_errors() == errors)
            check_expression(checker, policy, policy->check_expr);
    }
}

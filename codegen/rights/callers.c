/* SPDX-License-Identifier: MIT */
/*
 * Who the caller is, told by something weaker than auth.uid(): an address that changes hands, a
 * part of a word, a word in letters that never come.  And functions that answer anew for each row.
 */
#include "rights/rights.h"

#include <ctype.h>
#include <string.h>

#include "rights/branch.h"

struct asking {
    const struct policy *policy;
    struct checker *checker;
};

static bool
is_told(const struct asking *asking, const struct expr *expr)
{
    struct checker *checker = asking->checker;

    for (size_t i = 0; i < checker->decided.n; i++)
        if (check_same_place(checker->decided.at[i], expr->span))
            return true;
    vec_push(&checker->decided, expr->span);
    return false;
}

/* ---- e-mail ---- */

static bool
is_email(const struct expr *expr, const struct binding *binding)
{
    static const char *const parts[] = {"lower", "upper",  "trim",      "split_part",
                                        "right", "substr", "substring", "regexp_replace"};

    expr = check_stands_for(expr, &binding);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (check_is_call(expr, parts[i]))
            return expr->args.n > 0 && is_email(expr->args.at[0], binding);
    if (expr->kind == EXPR_CLAIM)
        return strcmp(expr->claim->path, "email") == 0;
    if (expr->kind == EXPR_CALL && expr->is_auth)
        return strcmp(expr->name, "email") == 0;
    return check_is_op(expr, "->>") && expr->args.at[1]->value &&
           strcmp(expr->args.at[1]->value, "email") == 0 && expr->args.at[0]->kind == EXPR_CALL &&
           expr->args.at[0]->is_auth;
}

static bool
compares(const struct expr *expr)
{
    return check_is_op(expr, "=") || check_is_op(expr, "like") || check_is_op(expr, "ilike") ||
           check_is_op(expr, "~") || check_is_op(expr, "~*") || expr->kind == EXPR_IN ||
           expr->kind == EXPR_ANY;
}

static void
check_email(const struct asking *asking, const struct expr *expr, const struct binding *binding)
{
    struct diag *diag;
    bool named = false;

    if (!compares(expr))
        return;
    for (size_t i = 0; i < expr->args.n; i++)
        named |= is_email(expr->args.at[i], binding);
    if (!named || is_told(asking, expr))
        return;
    diag = diag_at(expr->span, PGS3060_EMAIL_IDENTITY,
                   "policy \"%s\" on \"%s\" takes an e-mail address for a person",
                   asking->policy->name, asking->policy->table->name);
    diag_hint(diag,
              "an address may be unconfirmed, written otherwise, or somebody else's tomorrow: "
              "keep the user's id, and compare it with auth.uid()");
}

/* ---- part of a word ---- */

static bool
is_of_token(const struct expr *expr, const struct binding *binding)
{
    struct atom atom = {.expr = expr, .binding = binding};
    struct mentions found = check_mentions(&atom, NULL);

    return found.caller && !found.row && !found.select && !is_email(expr, binding);
}

static bool
is_text_of_token(const struct expr *expr, const struct binding *binding)
{
    return type_is_text(expr->type) && !expr->type.array && is_of_token(expr, binding);
}

static bool
has_wildcard(const struct expr *pattern)
{
    return pattern->kind == EXPR_LITERAL && pattern->value && strpbrk(pattern->value, "%_") &&
           pattern->value[strspn(pattern->value, "%_")] != '\0';
}

/* A pattern that is not held at both ends. */
static bool
is_loose(const struct expr *pattern)
{
    size_t len;

    if (pattern->kind != EXPR_LITERAL || !pattern->value)
        return false;
    len = strlen(pattern->value);
    return len == 0 || pattern->value[0] != '^' || pattern->value[len - 1] != '$';
}

static bool
finds_part(const struct expr *expr, const struct binding *binding)
{
    if (check_is_call(expr, "strpos") || check_is_call(expr, "position") ||
        check_is_call(expr, "starts_with"))
        return expr->args.n > 0 && is_text_of_token(expr->args.at[0], binding);
    if (expr->kind != EXPR_OP || expr->args.n < 2 || !is_text_of_token(expr->args.at[0], binding))
        return false;
    if (check_is_op(expr, "like") || check_is_op(expr, "ilike"))
        return has_wildcard(expr->args.at[1]);
    return (check_is_op(expr, "~") || check_is_op(expr, "~*")) && is_loose(expr->args.at[1]);
}

static void
check_part(const struct asking *asking, const struct expr *expr, const struct binding *binding)
{
    struct diag *diag;

    if (!finds_part(expr, binding) || is_told(asking, expr))
        return;
    diag = diag_at(expr->span, PGS3061_PART_OF_CLAIM,
                   "policy \"%s\" on \"%s\" looks for a part of what the token says",
                   asking->policy->name, asking->policy->table->name);
    diag_hint(diag,
              "'admin' is also in 'not-admin' and 'administrator-of-nothing': compare the "
              "whole with `=` or `in`; a list in a claim is an array, `'admin' = any (roles)`");
}

/* ---- the caller, anywhere ---- */

static bool
is_text_of_row(const struct expr *expr, const struct binding *binding)
{
    struct atom atom = {.expr = expr, .binding = binding};
    struct mentions found = check_mentions(&atom, NULL);

    return found.row && !found.caller && type_is_text(expr->type);
}

/* What a pattern begins with: '%' of `'%/' || auth.uid()`. */
static const struct expr *
beginning(const struct expr *pattern)
{
    while (check_is_op(pattern, "||"))
        pattern = pattern->args.at[0];
    return pattern;
}

/* A sign in it stands for others, not only what a claim may hold. */
static bool
has_sign(const struct expr *pattern)
{
    bool joins = check_is_op(pattern, "||") || check_is_call(pattern, "concat") ||
                 check_is_call(pattern, "coalesce");

    if (pattern->kind == EXPR_LITERAL)
        return pattern->value && strpbrk(pattern->value, "%_");
    for (size_t i = 0; (joins || pattern->kind == EXPR_CAST) && i < pattern->args.n; i++)
        if (has_sign(pattern->args.at[i]))
            return true;
    return false;
}

/* `start || x`, as the whole of it. */
static bool
is_end(const struct expr *pattern, const char *start)
{
    const struct expr *first = check_is_op(pattern, "||") ? pattern->args.at[0] : NULL;

    return first && first->kind == EXPR_LITERAL && first->value &&
           strcmp(first->value, start) == 0 && !has_sign(pattern->args.at[1]);
}

/* `'%@' || my_domain`: whom the end of an address names. */
static bool
is_domain(const struct expr *pattern)
{
    return is_end(pattern, "%@") || is_end(pattern, "%.");
}

static bool
is_open_pattern(const struct expr *expr, const struct binding *binding)
{
    const struct expr *first = beginning(expr->args.at[1]);
    bool is_like = check_is_op(expr, "like") || check_is_op(expr, "ilike");

    if (!is_of_token(expr->args.at[1], binding))
        return false;
    if (is_like)
        return first->kind == EXPR_LITERAL && first->value && first->value[0] == '%' &&
               !is_domain(expr->args.at[1]);
    return (check_is_op(expr, "~") || check_is_op(expr, "~*")) &&
           (first->kind != EXPR_LITERAL || !first->value || first->value[0] != '^');
}

static bool
finds_caller(const struct expr *expr, const struct binding *binding)
{
    if (expr->args.n < 2)
        return false;
    if (check_is_call(expr, "strpos") || check_is_call(expr, "position"))
        return is_text_of_row(expr->args.at[0], binding) &&
               is_text_of_token(expr->args.at[1], binding);
    return expr->kind == EXPR_OP && is_text_of_row(expr->args.at[0], binding) &&
           is_open_pattern(expr, binding);
}

/* `name like '%' || auth.uid() || '%'`: the name of somebody else's file may hold it, too. */
static void
check_inside(const struct asking *asking, const struct expr *expr, const struct binding *binding)
{
    struct diag *diag;

    if (!finds_caller(expr, binding) || is_told(asking, expr))
        return;
    diag = diag_at(expr->span, PGS3127_CALLER_INSIDE,
                   "policy \"%s\" on \"%s\" is content with the caller anywhere in a text",
                   asking->policy->name, asking->policy->table->name);
    diag_hint(diag, expr->kind == EXPR_OP && is_end(expr->args.at[1], "%")
                        ? "the end of an address begins with its sign, `'%%@' || my_domain`; "
                          "better is a column of its own for the owner"
                        : "hold it to its place: `split_part(name, '/', 1) = auth.uid()::text`; "
                          "better is a column of its own for the owner");
}

/* ---- a pattern that somebody wrote ---- */

static void
find_written(const struct expr *expr, const struct binding *binding, void *data)
{
    const struct column **written = data;

    (void)binding;
    if (expr->kind == EXPR_COLUMN && type_is_text(expr->column->type) && !*written)
        *written = expr->column;
}

/* `path like handle || '/%'`: a handle of `%` is every path. */
static void
check_pattern(const struct asking *asking, const struct expr *expr, const struct binding *binding)
{
    const struct column *written = NULL;
    struct diag *diag;

    if (!check_is_op(expr, "like") && !check_is_op(expr, "ilike") && !check_is_op(expr, "~") &&
        !check_is_op(expr, "~*"))
        return;
    check_walk_bound(expr->args.at[1], binding, find_written, &written);
    if (!written || is_told(asking, expr->args.at[1]))
        return;
    diag = diag_at(expr->args.at[1]->span, PGS3126_PATTERN_OF_OTHERS,
                   "policy \"%s\" on \"%s\" takes what \"%s\" holds for a pattern: `%%` in it fits "
                   "everything",
                   asking->policy->name, asking->policy->table->name, written->name);
    diag_note(diag, written->span, "\"%s\" is here", written->name);
    diag_hint(diag, "compare the whole with `=`, or with `starts_with()`, in which no sign stands "
                    "for others");
}

/* ---- letters that never come ---- */

static bool
has_other_case(const struct expr *call, const struct expr *literal)
{
    if (literal->kind != EXPR_LITERAL || !literal->value)
        return false;
    for (const char *at = literal->value; *at; at++)
        if (check_is_call(call, "lower") ? isupper((unsigned char)*at)
                                         : islower((unsigned char)*at))
            return true;
    return false;
}

static void
fix_case(struct diag *diag, const struct expr *literal, bool to_lower)
{
    char *text = (char *)arena_printf("%s", literal->text);

    for (char *at = text; *at; at++)
        *at = (char)(to_lower ? tolower((unsigned char)*at) : toupper((unsigned char)*at));
    diag_fix(diag, literal->span, "%s", text);
}

static void
check_case_of(const struct asking *asking, const struct expr *expr, size_t i)
{
    const struct expr *call = expr->args.at[i];

    if (!check_is_call(call, "lower") && !check_is_call(call, "upper"))
        return;
    for (size_t j = 0; j < expr->args.n; j++) {
        struct diag *diag;

        if (j == i || !has_other_case(call, expr->args.at[j]) || is_told(asking, expr->args.at[j]))
            continue;
        diag = diag_at(expr->args.at[j]->span, PGS3062_CASE_NEVER_COMES, "%s() never gives '%s'",
                       call->name, expr->args.at[j]->value);
        diag_hint(diag, "write it in %s letters",
                  check_is_call(call, "lower") ? "small" : "capital");
        fix_case(diag, expr->args.at[j], check_is_call(call, "lower"));
    }
}

static void
check_case_letters(const struct asking *asking, const struct expr *expr)
{
    bool equals = check_is_op(expr, "=") || check_is_op(expr, "<>") ||
                  (expr->kind == EXPR_IN && !expr->select);

    for (size_t i = 0; equals && i < expr->args.n; i++)
        check_case_of(asking, expr, i);
}

/* ---- anew for each row ---- */

static void
check_volatile(const struct asking *asking, const struct expr *expr)
{
    const struct function *function;
    struct diag *diag;

    if (expr->kind != EXPR_CALL || expr->is_auth)
        return;
    function = expr->function ? expr->function : function_find(expr->name);
    if (!function || function_volatility(function, OLDEST_RELEASE) != VOLATILE ||
        is_told(asking, expr))
        return;
    diag = diag_at(expr->span, PGS3083_VOLATILE_IN_POLICY,
                   "policy \"%s\" on \"%s\" calls %s(), which gives another answer for each row",
                   asking->policy->name, asking->policy->table->name, expr->name);
    diag_hint(diag, "a right does not depend on chance: compare columns, claims, and now()");
}

/* ---- settings ---- */

/* In a function that the policy calls: there, others may read them. */
static void
check_setting(const struct asking *asking, const struct expr *expr)
{
    struct diag *diag;

    if (!check_is_call(expr, "current_setting") || is_told(asking, expr))
        return;
    diag = diag_at(expr->span, PGS3016_POLICY_READS_SETTING,
                   "policy \"%s\" on \"%s\" comes to read a setting here: some of them the client "
                   "writes",
                   asking->policy->name, asking->policy->table->name);
    diag_note(diag, asking->policy->span, "the policy is here");
    diag_hint(diag, "declare a claim, or look the membership up: `exists (select 1 from member "
                    "...)`");
}

/* ---- not in, and a NULL among them ---- */

struct null_search {
    const struct expr *column;
    bool excluded;
};

static void
visit_null_test(const struct expr *expr, void *data)
{
    struct null_search *search = data;

    if (check_is_op(expr, "is not null") && expr->args.at[0]->kind == EXPR_COLUMN &&
        expr->args.at[0]->column == search->column->column)
        search->excluded = true;
}

static bool
leaves_nulls_out(const struct select *select, const struct expr *column)
{
    struct null_search search = {.column = column};

    if (select->where)
        walk_conjuncts(select->where, visit_null_test, &search);
    return search.excluded;
}

static void
check_not_in(const struct asking *asking, const struct expr *expr)
{
    const struct expr *output;
    struct diag *diag;

    if (expr->kind != EXPR_IN || !expr->negated || !expr->select || expr->select->outputs.n != 1)
        return;
    output = expr->select->outputs.at[0].expr;
    if (output->kind != EXPR_COLUMN || !output->nullable ||
        leaves_nulls_out(expr->select, output) || is_told(asking, output))
        return;
    diag = diag_at(output->span, PGS3057_NOT_IN_NULL,
                   "policy \"%s\" on \"%s\": one NULL in \"%s\", and `not in` is never true",
                   asking->policy->name, asking->policy->table->name, output->column->name);
    diag_note(diag, output->column->span, "\"%s\" may be null", output->column->name);
    diag_hint(diag, "make it `not null`, add `where %s is not null`, or write `not exists`",
              output->column->name);
}

static void
visit(const struct expr *expr, const struct binding *binding, void *data)
{
    check_not_in(data, expr);
    check_email(data, expr, binding);
    check_part(data, expr, binding);
    check_inside(data, expr, binding);
    check_pattern(data, expr, binding);
    check_case_letters(data, expr);
    check_volatile(data, expr);
    check_setting(data, expr);
}

void
check_callers(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->policies.n; i++) {
        const struct policy *policy = checker->model->policies.at[i];
        struct asking asking = {policy, checker};

        if (policy->using_expr)
            check_walk_bound(policy->using_expr, NULL, visit, &asking);
        if (policy->check_expr && policy->check_expr != policy->using_expr)
            check_walk_bound(policy->check_expr, NULL, visit, &asking);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Operators, by PostgreSQL's table of them; and the comparisons that are always mistakes.
 */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"

static bool
is_comparison(const char *op)
{
    static const char *const names[] = {
        "=", "<>", "<", ">", "<=", ">=", "is distinct from", "is not distinct from"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], op) == 0)
            return true;
    return false;
}

/* Only where null stands on the right: `x = null` as it is written. */
static void
fix_null_comparison(struct diag *diag, const struct ast_expr *ast, size_t null)
{
    struct span span = ast->op_span;
    bool equal = strcmp(ast->op, "=") == 0;

    if (null != 1 || ast->args.at[1]->kind != AST_NULL || (!equal && strcmp(ast->op, "<>") != 0))
        return;
    span.end = ast->args.at[1]->span.end;
    diag_fix(diag, span, equal ? "is null" : "is not null");
}

/* `x = null` is null for every x.  True after the error: nothing more is said of it. */
static bool
refuse_null_comparison(const struct ast_expr *ast, const struct expr *expr)
{
    if (strncmp(ast->op, "is ", 3) == 0)
        return false;
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i]->type.kind == TYPE_NULL) {
            struct diag *diag =
                diag_at(ast->span, PGS2029_COMPARES_NULL, "a comparison with null is never true");
            diag_hint(diag, "write `is null` or `is not null`");
            fix_null_comparison(diag, ast, i);
            return true;
        }
    return false;
}

/* In a sub-select: `m.team_id = team_id`, where the bare name was meant to be the outer row's. */
static void
refuse_self_comparison(const struct ast_expr *ast, const struct expr *expr)
{
    const struct expr *a = expr->args.at[0], *b = expr->args.at[1];

    if (a->kind != EXPR_COLUMN || b->kind != EXPR_COLUMN || a->column != b->column ||
        a->range != b->range || a->range->implicit)
        return;
    struct diag *diag =
        diag_at(ast->span, PGS2030_COMPARES_SELF, "this compares \"%s\" of \"%s\" with itself",
                a->column->name, a->range->alias);
    diag_hint(diag, "a bare name is the innermost table's: qualify the other one with its table");
}

/* What other languages write so. */
static const char *
usual_operator(const char *op, const struct expr *const *args)
{
    bool booleans = args[0]->type.kind == TYPE_BOOL || args[1]->type.kind == TYPE_BOOL;

    if (strcmp(op, "==") == 0)
        return "=";
    if (strcmp(op, "&&") == 0 && booleans)
        return "and";
    if (strcmp(op, "||") == 0 && booleans)
        return "or";
    if (strcmp(op, "+") == 0 && type_is_text(args[0]->type))
        return "||";
    return NULL;
}

/* The other side can be cast to it, and then there is such an operator. */
static bool
casts_help(const char *op, struct type from, struct type to)
{
    struct type both[] = {to, to};
    struct resolution found;

    return !type_same(from, to) && type_cast_kind(from, to) >= CAST_EXPLICIT &&
           operator_resolve(op, both, 2, &found);
}

/* What to write instead; the operands that there are, when nothing better is known. */
static void
hint_operator(struct diag *diag, const char *op, struct type left, struct type right)
{
    if (casts_help(op, right, left))
        diag_hint(diag, "cast one side: `(...)::%s`", type_text(left));
    else if (casts_help(op, left, right))
        diag_hint(diag, "cast one side: `(...)::%s`", type_text(right));
    else if (left.kind == TYPE_JSON)
        diag_hint(diag, "cast it: `(...)::jsonb`");
    else if (is_comparison(op) && type_same(left, right))
        diag_hint(diag, "cast both: `(...)::text`, or compare parts of them");
    else if (is_comparison(op) || !operator_forms(op, 2))
        diag_hint(diag, "compare values of one type");
    else
        diag_hint(diag, "it takes: %s", operator_forms(op, 2));
}

static void
report_operator(const struct ast_expr *ast, const char *op, const struct expr *const *args,
                size_t n, bool is_ambiguous)
{
    struct diag *diag;
    const char *left = type_text(args[0]->type), *right = n == 2 ? type_text(args[1]->type) : "";

    if (is_ambiguous) {
        diag =
            diag_at(ast->op_span, PGS2101_AMBIGUOUS_CALL, "several operators %s could take %s%s%s",
                    op, left, n == 2 ? " and " : "", right);
        diag_hint(diag, "cast an operand: `(...)::text`");
        return;
    }
    if (n == 1) {
        diag = diag_at(ast->op_span, PGS2022_NO_OPERATOR, "there is no operator %s %s", op, left);
        if (operator_forms(op, 1))
            diag_hint(diag, "it takes: %s", operator_forms(op, 1));
        return;
    }
    if (is_comparison(op))
        diag =
            diag_at(ast->op_span, PGS2022_NO_OPERATOR, "%s and %s cannot be compared", left, right);
    else
        diag = diag_at(ast->op_span, PGS2022_NO_OPERATOR, "there is no operator %s %s %s", left, op,
                       right);
    if (usual_operator(op, args)) {
        diag_hint(diag, "write `%s`", usual_operator(op, args));
        diag_fix(diag, ast->op_span, "%s", usual_operator(op, args));
    } else {
        hint_operator(diag, op, args[0]->type, args[1]->type);
    }
}

bool
check_apply_operator(const struct ast_expr *ast, const char *op, struct expr *const *args, size_t n,
                     struct resolution *found)
{
    struct type types[2] = {0};

    for (size_t i = 0; i < n; i++)
        types[i] = args[i]->type;
    if (!operator_resolve(op, types, n, found)) {
        report_operator(ast, op, (const struct expr *const *)args, n, found->is_ambiguous);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        check_settle(args[i], found->args[i]);
    return true;
}

bool
check_any_nullable(const struct expr *expr)
{
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i] && expr->args.at[i]->nullable)
            return true;
    return false;
}

/* and, or, not, is true, ... */
static bool
takes_booleans(const char *op)
{
    static const char *const names[] = {"and",          "or",         "not",
                                        "is true",      "is false",   "is not true",
                                        "is not false", "is unknown", "is not unknown"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], op) == 0)
            return true;
    return false;
}

static struct expr *
boolean_operator(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_condition(scope, ast->args.at[i],
                                              arena_printf("an operand of `%s`", ast->op)));
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = strncmp(ast->op, "is ", 3) != 0 && check_any_nullable(expr);
    return expr;
}

static struct expr *
null_test(struct expr *expr)
{
    for (size_t i = 0; i < expr->args.n; i++)
        check_settle(expr->args.at[i], type_scalar(TYPE_TEXT));
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = false;
    return expr;
}

static struct expr *
between(const struct ast_expr *ast, struct expr *expr)
{
    struct resolution found;
    struct expr again = *expr->args.at[0]; /* a literal is taken anew for each side */
    struct expr *low[] = {expr->args.at[0], expr->args.at[1]};
    struct expr *high[] = {&again, expr->args.at[2]};

    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = check_any_nullable(expr);
    if (check_apply_operator(ast, ">=", low, 2, &found)) {
        expr->function = found.function;
        check_apply_operator(ast, "<=", high, 2, &found);
    }
    return expr;
}

static struct expr *
at_time_zone(const struct ast_expr *ast, struct expr *expr)
{
    struct type types[] = {expr->args.at[1]->type, expr->args.at[0]->type};
    struct resolution found;

    if (!function_resolve("timezone", types, 2, &found)) {
        report_operator(ast, ast->op, (const struct expr *const *)expr->args.at, 2,
                        found.is_ambiguous);
        return expr;
    }
    check_settle(expr->args.at[1], found.args[0]);
    check_settle(expr->args.at[0], found.args[1]);
    expr->function = found.function;
    expr->type = found.result;
    expr->nullable = check_any_nullable(expr);
    return expr;
}

/* The operator whose types these words go by. */
static const char *
operator_behind(const char *op)
{
    if (strstr(op, "distinct from"))
        return "=";
    if (strstr(op, "similar to"))
        return "like";
    return op;
}

/* ---- rows: only beside one another, compared item by item ---- */

/* `old.*`: what is generated follows from the others, and is not there before the row is written.
 */
static void
add_whole_row(struct scope *scope, const struct ast_expr *ast, struct expr *row)
{
    struct ast_output star = {.span = ast->span, .expr = (struct ast_expr *)ast};
    struct ast_outputs list = {0};
    struct outputs outputs = {0};

    vec_push(&list, star);
    check_output_list(scope, &outputs, &list);
    for (size_t i = 0; i < outputs.n; i++) {
        struct expr *expr = outputs.at[i].expr;

        if (expr->kind != EXPR_COLUMN || !expr->column->generated)
            vec_push(&row->args, expr);
    }
}

struct expr *
check_row(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_ROW, ast->span);

    if (ast->kind == AST_STAR)
        add_whole_row(scope, ast, expr);
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
    return expr;
}

/* Rows are compared by the order of their items, even with `=`. */
static void
check_has_order(const struct expr *item, struct type type)
{
    struct diag *diag;

    if (type_is_comparable(type))
        return;
    diag = diag_at(item->span, PGS2022_NO_OPERATOR, "%s has no order", type_text(type));
    diag_hint(diag, "leave it out of the row");
}

void
check_compare_rows(const struct ast_expr *ast, const char *op, const struct expr *left,
                   const struct expr *right)
{
    struct ast_expr at = *ast;
    struct resolution found;

    if (left->args.n != right->args.n) {
        struct diag *diag =
            diag_at(right->span, PGS2051_ROW_HERE,
                    "a row of %zu cannot be compared with one of %zu", left->args.n, right->args.n);
        diag_hint(diag, "compare rows of the same length");
        return;
    }
    for (size_t i = 0; i < left->args.n; i++) {
        struct expr *pair[] = {left->args.at[i], right->args.at[i]};

        at.op_span = right->args.at[i]->span;
        if (check_apply_operator(&at, op, pair, 2, &found))
            check_has_order(pair[0], found.args[0]);
    }
}

static bool
is_row(const struct ast_expr *ast)
{
    return ast->kind == AST_ROW || (ast->kind == AST_STAR && ast->names.n > 0);
}

static bool
compares_rows(const struct ast_expr *ast)
{
    return ast->args.n == 2 && is_row(ast->args.at[0]) && is_row(ast->args.at[1]) &&
           is_comparison(ast->op);
}

static struct expr *
row_comparison(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    vec_push(&expr->args, check_row(scope, ast->args.at[0]));
    vec_push(&expr->args, check_row(scope, ast->args.at[1]));
    check_compare_rows(ast, operator_behind(ast->op), expr->args.at[0], expr->args.at[1]);
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = strstr(ast->op, "distinct from") == NULL &&
                     (check_any_nullable(expr->args.at[0]) || check_any_nullable(expr->args.at[1]));
    return expr;
}

/* The outer column that a bare name of the inner table stands before, of the other side's type. */
static const struct range *
captured_range(const struct scope *scope, const struct expr *mine, const struct expr *other)
{
    if (mine->kind != EXPR_COLUMN || other->kind != EXPR_COLUMN || !mine->bare ||
        mine->range->implicit || mine->range != other->range)
        return NULL;
    for (scope = scope->outer; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->ranges.n; i++) {
            const struct column *column =
                check_column_named(scope->ranges.at[i]->table, mine->column->name);

            if (column && type_cast_kind(column->type, other->type) == CAST_IMPLICIT)
                return scope->ranges.at[i];
        }
    return NULL;
}

/* Their types differ because a bare name is not the column that was meant: one finding. */
static bool
refuse_captured(const struct scope *scope, const struct ast_expr *ast, const struct expr *expr)
{
    struct type types[] = {expr->args.at[0]->type, expr->args.at[1]->type};
    struct resolution found;

    if (operator_resolve(ast->op, types, 2, &found))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const struct expr *mine = expr->args.at[i];
        const struct range *outer = captured_range(scope, mine, expr->args.at[1 - i]);

        if (!outer)
            continue;
        check_report_captured(mine, outer->alias);
        return true;
    }
    return false;
}

/* Of a type that does not tell cases apart, and the other side makes it text, which does. */
static void
warn_as_text(const struct ast_expr *ast, const struct expr *expr, const struct function *function)
{
    for (size_t i = 0; i < expr->args.n && i < 2 && !function->extension; i++) {
        struct type type = type_base(expr->args.at[i]->type);
        struct diag *diag;

        if (!type.extension || !is_comparison(ast->op) || type.array)
            continue;
        diag = diag_at(ast->op_span, PGS2104_COMPARED_AS_TEXT,
                       "%s is compared as text here: upper and lower case count", type_text(type));
        diag_hint(diag, "cast the other side: `(...)::%s`", type_text(type));
        return;
    }
}

/* `is distinct from null` is `is not null`, for types without `=` too. */
static bool
is_null_test(const struct ast_expr *ast, const struct expr *expr)
{
    return strstr(ast->op, "distinct from") &&
           (expr->args.at[0]->type.kind == TYPE_NULL || expr->args.at[1]->type.kind == TYPE_NULL);
}

struct expr *
check_operator(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_OP, ast->span);
    struct resolution found;

    expr->name = ast->op;
    if (takes_booleans(ast->op))
        return boolean_operator(scope, ast, expr);
    if (compares_rows(ast))
        return row_comparison(scope, ast, expr);
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
    if (strcmp(ast->op, "is null") == 0 || strcmp(ast->op, "is not null") == 0)
        return null_test(expr);
    if (strstr(ast->op, "between"))
        return between(ast, expr);
    if (strcmp(ast->op, "at time zone") == 0)
        return at_time_zone(ast, expr);
    if (is_comparison(ast->op)) {
        if (refuse_null_comparison(ast, expr))
            return check_new_expr(EXPR_RAW, ast->span);
        refuse_self_comparison(ast, expr);
        check_listed(expr->args.at[0], expr->args.at[1]);
        check_listed(expr->args.at[1], expr->args.at[0]);
    }
    if (is_null_test(ast, expr))
        return null_test(expr);
    if (strstr(ast->op, "similar to"))
        check_becomes(expr->args.at[1], type_scalar(TYPE_TEXT), CAST_IMPLICIT, "a pattern");
    if (is_comparison(ast->op) && refuse_captured(scope, ast, expr))
        return check_new_expr(EXPR_RAW, ast->span);
    if (!check_apply_operator(ast, operator_behind(ast->op), expr->args.at,
                              expr->args.n < 2 ? expr->args.n : 2, &found))
        return expr;
    if (found.function->extension &&
        !check_extension(scope->checker, ast->op_span, found.function->extension,
                         arena_printf("operator %s of %s", ast->op, found.function->args)))
        return check_new_expr(EXPR_RAW, ast->span);
    if (expr->args.n == 3)
        check_becomes(expr->args.at[2], type_scalar(TYPE_TEXT), CAST_IMPLICIT, "an escape");
    warn_as_text(ast, expr, found.function);
    expr->function = found.function;
    expr->type = found.result;
    expr->nullable = strstr(ast->op, "distinct from") == NULL &&
                     (found.function->nulls == MAYBE || check_any_nullable(expr));
    return expr;
}

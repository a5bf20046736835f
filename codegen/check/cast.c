/* SPDX-License-Identifier: MIT */
/* Casts as they are written: `x::t`, `array[...]::t[]`, and `t(x)`, a type's name like a call. */
#include "check/cast.h"

#include <string.h>

#include "model/catalog.h"
#include "model/functions.h"
#include "model/types.h"

/* A type to cast to: also those that no column has, such as regclass. */
static bool
cast_type(struct checker *checker, const struct ast_type *ast, struct type *out)
{
    struct type found;

    if (!ast->schema && ast->n_args == 0 &&
        !check_enumeration_named(checker->model, ast->spelling) &&
        !type_find(ast->spelling, &found) && type_find_for_cast(ast->spelling, &found)) {
        *out = found;
        out->array = ast->dimensions > 0;
        return true;
    }
    return check_type(checker, ast, out);
}

static bool
check_is_castable(const struct expr *arg, struct type type, struct span span)
{
    struct diag *diag;

    if (type_cast_kind(arg->type, type) != CAST_NONE)
        return true;
    diag = diag_at(span, PGS2025_NO_CAST, "%s cannot be cast to %s", type_text(arg->type),
                   type_text(type));
    diag_hint(diag, "PostgreSQL has no cast between the two");
    return false;
}

/* array[a, b]::t[] casts each item; of arrays, to the array itself. */
static struct expr *
check_array_cast(struct scope *scope, const struct ast_expr *ast, struct type type)
{
    struct expr *expr = check_new_expr(EXPR_ARRAY, ast->span);
    struct type item_type = type_element(type);

    expr->nullable = false;
    expr->type = type;
    for (size_t i = 0; i < ast->args.n; i++) {
        const struct ast_expr *at = ast->args.at[i];
        bool nested = at->kind == AST_ARRAY && !at->select;
        struct expr *item = nested ? check_array_cast(scope, at, type) : check_expr(scope, at);

        if (type_base(item->type).array)
            item_type = type;
        vec_push(&expr->args, item);
    }
    for (size_t i = 0; i < expr->args.n; i++)
        if (check_is_castable(expr->args.at[i], item_type, expr->args.at[i]->span))
            check_settle(expr->args.at[i], item_type);
    return expr;
}

struct expr *
check_cast(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_CAST, ast->span), *arg;
    const struct ast_expr *at = ast->args.at[0];
    bool known = cast_type(scope->checker, ast->type, &expr->type);

    if (known && at->kind == AST_ARRAY && !at->select && expr->type.array)
        arg = check_array_cast(scope, at, expr->type);
    else
        arg = check_value(scope, at, expr->type);
    vec_push(&expr->args, arg);
    expr->nullable = arg->nullable || cast_gives_null(arg->type, expr->type);
    if (!known)
        return expr;
    if (ast->type->span.start < arg->span.start && ast->type->n_args == 0)
        expr->type.length = 0; /* char 'abc' and bit '101' are as long as what is written */
    if (check_is_castable(arg, expr->type, ast->type->span))
        check_settle(arg, expr->type);
    return expr;
}

bool
check_is_cast_name(const char *name)
{
    const struct catalog_type *row = catalog_type_named(name);

    return row && row->category != 'P' && !row->extension;
}

static struct expr *
new_cast(const struct ast_expr *ast, struct expr *arg, struct type type)
{
    struct expr *expr = check_new_expr(EXPR_CAST, ast->span);

    vec_push(&expr->args, arg);
    expr->type = type;
    expr->nullable = arg->nullable;
    check_settle(arg, type);
    return expr;
}

struct expr *
check_cast_call(const struct ast_expr *ast, const struct expr *call)
{
    struct expr *arg = call->args.n == 1 ? call->args.at[0] : NULL;
    struct type type;

    if (!arg || !check_is_cast_name(ast->path.name.text) || ast->tail || ast->distinct)
        return NULL;
    type = catalog_type_get(catalog_type_named(ast->path.name.text));
    if (!type_is_open(arg->type) &&
        (type_cast_kind(arg->type, type) == CAST_NONE || cast_has_function(arg->type, type)))
        return NULL;
    return new_cast(ast, arg, type);
}

struct expr *
check_named_cast(struct scope *scope, const struct ast_expr *ast)
{
    struct type type = catalog_type_get(catalog_type_named(ast->path.name.text));
    struct expr *arg = check_expr(scope, ast->args.at[0]);

    if (!check_is_castable(arg, type, ast->path.span))
        return check_new_expr(EXPR_RAW, ast->span);
    return new_cast(ast, arg, type);
}

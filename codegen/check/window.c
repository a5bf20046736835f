/* SPDX-License-Identifier: MIT */
/* What follows a call's arguments: order by, within group, filter, over; and windows. */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"
#include "model/types.h"

static void
read_order(struct scope *scope, const struct ast_orders *ast, struct order_items *out)
{
    for (size_t i = 0; i < ast->n; i++) {
        struct order_item item = {.descending = ast->at[i].descending, .nulls = ast->at[i].nulls};

        item.expr = check_expr(scope, ast->at[i].expr);
        check_settle(item.expr, type_scalar(TYPE_TEXT));
        check_is_ordered(item.expr);
        vec_push(out, item);
    }
}

/* ---- windows ---- */

static const struct window *
window_named(const struct select *select, const char *name)
{
    for (size_t i = 0; i < select->windows.n; i++)
        if (strcmp(select->windows.at[i]->name, name) == 0)
            return select->windows.at[i];
    return NULL;
}

static void
check_base(const struct select *select, const struct ast_window *ast)
{
    struct diag *diag;

    if (!ast->base.text || window_named(select, ast->base.text))
        return;
    diag = diag_at(ast->base.span, PGS2208_UNKNOWN_WINDOW, "there is no window \"%s\" here",
                   ast->base.text);
    diag_hint(diag, "declare it behind `having`: `window %s as (partition by ...)`",
              ast->base.text);
}

static struct frame_bound
check_bound(struct scope *scope, const struct ast_bound *ast)
{
    struct frame_bound bound = {.words = ast->words};

    if (ast->expr)
        bound.expr = check_expr(scope, ast->expr);
    return bound;
}

static struct window *
check_window(struct scope *scope, const struct select *select, const struct ast_window *ast)
{
    struct window *window = arena_alloc(sizeof(*window));

    check_base(select, ast);
    *window = (struct window){.span = ast->span,
                              .name = ast->name.text,
                              .base = ast->base.text,
                              .is_base = ast->is_base,
                              .unit = ast->unit,
                              .between = ast->between,
                              .exclude = ast->exclude};
    for (size_t i = 0; i < ast->partition.n; i++)
        vec_push(&window->partition, check_expr(scope, ast->partition.at[i]));
    read_order(scope, &ast->order_by, &window->order_by);
    window->start = check_bound(scope, &ast->start);
    window->end = check_bound(scope, &ast->end);
    return window;
}

void
check_windows(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    for (size_t i = 0; i < ast->windows.n; i++) {
        const struct ast_name *name = &ast->windows.at[i]->name;
        const struct window *same = window_named(select, name->text);

        if (same) {
            struct diag *diag = diag_at(name->span, PGS2208_UNKNOWN_WINDOW,
                                        "window \"%s\" is declared twice", name->text);
            diag_note(diag, same->span, "the first one is here");
            diag_hint(diag, "rename one of the two");
        }
        vec_push(&select->windows, check_window(scope, select, ast->windows.at[i]));
    }
}

/* ---- behind a call ---- */

static void
refuse(struct span span, const char *message, const char *name, const char *hint)
{
    struct diag *diag = diag_at(span, PGS2207_CALL_TAIL, message, name);

    diag_hint(diag, "%s", hint);
}

static void
check_over(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    if (!scope->windows) {
        refuse(ast->span, "%s() over a window cannot stand here", ast->path.name.text,
               "a window function stands in the outputs or `order by` of a select; filter by it in "
               "a select around");
        return;
    }
    expr->aggregate = false;
    expr->tail->over = check_window(scope, scope->windows, ast->tail->over);
}

bool
check_tail_fits(const struct ast_expr *ast, char kind)
{
    const struct ast_call_tail *tail = ast->tail;

    if (kind == 'w' && (!tail || !tail->over))
        refuse(ast->span, "%s() needs a window", ast->path.name.text,
               "add `over (order by ...)`, or `over ()` for all rows");
    else if (kind == 'f' && tail)
        refuse(ast->span, "%s() is no aggregate: it takes its arguments alone", ast->path.name.text,
               "leave out what follows them");
    else if (kind == 'w' && (tail->order_by.n > 0 || tail->filter))
        refuse(ast->span, "%s() takes no order and no filter of its own", ast->path.name.text,
               "they belong into the window, or into `where`");
    else if (tail && tail->within_group && tail->over)
        refuse(ast->span, "%s() within a group has no window", ast->path.name.text,
               "leave out `over`");
    else
        return true;
    return false;
}

void
check_call_tail(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    const struct ast_call_tail *tail = ast->tail;
    const char *outer = scope->clause;
    bool inside = scope->in_aggregate;

    if (!tail)
        return;
    expr->tail = arena_alloc(sizeof(*expr->tail));
    expr->tail->within_group = tail->within_group;
    scope->in_aggregate = expr->aggregate;
    read_order(scope, &tail->order_by, &expr->tail->order_by);
    scope->clause = "`filter`";
    if (tail->filter)
        expr->tail->filter = check_condition(scope, tail->filter, "`filter`");
    scope->clause = outer;
    scope->in_aggregate = inside;
    if (tail->over)
        check_over(scope, ast, expr);
}

/* ---- percentile_cont(0.5) within group (order by x) ---- */

static bool
is_ordered_set(const char *name)
{
    return strcmp(name, "percentile_cont") == 0 || strcmp(name, "percentile_disc") == 0 ||
           strcmp(name, "mode") == 0;
}

static struct type
type_within_group(const char *name, struct expr *ordered)
{
    if (strcmp(name, "percentile_cont") != 0 || ordered->type.kind == TYPE_INTERVAL)
        return ordered->type;
    check_becomes(ordered, type_scalar(TYPE_FLOAT8), CAST_IMPLICIT, "what percentile_cont orders");
    return type_scalar(TYPE_FLOAT8);
}

struct expr *
check_within_group(struct scope *scope, const struct ast_expr *ast)
{
    const char *name = ast->path.name.text;
    struct expr *expr = check_new_expr(EXPR_CALL, ast->span);
    size_t want = strcmp(name, "mode") == 0 ? 0 : 1;

    expr->name = name;
    expr->aggregate = true;
    if (!is_ordered_set(name) || ast->args.n != want || ast->tail->order_by.n != 1) {
        refuse(ast->span, "%s() within a group is not known like this", name,
               "there are percentile_cont(fraction), percentile_disc(fraction) and mode(), each "
               "`within group (order by x)`");
        return check_new_expr(EXPR_RAW, ast->span);
    }
    check_aggregate_place(scope, ast);
    for (size_t i = 0; i < want; i++)
        vec_push(&expr->args,
                 check_expr_as(scope, ast->args.at[i], type_scalar(TYPE_FLOAT8), "the fraction"));
    check_call_tail(scope, ast, expr);
    expr->type = type_within_group(name, expr->tail->order_by.at[0].expr);
    return expr;
}

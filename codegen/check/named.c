/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's functions that are called by the names of their arguments: make_interval(mins => 5).
 * They are put in their order; what is left out before the last one given is what PostgreSQL takes.
 */
#include "check/checker.h"

#include <string.h>

#define MAX_NAMES 8

static const struct named {
    const char *function;
    const char *names[MAX_NAMES];
    const char *usual; /* a number: what each is when it is left out; NULL: all are given */
} functions[] = {
    {"make_interval", {"years", "months", "weeks", "days", "hours", "mins", "secs"}, "0"},
    {"make_date", {"year", "month", "day"}, NULL},
    {"make_time", {"hour", "min", "sec"}, NULL},
    {"make_timestamp", {"year", "month", "mday", "hour", "min", "sec"}, NULL},
    {"make_timestamptz", {"year", "month", "mday", "hour", "min", "sec", "timezone"}, NULL},
    {"jsonb_set", {"jsonb_in", "path", "replacement", "create_if_missing"}, NULL},
    {"jsonb_insert", {"jsonb_in", "path", "replacement", "insert_after"}, NULL},
};

static const struct named *
find_named(const char *name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].function, name) == 0)
            return &functions[i];
    return NULL;
}

/* MAX_NAMES: there is none of this name. */
static size_t
place_of(const struct named *named, const struct ast_expr *arg, size_t i)
{
    if (arg->kind != AST_NAMED)
        return i;
    for (i = 0; i < MAX_NAMES && named->names[i]; i++)
        if (strcmp(named->names[i], arg->names.at[0].text) == 0)
            return i;
    return MAX_NAMES;
}

static struct ast_expr *
usual_value(const struct named *named, const struct ast_expr *call)
{
    struct ast_expr *value = arena_alloc(sizeof(*value));

    *value =
        (struct ast_expr){.kind = AST_NUMBER, .span = call->span, .text = named->usual, .depth = 1};
    return value;
}

static bool
has_names(const struct ast_expr *ast)
{
    for (size_t i = 0; i < ast->args.n; i++)
        if (ast->args.at[i]->kind == AST_NAMED)
            return true;
    return false;
}

const struct ast_expr *
check_put_in_order(const struct ast_expr *ast)
{
    const struct named *named = find_named(ast->path.name.text);
    struct ast_expr *args[MAX_NAMES] = {0}, *call;
    size_t n = 0;

    if (!named || !has_names(ast))
        return ast;
    for (size_t i = 0; i < ast->args.n; i++) {
        struct ast_expr *arg = ast->args.at[i];
        size_t place = place_of(named, arg, i);

        if (place >= MAX_NAMES || args[place])
            return ast; /* reported where the argument is read */
        args[place] = arg->kind == AST_NAMED ? arg->args.at[0] : arg;
        n = place + 1 > n ? place + 1 : n;
    }
    call = arena_alloc(sizeof(*call));
    *call = *ast;
    call->args = (struct ast_exprs){0};
    for (size_t i = 0; i < n; i++) {
        if (!args[i] && !named->usual)
            return ast;
        vec_push(&call->args, args[i] ? args[i] : usual_value(named, ast));
    }
    return call;
}

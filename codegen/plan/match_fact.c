/* SPDX-License-Identifier: MIT */
/* Facts: what PostgreSQL is asked once for a subscriber, as columns of one row. */
#include <string.h>

#include "base/arena.h"
#include "model/types.h"
#include "plan/match.h"

/* What the local variable that holds it is called. */
static const char *
name_of(struct sql_part part)
{
    const struct expr *expr = part.expr;

    if (expr->kind == EXPR_PARAM && part.frame)
        return name_of(
            (struct sql_part){part.frame->call->args.at[expr->param->number], part.frame->caller});
    if (expr->kind == EXPR_CAST)
        return name_of((struct sql_part){expr->args.at[0], part.frame});
    if (expr->kind == EXPR_PARAM)
        return expr->param->name;
    if (expr->kind == EXPR_CLAIM)
        return expr->claim->name;
    if (expr->kind == EXPR_CALL && expr->is_auth)
        return expr->name;
    return "fact";
}

size_t
match_add_fact(struct match *match, struct sql_part part, struct type type)
{
    const char *sql = sql_asked(part, &match->arguments);
    struct match_fact fact = {.name = name_of(part), .sql = sql};

    if (part.expr->kind == EXPR_LITERAL)
        fact.sql = arena_printf("%s::%s", sql,
                                sql_cast_type(type_base(match_type_beside(part.expr, type))));
    for (size_t i = 0; i < match->facts.n; i++)
        if (strcmp(fact.sql, match->facts.at[i].sql) == 0)
            return i;
    vec_push(&match->facts, fact);
    return match->facts.n - 1;
}

/* SPDX-License-Identifier: MIT */
#include "model/length.h"

#include <string.h>

#include "base/words.h"
#include "model/walk.h"

struct bound {
    const struct column *column; /* NULL: of a domain, whose checks read one value */
    int most;                    /* 0: none yet */
};

static void
lower(struct bound *bound, int most)
{
    if (most > 0 && (bound->most == 0 || most < bound->most))
        bound->most = most;
}

/* Not varchar(3), name or char(n), which leaves blanks at the end out: some of it goes. */
static bool
keeps_all(struct type type)
{
    return (type.kind == TYPE_TEXT || type.kind == TYPE_VARCHAR) && !type.array && !type.domain &&
           type.length == 0;
}

/* length(x), and what counts no less. */
static bool
is_length(const struct bound *bound, const struct expr *expr)
{
    static const char *const names[] = {"length", "char_length", "character_length",
                                        "octet_length"};
    const struct expr *arg;

    if (expr->kind != EXPR_CALL || expr->args.n != 1 || !WORD_IS_AMONG(expr->name, names))
        return false;
    for (arg = expr->args.at[0]; arg->kind == EXPR_CAST && keeps_all(arg->type);)
        arg = arg->args.at[0];
    return arg->kind == EXPR_COLUMN && arg->type.kind != TYPE_BPCHAR &&
           (!bound->column || arg->column == bound->column);
}

#define MAX_CHARS 10485760 /* of varchar(n) */

static int
whole(const struct expr *expr)
{
    long n;

    return expr_is_whole_number(expr, &n) && n > 0 && n <= MAX_CHARS ? (int)n : 0;
}

/* `length(x) <= 9`, `9 >= length(x)`, `length(x) between 1 and 9` */
static void
read_conjunct(const struct expr *expr, void *data)
{
    struct bound *bound = data;
    bool is_op = expr->kind == EXPR_OP && expr->args.n >= 2 && !expr->negated;

    if (!is_op)
        return;
    if (is_length(bound, expr->args.at[0])) {
        if (strcmp(expr->name, "<=") == 0 || strcmp(expr->name, "<") == 0 ||
            strcmp(expr->name, "=") == 0)
            lower(bound, whole(expr->args.at[1]));
        else if (strcmp(expr->name, "between") == 0)
            lower(bound, whole(expr->args.at[2]));
    } else if (is_length(bound, expr->args.at[1])) {
        if (strcmp(expr->name, ">=") == 0 || strcmp(expr->name, ">") == 0 ||
            strcmp(expr->name, "=") == 0)
            lower(bound, whole(expr->args.at[0]));
    }
}

static void
read_domains(const struct domain *domain, struct bound *bound)
{
    for (; domain; domain = domain->type.domain)
        for (size_t i = 0; i < domain->checks.n; i++)
            walk_conjuncts(domain->checks.at[i].check, read_conjunct, bound);
}

int
column_max_length(const struct column *column)
{
    struct bound bound = {.column = NULL, .most = column->type.length};
    const struct table *table = column->table;

    read_domains(column->type.domain, &bound);
    bound.column = column;
    for (size_t i = 0; i < table->constraints.n; i++)
        if (table->constraints.at[i]->check)
            walk_conjuncts(table->constraints.at[i]->check, read_conjunct, &bound);
    return bound.most;
}

/* SPDX-License-Identifier: MIT */
/* What bodies that run with the rights of the owner reach past the policies. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "emit/access_parts.h"
#include "emit/access_text.h"
#include "model/walk.h"

static void
add_name(struct words *names, const char *name)
{
    if (!words_contain(names, name))
        words_add(names, name);
}

/* True the first time; recursion of functions and views ends here. */
static bool
is_new(struct access_reach *reach, const void *object)
{
    for (size_t i = 0; i < reach->seen.n; i++)
        if (reach->seen.at[i] == object)
            return false;
    vec_push(&reach->seen, object);
    return true;
}

static void
visit_expr(const struct expr *expr, void *data)
{
    struct access_reach *reach = data;

    if (expr->kind == EXPR_PREDICATE && is_new(reach, expr->predicate))
        access_reach_expr(reach, expr->predicate->body);
    if (expr->kind != EXPR_FUNCTION || !is_new(reach, expr->declared))
        return;
    if (expr->declared->body != NULL)
        access_reach_statement(reach, expr->declared->body);
    else if (expr->declared->raw != NULL)
        add_name(&reach->unchecked, access_name(expr->declared->name));
}

/* A view shows its reader's rows: here the owner's. */
static void
visit_range(const struct range *range, void *data)
{
    struct access_reach *reach = data;
    const struct table *table = range->table;

    if (table == NULL || table->derived)
        return;
    add_name(&reach->reads, access_relation(table));
    if (!table->is_view || table->materialized || table->query == NULL || !is_new(reach, table))
        return;
    walk_select_ranges(table->query, visit_range, reach);
    walk_select(table->query, visit_expr, reach);
}

void
access_reach_expr(struct access_reach *reach, const struct expr *expr)
{
    walk_ranges(expr, visit_range, reach);
    walk_expr(expr, visit_expr, reach);
}

void
access_reach_statement(struct access_reach *reach, const struct statement *statement)
{
    static const enum command commands[] = {
        [STATEMENT_SELECT] = CMD_SELECT,
        [STATEMENT_INSERT] = CMD_INSERT,
        [STATEMENT_UPDATE] = CMD_UPDATE,
        [STATEMENT_DELETE] = CMD_DELETE,
    };

    walk_statement_ranges(statement, visit_range, reach);
    walk_statement(statement, visit_expr, reach);
    if (statement->target == NULL)
        return;
    add_name(&reach->writes[commands[statement->kind]], access_relation(statement->target->table));
    if (statement->conflict == CONFLICT_UPDATE)
        add_name(&reach->writes[CMD_UPDATE], access_relation(statement->target->table));
    if (statement->returning.n > 0)
        add_name(&reach->reads, access_relation(statement->target->table));
}

static int
compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
access_reached(struct words *names)
{
    struct str str = {0};

    str_puts(&str, "");
    if (names->list.n > 0)
        qsort(names->list.at, names->list.n, sizeof(names->list.at[0]), compare_words);
    for (size_t i = 0; i < names->list.n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : ", ", names->list.at[i]);
    return str.at;
}

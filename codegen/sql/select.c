/* SPDX-License-Identifier: MIT */
/*
 * Selects as SQL text: here ranges come into scope, and get the aliases that they go by.
 */
#include "sql/printer.h"

#include <string.h>

#include "model/names.h"

/* ---- selects ---- */

static bool
alias_is_taken(const struct printer *p, const char *alias)
{
    if (p->row && strcmp(p->row->name, alias) == 0)
        return true;
    for (size_t i = 0; i < p->ranges.n; i++)
        if (strcmp(p->ranges.at[i].alias, alias) == 0)
            return true;
    return false;
}

/* Brings a range into scope under an alias that nothing around it has. */
static const char *
enter_range(struct printer *p, const struct range *range)
{
    struct named_range named = {.range = range, .alias = range->alias};

    for (int i = 1; alias_is_taken(p, named.alias); i++)
        named.alias = arena_printf("%s_%d", range->alias, i);
    vec_push(&p->ranges, named);
    return named.alias;
}

static void
print_from(struct printer *p, const struct select *s, size_t first)
{
    static const char *const joins[] = {
        [JOIN_NONE] = ", ",
        [JOIN_INNER] = " join ",
        [JOIN_LEFT] = " left join ",
        [JOIN_CROSS] = " cross join ",
    };

    for (size_t i = 0; i < s->from.n; i++) {
        const struct range *range = s->from.at[i];
        const char *alias = p->ranges.at[first + i].alias;

        str_puts(&p->out, i == 0 ? " from " : joins[range->join]);
        str_puts(&p->out, sql_relation(range->table));
        if (strcmp(alias, range->table->name) != 0)
            str_printf(&p->out, " %s", name_sql(alias));
        if (range->on) {
            str_puts(&p->out, " on ");
            sql_print_expr(p, range->on, P_ANY);
        }
    }
}

static void
print_outputs(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->outputs.n; i++) {
        const struct output *output = &s->outputs.at[i];
        const struct expr *e = output->expr;
        bool natural = e->kind == EXPR_COLUMN && strcmp(e->column->name, output->name) == 0;

        str_puts(&p->out, i ? ", " : "");
        sql_print_expr(p, e, P_ANY);
        if (output->name && !natural)
            str_printf(&p->out, " as %s", name_sql(output->name));
    }
}

static void
print_clause(struct printer *p, const char *word, const struct expr *e)
{
    if (!e)
        return;
    str_puts(&p->out, word);
    sql_print_expr(p, e, P_ANY);
}

static void
print_tail(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->group_by.n; i++) {
        str_puts(&p->out, i ? ", " : " group by ");
        sql_print_expr(p, s->group_by.at[i], P_ANY);
    }
    print_clause(p, " having ", s->having);
    for (size_t i = 0; i < s->order_by.n; i++) {
        str_puts(&p->out, i ? ", " : " order by ");
        sql_print_expr(p, s->order_by.at[i].expr, P_ANY);
        sql_direction(&p->out, s->order_by.at[i].descending, s->order_by.at[i].nulls);
    }
    print_clause(p, " limit ", s->limit);
    print_clause(p, " offset ", s->offset);
}

void
sql_print_select(struct printer *p, const struct select *s)
{
    size_t first = p->ranges.n;

    for (size_t i = 0; i < s->from.n; i++)
        enter_range(p, s->from.at[i]);
    str_puts(&p->out, s->distinct ? "select distinct " : "select ");
    print_outputs(p, s);
    print_from(p, s, first);
    print_clause(p, " where ", s->where);
    print_tail(p, s);
    p->ranges.n = first;
}

/* ---- the row that an expression is about ---- */

static const struct table *find_row(const struct expr *e);

static const struct table *
find_row_in_select(const struct select *s)
{
    const struct table *row = s->where ? find_row(s->where) : NULL;

    for (size_t i = 0; !row && i < s->outputs.n; i++)
        row = find_row(s->outputs.at[i].expr);
    for (size_t i = 0; !row && i < s->from.n; i++)
        row = s->from.at[i]->on ? find_row(s->from.at[i]->on) : NULL;
    for (size_t i = 0; !row && i < s->group_by.n; i++)
        row = find_row(s->group_by.at[i]);
    if (!row && s->having)
        row = find_row(s->having);
    for (size_t i = 0; !row && i < s->order_by.n; i++)
        row = find_row(s->order_by.at[i].expr);
    return row;
}

/* The table whose implicit range the expression names; NULL: it names none. */
static const struct table *
find_row(const struct expr *e)
{
    const struct table *row = NULL;

    if (e->kind == EXPR_COLUMN && e->range->implicit)
        return e->range->table;
    for (size_t i = 0; !row && i < e->args.n; i++)
        row = e->args.at[i] ? find_row(e->args.at[i]) : NULL;
    return !row && e->select ? find_row_in_select(e->select) : row;
}

const char *
sql_expr(const struct expr *expr, enum sql_form form)
{
    struct printer p = {.form = form, .row = find_row(expr)};

    sql_print_expr(&p, expr, P_ANY);
    return p.out.at;
}

const char *
sql_select(const struct select *select, enum sql_form form)
{
    struct printer p = {.form = form};

    sql_print_select(&p, select);
    return p.out.at;
}

/* SPDX-License-Identifier: MIT */
/*
 * Selects as SQL text: here ranges come into scope, and get the aliases that they go by.
 */
#include "sql/printer.h"

#include <string.h>

#include "model/names.h"
#include "model/walk.h"

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

const char *
sql_enter_range(struct printer *p, const struct range *range)
{
    struct named_range named = {.range = range, .alias = range->alias};

    for (int i = 1; alias_is_taken(p, named.alias); i++)
        named.alias = arena_printf("%s_%d", range->alias, i);
    vec_push(&p->ranges, named);
    return named.alias;
}

void
sql_print_clause(struct printer *p, const char *word, const struct expr *e)
{
    if (!e)
        return;
    str_puts(&p->out, word);
    sql_print_expr(p, e, P_ANY);
}

static void
print_exprs(struct printer *p, const char *word, const struct exprs *list, const char *end)
{
    for (size_t i = 0; i < list->n; i++) {
        str_puts(&p->out, i ? ", " : word);
        sql_print_expr(p, list->at[i], P_ANY);
    }
    if (list->n > 0)
        str_puts(&p->out, end);
}

/* An output that is something else has the name of the column: alone, it would be taken. */
static bool
is_hidden(const struct outputs *outputs, const struct expr *e)
{
    if (e->kind != EXPR_COLUMN)
        return false;
    for (size_t i = 0; i < outputs->n; i++) {
        const struct expr *output = outputs->at[i].expr;
        bool same =
            output->kind == EXPR_COLUMN && output->range == e->range && output->column == e->column;

        if (outputs->at[i].name && strcmp(outputs->at[i].name, e->column->name) == 0 && !same)
            return true;
    }
    return false;
}

static void
print_sorted(struct printer *p, const struct outputs *outputs, const struct expr *e)
{
    if (outputs && is_hidden(outputs, e))
        sql_print_qualified(p, e);
    else
        sql_print_expr(p, e, P_ANY);
}

/* `outputs`: of the select whose order it is; or NULL. */
static void
print_order(struct printer *p, const char *word, const struct order_items *list,
            const struct outputs *outputs)
{
    for (size_t i = 0; i < list->n; i++) {
        str_puts(&p->out, i ? ", " : word);
        print_sorted(p, outputs, list->at[i].expr);
        sql_direction(&p->out, list->at[i].descending, list->at[i].nulls);
    }
}

static void
print_distinct_on(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->distinct_on.n; i++) {
        str_puts(&p->out, i ? ", " : "on (");
        print_sorted(p, &s->outputs, s->distinct_on.at[i]);
    }
    str_puts(&p->out, s->distinct_on.n > 0 ? ") " : "");
}

/* ---- with ---- */

static bool
with_is_taken(const struct printer *p, const char *name)
{
    for (size_t i = 0; i < p->withs.n; i++)
        if (strcmp(p->withs.at[i].name, name) == 0)
            return true;
    return false;
}

static void
print_item(struct printer *p, const struct with_item *item)
{
    static const char *const words[] = {" as not materialized (", " as (", " as materialized ("};
    struct named_with named = {.with = item, .name = item->name};

    for (int i = 1; with_is_taken(p, named.name); i++)
        named.name = arena_printf("%s_%d", item->name, i);
    if (item->recursive)
        vec_push(&p->withs, named);
    str_printf(&p->out, "%s (", name_sql(named.name));
    for (size_t i = 0; i < item->table->columns.n; i++)
        str_printf(&p->out, "%s%s", i ? ", " : "", name_sql(item->table->columns.at[i]->name));
    str_printf(&p->out, ")%s", words[item->materialized + 1]);
    sql_print_select(p, item->select);
    str_putc(&p->out, ')');
    if (!item->recursive)
        vec_push(&p->withs, named);
}

void
sql_print_with(struct printer *p, bool recursive, struct with_item *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str_puts(&p->out, i ? ", " : recursive ? "with recursive " : "with ");
        print_item(p, items[i]);
    }
    if (n > 0)
        str_putc(&p->out, ' ');
}

/* ---- from ---- */

static const char *
with_name(const struct printer *p, const struct with_item *with)
{
    for (size_t i = p->withs.n; i > 0; i--)
        if (p->withs.at[i - 1].with == with)
            return p->withs.at[i - 1].name;
    return with->name;
}

/* "s (a, b)": columns as they are called here, with types where a call does not know its own. */
static void
print_alias(struct printer *p, const struct range *range, const char *alias)
{
    str_printf(&p->out, " as %s (", name_sql(alias));
    for (size_t i = 0; i < range->table->columns.n; i++) {
        const struct column *column = range->table->columns.at[i];

        str_printf(&p->out, "%s%s", i ? ", " : "", name_sql(column->name));
        if (range->typed)
            str_printf(&p->out, " %s", sql_type(column->type));
    }
    str_putc(&p->out, ')');
}

void
sql_print_range(struct printer *p, const struct range *range, const char *alias)
{
    const char *name;

    if (range->lateral)
        str_puts(&p->out, "lateral ");
    if (range->select || range->call) {
        if (range->call) {
            sql_print_expr(p, range->call, P_ANY);
        } else {
            str_putc(&p->out, '(');
            sql_print_select(p, range->select);
            str_putc(&p->out, ')');
        }
        str_puts(&p->out, range->ordinality ? " with ordinality" : "");
        print_alias(p, range, alias);
        return;
    }
    name = range->with ? with_name(p, range->with) : range->table->name;
    str_puts(&p->out, range->with ? name_sql(name) : sql_relation(range->table));
    if (strcmp(alias, name) != 0)
        str_printf(&p->out, " %s", name_sql(alias));
}

void
sql_print_ranges(struct printer *p, const char *word, struct range *const *ranges, size_t n,
                 size_t first)
{
    static const char *const joins[] = {
        [JOIN_NONE] = ", ",
        [JOIN_INNER] = " join ",
        [JOIN_LEFT] = " left join ",
        [JOIN_CROSS] = " cross join ",
        [JOIN_RIGHT] = " right join ",
        [JOIN_FULL] = " full join ",
    };

    for (size_t i = 0; i < n; i++) {
        str_puts(&p->out, i == 0 ? word : joins[ranges[i]->join]);
        sql_print_range(p, ranges[i], p->ranges.at[first + i].alias);
        sql_print_clause(p, " on ", ranges[i]->on);
    }
}

/* ---- windows ---- */

static void
print_bound(struct printer *p, const struct frame_bound *bound)
{
    if (bound->expr) {
        sql_print_expr(p, bound->expr, P_ADD);
        str_putc(&p->out, ' ');
    }
    str_puts(&p->out, bound->words);
}

static void
print_window(struct printer *p, const struct window *window)
{
    if (window->is_base) {
        str_puts(&p->out, name_sql(window->base));
        return;
    }
    str_printf(&p->out, "(%s", window->base ? name_sql(window->base) : "");
    print_exprs(p, window->base ? " partition by " : "partition by ", &window->partition, "");
    print_order(p, window->base || window->partition.n > 0 ? " order by " : "order by ",
                &window->order_by, NULL);
    if (window->unit) {
        bool alone = !window->base && window->partition.n == 0 && window->order_by.n == 0;

        str_printf(&p->out, "%s%s %s", alone ? "" : " ", window->unit,
                   window->between ? "between " : "");
        print_bound(p, &window->start);
        if (window->between) {
            str_puts(&p->out, " and ");
            print_bound(p, &window->end);
        }
        if (window->exclude)
            str_printf(&p->out, " exclude %s", window->exclude);
    }
    str_putc(&p->out, ')');
}

void
sql_print_call_tail(struct printer *p, const struct call_tail *tail)
{
    if (!tail->within_group)
        print_order(p, " order by ", &tail->order_by, NULL);
    str_putc(&p->out, ')');
    if (tail->within_group) {
        print_order(p, " within group (order by ", &tail->order_by, NULL);
        str_putc(&p->out, ')');
    }
    if (tail->filter) {
        sql_print_clause(p, " filter (where ", tail->filter);
        str_putc(&p->out, ')');
    }
    if (tail->over) {
        str_puts(&p->out, " over ");
        print_window(p, tail->over);
    }
}

/* ---- selects ---- */

void
sql_print_outputs(struct printer *p, const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->n; i++) {
        const struct output *output = &outputs->at[i];
        const struct expr *e = output->expr;
        bool natural = e->kind == EXPR_COLUMN && strcmp(e->column->name, output->name) == 0;

        str_puts(&p->out, i ? ", " : "");
        sql_print_expr(p, e, P_ANY);
        if (output->name && !natural)
            str_printf(&p->out, " as %s", name_sql(output->name));
    }
}

static void
print_values(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->rows.n; i++)
        print_exprs(p, i ? ", (" : "values (", &s->rows.at[i], ")");
}

/* A side of a union: in parentheses unless it is a select without more around it. */
static void
print_side(struct printer *p, const struct select *s)
{
    bool plain = !s->left && s->with.n == 0 && s->order_by.n == 0 && !s->limit && !s->offset;

    str_puts(&p->out, plain ? "" : "(");
    sql_print_select(p, s);
    str_puts(&p->out, plain ? "" : ")");
}

static void
print_set(struct printer *p, const struct select *s)
{
    static const char *const words[] = {
        [SELECT_UNION] = " union ",
        [SELECT_INTERSECT] = " intersect ",
        [SELECT_EXCEPT] = " except ",
    };

    print_side(p, s->left);
    str_printf(&p->out, "%s%s", words[s->kind], s->all ? "all " : "");
    print_side(p, s->right);
}

static void
print_plain(struct printer *p, const struct select *s, size_t first)
{
    str_puts(&p->out, s->distinct ? "select distinct " : "select ");
    print_distinct_on(p, s);
    sql_print_outputs(p, &s->outputs);
    sql_print_ranges(p, s->outputs.n > 0 ? " from " : "from ", s->from.at, s->from.n, first);
    sql_print_clause(p, " where ", s->where);
    print_exprs(p, " group by ", &s->group_by, "");
    sql_print_clause(p, " having ", s->having);
    for (size_t i = 0; i < s->windows.n; i++) {
        str_printf(&p->out, "%s%s as ", i ? ", " : " window ", name_sql(s->windows.at[i]->name));
        print_window(p, s->windows.at[i]);
    }
}

void
sql_print_select(struct printer *p, const struct select *s)
{
    size_t first, withs = p->withs.n;

    sql_print_with(p, s->recursive, s->with.at, s->with.n);
    first = p->ranges.n;
    for (size_t i = 0; i < s->from.n; i++)
        sql_enter_range(p, s->from.at[i]);
    if (s->left)
        print_set(p, s);
    else if (s->kind == SELECT_VALUES)
        print_values(p, s);
    else
        print_plain(p, s, first);
    print_order(p, " order by ", &s->order_by, &s->outputs);
    sql_print_clause(p, " limit ", s->limit);
    sql_print_clause(p, " offset ", s->offset);
    str_puts(&p->out, s->locking ? s->locking : "");
    p->ranges.n = first;
    p->withs.n = withs;
}

/* ---- the row that an expression is about ---- */

static void
note_row(const struct expr *e, void *data)
{
    const struct table **row = data;

    if (!*row && e->kind == EXPR_COLUMN && e->range->implicit)
        *row = e->range->table;
}

/* The table whose implicit range the expression names; NULL: it names none. */
static const struct table *
find_row(const struct expr *e)
{
    const struct table *row = NULL;

    walk_expr(e, note_row, &row);
    return row;
}

static void
note_row_dependence(const struct expr *e, void *data)
{
    bool *depends = data;

    if (e->kind == EXPR_COLUMN || e->kind == EXPR_PARAM || e->select || e->kind == EXPR_RAW)
        *depends = true;
}

bool
sql_is_constant_call(const struct expr *e)
{
    bool depends = false;

    walk_expr(e, note_row_dependence, &depends);
    return !depends && e->declared->volatility != FUNCTION_VOLATILE;
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

const char *
sql_live_select(const struct select *select)
{
    struct printer p = {.form = SQL_POLICY, .numbers = true};

    sql_print_select(&p, select);
    return sql_cut(p.out.at, select->limit);
}

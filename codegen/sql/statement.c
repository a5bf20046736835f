/* SPDX-License-Identifier: MIT */
/* Statements that write as SQL text. */
#include "sql/printer.h"

#include <string.h>

#include "model/names.h"

static void
print_assignments(struct printer *p, const struct assignments *set)
{
    for (size_t i = 0; i < set->n; i++) {
        str_printf(&p->out, "%s%s = ", i ? ", " : " set ", name_sql(set->at[i].column->name));
        sql_print_expr(p, set->at[i].expr, P_ANY);
    }
}

static void
print_target(struct printer *p, const struct range *target, const char *alias, bool with_as)
{
    str_puts(&p->out, sql_relation(target->table));
    if (strcmp(alias, target->table->name) != 0)
        str_printf(&p->out, " %s%s", with_as ? "as " : "", name_sql(alias));
}

static void
print_conflict(struct printer *p, const struct statement *s)
{
    if (s->conflict == CONFLICT_NONE)
        return;
    str_puts(&p->out, " on conflict");
    if (s->conflict_columns.n > 0)
        str_printf(&p->out, " (%s)", sql_columns(s->conflict_columns.at, s->conflict_columns.n));
    if (s->conflict == CONFLICT_NOTHING) {
        str_puts(&p->out, " do nothing");
        return;
    }
    sql_enter_range(p, s->excluded);
    str_puts(&p->out, " do update");
    print_assignments(p, &s->conflict_set);
    sql_print_clause(p, " where ", s->conflict_where);
    p->ranges.n--;
}

static void
print_insert(struct printer *p, const struct statement *s)
{
    const char *alias;

    str_puts(&p->out, "insert into ");
    alias = sql_enter_range(p, s->target);
    print_target(p, s->target, alias, true);
    str_printf(&p->out, " (%s)", sql_columns(s->columns.at, s->columns.n));
    p->ranges.n--;
    if (s->select) {
        str_putc(&p->out, ' ');
        sql_print_select(p, s->select);
    } else {
        str_puts(&p->out, " default values");
    }
    sql_enter_range(p, s->target);
    print_conflict(p, s);
}

static void
print_change(struct printer *p, const struct statement *s)
{
    bool updates = s->kind == STATEMENT_UPDATE;
    const char *alias = sql_enter_range(p, s->target);
    size_t first = p->ranges.n;

    str_puts(&p->out, updates ? "update " : "delete from ");
    print_target(p, s->target, alias, true);
    for (size_t i = 0; i < s->from.n; i++)
        sql_enter_range(p, s->from.at[i]);
    print_assignments(p, &s->set);
    sql_print_ranges(p, updates ? " from " : " using ", s->from.at, s->from.n, first);
    sql_print_clause(p, " where ", s->where);
}

const char *
sql_statement(const struct statement *statement, enum sql_form form)
{
    struct printer p = {.form = form};

    if (statement->kind == STATEMENT_SELECT)
        return sql_select(statement->select, form);
    sql_print_with(&p, statement->recursive, statement->with.at, statement->with.n);
    if (statement->kind == STATEMENT_INSERT)
        print_insert(&p, statement);
    else
        print_change(&p, statement);
    if (statement->returning.n > 0) {
        str_puts(&p.out, " returning ");
        sql_print_outputs(&p, &statement->returning);
    }
    return p.out.at;
}

const char *
sql_trigger_when(const struct trigger *trigger)
{
    struct printer p = {.form = SQL_PLAIN};

    sql_enter_range(&p, trigger->old_row);
    sql_enter_range(&p, trigger->new_row);
    sql_print_expr(&p, trigger->when, P_ANY);
    return p.out.at;
}

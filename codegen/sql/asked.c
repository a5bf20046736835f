/* SPDX-License-Identifier: MIT */
/* Parts of live queries and policies as statements of their own: see plan/match.h. */
#include "sql/printer.h"

#include <string.h>

#include "model/walk.h"

static struct printer
printer_for(const struct sql_frame *frame, struct sql_arguments *used)
{
    return (struct printer){.form = SQL_POLICY, .frame = frame, .numbers = true, .used = used};
}

const char *
sql_cut(const char *sql, const struct expr *limit)
{
    long rows;

    if (!limit)
        return arena_printf("%s limit %d", sql, SQL_LIVE_ROWS + 1);
    if (expr_is_whole_number(limit, &rows) && rows <= SQL_LIVE_ROWS)
        return sql;
    return arena_printf("select * from (%s) as found limit %d", sql, SQL_LIVE_ROWS + 1);
}

const char *
sql_asked(struct sql_part part, struct sql_arguments *used)
{
    struct printer p = printer_for(part.frame, used);

    sql_print_expr(&p, part.expr, P_CAST);
    return p.out.at;
}

const char *
sql_asked_select(const struct select *select, const struct sql_frame *frame,
                 struct sql_arguments *used)
{
    struct printer p = printer_for(frame, used);

    sql_print_select(&p, select);
    return p.out.at;
}

const char *
sql_argument(const struct sql_arguments *arguments, size_t i)
{
    struct sql_arguments given = {arguments->at, arguments->n, arguments->room, false};
    struct printer p = printer_for(NULL, &given);

    sql_print_number(&p, arguments->at[i]);
    return p.out.at;
}

static void
print_part(struct printer *p, const char *before, struct sql_part part, enum precedence need)
{
    const struct sql_frame *frame = p->frame;

    str_puts(&p->out, before);
    p->frame = part.frame;
    sql_print_expr(p, part.expr, need);
    p->frame = frame;
}

static void
print_columns(struct printer *p, const struct sql_rows *rows)
{
    for (size_t i = 0; i < rows->columns.n; i++) {
        print_part(p, i ? ", " : "", rows->columns.at[i], P_CAST);
        str_puts(&p->out, "::text");
    }
}

static void
print_conditions(struct printer *p, const struct sql_rows *rows)
{
    const char *word = " where ";

    for (size_t i = 0; i < rows->conditions.n; i++, word = " and ")
        print_part(p, word, rows->conditions.at[i], P_AND + 1);
    for (size_t i = 0; i < rows->columns.n; i++) {
        if (!rows->values.at[i].expr)
            continue;
        print_part(p, word, rows->columns.at[i], P_COMPARE + 1);
        print_part(p, " = ", rows->values.at[i], P_COMPARE + 1);
        word = " and ";
    }
}

const char *
sql_asked_rows(const struct sql_rows *rows, struct sql_arguments *used)
{
    const struct select *select = rows->select;
    struct printer p = printer_for(rows->frame, used);

    str_puts(&p.out, "select distinct ");
    for (size_t i = 0; i < select->from.n; i++)
        sql_enter_range(&p, select->from.at[i]);
    print_columns(&p, rows);
    sql_print_ranges(&p, " from ", select->from.at, select->from.n, 0);
    print_conditions(&p, rows);
    return p.out.at;
}

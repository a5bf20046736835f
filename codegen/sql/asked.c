/* SPDX-License-Identifier: MIT */
/* Parts of live queries and policies as statements of their own: see plan/match.h. */
#include "sql/printer.h"

static struct printer
printer_for(const struct sql_frame *frame, struct sql_arguments *used)
{
    return (struct printer){.form = SQL_POLICY, .frame = frame, .numbers = true, .used = used};
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

static void
print_part(struct printer *p, const char *before, struct sql_part part, enum precedence need)
{
    const struct sql_frame *frame = p->frame;

    str_puts(&p->out, before);
    p->frame = part.frame;
    sql_print_expr(p, part.expr, need);
    p->frame = frame;
}

const char *
sql_asked_rows(const struct select *select, const struct sql_frame *frame,
               const struct sql_parts *columns, const struct sql_parts *conditions,
               struct sql_arguments *used)
{
    struct printer p = printer_for(frame, used);

    str_puts(&p.out, "select distinct ");
    for (size_t i = 0; i < select->from.n; i++)
        sql_enter_range(&p, select->from.at[i]);
    for (size_t i = 0; i < columns->n; i++) {
        print_part(&p, i ? ", " : "", columns->at[i], P_CAST);
        str_puts(&p.out, "::text");
    }
    sql_print_ranges(&p, " from ", select->from.at, select->from.n, 0);
    for (size_t i = 0; i < conditions->n; i++)
        print_part(&p, i ? " and " : " where ", conditions->at[i], P_AND + 1);
    return p.out.at;
}

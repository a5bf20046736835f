/* SPDX-License-Identifier: MIT */
/*
 * Private columns that are told by another way: in a value that is computed from them, or by the
 * order of rows.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

struct telling {
    const struct expr *column; /* the first private one that is found */
    bool hidden;               /* below something that does not give it back */
};

/* What is left of a text in these is not the text. */
static bool
hides(const struct expr *expr)
{
    static const char *const calls[] = {"md5",         "sha224", "sha256", "sha384",
                                        "sha512",      "count",  "length", "digest",
                                        "char_length", "crypt",  "hmac",   "octet_length"};

    if (expr->type.kind == TYPE_BOOL && !expr->type.array)
        return true;
    if (expr->kind != EXPR_CALL)
        return false;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(expr->name, calls[i]) == 0)
            return true;
    return false;
}

static void tell(const struct expr *expr, struct telling *telling);

static void
tell_all(const struct expr *expr, struct telling *telling)
{
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            tell(expr->args.at[i], telling);
}

/* A case tells what it gives, not what it asks. */
static void
tell(const struct expr *expr, struct telling *telling)
{
    if (telling->column || hides(expr))
        return;
    if (expr->kind == EXPR_COLUMN && expr->column->is_private)
        telling->column = expr;
    else if (expr->kind == EXPR_CASE)
        for (size_t i = 2; i < expr->args.n; i += i + 2 < expr->args.n ? 2 : 1)
            tell(expr->args.at[i] ? expr->args.at[i] : expr, telling);
    else
        tell_all(expr, telling);
}

/* ---- what is computed ---- */

static void
report_computed(const struct expr *expr, struct span span, const char *what)
{
    struct telling telling = {0};
    struct diag *diag;

    if (expr->kind == EXPR_COLUMN)
        return;
    tell(expr, &telling);
    if (!telling.column)
        return;
    diag = diag_at(span, PGS3312_PRIVATE_COMPUTED,
                   "%s is computed from \"%s\", which is private, and tells it", what,
                   telling.column->column->name);
    diag_note(diag, telling.column->column->span, "\"%s\" is marked here",
              telling.column->column->name);
    diag_hint(diag, "leave \"%s\" out of it, or mark what is computed `private`, too",
              telling.column->column->name);
}

static void
check_table(const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];
        const char *what = arena_printf("\"%s\" of \"%s\"", column->name, table->name);

        if (column->is_private || !access_read_by_some(model, column))
            continue;
        if (column->generated)
            report_computed(column->generated, column->generated->span, what);
        if (table->is_view && table->query && i < table->query->outputs.n)
            report_computed(table->query->outputs.at[i].expr, table->query->outputs.at[i].span,
                            what);
    }
}

/* ---- queries ---- */

static void
report_order(const struct query *query, const struct expr *expr)
{
    struct telling telling = {0};
    struct diag *diag;

    tell(expr, &telling);
    if (!telling.column)
        return;
    diag = diag_at(expr->span, PGS3313_PRIVATE_ORDER,
                   "query \"%s\" orders by \"%s\", which is private: the order tells who has more",
                   query->name, telling.column->column->name);
    diag_note(diag, telling.column->column->span, "it is marked here");
    diag_hint(diag, "order by what may be read");
}

static void
check_query(const struct query *query)
{
    const struct select *select = query->body;

    if (!select)
        return;
    for (size_t i = 0; i < select->outputs.n; i++)
        report_computed(select->outputs.at[i].expr, select->outputs.at[i].span,
                        arena_printf("a column of query \"%s\"", query->name));
    for (size_t i = 0; i < select->order_by.n; i++)
        report_order(query, select->order_by.at[i].expr);
}

void
check_private_told(const struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->tables.n; i++)
        check_table(model, model->tables.at[i]);
    for (size_t i = 0; i < model->queries.n; i++)
        check_query(model->queries.at[i]);
}

/* SPDX-License-Identifier: MIT */
/*
 * What is read with the rights of the one who asks: predicates that are put in place and views with
 * security_invoker are followed to the end, definer predicates are not.
 */
#include "check/checker.h"

/* What was followed already: what is used twice is read once. */
VEC_STRUCT(followed, const void *);

struct reading {
    struct reads *out;
    struct followed *followed;
    struct span from; /* of the call at the top; file NULL: at the top */
};

static void
add_read(struct reading *reading, const struct table *table, const struct column *column,
         struct span span)
{
    struct read read = {.table = table, .column = column, .span = span, .from = span};

    if (reading->from.file)
        read.from = reading->from;
    vec_push(reading->out, read);
}

static bool
is_followed(const struct reading *reading, const void *what)
{
    for (size_t i = 0; i < reading->followed->n; i++)
        if (reading->followed->at[i] == what)
            return true;
    vec_push(reading->followed, what);
    return false;
}

static void read_expr(const struct expr *expr, void *data);

static void
read_range(const struct range *range, void *data)
{
    struct reading *reading = data, inside = *reading;

    if (check_is_unknown(range->table))
        return;
    add_read(reading, range->table, NULL, range->span);
    if (!range->table->query || range->table->materialized || is_followed(reading, range->table))
        return;
    if (!inside.from.file)
        inside.from = range->span;
    walk_select_ranges(range->table->query, read_range, &inside);
    walk_select(range->table->query, read_expr, &inside);
}

/* With the rights of whoever calls it, unless it is security definer. */
static void
read_function(const struct expr *call, const struct reading *reading)
{
    const struct declared_function *function = call->declared;
    struct reading inside = *reading;

    if (function->definer || !function->body || is_followed(reading, function))
        return;
    if (!inside.from.file)
        inside.from = call->span;
    walk_statement_ranges(function->body, read_range, &inside);
    walk_statement(function->body, read_expr, &inside);
}

static void
read_expr(const struct expr *expr, void *data)
{
    struct reading *reading = data, inside = *reading;

    if (expr->kind == EXPR_COLUMN && !expr->range->implicit && !expr->range->table->derived)
        add_read(reading, expr->range->table, expr->column, expr->span);
    if (expr->kind == EXPR_FUNCTION)
        read_function(expr, reading);
    if (expr->kind != EXPR_PREDICATE || expr->predicate->definer || !expr->predicate->body ||
        is_followed(reading, expr->predicate))
        return;
    if (!inside.from.file)
        inside.from = expr->span;
    walk_ranges(expr->predicate->body, read_range, &inside);
    walk_expr(expr->predicate->body, read_expr, &inside);
}

void
check_reads(const struct expr *expr, struct reads *out)
{
    struct followed followed = {0};
    struct reading reading = {.out = out, .followed = &followed};

    walk_ranges(expr, read_range, &reading);
    walk_expr(expr, read_expr, &reading);
}

void
check_reads_select(const struct select *select, struct reads *out)
{
    struct followed followed = {0};
    struct reading reading = {.out = out, .followed = &followed};

    walk_select_ranges(select, read_range, &reading);
    walk_select(select, read_expr, &reading);
}

void
check_reads_statement(const struct statement *statement, struct reads *out)
{
    struct followed followed = {0};
    struct reading reading = {.out = out, .followed = &followed};

    walk_statement_ranges(statement, read_range, &reading);
    walk_statement(statement, read_expr, &reading);
}

const struct read *
check_first_forbidden(const struct reads *reads, const struct role *role)
{
    for (size_t i = 0; i < reads->n; i++) {
        const struct read *read = &reads->at[i];

        if (read->column ? !access_column(role, read->column, CMD_SELECT)
                         : !access_table(role, read->table, CMD_SELECT))
            return read;
    }
    return NULL;
}

const char *
check_read_name(const struct read *read)
{
    return read->column ? arena_printf("%s.%s", read->table->name, read->column->name)
                        : arena_printf("\"%s\"", read->table->name);
}

/* SPDX-License-Identifier: MIT */
/*
 * Joins that lead from the rows of one table to one row each of others, by the keys of those.
 * Which one it is depends on columns of the first row alone, as long as nobody writes the other
 * tables: so what PostgreSQL answered for some row holds for every row with the same values in
 * these columns, and a row with other values is asked for.
 */
#include <string.h>

#include "base/arena.h"
#include "model/functions.h"
#include "model/length.h"
#include "model/types.h"
#include "plan/match.h"

#define MAX_RANGES 64

/* Ranges of a select: bit i is from.at[i]. */
typedef uint64_t range_bits;

static range_bits
bit(size_t i)
{
    return (range_bits)1 << i;
}

/* ---- what stands in a part ---- */

struct found {
    const struct select *select;
    range_bits ranges;
    bool whole; /* a row as it is */
};

static void
find_range(struct sql_part part, void *data)
{
    struct found *found = data;

    for (size_t i = 0; part.expr->range && i < found->select->from.n; i++) {
        if (found->select->from.at[i] != part.expr->range)
            continue;
        found->ranges |= bit(i);
        found->whole |= part.expr->kind != EXPR_COLUMN || !part.expr->column;
    }
}

static range_bits
ranges_of(const struct select *select, struct sql_part part)
{
    struct found found = {.select = select};

    match_walk(part, find_range, &found);
    return found.whole ? ~(range_bits)0 : found.ranges;
}

/* What every row meets: `where`, and what inner joins say. */
static struct sql_parts
filters_of(const struct select *select)
{
    struct sql_parts parts = {0};

    if (select->where)
        match_conjuncts((struct sql_part){select->where, NULL}, &parts);
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->on && select->from.at[i]->join == JOIN_INNER)
            match_conjuncts((struct sql_part){select->from.at[i]->on, NULL}, &parts);
    return parts;
}

/* ---- which row leads to the others ---- */

/* It is the same for all rows, and equal to no value but itself: no collation makes it so. */
static bool
is_one_value(struct sql_part part)
{
    struct match_reason ignored = {0};

    return match_is_constant(part) && match_is_steady(part, &ignored);
}

/* At most one value of `column` is equal to it: a column of `known`, as it is, or what no row is
 * needed for. */
static bool
is_value_of(const struct select *select, struct sql_part part, const struct column *column,
            range_bits known)
{
    bool plain = part.expr->kind == EXPR_COLUMN;

    return (ranges_of(select, part) & ~known) == 0 && (plain || is_one_value(part)) &&
           match_compares(column->type, match_type_beside(part.expr, column->type));
}

/* The column is equal to something that comes from `known`. */
static bool
is_given(const struct select *select, const struct sql_parts *parts, const struct range *range,
         const struct column *column, range_bits known)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct expr *expr = parts->at[i].expr;

        for (size_t side = 0; match_is_equality(expr) && side < 2; side++) {
            const struct expr *mine = expr->args.at[side];
            struct sql_part other = {expr->args.at[1 - side], parts->at[i].frame};

            if (mine->kind == EXPR_COLUMN && mine->range == range && mine->column == column &&
                is_value_of(select, other, column, known))
                return true;
        }
    }
    return false;
}

static bool
is_key_given(const struct select *select, const struct sql_parts *parts, const struct range *range,
             range_bits known)
{
    for (size_t i = 0; i < range->table->constraints.n; i++) {
        const struct constraint *key = range->table->constraints.at[i];
        size_t n = 0;

        if (key->kind != CONSTRAINT_PRIMARY_KEY && key->kind != CONSTRAINT_UNIQUE)
            continue;
        while (n < key->columns.n && is_given(select, parts, range, key->columns.at[n], known))
            n++;
        if (n > 0 && n == key->columns.n)
            return true;
    }
    return false;
}

static bool
is_plain(const struct model *model, const struct range *range)
{
    return !range->table->derived && !range->select && !range->call && !range->table->is_view &&
           !range->past_policies && match_is_alone(model, range->table);
}

/* Given what is known, at most one row of the range fits. */
static bool
is_single(const struct select *select, const struct sql_parts *filters, const struct range *range,
          range_bits known)
{
    struct sql_parts own = {0};

    if (range->join != JOIN_LEFT)
        return is_key_given(select, filters, range, known);
    match_conjuncts((struct sql_part){range->on, NULL}, &own);
    return is_key_given(select, &own, range, known);
}

static bool
leads_to_all(const struct select *select, const struct sql_parts *filters, size_t row)
{
    range_bits known = bit(row), before = 0;

    while (known != before) {
        before = known;
        for (size_t i = 0; i < select->from.n; i++)
            if ((known & bit(i)) == 0 && is_single(select, filters, select->from.at[i], known))
                known |= bit(i);
    }
    return known == (select->from.n == MAX_RANGES ? ~(range_bits)0 : bit(select->from.n) - 1);
}

const struct range *
match_joined_row(const struct model *model, const struct select *select)
{
    struct sql_parts filters;

    if (select->kind != SELECT_PLAIN || select->from.n < 2 || select->from.n > MAX_RANGES)
        return NULL;
    for (size_t i = 0; i < select->from.n; i++)
        if (!is_plain(model, select->from.at[i]) || select->from.at[i]->join > JOIN_CROSS)
            return NULL;
    filters = filters_of(select);
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->table->primary_key && select->from.at[i]->join != JOIN_LEFT &&
            leads_to_all(select, &filters, i))
            return select->from.at[i];
    return NULL;
}

/* ---- what is learned together ---- */

/* A condition or an output for which the row alone is not enough. */
struct item {
    struct sql_part part;
    range_bits ranges; /* without the row */
    size_t output;     /* NO_OUTPUT: it is a condition */
};

#define NO_OUTPUT SIZE_MAX

struct joining {
    struct match *match;
    const struct select *select;
    range_bits row;
    VEC(struct item) items;
};

static range_bits
bit_of(const struct select *select, const struct range *range)
{
    size_t i = 0;

    while (select->from.at[i] != range)
        i++;
    return bit(i);
}

bool
match_is_joined(const struct match *match, struct sql_part part)
{
    const struct select *select = match->live->body;

    return (ranges_of(select, part) & ~bit_of(select, match->row)) != 0;
}

/* What it says must follow from columns of the row, as long as the other tables stay; and what is
 * shown of those must be a column, since a call may give several rows. */
static bool
add_item(struct joining *joining, struct sql_part part, range_bits more, size_t output)
{
    range_bits ranges = ranges_of(joining->select, part) | more;
    struct item item = {part, ranges & ~joining->row, output};

    if (item.ranges == 0)
        return true;
    if (ranges == ~(range_bits)0 || (output != NO_OUTPUT && part.expr->kind != EXPR_COLUMN)) {
        match_because(joining->match, part.expr->span, "this is computed from the row");
        return false;
    }
    vec_push(&joining->items, item);
    return match_is_steady(part, &joining->match->reason);
}

static bool
add_items(struct joining *joining)
{
    const struct select *select = joining->select;
    struct sql_parts filters = filters_of(select);

    for (size_t i = 0; i < filters.n; i++)
        if (!add_item(joining, filters.at[i], 0, NO_OUTPUT))
            return false;
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->join == JOIN_LEFT &&
            !add_item(joining, (struct sql_part){select->from.at[i]->on, NULL}, bit(i), NO_OUTPUT))
            return false;
    for (size_t i = 0; i < select->outputs.n; i++)
        if (!add_item(joining, (struct sql_part){select->outputs.at[i].expr, NULL}, 0, i))
            return false;
    return true;
}

/* All that is reached from `ranges` by way of items. */
static range_bits
together_with(const struct joining *joining, range_bits ranges)
{
    range_bits before = 0;

    while (ranges != before) {
        before = ranges;
        for (size_t i = 0; i < joining->items.n; i++)
            if (joining->items.at[i].ranges & ranges)
                ranges |= joining->items.at[i].ranges;
    }
    return ranges;
}

struct columns_search {
    struct match *match;
    struct match_join *join;
};

static void
add_column(struct sql_part part, void *data)
{
    const struct columns_search *search = data;
    struct match_join *join = search->join;

    if (!match_is_column(search->match, part.expr))
        return;
    for (size_t i = 0; i < join->columns.n; i++)
        if (join->columns.at[i]->column == part.expr->column)
            return;
    vec_push(&join->columns, part.expr);
    match_add_needed(search->match, part.expr->column);
}

/* Rows are looked up by it. */
static bool
check_column(struct match *match, const struct expr *expr)
{
    const struct column *column = expr->column;

    if (column->generated)
        match_because(match, expr->span, "generated columns are not in the log");
    else if (!match_is_textual(column->type) && !type_is_bool(column->type))
        match_because(match, expr->span,
                      arena_printf("values of %s are not told apart by their texts",
                                   type_text(column->type)));
    else if (type_is_text(column->type) && column_max_length(column) == 0)
        match_because(match, expr->span, "rows are not looked up by text of any length");
    else
        return true;
    return false;
}

static bool
add_join(struct joining *joining, range_bits together)
{
    struct match_join join = {0};
    struct columns_search search = {joining->match, &join};

    for (size_t i = 0; i < joining->items.n; i++) {
        const struct item *item = &joining->items.at[i];

        if ((item->ranges & together) == 0)
            continue;
        match_walk(item->part, add_column, &search);
        if (item->output != NO_OUTPUT)
            vec_push(&join.outputs, item->output);
    }
    for (size_t i = 0; i < join.columns.n; i++)
        if (!check_column(joining->match, join.columns.at[i]))
            return false;
    vec_push(&joining->match->joins, join);
    return true;
}

/* What rows are known by comes with them, by names that nothing else has. */
static void
add_beside(struct match *match)
{
    struct select *asked = match_ask_beside(match);

    for (size_t i = 0; i < match->joins.n; i++)
        for (size_t j = 0; j < match->joins.at[i].columns.n; j++) {
            struct expr *column = arena_alloc(sizeof(*column));

            *column = *match->joins.at[i].columns.at[j];
            vec_push(&asked->outputs,
                     ((struct output){.span = asked->span,
                                      .name = arena_printf("joined %zu", asked->outputs.n),
                                      .expr = column}));
        }
}

/* A row that goes is known by it, whatever it was joined to. */
static bool
check_key(struct match *match)
{
    const struct constraint *key = match->row->table->primary_key;

    for (size_t i = 0; i < key->columns.n; i++)
        if (!match_is_sent(match, key->columns.at[i])) {
            match_because(match, match->live->span,
                          arena_printf("it does not send the key of \"%s\", whose rows it has",
                                       match->row->table->name));
            return false;
        }
    return true;
}

bool
match_add_joins(struct match *match)
{
    const struct select *select = match->live->body;
    struct joining joining = {.match = match, .select = select};
    range_bits done;

    joining.row = done = bit_of(select, match->row);
    if (!check_key(match) || !add_items(&joining))
        return false;
    for (size_t i = 0; i < select->from.n; i++) {
        range_bits together;

        if (done & bit(i))
            continue;
        together = together_with(&joining, bit(i));
        if (!add_join(&joining, together))
            return false;
        done |= together;
    }
    add_beside(match);
    return true;
}

bool
match_add_filters(struct match *match)
{
    struct sql_parts filters = filters_of(match->live->body);

    for (size_t i = 0; i < filters.n; i++)
        if (!match_is_joined(match, filters.at[i]) && !match_add_condition(match, filters.at[i]))
            return false;
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * What a result depends on: rows of tables, and of which rows it is known that they do not.  A tie
 * `column = fact` says that rows with another value neither are in the result nor keep others out
 * of it: they would be dropped at once where the table is read.
 */
#include <string.h>

#include "base/arena.h"
#include "model/functions.h"
#include "model/types.h"
#include "model/walk.h"
#include "plan/match.h"

struct sourcing {
    struct match *match;
    VEC(const void *) followed;    /* tables whose policies are read, functions */
    const struct sql_frame *frame; /* of the expression that is visited */
    bool definer;                  /* no policy of the role holds here */
    bool function;                 /* parameters here are not the live query's */
};

static bool
is_followed(struct sourcing *s, const void *what)
{
    for (size_t i = 0; i < s->followed.n; i++)
        if (s->followed.at[i] == what)
            return true;
    vec_push(&s->followed, what);
    return false;
}

static void source_select(struct sourcing *s, const struct select *select,
                          const struct sql_frame *frame);
static void source_part(struct sourcing *s, struct sql_part part);

/* ---- ties ---- */

const struct match_tie *
match_tied(const struct match *match, const struct column *column, struct type type)
{
    for (size_t i = 0; i < match->ties.n; i++) {
        const struct match_tie *tie = &match->ties.at[i];

        if (tie->column == column &&
            match_compares(type, match_type_beside(tie->value.expr, column->type)))
            return tie;
    }
    return NULL;
}

static void
push_tie(struct match_ties *out, struct match_tie tie)
{
    for (size_t i = 0; i < out->n; i++)
        if (out->at[i].column == tie.column && out->at[i].fact == tie.fact)
            return;
    vec_push(out, tie);
}

/* A column of the row that is matched, met in a sub-select: it is what the row's tie says. */
static const struct match_tie *
tied_part(const struct match *match, struct sql_part part, struct type type)
{
    struct match_row by_range = {.range = match->row}, by_table = {0};
    const struct column *column;
    struct type ignored;

    if (!match->row)
        return NULL;
    by_table.table = match->row->table;
    column = match_column(&by_range, part, &ignored);
    if (!column)
        column = match_column(&by_table, part, &ignored);
    return column ? match_tied(match, column, type) : NULL;
}

static void
add_tie(struct match *match, const struct match_row *row, struct sql_part a, struct sql_part b,
        struct match_ties *out)
{
    struct match_reason ignored = {0};
    const struct match_tie *through;
    struct match_tie tie = {.value = b};
    struct type type;

    tie.column = match_column(row, a, &type);
    if (!tie.column || !match_is_textual(tie.column->type) ||
        !match_compares(tie.column->type, match_type_beside(b.expr, type)))
        return;
    through = tied_part(match, b, tie.column->type);
    if (through)
        tie.value = through->value;
    else if (!match_is_constant(b) || !match_is_steady(b, &ignored))
        return;
    tie.fact = through ? through->fact : match_add_fact(match, b, tie.column->type);
    push_tie(out, tie);
}

static void
add_ties(struct match *match, const struct match_row *row, struct sql_part where,
         struct match_ties *out)
{
    struct sql_parts parts = {0};

    match_conjuncts(where, &parts);
    for (size_t i = 0; i < parts.n; i++) {
        const struct expr *expr = parts.at[i].expr;
        struct sql_part left, right;

        if (!match_is_equality(expr))
            continue;
        left = (struct sql_part){expr->args.at[0], parts.at[i].frame};
        right = (struct sql_part){expr->args.at[1], parts.at[i].frame};
        add_tie(match, row, left, right, out);
        add_tie(match, row, right, left, out);
    }
}

/* What every policy of the role asks for: the only permissive one, and the restrictive ones. */
static void
add_policy_ties(struct match *match, const struct table *table, struct match_ties *out)
{
    struct match_row row = {.table = table};
    struct match_policies policies = match_policies(match->role, table);

    for (size_t i = 0; i < policies.restrictive.n; i++)
        add_ties(match, &row, (struct sql_part){policies.restrictive.at[i]->using_expr, NULL}, out);
    if (policies.permissive.n == 1)
        add_ties(match, &row, (struct sql_part){policies.permissive.at[0]->using_expr, NULL}, out);
}

void
match_tie_row(struct match *match)
{
    const struct expr *where = match->live->body->where;
    struct match_row row = {.range = match->row};
    struct match_ties ties = {0};

    if (where)
        add_ties(match, &row, (struct sql_part){where, NULL}, &ties);
    add_policy_ties(match, match->row->table, &ties);
    match->ties = ties;
}

bool
match_is_alone(const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->inherits.n; j++)
            if (model->tables.at[i]->inherits.at[j] == table)
                return false;
    return !table->partitioning && !table->partition_of && table->inherits.n == 0;
}

/* ---- tables ---- */

bool
match_same_ties(const struct match_ties *a, const struct match_ties *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i].column != b->at[i].column || a->at[i].fact != b->at[i].fact)
            return false;
    return true;
}

static void
add_source(struct match *match, const struct table *table, const struct match_ties *ties)
{
    struct match_source source = {.table = table, .ties = *ties};

    while (source.table->partition_of)
        source.table = source.table->partition_of;
    for (size_t i = 0; i < match->sources.n; i++)
        if (match->sources.at[i].table == source.table &&
            match_same_ties(&match->sources.at[i].ties, ties))
            return;
    vec_push(&match->sources, source);
}

static void
source_policy(struct sourcing *s, const struct policy *policy)
{
    struct sql_part part = {policy->using_expr, NULL};

    source_part(s, part);
    (void)match_is_steady(part, &s->match->unsteady);
}

static void
source_policies(struct sourcing *s, const struct table *table)
{
    struct match_policies policies;

    if (s->definer || is_followed(s, table))
        return;
    policies = match_policies(s->match->role, table);
    for (size_t i = 0; i < policies.permissive.n; i++)
        source_policy(s, policies.permissive.at[i]);
    for (size_t i = 0; i < policies.restrictive.n; i++)
        source_policy(s, policies.restrictive.at[i]);
}

/* Those that inherit from it are read with it. */
static void
source_children(struct sourcing *s, const struct table *table)
{
    static const struct match_ties none = {0};

    for (size_t i = 0; i < s->match->model->tables.n; i++) {
        const struct table *child = s->match->model->tables.at[i];

        for (size_t j = 0; j < child->inherits.n; j++)
            if (child->inherits.at[j] == table) {
                add_source(s->match, child, &none);
                source_children(s, child);
            }
    }
}

/* `x in (select y from ...)`, x being tied and y never null: rows with another y do not matter. */
static void
add_in_tie(struct match *match, const struct match_row *row, const struct expr *in,
           const struct sql_frame *frame, struct match_ties *out)
{
    struct sql_part sought = {in->args.at[0], frame};
    const struct match_tie *through;
    struct match_tie tie = {0};
    struct type type;

    if (!match_select_is_simple(in->select) || in->select->outputs.n != 1)
        return;
    tie.column = match_column(row, (struct sql_part){in->select->outputs.at[0].expr, frame}, &type);
    if (!tie.column || !tie.column->not_null ||
        !match_compares(tie.column->type, sought.expr->type))
        return;
    through = tied_part(match, sought, tie.column->type);
    if (!through)
        return;
    tie.fact = through->fact;
    tie.value = through->value;
    push_tie(out, tie);
}

static void
source_table(struct sourcing *s, const struct match_row *row, const struct sql_parts *wheres,
             const struct expr *in)
{
    struct match_ties ties = {0};
    bool alone = match_is_alone(s->match->model, row->range->table) && !s->function;

    if (s->match->row && s->match->row != row->range && s->match->row->table == row->range->table)
        s->match->reads_itself = true;
    for (size_t i = 0; alone && i < wheres->n; i++)
        add_ties(s->match, row, wheres->at[i], &ties);
    if (alone && in)
        add_in_tie(s->match, row, in, s->frame, &ties);
    if (alone && !s->definer)
        add_policy_ties(s->match, row->range->table, &ties);
    add_source(s->match, row->range->table, &ties);
    source_policies(s, row->range->table);
    source_children(s, row->range->table);
}

/* ---- selects and what stands in expressions ---- */

static bool
joins_inside(const struct select *select)
{
    for (size_t i = 0; i < select->from.n; i++)
        if (select->from.at[i]->join > JOIN_INNER && select->from.at[i]->join != JOIN_CROSS)
            return false;
    return true;
}

/* An inner join asks as much as `where` does. */
static struct sql_parts
wheres_of(const struct select *select, const struct sql_frame *frame)
{
    struct sql_parts wheres = {0};
    bool inner = joins_inside(select);

    if (select->where)
        vec_push(&wheres, ((struct sql_part){select->where, frame}));
    for (size_t i = 0; inner && i < select->from.n; i++)
        if (select->from.at[i]->on)
            vec_push(&wheres, ((struct sql_part){select->from.at[i]->on, frame}));
    return wheres;
}

/*
 * Of the select itself and of those in its from and with; the others stand in expressions.  `in`:
 * whose list of values it is; or NULL.
 */
static void
source_ranges(struct sourcing *s, const struct select *select, const struct sql_frame *frame,
              const struct expr *in)
{
    struct sql_parts wheres = wheres_of(select, frame);

    for (size_t i = 0; i < select->with.n; i++)
        source_ranges(s, select->with.at[i]->select, frame, NULL);
    if (select->left)
        source_ranges(s, select->left, frame, NULL);
    if (select->right)
        source_ranges(s, select->right, frame, NULL);
    for (size_t i = 0; i < select->from.n; i++) {
        const struct range *range = select->from.at[i];
        struct match_row row = {.range = range};

        if (range->select)
            source_ranges(s, range->select, frame, NULL);
        else if (range->table->query)
            source_select(s, range->table->query, NULL);
        else if (!range->table->derived && !range->table->is_view)
            source_table(s, &row, &wheres, in);
    }
}

static void
visit_target(const struct range *range, void *data)
{
    struct match_row row = {.range = range};
    static const struct sql_parts none = {0};

    if (range->table->query)
        source_select(data, range->table->query, NULL);
    else
        source_table(data, &row, &none, NULL);
}

static void visit_expr(const struct expr *expr, void *data);

/* Read once with the policies of the role, and once past them; defaults are the caller's. */
static void
source_function(struct sourcing *s, const struct declared_function *function)
{
    struct sourcing inner = *s;

    if (!function->body || is_followed(s, s->definer ? (const void *)&function->body : function))
        return;
    inner.frame = NULL;
    inner.function = true;
    inner.followed = s->followed;
    walk_params(&function->params, visit_expr, &inner);
    inner.definer |= function->definer;
    walk_statement_ranges(function->body, visit_target, &inner);
    walk_statement(function->body, visit_expr, &inner);
    s->followed = inner.followed;
}

/* x in (select y ...), x = any (select y ...) */
static bool
is_in(const struct expr *expr)
{
    if (expr->kind == EXPR_ANY &&
        (strcmp(expr->name, "=") != 0 || (expr->function && expr->function->extension)))
        return false;
    return (expr->kind == EXPR_IN || expr->kind == EXPR_ANY) && joins_inside(expr->select);
}

static void
visit_expr(const struct expr *expr, void *data)
{
    struct sourcing *s = data;
    struct sourcing around = *s;

    if (expr->select)
        source_ranges(s, expr->select, s->frame, is_in(expr) ? expr : NULL);
    if (expr->kind == EXPR_FUNCTION)
        source_function(s, expr->declared);
    if (expr->kind != EXPR_PREDICATE || !expr->predicate->body)
        return;
    s->frame = match_frame(expr, around.frame);
    s->definer |= expr->predicate->definer;
    walk_expr(expr->predicate->body, visit_expr, s);
    s->frame = around.frame;
    s->definer = around.definer;
}

static void
source_part(struct sourcing *s, struct sql_part part)
{
    const struct sql_frame *around = s->frame;

    s->frame = part.frame;
    walk_expr(part.expr, visit_expr, s);
    s->frame = around;
}

static void
source_select(struct sourcing *s, const struct select *select, const struct sql_frame *frame)
{
    const struct sql_frame *around = s->frame;

    s->frame = frame;
    source_ranges(s, select, frame, NULL);
    walk_select(select, visit_expr, s);
    s->frame = around;
}

static void
put_row_first(struct match *match)
{
    for (size_t i = 0; match->row && i < match->sources.n; i++)
        if (match->sources.at[i].table == match->row->table) {
            struct match_source source = match->sources.at[i];

            memmove(&match->sources.at[1], &match->sources.at[0], i * sizeof(source));
            match->sources.at[0] = source;
            return;
        }
}

void
match_sources(struct match *match)
{
    struct sourcing s = {.match = match};

    source_select(&s, match->live->body, NULL);
    walk_params(&match->live->params, visit_expr, &s);
    put_row_first(match);
}

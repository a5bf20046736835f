/* SPDX-License-Identifier: MIT */
/*
 * Sub-selects that meet the row in equalities alone, as the set of values for which they are true:
 * `exists (select from m where m.a = row.a and m.u = auth.uid())` is "row.a is in
 * (select a from m where u = auth.uid())".  The set is asked for as the subscriber, so that the
 * policies of what it reads hold by themselves.
 */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "model/functions.h"
#include "model/names.h"
#include "model/types.h"
#include "model/walk.h"
#include "plan/fingerprint.h"
#include "plan/match.h"

/* A sub-select taken apart. */
struct asking {
    struct match *match;
    const struct match_row *row;
    struct sql_rows set;
    VEC(struct operand) values; /* beside its columns: what of the row must be in it */
};

static bool
refuse(struct match *match, struct span span, const char *text)
{
    match_because(match, span, text);
    return false;
}

/* ---- its shape ---- */

bool
match_select_is_simple(const struct select *select)
{
    return select->kind == SELECT_PLAIN && select->with.n == 0 && !select->limit &&
           !select->offset && select->group_by.n == 0 && !select_has_aggregate(select) &&
           select->windows.n == 0 && select->distinct_on.n == 0 && !select->locking;
}

/* No aggregate, which would make a row of none, and no call that makes several. */
static bool
has_plain_outputs(const struct select *select)
{
    for (size_t i = 0; i < select->outputs.n; i++)
        if (select->outputs.at[i].expr->kind != EXPR_LITERAL &&
            select->outputs.at[i].expr->kind != EXPR_COLUMN)
            return false;
    return true;
}

static bool
range_needs_row(const struct asking *asking, const struct range *range,
                const struct sql_frame *frame)
{
    struct expr nested = {.kind = EXPR_SELECT, .select = range->select};

    if (range->on && match_needs_row(asking->row, (struct sql_part){range->on, frame}))
        return true;
    if (range->call && match_needs_row(asking->row, (struct sql_part){range->call, frame}))
        return true;
    return range->select && match_needs_row(asking->row, (struct sql_part){&nested, frame});
}

static bool
check_shape(struct asking *asking, const struct select *select, const struct sql_frame *frame)
{
    if (!match_select_is_simple(select) || !has_plain_outputs(select) || select->from.n == 0)
        return refuse(asking->match, select->span, "this sub-select is more than rows of tables");
    for (size_t i = 0; i < select->from.n; i++)
        if (range_needs_row(asking, select->from.at[i], frame))
            return refuse(asking->match, select->from.at[i]->span,
                          "this sub-select joins by the row");
    return true;
}

/* ---- where it meets the row ---- */

/* What the operand is in every row of the result; `expr` NULL: not known where it is asked. */
static struct sql_part
value_of(const struct match *match, const struct operand *operand, struct type type)
{
    const struct match_tie *tie = NULL;

    if (operand->kind == OPERAND_COLUMN)
        tie = match_tied(match, operand->column, type);
    if (tie && match->definer && !match_is_anybodys(tie->value))
        tie = NULL;
    return tie ? tie->value : (struct sql_part){0};
}

/* `inner` is computed from what the sub-select reads, `outer` from the row. */
static bool
add_meeting(struct asking *asking, struct sql_part inner, struct sql_part outer)
{
    struct operand operand;
    struct type type;

    if (inner.expr->kind == EXPR_LITERAL) /* its text may not be the one of its value */
        return refuse(asking->match, inner.expr->span, "a sub-select meets the row in a constant");
    if (!match_compares(inner.expr->type, outer.expr->type))
        return refuse(asking->match, outer.expr->span,
                      arena_printf("%s is not compared by its text", type_text(outer.expr->type)));
    if (!match_operand(asking->match, asking->row, outer, inner.expr->type, &operand, &type))
        return false;
    vec_push(&asking->set.columns, inner);
    vec_push(&asking->set.values, value_of(asking->match, &operand, inner.expr->type));
    vec_push(&asking->values, operand);
    return true;
}

static bool
add_conjunct(struct asking *asking, struct sql_part part)
{
    struct sql_part left, right;
    bool by_left, by_right;

    if (!match_needs_row(asking->row, part)) {
        vec_push(&asking->set.conditions, part);
        return true;
    }
    if (!match_is_equality(part.expr))
        return refuse(asking->match, part.expr->span,
                      "a sub-select meets the row in more than equalities");
    left = (struct sql_part){part.expr->args.at[0], part.frame};
    right = (struct sql_part){part.expr->args.at[1], part.frame};
    by_left = match_needs_row(asking->row, left);
    by_right = match_needs_row(asking->row, right);
    if (by_left && by_right)
        return refuse(asking->match, part.expr->span, "both sides are computed from the row");
    return by_left ? add_meeting(asking, right, left) : add_meeting(asking, left, right);
}

/* A predicate or `and` that needs no row stays whole. */
static bool
add_conjuncts(struct asking *asking, struct sql_part where)
{
    struct sql_parts parts = {0};

    match_conjuncts(where, &parts);
    for (size_t i = 0; i < parts.n; i++)
        if (!add_conjunct(asking, parts.at[i]))
            return false;
    return true;
}

/* ---- the statement ---- */

/*
 * Past policies reads a function of the owner, as the predicate itself is one.  Its rows are the
 * caller's alone: what the predicate tells one by one, nobody may list of others.  What arguments
 * default to is the caller's to compute, outside of it.
 */
static struct match_set
definer_set(const struct predicate *predicate, struct match_set set)
{
    struct str call = {0};

    set.definer = predicate;
    set.body = set.sql;
    set.function =
        name_cut(arena_printf("live_%.8s_%s", fingerprint_sql(set.body), predicate->name));
    str_printf(&call, "select * from pgstack_policy.%s(", name_sql(set.function));
    for (size_t i = 0; i < set.arguments.n; i++)
        str_printf(&call, "%s%s", i ? ", " : "", sql_argument(&set.arguments, i));
    str_putc(&call, ')');
    set.sql = call.at;
    return set;
}

bool
match_same_set(const struct match_set *a, const struct match_set *b)
{
    if (strcmp(a->sql, b->sql) != 0 || a->arguments.n != b->arguments.n)
        return false;
    for (size_t i = 0; i < a->arguments.n; i++)
        if (a->arguments.at[i] != b->arguments.at[i])
            return false;
    return true;
}

static size_t
add_set(struct match *match, struct match_set set)
{
    set.sql = sql_cut(set.sql, NULL);
    if (match->definer)
        set = definer_set(match->definer, set);
    for (size_t i = 0; i < match->sets.n; i++)
        if (match_same_set(&match->sets.at[i], &set))
            return i;
    vec_push(&match->sets, set);
    return match->sets.n - 1;
}

/* The rows of the table are the caller's, and what is listed is in them. */
static bool
lists_caller(const struct range *range, const struct sql_parts *conditions,
             const struct sql_parts *values)
{
    struct match_row row = {.range = range};
    struct type type;
    bool does = false;

    if (range->select || range->call || range->table->derived || range->table->is_view)
        return false;
    for (size_t i = 0; i < conditions->n; i++)
        does |= match_is_of_caller(&row, conditions->at[i]);
    for (size_t i = 0; does && i < values->n; i++)
        does = match_column(&row, values->at[i], &type) != NULL;
    return does;
}

/* Past policies, sets `listed` to the table that has the rows. */
static bool
check_definer(struct match *match, const struct select *select, const struct sql_parts *conditions,
              const struct sql_parts *values, const struct table **listed)
{
    if (!match->definer)
        return true;
    for (size_t i = 0; i < select->from.n; i++)
        if (lists_caller(select->from.at[i], conditions, values)) {
            *listed = select->from.at[i]->table;
            return true;
        }
    return refuse(
        match, select->span,
        arena_printf("predicate \"%s\" reads rows of others past policies", match->definer->name));
}

static struct term *
set_of_rows(struct asking *asking, const struct select *select, const struct sql_frame *frame)
{
    struct match_set set = {.n_columns = asking->set.columns.n,
                            .arguments.complete = asking->match->definer != NULL};
    struct term *term = match_new_term(TERM_HAS);

    if (!check_definer(asking->match, select, &asking->set.conditions, &asking->set.columns,
                       &set.listed))
        return NULL;
    asking->set.select = select;
    asking->set.frame = frame;
    set.sql = sql_asked_rows(&asking->set, &set.arguments);
    term->set = add_set(asking->match, set);
    for (size_t i = 0; i < asking->values.n; i++)
        vec_push(&term->operands, asking->values.at[i]);
    return term;
}

/* Sub-selects in it may read the clock as well. */
static bool
is_steady(struct match *match, const struct expr *expr, const struct sql_frame *frame)
{
    return match_is_steady((struct sql_part){expr, frame}, &match->reason);
}

/* ---- the forms ---- */

/* Nothing of it meets the row but what it gives, which does not matter: a fact. */
static struct term *
asked_exists(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct expr *expr = arena_alloc(sizeof(*expr));
    struct select *select = arena_alloc(sizeof(*select));

    *select = *part.expr->select;
    select->outputs.n = 0;
    select->order_by.n = 0;
    select->distinct = false;
    *expr = *part.expr;
    expr->select = select;
    return match_term(match, row, (struct sql_part){expr, part.frame}, false);
}

static struct term *
exists_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    const struct select *select = part.expr->select;
    struct asking asking = {.match = match, .row = row};
    struct term *term;

    if (!check_shape(&asking, select, part.frame) || !is_steady(match, part.expr, part.frame))
        return NULL;
    if (select->where && !add_conjuncts(&asking, (struct sql_part){select->where, part.frame}))
        return NULL;
    if (asking.set.columns.n == 0)
        return asked_exists(match, row, part);
    term = set_of_rows(&asking, select, part.frame);
    return part.expr->negated ? match_not(term) : term;
}

/* `x in (select y from m where m.a = row.a)` where it makes no difference whether it is unknown. */
static struct term *
meeting_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    const struct select *select = part.expr->select;
    struct asking asking = {.match = match, .row = row};
    struct sql_part inner = {select->outputs.at[0].expr, part.frame};
    struct sql_part outer = {part.expr->args.at[0], part.frame};

    if (!check_shape(&asking, select, part.frame))
        return NULL;
    if (match_needs_row(row, inner)) {
        match_because(match, inner.expr->span, "a sub-select gives what is computed from the row");
        return NULL;
    }
    if (!add_meeting(&asking, inner, outer))
        return NULL;
    if (select->where && !add_conjuncts(&asking, (struct sql_part){select->where, part.frame}))
        return NULL;
    return set_of_rows(&asking, select, part.frame);
}

/* Of a set what can be the operand; its nulls can, where it matters that this is unknown. */
static const char *
narrowing(const struct match *match, const struct operand *operand, struct type element, bool loose,
          struct sql_arguments *arguments)
{
    struct sql_part value = value_of(match, operand, element);

    if (!value.expr)
        return "";
    return arena_printf(" where v = %s%s", sql_asked(value, arguments),
                        loose ? "" : " or v is null");
}

/* A select that needs no row, whatever it is made of. */
static struct term *
whole_term(struct match *match, const struct match_row *row, struct sql_part outer,
           struct match_set set, struct type element, bool loose)
{
    struct term *term = match_new_term(TERM_CONTAINS);
    struct operand operand;
    struct type type;

    if (!match_compares(outer.expr->type, element)) {
        match_because(match, outer.expr->span,
                      arena_printf("%s is not compared by its text", type_text(outer.expr->type)));
        return NULL;
    }
    if (!match_operand(match, row, outer, element, &operand, &type))
        return NULL;
    vec_push(&term->operands, operand);
    set.n_columns = 1;
    set.sql = arena_printf("select distinct v::text from (%s) s (v)%s", set.sql,
                           narrowing(match, &operand, element, loose, &set.arguments));
    term->set = add_set(match, set);
    return term;
}

static bool
check_whole_definer(struct match *match, const struct select *select, const struct sql_frame *frame,
                    const struct table **listed)
{
    struct sql_parts conditions = {0}, values = {0};

    if (match->definer && !match_select_is_simple(select))
        return refuse(match, select->span, "this sub-select is more than rows of tables");
    if (select->where)
        match_conjuncts((struct sql_part){select->where, frame}, &conditions);
    vec_push(&values, ((struct sql_part){select->outputs.at[0].expr, frame}));
    return check_definer(match, select, &conditions, &values, listed);
}

static struct term *
in_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    const struct select *select = part.expr->select;
    struct expr nested = {.kind = EXPR_SELECT, .select = part.expr->select};
    struct sql_part inner = {&nested, part.frame}, outer = {part.expr->args.at[0], part.frame};
    struct match_set set = {.arguments.complete = match->definer != NULL};
    struct term *term;

    if (outer.expr->kind == EXPR_ROW || select->outputs.n != 1) {
        match_because(match, part.expr->span, "several columns are looked up at once");
        return NULL;
    }
    if (select->kind == SELECT_VALUES || select->outputs.at[0].expr->kind == EXPR_LITERAL) {
        match_because(match, select->span, "this sub-select is more than rows of tables");
        return NULL;
    }
    if (!is_steady(match, &nested, part.frame))
        return NULL;
    if (match_needs_row(row, inner)) {
        if (loose && !part.expr->negated)
            return meeting_term(match, row, part);
        match_because(match, part.expr->span, "`not in` meets the row inside the sub-select");
        return NULL;
    }
    if (!check_whole_definer(match, select, part.frame, &set.listed))
        return NULL;
    set.sql = sql_asked_select(select, part.frame, &set.arguments);
    term = whole_term(match, row, outer, set, select->outputs.at[0].expr->type,
                      loose && !part.expr->negated);
    return part.expr->negated ? match_not(term) : term;
}

/* x = any (array): an array that is null is like an empty one, where unknown may be false. */
static struct term *
array_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    struct sql_part outer = {part.expr->args.at[0], part.frame};
    struct sql_part array = {part.expr->args.at[1], part.frame};
    struct match_set set = {0};

    if (!loose || match_needs_row(row, array) || !array.expr->type.array) {
        match_because(match, part.expr->span, "this array is PostgreSQL's to look into");
        return NULL;
    }
    if (match->definer || !is_steady(match, array.expr, array.frame)) {
        match_because(match, part.expr->span, "this array is PostgreSQL's to look into");
        return NULL;
    }
    set.sql = arena_printf("select unnest(%s)", sql_asked(array, &set.arguments));
    return whole_term(match, row, outer, set, type_element(array.expr->type), true);
}

struct term *
match_set_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    if (part.expr->function && part.expr->function->extension) {
        match_because(match, part.expr->span, "an extension's operator is PostgreSQL's to compute");
        return NULL;
    }
    if (part.expr->kind == EXPR_EXISTS)
        return exists_term(match, row, part);
    if (part.expr->kind == EXPR_ANY && strcmp(part.expr->name, "=") != 0) {
        match_because(match, part.expr->span, "only `= any` is looked up");
        return NULL;
    }
    if (part.expr->select)
        return in_term(match, row, part, loose);
    return array_term(match, row, part, loose);
}

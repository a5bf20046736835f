/* SPDX-License-Identifier: MIT */
/* Selects made flat: what each range of from is made of, one side of each union at a time. */
#include "rights/flat_parts.h"

#include <string.h>

#include "check/checker.h"
#include "model/walk.h"

#define SIDES_MAX 64
#define ROWS_MAX 16 /* more stay as they are: a list of constants */

/* ---- a select again ---- */

struct select *
check_flat_select(const struct flat_side *side, const struct select *model)
{
    struct select *select = arena_alloc(sizeof(*select));

    select->span = model->span;
    for (size_t i = 0; i < side->from.n; i++)
        vec_push(&select->from, side->from.at[i]);
    for (size_t i = 0; i < side->conditions.n; i++) {
        struct expr *both, *one = side->conditions.at[i];

        if (!select->where) {
            select->where = one;
            continue;
        }
        both = check_new_expr(EXPR_OP, one->span);
        both->name = "and";
        both->type = one->type;
        both->flat = both;
        vec_push(&both->args, select->where);
        vec_push(&both->args, one);
        select->where = both;
    }
    for (size_t i = 0; i < side->outputs.n; i++) {
        const char *name = i < model->outputs.n ? model->outputs.at[i].name : NULL;
        struct output output = {side->outputs.at[i]->span, name, side->outputs.at[i]};

        vec_push(&select->outputs, output);
        if (side->grouped && i == 0)
            vec_push(&select->group_by, side->outputs.at[i]);
    }
    return select;
}

/* ---- joins ---- */

struct naming {
    bool found;
};

static void
visit_absent(const struct expr *expr, void *data)
{
    struct naming *naming = data;

    naming->found |= expr->kind == EXPR_COLUMN && expr->range->absent;
}

/* It wants a column of what an outer join may leave out: then the join leaves nothing out. */
static void
visit_strict(const struct expr *expr, void *data)
{
    if (expr->kind != EXPR_OP || strcmp(expr->name, "is null") != 0)
        walk_expr(expr, visit_absent, data);
}

static bool
is_as_if_inner(const struct select *select)
{
    struct naming naming = {false};

    if (select->where)
        walk_conjuncts(select->where, visit_strict, &naming);
    for (size_t i = 0; i < select->outputs.n; i++)
        if (select->outputs.at[i].expr->kind == EXPR_COLUMN)
            visit_absent(select->outputs.at[i].expr, &naming);
    return naming.found;
}

static bool
is_outer(const struct range *range)
{
    return range->join == JOIN_LEFT || range->join == JOIN_RIGHT || range->join == JOIN_FULL;
}

/* ---- from ---- */

struct level {
    const struct select *select;
    bool inner; /* outer joins narrow as inner ones do */
    struct flat_sides *out;
};

static void add_range(const struct level *level, size_t i, const struct flattening *f,
                      const struct flat_side *so_far);

static struct flat_side
copy_of(const struct flat_side *side)
{
    struct flat_side copy = {.grouped = side->grouped};

    for (size_t i = 0; i < side->from.n; i++)
        vec_push(&copy.from, side->from.at[i]);
    for (size_t i = 0; i < side->conditions.n; i++)
        vec_push(&copy.conditions, side->conditions.at[i]);
    return copy;
}

static bool
is_counted(const struct select *select)
{
    return select_has_aggregate(select) || select->group_by.n > 0 || select->limit ||
           select->offset;
}

/* All of from is known: what narrows it, and what it gives. */
static void
add_side(const struct level *level, const struct flattening *f, const struct flat_side *so_far)
{
    const struct select *select = level->select;
    struct flat_side side = copy_of(so_far);

    if (select->where)
        vec_push(&side.conditions, check_flat_copy(select->where, f));
    for (size_t i = 0; i < select->outputs.n; i++)
        vec_push(&side.outputs, check_flat_copy(select->outputs.at[i].expr, f));
    if (select->having)
        vec_push(&side.conditions, check_flat_copy(select->having, f));
    side.grouped |= is_counted(select);
    vec_push(level->out, side);
}

/* The range is known: its condition, then the next range. */
static void
add_next(const struct level *level, size_t i, const struct place_of *place,
         const struct flattening *f, struct flat_side *side)
{
    const struct range *range = level->select->from.at[i];
    struct flattening inside = *f;

    inside.places = place;
    if (range->on && (!is_outer(range) || level->inner))
        vec_push(&side->conditions, check_flat_copy(range->on, &inside));
    add_range(level, i + 1, &inside, side);
}

static void
add_table(const struct level *level, size_t i, const struct flattening *f,
          const struct flat_side *so_far)
{
    const struct range *range = level->select->from.at[i];
    struct range *fresh = arena_alloc(sizeof(*fresh));
    struct place_of *place = arena_alloc(sizeof(*place));
    struct flat_side side = copy_of(so_far);

    *fresh = *range;
    fresh->on = NULL;
    fresh->join = JOIN_NONE;
    fresh->past_policies = f->past;
    if (range->call)
        fresh->call = check_flat_copy(range->call, f);
    vec_push(&side.from, fresh);
    *place = (struct place_of){.outer = f->places, .range = range, .fresh = fresh};
    add_next(level, i, place, f, &side);
}

static void
add_derived(const struct level *level, size_t i, const struct select *select,
            const struct flattening *inside, const struct flattening *f,
            const struct flat_side *so_far)
{
    struct flat_sides sides = {0};

    check_flat_sides(select, inside, &sides);
    *f->cut |= sides.n > SIDES_MAX;
    for (size_t j = 0; j < sides.n && level->out->n <= SIDES_MAX; j++) {
        struct place_of *place = arena_alloc(sizeof(*place));
        struct flat_side side = copy_of(so_far);

        for (size_t k = 0; k < sides.at[j].from.n; k++)
            vec_push(&side.from, sides.at[j].from.at[k]);
        for (size_t k = 0; k < sides.at[j].conditions.n; k++)
            if (!is_outer(level->select->from.at[i]) || level->inner)
                vec_push(&side.conditions, sides.at[j].conditions.at[k]);
        side.grouped |= sides.at[j].grouped;
        *place = (struct place_of){
            .outer = f->places, .range = level->select->from.at[i], .values = &sides.at[j].outputs};
        add_next(level, i, place, f, &side);
    }
}

/* What a range is made of; NULL: it is a table. */
static const struct select *
select_of(const struct range *range, const struct flattening *f, struct flattening *inside)
{
    const struct with_item *with = range->with;

    *inside = *f;
    inside->depth++;
    if (!range->select && !with && !range->call && !range->table->query)
        return NULL;
    if (check_flat_stops(f) || (range->select && range->select->rows.n > ROWS_MAX))
        return NULL;
    if (range->select)
        return range->select;
    if (with && !with->is_followed)
        return with->select;
    if (with) /* in itself: each of its rows comes from one of its first */
        return with->select->left ? with->select->left : NULL;
    if (range->call)
        return check_flat_body(range->call, f, inside);
    inside->past = f->past || range->table->materialized;
    return range->table->query;
}

static void
add_range(const struct level *level, size_t i, const struct flattening *f,
          const struct flat_side *so_far)
{
    const struct range *range;
    struct flattening inside;
    const struct select *select;
    struct with_item *with;
    bool was_followed;

    if (i >= level->select->from.n) {
        add_side(level, f, so_far);
        return;
    }
    range = level->select->from.at[i];
    select = select_of(range, f, &inside);
    if (!select) {
        add_table(level, i, f, so_far);
        return;
    }
    with = (struct with_item *)range->with;
    was_followed = with && with->is_followed;
    if (with && with->recursive)
        with->is_followed = true;
    add_derived(level, i, select, &inside, f, so_far);
    if (with)
        with->is_followed = was_followed;
}

/* ---- the kinds ---- */

static void
add_values(const struct select *select, const struct flattening *f, struct flat_sides *out)
{
    for (size_t i = 0; i < select->rows.n && i <= SIDES_MAX; i++) {
        struct flat_side side = {0};

        for (size_t j = 0; j < select->rows.at[i].n; j++)
            vec_push(&side.outputs, check_flat_copy(select->rows.at[i].at[j], f));
        vec_push(out, side);
    }
}

/* Rows that both sides give. */
static struct flat_side
intersect(const struct flat_side *a, const struct flat_side *b)
{
    struct flat_side sum = copy_of(a);

    sum.outputs = a->outputs;
    sum.grouped |= b->grouped;
    for (size_t i = 0; i < b->from.n; i++)
        vec_push(&sum.from, b->from.at[i]);
    for (size_t i = 0; i < b->conditions.n; i++)
        vec_push(&sum.conditions, b->conditions.at[i]);
    for (size_t i = 0; i < a->outputs.n && i < b->outputs.n; i++) {
        struct expr *same = check_new_expr(EXPR_OP, a->outputs.at[i]->span);

        same->name = "=";
        same->type = (struct type){.kind = TYPE_BOOL};
        same->flat = same;
        vec_push(&same->args, a->outputs.at[i]);
        vec_push(&same->args, b->outputs.at[i]);
        vec_push(&sum.conditions, same);
    }
    return sum;
}

static void
add_intersection(const struct select *select, const struct flattening *f, struct flat_sides *out)
{
    struct flat_sides left = {0}, right = {0};

    check_flat_sides(select->left, f, &left);
    check_flat_sides(select->right, f, &right);
    for (size_t i = 0; i < left.n; i++)
        for (size_t j = 0; j < right.n && out->n <= SIDES_MAX; j++)
            vec_push(out, intersect(&left.at[i], &right.at[j]));
}

void
check_flat_sides(const struct select *select, const struct flattening *f, struct flat_sides *out)
{
    struct flat_side nothing = {0};
    struct level level = {.select = select, .out = out};

    switch (select->kind) {
    case SELECT_PLAIN:
        level.inner = is_as_if_inner(select);
        add_range(&level, 0, f, &nothing);
        break;
    case SELECT_VALUES:
        add_values(select, f, out);
        break;
    case SELECT_UNION:
        check_flat_sides(select->left, f, out);
        check_flat_sides(select->right, f, out);
        break;
    case SELECT_INTERSECT:
        add_intersection(select, f, out);
        break;
    case SELECT_EXCEPT:
        check_flat_sides(select->left, f, out);
        break;
    }
    *f->cut |= out->n > SIDES_MAX;
}

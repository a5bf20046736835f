/* SPDX-License-Identifier: MIT */
/* Live queries: what is sent, how its rows are told apart, and which tables change it. */
#include "model/walk.h"
#include "plan/names.h"
#include "plan/plan.h"
#include "plan/published.h"
#include "plan/watched.h"

static const struct column *
output_column(const struct output *output, size_t number)
{
    struct column *column = arena_alloc(sizeof(*column));

    *column = (struct column){.span = output->span,
                              .name = output->name,
                              .number = (int)number,
                              .type = output->expr->type,
                              .not_null = !output->expr->nullable};
    return column;
}

/* The place of an output that is this column; false: it is not sent. */
static bool
find_output(const struct select *select, const struct range *range, const struct column *column,
            size_t *place)
{
    for (*place = 0; *place < select->outputs.n; (*place)++) {
        const struct expr *expr = select->outputs.at[*place].expr;

        if (expr->kind == EXPR_COLUMN && expr->range == range && expr->column == column)
            return true;
    }
    return false;
}

static bool
add_primary_key(struct plan_live *plan, const struct select *select, const struct range *range)
{
    const struct constraint *key = range->table->primary_key;
    size_t place;

    if (range->table->derived || !key)
        return false;
    for (size_t i = 0; i < key->columns.n; i++) {
        if (!find_output(select, range, key->columns.at[i], &place))
            return false;
        vec_push(&plan->key, place);
    }
    return true;
}

/* Of the table whose rows the others are joined to, or of all that is read; false: not all of them
 * are sent. */
static bool
add_primary_keys(struct plan_live *plan, const struct model *model, const struct select *select)
{
    const struct range *row = match_joined_row(model, select);

    if (row && add_primary_key(plan, select, row))
        return true;
    plan->key.n = 0;
    for (size_t i = 0; i < select->from.n; i++)
        if (!add_primary_key(plan, select, select->from.at[i]))
            return false;
    return select->from.n > 0;
}

static bool
add_groups(struct plan_live *plan, const struct select *select)
{
    for (size_t i = 0; i < select->group_by.n; i++) {
        const struct expr *group = select->group_by.at[i];
        size_t place;

        if (group->kind != EXPR_COLUMN || !find_output(select, group->range, group->column, &place))
            return false;
        vec_push(&plan->key, place);
    }
    return true;
}

/* Where nothing tells rows apart but all that they hold, the whole row does. */
static void
plan_key(struct plan_live *plan, const struct model *model, const struct select *select)
{
    bool grouped = match_is_grouped(select);
    bool plain = select->kind == SELECT_PLAIN && !select->distinct && select->distinct_on.n == 0 &&
                 !select_gives_rows(select);

    if (plain && (grouped ? add_groups(plan, select) : add_primary_keys(plan, model, select)))
        return;
    plan->key.n = 0;
    for (size_t i = 0; i < plan->columns.n; i++)
        vec_push(&plan->key, i);
}

static void
plan_tables(const struct plan *plan, struct plan_live *live)
{
    struct watched watched = plan_watched(plan->model, live->live);

    for (size_t i = 0; i < plan->watched.n; i++)
        for (size_t j = 0; j < watched.tables.n; j++)
            if (watched.tables.at[j] == plan->watched.at[i].table)
                vec_push(&live->tables, i);
}

static void
plan_matching(const struct plan *plan, struct plan_live *live)
{
    struct plan_matchers matchers = plan_matchers(plan->model, live->live);

    live->asked = live->live->body;
    for (size_t i = 0; i < matchers.n; i++) {
        vec_push(&live->matchers, matchers.at[i]);
        if (matchers.at[i].match->asked)
            live->asked = matchers.at[i].match->asked;
    }
}

/* The first one has the live query's name, further ones a number behind it. */
static void
name_matchers(struct plan_live *live, struct words *taken)
{
    for (size_t i = 0; i < live->matchers.n; i++)
        live->matchers.at[i].c_name =
            i == 0 ? live->c_name
                   : plan_object_name(arena_printf("%s_%zu", live->c_name, i + 1), taken);
}

static struct plan_live *
plan_one(const struct plan *plan, const struct live *live, struct words *taken)
{
    struct plan_live *one = arena_alloc(sizeof(*one));
    struct words members = {0};

    one->live = live;
    one->c_name = plan_object_name(live->name, taken);
    one->roles = plan_roles(plan->model, live->roles.at, live->roles.n);
    for (size_t i = 0; i < live->params.n; i++)
        vec_push(&one->members, plan_member_name(live->params.at[i]->name, &members));
    for (size_t i = 0; i < live->body->outputs.n; i++)
        vec_push(&one->columns, output_column(&live->body->outputs.at[i], i));
    plan_key(one, plan->model, live->body);
    plan_tables(plan, one);
    plan_matching(plan, one);
    return one;
}

void
plan_lives(struct plan *plan)
{
    struct published_tables watched = plan_published(plan->model);
    struct words taken = {0};

    for (size_t i = 0; i < watched.n; i++)
        vec_push(&plan->watched, watched.at[i]);
    for (size_t i = 0; i < plan->model->lives.n; i++)
        vec_push(&plan->lives, plan_one(plan, plan->model->lives.at[i], &taken));
    for (size_t i = 0; i < plan->lives.n; i++)
        name_matchers(plan->lives.at[i], &taken);
}

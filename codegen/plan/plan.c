/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <string.h>

#include "model/access.h"
#include "model/names.h"
#include "plan/names.h"

#define ENUMERATOR_ROOM 77 /* of twice the table's name and the column's: see emit_table.c */
#define MAX_ACCESS_NAME 50

static role_set
role_bit(const struct role *role)
{
    return (role_set)1 << role->number;
}

static const struct role *
service_role(const struct model *model)
{
    for (size_t i = 0; i < model->roles.n; i++)
        if (model->roles.at[i]->builtin && strcmp(model->roles.at[i]->name, "service_role") == 0)
            return model->roles.at[i];
    return NULL;
}

role_set
plan_roles(const struct model *model, const struct role *const *roles, size_t n)
{
    role_set set = role_bit(service_role(model));

    for (size_t i = 0; i < model->roles.n; i++)
        for (size_t j = 0; j < n; j++)
            if (role_is(model->roles.at[i], roles[j]))
                set |= role_bit(model->roles.at[i]);
    return set;
}

static bool
grant_names(const struct grant *grant, const struct column *column)
{
    for (size_t i = 0; i < grant->columns.n; i++)
        if (grant->columns.at[i] == column)
            return true;
    return false;
}

static bool
is_grant_of(const struct grant *grant, const struct role *role, enum command command)
{
    return grant->role == role && grant->command == command;
}

struct plan_grant
plan_grant_of(const struct table *table, const struct role *role, enum command command)
{
    struct plan_grant sum = {0};

    for (size_t i = 0; i < table->grants.n; i++) {
        const struct grant *grant = table->grants.at[i];

        if (!is_grant_of(grant, role, command))
            continue;
        if (!sum.any)
            sum.span = grant->span;
        sum.any = true;
        sum.all = sum.all || grant->columns.n == 0;
    }
    for (size_t c = 0; c < table->columns.n && sum.any && !sum.all; c++)
        for (size_t i = 0; i < table->grants.n; i++) {
            const struct grant *grant = table->grants.at[i];

            if (is_grant_of(grant, role, command) && grant_names(grant, table->columns.at[c])) {
                vec_push(&sum.columns, table->columns.at[c]);
                break;
            }
        }
    return sum;
}

static void
plan_columns(struct plan_table *plan)
{
    struct words members = {0}, constants = {0};
    size_t room = ENUMERATOR_ROOM - 2 * strlen(plan->c_name);

    for (size_t i = 0; i < plan->table->columns.n; i++) {
        const struct column *column = plan->table->columns.at[i];
        struct plan_column served = {.column = column};

        if (column->is_private)
            continue;
        served.member = plan_member_name(column->name, &members);
        served.constant = plan_constant_name(plan->c_name, column->name, room, &constants);
        vec_push(&plan->columns, served);
    }
}

/* The number of a served column; false: it is private. */
static bool
find_number(const struct plan_table *plan, const struct column *column, size_t *number)
{
    for (size_t i = 0; i < plan->columns.n; i++)
        if (plan->columns.at[i].column == column) {
            *number = i;
            return true;
        }
    return false;
}

static void
plan_lists(struct plan_table *plan)
{
    const struct endpoint *endpoint = plan->endpoint;
    const struct constraint *key = plan->table->primary_key;
    size_t number;

    for (size_t i = 0; key != NULL && i < key->columns.n; i++)
        if (find_number(plan, key->columns.at[i], &number))
            vec_push(&plan->key, number);
    for (size_t i = 0; i < endpoint->filters.n; i++)
        if (find_number(plan, endpoint->filters.at[i], &number))
            vec_push(&plan->filters, number);
    for (size_t i = 0; i < endpoint->orders.n; i++)
        if (find_number(plan, endpoint->orders.at[i], &number))
            vec_push(&plan->orders, number);
    for (size_t i = 0; endpoint->open && i < plan->columns.n; i++) {
        vec_push(&plan->filters, i);
        vec_push(&plan->orders, i);
    }
}

static bool
same_columns(const struct plan_access *a, const struct plan_access *b)
{
    return a->columns.n == b->columns.n &&
           memcmp(a->columns.at, b->columns.at, a->columns.n * sizeof(*a->columns.at)) == 0;
}

/* ticket_read_by_support; by number where that would make a line too long. */
static const char *
access_name(const char *table, const struct role *role)
{
    struct words none = {0};
    const char *name = plan_member_name(role->name, &none);

    if (strlen(table) + strlen(name) > MAX_ACCESS_NAME)
        return arena_printf("%s_read_by_%d", table, role->number);
    return arena_printf("%s_read_by_%s", table, name);
}

/* Roles that see the same columns share an entry, named after the first. */
static void
add_access(struct plan_table *plan, const struct role *role, struct plan_access access)
{
    for (size_t i = 0; i < plan->access.n; i++)
        if (same_columns(&plan->access.at[i], &access)) {
            plan->access.at[i].roles |= role_bit(role);
            return;
        }
    access.roles = role_bit(role);
    access.all = access.columns.n == plan->columns.n;
    access.c_name = access_name(plan->c_name, role);
    vec_push(&plan->access, access);
}

static void
plan_access(const struct model *model, struct plan_table *plan)
{
    for (size_t i = 0; i < model->roles.n; i++) {
        struct plan_access access = {0};

        for (size_t c = 0; c < plan->columns.n; c++)
            if (access_column(model->roles.at[i], plan->columns.at[c].column, CMD_SELECT))
                vec_push(&access.columns, c);
        if (access.columns.n > 0)
            add_access(plan, model->roles.at[i], access);
    }
}

/* service_role may set them all; PostgreSQL holds each other role to its own columns. */
static void
plan_fields(struct plan_table *plan)
{
    for (size_t c = 0; c < plan->columns.n; c++) {
        const struct column *column = plan->columns.at[c].column;
        bool given = column_fills_itself(column);
        struct plan_field field = {.column = c, .required = column->not_null && !given};

        if (column->identity != IDENTITY_ALWAYS && column->generated == NULL)
            vec_push(&plan->fields, field);
    }
}

static bool
is_admitted(const struct endpoint *endpoint, enum command command)
{
    for (int verb = 0; verb < VERBS; verb++)
        if (verb_command((enum verb)verb) == command && (endpoint->open || endpoint->verbs[verb]))
            return true;
    return false;
}

/*
 * A view is written to only where a grant says so: service_role may, but most views would answer it
 * with an error.
 */
static role_set
roles_of(const struct model *model, const struct plan_table *plan, enum command command)
{
    role_set set = 0;

    for (size_t i = 0; i < model->roles.n; i++)
        if (access_table(model->roles.at[i], plan->table, command))
            set |= role_bit(model->roles.at[i]);
    if (plan->table->is_view && command != CMD_SELECT && set == role_bit(service_role(model)))
        return 0;
    return set;
}

static void
plan_commands(const struct model *model, struct plan_table *plan)
{
    for (int command = 0; command < COMMANDS; command++)
        if (is_admitted(plan->endpoint, (enum command)command))
            plan->roles[command] = roles_of(model, plan, (enum command)command);
    plan_fields(plan);
    if (plan->fields.n == 0)
        plan->roles[CMD_INSERT] = plan->roles[CMD_UPDATE] = 0;
    plan->key_only = !plan->endpoint->open && !plan->endpoint->verbs[VERB_LIST] &&
                     plan->endpoint->verbs[VERB_GET];
}

static struct plan_table *
plan_endpoint(const struct model *model, const struct endpoint *endpoint, struct words *taken)
{
    struct plan_table *plan = arena_alloc(sizeof(*plan));

    plan->table = endpoint->table;
    plan->endpoint = endpoint;
    plan->c_name = plan_object_name(endpoint->table->name, taken);
    plan_columns(plan);
    plan_lists(plan);
    plan_access(model, plan);
    plan_commands(model, plan);
    return plan;
}

static struct plan_query *
plan_call(const struct model *model, const struct query *query, struct words *taken)
{
    struct plan_query *plan = arena_alloc(sizeof(*plan));
    struct words members = {0};

    plan->query = query;
    plan->c_name = plan_object_name(query->name, taken);
    plan->roles = plan_roles(model, query->roles.at, query->roles.n);
    for (size_t i = 0; i < query->params.n; i++)
        vec_push(&plan->members, plan_member_name(query->params.at[i]->name, &members));
    for (size_t i = 0; i < query->returns_columns.n; i++)
        vec_push(&plan->columns, query->returns_columns.at[i]);
    for (size_t i = 0; query->returns_table != NULL && i < query->returns_table->columns.n; i++)
        if (!query->returns_table->columns.at[i]->is_private)
            vec_push(&plan->columns, query->returns_table->columns.at[i]);
    return plan;
}

static void
plan_types(const struct model *model, struct plan *plan)
{
    struct words taken = {0};

    for (size_t i = 0; i < model->enumerations.n; i++) {
        const struct enumeration *type = model->enumerations.at[i];

        vec_push(&plan->types, ((struct plan_type){type, plan_object_name(type->name, &taken)}));
    }
    for (size_t i = 0; i < model->types.n; i++) {
        const struct composite *type = model->types.at[i].composite;

        if (type != NULL)
            vec_push(&plan->types,
                     ((struct plan_type){type, plan_object_name(type->name, &taken)}));
    }
}

const char *
plan_type_name(const struct plan *plan, const void *type)
{
    size_t i = 0;

    while (plan->types.at[i].type != type)
        i++;
    return plan->types.at[i].c_name;
}

const struct plan *
plan_make(const struct model *model)
{
    struct plan *plan = arena_alloc(sizeof(*plan));
    struct words tables = {0}, queries = {0}, roles = {0}, cors = {0};

    plan->model = model;
    plan_types(model, plan);
    for (size_t i = 0; i < model->endpoints.n; i++)
        vec_push(&plan->tables, plan_endpoint(model, model->endpoints.at[i], &tables));
    for (size_t i = 0; i < model->queries.n; i++)
        vec_push(&plan->queries, plan_call(model, model->queries.at[i], &queries));
    plan_lives(plan);
    for (size_t i = 0; i < model->roles.n; i++)
        vec_push(&plan->role_names,
                 plan_constant_name("role", model->roles.at[i]->name, NAME_MAX_BYTES, &roles));
    for (size_t i = 0; i < model->cors.n; i++)
        vec_push(&plan->cors_names,
                 arena_printf("cors_%s", plan_member_name(model->cors.at[i]->name, &cors)));
    return plan;
}

bool
plan_has_rates(const struct endpoint *endpoint, enum command command)
{
    bool some = endpoint->rates.n > 0;

    for (int verb = 0; verb < VERBS; verb++)
        some |= verb_command((enum verb)verb) == command && endpoint->verb_rates[verb].n > 0;
    return some;
}

struct cost
plan_cost(const struct endpoint *endpoint, enum command command)
{
    struct cost cost = endpoint->cost;

    if (command != CMD_INSERT && command != CMD_UPDATE)
        cost.body_bytes = 0;
    for (int verb = 0; verb < VERBS; verb++) {
        const struct cost *own = &endpoint->verb_costs[verb];

        if (verb_command((enum verb)verb) != command)
            continue;
        if (own->body_bytes > 0)
            cost.body_bytes = own->body_bytes;
        if (own->within_ms > 0)
            cost.within_ms = own->within_ms;
        cost.slow |= own->slow;
    }
    return cost;
}

const char *
plan_cors_name(const struct plan *plan, const struct cors *cors)
{
    for (size_t i = 0; i < plan->model->cors.n; i++)
        if (cors != NULL ? plan->model->cors.at[i] == cors
                         : strcmp(plan->model->cors.at[i]->name, "app") == 0)
            return plan->cors_names.at[i];
    return NULL;
}

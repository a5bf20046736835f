/* SPDX-License-Identifier: MIT */
#include "emit/access_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "emit/access_text.h"
#include "model/access.h"

static int
compare_roles(const void *a, const void *b)
{
    const struct role *left = *(const struct role *const *)a;
    const struct role *right = *(const struct role *const *)b;

    if (left->builtin || right->builtin)
        return left->number - right->number;
    return strcmp(left->name, right->name);
}

struct access_roles
access_roles(const struct model *model)
{
    struct access_roles roles = {0};

    for (size_t i = 0; i < model->roles.n; i++)
        vec_push(&roles, model->roles.at[i]);
    if (roles.n > 0)
        qsort(roles.at, roles.n, sizeof(roles.at[0]), compare_roles);
    return roles;
}

bool
access_is_service(const struct role *role)
{
    return role->builtin && strcmp(role->name, "service_role") == 0;
}

const char *
access_as_role(const struct role *role, const struct role *from)
{
    return role == from ? "" : arena_printf(" as %s", access_name(from->name));
}

const struct role *
access_nearest(const struct role *const *roles, size_t n, const struct role *role)
{
    for (; role != NULL; role = role->inherits)
        for (size_t i = 0; i < n; i++)
            if (roles[i] == role)
                return role;
    return NULL;
}

const char *
access_relation(const struct table *table)
{
    const char *name = access_name(table->name);

    return strcmp(table->schema, "public") == 0
               ? name
               : arena_printf("%s.%s", access_name(table->schema), name);
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
access_write_sorted(struct out *out, const char *indent, struct words *lines)
{
    if (lines->list.n > 0)
        qsort(lines->list.at, lines->list.n, sizeof(lines->list.at[0]), compare_lines);
    for (size_t i = 0; i < lines->list.n; i++)
        out_printf(out, "%s%s\n", indent, lines->list.at[i]);
}

struct access_unit {
    const char *name;
    long factor;
};

void
access_add_rates(struct words *list, const char *verb, const struct rates *rates)
{
    for (size_t i = 0; i < rates->n; i++) {
        const struct rate *rate = rates->at[i];

        words_add(list,
                  arena_printf("%s%s%ld per %s by %s%s", verb != NULL ? verb : "",
                               verb != NULL ? " " : "", rate->requests, rate->unit,
                               rate_by_name(rate->by), rate->or_address ? " or address" : ""));
    }
}

/* 65536 as "64 kB", 1000 as "1000 B" */
static const char *
in_units(long amount, const struct access_unit *unit)
{
    while (amount % unit->factor != 0)
        unit++;
    return arena_printf("%ld %s", amount / unit->factor, unit->name);
}

void
access_add_cost(struct words *list, const char *verb, const struct cost *cost)
{
    static const struct access_unit sizes[] = {
        {"GB", 1073741824}, {"MB", 1048576}, {"kB", 1024}, {"B", 1}};
    static const struct access_unit times[] = {{"min", 60000}, {"s", 1000}, {"ms", 1}};
    const char *whose = verb != NULL ? arena_printf("%s ", verb) : "";

    if (cost->body_bytes > 0)
        words_add(list, arena_printf("%sbody %s", whose, in_units(cost->body_bytes, sizes)));
    if (cost->within_ms > 0)
        words_add(list, arena_printf("%swithin %s", whose, in_units(cost->within_ms, times)));
}

void
access_write_limits(struct out *out, const char *head, const struct words *list)
{
    for (size_t i = 0; i < list->list.n; i++)
        out_printf(out, "%s%s", i == 0 ? head : ", ", list->list.at[i]);
    out_add(out, list->list.n > 0 ? "\n" : "");
}

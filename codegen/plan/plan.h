/* SPDX-License-Identifier: MIT */
/*
 * What is served: which columns and methods of which relations, to which roles, under which names
 * in C.  Everything that the emitters would have to decide is decided here.
 */
#ifndef PLAN_H
#define PLAN_H

#include "model/model.h"
#include "model/served.h"

/* A set of roles: bit i is the role with number i, as in pgs_roles. */
typedef uint64_t role_set;

/* A column of a served relation; its place in the list is its number in the generated code. */
struct plan_column {
    const struct column *column;
    const char *member;   /* of a struct */
    const char *constant; /* TICKET_ID */
};

/* Roles that may read the same columns. */
struct plan_access {
    const char *c_name; /* ticket_read_by_support */
    role_set roles;
    VEC(size_t) columns;
    bool all;
};

/* What a body may set. */
struct plan_field {
    size_t column;
    bool required; /* in a new row */
};

struct plan_table {
    const struct table *table;
    const struct endpoint *endpoint;
    const char *c_name;
    VEC(struct plan_column) columns;
    VEC(size_t) key;
    VEC(size_t) filters;
    VEC(size_t) orders;
    VEC(struct plan_access) access;
    VEC(struct plan_field) fields; /* of bodies; never empty when POST or PATCH is served */
    role_set roles[COMMANDS];      /* whom a grant lets through; 0: not served */
    bool key_only;                 /* `get` without `list` */
};

struct plan_query {
    const struct query *query;
    const char *c_name;
    role_set roles;
    VEC(const char *) members;          /* of the arguments, in order */
    VEC(const struct column *) columns; /* of the rows; none for a scalar */
};

/* An enumeration or a composite. */
struct plan_type {
    const void *type;
    const char *c_name;
};

/* A live query. */
struct plan_live {
    const struct live *live;
    const struct select *asked; /* its body, or that with totals beside */
    const char *c_name;
    role_set roles;
    VEC(const char *) members;          /* of the arguments, in order */
    VEC(const struct column *) columns; /* of the rows */
    VEC(size_t) key;                    /* columns that tell rows apart; none: there is one row */
    VEC(size_t) tables;                 /* that its rows depend on: places in plan.watched */
    VEC(struct plan_matcher) matchers;  /* published.h */
};

struct plan_matcher;
struct published;

struct plan {
    const struct model *model;
    VEC(struct plan_type) types;
    VEC(struct plan_table *) tables; /* in the order of the endpoints */
    VEC(struct plan_query *) queries;
    VEC(struct plan_live *) lives;
    VEC(struct published) watched; /* tables that some live query depends on: published.h */
    VEC(const char *) role_names;  /* ROLE_SUPPORT, by number */
    VEC(const char *) cors_names;  /* cors_app, as in model->cors */
};

/* plan_live.c: lives and watched */
void plan_lives(struct plan *plan);

const struct plan *plan_make(const struct model *model);

/* The C name of an enumeration or composite. */
const char *plan_type_name(const struct plan *plan, const void *type);

/* The cors of an endpoint, or the application's; its C name, or NULL when there is none. */
const char *plan_cors_name(const struct plan *plan, const struct cors *cors);

/* True if requests of the command are counted. */
bool plan_has_rates(const struct endpoint *endpoint, enum command command);

/* What one of them may cost: what its verb says, and else the endpoint. */
struct cost plan_cost(const struct endpoint *endpoint, enum command command);

/* The roles that the declaration names and those that inherit from them, and service_role. */
role_set plan_roles(const struct model *model, const struct role *const *roles, size_t n);

/* What grants give to a role itself, without what it inherits; any false: nothing. */
struct plan_grant {
    bool any;
    bool all;                           /* every column, as no grant names some */
    VEC(const struct column *) columns; /* in order of the table, when not all */
    struct span span;                   /* of the first */
};

struct plan_grant plan_grant_of(const struct table *table, const struct role *role,
                                enum command command);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The part of the model that is served: endpoints, queries, and what is told without being asked.
 * model.h includes it at its end.
 */
#ifndef SERVED_H
#define SERVED_H

#include "model/model.h"

/* ---- where it is served ---- */

struct cors {
    struct span span;
    const char *name;
    VEC(const char *) origins;
    int max_age_s;
    bool credentials;
};

enum verb {
    VERB_LIST,
    VERB_GET,
    VERB_CREATE,
    VERB_UPDATE,
    VERB_DELETE,
    VERBS,
};

enum rate_by {
    RATE_BY_ADDRESS,
    RATE_BY_USER,
    RATE_BY_KEY,
    RATE_BYS,
};

/* How often a caller may ask. */
struct rate {
    struct span span;
    long requests;
    const char *unit; /* "minute" */
    int seconds;
    enum rate_by by;
    bool or_address; /* who has no user is counted by address */
};

VEC_STRUCT(rates, const struct rate *);

/* What one request may cost; 0 and false: not said. */
struct cost {
    long body_bytes;
    long within_ms; /* of a statement */
    bool slow;      /* kept apart from those that are quick */
};

struct endpoint {
    struct span span;
    const struct table *table;
    bool verbs[VERBS];
    struct span verb_spans[VERBS];
    bool open; /* `endpoint t;`: all that grants allow */
    VEC(const struct column *) filters;
    VEC(const struct column *) orders;
    VEC(struct span) filter_spans, order_spans; /* beside them */
    int limit;                                  /* 0: none */
    int max;
    struct span inline_span; /* of `inline policies`; `file` NULL: not said */
    const struct cors *cors; /* NULL: the application's */
    struct rates rates;      /* of all verbs together */
    struct rates verb_rates[VERBS];
    struct cost cost; /* of the verbs that say nothing of their own */
    struct cost verb_costs[VERBS];
};

/* A declared query, a function in PostgreSQL, served under /rest/v1/rpc/. */
struct query {
    struct span span;
    const char *name;
    struct params params;
    struct roles roles;
    struct rates rates;
    struct cost cost;
    bool returns_set;
    const struct table *returns_table;     /* setof ticket */
    struct type returns_type;              /* scalar, when returns_table is NULL and no outputs */
    struct result_columns returns_columns; /* returns table (a int, b text) */
    struct select *body;
    const char *raw;                          /* $$ ... $$ */
    const struct declared_function *function; /* that an endpoint serves; NULL: none */
};

/* ---- what is told without being asked ---- */

/* A query whose result its subscribers keep up with. */
struct live {
    struct span span;
    const char *name;
    struct params params;
    struct roles roles;
    const struct table *table; /* `live n on t`; else NULL: the select was written */
    struct select *body;       /* NULL after an error */
};

/* Tells an address outside about changes of a table. */
struct webhook {
    struct span span;
    const char *name;
    const struct table *table; /* NULL after an error */
    bool events[COMMANDS];     /* insert, update, delete */
    const struct range *new_row, *old_row;
    struct expr *when; /* NULL: none */
    VEC(const struct column *) columns;
    VEC(struct span) column_spans; /* beside them */
    const char *url_env;           /* variables of the environment; NULL after an error */
    const char *key_env;
    int retry;
    int within_s;
};

struct auth {
    struct span span;
    const char *site; /* NULL: not said */
    VEC(const char *) redirects;
    bool anonymous_sign_in;
    struct span anonymous_span;
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The part of the model that is told without being asked: live queries, webhooks; and `auth { }`.
 */
#ifndef SERVED_H
#define SERVED_H

#include "model/model.h"

/* A query whose result its subscribers keep up with. */
struct live {
    struct span span;
    const char *name;
    struct params params;
    VEC(const struct role *) roles;
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

/* SPDX-License-Identifier: MIT */
/* What of the tables that live queries depend on goes to the server, and by what old rows are
 * known. */
#ifndef PUBLISHED_H
#define PUBLISHED_H

#include "plan/match.h"

VEC_STRUCT(columns, const struct column *);

/* A matcher, and the roles that share it. */
struct plan_matcher {
    role_set roles;
    const struct match *match;
    const char *c_name; /* plan_lives() gives it */
};

VEC_STRUCT(plan_matchers, struct plan_matcher);

/* For the roles that may subscribe; those for whom it would be of no use are left out. */
struct plan_matchers plan_matchers(const struct model *model, const struct live *live);

enum replica_kind {
    REPLICA_KEY,   /* the primary key, as PostgreSQL does by itself */
    REPLICA_INDEX, /* a unique index over `identity` */
    REPLICA_FULL,  /* the whole old row */
};

struct published {
    const struct table *table;
    struct columns matched;  /* that matchers look at, in the table's order */
    struct columns identity; /* of old rows: the key, and what matchers find subscribers by */
    enum replica_kind kind;
    const char *index; /* what that index is called */
};

VEC_STRUCT(published_tables, struct published);

/* The column goes into the log. */
bool published_has(const struct published *published, const struct column *column);

/* In the order of plan_all_watched(): what plan->watched is made of. */
struct published_tables plan_published(const struct model *model);

/* NULL: no live query depends on it. */
const struct published *published_find(const struct plan *plan, const struct table *table);

VEC_STRUCT(match_functions, struct match_set);

/* The functions that sets past policies are read by, each once. */
struct match_functions plan_match_functions(const struct plan *plan);

#endif

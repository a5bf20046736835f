/* SPDX-License-Identifier: MIT */
/*
 * The tables that an application consists of.  The compiler writes them as const data; the runtime
 * reads them.  `generated/app.c` defines the one `const struct pgs_app pgs_app`.
 *
 * All SQL text in here is constant and quoted by the compiler.  The runtime joins such fragments
 * and puts user bytes in parameters only.
 */
#ifndef PGS_APP_H
#define PGS_APP_H

#include "pgs/match.h"
#include "pgs/types.h"

struct pgs_request; /* rest/request.h; generated code only passes it on */

enum pgs_method {
    PGS_GET, /* HEAD too */
    PGS_POST,
    PGS_PATCH,
    PGS_DELETE,
    PGS_METHODS,
};

/* What decides the role of a request. */
struct pgs_role {
    const char *name; /* of the PostgreSQL role, unquoted: it is passed as a value */
    /*
     * A user token takes the first role whose claim holds `value`; NULL: no token leads here by
     * a rule of its own ("anon" and "service_role" are reached by key, "authenticated" by the
     * token's `role` claim).
     */
    const char *claim_path; /* dotted: "app_metadata.plan"; NULL where there is no rule */
    const char *claim_value;
};

/* A claim that policies read; it becomes a setting of the transaction. */
struct pgs_claim {
    const char *path;    /* dotted, into the token's payload */
    const char *setting; /* "pgstack.claim_plan" */
    struct pgs_type type;
};

/* What one role may do with a relation, as granted; PostgreSQL enforces it as well. */
struct pgs_access {
    pgs_roles roles;
    const uint16_t *select; /* column numbers that `*` stands for */
    size_t n_select;
};

/* A view of a relation that holds its row policies, for the roles that list it through one. */
struct pgs_inlined {
    pgs_roles roles;
    const char *sql; /* "pgstack"."r1_ticket" */
};

/* A table or view as it is served. */
struct pgs_relation {
    const char *name; /* in the URL */
    const char *sql;  /* "public"."ticket" */
    const struct pgs_column *columns;
    size_t n_columns;
    const uint16_t *key; /* primary key columns; none for a view */
    size_t n_key;
    const struct pgs_access *access;
    size_t n_access;
    const struct pgs_inlined *inlined; /* none: lists read the relation itself */
    size_t n_inlined;

    /* What the endpoint admits. */
    const uint16_t *filters; /* columns a filter may name; key columns are always admitted */
    size_t n_filters;
    const uint16_t *orders;
    size_t n_orders;
    bool followed;  /* a live query's result depends on it */
    bool key_only;  /* `get` without `list`: every key column needs an eq filter */
    uint32_t limit; /* rows without `limit`; 0: no default */
    uint32_t max;   /* rows at most; 0: pgs_app.max_rows */
};

/* A declared query, served at /rest/v1/rpc/NAME. */
struct pgs_call {
    const char *name;
    const char *sql; /* "public"."search_tickets"; arguments follow as "q" => $1::text */
    const struct pgs_shape *arguments;
    const struct pgs_column *columns; /* of a row; one unnamed column for a scalar */
    size_t n_columns;
    bool returns_set;
    bool scalar;      /* the answer is a bare value (or an array of them, when returns_set) */
    bool is_volatile; /* may do more than read: never called a second time, and cleaned up after */
};

/* A table that results of live queries depend on, as PostgreSQL names it in the changes. */
struct pgs_watched {
    const char *schema; /* NULL ends the list */
    const char *table;
    const char *const *columns; /* whose values matchers look at, NULL-terminated; NULL: none */
};

/* Of a live query's result, and of what it is matched with; a statement asks for one more at most.
 */
#define PGS_LIVE_MAX_ROWS 10000

#define PGS_GENERATED_FOR_LIVE_ROWS(n)                                                             \
    _Static_assert((n) == PGS_LIVE_MAX_ROWS,                                                       \
                   "generated for another runtime: run `pgstack generate`")

/* A query whose subscribers are told each change of its result. */
struct pgs_live {
    const char *name;
    const char *sql; /* the arguments are $1::type and so on */
    pgs_roles roles;
    const struct pgs_shape *arguments;
    const struct pgs_column *columns;
    size_t n_columns;
    const uint16_t *key; /* columns that tell rows apart; none: there is one row */
    size_t n_key;
    bool ordered;            /* the order of its rows means something */
    const uint16_t *watched; /* places in pgs_app.watched */
    size_t n_watched;
    /* A role without a matcher is asked for again after every change of what is watched. */
    const struct pgs_matcher *matchers;
    size_t n_matchers;
};

/* Which pages of other sites may use the API from a browser. */
struct pgs_cors {
    const char *const *origins; /* exact, "https://desk.example.com"; NULL-terminated */
    uint32_t max_age_s;
    bool credentials;
};

/* Whose requests are counted together. */
enum pgs_rate_by {
    PGS_BY_ADDRESS, /* of the client; of IPv6 its /64 */
    PGS_BY_USER,    /* of the token; who has none is counted by address */
    PGS_BY_KEY,     /* the anon key, or the key that signed the token */
};

/* How often a caller may ask. */
struct pgs_rate {
    const char *name; /* in RateLimit-Policy: letters, digits, '-', '_' */
    uint32_t requests;
    uint32_t seconds;
    enum pgs_rate_by by;
};

typedef void pgs_handler(struct pgs_request *rq);

struct pgs_route {
    enum pgs_method method;
    const char *path; /* "/rest/v1/ticket"; NULL ends a table */
    pgs_roles roles;  /* that some grant lets through */
    pgs_handler *handle;
    const struct pgs_cors *cors;         /* NULL: no other origin */
    const struct pgs_rate *const *rates; /* NULL-terminated; NULL: none */
    const char *schema;                  /* NULL: public */
    uint32_t max_body;                   /* bytes; 0: as for all */
    uint32_t within_ms;                  /* for a statement; 0: as for all */
    bool slow;                           /* kept apart from the quick ones */
};

#define PGS_ROUTES_END                                                                             \
    {                                                                                              \
        .path = NULL                                                                               \
    }

struct pgs_app {
    const char *name;
    const char *version;          /* of the compiler that wrote it */
    const char *fingerprint;      /* of the model, hex; the database holds the same when migrated */
    const struct pgs_role *roles; /* [0] anon, [1] authenticated, [2] service_role, then declared */
    size_t n_roles;
    const struct pgs_claim *claims;
    size_t n_claims;
    /*
     * Starts each transaction: role, user id, then request.jwt.claims if `reads_jwt`, then one
     * setting a claim.  `select set_config('role', $1, true), set_config('pgstack.uid', $2, true)`
     * and so on; all parameters are text.
     */
    const char *session_sql;
    bool reads_jwt;
    const struct pgs_route *const *routes;       /* tables, NULL-terminated */
    const struct pgs_relation *const *relations; /* NULL-terminated, for --dump-sql and /ready */
    const struct pgs_call *const *calls;         /* NULL-terminated */
    const struct pgs_live *const *lives;         /* NULL-terminated; NULL: none */
    const struct pgs_watched *watched;
    bool has_outbox;                     /* triggers can tell changes, where the log cannot */
    bool writes_leave_traces;            /* they may run what the compiler could not read */
    const struct pgs_cors *cors;         /* of paths that no endpoint names; or NULL */
    const struct pgs_rate *const *rates; /* of all requests together; NULL-terminated; NULL: none */
    uint32_t max_rows;                   /* of one answer */
};

extern const struct pgs_app pgs_app;

#endif

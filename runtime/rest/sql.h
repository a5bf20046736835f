/* SPDX-License-Identifier: MIT */
/*
 * Builds one SQL statement from constant fragments, and its parameters from the client's bytes.
 *
 * What is added as text is always a constant: of the generated tables or of this source.  Every
 * byte of a client becomes a parameter.  --dump-sql and the promise of a closed set of statements
 * rest on that.
 */
#ifndef PGS_REST_SQL_H
#define PGS_REST_SQL_H

#include "base/buf.h"
#include "codec/json_read.h"
#include "codec/query_string.h"
#include "pgs/types.h"

struct pgs_request;

struct pgs_sql {
    struct pgs_buf text;
    struct pgs_text *params; /* at NULL: SQL null */
    size_t n_params;
    size_t room; /* private */
    struct pgs_memory memory;
};

void pgs__sql_init(struct pgs_sql *sql, struct pgs_memory memory);
void pgs__sql_clear(struct pgs_sql *sql);

/* Adds a constant fragment. */
void pgs__sql_add(struct pgs_sql *sql, const char *fragment);

/* Adds `$n::cast` and the value; at NULL: null. */
void pgs__sql_param(struct pgs_sql *sql, struct pgs_text value, const char *cast);
void pgs__sql_param_int(struct pgs_sql *sql, int64_t value, const char *cast);

/*
 * The columns that a request may speak of, and how: a relation's under its endpoint, or the result
 * of a call.
 */
struct pgs_source {
    const char *name; /* for messages */
    const struct pgs_column *columns;
    size_t n_columns;
    const struct pgs_relation *relation; /* NULL: a call; all columns may be used */
    const uint16_t *visible;             /* what `*` stands for; NULL: all */
    size_t n_visible;
};

/* Adds the columns of `select=` and sets the request's outputs; false: answered. */
bool pgs__sql_select(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* Adds ` where ...`, or nothing; false: answered. */
bool pgs__sql_where(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* Adds ` order by ...`, or nothing; false: answered. */
bool pgs__sql_order(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source);

/* Adds ` limit $n offset $m` as far as rq->limit and rq->offset ask for them. */
void pgs__sql_page(struct pgs_request *rq, struct pgs_sql *sql);

/* PostgreSQL's array literal of `n` texts, `{"a","b"}`; a NULL `at` becomes NULL. */
struct pgs_text pgs__array_literal(struct pgs_memory memory, const struct pgs_text *items,
                                   size_t n);

/* A member of a generated struct as a parameter; at NULL when it is null or absent. */
struct pgs_text pgs__field_text(struct pgs_memory memory, const struct pgs_shape *shape,
                                size_t index, const void *row);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One SQL statement from constant fragments, and its parameters from the client's bytes.
 *
 * What is added as text is always a constant: of the generated tables or of this source.  Every
 * byte of a client becomes a parameter.  --dump-sql and the promise of a closed set of statements
 * rest on that.
 */
#ifndef PGS_REST_SQL_H
#define PGS_REST_SQL_H

#include "base/buf.h"
#include "codec/json_read.h"
#include "pgs/types.h"

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
static inline void
pgs__sql_add(struct pgs_sql *sql, const char *fragment)
{
    pgs_buf_add_str(&sql->text, fragment);
}

/* Adds a number of ours, such as the place of a column. */
void pgs__sql_add_int(struct pgs_sql *sql, int64_t number);

/* Adds `$n::cast` and the value, which must live as long as the statement; at NULL: null. */
void pgs__sql_param(struct pgs_sql *sql, struct pgs_text value, const char *cast);
void pgs__sql_param_int(struct pgs_sql *sql, int64_t value, const char *cast);

/* Adds a member of a generated struct as a parameter; null when it is null or absent. */
void pgs__sql_field(struct pgs_sql *sql, const struct pgs_shape *shape, size_t index,
                    const void *row);

#endif

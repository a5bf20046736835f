/* SPDX-License-Identifier: MIT */
/*
 * The statements that one connection has prepared, by role and text.  A plan depends on the role
 * (row security), so two roles never share one: PostgreSQL would plan anew at each change.
 */
#ifndef PGS_DB_STATEMENT_H
#define PGS_DB_STATEMENT_H

#include <h2o.h>

#include "pgs/types.h"

struct pgs__statement {
    char name[24];         /* read-only: on the server */
    struct pgs_text error; /* why it could not be prepared, as PostgreSQL sent it, a copy; `at`
                              NULL: it could, or is not known yet */

    /* private */
    int refs;
    bool is_cached;
    uint64_t hash;
    size_t role_len;
    size_t sql_len;
    struct pgs__statement *next; /* in its bucket */
    h2o_linklist_t lru;
    char key[]; /* role, then text, NUL-terminated */
};

#define PGS__STATEMENT_BUCKETS 512 /* a power of two */

struct pgs__statements {
    struct pgs__statement *buckets[PGS__STATEMENT_BUCKETS];
    h2o_linklist_t lru; /* least recently used first */
    int n;
    uint64_t next_number;
};

void pgs__statements_init(struct pgs__statements *statements);

/* Forgets all of them; those still referred to live on. */
void pgs__statements_clear(struct pgs__statements *statements);

/* NULL: not prepared.  What is found becomes the most recently used. */
struct pgs__statement *pgs__statement_find(struct pgs__statements *statements, struct pgs_text role,
                                           struct pgs_text sql);

/* Adds one under a new name; NULL: no memory. */
struct pgs__statement *pgs__statement_add(struct pgs__statements *statements, struct pgs_text role,
                                          struct pgs_text sql);

/* The least recently used; NULL: none. */
struct pgs__statement *pgs__statement_oldest(struct pgs__statements *statements);

/* It is no longer found.  Freed once nothing refers to it. */
void pgs__statement_forget(struct pgs__statements *statements, struct pgs__statement *statement);

struct pgs_text pgs__statement_sql(const struct pgs__statement *statement);

/* Keeps a copy of the error, where there is memory. */
void pgs__statement_fail(struct pgs__statement *statement, struct pgs_text error);

struct pgs__statement *pgs__statement_ref(struct pgs__statement *statement);
void pgs__statement_unref(struct pgs__statement *statement);

#endif

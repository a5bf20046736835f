/* SPDX-License-Identifier: MIT */
/*
 * What one committed transaction did to watched tables.  The feed's thread makes it;
 * from then on it is const, shared between threads and freed with its last reference.
 */
#ifndef PGS_DB_CHANGES_H
#define PGS_DB_CHANGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/pgoutput.h"
#include "pgs/app.h"

/* A value that the log does not tell: out of line and unchanged, or of an old row and not part of
 * its table's replica identity.  Compare `at` with pgs_untold. */
extern const char pgs_untold[1];

enum pgs_change_kind {
    PGS_CHANGE_INSERT,
    PGS_CHANGE_UPDATE,
    PGS_CHANGE_DELETE,
    PGS_CHANGE_UNREAD, /* any number of rows, or all of them: it is not told which */
};

/* Rows have a value for each of pgs_watched.columns; at NULL: null. */
struct pgs_change {
    const struct pgs_change *next;
    enum pgs_change_kind kind;
    uint16_t watched;              /* place in pgs_app.watched */
    const struct pgs_text *before; /* of an update or delete */
    const struct pgs_text *after;  /* of an insert or update */
};

struct pgs_changes {
    uint32_t xid;
    uint64_t lsn;                   /* behind the commit */
    const struct pgs_change *first; /* in the order of the transaction */
    size_t n_tables;                /* in `tables`, each once */
    const uint16_t *tables;
    size_t bytes; /* of memory */

    /* private */
    atomic_uint references;
    struct pgs__changes_chunk *chunks;
};

void pgs_changes_keep(struct pgs_changes *changes);
void pgs_changes_release(struct pgs_changes *changes);

/* A table as one connection's stream names it. */
struct pgs_changes_relation {
    uint32_t oid;
    int watched;      /* -1: none */
    bool is_readable; /* every column of pgs_watched.columns is there */
    bool is_full;
    uint16_t n_columns; /* of the stream's rows */
    uint16_t n_places;  /* of pgs_watched.columns */
    int16_t *places;    /* for each column of the stream, its place; -1: nobody looks at it */
    bool *is_key;       /* for each place */
};

/* Reads a relation message.  False: out of memory. */
bool pgs_changes_relation_read(struct pgs_changes_relation *relation,
                               const struct pgs_pgoutput *message,
                               const struct pgs_watched *watched)
    __attribute__((warn_unused_result));
void pgs_changes_relation_clear(struct pgs_changes_relation *relation);

/* Gathers a transaction. */
struct pgs_changes_maker {
    size_t n_watched;
    struct pgs_changes *changes; /* NULL: nothing yet */
    const struct pgs_change **end;
    size_t n;
    bool *is_touched, *is_unread; /* for each watched table */
    uint16_t *tables;
    size_t n_tables;
    bool is_cut; /* it is too large: rows are not told */
};

bool pgs_changes_maker_init(struct pgs_changes_maker *maker, size_t n_watched)
    __attribute__((warn_unused_result));
void pgs_changes_maker_clear(struct pgs_changes_maker *maker);

/* Forgets what was gathered. */
void pgs_changes_maker_reset(struct pgs_changes_maker *maker);

/* A change message; `wants_rows` false: only that there was one.  False: it makes no sense. */
bool pgs_changes_add(struct pgs_changes_maker *maker, const struct pgs_changes_relation *relation,
                     const struct pgs_pgoutput *message, bool wants_rows)
    __attribute__((warn_unused_result));

/* A row that came (`before` NULL), changed or went (`after` NULL): `n` values, one for each of
 * pgs_watched.columns, which are copied. */
void pgs_changes_add_row(struct pgs_changes_maker *maker, int watched,
                         const struct pgs_text *before, const struct pgs_text *after, size_t n);

/* All rows of a table may have changed. */
void pgs_changes_add_unread(struct pgs_changes_maker *maker, int watched);

/* One reference to what was gathered, or NULL where that is nothing. */
struct pgs_changes *pgs_changes_finish(struct pgs_changes_maker *maker, uint32_t xid, uint64_t lsn);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Messages of logical replication as the plugin pgoutput writes them, protocol version 1, values as
 * text (PostgreSQL's documentation, Logical Replication Message Formats).
 */
#ifndef PGS_CODEC_PGOUTPUT_H
#define PGS_CODEC_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pgs_pgoutput_kind {
    PGS_PGOUTPUT_BEGIN,    /* xid, lsn of the commit, committed_us */
    PGS_PGOUTPUT_COMMIT,   /* lsn: where the next transaction's changes may begin */
    PGS_PGOUTPUT_RELATION, /* relation, schema, table, is_full, columns */
    PGS_PGOUTPUT_CHANGE,   /* relation, before, after: a row came, changed or went */
    PGS_PGOUTPUT_TRUNCATE, /* relations, in pgs_pgoutput_relation */
    PGS_PGOUTPUT_OTHER,    /* types, origins, messages: nothing for us */
};

/* What is left of a message or of a part of it; `at` NULL: it was too short, or made no sense. */
struct pgs_pgoutput_part {
    const uint8_t *at;
    size_t left;
    uint32_t n; /* columns or values that follow */
};

struct pgs_pgoutput {
    enum pgs_pgoutput_kind kind;
    uint64_t lsn;
    uint32_t xid;
    int64_t committed_us; /* by PostgreSQL's clock, since 1970 */
    uint32_t relation;
    const char *schema; /* "" for pg_catalog; both end with a NUL, in the message */
    const char *table;
    bool is_full; /* the replica identity is the whole row */
    struct pgs_pgoutput_part columns;
    /* `n` 0: not there.  Before an update or delete; of an insert or update. */
    struct pgs_pgoutput_part before, after;
    bool is_update;
    bool before_is_key;       /* only columns of the replica identity are in `before` */
    const uint8_t *relations; /* of TRUNCATE: n of four bytes */
    uint32_t n_relations;
};

/* False: it is cut short, or of a kind that version 1 does not have. */
bool pgs_pgoutput_read(const uint8_t *message, size_t len, struct pgs_pgoutput *out)
    __attribute__((warn_unused_result));

/* One of the tables that a TRUNCATE empties. */
uint32_t pgs_pgoutput_relation(const struct pgs_pgoutput *truncate, uint32_t i);

struct pgs_pgoutput_column {
    bool is_key; /* of the replica identity */
    const char *name;
};

/* The next column of a relation.  False: there is none. */
bool pgs_pgoutput_column(struct pgs_pgoutput_part *columns, struct pgs_pgoutput_column *column);

struct pgs_pgoutput_value {
    enum {
        PGS_PGOUTPUT_TEXT,
        PGS_PGOUTPUT_NULL,
        PGS_PGOUTPUT_KEPT, /* stored out of line and not changed: it is not sent */
    } kind;
    const char *text;
    size_t len;
};

/* The next value of a row.  False: there is none. */
bool pgs_pgoutput_value(struct pgs_pgoutput_part *row, struct pgs_pgoutput_value *value);

#endif

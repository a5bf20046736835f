/* SPDX-License-Identifier: MIT */
/*
 * Messages of logical replication as the plugin pgoutput writes them, protocol version 1
 * (PostgreSQL's documentation, Logical Replication Message Formats).  What row was changed is not
 * looked at, only in which table.
 */
#ifndef PGS_CODEC_PGOUTPUT_H
#define PGS_CODEC_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pgs_pgoutput_kind {
    PGS_PGOUTPUT_BEGIN,    /* xid, lsn of the commit */
    PGS_PGOUTPUT_COMMIT,   /* lsn: where the next transaction's changes may begin */
    PGS_PGOUTPUT_RELATION, /* relation, schema, table */
    PGS_PGOUTPUT_CHANGE,   /* relation: a row came, changed or went */
    PGS_PGOUTPUT_TRUNCATE, /* relations, in pgs_pgoutput_relation */
    PGS_PGOUTPUT_OTHER,    /* types, origins, messages: nothing for us */
};

struct pgs_pgoutput {
    enum pgs_pgoutput_kind kind;
    uint64_t lsn;
    uint32_t xid;
    uint32_t relation;
    const char *schema; /* "" for pg_catalog; both end with a NUL, in the message */
    const char *table;
    const uint8_t *relations; /* of TRUNCATE: n of four bytes */
    uint32_t n_relations;
};

/* False: it is cut short, or of a kind that version 1 does not have. */
bool pgs_pgoutput_read(const uint8_t *message, size_t len, struct pgs_pgoutput *out)
    __attribute__((warn_unused_result));

/* One of the tables that a TRUNCATE empties. */
uint32_t pgs_pgoutput_relation(const struct pgs_pgoutput *truncate, uint32_t i);

#endif

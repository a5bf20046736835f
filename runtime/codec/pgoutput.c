/* SPDX-License-Identifier: MIT */
#include "codec/pgoutput.h"

#include <string.h>

/* What is left of a message; `at` NULL: it was too short. */
struct cursor {
    const uint8_t *at;
    size_t left;
};

static const uint8_t *
take(struct cursor *cursor, size_t n)
{
    const uint8_t *at = cursor->at;

    if (at == NULL || cursor->left < n) {
        cursor->at = NULL;
        return NULL;
    }
    cursor->at += n;
    cursor->left -= n;
    return at;
}

/* Big-endian, as everything on this wire; 0 where the message is too short. */
static uint64_t
take_int(struct cursor *cursor, size_t bytes)
{
    const uint8_t *at = take(cursor, bytes);
    uint64_t value = 0;

    for (size_t i = 0; at != NULL && i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static const char *
take_string(struct cursor *cursor)
{
    const uint8_t *end = cursor->at != NULL ? memchr(cursor->at, 0, cursor->left) : NULL;

    if (end == NULL) {
        cursor->at = NULL;
        return NULL;
    }
    return (const char *)take(cursor, (size_t)(end - cursor->at) + 1);
}

static void
read_begin(struct cursor *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_BEGIN;
    out->lsn = take_int(cursor, 8);
    (void)take(cursor, 8); /* when it was committed */
    out->xid = (uint32_t)take_int(cursor, 4);
}

static void
read_commit(struct cursor *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_COMMIT;
    (void)take(cursor, 1 + 8); /* flags; the commit record */
    out->lsn = take_int(cursor, 8);
    (void)take(cursor, 8);
}

static void
read_relation(struct cursor *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_RELATION;
    out->relation = (uint32_t)take_int(cursor, 4);
    out->schema = take_string(cursor);
    out->table = take_string(cursor);
}

static void
read_change(struct cursor *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_CHANGE;
    out->relation = (uint32_t)take_int(cursor, 4);
}

static void
read_truncate(struct cursor *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_TRUNCATE;
    out->n_relations = (uint32_t)take_int(cursor, 4);
    (void)take(cursor, 1); /* cascade, restart identity */
    out->relations = take(cursor, (size_t)out->n_relations * 4);
}

bool
pgs_pgoutput_read(const uint8_t *message, size_t len, struct pgs_pgoutput *out)
{
    struct cursor cursor = {message, len};
    const uint8_t *kind = take(&cursor, 1);

    *out = (struct pgs_pgoutput){.kind = PGS_PGOUTPUT_OTHER};
    switch (kind != NULL ? *kind : 0) {
    case 'B':
        read_begin(&cursor, out);
        break;
    case 'C':
        read_commit(&cursor, out);
        break;
    case 'R':
        read_relation(&cursor, out);
        break;
    case 'I':
    case 'U':
    case 'D':
        read_change(&cursor, out);
        break;
    case 'T':
        read_truncate(&cursor, out);
        break;
    case 'M':
    case 'O':
    case 'Y':
        break;
    default:
        return false;
    }
    return cursor.at != NULL;
}

uint32_t
pgs_pgoutput_relation(const struct pgs_pgoutput *truncate, uint32_t i)
{
    struct cursor cursor = {truncate->relations + (size_t)i * 4, 4};

    return (uint32_t)take_int(&cursor, 4);
}

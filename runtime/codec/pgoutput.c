/* SPDX-License-Identifier: MIT */
#include "codec/pgoutput.h"

#include <string.h>

#define EPOCH_US 946684800000000 /* PostgreSQL counts from 2000 */

static const uint8_t *
take(struct pgs_pgoutput_part *cursor, size_t n)
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
take_int(struct pgs_pgoutput_part *cursor, size_t bytes)
{
    const uint8_t *at = take(cursor, bytes);
    uint64_t value = 0;

    for (size_t i = 0; at != NULL && i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static const char *
take_string(struct pgs_pgoutput_part *cursor)
{
    const uint8_t *end = cursor->at != NULL ? memchr(cursor->at, 0, cursor->left) : NULL;

    if (end == NULL) {
        cursor->at = NULL;
        return NULL;
    }
    return (const char *)take(cursor, (size_t)(end - cursor->at) + 1);
}

static void
read_begin(struct pgs_pgoutput_part *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_BEGIN;
    out->lsn = take_int(cursor, 8);
    out->committed_us = (int64_t)take_int(cursor, 8) + EPOCH_US;
    out->xid = (uint32_t)take_int(cursor, 4);
}

static void
read_commit(struct pgs_pgoutput_part *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_COMMIT;
    (void)take(cursor, 1 + 8); /* flags; the commit record */
    out->lsn = take_int(cursor, 8);
    (void)take(cursor, 8);
}

bool
pgs_pgoutput_column(struct pgs_pgoutput_part *columns, struct pgs_pgoutput_column *column)
{
    if (columns->n == 0)
        return false;
    columns->n--;
    column->is_key = take_int(columns, 1) == 1;
    column->name = take_string(columns);
    (void)take(columns, 4 + 4); /* type and its modifier */
    return columns->at != NULL;
}

static bool
take_text(struct pgs_pgoutput_part *row, struct pgs_pgoutput_value *value)
{
    value->kind = PGS_PGOUTPUT_TEXT;
    value->len = (size_t)take_int(row, 4);
    value->text = (const char *)take(row, value->len);
    return value->text != NULL;
}

bool
pgs_pgoutput_value(struct pgs_pgoutput_part *row, struct pgs_pgoutput_value *value)
{
    if (row->n == 0)
        return false;
    row->n--;
    switch (take_int(row, 1)) {
    case 't':
        return take_text(row, value);
    case 'n':
        value->kind = PGS_PGOUTPUT_NULL;
        return true;
    case 'u':
        value->kind = PGS_PGOUTPUT_KEPT;
        return true;
    default:
        row->at = NULL;
        return false;
    }
}

/* Columns up to their end, so that whoever reads them later finds them whole. */
static struct pgs_pgoutput_part
take_columns(struct pgs_pgoutput_part *message)
{
    struct pgs_pgoutput_part columns, left;
    struct pgs_pgoutput_column column;

    message->n = (uint32_t)take_int(message, 2);
    columns = left = *message;
    while (pgs_pgoutput_column(&left, &column))
        ;
    *message = left;
    return columns;
}

static struct pgs_pgoutput_part
take_row(struct pgs_pgoutput_part *message)
{
    struct pgs_pgoutput_part row, left;
    struct pgs_pgoutput_value value;

    message->n = (uint32_t)take_int(message, 2);
    row = left = *message;
    while (pgs_pgoutput_value(&left, &value))
        ;
    *message = left;
    return row;
}

static void
read_relation(struct pgs_pgoutput_part *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_RELATION;
    out->relation = (uint32_t)take_int(cursor, 4);
    out->schema = take_string(cursor);
    out->table = take_string(cursor);
    out->is_full = take_int(cursor, 1) == 'f';
    out->columns = take_columns(cursor);
}

/* One or two rows, each with a letter that says which it is. */
static void
read_change(struct pgs_pgoutput_part *cursor, struct pgs_pgoutput *out)
{
    uint64_t what;

    out->kind = PGS_PGOUTPUT_CHANGE;
    out->relation = (uint32_t)take_int(cursor, 4);
    what = take_int(cursor, 1);
    if (what == 'K' || what == 'O') {
        out->before_is_key = what == 'K';
        out->before = take_row(cursor);
        what = cursor->left > 0 ? take_int(cursor, 1) : 0;
    }
    if (what == 'N')
        out->after = take_row(cursor);
    else if (what != 0 || out->before.at == NULL)
        cursor->at = NULL;
}

static void
read_truncate(struct pgs_pgoutput_part *cursor, struct pgs_pgoutput *out)
{
    out->kind = PGS_PGOUTPUT_TRUNCATE;
    out->n_relations = (uint32_t)take_int(cursor, 4);
    (void)take(cursor, 1); /* cascade, restart identity */
    out->relations = take(cursor, (size_t)out->n_relations * 4);
}

bool
pgs_pgoutput_read(const uint8_t *message, size_t len, struct pgs_pgoutput *out)
{
    struct pgs_pgoutput_part cursor = {message, len, 0};
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
        out->is_update = *kind == 'U';
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
    struct pgs_pgoutput_part cursor = {truncate->relations + (size_t)i * 4, 4, 0};

    return (uint32_t)take_int(&cursor, 4);
}

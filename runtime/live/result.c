/* SPDX-License-Identifier: MIT */
#include "live/result.h"

#include <stdlib.h>
#include <string.h>

void
pgs__result_init(struct pgs__result *result, size_t max_bytes)
{
    memset(result, 0, sizeof(*result));
    pgs_buf_init(&result->bytes, max_bytes);
}

void
pgs__result_clear(struct pgs__result *result)
{
    pgs_buf_clear(&result->bytes);
    free(result->rows);
    free(result->index);
    memset(result, 0, sizeof(*result));
}

/* ---- filling ---- */

void
pgs__result_key(struct pgs__result *result)
{
    if (result->n == result->room) {
        size_t room = result->room > 0 ? 2 * result->room : 16;
        struct pgs__row *rows = realloc(result->rows, room * sizeof(*rows));

        if (rows == NULL) {
            result->bytes.failed = true;
            return;
        }
        result->rows = rows;
        result->room = room;
    }
    result->rows[result->n] = (struct pgs__row){.key = result->bytes.len};
}

void
pgs__result_text(struct pgs__result *result)
{
    struct pgs__row *row = &result->rows[result->n];

    if (result->bytes.failed)
        return;
    row->key_len = result->bytes.len - row->key;
    row->text = result->bytes.len;
}

void
pgs__result_end_row(struct pgs__result *result)
{
    struct pgs__row *row = &result->rows[result->n];

    if (result->bytes.failed)
        return;
    row->text_len = result->bytes.len - row->text;
    result->n++;
}

/* FNV-1a: what decides is the comparison of the whole key. */
static uint64_t
hash_key(const char *at, size_t len, uint32_t occurrence)
{
    uint64_t hash = 14695981039346656037u + occurrence;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)at[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

/* The row of that key and occurrence, or the slot where it would be. */
static uint32_t *
find_slot(const struct pgs__result *result, const char *key, size_t key_len, uint32_t occurrence)
{
    uint64_t hash = hash_key(key, key_len, occurrence);
    size_t slot = hash & (result->index_size - 1);

    for (;; slot = (slot + 1) & (result->index_size - 1)) {
        const struct pgs__row *row;

        if (result->index[slot] == 0)
            return &result->index[slot];
        row = &result->rows[result->index[slot] - 1];
        if (row->hash == hash && row->occurrence == occurrence && row->key_len == key_len &&
            memcmp(result->bytes.at + row->key, key, key_len) == 0)
            return &result->index[slot];
    }
}

static void
index_row(struct pgs__result *result, size_t place)
{
    struct pgs__row *row = &result->rows[place];
    const char *key = result->bytes.at + row->key;
    uint32_t *slot;

    while (*(slot = find_slot(result, key, row->key_len, row->occurrence)) != 0)
        row->occurrence++;
    row->hash = hash_key(key, row->key_len, row->occurrence);
    *slot = (uint32_t)place + 1;
}

bool
pgs__result_finish(struct pgs__result *result)
{
    if (result->bytes.failed || result->n > UINT32_MAX / 4)
        return false;
    result->index_size = 16;
    while (result->index_size < 2 * result->n)
        result->index_size *= 2;
    result->index = calloc(result->index_size, sizeof(*result->index));
    if (result->index == NULL)
        return false;
    for (size_t i = 0; i < result->n; i++)
        index_row(result, i);
    return true;
}

/* ---- telling ---- */

void
pgs__result_write(const struct pgs__result *result, struct pgs_buf *out)
{
    pgs_buf_add_char(out, '[');
    for (size_t i = 0; i < result->n; i++) {
        if (i > 0)
            pgs_buf_add_char(out, ',');
        pgs_buf_add(out, result->bytes.at + result->rows[i].text, result->rows[i].text_len);
    }
    pgs_buf_add_char(out, ']');
}

/* What becomes of each row. */
struct comparison {
    const struct pgs__result *before, *after;
    unsigned char *fates; /* of the rows after */
    bool *stays;          /* of the rows before */
};

enum fate {
    SAME,
    INSERTED,
    UPDATED,
};

static bool
same_text(const struct comparison *c, const struct pgs__row *a, const struct pgs__row *b)
{
    return a->text_len == b->text_len &&
           memcmp(c->before->bytes.at + a->text, c->after->bytes.at + b->text, a->text_len) == 0;
}

static void
compare(struct comparison *c, bool ordered)
{
    size_t furthest = 0; /* place before, and one, of the rows that stayed as they were */

    for (size_t i = 0; i < c->after->n; i++) {
        const struct pgs__row *row = &c->after->rows[i];
        uint32_t place = c->before->n == 0 ? 0
                                           : *find_slot(c->before, c->after->bytes.at + row->key,
                                                        row->key_len, row->occurrence);

        if (place == 0) {
            c->fates[i] = INSERTED;
            continue;
        }
        c->stays[place - 1] = true;
        c->fates[i] = UPDATED;
        if (!same_text(c, &c->before->rows[place - 1], row) || (ordered && place < furthest))
            continue;
        c->fates[i] = SAME;
        furthest = place;
    }
}

static void
open_list(struct pgs_buf *out, const char *name, size_t *n)
{
    if ((*n)++ > 0) {
        pgs_buf_add_char(out, ',');
        return;
    }
    if (out->len > 0 && out->at[out->len - 1] == ']')
        pgs_buf_add_char(out, ',');
    pgs_buf_add_char(out, '"');
    pgs_buf_add_str(out, name);
    pgs_buf_add_str(out, "\":[");
}

static size_t
close_list(struct pgs_buf *out, size_t n)
{
    if (n > 0)
        pgs_buf_add_char(out, ']');
    return n;
}

static size_t
write_rows(const struct comparison *c, enum fate fate, const char *name, struct pgs_buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->after->n; i++)
        if (c->fates[i] == fate) {
            open_list(out, name, &n);
            pgs_buf_add(out, c->after->bytes.at + c->after->rows[i].text,
                        c->after->rows[i].text_len);
        }
    return close_list(out, n);
}

static void
write_places(const struct comparison *c, enum fate fate, const char *name, struct pgs_buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->after->n; i++)
        if (c->fates[i] == fate) {
            open_list(out, name, &n);
            pgs_buf_add_int(out, (int64_t)i);
        }
    (void)close_list(out, n);
}

static size_t
write_deleted(const struct comparison *c, struct pgs_buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->before->n; i++)
        if (!c->stays[i]) {
            open_list(out, "deleted", &n);
            pgs_buf_add(out, c->before->bytes.at + c->before->rows[i].key,
                        c->before->rows[i].key_len);
        }
    return close_list(out, n);
}

bool
pgs__result_write_changes(const struct pgs__result *before, const struct pgs__result *after,
                          bool ordered, struct pgs_buf *out)
{
    struct comparison c = {before, after, calloc(after->n + 1, 1),
                           calloc(before->n + 1, sizeof(bool))};
    size_t n = 0;

    if (c.fates == NULL || c.stays == NULL)
        abort();
    compare(&c, ordered);
    n += write_rows(&c, INSERTED, "inserted", out);
    if (ordered)
        write_places(&c, INSERTED, "inserted_at", out);
    n += write_rows(&c, UPDATED, "updated", out);
    if (ordered)
        write_places(&c, UPDATED, "updated_at", out);
    n += write_deleted(&c, out);
    free(c.fates);
    free(c.stays);
    return n > 0;
}

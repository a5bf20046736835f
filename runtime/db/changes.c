/* SPDX-License-Identifier: MIT */
/*
 * Where memory fails, the process ends: a change that is not told would be a subscriber's wrong
 * result, and nobody would know.
 */
#include "db/changes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 16777216 /* of a transaction; above it results are asked for again */
#define MAX_CHANGES 100000
#define CHUNK_BYTES 480

const char pgs_untold[1] = "";

struct pgs__changes_chunk {
    struct pgs__changes_chunk *next;
    size_t size, used;
    char *bytes; /* behind it */
};

/* Most have few rows: the first chunk is in one piece with what it is of. */
struct block {
    struct pgs_changes changes;
    struct pgs__changes_chunk chunk;
    max_align_t bytes[CHUNK_BYTES / sizeof(max_align_t)];
};

_Static_assert(sizeof(((struct block *)0)->bytes) == CHUNK_BYTES, "so much is taken from it");
_Static_assert(sizeof(struct pgs__changes_chunk) % _Alignof(max_align_t) == 0,
               "what is behind a chunk is aligned");

/* ---- memory ---- */

static struct pgs_changes *
make_changes(void)
{
    struct block *block = malloc(sizeof(*block));

    if (block == NULL)
        abort();
    block->changes =
        (struct pgs_changes){.bytes = sizeof(*block), .references = 1, .chunks = &block->chunk};
    block->chunk = (struct pgs__changes_chunk){NULL, CHUNK_BYTES, 0, (char *)block->bytes};
    return &block->changes;
}

static struct pgs__changes_chunk *
add_chunk(struct pgs_changes *changes, size_t least)
{
    size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    struct pgs__changes_chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk == NULL)
        abort();
    *chunk = (struct pgs__changes_chunk){changes->chunks, size, 0, (char *)(chunk + 1)};
    changes->chunks = chunk;
    changes->bytes += sizeof(*chunk) + size;
    return chunk;
}

static void *
take(struct pgs_changes *changes, size_t size)
{
    struct pgs__changes_chunk *chunk = changes->chunks;
    char *at;

    size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (chunk->size - chunk->used < size)
        chunk = add_chunk(changes, size);
    at = chunk->bytes + chunk->used;
    chunk->used += size;
    return at;
}

/* Only the first one is left, with nothing in it. */
static void
empty_chunks(struct pgs_changes *changes)
{
    while (changes->chunks->next != NULL) {
        struct pgs__changes_chunk *chunk = changes->chunks;

        changes->chunks = chunk->next;
        free(chunk);
    }
    changes->chunks->used = 0;
    changes->bytes = sizeof(struct block);
}

void
pgs_changes_keep(struct pgs_changes *changes)
{
    atomic_fetch_add_explicit(&changes->references, 1, memory_order_relaxed);
}

void
pgs_changes_release(struct pgs_changes *changes)
{
    if (atomic_fetch_sub_explicit(&changes->references, 1, memory_order_acq_rel) > 1)
        return;
    empty_chunks(changes);
    free(changes);
}

/* ---- relations ---- */

static int16_t
find_place(const struct pgs_watched *watched, const char *name)
{
    for (int16_t i = 0; watched->columns != NULL && watched->columns[i] != NULL; i++)
        if (strcmp(watched->columns[i], name) == 0)
            return i;
    return -1;
}

static size_t
count_places(const struct pgs_watched *watched)
{
    size_t n = 0;

    while (watched->columns != NULL && watched->columns[n] != NULL)
        n++;
    return n;
}

bool
pgs_changes_relation_read(struct pgs_changes_relation *relation, const struct pgs_pgoutput *message,
                          const struct pgs_watched *watched)
{
    struct pgs_pgoutput_part columns = message->columns;
    struct pgs_pgoutput_column column;
    size_t found = 0;

    relation->is_full = message->is_full;
    relation->n_columns = (uint16_t)columns.n;
    relation->n_places = (uint16_t)count_places(watched);
    relation->places = calloc(columns.n + 1, sizeof(*relation->places));
    relation->is_key = calloc(relation->n_places + 1u, sizeof(*relation->is_key));
    if (relation->places == NULL || relation->is_key == NULL)
        return false;
    for (size_t i = 0; pgs_pgoutput_column(&columns, &column); i++) {
        int16_t place = find_place(watched, column.name);

        relation->places[i] = place;
        if (place < 0)
            continue;
        relation->is_key[place] = column.is_key || message->is_full;
        found++;
    }
    relation->is_readable = found == relation->n_places;
    return true;
}

void
pgs_changes_relation_clear(struct pgs_changes_relation *relation)
{
    free(relation->places);
    free(relation->is_key);
    relation->places = NULL;
    relation->is_key = NULL;
}

/* ---- rows ---- */

static struct pgs_text
copy_text(struct pgs_changes *changes, const struct pgs_pgoutput_value *value)
{
    char *at;

    if (value->kind == PGS_PGOUTPUT_NULL)
        return (struct pgs_text){NULL, 0};
    if (value->kind == PGS_PGOUTPUT_KEPT)
        return (struct pgs_text){pgs_untold, 0};
    at = take(changes, value->len);
    if (value->len > 0)
        memcpy(at, value->text, value->len);
    return (struct pgs_text){at, value->len};
}

/* NULL: it has another number of columns than its relation. */
static struct pgs_text *
read_row(struct pgs_changes *changes, const struct pgs_changes_relation *relation,
         struct pgs_pgoutput_part row)
{
    struct pgs_text *texts = take(changes, (relation->n_places + 1u) * sizeof(*texts));
    struct pgs_pgoutput_value value;

    if (row.n != relation->n_columns)
        return NULL;
    for (size_t i = 0; pgs_pgoutput_value(&row, &value); i++)
        if (relation->places[i] >= 0)
            texts[relation->places[i]] = copy_text(changes, &value);
    return texts;
}

/* Of an old row that came as its key alone, the rest is not known.  `key` NULL: the key is as in
 * `after`. */
static struct pgs_text *
keep_key(struct pgs_changes *changes, const struct pgs_changes_relation *relation,
         struct pgs_text *key, const struct pgs_text *after)
{
    struct pgs_text *texts = key;

    if (texts == NULL)
        texts = take(changes, (relation->n_places + 1u) * sizeof(*texts));
    for (size_t i = 0; i < relation->n_places; i++)
        if (!relation->is_key[i])
            texts[i] = (struct pgs_text){pgs_untold, 0};
        else if (key == NULL)
            texts[i] = after[i];
    return texts;
}

/* What an update left where it was can be read off the old row, where that came whole. */
static void
fill_kept(const struct pgs_changes_relation *relation, const struct pgs_text *before,
          struct pgs_text *after)
{
    for (size_t i = 0; i < relation->n_places; i++)
        if (after[i].at == pgs_untold)
            after[i] = before[i];
}

/* Of values that are no stream's. */
static const struct pgs_text *
copy_row(struct pgs_changes *changes, const struct pgs_text *row, size_t n)
{
    struct pgs_text *texts = take(changes, (n + 1) * sizeof(*texts));

    for (size_t i = 0; i < n; i++) {
        char *at = NULL;

        if (row[i].at != NULL) {
            at = take(changes, row[i].len);
            if (row[i].len > 0)
                memcpy(at, row[i].at, row[i].len);
        }
        texts[i] = (struct pgs_text){at, row[i].len};
    }
    return texts;
}

/* ---- gathering ---- */

bool
pgs_changes_maker_init(struct pgs_changes_maker *maker, size_t n_watched)
{
    memset(maker, 0, sizeof(*maker));
    maker->n_watched = n_watched;
    maker->is_touched = calloc(n_watched + 1, sizeof(*maker->is_touched));
    maker->is_unread = calloc(n_watched + 1, sizeof(*maker->is_unread));
    maker->tables = calloc(n_watched + 1, sizeof(*maker->tables));
    if (maker->is_touched != NULL && maker->is_unread != NULL && maker->tables != NULL)
        return true;
    pgs_changes_maker_clear(maker);
    return false;
}

void
pgs_changes_maker_clear(struct pgs_changes_maker *maker)
{
    pgs_changes_maker_reset(maker);
    free(maker->is_touched);
    free(maker->is_unread);
    free(maker->tables);
}

static void
forget_tables(struct pgs_changes_maker *maker)
{
    for (size_t i = 0; i < maker->n_tables; i++)
        maker->is_touched[maker->tables[i]] = maker->is_unread[maker->tables[i]] = false;
    maker->n_tables = 0;
    maker->n = 0;
    maker->is_cut = false;
    maker->changes = NULL;
}

void
pgs_changes_maker_reset(struct pgs_changes_maker *maker)
{
    if (maker->changes != NULL)
        pgs_changes_release(maker->changes);
    forget_tables(maker);
}

static struct pgs_changes *
begin(struct pgs_changes_maker *maker)
{
    if (maker->changes != NULL)
        return maker->changes;
    maker->changes = make_changes();
    maker->end = &maker->changes->first;
    return maker->changes;
}

static void
append(struct pgs_changes_maker *maker, struct pgs_change *change)
{
    *maker->end = change;
    maker->end = &change->next;
    maker->n++;
    if (maker->is_touched[change->watched])
        return;
    maker->is_touched[change->watched] = true;
    maker->tables[maker->n_tables++] = change->watched;
}

void
pgs_changes_add_unread(struct pgs_changes_maker *maker, int watched)
{
    struct pgs_change *change;

    if (watched < 0 || maker->is_unread[watched])
        return;
    maker->is_unread[watched] = true;
    change = take(begin(maker), sizeof(*change));
    *change = (struct pgs_change){.kind = PGS_CHANGE_UNREAD, .watched = (uint16_t)watched};
    append(maker, change);
}

/* From here on, and for what came before, it is only told which tables were touched. */
static void
cut(struct pgs_changes_maker *maker)
{
    empty_chunks(maker->changes);
    maker->changes->first = NULL;
    maker->end = &maker->changes->first;
    memset(maker->is_unread, 0, maker->n_watched * sizeof(*maker->is_unread));
    for (size_t i = 0; i < maker->n_tables; i++)
        pgs_changes_add_unread(maker, maker->tables[i]);
    maker->is_cut = true;
}

static void
append_rows(struct pgs_changes_maker *maker, struct pgs_change *change)
{
    change->kind = change->before == NULL  ? PGS_CHANGE_INSERT
                   : change->after == NULL ? PGS_CHANGE_DELETE
                                           : PGS_CHANGE_UPDATE;
    append(maker, change);
    if (maker->changes->bytes > MAX_BYTES || maker->n > MAX_CHANGES)
        cut(maker);
}

static bool
read_rows(struct pgs_changes *changes, const struct pgs_changes_relation *relation,
          const struct pgs_pgoutput *message, struct pgs_change *change)
{
    struct pgs_text *before = NULL, *after = NULL;

    if (message->before.n > 0 && (before = read_row(changes, relation, message->before)) == NULL)
        return false;
    if (message->after.n > 0 && (after = read_row(changes, relation, message->after)) == NULL)
        return false;
    if (message->is_update && after == NULL)
        return false;
    if (after != NULL && before != NULL && !message->before_is_key)
        fill_kept(relation, before, after);
    if (message->is_update && (before == NULL || message->before_is_key))
        before = keep_key(changes, relation, before, after);
    else if (before != NULL && message->before_is_key)
        before = keep_key(changes, relation, before, NULL);
    change->before = before;
    change->after = after;
    return before != NULL || after != NULL;
}

bool
pgs_changes_add(struct pgs_changes_maker *maker, const struct pgs_changes_relation *relation,
                const struct pgs_pgoutput *message, bool wants_rows)
{
    struct pgs_change *change;
    struct pgs_changes *changes;

    if (relation->watched < 0)
        return true;
    if (!wants_rows || maker->is_cut || !relation->is_readable) {
        pgs_changes_add_unread(maker, relation->watched);
        return true;
    }
    changes = begin(maker);
    change = take(changes, sizeof(*change));
    *change = (struct pgs_change){.watched = (uint16_t)relation->watched};
    if (!read_rows(changes, relation, message, change))
        return false;
    append_rows(maker, change);
    return true;
}

void
pgs_changes_add_row(struct pgs_changes_maker *maker, int watched, const struct pgs_text *before,
                    const struct pgs_text *after, size_t n)
{
    struct pgs_change *change;
    struct pgs_changes *changes;

    if (maker->is_cut) {
        pgs_changes_add_unread(maker, watched);
        return;
    }
    changes = begin(maker);
    change = take(changes, sizeof(*change));
    *change = (struct pgs_change){.watched = (uint16_t)watched};
    if (before != NULL)
        change->before = copy_row(changes, before, n);
    if (after != NULL)
        change->after = copy_row(changes, after, n);
    append_rows(maker, change);
}

struct pgs_changes *
pgs_changes_finish(struct pgs_changes_maker *maker, uint32_t xid, uint64_t lsn)
{
    struct pgs_changes *changes = maker->changes;
    uint16_t *tables;

    if (changes == NULL)
        return NULL;
    tables = take(changes, maker->n_tables * sizeof(*tables));
    memcpy(tables, maker->tables, maker->n_tables * sizeof(*tables));
    changes->tables = tables;
    changes->n_tables = maker->n_tables;
    changes->xid = xid;
    changes->lsn = lsn;
    forget_tables(maker);
    return changes;
}

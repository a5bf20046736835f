/* SPDX-License-Identifier: MIT */
/*
 * Runs a query and finds what is different, as a bag: a row is the SHA-256 of its JSON, cut to 16
 * bytes, so any type will do, and equal rows are counted.  Only what is new is kept whole.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/uuid.h"

#include "worker.h"

#define FETCH_ROWS 500

static void
hash_text(const text *body, uint8 *hash)
{
    uint8 digest[PG_SHA256_DIGEST_LENGTH];
    pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

    if (context == NULL || pg_cryptohash_init(context) < 0 ||
        pg_cryptohash_update(context, (const uint8 *)VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)) <
            0 ||
        pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
        elog(ERROR, "SHA-256 failed");
    pg_cryptohash_free(context);
    memcpy(hash, digest, PGR_HASH_BYTES);
}

static text *
row_as_json(HeapTuple tuple, TupleDesc columns)
{
    return DatumGetTextPP(
        DirectFunctionCall1(row_to_json, heap_copy_tuple_as_datum(tuple, columns)));
}

static void
keep_inserted(struct pgr_delta *delta, const uint8 *hash, const text *body)
{
    pg_uuid_t *copy = palloc(sizeof(*copy));
    int count = delta->inserted_count++;

    if (count % FETCH_ROWS == 0) {
        Size bytes = sizeof(Datum) * (count + FETCH_ROWS);

        delta->inserted_hashes = count ? repalloc(delta->inserted_hashes, bytes) : palloc(bytes);
        delta->inserted_bodies = count ? repalloc(delta->inserted_bodies, bytes) : palloc(bytes);
    }
    memcpy(copy->data, hash, PGR_HASH_BYTES);
    delta->inserted_hashes[count] = UUIDPGetDatum(copy);
    delta->inserted_bodies[count] =
        PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)));
}

/* `rows` is read for what the last result had; only pgr_result_accept changes it. */
static void
take_row(struct pgr_subscription *subscription, struct pgr_delta *delta, const text *body,
         MemoryContext keep)
{
    uint8 hash[PGR_HASH_BYTES];
    struct pgr_row *row;

    hash_text(body, hash);
    row = hash_search(subscription->rows, hash, HASH_FIND, NULL);
    if (row != NULL && row->seen < row->copies) {
        row->seen++;
    } else {
        MemoryContext before = MemoryContextSwitchTo(keep);

        keep_inserted(delta, hash, body);
        MemoryContextSwitchTo(before);
    }
    if (++delta->row_count > PGR_MAX_ROWS)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("the result has more than %d rows", PGR_MAX_ROWS));
}

static bool
take_some(struct pgr_subscription *subscription, struct pgr_delta *delta, Portal portal,
          MemoryContext scratch)
{
    MemoryContext keep = CurrentMemoryContext;
    SPITupleTable *rows;
    uint64 count;

    SPI_cursor_fetch(portal, true, FETCH_ROWS);
    rows = SPI_tuptable;
    count = SPI_processed;
    MemoryContextSwitchTo(scratch);
    BlessTupleDesc(rows->tupdesc);
    for (uint64 i = 0; i < count; i++)
        take_row(subscription, delta, row_as_json(rows->vals[i], rows->tupdesc), keep);
    MemoryContextSwitchTo(keep);
    MemoryContextReset(scratch);
    SPI_freetuptable(rows);
    return count > 0;
}

static void
run(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    MemoryContext scratch =
        AllocSetContextCreate(CurrentMemoryContext, "pg_reactive rows", ALLOCSET_DEFAULT_SIZES);
    struct pgr_session before;
    bool timed = MyBackendType == B_BG_WORKER && pgr_query_timeout_ms > 0;
    Portal portal;

    pgr_session_enter(&before, subscription->owner, subscription->search_path);
    if (timed) /* a writer has a timeout of its own */
        enable_timeout_after(STATEMENT_TIMEOUT, pgr_query_timeout_ms);
    portal = SPI_cursor_open(NULL, subscription->plan, NULL, NULL, true);
    while (take_some(subscription, delta, portal, scratch))
        CHECK_FOR_INTERRUPTS();
    SPI_cursor_close(portal);
    if (timed)
        disable_timeout(STATEMENT_TIMEOUT, false);
    pgr_session_leave(&before);
}

static void
forget_seen(HTAB *rows)
{
    HASH_SEQ_STATUS scan;
    struct pgr_row *row;

    hash_seq_init(&scan, rows);
    while ((row = hash_seq_search(&scan)) != NULL)
        row->seen = 0;
}

static void
keep_gone(struct pgr_delta *delta, const struct pgr_row *row)
{
    delta->gone_hashes[delta->gone_count] = UUIDPGetDatum((pg_uuid_t *)row->hash);
    delta->gone_copies[delta->gone_count] = Int32GetDatum(row->copies - row->seen);
    delta->gone_count++;
    delta->deleted_count += row->copies - row->seen;
}

static void
find_gone(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    long count = hash_get_num_entries(subscription->rows);
    HASH_SEQ_STATUS scan;
    struct pgr_row *row;

    delta->gone_hashes = palloc(sizeof(Datum) * (count + 1));
    delta->gone_copies = palloc(sizeof(Datum) * (count + 1));
    hash_seq_init(&scan, subscription->rows);
    while ((row = hash_seq_search(&scan)) != NULL)
        if (row->seen < row->copies)
            keep_gone(delta, row);
}

void
pgr_result_compare(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    memset(delta, 0, sizeof(*delta));
    forget_seen(subscription->rows);
    run(subscription, delta);
    find_gone(subscription, delta);
}

static void
add_copy(HTAB *rows, const void *hash)
{
    bool found;
    struct pgr_row *row = hash_search(rows, hash, HASH_ENTER, &found);

    row->copies = found ? row->copies + 1 : 1;
}

static void
take_copies(HTAB *rows, const void *hash, int copies)
{
    struct pgr_row *row = hash_search(rows, hash, HASH_FIND, NULL);

    row->copies -= copies;
    if (row->copies == 0)
        (void)hash_search(rows, hash, HASH_REMOVE, NULL);
}

/* The hashes of what is gone point into entries: so those go last, each after its use. */
void
pgr_result_accept(struct pgr_subscription *subscription, const struct pgr_delta *delta)
{
    for (int i = 0; i < delta->inserted_count; i++)
        add_copy(subscription->rows, DatumGetUUIDP(delta->inserted_hashes[i])->data);
    for (int i = 0; i < delta->gone_count; i++) {
        pg_uuid_t hash = *DatumGetUUIDP(delta->gone_hashes[i]);

        take_copies(subscription->rows, hash.data, DatumGetInt32(delta->gone_copies[i]));
    }
}

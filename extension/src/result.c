/* SPDX-License-Identifier: MIT */
/*
 * Runs a query and finds what is different, as a bag: a row is the SHA-256 of its JSON, cut to 16
 * bytes, so any type will do, and equal rows are counted.  Only what is new is kept whole.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/uuid.h"

#include "worker.h"

#define GROWTH_ROWS 500

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

    if (count % GROWTH_ROWS == 0) {
        Size bytes = sizeof(Datum) * (count + GROWTH_ROWS);

        delta->inserted_hashes = count ? repalloc(delta->inserted_hashes, bytes) : palloc(bytes);
        delta->inserted_bodies = count ? repalloc(delta->inserted_bodies, bytes) : palloc(bytes);
    }
    memcpy(copy->data, hash, PGR_HASH_BYTES);
    delta->inserted_hashes[count] = UUIDPGetDatum(copy);
    delta->inserted_bodies[count] =
        PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)));
}

static void
count_row(struct pgr_delta *delta, const text *body)
{
    delta->bytes += VARSIZE_ANY_EXHDR(body);
    if (++delta->row_count > PGR_MAX_ROWS)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("the result has more than %d rows", PGR_MAX_ROWS));
    if (delta->bytes > PGR_MAX_BYTES)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("the result has more than %d bytes", PGR_MAX_BYTES));
}

/* `rows` is read for what the last result had; only pgr_result_accept changes it. */
static void
take_row(struct pgr_subscription *subscription, struct pgr_delta *delta, const text *body,
         MemoryContext keep)
{
    uint8 hash[PGR_HASH_BYTES];
    struct pgr_row *row;

    count_row(delta, body);
    hash_text(body, hash);
    row = hash_search(subscription->rows, hash, HASH_FIND, NULL);
    if (row != NULL && row->seen < row->copies) {
        row->seen++;
    } else {
        MemoryContext before = MemoryContextSwitchTo(keep);

        keep_inserted(delta, hash, body);
        MemoryContextSwitchTo(before);
    }
}

/* Takes a result row by row: how large it is shows on the way. */
struct receiver {
    DestReceiver base;
    struct pgr_subscription *subscription;
    struct pgr_delta *delta;
    TupleDesc columns;
    MemoryContext keep;
    MemoryContext scratch;
};

/* The names are those of the query; a row may come with those of its table. */
static void
on_start(DestReceiver *self, int operation, TupleDesc columns)
{
    struct receiver *receiver = (struct receiver *)self;
    MemoryContext before = MemoryContextSwitchTo(receiver->keep);

    receiver->columns = BlessTupleDesc(CreateTupleDescCopy(columns));
    MemoryContextSwitchTo(before);
}

static bool
on_row(TupleTableSlot *slot, DestReceiver *self)
{
    struct receiver *receiver = (struct receiver *)self;
    MemoryContext before = MemoryContextSwitchTo(receiver->scratch);
    bool is_copy;
    HeapTuple row = ExecFetchSlotHeapTuple(slot, false, &is_copy);

    take_row(receiver->subscription, receiver->delta, row_as_json(row, receiver->columns),
             receiver->keep);
    MemoryContextSwitchTo(before);
    MemoryContextReset(receiver->scratch);
    return true;
}

static void
on_end(DestReceiver *self)
{
}

static void
run_plan(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    struct receiver receiver = {
        .base = {.receiveSlot = on_row,
                 .rStartup = on_start,
                 .rShutdown = on_end,
                 .rDestroy = on_end,
                 .mydest = DestNone},
        .subscription = subscription,
        .delta = delta,
        .keep = CurrentMemoryContext,
        .scratch =
            AllocSetContextCreate(CurrentMemoryContext, "pg_reactive row", ALLOCSET_DEFAULT_SIZES),
    };
    SPIExecuteOptions options = {.read_only = true, .dest = &receiver.base};
    int result = SPI_execute_plan_extended(subscription->plan, &options);

    if (result < 0)
        elog(ERROR, "%s", SPI_result_code_string(result));
    MemoryContextDelete(receiver.scratch);
}

static void
run(struct pgr_subscription *subscription, struct pgr_delta *delta)
{
    struct pgr_session before;
    bool timed = pgr_is_worker() && pgr_query_timeout_ms > 0;

    pgr_session_enter(&before, subscription->owner, subscription->search_path);
    if (timed) /* a writer has a timeout of its own */
        enable_timeout_after(STATEMENT_TIMEOUT, pgr_query_timeout_ms);
    run_plan(subscription, delta);
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

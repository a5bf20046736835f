/* SPDX-License-Identifier: MIT */
/*
 * Runs a query and finds what is different, as a bag: a row is the SHA-256 of its JSON, cut to 16
 * bytes, so any type will do, and equal rows are counted.  Only what is new is kept whole.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/uuid.h"

#include "worker.h"

#define GROWTH_ROWS 500

static void
hash_text(pg_cryptohash_ctx *context, const text *body, uint8 *hash)
{
    uint8 digest[PG_SHA256_DIGEST_LENGTH];

    if (pg_cryptohash_init(context) < 0 ||
        pg_cryptohash_update(context, (const uint8 *)VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)) <
            0 ||
        pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
        elog(ERROR, "SHA-256 failed");
    memcpy(hash, digest, PGR_HASH_BYTES);
}

static void
keep_inserted(struct pgr_delta *delta, Datum hash, Datum body)
{
    int count = delta->inserted_count++;

    if (count % GROWTH_ROWS == 0) {
        Size bytes = sizeof(Datum) * (count + GROWTH_ROWS);

        delta->inserted_hashes = count ? repalloc(delta->inserted_hashes, bytes) : palloc(bytes);
        delta->inserted_bodies = count ? repalloc(delta->inserted_bodies, bytes) : palloc(bytes);
    }
    delta->inserted_hashes[count] = hash;
    delta->inserted_bodies[count] = body;
}

static void
check_size(int64 rows, int64 bytes)
{
    if (rows > PGR_MAX_ROWS)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("the result has more than %d rows", PGR_MAX_ROWS));
    if (bytes > PGR_MAX_BYTES)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("the result has more than %d bytes", PGR_MAX_BYTES));
}

/* Takes a result row by row: how large it is shows on the way. */
struct receiver {
    DestReceiver base;
    List *places;
    TupleDesc columns;
    pg_cryptohash_ctx *hashing;
    int64 kept_rows; /* of all places together */
    int64 kept_bytes;
    MemoryContext keep;
    MemoryContext scratch;
};

/* A row that somebody has not seen: kept once for all who have not. */
struct new_row {
    Datum hash;
    Datum body;
    bool is_kept;
};

static void
keep_row(struct receiver *receiver, struct new_row *row, const uint8 *hash, const text *body)
{
    pg_uuid_t *copy = palloc(sizeof(*copy));

    memcpy(copy->data, hash, PGR_HASH_BYTES);
    row->hash = UUIDPGetDatum(copy);
    row->body =
        PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)));
    row->is_kept = true;
    receiver->kept_bytes += VARSIZE_ANY_EXHDR(body);
    check_size(++receiver->kept_rows, receiver->kept_bytes);
}

/* `rows` is read for what the last result had; only pgr_result_accept changes it. */
static void
take_row(struct receiver *receiver, List *members, const text *body)
{
    MemoryContext before = MemoryContextSwitchTo(receiver->keep);
    struct new_row kept = {0};
    uint8 hash[PGR_HASH_BYTES];
    ListCell *cell;

    hash_text(receiver->hashing, body, hash);
    foreach (cell, members) {
        struct pgr_subscription *subscription = lfirst(cell);
        struct pgr_delta *delta = subscription->delta;
        struct pgr_row *row = hash_search(subscription->rows, hash, HASH_FIND, NULL);

        delta->bytes += VARSIZE_ANY_EXHDR(body);
        check_size(++delta->row_count, delta->bytes);
        if (row != NULL && row->seen < row->copies) {
            row->seen++;
            continue;
        }
        if (!kept.is_kept)
            keep_row(receiver, &kept, hash, body);
        keep_inserted(delta, kept.hash, kept.body);
    }
    MemoryContextSwitchTo(before);
}

/* The names are those of the query; a row may come with those of its table. */
static void
on_start(DestReceiver *self, int operation, TupleDesc columns)
{
    struct receiver *receiver = (struct receiver *)self;
    MemoryContext before = MemoryContextSwitchTo(receiver->keep);
    int count = columns->natts - (list_length(receiver->places) > 1);

    receiver->columns = CreateTemplateTupleDesc(count);
    for (int i = 1; i <= count; i++)
        TupleDescCopyEntry(receiver->columns, (AttrNumber)i, columns, (AttrNumber)i);
    receiver->columns = BlessTupleDesc(receiver->columns);
    MemoryContextSwitchTo(before);
}

static bool
on_row(TupleTableSlot *slot, DestReceiver *self)
{
    struct receiver *receiver = (struct receiver *)self;
    MemoryContext before = MemoryContextSwitchTo(receiver->scratch);
    int place = 0;
    HeapTuple row;
    Datum json;

    slot_getallattrs(slot);
    if (list_length(receiver->places) > 1)
        place = DatumGetInt32(slot->tts_values[receiver->columns->natts]);
    row = heap_form_tuple(receiver->columns, slot->tts_values, slot->tts_isnull);
    json = DirectFunctionCall1(row_to_json, HeapTupleGetDatum(row));
    take_row(receiver, list_nth(receiver->places, place), DatumGetTextPP(json));
    MemoryContextSwitchTo(before);
    MemoryContextReset(receiver->scratch);
    return true;
}

static void
on_end(DestReceiver *self)
{
}

static void
run_plan(SPIPlanPtr plan, DestReceiver *receiver)
{
    SPIExecuteOptions options = {.read_only = true, .dest = receiver};
    int result = SPI_execute_plan_extended(plan, &options);

    if (result < 0)
        elog(ERROR, "%s", SPI_result_code_string(result));
}

/* Planned each time: what has changed since would be known to nobody, and it is for many. */
static void
run_together(const struct pgr_subscription *first, List *places, DestReceiver *receiver)
{
    List *constants = NIL;
    QueryDesc *running;
    ListCell *cell;
    Query *query;

    foreach (cell, places)
        constants =
            lappend(constants, ((struct pgr_subscription *)linitial(lfirst(cell)))->constants);
    query = pgr_shape_query(first->shape, pgr_query_analyze(first->query), constants);
    running = CreateQueryDesc(pg_plan_query(query, first->query, 0, NULL), first->query,
                              GetActiveSnapshot(), InvalidSnapshot, receiver, NULL, NULL, 0);
    ExecutorStart(running, 0);
#if PG_VERSION_NUM >= 180000
    ExecutorRun(running, ForwardScanDirection, 0);
#else
    ExecutorRun(running, ForwardScanDirection, 0, true);
#endif
    ExecutorFinish(running);
    ExecutorEnd(running);
    FreeQueryDesc(running);
}

static void
run_into(List *places, DestReceiver *receiver)
{
    const struct pgr_subscription *first = linitial(linitial(places));
    bool timed = pgr_is_worker() && pgr_query_timeout_ms > 0;
    struct pgr_session before;

    pgr_session_enter(&before, first->owner, first->search_path);
    if (timed) /* a writer has a timeout of its own */
        enable_timeout_after(STATEMENT_TIMEOUT, pgr_query_timeout_ms);
    if (list_length(places) == 1)
        run_plan(first->plan, receiver);
    else
        run_together(first, places, receiver);
    if (timed)
        disable_timeout(STATEMENT_TIMEOUT, false);
    pgr_session_leave(&before);
}

static void
run(List *places)
{
    struct receiver receiver = {
        .base = {.receiveSlot = on_row,
                 .rStartup = on_start,
                 .rShutdown = on_end,
                 .rDestroy = on_end,
                 .mydest = DestNone},
        .places = places,
        .hashing = pg_cryptohash_create(PG_SHA256),
        .keep = CurrentMemoryContext,
        .scratch =
            AllocSetContextCreate(CurrentMemoryContext, "pg_reactive row", ALLOCSET_DEFAULT_SIZES),
    };

    if (receiver.hashing == NULL)
        elog(ERROR, "SHA-256 failed");
    run_into(places, &receiver.base);
    pg_cryptohash_free(receiver.hashing);
    MemoryContextDelete(receiver.scratch);
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
find_gone(struct pgr_subscription *subscription)
{
    struct pgr_delta *delta = subscription->delta;
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

static void
begin_compare(struct pgr_subscription *subscription)
{
    subscription->delta = palloc0(sizeof(*subscription->delta));
    forget_seen(subscription->rows);
}

static void
for_each(List *places, void (*step)(struct pgr_subscription *))
{
    ListCell *cell, *member;

    foreach (cell, places)
        foreach (member, lfirst(cell))
            step(lfirst(member));
}

void
pgr_result_compare(List *places)
{
    for_each(places, begin_compare);
    run(places);
    for_each(places, find_gone);
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

/* SPDX-License-Identifier: MIT */
/*
 * A subscription is asked for when a commit touched what it depends on, once at a time, with the
 * rights of its session.  Commits that come while it is asked for, or while its client does not
 * read, are answered together by the next asking: a client that is slow gets fewer, larger changes,
 * and never holds up anybody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "codec/json_write.h"
#include "codec/sqlstate.h"
#include "live/sql.h"
#include "live/thread.h"

#define MAX_IN_FLIGHT 32
#define MIN_INTERVAL_MS 5
#define RETRY_MIN_MS 2
#define RETRY_MAX_MS 100
#define UNAVAILABLE_MS 200

static const char snapshot_sql[] = PGS_LIVE_SNAPSHOT_SQL;

/* ---- turns ---- */

static void
unlink_turn(struct pgs__subscription *subscription)
{
    if (h2o_linklist_is_linked(&subscription->turn))
        h2o_linklist_unlink(&subscription->turn);
}

static void
put_off(struct pgs__subscription *subscription, int64_t ms)
{
    struct pgs_live_thread *thread = subscription->session->thread;

    unlink_turn(subscription);
    subscription->not_before_ms = pgs_clock_ms() + ms;
    h2o_linklist_insert(&thread->waiting, &subscription->turn);
    if (!h2o_timeout_is_linked(&thread->tick))
        h2o_timeout_link(thread->loop, &thread->tick_timeout, &thread->tick);
}

void
pgs__subscription_mark(struct pgs__subscription *subscription)
{
    struct pgs_live_thread *thread = subscription->session->thread;
    int64_t since = pgs_clock_ms() - subscription->start_ms;

    if (subscription->txn != NULL || h2o_linklist_is_linked(&subscription->turn))
        return;
    if (since < MIN_INTERVAL_MS)
        put_off(subscription, MIN_INTERVAL_MS - since);
    else
        h2o_linklist_insert(&thread->due, &subscription->turn);
}

void
pgs__subscription_restart(struct pgs__subscription *subscription)
{
    subscription->again = subscription->txn != NULL;
    pgs__subscription_mark(subscription);
}

/* ---- frames ---- */

static void
begin_frame(struct pgs__subscription *subscription, const char *type, struct pgs_buf *frame)
{
    const struct pgs_live_thread *thread = subscription->session->thread;
    uint64_t lsn = pgs__recent_lsn(&thread->recent, subscription->seen);
    char text[40];

    pgs_buf_init(frame, 0);
    pgs_buf_add_str(frame, "{\"type\":\"");
    pgs_buf_add_str(frame, type);
    pgs_buf_add_str(frame, "\",\"id\":");
    pgs_json_string(frame, subscription->id, strlen(subscription->id));
    pgs_buf_add_str(frame, ",\"seq\":");
    pgs_buf_add_int(frame, ++subscription->seq);
    if (lsn > 0) {
        (void)snprintf(text, sizeof(text), ",\"lsn\":\"%" PRIX64 "/%" PRIX64 "\"", lsn >> 32,
                       lsn & UINT32_MAX);
        pgs_buf_add_str(frame, text);
    }
    pgs_buf_add_char(frame, ',');
}

static void
send_frame(struct pgs__subscription *subscription, struct pgs_buf *frame)
{
    struct pgs__session *session = subscription->session;

    pgs_buf_add_char(frame, '}');
    session->transport->send(session->at, frame);
    pgs_buf_clear(frame);
}

/* The columns that tell rows apart, so that a client finds what is updated or deleted. */
static void
write_key_names(const struct pgs_live *live, struct pgs_buf *frame)
{
    pgs_buf_add_str(frame, "\"key\":[");
    for (size_t i = 0; i < live->n_key; i++) {
        const char *name = live->columns[live->key[i]].name;

        if (i > 0)
            pgs_buf_add_char(frame, ',');
        pgs_json_string(frame, name, strlen(name));
    }
    pgs_buf_add_char(frame, ']');
}

static void
send_snapshot(struct pgs__subscription *subscription)
{
    struct pgs_buf frame;

    begin_frame(subscription, "snapshot", &frame);
    write_key_names(subscription->live, &frame);
    pgs_buf_add_str(&frame, ",\"rows\":");
    pgs__result_write(&subscription->result, &frame);
    send_frame(subscription, &frame);
}

static void
send_delta(struct pgs__subscription *subscription, const struct pgs__result *after)
{
    struct pgs_buf frame;

    begin_frame(subscription, "delta", &frame);
    if (pgs__result_write_changes(&subscription->result, after, subscription->live->ordered,
                                  &frame)) {
        send_frame(subscription, &frame);
        return;
    }
    subscription->seq--; /* it was for nothing */
    pgs_buf_clear(&frame);
}

/* ---- results ---- */

static void
write_member(struct pgs_buf *out, const struct pgs_column *column, struct pgs_txn *txn, int row,
             int place)
{
    size_t len = 0;
    const char *text = pgs_txn_value(txn, 1, row, place, &len);

    pgs_json_string(out, column->name, strlen(column->name));
    pgs_buf_add_char(out, ':');
    pgs_json_value(out, &column->type, text, len);
}

static void
write_key(const struct pgs_live *live, struct pgs_txn *txn, int row, struct pgs_buf *out)
{
    pgs_buf_add_char(out, '{');
    for (size_t i = 0; i < live->n_key; i++) {
        if (i > 0)
            pgs_buf_add_char(out, ',');
        write_member(out, &live->columns[live->key[i]], txn, row, live->key[i]);
    }
    pgs_buf_add_char(out, '}');
}

static void
write_row(const struct pgs_live *live, struct pgs_txn *txn, int row, struct pgs_buf *out)
{
    for (size_t i = 0; i < live->n_columns; i++) {
        pgs_buf_add_char(out, i == 0 ? '{' : ',');
        write_member(out, &live->columns[i], txn, row, (int)i);
    }
    pgs_buf_add_char(out, '}');
}

/* False: too large. */
static bool
read_result(const struct pgs_live *live, struct pgs_txn *txn, struct pgs__result *result)
{
    int n = pgs_txn_row_count(txn, 1);

    pgs__result_init(result, PGS_LIVE_MAX_RESULT_BYTES);
    for (int row = 0; row < n && n <= PGS_LIVE_MAX_ROWS && !result->bytes.failed; row++) {
        pgs__result_key(result);
        write_key(live, txn, row, &result->bytes);
        pgs__result_text(result);
        write_row(live, txn, row, &result->bytes);
        pgs__result_end_row(result);
    }
    if (n <= PGS_LIVE_MAX_ROWS && pgs__result_finish(result))
        return true;
    pgs__result_clear(result);
    return false;
}

static void
fail(struct pgs__subscription *subscription, const char *code, const char *message)
{
    pgs__session_fail(subscription->session, subscription->id, code, message);
    pgs__subscription_close(subscription);
}

/* As rest/ does: the words of an internal error are for the log. */
static void
fail_database(struct pgs__subscription *subscription, const struct pgs_db_error *error)
{
    int status = pgs_sqlstate_status(error->sqlstate, subscription->session->who.role == 0);

    if (status >= 500)
        PGS_LOG(PGS_LOG_ERROR, "database_error", PGS_LOG_STR("sqlstate", error->sqlstate),
                PGS_LOG_STR("message", error->is_raised ? NULL : error->message),
                PGS_LOG_STR("live", subscription->live->name));
    fail(subscription, error->sqlstate,
         pgs_sqlstate_message(error->sqlstate, status, error->message));
}

/* What commits it holds; again soon, where one was told of that could not be seen yet. */
static void
note_seen(struct pgs__subscription *subscription, const struct pgs__snapshot *snapshot)
{
    struct pgs__recent *recent = &subscription->session->thread->recent;
    int64_t ms = RETRY_MIN_MS;

    subscription->seen =
        pgs__recent_seen(recent, snapshot, subscription->tables, subscription->seen);
    pgs__recent_settle(recent, snapshot);
    if (subscription->seen == recent->last) {
        subscription->tries = 0;
        if (subscription->again)
            put_off(subscription, RETRY_MIN_MS);
        subscription->again = false;
        return;
    }
    for (int i = 0; i < subscription->tries && ms < RETRY_MAX_MS; i++)
        ms *= 2;
    subscription->tries++;
    put_off(subscription, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

/* In place of the result that it has.  False: all results together would be too large. */
static bool
count_bytes(struct pgs__subscription *subscription, const struct pgs__result *after)
{
    struct pgs__session *session = subscription->session;
    struct pgs_live_thread *thread = session->thread;
    size_t before = subscription->result.bytes.len, now = after->bytes.len;

    if (session->result_bytes - before + now > PGS_LIVE_MAX_SESSION_BYTES ||
        thread->result_bytes - before + now > PGS_LIVE_MAX_THREAD_BYTES)
        return false;
    session->result_bytes += now - before;
    thread->result_bytes += now - before;
    return true;
}

static void
fail_size(struct pgs__subscription *subscription)
{
    pgs_limit_hit(PGS_LIMIT_LIVE_RESULT);
    fail(subscription, "too_large", "The result has too many rows or bytes: add a limit");
}

static void
take_result(struct pgs__subscription *subscription, struct pgs_txn *txn)
{
    struct pgs__snapshot snapshot;
    struct pgs__result after;
    size_t len;

    if (!pgs__snapshot_read(pgs_txn_value(txn, 0, 0, 0, &len), &snapshot)) {
        fail(subscription, "unavailable", "The database gave no snapshot");
        return;
    }
    if (!read_result(subscription->live, txn, &after)) {
        fail_size(subscription);
        return;
    }
    if (!count_bytes(subscription, &after)) {
        pgs__result_clear(&after);
        fail_size(subscription);
        return;
    }
    note_seen(subscription, &snapshot);
    if (subscription->has_result)
        send_delta(subscription, &after);
    pgs__result_clear(&subscription->result);
    subscription->result = after;
    if (!subscription->has_result)
        send_snapshot(subscription);
    subscription->has_result = true;
}

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct pgs__subscription *subscription = owner;
    struct pgs_live_thread *thread = subscription->session->thread;
    struct pgs_db_error error;

    subscription->txn = NULL;
    thread->n_in_flight--;
    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        take_result(subscription, txn);
        break;
    case PGS_TXN_FAILED:
        error = pgs_txn_error(txn);
        fail_database(subscription, &error);
        break;
    default: /* no answer, for whatever reason: a read may be asked again */
        put_off(subscription, UNAVAILABLE_MS);
        break;
    }
    pgs__subscriptions_pump(thread);
}

static void
ask(struct pgs__subscription *subscription)
{
    struct pgs_live_thread *thread = subscription->session->thread;
    const struct pgs_live *live = subscription->live;

    subscription->start_ms = pgs_clock_ms();
    subscription->txn = pgs_txn_new(thread->config.pool, subscription->session->who.session);
    if (subscription->txn == NULL) {
        put_off(subscription, UNAVAILABLE_MS);
        return;
    }
    pgs_txn_statement(subscription->txn, snapshot_sql, sizeof(snapshot_sql) - 1);
    pgs_txn_statement(subscription->txn, live->sql, strlen(live->sql));
    for (size_t i = 0; i < live->arguments->n_fields; i++) {
        struct pgs_text argument = subscription->arguments[i];

        if (argument.at != NULL)
            pgs_txn_bind_text(subscription->txn, argument.at, argument.len);
        else
            pgs_txn_bind_null(subscription->txn);
    }
    thread->n_in_flight++;
    pgs_txn_send(subscription->txn, false, on_done, subscription);
}

static bool
is_full(const struct pgs__session *session)
{
    return session->transport->queued_bytes(session->at) > PGS_LIVE_MAX_QUEUED_BYTES;
}

void
pgs__subscriptions_pump(struct pgs_live_thread *thread)
{
    while (!h2o_linklist_is_empty(&thread->due) && thread->n_in_flight < MAX_IN_FLIGHT) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, turn, thread->due.next);

        h2o_linklist_unlink(&subscription->turn);
        if (is_full(subscription->session)) {
            pgs_limit_hit(PGS_LIMIT_LIVE_QUEUE);
            put_off(subscription, RETRY_MAX_MS);
        } else {
            ask(subscription);
        }
    }
}

/* ---- opening and closing ---- */

/* The array, then the texts. */
static struct pgs_text *
copy_arguments(const struct pgs_text *arguments, size_t n)
{
    size_t size = (n + 1) * sizeof(*arguments);
    struct pgs_text *copy;
    char *at;

    for (size_t i = 0; i < n; i++)
        size += arguments[i].len;
    copy = calloc(1, size);
    if (copy == NULL)
        return NULL;
    at = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        if (arguments[i].at == NULL)
            continue;
        memcpy(at, arguments[i].at, arguments[i].len);
        copy[i] = (struct pgs_text){at, arguments[i].len};
        at += arguments[i].len;
    }
    return copy;
}

struct pgs__subscription *
pgs__subscription_open(struct pgs__session *session, const struct pgs_live *live, const char *id,
                       const struct pgs_text *arguments)
{
    struct pgs__subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        return NULL;
    subscription->arguments = copy_arguments(arguments, live->arguments->n_fields);
    if (subscription->arguments == NULL) {
        free(subscription);
        return NULL;
    }
    subscription->session = session;
    subscription->live = live;
    (void)snprintf(subscription->id, sizeof(subscription->id), "%s", id);
    for (size_t i = 0; i < live->n_watched; i++)
        subscription->tables |= pgs_watched_bit(live->watched[i]);
    /* What came before may still be invisible to the first asking. */
    subscription->seen = session->thread->recent.floor;
    subscription->start_ms = -MIN_INTERVAL_MS;
    h2o_linklist_insert(&session->subscriptions, &subscription->link);
    session->n_subscriptions++;
    h2o_linklist_insert(&session->thread->due, &subscription->turn);
    return subscription;
}

void
pgs__subscription_close(struct pgs__subscription *subscription)
{
    if (subscription->txn != NULL) {
        pgs_txn_detach(subscription->txn);
        subscription->session->thread->n_in_flight--;
    }
    unlink_turn(subscription);
    h2o_linklist_unlink(&subscription->link);
    subscription->session->n_subscriptions--;
    subscription->session->result_bytes -= subscription->result.bytes.len;
    subscription->session->thread->result_bytes -= subscription->result.bytes.len;
    pgs__result_clear(&subscription->result);
    free(subscription->arguments);
    free(subscription);
}

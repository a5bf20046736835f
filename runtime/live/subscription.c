/* SPDX-License-Identifier: MIT */
/*
 * A subscription is asked for when a commit touched what it depends on, once at a time, with the
 * rights of its session.  Commits that come while it is asked for, or while its client does not
 * read, are answered together by the next asking: a client that is slow gets fewer, larger changes,
 * and never holds up anybody.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/metric.h"
#include "codec/sqlstate.h"
#include "live/facts.h"
#include "live/frame.h"
#include "live/joined.h"
#include "live/match.h"
#include "live/reading.h"
#include "live/sql.h"

#define MIN_INTERVAL_MS 5
#define RETRY_MIN_MS 2
#define RETRY_MAX_MS 100
#define UNAVAILABLE_MS 200
#define MAX_FAILURES 5    /* in a row, that may pass */
#define FACTS_STATEMENT 1 /* behind the snapshot */

static const char snapshot_sql[] = PGS_LIVE_SNAPSHOT_SQL;

/* ---- turns ---- */

/* `applied`: its client has no commit after that one. */
static void
mark(struct pgs__subscription *subscription, uint64_t applied)
{
    int64_t since = pgs_clock_ms() - subscription->start_ms;

    if (subscription->asking != NULL || h2o_linklist_is_linked(&subscription->turn))
        return;
    subscription->applied = applied;
    if (since < MIN_INTERVAL_MS)
        pgs__turn_later(subscription, MIN_INTERVAL_MS - since);
    else
        pgs__turn_now(subscription);
}

void
pgs__subscription_mark(struct pgs__subscription *subscription)
{
    mark(subscription, subscription->session->thread->recent.last - 1);
}

void
pgs__subscription_restart(struct pgs__subscription *subscription)
{
    pgs__joined_free(subscription->joined);
    subscription->joined = NULL;
    subscription->again = subscription->asking != NULL;
    subscription->is_unmatched = false;
    mark(subscription, subscription->session->thread->recent.last);
}

/* ---- failures ---- */

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

static void
fail_size(struct pgs__subscription *subscription)
{
    pgs_limit_hit(PGS_LIMIT_LIVE_RESULT);
    fail(subscription, "too_large", "The result has too many rows or bytes: add a limit");
}

/* A result that nobody keeps up to date is not told: it is asked for when changes are followed, as
 * news of that come, or given up. */
static bool
is_fed(struct pgs__subscription *subscription)
{
    bool is_fed_now =
        subscription->has_result || subscription->session->thread->feed == PGS__FEED_FOLLOWING;

    if (is_fed_now)
        subscription->unfed_ms = 0;
    else if (subscription->unfed_ms == 0)
        subscription->unfed_ms = pgs_clock_ms();
    return is_fed_now;
}

void
pgs__subscriptions_give_up(struct pgs__session *session)
{
    int64_t now_ms = pgs_clock_ms();
    h2o_linklist_t *link = session->subscriptions.next;

    while (link != &session->subscriptions) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, link);

        link = link->next;
        if (subscription->unfed_ms == 0 || now_ms - subscription->unfed_ms < PGS_LIVE_MAX_UNFED_MS)
            continue;
        pgs_limit_hit(PGS_LIMIT_LIVE_UNFED);
        fail(subscription, "unavailable", "Changes cannot be followed at the moment");
    }
}

/* ---- bytes ---- */

/* False: it is too much, and has become more. */
static bool
count_bytes(struct pgs__subscription *subscription)
{
    struct pgs__session *session = subscription->session;
    size_t now = subscription->own_bytes + subscription->held.bytes + subscription->facts_bytes +
                 pgs__joined_bytes(subscription->joined),
           before = subscription->counted_bytes;

    session->result_bytes += now - before;
    session->thread->result_bytes += now - before;
    subscription->counted_bytes = now;
    return session->result_bytes <= PGS_LIVE_MAX_SESSION_BYTES &&
           (now <= before || session->thread->result_bytes <= PGS_LIVE_MAX_THREAD_BYTES);
}

/* What is known of other tables can be asked for again. */
void
pgs__subscription_count_bytes(struct pgs__subscription *subscription)
{
    bool has_room = count_bytes(subscription);

    if (!has_room && subscription->joined != NULL) {
        pgs__joined_free(subscription->joined);
        subscription->joined = NULL;
        has_room = count_bytes(subscription);
    }
    if (!has_room || subscription->held.n > PGS_LIVE_MAX_ROWS)
        fail_size(subscription);
}

/* ---- answers ---- */

/* Its places among those whom changes concern go by them. */
static void
take_facts(struct pgs__subscription *subscription, struct pgs_txn *txn)
{
    const struct pgs_matcher *matcher = subscription->matcher;

    pgs__match_leave(subscription);
    free(subscription->facts);
    subscription->facts = NULL;
    subscription->facts_bytes = 0;
    if (matcher != NULL)
        subscription->facts =
            pgs__facts_read(txn, matcher, FACTS_STATEMENT, &subscription->facts_bytes);
    pgs__match_join(subscription);
}

/* The statement of the rows is behind those of the facts. */
static int
rows_statement(const struct pgs__subscription *subscription)
{
    const struct pgs_matcher *matcher = subscription->matcher;

    if (matcher == NULL)
        return FACTS_STATEMENT;
    return FACTS_STATEMENT + (matcher->values.sql != NULL) + (int)matcher->n_sets;
}

static void
tell(struct pgs__subscription *subscription, struct pgs__held *after, h2o_mem_pool_t *pool)
{
    struct pgs__delta delta;

    pgs_count(PGS_CELL_LIVE_RESULTS + PGS_LIVE_ASKED, 1);
    if (subscription->has_result) {
        pgs__delta_of_results(&delta, &subscription->held, after, subscription->live->ordered,
                              pool);
        pgs__frame_delta(subscription, &delta);
    } else {
        pgs__frame_snapshot(subscription, after);
    }
    pgs__held_clear(&subscription->held);
    pgs__held_number(after);
    subscription->held = *after;
    memset(after, 0, sizeof(*after));
    subscription->has_result = true;
}

/* Again soon: what it waits for is about to be seen. */
static void
retry(struct pgs__subscription *subscription)
{
    int64_t ms = RETRY_MIN_MS;

    for (int i = 0; i < subscription->tries && ms < RETRY_MAX_MS; i++)
        ms *= 2;
    subscription->tries++;
    pgs__turn_later(subscription, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

/*
 * A client has never more than what comes next holds: results go forward.  Where the answer holds
 * less than what was matched already, the next one is waited for.
 */
static void
take_rows(struct pgs__subscription *subscription, struct pgs__held *after,
          const struct pgs__snapshot *snapshot, h2o_mem_pool_t *pool)
{
    struct pgs__recent *recent = &subscription->session->thread->recent;
    uint64_t stopped = recent->last + 1;
    enum pgs__replay replay = pgs__match_replay(subscription, after, snapshot, pool, &stopped);

    pgs__recent_settle(recent, snapshot);
    if (replay == PGS__REPLAYED && recent->last < subscription->applied) {
        replay = PGS__STOPPED; /* its client comes from a thread that was ahead of this one */
        stopped = 0;
    }
    if (replay == PGS__REPLAYED || (replay == PGS__STOPPED && stopped > subscription->applied)) {
        subscription->told = stopped - 1;
        pgs__seen_keep(&subscription->seen, snapshot);
        tell(subscription, after, pool);
        if (subscription->applied < stopped - 1)
            subscription->applied = stopped - 1;
    }
    if (replay != PGS__REPLAYED) {
        retry(subscription);
        return;
    }
    subscription->tries = 0;
}

static void
ask_unmatched(struct pgs__subscription *subscription)
{
    subscription->is_unmatched = true;
    pgs__turn_now(subscription);
}

static void
take_result(struct pgs__subscription *subscription, struct pgs_txn *txn)
{
    struct pgs__held after = {0};
    struct pgs__snapshot snapshot;
    struct pgs__rows rows;
    h2o_mem_pool_t pool;
    size_t len;
    const char *text = pgs_txn_value(txn, 0, 0, 0, &len);
    struct pgs_text lsn = {.at = pgs_txn_value(txn, 0, 0, 1, &lsn.len)};

    if (!pgs__snapshot_read(text, lsn, &snapshot)) {
        fail(subscription, "unavailable", "The database gave no snapshot");
        return;
    }
    h2o_mem_init_pool(&pool);
    take_facts(subscription, txn);
    subscription->failures = 0;
    rows = pgs__match_rows(subscription);
    switch (pgs__rows_read(&rows, txn, rows_statement(subscription), &pool, &after)) {
    case PGS__READ:
        subscription->joined =
            pgs__joined_read(&rows, txn, rows_statement(subscription), subscription->joined);
        pgs__match_learn(subscription, &after, &snapshot, &pool);
        take_rows(subscription, &after, &snapshot, &pool);
        pgs__subscription_count_bytes(subscription);
        break;
    case PGS__UNPLACED: /* such as a label that a type got after the server was built */
        ask_unmatched(subscription);
        break;
    case PGS__TOO_LARGE:
        fail_size(subscription);
        break;
    }
    pgs__held_clear(&after);
    h2o_mem_clear_pool(&pool);
}

/* True: asked again, not for ever. */
static bool
has_patience(struct pgs__subscription *subscription, const struct pgs_db_error *error)
{
    if (!pgs_sqlstate_is_passing(error->sqlstate) || subscription->failures == MAX_FAILURES)
        return false;
    pgs__turn_later(subscription, UNAVAILABLE_MS << subscription->failures++);
    return true;
}

/*
 * A fact may fail that the query itself would not have computed, such as the cast of a claim beside
 * an `or`, or be too large.  So it is asked once more without facts, unless its caller has become
 * another one.
 */
static void
take_error(struct pgs__subscription *subscription, const struct pgs_db_error *error)
{
    if (has_patience(subscription, error))
        return;
    if (subscription->matcher == NULL) {
        if (error->is_too_large)
            fail_size(subscription);
        else
            fail_database(subscription, error);
        return;
    }
    ask_unmatched(subscription);
}

/* An answer to who the caller was before, or for a client that has not read the ones before. */
static bool
put_off_answer(struct pgs__subscription *subscription)
{
    bool is_full = pgs__session_is_full(subscription->session);

    if (!subscription->again && !is_full)
        return false;
    if (is_full)
        pgs_limit_hit(PGS_LIMIT_LIVE_QUEUE);
    pgs__turn_later(subscription, is_full ? RETRY_MAX_MS : RETRY_MIN_MS);
    subscription->again = false;
    return true;
}

static void
take_answer(struct pgs__subscription *subscription, struct pgs_txn *txn)
{
    struct pgs_db_error error;

    if (put_off_answer(subscription))
        return;
    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        take_result(subscription, txn);
        break;
    case PGS_TXN_FAILED:
        error = pgs_txn_error(txn);
        take_error(subscription, &error);
        break;
    default: /* no answer, for whatever reason: a read may be asked again */
        pgs__turn_later(subscription, UNAVAILABLE_MS);
        break;
    }
}

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct pgs__asking *asking = owner;
    struct pgs_live_thread *thread = asking->thread;
    struct pgs__subscription *subscription = pgs__asking_end(asking);

    if (subscription != NULL)
        take_answer(subscription, txn);
    pgs__subscriptions_pump(thread);
}

/* NULL: no memory. */
static struct pgs_txn *
make_txn(const struct pgs__subscription *subscription, const struct pgs_matcher *matcher)
{
    const struct pgs__session *session = subscription->session;
    const struct pgs_live *live = subscription->live;
    struct pgs_txn *txn = pgs_txn_new(session->thread->config.pool, session->who.session);

    if (txn == NULL)
        return NULL;
    pgs_txn_statement(txn, snapshot_sql, sizeof(snapshot_sql) - 1);
    if (matcher != NULL)
        pgs__facts_ask(txn, matcher, subscription->arguments);
    pgs_txn_statement(txn, live->sql, strlen(live->sql));
    for (size_t i = 0; i < live->arguments->n_fields; i++) {
        struct pgs_text argument = subscription->arguments[i];

        if (argument.at != NULL)
            pgs_txn_bind_text(txn, argument.at, argument.len);
        else
            pgs_txn_bind_null(txn);
    }
    return txn;
}

/* What was slow the last time may be quick now, and the other way round: then it stands in the
 * wrong line. */
static void
ask(struct pgs__subscription *subscription)
{
    struct pgs_live_thread *thread = subscription->session->thread;
    const struct pgs_matcher *matcher = pgs__match_choose(subscription);
    struct pgs_txn *txn = make_txn(subscription, matcher);

    if (txn == NULL) {
        pgs__turn_later(subscription, UNAVAILABLE_MS);
        return;
    }
    subscription->line = pgs_txn_is_slow(txn) ? PGS__LINE_SLOW : PGS__LINE_QUICK;
    if (!pgs__turns_have_room(thread, subscription->line)) {
        pgs_txn_discard(txn);
        pgs__turn_now(subscription);
        return;
    }
    if (pgs__asking_begin(subscription, txn) == NULL) {
        pgs_txn_discard(txn);
        pgs__turn_later(subscription, UNAVAILABLE_MS);
        return;
    }
    subscription->start_ms = pgs_clock_ms();
    subscription->from = thread->recent.floor;
    subscription->matcher = matcher;
    pgs_txn_send(txn, false, on_done, subscription->asking);
}

void
pgs__subscriptions_pump(struct pgs_live_thread *thread)
{
    struct pgs__subscription *subscription;

    while ((subscription = pgs__turns_next(thread)) != NULL) {
        if (pgs__session_is_full(subscription->session)) {
            pgs_limit_hit(PGS_LIMIT_LIVE_QUEUE);
            pgs__turn_later(subscription, RETRY_MAX_MS);
        } else if (pgs__subscription_has_settled(subscription) && is_fed(subscription)) {
            ask(subscription);
        }
    }
}

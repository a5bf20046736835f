/* SPDX-License-Identifier: MIT */
/* What a subscription makes of PostgreSQL's answers: when they are told, and when they wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/limit.h"
#include "live/frame.h"
#include "runtime_backend.h"

#define DONE "1\0\0\0\4Z\0\0\0\5I"
#define BOUND "2\0\0\0\4"
#define ONE "C\0\0\0\15SELECT 1\0"
#define ROLE BOUND "D\0\0\0\16\0\1\0\0\0\4anon" ONE
#define SNAPSHOT                                                                                   \
    BOUND "D\0\0\0\24\0\2\0\0\0\6"                                                                 \
          "90:90:\xff\xff\xff\xff" ONE
#define ROW BOUND "D\0\0\0\13\0\1\0\0\0\0017" ONE
#define ANSWER ROLE SNAPSHOT ROW "Z\0\0\0\5I"

static const char prepared[] = DONE DONE DONE, answer[] = ANSWER;

static struct backend backend;
static struct pgs_live_thread *thread;
static struct pgs__session session;
static struct pgs__subscription subscription;
static struct {
    size_t queued_bytes; /* that its client has not read */
    struct pgs_buf told;
} client;
static int64_t now_us = 1000000;

static int64_t
clock_us(void)
{
    return now_us;
}

static void
client_send(void *at, const struct pgs_buf *frame)
{
    (void)at;
    pgs_buf_add(&client.told, frame->at, frame->len);
}

static size_t
client_queued_bytes(void *at)
{
    (void)at;
    return client.queued_bytes;
}

static const struct pgs__transport transport = {.send = client_send,
                                                .queued_bytes = client_queued_bytes};

static int
begin(void **state)
{
    static const struct pgs_clock clock = {clock_us, NULL};
    static const struct pgs_shape no_arguments;
    static const struct pgs_column columns[] = {PGS_COLUMN("n", "n", PGS_INT4, "integer", false)};
    static const struct pgs_live live = {.name = "q",
                                         .sql = "select n",
                                         .arguments = &no_arguments,
                                         .columns = columns,
                                         .n_columns = 1};
    static struct pgs_text who[] = {{"anon", 4}};

    (void)state;
    pgs_clock_replace(&clock);
    backend_open(&backend);
    thread = calloc(1, sizeof(*thread));
    if (thread == NULL)
        return 1;
    thread->loop = backend.pool->loop;
    thread->config.pool = backend.pool;
    thread->feed = PGS__FEED_FOLLOWING;
    pgs__turns_init(&thread->turns);
    h2o_timeout_init(thread->loop, &thread->tick_timeout, 2);
    session = (struct pgs__session){.thread = thread,
                                    .transport = &transport,
                                    .shelf = pgs__shelf_open(),
                                    .who = {.session = who, .n_session = 1}};
    pgs__places_init(&session.places);
    subscription = (struct pgs__subscription){.session = &session, .live = &live, .id = "a"};
    client.queued_bytes = 0;
    pgs_buf_init(&client.told, 0);
    pgs__turn_now(&subscription);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    pgs__turn_drop(&subscription);
    pgs__held_clear(&subscription.held);
    pgs__seen_clear(&subscription.seen);
    pgs__sent_clear(&subscription.sent, session.shelf);
    pgs__shelf_close(session.shelf);
    if (h2o_timeout_is_linked(&thread->tick))
        h2o_timeout_unlink(&thread->tick);
    h2o_timeout_dispose(thread->loop, &thread->tick_timeout);
    free(thread);
    backend_close(&backend);
    pgs_buf_clear(&client.told);
    return 0;
}

/* It is asked for, in its turn, and answered. */
static void
ask_and_answer(void)
{
    bool is_first = backend.conn.statements.n == 0;
    struct pgs_txn *txn;

    pgs__subscriptions_pump(thread);
    assert_non_null(subscription.asking);
    txn = subscription.asking->txn;
    h2o_linklist_unlink(&txn->link); /* from the queue of a pool that has no connection */
    backend.pool->n_queued--;
    pgs__conn_send(&backend.conn, txn);
    if (is_first)
        assert_true(backend_say(&backend, prepared, sizeof(prepared) - 1));
    assert_true(backend_say(&backend, answer, sizeof(answer) - 1));
    assert_null(subscription.asking);
}

static void
later(void)
{
    now_us += 200000;
    pgs__turns_tick(thread);
}

static bool
was_told(const char *text)
{
    pgs_buf_add_char(&client.told, '\0');
    client.told.len--;
    return strstr(client.told.at, text) != NULL;
}

static void
test_told(void **state)
{
    (void)state;
    ask_and_answer();
    assert_true(was_told("\"rows\":[{\"n\":7}]"));
    assert_false(h2o_linklist_is_linked(&subscription.turn));
}

/* Its client has not read what was told before: this answer is not told on top. */
static void
test_full_queue(void **state)
{
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_QUEUE);

    (void)state;
    pgs__subscriptions_pump(thread);
    client.queued_bytes = PGS_LIVE_MAX_QUEUED_BYTES + 1;
    ask_and_answer();
    assert_int_equal(client.told.len, 0);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_QUEUE), hits + 1);
    client.queued_bytes = 0;
    later();
    ask_and_answer();
    assert_true(was_told("snapshot"));
}

/* Its client comes from a thread that knew of commits which this one is not told of yet. */
static void
test_never_backwards(void **state)
{
    (void)state;
    thread->recent.last = thread->recent.floor = 3;
    subscription.applied = 5;
    ask_and_answer();
    assert_int_equal(client.told.len, 0);
    assert_int_equal(subscription.applied, 5);
    thread->recent.last = thread->recent.floor = 5;
    later();
    ask_and_answer();
    assert_true(was_told("snapshot"));
    assert_int_equal(subscription.applied, 5);
}

/* Frames that a connection which ends does not send any more were not read by its client. */
static void
test_unsent_frames_count(void **state)
{
    (void)state;
    ask_and_answer();
    assert_int_equal(session.n_frames, 1);
    session.is_ending = true;
    client.told.len = 0;
    pgs__frame_reset(&subscription);
    assert_int_equal(client.told.len, 0);
    assert_int_equal(session.n_frames, 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_told),
        CASE(test_full_queue),
        CASE(test_never_backwards),
        CASE(test_unsent_frames_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

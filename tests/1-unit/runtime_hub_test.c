/* SPDX-License-Identifier: MIT */
/* Commits on their way from the feed through the hub to a thread and its subscribers, with nobody
 * at the ends: a client that does not read, a thread that is slower than the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "live/match.h"
#include "runtime_commits.h"

#define LONG_MS 60000
#define LARGE 8388608 /* bytes of a row */

/* ---- an application with one live query ---- */

static const struct pgs_column columns[] = {PGS_COLUMN("id", "id", PGS_INT8, "bigint", false),
                                            PGS_COLUMN("body", "body", PGS_TEXT, "text", false)};
static const uint16_t places[] = {0, 1};

static enum pgs_truth
holds(const struct pgs_text *row, const struct pgs_facts *facts)
{
    (void)row;
    (void)facts;
    return PGS_TRUE;
}

static const struct pgs_match_rows rows = {.holds = holds, .outputs = places};
static const struct pgs_live_source source = {.watched = 0};
static const struct pgs_matcher matcher = {
    .roles = 1, .sources = &source, .n_sources = 1, .rows = &rows};
static const struct pgs_shape no_arguments = {.n_fields = 0};
static const struct pgs_live notes = {.name = "notes",
                                      .roles = 1,
                                      .arguments = &no_arguments,
                                      .columns = columns,
                                      .n_columns = 2,
                                      .key = places,
                                      .n_key = 1,
                                      .watched = places,
                                      .n_watched = 1,
                                      .matchers = &matcher,
                                      .n_matchers = 1};
static const struct pgs_live *const lives[] = {&notes, NULL};
static const struct pgs_app app = {.lives = lives, .watched = watched};

/* ---- a thread with a client ---- */

static h2o_loop_t *loop;
static struct pgs_hub *hub;
static struct pgs_live_thread *thread;
static struct pgs__session *session;
static h2o_multithread_queue_t *volatile queues[16]; /* libh2o frees none; a sanitizer finds them */
static size_t n_queues, queued;
static int n_frames;

static void
send_frame(void *at, const struct pgs_buf *frame)
{
    (void)at;
    assert_false(frame->failed);
    queued += frame->len;
    n_frames++;
}

static size_t
queued_bytes(void *at)
{
    (void)at;
    return queued;
}

static void
do_nothing(void *at)
{
    (void)at;
}

static void
end(void *at, int code, const char *reason)
{
    (void)at;
    fail_msg("ended with %d, %s", code, reason);
}

static const struct pgs__transport transport = {send_frame, queued_bytes, end, do_nothing};

static void
open_session(void)
{
    session = calloc(1, sizeof(*session));
    assert_non_null(session);
    session->thread = thread;
    session->transport = &transport;
    session->shelf = pgs__hub_shelf(hub);
    session->gen = 7;
    h2o_linklist_init_anchor(&session->subscriptions);
    pgs__places_init(&session->places);
    h2o_linklist_insert(&thread->sessions, &session->link);
    queued = 0;
    n_frames = 0;
}

/* The feed of this hub never connects; nobody asks a database, and nobody looks after sessions. */
static int
open_unfed(void **state)
{
    struct pgs_live_config config = {.app = &app};

    (void)state;
    config.hub = hub;
    thread = pgs_live_open(loop, &config);
    assert_non_null(thread);
    thread->turns.lines[PGS__LINE_QUICK].n_asked = PGS_LIVE_MAX_ASKED;
    h2o_timeout_unlink(&thread->second);
    open_session();
    return 0;
}

static int
open_thread(void **state)
{
    hub = pgs_hub_open(&app, "host=/nowhere port=1", 20, 60000);
    assert_non_null(hub);
    pgs__hub_on_state(hub, true);
    return open_unfed(state);
}

static int
open_resting(void **state)
{
    hub = pgs_hub_open(&app, "host=/nowhere port=1", 20, 60000);
    assert_non_null(hub);
    assert_true(pgs__hub_on_rest(hub));
    return open_unfed(state);
}

static int
close_thread(void **state)
{
    (void)state;
    queues[n_queues++] = thread->queue;
    pgs__session_close(session, false);
    pgs_live_close(thread);
    pgs_hub_close(hub);
    return 0;
}

/* One that has its result, without rows, and is matched. */
static struct pgs__subscription *
subscribe(const char *id)
{
    struct pgs__subscription *subscription;

    pgs__subscription_begin(&(struct pgs__wanted){session, id, &notes, NULL},
                            &(struct pgs__mark){.gen = 0});
    assert_false(h2o_linklist_is_empty(&session->subscriptions));
    subscription =
        H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, session->subscriptions.prev);
    pgs__turn_drop(subscription);
    subscription->has_result = true;
    subscription->matcher = &matcher;
    subscription->facts = calloc(1, sizeof(*subscription->facts));
    assert_non_null(subscription->facts);
    pgs__match_join(subscription);
    return subscription;
}

static bool
is_due(const struct pgs__subscription *subscription)
{
    return h2o_linklist_is_linked((h2o_linklist_t *)&subscription->turn);
}

/* ---- commits ---- */

static void
commit(uint32_t xid, size_t len)
{
    pgs__hub_on_changes(hub, commit_of(xid, len));
    pgs__hub_on_pause(hub);
}

/* Until the thread knows of commit `number`. */
static void
run_until(uint64_t number)
{
    for (int ms = 0; thread->recent.last < number && ms < LONG_MS; ms += 10)
        (void)h2o_evloop_run(loop, 10);
    assert_int_equal(thread->recent.last, number);
}

/* ---- what comes together ---- */

static size_t
count_news(void)
{
    const h2o_linklist_t *messages = &thread->listener.receiver._messages;
    size_t n = 0;

    for (const h2o_linklist_t *link = messages->next; link != messages; link = link->next)
        n++;
    return n;
}

/* The thread is woken once, and hears of each in its turn. */
static void
test_commits_are_told_together(void **state)
{
    (void)state;
    (void)subscribe("a");
    for (uint32_t xid = 1; xid <= 10; xid++)
        pgs__hub_on_changes(hub, commit_of(xid, xid));
    assert_int_equal(count_news(), 0);
    pgs__hub_on_pause(hub);
    assert_int_equal(count_news(), 1);
    pgs__hub_on_pause(hub);
    assert_int_equal(count_news(), 1);
    run_until(10);
    assert_int_equal(thread->listener.waiting_bytes, 0);
    for (uint64_t number = 1; number <= 10; number++)
        assert_int_equal(pgs__recent_at(&thread->recent, number)->xid, number);
    assert_int_equal(n_frames, 10);
}

/* However long nothing pauses. */
static void
test_many_do_not_wait(void **state)
{
    (void)state;
    (void)subscribe("a");
    for (uint32_t xid = 1; xid <= PGS_HUB_MAX_TOGETHER; xid++)
        pgs__hub_on_changes(hub, commit_of(xid, 1));
    assert_int_equal(count_news(), 1);
    pgs__hub_on_changes(hub, commit_of(1000, LARGE));
    assert_int_equal(count_news(), 2);
    run_until(PGS_HUB_MAX_TOGETHER + 1);
}

/* Who comes meanwhile has been told already. */
static void
test_one_who_comes_between(void **state)
{
    (void)state;
    pgs__hub_on_changes(hub, commit_of(1, 1));
    (void)subscribe("a");
    assert_int_equal(thread->recent.last, 1);
    pgs__hub_on_changes(hub, commit_of(2, 1));
    pgs__hub_on_pause(hub);
    run_until(2);
    assert_int_equal(n_frames, 1);
    pgs__hub_on_changes(hub, commit_of(3, 3));
    pgs__hub_on_state(hub, false); /* comes behind it */
    run_until(3);
    assert_int_equal(n_frames, 2);
    assert_int_equal(thread->feed, PGS__FEED_LOST);
    pgs__hub_on_changes(hub, commit_of(4, 1)); /* and is let go by who closes */
}

/* ---- a client that does not read ---- */

/* What one commit makes for all of its subscriptions counts, too. */
static void
test_one_commit_does_not_overfill(void **state)
{
    enum {
        N = 40,
        BYTES = 200000
    };
    struct pgs__subscription *all[N];
    int n_told = 0;

    (void)state;
    for (int i = 0; i < N; i++)
        all[i] = subscribe((const char[]){(char)('A' + i), '\0'});
    commit(1, BYTES);
    run_until(1);
    assert_true(queued > PGS_LIVE_MAX_QUEUED_BYTES);
    assert_true(queued < PGS_LIVE_MAX_QUEUED_BYTES + 2 * BYTES);
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i]->held.n, is_due(all[i]) ? 0 : 1);
        n_told += !is_due(all[i]);
    }
    assert_int_equal(n_told, n_frames);
}

/* ---- a thread that is slower than the log ---- */

static void
test_too_many_commits_wait(void **state)
{
    const struct pgs__subscription *subscription = subscribe("a");
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_BEHIND), n = 0;

    (void)state;
    while (!thread->listener.is_behind && n < 100)
        commit((uint32_t)++n, LARGE);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_BEHIND), hits + 1);
    assert_true(thread->listener.waiting_bytes > PGS_HUB_MAX_WAITING_BYTES - 2 * LARGE);
    assert_true(thread->listener.waiting_bytes <= PGS_HUB_MAX_WAITING_BYTES);
    for (int i = 0; i < 3; i++)
        commit((uint32_t)++n, LARGE);
    assert_true(thread->listener.waiting_bytes <= PGS_HUB_MAX_WAITING_BYTES);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_BEHIND), hits + 1);
    run_until(n);
    assert_int_equal(thread->listener.waiting_bytes, 0);
    assert_false(thread->listener.is_behind);
    assert_int_equal(pgs__recent_at(&thread->recent, n)->xid, n);
    assert_true(is_due(subscription));
    assert_int_equal(subscription->applied, n); /* nothing that holds less is told */
    assert_int_equal(session->gen, 7);
    assert_int_equal(n_frames, 0);
    commit((uint32_t)++n, 1);
    run_until(n);
}

/* Whoever left and came back meanwhile has the hub's memory already. */
static void
test_behind_and_gone(void **state)
{
    struct pgs__subscription *before = subscribe("a");
    uint64_t n = 0;

    (void)state;
    while (!thread->listener.is_behind && n < 100)
        commit((uint32_t)++n, LARGE);
    pgs__subscription_close(before);
    commit((uint32_t)++n, 1);
    (void)subscribe("b");
    commit((uint32_t)++n, 1);
    run_until(n);
    assert_int_equal(n_frames, 1); /* of the last commit */
    assert_int_equal(thread->listener.waiting_bytes, 0);
}

static void *
tell_many(void *arg)
{
    for (uint32_t xid = 1; xid <= *(const uint32_t *)arg; xid++)
        commit(xid, LARGE / 8);
    return NULL;
}

static void
test_commits_from_another_thread(void **state)
{
    uint32_t n = 300;
    pthread_t feed;

    (void)state;
    (void)subscribe("a");
    assert_int_equal(pthread_create(&feed, NULL, tell_many, &n), 0);
    run_until(n);
    assert_int_equal(pthread_join(feed, NULL), 0);
    for (uint64_t number = 1; number <= n; number++)
        assert_int_equal(pgs__recent_at(&thread->recent, number)->xid, number);
}

/* ---- a feed that begins anew ---- */

/* What was told before is not waited for: it may have been lost with its server. */
static void
test_floor_of_a_new_feed(void **state)
{
    (void)state;
    for (uint32_t xid = 1; xid <= 3; xid++)
        commit(xid, 1);
    pgs__hub_on_state(hub, false);
    pgs__hub_on_state(hub, true);
    commit(4, 1);
    (void)subscribe("a"); /* the news of the connection are behind it, and old */
    assert_int_equal(thread->recent.last, 4);
    assert_int_equal(thread->recent.floor, 3);
    assert_int_equal(thread->feed, PGS__FEED_FOLLOWING);
    commit(5, 1);
    run_until(5);
    assert_int_equal(thread->feed, PGS__FEED_FOLLOWING);
    assert_int_equal(thread->recent.floor, 3);
    assert_int_equal(session->gen, 7);
}

/* ---- a feed that is not wanted ---- */

static struct pgs__subscription *
begin(const char *id)
{
    pgs__subscription_begin(&(struct pgs__wanted){session, id, &notes, NULL},
                            &(struct pgs__mark){.gen = 0});
    assert_false(h2o_linklist_is_empty(&session->subscriptions));
    return H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, session->subscriptions.prev);
}

/* With room to ask for what may be asked for. */
static void
pump(void)
{
    thread->turns.lines[PGS__LINE_QUICK].n_asked = 0;
    pgs__subscriptions_pump(thread);
    thread->turns.lines[PGS__LINE_QUICK].n_asked = PGS_LIVE_MAX_ASKED;
}

static void
run_until_fed(void)
{
    for (int ms = 0; thread->feed != PGS__FEED_FOLLOWING && ms < LONG_MS; ms += 10)
        (void)h2o_evloop_run(loop, 10);
    assert_int_equal(thread->feed, PGS__FEED_FOLLOWING);
}

static void
test_the_first_waits_for_the_feed(void **state)
{
    struct pgs__subscription *subscription;

    (void)state;
    assert_false(pgs__hub_wants_changes(hub));
    subscription = begin("a");
    assert_true(pgs__hub_wants_changes(hub));
    assert_false(pgs__hub_on_rest(hub));
    pump();
    assert_false(is_due(subscription));
    assert_null(subscription->asking);
    pgs__subscriptions_give_up(session);
    assert_int_equal(n_frames, 0);
    pgs__hub_on_state(hub, true);
    run_until_fed();
    assert_true(is_due(subscription));
    assert_int_equal(session->gen, 7); /* it was told nothing */
}

static void
test_who_holds_a_result_is_told_of_another_feed(void **state)
{
    struct pgs__subscription *subscription = subscribe("a");

    (void)state;
    pgs__hub_on_state(hub, true);
    run_until_fed();
    assert_true(is_due(subscription));
    assert_int_not_equal(session->gen, 7);
}

static void
test_waiting_for_the_feed_has_an_end(void **state)
{
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_UNFED);
    struct pgs__subscription *late, *early = begin("a");

    (void)state;
    late = begin("b");
    pump();
    pgs__subscriptions_give_up(session);
    assert_int_equal(session->n_subscriptions, 2);
    early->unfed_ms -= PGS_LIVE_MAX_UNFED_MS;
    pgs__subscriptions_give_up(session);
    assert_int_equal(session->n_subscriptions, 1);
    assert_int_equal(n_frames, 1);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_UNFED), hits + 1);
    pgs__hub_on_state(hub, true);
    run_until_fed();
    assert_true(is_due(late));
}

static void
test_whoever_comes_finds_it_resting(void **state)
{
    (void)state;
    commit(1, LARGE);
    assert_true(pgs__hub_on_rest(hub));
    (void)begin("a");
    assert_int_equal(thread->feed, PGS__FEED_RESTING);
    assert_int_equal(thread->recent.floor, 1);
    assert_int_equal(thread->recent.bytes, 0); /* nothing is kept for nobody */
}

/* Each attempt to follow changes that fails says that it has. */
static void
test_the_same_is_said_once(void **state)
{
    uint64_t gen;

    (void)state;
    (void)subscribe("a");
    pgs__hub_on_state(hub, false);
    commit(1, 1);
    run_until(1);
    assert_int_equal(thread->feed, PGS__FEED_LOST);
    gen = session->gen;
    assert_int_not_equal(gen, 7);
    pgs__hub_on_state(hub, false);
    commit(2, 1);
    run_until(2);
    assert_int_equal(session->gen, gen);
}

/* Its client may come back, or go from page to page. */
static void
test_the_feed_outlasts_the_last(void **state)
{
    (void)state;
    pgs__subscription_close(subscribe("a"));
    assert_true(pgs__hub_wants_changes(hub));
    assert_false(pgs__hub_on_rest(hub));
    (void)subscribe("b");
    assert_int_equal(thread->feed, PGS__FEED_FOLLOWING);
}

/* ---- a client that comes back ---- */

/* What waits for the thread is bounded, and one claim for all that one connection comes back for.
 */
static void
test_claims_are_bounded(void **state)
{
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_CLAIMS);
    struct pgs__shelf *shelf = pgs__hub_shelf(hub);
    struct pgs__session others[PGS_SHELF_MAX_CLAIMS + 1];

    (void)state;
    pgs__shelf_know(shelf, session);
    for (size_t i = 0; i < PGS_COUNT(others); i++) {
        others[i] = (struct pgs__session){.who = {.role = 1}, .gen = 100 + i};
        for (int j = 0; j < 100; j++)
            assert_int_equal(pgs__shelf_claim(shelf, &others[i], session->gen),
                             i < PGS_SHELF_MAX_CLAIMS);
    }
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_CLAIMS), hits + 100);
    assert_int_equal(count_news(), PGS_SHELF_MAX_CLAIMS);
    for (int ms = 0; session->n_claims > 0 && ms < LONG_MS; ms += 10)
        (void)h2o_evloop_run(loop, 10);
    assert_true(pgs__shelf_claim(shelf, &others[0], session->gen));
    assert_int_equal(count_news(), 1);
    assert_false(pgs__shelf_claim(shelf, &others[0], session->gen + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commits_are_told_together, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_many_do_not_wait, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_one_who_comes_between, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_claims_are_bounded, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_one_commit_does_not_overfill, open_thread,
                                        close_thread),
        cmocka_unit_test_setup_teardown(test_too_many_commits_wait, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_behind_and_gone, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_commits_from_another_thread, open_thread,
                                        close_thread),
        cmocka_unit_test_setup_teardown(test_floor_of_a_new_feed, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_the_first_waits_for_the_feed, open_resting,
                                        close_thread),
        cmocka_unit_test_setup_teardown(test_who_holds_a_result_is_told_of_another_feed,
                                        open_resting, close_thread),
        cmocka_unit_test_setup_teardown(test_waiting_for_the_feed_has_an_end, open_resting,
                                        close_thread),
        cmocka_unit_test_setup_teardown(test_whoever_comes_finds_it_resting, open_thread,
                                        close_thread),
        cmocka_unit_test_setup_teardown(test_the_same_is_said_once, open_thread, close_thread),
        cmocka_unit_test_setup_teardown(test_the_feed_outlasts_the_last, open_thread, close_thread),
    };

    loop = h2o_evloop_create();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

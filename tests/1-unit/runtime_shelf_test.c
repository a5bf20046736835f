/* SPDX-License-Identifier: MIT */
/* What is kept for clients that come back: frames, and subscriptions of connections that were lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "base/text.h"
#include "live/thread.h"

static struct pgs__shelf *shelf;
static const struct pgs_shape no_arguments;
static const struct pgs_live live = {.name = "q", .arguments = &no_arguments};

static int
open_shelf(void **state)
{
    (void)state;
    shelf = pgs__shelf_open();
    return shelf == NULL;
}

static int
close_shelf(void **state)
{
    (void)state;
    pgs__shelf_close(shelf);
    return 0;
}

/* ---- frames ---- */

static void
keep(struct pgs__sent *sent, int64_t seq, uint64_t event, const char *text, size_t len)
{
    pgs__sent_add(sent, shelf,
                  &(struct pgs__sent_frame){.seq = seq, .event = event, .len = len, .at = text});
}

static struct pgs__mark
at_seq(int64_t seq)
{
    return (struct pgs__mark){.gen = 1, .by_seq = true, .seq = seq};
}

static bool
holds(const struct pgs__sent *sent, struct pgs__mark mark)
{
    return pgs__sent_holds(sent, &mark);
}

static void
test_frames_since_a_mark(void **state)
{
    struct pgs__sent sent = {.seq = 0};
    struct pgs__mark mark = at_seq(5);
    struct pgs__sent_frame frame;
    size_t place = 0;

    (void)state;
    pgs__sent_begin(&sent, shelf, 4, 10);
    keep(&sent, 5, 12, "five", 4);
    keep(&sent, 6, 15, "six", 3);
    assert_false(holds(&sent, at_seq(3)));
    assert_true(holds(&sent, at_seq(4)));
    assert_true(holds(&sent, at_seq(6)));
    assert_false(holds(&sent, at_seq(7)));
    assert_false(holds(&sent, (struct pgs__mark){.gen = 1, .event = 9}));
    assert_true(holds(&sent, (struct pgs__mark){.gen = 1, .event = 13}));
    assert_int_equal(pgs__sent_forget(&sent, shelf, &mark), 5);
    assert_true(pgs__sent_next(&sent, &place, &frame));
    assert_int_equal(frame.seq, 6);
    assert_memory_equal(frame.at, "six", 3);
    assert_false(pgs__sent_next(&sent, &place, &frame));
    pgs__sent_clear(&sent, shelf);
}

static void
test_frames_are_bounded(void **state)
{
    struct pgs__sent sent = {.seq = 0};
    char *text = calloc(1, PGS_SENT_MAX_BYTES);

    (void)state;
    assert_non_null(text);
    pgs__sent_begin(&sent, shelf, 1, 1);
    for (int64_t seq = 2; seq < 100; seq++)
        keep(&sent, seq, (uint64_t)seq, text, 10000);
    assert_true(sent.bytes.len <= PGS_SENT_MAX_BYTES);
    assert_false(holds(&sent, at_seq(50)));
    assert_true(holds(&sent, at_seq(94)));
    keep(&sent, 100, 100, text, PGS_SENT_MAX_BYTES);
    assert_int_equal(sent.bytes.len, 0);
    assert_false(holds(&sent, at_seq(99)));
    assert_true(holds(&sent, at_seq(100)));
    pgs__sent_clear(&sent, shelf);
    free(text);
}

/* ---- subscriptions ---- */

static struct pgs_text ada[] = {{"authenticated", 13}, {"ada", 3}};
static struct pgs_text bob[] = {{"authenticated", 13}, {"bob", 3}};

static struct pgs__session
session_of(struct pgs_text *who, uint64_t gen)
{
    return (struct pgs__session){.who = {.role = 1, .session = who, .n_session = 2}, .gen = gen};
}

static void
put_with(const struct pgs__session *session, const char *id, size_t bytes, size_t own_bytes,
         int64_t ms)
{
    struct pgs__subscription *subscription = calloc(1, sizeof(*subscription));

    assert_non_null(subscription);
    subscription->live = &live;
    strcpy(subscription->id, id);
    subscription->held.bytes = bytes;
    subscription->own_bytes = own_bytes;
    subscription->sent.seq = subscription->seq = 1;
    pgs__shelf_put(shelf, session, subscription, ms);
}

static void
put(const struct pgs__session *session, const char *id, size_t bytes, int64_t ms)
{
    put_with(session, id, bytes, 0, ms);
}

static bool
find(struct pgs__session *session, const char *id, struct pgs__mark mark)
{
    struct pgs__subscription *subscription =
        pgs__shelf_find(shelf, &(struct pgs__wanted){session, id, &live, NULL}, &mark);

    if (subscription != NULL)
        pgs__subscription_free(subscription);
    return subscription != NULL;
}

static void
test_only_its_caller_finds_it(void **state)
{
    struct pgs__session a = session_of(ada, 1), b = session_of(bob, 1);
    struct pgs_text run_together[] = {{"authenticatedad", 15}, {"a", 1}};
    struct pgs__session c = session_of(run_together, 1);

    (void)state;
    put(&a, "t", 100, 1000);
    assert_false(find(&b, "t", at_seq(1)));
    assert_false(find(&c, "t", at_seq(1)));
    assert_false(find(&a, "u", at_seq(1)));
    assert_false(find(&a, "t", at_seq(2)));
    assert_false(find(&a, "t", (struct pgs__mark){.gen = 1 + 1024, .by_seq = true, .seq = 1}));
    assert_true(find(&a, "t", at_seq(1)));
    assert_false(find(&a, "t", at_seq(1)));
}

static void
test_nobody_comes(void **state)
{
    struct pgs__session a = session_of(ada, 1);

    (void)state;
    put(&a, "t", 100, -1);
    put(&a, "u", 100, 100000);
    pgs__shelf_sweep(shelf);
    assert_false(find(&a, "t", at_seq(1)));
    assert_true(find(&a, "u", at_seq(1)));
}

/* Nobody has swept yet. */
static void
test_who_comes_too_late(void **state)
{
    struct pgs__session a = session_of(ada, 1);

    (void)state;
    put(&a, "t", 100, 0);
    put(&a, "u", 100, 100000);
    assert_false(find(&a, "t", at_seq(1)));
    assert_true(find(&a, "u", at_seq(1)));
}

static void
test_the_oldest_makes_room(void **state)
{
    struct pgs__session a = session_of(ada, 1);
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_LIVE_KEPT);

    (void)state;
    put(&a, "1", PGS_SHELF_MAX_BYTES / 2, 100000);
    put(&a, "2", PGS_SHELF_MAX_BYTES / 3, 100000);
    put(&a, "3", PGS_SHELF_MAX_BYTES / 3, 100000);
    put(&a, "4", PGS_SHELF_MAX_BYTES + 1, 100000);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LIVE_KEPT), hits + 2);
    assert_false(find(&a, "1", at_seq(1)));
    assert_true(find(&a, "2", at_seq(1)));
    assert_true(find(&a, "3", at_seq(1)));
    assert_false(find(&a, "4", at_seq(1)));
    assert_true(pgs__shelf_take(shelf, PGS_SHELF_MAX_BYTES)); /* all was given back */
    pgs__shelf_give_back(shelf, PGS_SHELF_MAX_BYTES);
}

/* What its arguments take is counted, and the frames that are kept beside. */
static void
test_all_of_it_is_counted(void **state)
{
    struct pgs__session a = session_of(ada, 1);

    (void)state;
    assert_true(pgs__shelf_take(shelf, PGS_SHELF_MAX_BYTES / 2));
    put_with(&a, "1", PGS_SHELF_MAX_BYTES / 4, PGS_SHELF_MAX_BYTES / 4, 100000);
    assert_false(find(&a, "1", at_seq(1)));
    put_with(&a, "2", PGS_SHELF_MAX_BYTES / 4, PGS_SHELF_MAX_BYTES / 8, 100000);
    assert_true(find(&a, "2", at_seq(1)));
    pgs__shelf_give_back(shelf, PGS_SHELF_MAX_BYTES / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames_since_a_mark, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_frames_are_bounded, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_only_its_caller_finds_it, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_nobody_comes, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_who_comes_too_late, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_the_oldest_makes_room, open_shelf, close_shelf),
        cmocka_unit_test_setup_teardown(test_all_of_it_is_counted, open_shelf, close_shelf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What subscriptions of pg_reactive are followed by: the heads of their messages, and the way to a
 * thread that may not take them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "base/text.h"
#include "live/relay.h"

/* ---- heads ---- */

static bool
is_id(const char *bytes, size_t len)
{
    return pgs__notice_is_id((struct pgs_text){bytes, len});
}

static void
test_ids(void **state)
{
    char long_one[58];

    (void)state;
    memset(long_one, 'a', sizeof(long_one));
    assert_true(is_id("a", 1));
    assert_true(is_id("open tickets of \303\251\"\\/'; --", 25));
    assert_true(is_id(long_one, 57));
    assert_false(is_id(long_one, 58));
    assert_false(is_id("", 0));
    assert_false(is_id("a\0b", 3));
    assert_false(is_id("a\nb", 3));
    assert_false(is_id("a\x7f", 2));
    assert_false(is_id("\xff", 1));
    assert_false(is_id("\xc0\xaf", 2));
}

static void
test_heads(void **state)
{
    static const struct {
        const char *message, *id;
        int64_t generation;
        bool is_renewal, is_last;
    } good[] = {
        {"{\"query_id\":\"a "
         "b\",\"seq\":1,\"gen\":7,\"inserted\":[{\"x\":\"\\u0000\"}],\"deleted\":[]}",
         "a b", 7, false, false},
        {"{\"query_id\":\"q\\\"\\\\\",\"seq\":12,\"gen\":3,\"overflow\":true,\"inserted_count\":1,"
         "\"deleted_count\":0}",
         "q\"\\", 3, false, false},
        {"{\"query_id\":\"q\",\"seq\":2,\"gen\":9,\"invalidated\":true}", "q", 9, false, false},
        {"{\"query_id\":\"q\",\"seq\":2,\"gen\":9,\"invalidated\":true,\"reason\":\"42501\"}", "q",
         9, false, false},
        {"{\"query_id\":\"q\",\"seq\":2,\"gen\":9,\"invalidated\":true,\"reason\":\"evicted\"}",
         "q", 9, false, true},
        {"{\"query_id\":\"q\",\"seq\":2,\"gen\":9,\"invalidated\":true,\"reason\":\"schema\"}", "q",
         9, false, true},
        {"{\"query_id\":\"q\",\"seq\":2,\"gen\":9,\"invalidated\":true,"
         "\"reason\":\"unsubscribed\"}",
         "q", 9, false, true},
        {"{\"type\":\"resubscribed\",\"query_id\":\"q\",\"gen\":10}", "q", 10, true, false},
    };
    struct pgs__notice notice;

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(good); i++) {
        assert_true(pgs__notice_read(pgs_text_of(good[i].message), &notice));
        assert_string_equal(notice.id, good[i].id);
        assert_int_equal(notice.generation, good[i].generation);
        assert_int_equal(notice.is_renewal, good[i].is_renewal);
        assert_int_equal(notice.is_last, good[i].is_last);
    }
}

/* Every text that a head is cut to, and what another sender may say. */
static void
test_no_heads(void **state)
{
    static const char whole[] = "{\"query_id\":\"q\\\"\",\"seq\":2,\"gen\":9";
    static const char *const bad[] = {
        "nonsense",
        "{\"query_id\":7,\"seq\":1,\"gen\":7}",
        "{\"query_id\":\"q\",\"gen\":7}",
        "{\"query_id\":\"\",\"seq\":1,\"gen\":7}",
        "{\"query_id\":\"q\\n\",\"seq\":1,\"gen\":7}",
        "{\"query_id\":\"q\\u0041\",\"seq\":1,\"gen\":7}",
        "{\"query_id\":\"q\",\"seq\":-1,\"gen\":7}",
        "{\"type\":\"resubscribed\",\"query_id\":\"q\"}",
        "{\"query_id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"seq\":1,"
        "\"gen\":7}",
    };
    struct pgs__notice notice;

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(bad); i++)
        assert_false(pgs__notice_read(pgs_text_of(bad[i]), &notice));
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        char *cut = malloc(len + 1); /* of that size, for the sanitizers */

        memcpy(cut, whole, len);
        assert_false(pgs__notice_read((struct pgs_text){cut, len}, &notice));
        free(cut);
    }
}

/* ---- to a thread ---- */

static struct {
    struct pgs__earpiece earpiece;
    int messages, anews;
    bool is_last_anew;
} thread;

static void
on_words(h2o_multithread_receiver_t *receiver, h2o_linklist_t *words)
{
    (void)receiver;
    while (!h2o_linklist_is_empty(words)) {
        struct pgs__word *word = H2O_STRUCT_FROM_MEMBER(struct pgs__word, super.link, words->next);

        h2o_linklist_unlink(&word->super.link);
        thread.is_last_anew = word->kind == PGS__WORD_ANEW;
        thread.messages += word->kind == PGS__WORD_MESSAGE;
        thread.anews += word->kind == PGS__WORD_ANEW;
        pgs__word_free(&thread.earpiece, word);
    }
}

static void
tell(struct pgs_relay *relay, int times)
{
    static const char head[] = "{\"query_id\":\"q\",\"seq\":1,\"gen\":7,\"inserted\":[]";
    char message[7000];

    memset(message, ' ', sizeof(message));
    memcpy(message, head, sizeof(head) - 1);
    for (int i = 0; i < times; i++)
        pgs__relay_tell(relay, (struct pgs_text){message, sizeof(message)});
}

static void
take_all(h2o_loop_t *loop)
{
    thread.messages = thread.anews = 0;
    (void)h2o_evloop_run(loop, 0);
}

/* What it misses is bounded, and said: once, and again when it has fallen behind again. */
static void
test_backlog(void **state)
{
    const int most = PGS_RELAY_MAX_BYTES / 7000;
    uint64_t hits = pgs_limit_hits(PGS_LIMIT_REACTIVE_BACKLOG);
    h2o_loop_t *loop = h2o_evloop_create();
    h2o_multithread_queue_t *queue = h2o_multithread_create_queue(loop);
    struct pgs_relay *relay = pgs_relay_open("host=/nonexistent connect_timeout=2");

    (void)state;
    assert_non_null(relay);
    h2o_multithread_register_receiver(queue, &thread.earpiece.receiver, on_words);
    pgs__relay_join(relay, &thread.earpiece);
    tell(relay, 1);
    take_all(loop);
    assert_int_equal(thread.messages, 0); /* nobody there follows */
    thread.earpiece.followers = 1;
    for (int round = 0; round < 2; round++) {
        tell(relay, most + 50);
        assert_int_equal(pgs_limit_hits(PGS_LIMIT_REACTIVE_BACKLOG),
                         hits + 50 * (uint64_t)(round + 1));
        take_all(loop);
        assert_int_equal(thread.messages, most);
        assert_int_equal(thread.anews, 1);
        assert_true(thread.is_last_anew);
    }
    tell(relay, 3);
    take_all(loop);
    assert_int_equal(thread.messages, 3);
    assert_int_equal(thread.anews, 0);
    pgs__relay_leave(relay, &thread.earpiece);
    h2o_multithread_unregister_receiver(queue, &thread.earpiece.receiver);
    h2o_multithread_destroy_queue(queue);
    pgs_relay_close(relay);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_no_heads),
        cmocka_unit_test(test_backlog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

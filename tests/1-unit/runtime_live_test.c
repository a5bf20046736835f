/* SPDX-License-Identifier: MIT */
/* What live queries rest on: the messages of the log, which commits a result holds, and what is
 * different between two results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/pgoutput.h"
#include "live/message.h"
#include "live/recent.h"
#include "live/result.h"
#include "runtime_heap.h"

#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

/* ---- pgoutput ---- */

static void
test_pgoutput(void **state)
{
    struct pgs_pgoutput m;

    (void)state;
    assert_true(pgs_pgoutput_read(BYTES("B\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\3\4"), &m));
    assert_int_equal(m.kind, PGS_PGOUTPUT_BEGIN);
    assert_int_equal(m.lsn, 0x100000002);
    assert_int_equal(m.xid, 0x304);
    assert_true(pgs_pgoutput_read(BYTES("R\0\0\1\0public\0ticket\0d\0\0"), &m));
    assert_int_equal(m.relation, 256);
    assert_string_equal(m.schema, "public");
    assert_string_equal(m.table, "ticket");
    assert_true(pgs_pgoutput_read(BYTES("U\0\0\0\7K\0\1n"), &m));
    assert_int_equal(m.kind, PGS_PGOUTPUT_CHANGE);
    assert_int_equal(m.relation, 7);
    assert_true(pgs_pgoutput_read(BYTES("T\0\0\0\2\0\0\0\0\5\0\0\0\6"), &m));
    assert_int_equal(m.n_relations, 2);
    assert_int_equal(pgs_pgoutput_relation(&m, 1), 6);
    assert_true(pgs_pgoutput_read(BYTES("Ywhatever"), &m));
    assert_int_equal(m.kind, PGS_PGOUTPUT_OTHER);
}

static void
test_pgoutput_cut_short(void **state)
{
    static const char *const whole[] = {"B________________xxxx", "C_________lsnlsn__________",
                                        "Rxxxx", "I123", "Txxxxx"};
    struct pgs_pgoutput m;

    (void)state;
    assert_false(pgs_pgoutput_read(BYTES(""), &m));
    assert_false(pgs_pgoutput_read(BYTES("Z"), &m));
    assert_false(pgs_pgoutput_read(BYTES("R\0\0\1\0public\0ticket"), &m));
    assert_false(pgs_pgoutput_read(BYTES("T\xff\xff\xff\xff\0\0\0\0\5"), &m));
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        for (size_t len = 0; len + 1 < strlen(whole[i]) && len < 5; len++)
            assert_false(pgs_pgoutput_read((const uint8_t *)whole[i], len, &m));
}

/* ---- recent ---- */

static void
test_snapshot(void **state)
{
    struct pgs__snapshot snapshot;

    (void)state;
    assert_false(pgs__snapshot_read("", &snapshot));
    assert_false(pgs__snapshot_read("10", &snapshot));
    assert_false(pgs__snapshot_read("10:12", &snapshot));
    assert_true(pgs__snapshot_read("10:20:12,15", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 9));
    assert_true(pgs__snapshot_sees(&snapshot, 10));
    assert_false(pgs__snapshot_sees(&snapshot, 12));
    assert_true(pgs__snapshot_sees(&snapshot, 13));
    assert_false(pgs__snapshot_sees(&snapshot, 15));
    assert_false(pgs__snapshot_sees(&snapshot, 20));
    assert_true(pgs__snapshot_read("10:10:", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 9));
    assert_false(pgs__snapshot_sees(&snapshot, 10));
}

/* The log has 32 bits of a number that PostgreSQL goes on counting. */
static void
test_snapshot_beyond_an_epoch(void **state)
{
    struct pgs__snapshot snapshot;

    (void)state;
    assert_true(pgs__snapshot_read("4294967290:4294967301:4294967299", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 4294967295u)); /* before it wrapped */
    assert_true(pgs__snapshot_sees(&snapshot, 2));
    assert_false(pgs__snapshot_sees(&snapshot, 3));
    assert_false(pgs__snapshot_sees(&snapshot, 5));
    assert_true(pgs__snapshot_read("8589934600:8589934600:", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 4294967000u));
    assert_false(pgs__snapshot_sees(&snapshot, 9));
}

static void
test_recent(void **state)
{
    struct pgs__recent *recent = calloc(1, sizeof(*recent));
    struct pgs__snapshot snapshot;

    (void)state;
    for (uint32_t xid = 10; xid < 15; xid++)
        pgs__recent_add(recent, &(struct pgs__commit){xid, xid * 100, pgs_watched_bit(xid % 2)});
    assert_true(pgs__snapshot_read("12:20:12", &snapshot));
    /* 12 cannot be seen; it touched table 0 alone. */
    assert_int_equal(pgs__recent_seen(recent, &snapshot, pgs_watched_bit(0), 0), 2);
    assert_int_equal(pgs__recent_seen(recent, &snapshot, pgs_watched_bit(1), 0), 5);
    assert_int_equal(pgs__recent_seen(recent, &snapshot, pgs_watched_bit(0), 3), 5);
    assert_int_equal(pgs__recent_lsn(recent, 5), 1400);
    assert_int_equal(pgs__recent_lsn(recent, 6), 0);
    pgs__recent_settle(recent, &snapshot);
    assert_int_equal(recent->floor, 2);
    assert_true(pgs__snapshot_read("20:20:", &snapshot));
    pgs__recent_settle(recent, &snapshot);
    assert_int_equal(recent->floor, 5);
    free(recent);
}

static void
test_recent_forgets(void **state)
{
    struct pgs__recent *recent = calloc(1, sizeof(*recent));
    struct pgs__snapshot snapshot;

    (void)state;
    for (uint32_t i = 0; i < PGS_RECENT_SIZE + 100; i++)
        pgs__recent_add(recent, &(struct pgs__commit){1000, 1, 1});
    assert_int_equal(recent->floor, 100);
    assert_true(pgs__snapshot_read("1000:1000:", &snapshot));
    assert_int_equal(pgs__recent_seen(recent, &snapshot, 1, 0), 100);
    assert_int_equal(pgs__recent_lsn(recent, 100), 0);
    free(recent);
}

/* ---- results ---- */

/* "a=1 b=2": keys and rows. */
static struct pgs__result
result_of(const char *text)
{
    struct pgs__result result;

    pgs__result_init(&result, 0);
    while (*text != '\0') {
        pgs__result_key(&result);
        pgs_buf_add(&result.bytes, text, 1);
        pgs__result_text(&result);
        pgs_buf_add(&result.bytes, text, 3);
        pgs__result_end_row(&result);
        text += text[3] == ' ' ? 4 : 3;
    }
    assert_true(pgs__result_finish(&result));
    return result;
}

static void
assert_changes(const char *from, const char *to, bool ordered, const char *expected)
{
    struct pgs__result before = result_of(from), after = result_of(to);
    struct pgs_buf out;
    bool changed;

    pgs_buf_init(&out, 0);
    changed = pgs__result_write_changes(&before, &after, ordered, &out);
    pgs_buf_add_char(&out, '\0');
    assert_string_equal(out.at, expected);
    assert_int_equal(changed, expected[0] != '\0');
    pgs_buf_clear(&out);
    pgs__result_clear(&before);
    pgs__result_clear(&after);
}

static void
test_changes(void **state)
{
    (void)state;
    assert_changes("", "", false, "");
    assert_changes("a=1 b=2", "a=1 b=2", true, "");
    assert_changes("", "a=1 b=2", false, "\"inserted\":[a=1,b=2]");
    assert_changes("a=1 b=2", "", false, "\"deleted\":[a,b]");
    assert_changes("a=1 b=2 c=3", "b=9 c=3 d=4", false,
                   "\"inserted\":[d=4],\"updated\":[b=9],\"deleted\":[a]");
    assert_changes("a=1 b=2 c=3", "b=9 c=3 d=4", true,
                   "\"inserted\":[d=4],\"inserted_at\":[2],\"updated\":[b=9],\"updated_at\":[0],"
                   "\"deleted\":[a]");
}

static void
test_order(void **state)
{
    (void)state;
    assert_changes("a=1 b=2 c=3", "c=3 a=1 b=2", false, "");
    assert_changes("a=1 b=2 c=3", "c=3 a=1 b=2", true,
                   "\"updated\":[a=1,b=2],\"updated_at\":[1,2]");
    assert_changes("a=1 b=2 c=3", "a=1 c=3 b=2", true, "\"updated\":[b=2],\"updated_at\":[2]");
}

/* Rows that nothing tells apart are told apart by how often they come. */
static void
test_equal_keys(void **state)
{
    (void)state;
    assert_changes("a=1 a=1", "a=1", false, "\"deleted\":[a]");
    assert_changes("a=1", "a=1 a=1 a=1", false, "\"inserted\":[a=1,a=1]");
}

static void
test_result_is_bounded(void **state)
{
    struct pgs__result result;

    (void)state;
    pgs__result_init(&result, 10);
    for (int i = 0; i < 5; i++) {
        pgs__result_key(&result);
        pgs_buf_add_str(&result.bytes, "key");
        pgs__result_text(&result);
        pgs__result_end_row(&result);
    }
    assert_false(pgs__result_finish(&result));
    pgs__result_clear(&result);
}

/* ---- messages ---- */

static bool
read_message(const char *type, const char *json, struct pgs__message *m)
{
    const char *why;

    return pgs__message_read(type, json, strlen(json), heap, m, &why);
}

static void
test_message(void **state)
{
    struct pgs__message m;

    (void)state;
    assert_true(read_message(NULL,
                             "{\"type\":\"subscribe\",\"id\":\"a\\n\",\"query\":\"q\",\"params\":"
                             "{\"x\":{\"type\":\"no\"}},\"later\":[1,{\"id\":\"b\"}]}",
                             &m));
    assert_true(pgs_text_is(m.type, "subscribe"));
    assert_true(pgs_text_is(m.id, "a\n"));
    assert_true(pgs_text_is(m.params, "{\"x\":{\"type\":\"no\"}}"));
    assert_null(m.token.at);
    assert_true(read_message("subscribe", "{\"params\":null}", &m));
    assert_null(m.params.at);
    assert_true(pgs_text_is(m.type, "subscribe"));
    heap_free_all();
}

static void
test_bad_messages(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "1",
                                      "{",
                                      "{}",
                                      "{\"type\":1}",
                                      "{\"type\":\"a\",\"type\":\"b\"}",
                                      "{\"type\":\"a\",\"params\":[]}",
                                      "{\"type\":\"a\",\"params\":\"{}\"}",
                                      "{\"type\":\"a\",\"params\":{},\"params\":{}}",
                                      "{\"type\":\"a\",\"id\":{}}",
                                      "{\"type\":\"a\"} {}"};
    struct pgs__message m;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(read_message(NULL, bad[i], &m));
    heap_free_all();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pgoutput),   cmocka_unit_test(test_pgoutput_cut_short),
        cmocka_unit_test(test_snapshot),   cmocka_unit_test(test_snapshot_beyond_an_epoch),
        cmocka_unit_test(test_recent),     cmocka_unit_test(test_recent_forgets),
        cmocka_unit_test(test_changes),    cmocka_unit_test(test_order),
        cmocka_unit_test(test_equal_keys), cmocka_unit_test(test_result_is_bounded),
        cmocka_unit_test(test_message),    cmocka_unit_test(test_bad_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

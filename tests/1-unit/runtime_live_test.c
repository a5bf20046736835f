/* SPDX-License-Identifier: MIT */
/* What live queries rest on: the messages of the log and of clients, and which commits a snapshot
 * sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/pgoutput.h"
#include "codec/text_array.h"
#include "live/message.h"
#include "live/recent.h"
#include "runtime_heap.h"

#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

/* ---- pgoutput ---- */

static void
test_pgoutput(void **state)
{
    struct pgs_pgoutput_column column;
    struct pgs_pgoutput_value value;
    struct pgs_pgoutput m;

    (void)state;
    assert_true(pgs_pgoutput_read(BYTES("B\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\3\4"), &m));
    assert_int_equal(m.kind, PGS_PGOUTPUT_BEGIN);
    assert_int_equal(m.lsn, 0x100000002);
    assert_int_equal(m.xid, 0x304);
    assert_true(pgs_pgoutput_read(BYTES("R\0\0\1\0public\0ticket\0d\0\2"
                                        "\1id\0\0\0\0\27\377\377\377\377"
                                        "\0t\0\0\0\0\31\377\377\377\377"),
                                  &m));
    assert_int_equal(m.relation, 256);
    assert_string_equal(m.schema, "public");
    assert_string_equal(m.table, "ticket");
    assert_false(m.is_full);
    assert_true(pgs_pgoutput_column(&m.columns, &column));
    assert_string_equal(column.name, "id");
    assert_true(column.is_key);
    assert_true(pgs_pgoutput_column(&m.columns, &column));
    assert_string_equal(column.name, "t");
    assert_false(column.is_key);
    assert_false(pgs_pgoutput_column(&m.columns, &column));
    assert_true(pgs_pgoutput_read(BYTES("U\0\0\0\7K\0\1nN\0\2t\0\0\0\2abu"), &m));
    assert_int_equal(m.kind, PGS_PGOUTPUT_CHANGE);
    assert_int_equal(m.relation, 7);
    assert_true(m.is_update && m.before_is_key && m.before.n == 1 && m.after.n == 2);
    assert_true(pgs_pgoutput_value(&m.before, &value));
    assert_int_equal(value.kind, PGS_PGOUTPUT_NULL);
    assert_true(pgs_pgoutput_value(&m.after, &value));
    assert_memory_equal(value.text, "ab", 2);
    assert_true(pgs_pgoutput_value(&m.after, &value));
    assert_int_equal(value.kind, PGS_PGOUTPUT_KEPT);
    assert_false(pgs_pgoutput_value(&m.after, &value));
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
    assert_false(pgs_pgoutput_read(BYTES("R\0\0\1\0public\0ticket\0d\0\1\1id"), &m));
    assert_false(pgs_pgoutput_read(BYTES("I\0\0\0\7N\0\2n"), &m));
    assert_false(pgs_pgoutput_read(BYTES("I\0\0\0\7N\0\1t\0\0\0\5abcd"), &m));
    assert_false(pgs_pgoutput_read(BYTES("I\0\0\0\7N\0\1x"), &m));
    assert_false(pgs_pgoutput_read(BYTES("I\0\0\0\7Z\0\1n"), &m));
    assert_false(pgs_pgoutput_read(BYTES("D\0\0\0\7"), &m));
    assert_false(pgs_pgoutput_read(BYTES("T\xff\xff\xff\xff\0\0\0\0\5"), &m));
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        for (size_t len = 0; len + 1 < strlen(whole[i]) && len < 5; len++)
            assert_false(pgs_pgoutput_read((const uint8_t *)whole[i], len, &m));
}

/* ---- text[] ---- */

#define TEXTS "\0\0\0\1\0\0\0\31" /* nulls, text */

static void
check_text(struct pgs_text_array *array, const char *expected)
{
    struct pgs_text text;

    assert_true(pgs_text_array_next(array, &text));
    if (expected == NULL) {
        assert_null(text.at);
        return;
    }
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.at, expected, text.len);
}

static void
test_text_array(void **state)
{
    struct pgs_text_array array;
    struct pgs_text text;

    (void)state;
    assert_true(pgs_text_array_open(BYTES("\0\0\0\0\0\0\0\0\0\0\0\31"), &array));
    assert_int_equal(array.n_rows, 0);
    assert_true(pgs_text_array_open(BYTES("\0\0\0\1" TEXTS "\0\0\0\2\0\0\0\1"
                                          "\0\0\0\2ab\377\377\377\377"),
                                    &array));
    assert_int_equal(array.n_rows, 1);
    assert_int_equal(array.n_columns, 2);
    check_text(&array, "ab");
    check_text(&array, NULL);
    assert_false(pgs_text_array_next(&array, &text));
    assert_true(pgs_text_array_open(BYTES("\0\0\0\2" TEXTS "\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0\1"
                                          "\0\0\0\0\0\0\0\1z"),
                                    &array));
    assert_int_equal(array.n_rows, 2);
    assert_int_equal(array.n_columns, 1);
    check_text(&array, "");
    check_text(&array, "z");
}

static void
test_bad_text_array(void **state)
{
    static const char good[] = "\0\0\0\1" TEXTS "\0\0\0\1\0\0\0\1\0\0\0\1z";
    struct pgs_text_array array;
    struct pgs_text text;

    (void)state;
    for (size_t len = 0; len + 1 < sizeof(good) - 1 - 4; len++)
        assert_false(pgs_text_array_open((const uint8_t *)good, len, &array));
    assert_true(pgs_text_array_open((const uint8_t *)good, sizeof(good) - 2, &array));
    assert_false(pgs_text_array_next(&array, &text));
    /* integers; three dimensions; more values than there are bytes, also beyond 32 bits */
    assert_false(pgs_text_array_open(BYTES("\0\0\0\0\0\0\0\0\0\0\0\27"), &array));
    assert_false(pgs_text_array_open(BYTES("\0\0\0\3" TEXTS "\0\0\0\1\0\0\0\1"), &array));
    assert_false(pgs_text_array_open(BYTES("\0\0\0\1" TEXTS "\0\0\0\2\0\0\0\1\0\0\0\0"), &array));
    assert_false(
        pgs_text_array_open(BYTES("\0\0\0\2" TEXTS "\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1"), &array));
}

/* ---- recent ---- */

static bool
read_snapshot(const char *text, const char *lsn, struct pgs__snapshot *snapshot)
{
    return pgs__snapshot_read(text, pgs_text_of(lsn), snapshot);
}

static void
test_snapshot(void **state)
{
    struct pgs__snapshot snapshot;

    (void)state;
    assert_false(read_snapshot("", "", &snapshot));
    assert_false(read_snapshot("10", "", &snapshot));
    assert_false(read_snapshot("10:12", "", &snapshot));
    assert_true(read_snapshot("10:20:12,15", "", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 9));
    assert_true(pgs__snapshot_sees(&snapshot, 10));
    assert_false(pgs__snapshot_sees(&snapshot, 12));
    assert_true(pgs__snapshot_sees(&snapshot, 13));
    assert_false(pgs__snapshot_sees(&snapshot, 15));
    assert_false(pgs__snapshot_sees(&snapshot, 20));
    assert_true(read_snapshot("10:10:", "", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 9));
    assert_false(pgs__snapshot_sees(&snapshot, 10));
}

/* The log has 32 bits of a number that PostgreSQL goes on counting. */
static void
test_snapshot_beyond_an_epoch(void **state)
{
    struct pgs__snapshot snapshot;

    (void)state;
    assert_true(read_snapshot("4294967290:4294967301:4294967299", "", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 4294967295u)); /* before it wrapped */
    assert_true(pgs__snapshot_sees(&snapshot, 2));
    assert_false(pgs__snapshot_sees(&snapshot, 3));
    assert_false(pgs__snapshot_sees(&snapshot, 5));
    assert_true(read_snapshot("8589934600:8589934600:", "", &snapshot));
    assert_true(pgs__snapshot_sees(&snapshot, 4294967000u));
    assert_false(pgs__snapshot_sees(&snapshot, 9));
}

/* What an answer holds is not told once more when the log comes to it. */
static void
test_seen(void **state)
{
    struct pgs__snapshot snapshot;
    struct pgs__seen seen = {0};
    struct pgs__commit commit = {.xid = 11, .lsn = 0x1000000f0, .heard_ms = pgs_clock_ms()};

    (void)state;
    assert_false(pgs__seen_holds(&seen, &commit));
    assert_true(read_snapshot("10:20:12,15", "1/100C", &snapshot));
    assert_int_equal(snapshot.lsn, 0x10000100c);
    pgs__seen_keep(&seen, &snapshot);
    assert_true(pgs__seen_holds(&seen, &commit));
    commit.xid = 12;
    assert_false(pgs__seen_holds(&seen, &commit));
    commit.xid = 13;
    assert_true(pgs__seen_holds(&seen, &commit));
    commit.lsn = 0x10000100d; /* behind all that it saw: so are those that follow */
    assert_false(pgs__seen_holds(&seen, &commit));
    assert_null(seen.snapshot.xips);
    assert_false(seen.is_lost);
    pgs__seen_keep(&seen, &snapshot);
    commit.lsn = 0;
    assert_true(pgs__seen_holds(&seen, &commit));
    commit.heard_ms += 2 * 3600000;
    assert_false(pgs__seen_holds(&seen, &commit));
    assert_true(seen.is_lost);
    pgs__seen_keep(&seen, &snapshot);
    assert_false(seen.is_lost);
    assert_true(read_snapshot("10:20:", "nonsense", &snapshot));
    assert_int_equal(snapshot.lsn, 0);
    pgs__seen_clear(&seen);
}

static struct pgs_changes *
changes_of(uint32_t xid)
{
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;

    assert_true(pgs_changes_maker_init(&maker, 1));
    pgs_changes_add_unread(&maker, 0);
    changes = pgs_changes_finish(&maker, xid, xid * 100);
    pgs_changes_maker_clear(&maker);
    return changes;
}

static void
test_recent(void **state)
{
    struct pgs__recent *recent = calloc(1, sizeof(*recent)), *copy = calloc(1, sizeof(*copy));
    struct pgs__snapshot snapshot;

    (void)state;
    for (uint32_t xid = 10; xid < 15; xid++)
        pgs__recent_add(recent, changes_of(xid));
    assert_true(read_snapshot("12:20:12", "", &snapshot));
    assert_int_equal(pgs__recent_at(recent, 3)->xid, 12);
    assert_int_equal(pgs__recent_after(recent, 3), 4);
    assert_int_equal(pgs__recent_lsn(recent, 5), 1400);
    assert_int_equal(pgs__recent_lsn(recent, 6), 0);
    pgs__recent_settle(recent, &snapshot);
    assert_int_equal(recent->floor, 2); /* 12 cannot be seen */
    pgs__recent_copy(copy, recent);
    assert_true(read_snapshot("20:20:", "", &snapshot));
    pgs__recent_settle(recent, &snapshot);
    assert_int_equal(recent->floor, 5);
    pgs__recent_clear(recent);
    assert_int_equal(copy->floor, 2);
    assert_int_equal(pgs__recent_at(copy, 4)->changes->xid, 13);
    pgs__recent_part(copy, 4);
    assert_int_equal(copy->floor, 4);
    assert_int_equal(pgs__recent_lsn(copy, 4), 0); /* of another log */
    assert_int_equal(pgs__recent_lsn(copy, 5), 1400);
    pgs__recent_part(copy, 9);
    assert_int_equal(copy->floor, 5);
    pgs__recent_add(copy, changes_of(15));
    assert_int_equal(pgs__recent_lsn(copy, 5), 0);
    assert_int_equal(pgs__recent_lsn(copy, 6), 1500);
    pgs__recent_clear(copy);
    free(recent);
    free(copy);
}

/* First the rows of the oldest, then the oldest. */
static void
test_recent_forgets(void **state)
{
    struct pgs__recent *recent = calloc(1, sizeof(*recent));

    (void)state;
    for (uint32_t i = 0; i < PGS_RECENT_SIZE + 100; i++)
        pgs__recent_add(recent, changes_of(1000));
    assert_int_equal(recent->floor, 100);
    assert_int_equal(pgs__recent_after(recent, 7), 101);
    assert_int_equal(pgs__recent_lsn(recent, 100), 0);
    assert_null(pgs__recent_at(recent, recent->last - PGS_RECENT_ROWS)->changes);
    assert_non_null(pgs__recent_at(recent, recent->last - PGS_RECENT_ROWS + 1)->changes);
    pgs__recent_clear(recent);
    assert_int_equal(recent->bytes, 0);
    free(recent);
}

static int64_t now_us = 1000000;

static int64_t
clock_us(void)
{
    return now_us;
}

/* 32 bits of a transaction's number mean nothing for ever: what is old counts as seen. */
static void
test_recent_grows_old(void **state)
{
    static const struct pgs_clock clock = {clock_us, NULL};
    struct pgs__recent *recent = calloc(1, sizeof(*recent)), *copy = calloc(1, sizeof(*copy));

    (void)state;
    pgs_clock_replace(&clock);
    pgs__recent_add(recent, changes_of(10));
    now_us += INT64_C(3600000000);
    pgs__recent_add(recent, changes_of(11));
    assert_int_equal(recent->floor, 0);
    now_us += 1000;
    pgs__recent_add(recent, changes_of(12));
    assert_int_equal(recent->floor, 1);
    now_us += INT64_C(3600000000);
    pgs__recent_copy(copy, recent);
    assert_int_equal(copy->floor, 2);
    pgs__recent_clear(recent);
    pgs__recent_clear(copy);
    pgs_clock_replace(NULL);
    free(recent);
    free(copy);
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
        cmocka_unit_test(test_pgoutput),
        cmocka_unit_test(test_pgoutput_cut_short),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_snapshot_beyond_an_epoch),
        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_recent),
        cmocka_unit_test(test_recent_forgets),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_recent_grows_old),
        cmocka_unit_test(test_bad_messages),
        cmocka_unit_test(test_text_array),
        cmocka_unit_test(test_bad_text_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

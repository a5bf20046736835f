/* SPDX-License-Identifier: MIT */
/* Rows out of the log, matched: whom they concern, what they make of a result, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/order.h"
#include "live/delta.h"
#include "live/interest.h"
#include "live/sort.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* ---- a transaction ---- */

static const char *const note_columns[] = {"id", "room", "title", NULL};
static const struct pgs_watched note = {"public", "note", note_columns};

/* `identity` 'd': the key alone; 'f': all. */
static struct pgs_changes_relation
relation_of(char identity)
{
    char message[] = "R\0\0\0\1public\0note\0?\0\4"
                     "\1id\0\0\0\0\27\377\377\377\377"
                     "\0more\0\0\0\0\31\377\377\377\377"
                     "\0title\0\0\0\0\31\377\377\377\377"
                     "\0room\0\0\0\0\27\377\377\377\377";
    struct pgs_changes_relation relation = {.oid = 1, .watched = 0};
    struct pgs_pgoutput m;

    message[17] = identity;
    assert_true(pgs_pgoutput_read((const uint8_t *)message, sizeof(message) - 1, &m));
    assert_true(pgs_changes_relation_read(&relation, &m, &note));
    assert_true(relation.is_readable);
    return relation;
}

#define ADD(maker, relation, literal)                                                              \
    add_message(maker, relation, literal, sizeof(literal) - 1, true)

static void
add_message(struct pgs_changes_maker *maker, const struct pgs_changes_relation *relation,
            const char *bytes, size_t len, bool wants_rows)
{
    struct pgs_pgoutput m;

    assert_true(pgs_pgoutput_read((const uint8_t *)bytes, len, &m));
    assert_true(pgs_changes_add(maker, relation, &m, wants_rows));
}

static void
assert_row(const struct pgs_text *row, const char *const expected[3])
{
    for (size_t i = 0; i < 3; i++)
        if (expected[i] == NULL)
            assert_null(row[i].at);
        else if (strcmp(expected[i], "?") == 0)
            assert_ptr_equal(row[i].at, pgs_untold);
        else
            assert_true(pgs_text_is(row[i], expected[i]));
}

static void
test_changes(void **state)
{
    struct pgs_changes_relation relation = relation_of('d');
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;
    const struct pgs_change *change;

    (void)state;
    assert_true(pgs_changes_maker_init(&maker, 1));
    assert_null(pgs_changes_finish(&maker, 1, 1));
    ADD(&maker, &relation,
        "I\0\0\0\1N\0\4t\0\0\0\1"
        "7nt\0\0\0\1x"
        "t\0\0\0\1"
        "3");
    ADD(&maker, &relation,
        "U\0\0\0\1N\0\4t\0\0\0\1"
        "7nut\0\0\0\1"
        "4");
    ADD(&maker, &relation,
        "U\0\0\0\1K\0\4t\0\0\0\1"
        "7nnnN\0\4t\0\0\0\1"
        "8nnn");
    ADD(&maker, &relation,
        "D\0\0\0\1K\0\4t\0\0\0\1"
        "8nnn");
    changes = pgs_changes_finish(&maker, 5, 6);
    assert_int_equal(changes->n_tables, 1);
    change = changes->first;
    assert_int_equal(change->kind, PGS_CHANGE_INSERT);
    assert_null(change->before);
    assert_row(change->after, (const char *const[3]){"7", "3", "x"});
    change = change->next;
    assert_int_equal(change->kind, PGS_CHANGE_UPDATE);
    assert_row(change->before, (const char *const[3]){"7", "?", "?"});
    assert_row(change->after, (const char *const[3]){"7", "4", "?"});
    change = change->next;
    assert_row(change->before, (const char *const[3]){"7", "?", "?"});
    assert_row(change->after, (const char *const[3]){"8", NULL, NULL});
    change = change->next;
    assert_int_equal(change->kind, PGS_CHANGE_DELETE);
    assert_row(change->before, (const char *const[3]){"8", "?", "?"});
    assert_null(change->after);
    assert_null(change->next);
    pgs_changes_release(changes);
    pgs_changes_relation_clear(&relation);
    pgs_changes_maker_clear(&maker);
}

static void
test_changes_of_full_identity(void **state)
{
    struct pgs_changes_relation relation = relation_of('f');
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;

    (void)state;
    assert_true(pgs_changes_maker_init(&maker, 1));
    ADD(&maker, &relation,
        "U\0\0\0\1O\0\4t\0\0\0\1"
        "7nt\0\0\0\4long"
        "t\0\0\0\1"
        "3N\0\4t\0\0\0\1"
        "7nut\0\0\0\1"
        "4");
    changes = pgs_changes_finish(&maker, 5, 6);
    assert_row(changes->first->before, (const char *const[3]){"7", "3", "long"});
    assert_row(changes->first->after, (const char *const[3]){"7", "4", "long"});
    pgs_changes_release(changes);
    pgs_changes_relation_clear(&relation);
    pgs_changes_maker_clear(&maker);
}

/* Rows that nobody wants, or that are too many, are one change that says so. */
static void
test_changes_unread(void **state)
{
    static const char insert[] = "I\0\0\0\1N\0\4t\0\0\0\1"
                                 "7nt\0\0\0\1x"
                                 "t\0\0\0\1"
                                 "3";
    struct pgs_changes_relation relation = relation_of('d');
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;

    (void)state;
    assert_true(pgs_changes_maker_init(&maker, 1));
    for (int i = 0; i < 3; i++)
        add_message(&maker, &relation, insert, sizeof(insert) - 1, false);
    changes = pgs_changes_finish(&maker, 5, 6);
    assert_int_equal(changes->first->kind, PGS_CHANGE_UNREAD);
    assert_null(changes->first->next);
    pgs_changes_release(changes);
    for (int i = 0; i < 100002; i++)
        add_message(&maker, &relation, insert, sizeof(insert) - 1, true);
    changes = pgs_changes_finish(&maker, 5, 6);
    assert_int_equal(changes->first->kind, PGS_CHANGE_UNREAD);
    assert_null(changes->first->next);
    assert_int_equal(changes->n_tables, 1);
    assert_true(changes->bytes < 4096);
    pgs_changes_release(changes);
    pgs_changes_relation_clear(&relation);
    pgs_changes_maker_clear(&maker);
}

static void
test_changes_of_another_shape(void **state)
{
    struct pgs_changes_relation relation = relation_of('d');
    struct pgs_changes_maker maker;
    struct pgs_pgoutput m;

    (void)state;
    assert_true(pgs_changes_maker_init(&maker, 1));
    assert_true(pgs_pgoutput_read((const uint8_t *)"I\0\0\0\1N\0\1n", 9, &m));
    assert_false(pgs_changes_add(&maker, &relation, &m, true));
    relation.is_readable = false; /* a column that is looked at is gone */
    assert_true(pgs_changes_add(&maker, &relation, &m, true));
    pgs_changes_relation_clear(&relation);
    pgs_changes_maker_clear(&maker);
}

/* ---- order ---- */

static const struct pgs_column int_column = PGS_COLUMN("i", "i", PGS_INT8, "bigint", false),
                               text_column = PGS_COLUMN("t", "t", PGS_TEXT, "text", true),
                               time_column =
                                   PGS_COLUMN("w", "w", PGS_TIMESTAMPTZ, "timestamptz", true);
static const char *const moods[] = {"sad", "ok", "happy", NULL};
static const struct pgs_column mood_column = PGS_ENUM_COLUMN("m", "m", "mood", moods, true);

static struct pgs_buf
sort_of(const struct pgs_match_order *order, const char *text)
{
    struct pgs_text value = {text, text != NULL ? strlen(text) : 0};
    struct pgs_buf buf;

    pgs_buf_init(&buf, 0);
    assert_true(pgs__sort_write(order, &value, 1, &buf));
    return buf;
}

static void
assert_order(const struct pgs_match_order *order, const char *const *texts, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        struct pgs_buf a = sort_of(order, texts[i]), b = sort_of(order, texts[i + 1]);

        if (pgs__order_compare_bytes((struct pgs_text){a.at, a.len},
                                     (struct pgs_text){b.at, b.len}) >= 0)
            fail_msg("%s should stand before %s", texts[i], texts[i + 1]);
        pgs_buf_clear(&a);
        pgs_buf_clear(&b);
    }
}

#define ASSERT_ORDER(order, ...)                                                                   \
    assert_order(&(struct pgs_match_order)order, (const char *const[]){__VA_ARGS__},               \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define BY(...)                                                                                    \
    {                                                                                              \
        0, __VA_ARGS__                                                                             \
    }

static void
test_sort(void **state)
{
    (void)state;
    ASSERT_ORDER(BY(&int_column, false, false), "-9223372036854775808", "-10", "-9", "0", "5", "40",
                 "9223372036854775807", NULL);
    ASSERT_ORDER(BY(&int_column, true, true), NULL, "40", "5", "0", "-9", "-10");
    ASSERT_ORDER(BY(&text_column, false, true), NULL, "", "A", "AB", "B", "a", "ab", "\xc3\xa9");
    ASSERT_ORDER(BY(&text_column, true, false), "ab", "a", "B", "AB", "A", "", NULL);
    ASSERT_ORDER(BY(&mood_column, false, false), "sad", "ok", "happy");
    ASSERT_ORDER(BY(&time_column, false, false), "-infinity", "0045-01-01 00:00:00+00 BC",
                 "0044-03-15 00:00:00+00 BC", "0001-01-01 00:00:00+00", "1999-12-31 23:59:59.5+00",
                 "2000-01-01 00:00:00+00", "2000-01-01 00:00:00.000001+00",
                 "2000-01-01 00:00:01+00", "10000-01-01 00:00:00+00", "infinity", NULL);
    ASSERT_ORDER(BY(&time_column, true, false), "infinity", "2000-01-01 00:00:00.5+00",
                 "2000-01-01 00:00:00+00", "-infinity");
}

static void
test_sort_of_nonsense(void **state)
{
    static const struct pgs_match_order by_int = {0, &int_column, false, false},
                                        by_mood = {0, &mood_column, false, false},
                                        by_time = {0, &time_column, false, false};
    static const struct pgs_text nonsense = TEXT("nonsense"), none = TEXT(""), minus = TEXT("-");
    struct pgs_buf buf;

    (void)state;
    pgs_buf_init(&buf, 0);
    assert_false(pgs__sort_write(&by_int, &nonsense, 1, &buf));
    assert_false(pgs__sort_write(&by_int, &none, 1, &buf));
    assert_false(pgs__sort_write(&by_int, &minus, 1, &buf));
    assert_false(pgs__sort_write(&by_mood, &nonsense, 1, &buf));
    assert_false(pgs__sort_write(&by_time, &nonsense, 1, &buf));
    pgs_buf_clear(&buf);
}

/* ---- results ---- */

static h2o_mem_pool_t pool;
static const struct pgs_text no_text = {"", 0};

/* "a=1 b=2": keys and rows. */
static struct pgs__held
held_of(const char *text)
{
    struct pgs__held held = {0};

    for (; *text != '\0'; text += text[3] == ' ' ? 4 : 3) {
        struct pgs__touch *touch = h2o_mem_alloc_pool(&pool, sizeof(*touch));
        struct pgs__held_row *row;

        *touch = (struct pgs__touch){.text = {text, 3}};
        row = pgs__held_row_new((struct pgs_text){text, 1}, no_text, no_text,
                                pgs__held_hash(touch->text));
        assert_true(pgs__held_put(&held, row));
        row->mark = touch;
    }
    return held;
}

static void
assert_delta(const char *from, const char *to, bool ordered, const char *expected)
{
    struct pgs__held before, after;
    struct pgs__delta delta;
    struct pgs_buf out;

    h2o_mem_init_pool(&pool);
    before = held_of(from);
    after = held_of(to);
    pgs_buf_init(&out, 0);
    pgs__delta_of_results(&delta, &before, &after, ordered, &pool);
    pgs__delta_write(&delta, ordered, &out);
    pgs_buf_add_char(&out, '\0');
    assert_string_equal(out.at, expected);
    assert_int_equal(pgs__delta_is_empty(&delta), expected[0] == '\0');
    pgs_buf_clear(&out);
    pgs__held_clear(&before);
    pgs__held_clear(&after);
    h2o_mem_clear_pool(&pool);
}

static void
test_delta(void **state)
{
    (void)state;
    assert_delta("", "", false, "");
    assert_delta("a=1 b=2", "a=1 b=2", true, "");
    assert_delta("", "a=1 b=2", false, "\"inserted\":[a=1,b=2]");
    assert_delta("a=1 b=2", "", false, "\"deleted\":[a,b]");
    assert_delta("a=1 b=2 c=3", "b=9 c=3 d=4", false,
                 "\"inserted\":[d=4],\"updated\":[b=9],\"deleted\":[a]");
    assert_delta("a=1 b=2 c=3", "b=9 c=3 d=4", true,
                 "\"inserted\":[d=4],\"inserted_at\":[2],\"updated\":[b=9],\"updated_at\":[0],"
                 "\"deleted\":[a]");
}

static void
test_delta_of_order(void **state)
{
    (void)state;
    assert_delta("a=1 b=2 c=3", "c=3 a=1 b=2", false, "");
    assert_delta("a=1 b=2 c=3", "c=3 a=1 b=2", true, "\"updated\":[a=1,b=2],\"updated_at\":[1,2]");
    assert_delta("a=1 b=2 c=3", "a=1 c=3 b=2", true, "\"updated\":[b=2],\"updated_at\":[2]");
}

/* Rows that nothing tells apart are told apart by how often they come. */
static void
test_equal_keys(void **state)
{
    (void)state;
    assert_delta("a=1 a=1", "a=1", false, "\"deleted\":[a]");
    assert_delta("a=1", "a=1 a=1 a=1", false, "\"inserted\":[a=1,a=1]");
}

static struct pgs__held_row *
put_equal(struct pgs__held *held)
{
    struct pgs__held_row *row =
        pgs__held_row_new((struct pgs_text)TEXT("same"), no_text, no_text, 0);

    assert_true(pgs__held_put(held, row));
    assert_ptr_equal(pgs__held_find(held, (struct pgs_text)TEXT("same"), row->occurrence), row);
    return row;
}

/* Each has the lowest number that is free. */
static void
test_numbers_of_equal_rows(void **state)
{
    struct pgs__held_row *all[24] = {NULL};
    struct pgs__held held = {0};

    (void)state;
    for (uint32_t round = 0, seed = 1; round < 20000; round++) {
        struct pgs__held_row *row;
        uint32_t i = (seed = seed * 1664525 + 1013904223) >> 8, lowest = 0;

        while (lowest < 24 && all[lowest] != NULL)
            lowest++;
        row = all[i % 24];
        if (row != NULL && (i % 7 < 3 || lowest == 24)) {
            pgs__held_take(&held, row);
            free(row);
            all[i % 24] = NULL;
        } else if (lowest < 24) {
            all[lowest] = put_equal(&held);
            assert_int_equal(all[lowest]->occurrence, lowest);
        }
    }
    pgs__held_clear(&held);
}

/* Were each compared with those before it, this would take longer than the suite may. */
static void
test_many_equal_rows(void **state)
{
    enum {
        N = 200000
    };
    struct pgs__held held = {0};

    (void)state;
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(put_equal(&held)->occurrence, i);
    pgs__held_clear(&held);
}

static void
assert_places(const struct pgs__held *held)
{
    for (size_t i = 0; i < held->n; i++) {
        struct pgs_text sort = pgs__held_sort(held->rows[i]);

        assert_int_equal(pgs__held_place(held, held->rows[i]), i);
        if (i > 0)
            assert_true(memcmp(held->rows[i - 1]->bytes + held->rows[i - 1]->key_len, sort.at,
                               sort.len) <= 0);
    }
}

/* Where a row stands is found however many have come before it since, and some stand in the same
 * place. */
static void
test_places(void **state)
{
    struct pgs__held held = {0};
    char key[12], sort[8];

    (void)state;
    for (uint32_t round = 0, seed = 1; round < 1500; round++) {
        uint32_t number = (seed = seed * 1664525 + 1013904223) >> 8;

        if (held.n > 400) {
            struct pgs__held_row *row = held.rows[number % held.n];

            pgs__held_take(&held, row);
            free(row);
        }
        (void)snprintf(key, sizeof(key), "%u", round);
        /* at the front, at the end, in between */
        (void)snprintf(sort, sizeof(sort), "%04u",
                       round % 3 == 0   ? 2000 - round
                       : round % 3 == 1 ? 4000 + round
                                        : 3000 + number % 100);
        assert_true(pgs__held_put(
            &held, pgs__held_row_new(pgs_text_of(key), pgs_text_of(sort), no_text, 0)));
        if (round % 25 == 0)
            assert_places(&held);
    }
    assert_places(&held);
    pgs__held_clear(&held);
}

/* ---- random changes against all rows of a small table ---- */

enum {
    IDS = 12,
    ROUNDS = 20000,
};

static const struct pgs_column item_columns[] = {
    PGS_COLUMN("id", "id", PGS_INT4, "integer", false),
    PGS_COLUMN("rank", "rank", PGS_INT4, "integer", true),
    PGS_COLUMN("body", "body", PGS_TEXT, "text", false),
};
static const uint16_t item_key[] = {0}, item_outputs[] = {0, 1, 2};
static const struct pgs_match_order item_order[] = {{1, &item_columns[1], true, false},
                                                    {0, &item_columns[0], false, false}};

/* Not hidden: its body does not begin with x. */
static enum pgs_truth
holds(const struct pgs_text *row, const struct pgs_facts *facts)
{
    (void)facts;
    return row[2].at[0] != 'x' ? PGS_TRUE : PGS_FALSE;
}

struct item {
    bool is_there;
    char id[4], rank[4], body[4];
    struct pgs_text row[3];
};

static uint32_t seed = 1;

static int
any(int n)
{
    seed = seed * 1664525 + 1013904223;
    return (int)(seed >> 8) % n;
}

static void
write_item(struct item *item, int id)
{
    item->is_there = true;
    (void)snprintf(item->id, sizeof(item->id), "%d", id);
    (void)snprintf(item->rank, sizeof(item->rank), "%d", any(6));
    (void)snprintf(item->body, sizeof(item->body), "%c%d", "abx"[any(3)], any(3));
    item->row[0] = pgs_text_of(item->id);
    item->row[1] = any(5) > 0 ? pgs_text_of(item->rank) : (struct pgs_text){NULL, 0};
    item->row[2] = pgs_text_of(item->body);
}

/* Where `a` should stand before `b`: by rank, the highest first and null last, then by id. */
static bool
precedes(const struct item *a, const struct item *b)
{
    int one = a->row[1].at != NULL ? atoi(a->rank) : -1,
        other = b->row[1].at != NULL ? atoi(b->rank) : -1;

    return one != other ? one > other : atoi(a->id) < atoi(b->id);
}

/* What the query finds: places of items.  Returns how many. */
static size_t
find_truth(const struct item *items, bool ordered, uint32_t limit, const struct item **found)
{
    size_t n = 0;

    for (int i = 0; i < IDS; i++) {
        size_t at = n;

        if (!items[i].is_there || holds(items[i].row, NULL) != PGS_TRUE)
            continue;
        for (; ordered && at > 0 && precedes(&items[i], found[at - 1]); at--)
            found[at] = found[at - 1];
        found[at] = &items[i];
        n++;
    }
    return limit > 0 && n > limit ? limit : n;
}

static void
read_item(const struct pgs__rows *rows, const struct item *item, struct pgs__held *held)
{
    struct pgs_change change = {.kind = PGS_CHANGE_INSERT, .after = item->row};
    struct pgs__image image = {.change = &change};
    struct pgs__held none = {0};
    struct pgs__work work = {.rows = *rows, .held = &none, .pool = &pool, .commit = 1};

    assert_true(pgs__work_apply(&work, &image));
    assert_int_equal(none.n, 1);
    pgs__work_done(&work, false);
    assert_true(
        pgs__held_put(held, pgs__held_row_new(image.key, image.sort, no_text, image.text_hash)));
    pgs__held_clear(&none);
}

static struct pgs__held
read_truth(const struct pgs__rows *rows, const struct item *items)
{
    const struct item *found[IDS];
    struct pgs__held held = {0};
    size_t n = find_truth(items, rows->match->n_order > 0, rows->match->limit, found);

    for (size_t i = 0; i < n; i++)
        read_item(rows, found[i], &held);
    return held;
}

static void
assert_same(const struct pgs__held *a, const struct pgs__held *b, bool ordered)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        struct pgs__held_row *other =
            pgs__held_find(b, pgs__held_key(a->rows[i]), a->rows[i]->occurrence);

        assert_non_null(other);
        assert_true(other->text_hash == a->rows[i]->text_hash);
        assert_true(!ordered || other == b->rows[i]);
    }
}

/* The rows before, with what was told of them, are the rows after. */
static void
assert_told(const struct pgs__delta *delta, const struct pgs__held *before,
            const struct pgs__held *after)
{
    assert_int_equal(before->n + delta->inserted.n - delta->deleted.n, after->n);
    for (size_t i = 0; i < delta->inserted.n; i++) {
        const struct pgs__held_row *row = after->rows[delta->inserted.rows[i].place];

        assert_true(row->text_hash == pgs__held_hash(delta->inserted.rows[i].text));
        assert_null(pgs__held_find(before, pgs__held_key(row), 0));
    }
    for (size_t i = 0; i < delta->updated.n; i++) {
        const struct pgs__held_row *row = after->rows[delta->updated.rows[i].place];

        assert_true(row->text_hash == pgs__held_hash(delta->updated.rows[i].text));
        assert_non_null(pgs__held_find(before, pgs__held_key(row), 0));
    }
    for (size_t i = 0; i < delta->deleted.n; i++) {
        assert_non_null(pgs__held_find(before, delta->deleted.rows[i].text, 0));
        assert_null(pgs__held_find(after, delta->deleted.rows[i].text, 0));
    }
}

/* One change of `items`; false: nothing came of it. */
static bool
change_item(struct item *items, struct item *old, struct pgs_change *change)
{
    int id = any(IDS);

    *old = items[id];
    if (old->is_there) {
        old->row[0] = pgs_text_of(old->id);
        change->before = old->row;
    }
    if (any(4) > 0)
        write_item(&items[id], id);
    else
        items[id].is_there = false;
    change->after = items[id].is_there ? items[id].row : NULL;
    change->kind = change->before == NULL  ? PGS_CHANGE_INSERT
                   : change->after == NULL ? PGS_CHANGE_DELETE
                                           : PGS_CHANGE_UPDATE;
    return change->before != NULL || change->after != NULL;
}

/* Several changes; false: only asking helps. */
static bool
apply_some(struct pgs__work *work, struct item *items)
{
    bool good = true;

    for (int n = 1 + any(4); n > 0; n--) {
        struct pgs_change change = {.next = NULL};
        struct pgs__image image = {.change = &change};
        struct item old;

        if (change_item(items, &old, &change) && good)
            good = pgs__work_apply(work, &image);
    }
    return good;
}

static void
assert_follows(const struct pgs_match_rows *match, bool ordered)
{
    struct pgs_live live = {
        .columns = item_columns, .n_columns = 3, .key = item_key, .n_key = 1, .ordered = ordered};
    struct pgs__rows rows = {&live, match};
    struct item items[IDS] = {{.is_there = false}};
    struct pgs__held held = {0};
    int asked = 0;

    assert_true(pgs__rows_are_usable(&rows));
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct pgs__held before, truth;
        struct pgs__work work = {.rows = rows, .held = &held, .pool = &pool, .commit = round};
        struct pgs__delta delta;

        h2o_mem_init_pool(&pool);
        before = read_truth(&rows, items);
        if (apply_some(&work, items)) {
            pgs__delta_of_work(&delta, &work);
            truth = read_truth(&rows, items);
            if (match->limit == 0 || ordered) {
                assert_same(&held, &truth, ordered);
                assert_told(&delta, &before, &held);
            }
            pgs__work_done(&work, false);
        } else {
            pgs__work_undo(&work);
            if (match->limit == 0 || ordered)
                assert_same(&held, &before, ordered);
            truth = read_truth(&rows, items);
            pgs__held_clear(&held);
            held = read_truth(&rows, items);
            asked++;
        }
        assert_true(held.n == truth.n);
        pgs__held_clear(&before);
        pgs__held_clear(&truth);
        h2o_mem_clear_pool(&pool);
    }
    assert_true(match->limit > 0 ? asked > 0 && asked < ROUNDS / 2 : asked == 0);
    pgs__held_clear(&held);
}

static void
test_apply(void **state)
{
    struct pgs_match_rows match = {.holds = holds, .outputs = item_outputs};

    (void)state;
    assert_follows(&match, false);
    match.limit = 4;
    assert_follows(&match, false);
    match.order = item_order;
    match.n_order = 2;
    assert_follows(&match, true);
    match.limit = 0;
    assert_follows(&match, true);
}

/* What the log does not tell cannot be matched. */
static void
test_apply_untold(void **state)
{
    static const uint16_t needed[] = {1};
    struct pgs_match_rows match = {
        .holds = holds, .outputs = item_outputs, .needed = needed, .n_needed = 1};
    struct pgs_live live = {.columns = item_columns, .n_columns = 3, .key = item_key, .n_key = 1};
    struct pgs_text row[3] = {TEXT("1"), {pgs_untold, 0}, TEXT("a")};
    struct pgs_change change = {.kind = PGS_CHANGE_UPDATE, .before = row, .after = row};
    struct pgs__image image = {.change = &change};
    struct pgs__held held = {0};
    struct pgs__work work = {.rows = {&live, &match}, .held = &held, .pool = &pool, .commit = 1};

    (void)state;
    h2o_mem_init_pool(&pool);
    assert_false(pgs__work_apply(&work, &image));
    pgs__work_undo(&work);
    h2o_mem_clear_pool(&pool);
}

/* Rows that come to nothing cost as well: of many of them in one commit, asking is cheaper. */
static void
test_apply_has_a_bound(void **state)
{
    struct pgs_match_rows match = {.holds = holds, .outputs = item_outputs};
    struct pgs_live live = {.columns = item_columns, .n_columns = 3, .key = item_key, .n_key = 1};
    struct pgs_text in[3] = {TEXT("1"), TEXT("2"), TEXT("a")},
                    out[3] = {TEXT("2"), {NULL, 0}, TEXT("x")};
    struct pgs_change first = {.kind = PGS_CHANGE_INSERT, .after = in},
                      other = {.kind = PGS_CHANGE_INSERT, .after = out};
    struct pgs__image one = {.change = &first}, nothing = {.change = &other};
    struct pgs__held held = {0};
    struct pgs__work work = {.rows = {&live, &match}, .held = &held, .pool = &pool, .commit = 1};
    int n = 1;

    (void)state;
    h2o_mem_init_pool(&pool);
    assert_true(pgs__work_apply(&work, &one));
    while (n < 100000 && pgs__work_apply(&work, &nothing))
        n++;
    assert_int_equal(n, 1000);
    assert_int_equal(held.n, 1);
    pgs__work_undo(&work);
    assert_int_equal(held.n, 0);
    pgs__held_clear(&held);
    h2o_mem_clear_pool(&pool);
}

/* Of a row, or of several together: each subscriber would have to be told all of it at once. */
static void
test_apply_large(void **state)
{
    enum {
        LARGE = 262144,
        PARTS = 3
    };
    struct pgs_match_rows match = {.holds = holds, .outputs = item_outputs};
    struct pgs_live live = {.columns = item_columns, .n_columns = 3, .key = item_key, .n_key = 1};
    struct pgs_text row[3] = {TEXT("1"), {NULL, 0}, TEXT("")};
    struct pgs_change change = {.kind = PGS_CHANGE_INSERT, .after = row};
    char *text = calloc(1, LARGE);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', LARGE);
    for (size_t n = 1; n <= PARTS; n += PARTS - 1) {
        struct pgs__held held = {0};
        struct pgs__work work = {
            .rows = {&live, &match}, .held = &held, .pool = &pool, .commit = 1};
        size_t told = 0;

        h2o_mem_init_pool(&pool);
        row[2] = (struct pgs_text){text, LARGE / n};
        for (char id[2] = "1"; told < 9; id[0]++, told++) {
            struct pgs__image image = {.change = &change};

            row[0] = (struct pgs_text){id, 1};
            if (!pgs__work_apply(&work, &image))
                break;
        }
        assert_int_equal(told, n == 1 ? 0 : PARTS);
        pgs__work_undo(&work);
        assert_int_equal(held.n, 0);
        pgs__held_clear(&held);
        h2o_mem_clear_pool(&pool);
    }
    free(text);
}

/* ---- whom a row concerns ---- */

static const char *visited;

static void
note_visit(struct pgs__member *member, bool is_sure, void *arg)
{
    static char text[64];
    char *out = arg;

    (void)snprintf(text, sizeof(text), "%s%s%s", out, (const char *)member->subscription,
                   is_sure ? " " : "? ");
    (void)snprintf(out, 64, "%s", text);
    visited = out;
}

static void
assert_visits(const struct pgs__interests *interests, const struct pgs_text *before,
              const struct pgs_text *after, const char *expected)
{
    struct pgs_change change = {.kind = before == NULL  ? PGS_CHANGE_INSERT
                                        : after == NULL ? PGS_CHANGE_DELETE
                                                        : PGS_CHANGE_UPDATE,
                                .before = before,
                                .after = after};
    char out[64] = "";

    pgs__interest_visit(interests->tables[0], &change, note_visit, out);
    assert_string_equal(out, expected);
}

static void
test_interest(void **state)
{
    static const struct pgs_watched watched[] = {{"public", "note", NULL}, {NULL, NULL, NULL}};
    static const struct pgs_app app = {.watched = watched};
    static const struct pgs_tie tie = {1, 0};
    static const struct pgs_live_source source = {0, &tie, 1};
    static const struct pgs_text one = TEXT("1"), two = TEXT("2"), none = {NULL, 0};
    static const struct pgs_text in_one[] = {TEXT("7"), TEXT("1")},
                                 in_two[] = {TEXT("7"), TEXT("2")},
                                 in_none[] = {TEXT("7"), {NULL, 0}},
                                 untold[] = {TEXT("7"), {pgs_untold, 0}};
    struct pgs__member a = {.subscription = (void *)"a"}, b = {.subscription = (void *)"b"},
                       c = {.subscription = (void *)"c"};
    struct pgs__interests interests;

    (void)state;
    assert_true(pgs__interests_init(&interests, &app));
    pgs__interest_join(&interests, &a, NULL, &source, true, 0, &one);
    pgs__interest_join(&interests, &b, NULL, &source, true, 0, &two);
    pgs__interest_join(&interests, &c, NULL, &source, true, 0, &none);
    assert_visits(&interests, NULL, in_one, "a ");
    assert_visits(&interests, in_two, NULL, "b ");
    assert_visits(&interests, in_one, in_two, "a b ");
    assert_visits(&interests, in_one, in_one, "a ");
    assert_visits(&interests, NULL, in_none, "");
    assert_visits(&interests, NULL, (const struct pgs_text[]){TEXT("7"), TEXT("3")}, "");
    assert_true(pgs__interest_concerns(&source, &two,
                                       &(struct pgs_change){.before = in_two, .after = in_one}));
    assert_false(pgs__interest_concerns(&source, &two, &(struct pgs_change){.after = in_one}));
    assert_true(pgs__interest_concerns(&source, &two, &(struct pgs_change){.before = untold}));
    pgs__interest_leave(&a);
    assert_visits(&interests, untold, in_one, "b? ");
    pgs__interest_leave(&b);
    pgs__interest_leave(&c);
    assert_visits(&interests, in_one, in_two, "");
    pgs__interests_clear(&interests);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_changes_of_full_identity),
        cmocka_unit_test(test_changes_unread),
        cmocka_unit_test(test_changes_of_another_shape),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_sort_of_nonsense),
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_delta_of_order),
        cmocka_unit_test(test_equal_keys),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_large),
        cmocka_unit_test(test_apply_untold),
        cmocka_unit_test(test_interest),
        cmocka_unit_test(test_numbers_of_equal_rows),
        cmocka_unit_test(test_many_equal_rows),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_apply_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

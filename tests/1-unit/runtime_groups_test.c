/* SPDX-License-Identifier: MIT */
/* Groups of rows, kept up to date by the rows that come and go, beside groups counted anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "live/delta.h"
#include "live/groups.h"
#include "live/row.h"

enum {
    IDS = 14,
    ROUNDS = 20000,
    COLUMNS = 7, /* that are shown */
    TOTALS = 9,
};

__extension__ typedef __int128 wide;

/* select room, count(*), count(n), sum(n), min(n), max(n), coalesce(sum(n), 0) ... group by room */
static const struct pgs_column columns[COLUMNS] = {
    PGS_COLUMN("room", "room", PGS_INT4, "integer", true),
    PGS_COLUMN("rows", "rows", PGS_INT8, "bigint", false),
    PGS_COLUMN("known", "known", PGS_INT8, "bigint", false),
    PGS_COLUMN("total", "total", PGS_NUMERIC, "numeric", true),
    PGS_COLUMN("low", "low", PGS_INT8, "bigint", true),
    PGS_COLUMN("high", "high", PGS_INT8, "bigint", true),
    PGS_COLUMN("balance", "balance", PGS_NUMERIC, "numeric", false),
};
static const struct pgs_match_total totals[TOTALS] = {
    {PGS_TOTAL_GROUP, 0, 0},       {PGS_TOTAL_ROWS, 0, 0}, {PGS_TOTAL_VALUES, 1, 0},
    {PGS_TOTAL_SUM, 1, 8},         {PGS_TOTAL_MIN, 1, 0},  {PGS_TOTAL_MAX, 1, 0},
    {PGS_TOTAL_SUM_OR_ZERO, 1, 0}, {PGS_TOTAL_ROWS, 0, 0}, {PGS_TOTAL_VALUES, 1, 0},
};
static const uint16_t key[] = {0}, needed[] = {0, 1, 2};

/* Not hidden. */
static enum pgs_truth
holds(const struct pgs_text *row, const struct pgs_facts *facts)
{
    (void)facts;
    return row[2].at[0] == 'f' ? PGS_TRUE : PGS_UNKNOWN;
}

static const struct pgs_match_rows match = {.holds = holds,
                                            .needed = needed,
                                            .n_needed = PGS_COUNT(needed),
                                            .totals = totals,
                                            .n_totals = TOTALS};
static const struct pgs_live grouped = {
    .columns = columns, .n_columns = COLUMNS, .key = key, .n_key = 1};

/* The same without `group by`: `room` is not there. */
static const struct pgs_match_rows match_one = {.holds = holds,
                                                .needed = needed,
                                                .n_needed = PGS_COUNT(needed),
                                                .totals =
                                                    (const struct pgs_match_total[]){
                                                        {PGS_TOTAL_ROWS, 0, 0},
                                                        {PGS_TOTAL_VALUES, 1, 0},
                                                        {PGS_TOTAL_SUM, 1, 7},
                                                        {PGS_TOTAL_MIN, 1, 0},
                                                        {PGS_TOTAL_MAX, 1, 0},
                                                        {PGS_TOTAL_SUM_OR_ZERO, 1, 0},
                                                        {PGS_TOTAL_ROWS, 0, 0},
                                                        {PGS_TOTAL_VALUES, 1, 0},
                                                    },
                                                .n_totals = TOTALS - 1};
static const struct pgs_live one = {.columns = columns + 1, .n_columns = COLUMNS - 1};

static h2o_mem_pool_t pool;

/* ---- the table ---- */

struct item {
    bool is_there, has_room, has_n;
    char room[4], n[24], hidden[2];
    struct pgs_text row[3];
};

static uint32_t seed = 1;

static int
any(int n)
{
    seed = seed * 1664525 + 1013904223;
    return (int)(seed >> 8) % n;
}

static struct pgs_text
text_if(bool is_there, const char *text)
{
    return is_there ? pgs_text_of(text) : (struct pgs_text){NULL, 0};
}

/* Its row is of its own texts; NULL: it is not there. */
static const struct pgs_text *
row_of(struct item *item)
{
    item->row[0] = text_if(item->has_room, item->room);
    item->row[1] = text_if(item->has_n, item->n);
    item->row[2] = pgs_text_of(item->hidden);
    return item->is_there ? item->row : NULL;
}

static void
write_item(struct item *item)
{
    static const int64_t far[] = {INT64_MAX, INT64_MIN, INT64_MAX - 7};

    item->is_there = true;
    (void)snprintf(item->room, sizeof(item->room), "%d", any(4));
    (void)snprintf(item->n, sizeof(item->n), "%" PRId64,
                   any(40) > 0 ? (int64_t)(any(20) - 10) : far[any(3)]);
    (void)snprintf(item->hidden, sizeof(item->hidden), "%c", "fffft"[any(5)]);
    item->has_room = any(5) > 0;
    item->has_n = any(5) > 0;
    (void)row_of(item);
}

/* ---- what it comes to ---- */

struct count {
    int64_t rows, known, low, high;
    wide total;
};

static bool
is_in(const struct item *item, int room)
{
    if (!item->is_there || holds(item->row, NULL) != PGS_TRUE)
        return false;
    return room == IDS || (!item->has_room ? room == -1 : atoi(item->room) == room);
}

static struct count
count_room(const struct item *items, int room)
{
    struct count count = {0, 0, INT64_MAX, INT64_MIN, 0};

    for (int i = 0; i < IDS; i++) {
        int64_t n = is_in(&items[i], room) ? strtoll(items[i].n, NULL, 10) : 0;

        if (!is_in(&items[i], room))
            continue;
        count.rows++;
        if (!items[i].has_n)
            continue;
        count.known++;
        count.total += n;
        count.low = n < count.low ? n : count.low;
        count.high = n > count.high ? n : count.high;
    }
    return count;
}

static void
print_wide(char *out, wide number)
{
    char digits[48];
    size_t n = sizeof(digits);
    bool is_below = number < 0;

    for (digits[--n] = '\0'; number != 0 || digits[n] == '\0'; number /= 10)
        digits[--n] = (char)('0' + (is_below ? -(number % 10) : number % 10));
    (void)sprintf(out, "%s%s", is_below ? "-" : "", digits + n);
}

/* As PostgreSQL answers: the columns of `live`, then what is asked beside. */
static void
hold(const struct pgs_live *live, const struct count *count, int room, struct pgs__held *held)
{
    static char texts[TOTALS][50];
    struct pgs_text values[TOTALS], *at = values;
    struct pgs_buf row, group, kept;
    bool none = count->known == 0;

    (void)sprintf(texts[0], "%d", room);
    (void)sprintf(texts[1], "%" PRId64, count->rows);
    (void)sprintf(texts[2], "%" PRId64, count->known);
    print_wide(texts[3], count->total);
    (void)sprintf(texts[4], "%" PRId64, count->low);
    (void)sprintf(texts[5], "%" PRId64, count->high);
    print_wide(texts[6], count->total);
    for (size_t i = live->n_key > 0 ? 0 : 1; i < COLUMNS; i++)
        *at++ = (i == 0 ? room < 0 : i > 2 && i < 6 && none) ? (struct pgs_text){NULL, 0}
                                                             : pgs_text_of(texts[i]);
    *at++ = pgs_text_of(texts[1]);
    *at++ = pgs_text_of(texts[2]);
    pgs_buf_init(&row, 0);
    pgs_buf_init(&group, 0);
    pgs_buf_init(&kept, 0);
    pgs__row_write(live, values, &row);
    pgs__row_write_key(live, values, &group);
    pgs__totals_write(values, (size_t)(at - values), &kept);
    assert_true(pgs__held_put(
        held, pgs__held_row_new((struct pgs_text){group.at, group.len}, (struct pgs_text){"", 0},
                                (struct pgs_text){kept.at, kept.len},
                                pgs__held_hash((struct pgs_text){row.at, row.len}))));
    pgs_buf_clear(&row);
    pgs_buf_clear(&group);
    pgs_buf_clear(&kept);
}

static struct pgs__held
read_truth(const struct pgs_live *live, const struct item *items)
{
    struct pgs__held held = {0};

    for (int room = -1; room < 4 && live->n_key > 0; room++) {
        struct count count = count_room(items, room);

        if (count.rows > 0)
            hold(live, &count, room, &held);
    }
    if (live->n_key == 0) {
        struct count count = count_room(items, IDS);

        hold(live, &count, 0, &held);
    }
    return held;
}

/* With all that is kept. */
static void
assert_same(const struct pgs__held *held, const struct pgs__held *truth)
{
    assert_int_equal(held->n, truth->n);
    assert_int_equal(held->bytes, truth->bytes);
    for (size_t i = 0; i < held->n; i++) {
        const struct pgs__held_row *row = held->rows[i],
                                   *other = pgs__held_find(truth, pgs__held_key(row), 0);

        assert_non_null(other);
        assert_true(row->text_hash == other->text_hash);
        assert_int_equal(row->totals_len, other->totals_len);
        assert_memory_equal(pgs__held_totals(row).at, pgs__held_totals(other).at, row->totals_len);
    }
}

static void
assert_told(const struct pgs__delta *delta, const struct pgs__held *before,
            const struct pgs__held *after)
{
    assert_int_equal(before->n + delta->inserted.n - delta->deleted.n, after->n);
    for (size_t i = 0; i < delta->inserted.n; i++)
        assert_null(pgs__held_find(before, delta->inserted.rows[i].key, 0));
    for (size_t i = 0; i < delta->updated.n; i++) {
        const struct pgs__delta_row *row = &delta->updated.rows[i];

        assert_true(pgs__held_find(before, row->key, 0)->text_hash != pgs__held_hash(row->text));
        assert_true(pgs__held_find(after, row->key, 0)->text_hash == pgs__held_hash(row->text));
    }
    for (size_t i = 0; i < delta->deleted.n; i++) {
        assert_non_null(pgs__held_find(before, delta->deleted.rows[i].key, 0));
        assert_null(pgs__held_find(after, delta->deleted.rows[i].key, 0));
    }
}

/* ---- changes ---- */

static bool
change_item(struct item *item, struct item *old, struct item *now, struct pgs_change *change)
{
    *old = *item;
    change->before = row_of(old);
    if (any(4) > 0)
        write_item(item);
    else
        item->is_there = false;
    *now = *item;
    change->after = row_of(now);
    return change->before != NULL || change->after != NULL;
}

/* Texts of rows stay as long as what is made of them. */
static bool
apply_some(struct pgs__work *work, struct item *items, struct item old[8], struct item now[8])
{
    bool good = true;

    for (int n = any(7); n >= 0; n--) {
        struct pgs_change change = {.next = NULL};
        struct pgs__image image = {.change = &change};
        int id = any(IDS);

        if (change_item(&items[id], &old[n], &now[n], &change))
            good = good && pgs__work_apply(work, &image);
    }
    return good && pgs__work_settle(work);
}

/* Returns how often only asking helped. */
static int
follow(const struct pgs__rows *rows, struct item *items)
{
    struct pgs__held held = read_truth(rows->live, items);
    int asked = 0;

    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct pgs__held before = read_truth(rows->live, items), truth;
        struct pgs__work work = {.rows = *rows, .held = &held, .pool = &pool, .commit = round};
        struct item old[8], now[8];
        struct pgs__delta delta;

        h2o_mem_init_pool(&pool);
        if (apply_some(&work, items, old, now)) {
            pgs__delta_of_work(&delta, &work);
            assert_told(&delta, &before, &held);
            pgs__work_done(&work, false);
        } else {
            pgs__work_undo(&work);
            assert_same(&held, &before);
            pgs__held_clear(&held);
            held = read_truth(rows->live, items);
            asked++;
        }
        truth = read_truth(rows->live, items);
        assert_same(&held, &truth);
        pgs__held_clear(&before);
        pgs__held_clear(&truth);
        h2o_mem_clear_pool(&pool);
    }
    pgs__held_clear(&held);
    return asked;
}

static void
test_groups(void **state)
{
    struct item items[IDS] = {{.is_there = false}};
    struct pgs__rows rows = {&grouped, &match};
    int asked;

    (void)state;
    assert_true(pgs__rows_are_usable(&rows));
    asked = follow(&rows, items);
    assert_true(asked > ROUNDS / 100 && asked < ROUNDS * 9 / 10);
    rows = (struct pgs__rows){&one, &match_one};
    asked = follow(&rows, items);
    assert_true(asked > ROUNDS / 100 && asked < ROUNDS * 9 / 10);
}

/* ---- one by one ---- */

/* Room and number of a row; NULL: null. */
struct pair {
    const char *room, *n;
};

static void
write_row(struct pgs_text *row, const struct pair *pair)
{
    row[0] = text_if(pair->room != NULL, pair->room);
    row[1] = text_if(pair->n != NULL, pair->n);
    row[2] = pgs_text_of("f");
}

/* `from` becomes `to`; NULL: there is none. */
static bool
change(struct pgs__held *held, const struct pair *from, const struct pair *to)
{
    static uint64_t commit;
    struct pgs_text before[3], after[3];
    struct pgs_change change = {.next = NULL};
    struct pgs__image image = {.change = &change};
    struct pgs__work work = {
        .rows = {&grouped, &match}, .held = held, .pool = &pool, .commit = ++commit};
    bool good;

    h2o_mem_init_pool(&pool);
    if (from != NULL) {
        write_row(before, from);
        change.before = before;
    }
    if (to != NULL) {
        write_row(after, to);
        change.after = after;
    }
    good = pgs__work_apply(&work, &image) && pgs__work_settle(&work);
    if (good)
        pgs__work_done(&work, false);
    else
        pgs__work_undo(&work);
    h2o_mem_clear_pool(&pool);
    return good;
}

#define ROW(room, n) (&(const struct pair){room, n})

static void
test_extremes(void **state)
{
    struct pgs__held held = {0};

    (void)state;
    assert_true(change(&held, NULL, ROW("1", "5")));
    assert_true(change(&held, NULL, ROW("1", "9")));
    assert_true(change(&held, NULL, ROW("1", "7")));
    assert_true(change(&held, NULL, ROW("1", NULL)));
    assert_true(change(&held, ROW("1", "7"), NULL));
    assert_false(change(&held, ROW("1", "9"), NULL));          /* what is the highest now? */
    assert_false(change(&held, ROW("1", "5"), ROW("1", "6"))); /* what is the lowest? */
    assert_true(change(&held, ROW("1", "9"), ROW("1", "10"))); /* still the highest */
    assert_true(change(&held, ROW("1", "5"), ROW("1", "-5"))); /* still the lowest */
    assert_true(change(&held, ROW("1", NULL), NULL));
    assert_false(change(&held, ROW("1", "-5"), ROW("2", "-5"))); /* it leaves */
    assert_int_equal(held.n, 1);
    pgs__held_clear(&held);
}

/* What is open after one change may be closed by the next of its transaction. */
static void
test_extreme_given_back(void **state)
{
    struct pgs_text five[3], nine[3], ten[3], six[3];
    struct pgs_change lower = {.before = nine, .after = six}, lowest = {.before = five},
                      higher = {.after = ten};
    struct pgs__image images[] = {{.change = &lower}, {.change = &lowest}, {.change = &higher}};
    struct pgs__held held = {0};
    struct pgs__work work = {
        .rows = {&grouped, &match}, .held = &held, .pool = &pool, .commit = 1000};

    (void)state;
    assert_true(change(&held, NULL, ROW("1", "5")));
    assert_true(change(&held, NULL, ROW("1", "9")));
    write_row(five, ROW("1", "5"));
    write_row(nine, ROW("1", "9"));
    write_row(ten, ROW("1", "10"));
    write_row(six, ROW("1", "6"));
    h2o_mem_init_pool(&pool);
    assert_true(pgs__work_apply(&work, &images[0]));
    assert_true(pgs__work_apply(&work, &images[2]));
    assert_true(pgs__work_settle(&work));
    pgs__work_done(&work, false);
    work = (struct pgs__work){
        .rows = {&grouped, &match}, .held = &held, .pool = &pool, .commit = 1001};
    assert_true(pgs__work_apply(&work, &images[1]));
    assert_false(pgs__work_settle(&work));
    pgs__work_undo(&work);
    assert_int_equal(held.n, 1);
    pgs__held_clear(&held);
    h2o_mem_clear_pool(&pool);
}

/* Of the last row nothing has to be known; of one that is not there nothing can be. */
static void
test_last_row(void **state)
{
    struct pgs__held held = {0};

    (void)state;
    assert_false(change(&held, ROW("1", "5"), NULL));
    assert_true(change(&held, NULL, ROW("1", "5")));
    assert_true(change(&held, ROW("1", "5"), ROW(NULL, "5")));
    assert_int_equal(held.n, 1);
    assert_true(change(&held, ROW(NULL, "5"), NULL));
    assert_int_equal(held.n, 0);
    pgs__held_clear(&held);
}

static void
test_sums_too_large(void **state)
{
    struct count count = {2, 2, 0, INT64_MAX, (wide)INT64_MAX + 5};
    struct pgs__held held = {0};

    (void)state;
    assert_true(change(&held, NULL, ROW("1", "9223372036854775807")));
    assert_false(change(&held, NULL, ROW("1", "1")));
    assert_true(change(&held, NULL, ROW("1", "-1")));
    assert_false(change(&held, NULL, ROW("1", "many")));
    pgs__held_clear(&held);
    hold(&grouped, &count, 1, &held); /* PostgreSQL's sum */
    assert_false(change(&held, NULL, ROW("1", "-9")));
    assert_true(change(&held, NULL, ROW("2", "-9")));
    pgs__held_clear(&held);
}

/* So many rows PostgreSQL counts at less cost. */
static void
test_too_many(void **state)
{
    struct pgs_text row[3];
    struct pgs_change change = {.after = row};
    struct pgs__image image = {.change = &change};
    struct pgs__held held = {0};
    struct pgs__work work = {.rows = {&grouped, &match}, .held = &held, .pool = &pool, .commit = 1};

    (void)state;
    write_row(row, ROW("1", "5"));
    h2o_mem_init_pool(&pool);
    for (int i = 0; i < 1000; i++)
        assert_true(pgs__work_apply(&work, &image));
    assert_false(pgs__work_apply(&work, &image));
    pgs__work_undo(&work);
    assert_int_equal(held.n, 0);
    pgs__held_clear(&held);
    h2o_mem_clear_pool(&pool);
}

/* What the log does not tell cannot be counted. */
static void
test_untold(void **state)
{
    struct pgs_text row[3] = {{"1", 1}, {pgs_untold, 0}, {"f", 1}}, whole[3];
    struct pgs_change half = {.before = row}, other = {.after = row};
    struct pgs__image taken = {.change = &half}, given = {.change = &other};
    struct pgs__held held = {0};
    struct pgs__work work = {.rows = {&grouped, &match}, .held = &held, .pool = &pool, .commit = 1};

    (void)state;
    write_row(whole, ROW("1", "5"));
    half.after = whole;
    h2o_mem_init_pool(&pool);
    assert_false(pgs__work_apply(&work, &taken));
    assert_false(pgs__work_apply(&work, &given));
    pgs__work_undo(&work);
    assert_int_equal(held.n, 0);
    h2o_mem_clear_pool(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),   cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_last_row), cmocka_unit_test(test_sums_too_large),
        cmocka_unit_test(test_untold),   cmocka_unit_test(test_extreme_given_back),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Which rows lead nowhere in a join: what shows it, what it waits for, and when it is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "live/joined.h"
#include "live/match.h"
#include "runtime_backend.h"
#include "runtime_commits.h"

/* select note.id, topic.body from note join topic on topic.id = note.body */

static const struct pgs_column columns[] = {PGS_COLUMN("id", "id", PGS_INT8, "bigint", false),
                                            PGS_COLUMN("body", "body", PGS_TEXT, "text", false)};
static const uint16_t places[] = {0, 1}, outputs[] = {0, PGS_JOINED}, second[] = {1};

static enum pgs_truth
holds(const struct pgs_text *row, const struct pgs_facts *facts)
{
    (void)row;
    (void)facts;
    return PGS_TRUE;
}

static const struct pgs_match_join join = {second, 1, second, 1};
static const struct pgs_match_rows match = {.holds = holds,
                                            .needed = places,
                                            .n_needed = 2,
                                            .outputs = outputs,
                                            .joins = &join,
                                            .n_joins = 1};
static const struct pgs_live_source sources[] = {{.watched = 0}, {.watched = 1}};
static const struct pgs_matcher matcher = {
    .roles = 1, .sources = sources, .n_sources = 2, .rows = &match};
static const struct pgs_live live = {
    .name = "q", .columns = columns, .n_columns = 2, .key = places, .n_key = 1};
static const struct pgs__rows rows = {&live, &match};

static struct backend backend;
static struct pgs_live_thread *thread;
static struct pgs__recent *recent;
static struct pgs__session session;
static struct pgs_facts facts;
static struct pgs__subscription subscription;

/* The answer of the query has one row: note 1, which leads to "one" by "-". */
static void
on_answer(struct pgs_txn *txn, void *owner)
{
    (void)owner;
    subscription.joined = pgs__joined_read(&rows, txn, 0, subscription.joined);
}

static void
ask(void)
{
    static const char *const statement = "select";
    static const char prepared[] = "1\0\0\0\4Z\0\0\0\5I1\0\0\0\4Z\0\0\0\5I",
                      answer[] = "2\0\0\0\4D\0\0\0\16\0\1\0\0\0\4anonC\0\0\0\15SELECT 1\0"
                                 "2\0\0\0\4D\0\0\0\27\0\3\0\0\0\1"
                                 "1\0\0\0\3one\0\0\0\1-C\0\0\0\15SELECT 1\0Z\0\0\0\5I";
    bool is_first = backend.conn.statements.n == 0;
    const struct pgs_text role = {"anon", 4};
    struct pgs_txn *txn = pgs_txn_new(backend.pool, &role);

    pgs_txn_statement(txn, statement, strlen(statement));
    txn->done = on_answer;
    pgs__conn_send(&backend.conn, txn);
    if (is_first)
        assert_true(backend_say(&backend, prepared, sizeof(prepared) - 1));
    assert_true(backend_say(&backend, answer, sizeof(answer) - 1));
    assert_non_null(subscription.joined);
}

static int
begin(void **state)
{
    (void)state;
    backend_open(&backend);
    thread = calloc(1, sizeof(*thread));
    if (thread == NULL)
        return 1;
    recent = &thread->recent;
    session = (struct pgs__session){.thread = thread};
    subscription = (struct pgs__subscription){.session = &session,
                                              .live = &live,
                                              .matcher = &matcher,
                                              .facts = &facts,
                                              .has_result = true};
    return 0;
}

static int
end(void **state)
{
    (void)state;
    pgs__joined_free(subscription.joined);
    pgs__recent_clear(recent);
    free(thread);
    backend_close(&backend);
    return 0;
}

/* Where note 7 would lead with such a body. */
static enum pgs__leads
leads(const char *body)
{
    const struct pgs_text row[] = {{"7", 1}, {body, strlen(body)}};
    struct pgs_text found[2];

    return pgs__joined_find(subscription.joined, &match, row, found);
}

/* An answer comes because of the commits behind `applied`; note 7 is not in it. */
static void
take_answer(uint64_t applied, const char *seen)
{
    struct pgs__held held = {0};
    struct pgs__snapshot snapshot;
    h2o_mem_pool_t pool;

    ask();
    h2o_mem_init_pool(&pool);
    assert_true(pgs__snapshot_read(seen, (struct pgs_text){NULL, 0}, &snapshot));
    subscription.applied = applied;
    pgs__match_learn(&subscription, &held, &snapshot, &pool);
    pgs__held_clear(&held);
    h2o_mem_clear_pool(&pool);
}

/* The same, and the log tells of no other commits that the answer saw. */
static void
learn(uint64_t applied, const char *seen)
{
    take_answer(applied, seen);
    pgs__joined_settle(subscription.joined);
}

#define ALL "1000000:1000000:"

/* By commit 1, which all see. */
static void
know_that_x_leads_nowhere(void)
{
    pgs__recent_add(recent, commit_of(10, 1));
    learn(0, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE);
}

static struct pgs_changes *
commit_of_topic(uint32_t xid)
{
    struct pgs_changes_maker maker;
    struct pgs_changes *changes;

    assert_true(pgs_changes_maker_init(&maker, 2));
    pgs_changes_add_unread(&maker, 1);
    changes = pgs_changes_finish(&maker, xid, xid * 100);
    pgs_changes_maker_clear(&maker);
    return changes;
}

static void
test_a_row_that_is_missing_shows_it(void **state)
{
    (void)state;
    learn(0, ALL);
    assert_int_equal(leads("-"), PGS__LEADS_ON);
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
    pgs__recent_add(recent, commit_of(10, 1));
    pgs__recent_add(recent, commit_of(20, 2)); /* the same row */
    take_answer(0, "15:15:");
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN); /* the log may tell of another commit yet */
    pgs__joined_settle(subscription.joined);
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE);
    assert_int_equal(leads("xx"), PGS__LEADS_UNKNOWN); /* the answer does not see it */
    assert_int_equal(leads("-"), PGS__LEADS_ON);
}

/* What the log was about to tell may be of anything, so an answer after this one learns anew. */
static void
test_what_was_not_settled_is_not_taken_over(void **state)
{
    (void)state;
    pgs__recent_add(recent, commit_of(10, 1));
    take_answer(0, ALL);
    pgs__recent_add(recent, commit_of(20, 2));
    learn(1, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
    assert_int_equal(leads("xx"), PGS__LEADS_NOWHERE);
}

static void
test_it_lasts(void **state)
{
    (void)state;
    know_that_x_leads_nowhere();
    pgs__recent_add(recent, commit_of(20, 2));
    learn(1, ALL);
    learn(2, ALL); /* nothing was written since */
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE);
    assert_int_equal(leads("xx"), PGS__LEADS_NOWHERE);
}

static void
test_until_the_other_table_is_written(void **state)
{
    (void)state;
    know_that_x_leads_nowhere();
    pgs__recent_add(recent, commit_of_topic(20));
    learn(1, "15:15:");
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE); /* the answer does not see that */
    learn(1, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
    assert_int_equal(leads("-"), PGS__LEADS_ON); /* as the answer says */
}

/* Its rows are not there any more: they may have been of any table. */
static void
test_a_commit_without_its_rows(void **state)
{
    (void)state;
    know_that_x_leads_nowhere();
    for (uint32_t i = 0; i <= PGS_RECENT_ROWS; i++)
        pgs__recent_add(recent, commit_of(20 + i, 2));
    learn(2, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE);
    learn(1, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
}

/* Of those that are remembered the answer sees none. */
static void
test_more_commits_than_are_remembered(void **state)
{
    (void)state;
    know_that_x_leads_nowhere();
    pgs__recent_add(recent, commit_of_topic(20));
    for (uint32_t i = 0; i < PGS_RECENT_SIZE; i++)
        pgs__recent_add(recent, commit_of(100, 1));
    learn(2, "50:50:");
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE);
    learn(1, "50:50:");
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
}

/* What was written meanwhile was not told, and the numbers of those before mean nothing now. */
static void
test_behind_a_lost_log(void **state)
{
    (void)state;
    know_that_x_leads_nowhere();
    pgs__recent_part(recent, 1);
    pgs__recent_add(recent, commit_of(20, 2));
    learn(1, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_NOWHERE); /* it is of this log */
    assert_int_equal(leads("xx"), PGS__LEADS_NOWHERE);
    pgs__recent_add(recent, commit_of(30, 3));
    pgs__recent_part(recent, 3);
    learn(2, ALL);
    assert_int_equal(leads("x"), PGS__LEADS_UNKNOWN);
    assert_int_equal(leads("xx"), PGS__LEADS_UNKNOWN);
    assert_int_equal(leads("xxx"), PGS__LEADS_UNKNOWN);
    pgs__recent_add(recent, commit_of(40, 4));
    learn(3, ALL);
    assert_int_equal(leads("xxxx"), PGS__LEADS_NOWHERE);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_row_that_is_missing_shows_it),
        CASE(test_what_was_not_settled_is_not_taken_over),
        CASE(test_it_lasts),
        CASE(test_until_the_other_table_is_written),
        CASE(test_a_commit_without_its_rows),
        CASE(test_more_commits_than_are_remembered),
        CASE(test_behind_a_lost_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

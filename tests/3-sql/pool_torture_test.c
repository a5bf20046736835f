/* SPDX-License-Identifier: MIT */
/*
 * Each call of the pool that can fail fails in turn, before a real PostgreSQL: no crash, no leak,
 * no answer that belongs to another caller, no write that was acknowledged and is not there, or
 * that was done twice; and once calls work again, so does the pool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/pool_private.h"
#include "lib/torture.h"
#include "pool_fixture.h"

#define ASKED 8
#define TRIED 25 /* calls, without LONG=1: each try connects anew */

/* What came of each transaction; nothing here may allocate. */
static struct asked {
    char how;        /* 0: nothing yet; 'y': committed; 'n': not; '?': perhaps */
    char value[200]; /* the first of its first row */
} asked[ASKED];

static h2o_loop_t *own_loop;
static struct pgs_pool *own_pool;

static const struct caller *const callers[] = {&ada, &bob};

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct asked *one = owner;
    size_t len = 0;
    const char *value;

    torture_require(one->how == 0, "done is called twice");
    one->how = pgs_txn_state(txn) == PGS_TXN_LOST ? '?'
               : pgs_txn_state(txn) == PGS_TXN_OK ? 'y'
                                                  : 'n';
    if (one->how != 'y' || (value = pgs_txn_value(txn, 0, 0, 0, &len)) == NULL)
        return;
    (void)snprintf(one->value, sizeof(one->value), "%.*s", (int)len, value);
}

static void
ask_own(int which, const struct caller *caller, bool slow, uint32_t within_ms, const char *sql,
        const char *param)
{
    struct pgs_text session[] = {{caller->role, strlen(caller->role)},
                                 {caller->uid, strlen(caller->uid)}};
    struct pgs_txn *txn = pgs_txn_new_within(own_pool, session, within_ms);

    asked[which] = (struct asked){.how = txn != NULL ? 0 : 'n'};
    if (txn == NULL)
        return;
    pgs_txn_statement(txn, sql, strlen(sql));
    if (param != NULL)
        pgs_txn_bind_text(txn, param, strlen(param));
    pgs_txn_send(txn, slow, on_done, &asked[which]);
}

static bool
are_answered(int n)
{
    for (int i = 0; i < n; i++)
        if (asked[i].how == 0)
            return false;
    return true;
}

static void
wait_for_answers(int n)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (!are_answered(n)) {
        torture_require(real_ms() < end, "no answer");
        (void)h2o_evloop_run(own_loop, 5);
    }
}

static const char whoami[] =
    "select current_setting('role') || current_setting('pool_test.uid') || string_agg(owner, '')"
    " from (select distinct owner from pool_test.item) as seen";
static const char large[] = "select repeat(current_setting('pool_test.uid'), 100000) from "
                            "pg_catalog.generate_series(1, 10) where $1 = 'x'";
static const char enter[] = "insert into pool_test.entry (word) values ($1)";

/* Reads of two callers, a text that is refused, writes, much at once: in one turn of the loop. */
static void
send_all(const char *mark)
{
    ask_own(0, &ada, false, 0, whoami, NULL);
    ask_own(1, &bob, false, 0, whoami, NULL);
    ask_own(2, &ada, false, 0, "select nothing from pool_test.item", NULL);
    ask_own(3, &ada, false, 0, enter, mark);
    ask_own(4, &bob, false, 0, large, "x");
    ask_own(5, &ada, true, 2000, whoami, NULL);
    ask_own(6, &guest, false, 0, "select owner from pool_test.item", NULL);
    ask_own(7, &bob, true, 0, whoami, NULL);
}

static void
check_answers(void)
{
    static const struct {
        int which, caller;
    } reads[] = {{0, 0}, {1, 1}, {5, 0}, {7, 1}};

    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        const struct caller *caller = callers[reads[i].caller];
        char wanted[64];

        (void)snprintf(wanted, sizeof(wanted), "%s%s%s", caller->role, caller->uid, caller->uid);
        torture_require(asked[reads[i].which].how != 'y' ||
                            strcmp(asked[reads[i].which].value, wanted) == 0,
                        "another caller's rows");
    }
    torture_require(asked[2].how != 'y', "what is refused is served");
    torture_require(asked[4].how != 'y' || strncmp(asked[4].value, "u2u2u2", 6) == 0,
                    "another caller's value");
    torture_require(asked[6].how != 'y', "who may nothing is served");
}

/* An acknowledged write is there, one that is refused is not, and none is there twice. */
static void
check_write(const char *mark)
{
    char written = asked[3].how;

    ask_own(0, &ada, false, 0, "select count(*) from pool_test.entry where word = $1", mark);
    wait_for_answers(1);
    torture_require(asked[0].how == 'y', "the pool does not come back");
    torture_require(strcmp(asked[0].value, written == 'y' ? "1" : "0") == 0 ||
                        (written == '?' && strcmp(asked[0].value, "1") == 0),
                    "a write that is not as it was told");
}

static void
wait_until_ready(void)
{
    int64_t end = real_ms() + PATIENCE_MS;

    for (bool ready = false; !ready;) {
        torture_require(real_ms() < end, "the pool does not connect");
        (void)h2o_evloop_run(own_loop, 5);
        ready = true;
        for (int i = 0; i < own_pool->n_conns; i++)
            ready = ready && own_pool->conns[i].state == PGS__CONN_READY;
    }
}

static void
open_own(void)
{
    struct pgs_pool_config config = one_connection();

    own_loop = h2o_evloop_create();
    config.slow_connections = 1;
    config.slow_after_ms = 50;
    config.max_statements = 16;
    own_pool = pgs_pool_open(own_loop, &config);
}

static void
close_own(void)
{
    pgs_pool_close(own_pool);
    while (!pgs_pool_is_closed(own_pool))
        (void)h2o_evloop_run(own_loop, 5);
    pgs_pool_free(own_pool);
    (void)h2o_evloop_run(own_loop, 0);
}

/* `connected`: what fails comes after connecting. */
static bool
use_pool(bool connected)
{
    char mark[32];
    bool ok = true;

    (void)snprintf(mark, sizeof(mark), "torture %ld", (long)getpid());
    open_own();
    if (connected)
        wait_until_ready();
    torture_begin();
    for (int i = 0; !connected && i < 40; i++)
        (void)h2o_evloop_run(own_loop, 5);
    send_all(mark);
    wait_for_answers(ASKED);
    torture_end();
    check_answers();
    for (int i = 0; i < ASKED; i++)
        ok = ok && (asked[i].how == 'y' || i == 2 || i == 6);
    torture_stop();
    wait_until_ready();
    check_write(mark);
    close_own();
    return ok;
}

static bool
use_connected(void)
{
    return use_pool(true);
}

static bool
connect_and_use(void)
{
    return use_pool(false);
}

static void
test_torture_connected(void **state)
{
    (void)state;
    assert_true(torture("the pool, connected", use_connected) > 0);
}

static void
test_torture_connecting(void **state)
{
    (void)state;
    assert_true(torture("the pool, connecting", connect_and_use) > 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torture_connected),
        cmocka_unit_test(test_torture_connecting),
    };

    torture_init();
    torture_sample(TRIED);
    begin_program(argc, argv);
    return cmocka_run_group_tests(tests, make_tables, drop_tables);
}

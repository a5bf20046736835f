/* SPDX-License-Identifier: MIT */
/*
 * A failed assertion jumps out of its case: nothing that a `done` still writes to may lie in the
 * frame of a case, so answers are the fixture's.  For the same reason nothing is asserted inside
 * a callback.
 */
#include "pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/pool_private.h"

const struct caller ada = {"pool_member", "u1"};
const struct caller bob = {"pool_member", "u2"};
const struct caller guest = {"pool_guest", ""};
const struct caller login = {"none", ""};

struct pgs_pool *pool;

static h2o_loop_t *loop;
static struct answer *answers;
static struct answer **answers_end = &answers;
static int n_answered;
static bool is_sending;
static bool was_called_while_sending;
static int64_t clock_skew_us;
static int64_t held_us; /* what the clock says while it is held; 0: it runs */
static uint32_t random_state;

/* ---- time ---- */

static int64_t
real_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
real_ms(void)
{
    return real_us() / 1000;
}

static int64_t
skewed_us(void)
{
    return held_us != 0 ? held_us : real_us() + clock_skew_us;
}

void
put_clock_forward(int ms)
{
    clock_skew_us += (int64_t)ms * 1000;
    if (held_us != 0)
        held_us += (int64_t)ms * 1000;
}

bool
hold_clock(bool hold)
{
    bool was_held = held_us != 0;

    if (was_held && !hold)
        clock_skew_us = held_us - real_us();
    held_us = hold ? skewed_us() : 0;
    return was_held;
}

void
run_loop(int ms)
{
    int64_t end = real_ms() + ms;

    do
        (void)h2o_evloop_run(loop, 5);
    while (real_ms() < end);
}

/* ---- transactions ---- */

struct pgs_txn *
new_txn(const struct caller *caller)
{
    struct pgs_text session[] = {{caller->role, strlen(caller->role)},
                                 {caller->uid, strlen(caller->uid)}};

    return pgs_txn_new(pool, session);
}

void
add_statement(struct pgs_txn *txn, const char *sql)
{
    pgs_txn_statement(txn, sql, strlen(sql));
}

static const char *
name_of(const struct pgs_txn *txn)
{
    switch (pgs_txn_state(txn)) {
    case PGS_TXN_OK:
        return "ok";
    case PGS_TXN_FAILED:
        return pgs_txn_error(txn).sqlstate;
    case PGS_TXN_READ_ONLY:
        return "read-only";
    case PGS_TXN_UNAVAILABLE:
        return "unavailable";
    case PGS_TXN_LOST:
        return "lost";
    case PGS_TXN_UNWANTED:
        return "unwanted";
    case PGS_TXN_BUSY:
        return "busy";
    }
    return "?";
}

static void
keep_result(struct answer *answer, struct pgs_txn *txn)
{
    const char *value;
    size_t len;

    answer->rows = pgs_txn_row_count(txn, 0);
    answer->columns = pgs_txn_column_count(txn, 0);
    answer->affected = pgs_txn_affected(txn, 0);
    value = pgs_txn_value(txn, 0, 0, 0, &len);
    (void)snprintf(answer->value, sizeof(answer->value), "%.*s", value != NULL ? (int)len : 4,
                   value != NULL ? value : "null");
}

static void
on_done(struct pgs_txn *txn, void *owner)
{
    struct answer *answer = owner;

    was_called_while_sending |= is_sending;
    answer->n_done++;
    answer->txn = NULL;
    answer->turn = ++n_answered;
    (void)snprintf(answer->how, sizeof(answer->how), "%s", name_of(txn));
    (void)snprintf(answer->message, sizeof(answer->message), "%s", pgs_txn_error(txn).message);
    if (pgs_txn_state(txn) == PGS_TXN_OK)
        keep_result(answer, txn);
}

struct answer *
send_txn(struct pgs_txn *txn, bool slow)
{
    struct answer *answer = calloc(1, sizeof(*answer));

    assert_non_null(answer);
    answer->txn = txn;
    (void)snprintf(answer->how, sizeof(answer->how), "waiting");
    *answers_end = answer;
    answers_end = &answer->next;
    is_sending = true;
    pgs_txn_send(txn, slow, on_done, answer);
    is_sending = false;
    return answer;
}

static struct pgs_txn *
one_statement(const struct caller *caller, const char *sql, const char *param)
{
    struct pgs_txn *txn = new_txn(caller);

    add_statement(txn, sql);
    if (param != NULL)
        pgs_txn_bind_text(txn, param, strlen(param));
    return txn;
}

struct answer *
start(const struct caller *caller, const char *sql, const char *param)
{
    return send_txn(one_statement(caller, sql, param), false);
}

struct answer *
start_slow(const struct caller *caller, const char *sql)
{
    return send_txn(one_statement(caller, sql, NULL), true);
}

struct answer *
ask_with(const struct caller *caller, const char *sql, const char *param)
{
    struct answer *answer = start(caller, sql, param);

    wait_for(answer);
    return answer;
}

struct answer *
ask(const struct caller *caller, const char *sql)
{
    return ask_with(caller, sql, NULL);
}

void
detach(struct answer *answer)
{
    assert_non_null(answer->txn);
    answer->is_detached = true;
    pgs_txn_detach(answer->txn);
}

void
wait_for(const struct answer *answer)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (answer->n_done == 0) {
        if (real_ms() > end)
            fail_msg("no answer in %d ms", PATIENCE_MS);
        run_loop(0);
    }
}

void
wait_for_all(void)
{
    for (const struct answer *a = answers; a != NULL; a = a->next)
        if (!a->is_detached)
            wait_for(a);
}

int
count_answers(const char *how)
{
    int n = 0;

    for (const struct answer *a = answers; a != NULL; a = a->next)
        n += strcmp(a->how, how) == 0;
    return n;
}

/* ---- the pool ---- */

struct pgs_pool_config
one_connection(void)
{
    return (struct pgs_pool_config){
        .conninfo = getenv("PGS_TEST_CONNINFO"),
        .session_sql = "select set_config('role', $1, true), set_config('pool_test.uid', $2, true)",
        .n_session = 2,
        .connections = 1,
        .max_in_flight = 64,
        .max_waiting = 1000,
        .max_statements = 64,
        .statement_timeout_ms = 5000,
        .wait_timeout_ms = 5000,
    };
}

static bool
all_are_ready(void)
{
    for (int i = 0; i < pool->n_conns; i++)
        if (!pgs__conn_is_at_rest(&pool->conns[i]))
            return false;
    return true;
}

void
begin_to_open_pool(const struct pgs_pool_config *config)
{
    assert_null(pool);
    pool = pgs_pool_open(loop, config);
}

void
wait_for_connections(void)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (!all_are_ready()) {
        if (real_ms() > end)
            fail_msg("the pool does not connect; PGS_TEST_LOG=1 shows why");
        run_loop(0);
    }
}

void
open_pool(struct pgs_pool_config config)
{
    begin_to_open_pool(&config);
    wait_for_connections();
}

void
close_pool(void)
{
    int64_t end = real_ms() + PATIENCE_MS;

    pgs_pool_close(pool);
    while (!pgs_pool_is_closed(pool)) {
        if (real_ms() > end)
            fail_msg("the pool does not close");
        run_loop(0);
    }
    pgs_pool_free(pool);
    pool = NULL;
    run_loop(0); /* h2o frees its sockets in the next turn */
}

/* ---- the program ---- */

/* xorshift32 */
int
chance(int below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (int)(random_state % (uint32_t)below);
}

static void
begin_random(void)
{
    const char *seed = getenv("PGS_TEST_SEED");

    random_state =
        seed != NULL && *seed != '\0' ? (uint32_t)strtoul(seed, NULL, 10) : (uint32_t)real_us();
    random_state |= 1; /* never 0 */
    print_message("# PGS_TEST_SEED=%u\n", random_state);
}

void
begin_program(int argc, char **argv)
{
    static const struct pgs_clock skewed = {.monotonic_us = skewed_us};

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (getenv("PGS_TEST_LOG") == NULL)
        pgs_log_open(2, PGS_LOG_OFF);
    pgs_clock_replace(&skewed);
    begin_random();
    loop = h2o_evloop_create();
}

int
set_up(void **state)
{
    (void)state;
    clock_skew_us = held_us = 0;
    n_answered = 0;
    was_called_while_sending = false;
    admin("truncate pool_test.entry, pool_test.parent, pool_test.child");
    return 0;
}

/* Returns how many were not called as often as they should. */
static int
free_answers(void)
{
    int n_wrong = 0;

    while (answers != NULL) {
        struct answer *next = answers->next;

        n_wrong += answers->n_done != (answers->is_detached ? 0 : 1);
        free(answers);
        answers = next;
    }
    answers_end = &answers;
    return n_wrong;
}

int
tear_down(void **state)
{
    (void)state;
    open_gate();
    if (pool != NULL)
        close_pool();
    assert_int_equal(free_answers(), 0);
    assert_false(was_called_while_sending);
    return 0;
}

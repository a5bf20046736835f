/* SPDX-License-Identifier: MIT */
/*
 * A failed assertion jumps out of its case: nothing that a `done` still writes to may lie in the
 * frame of a case, so answers are the fixture's.  For the same reason nothing is asserted inside
 * a callback.
 */
#include "pool_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/pool_private.h"

#define PATIENCE_MS 10000

const struct caller ada = {"pool_member", "u1"};
const struct caller bob = {"pool_member", "u2"};
const struct caller guest = {"pool_guest", ""};
const struct caller login = {"none", ""};

struct pgs_pool *pool;

static h2o_loop_t *loop;
static PGconn *superuser;
static struct answer *answers;
static struct answer **answers_end = &answers;
static int n_answered;
static bool is_sending;
static bool was_called_while_sending;
static int64_t clock_skew_us;
static uint32_t random_state;

/* ---- time ---- */

/* Of this process, whatever the pool is made to believe. */
static int64_t
real_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
skewed_us(void)
{
    return real_us() + clock_skew_us;
}

void
put_clock_forward(int ms)
{
    clock_skew_us += (int64_t)ms * 1000;
}

static int64_t
deadline(int ms)
{
    return real_us() + (int64_t)ms * 1000;
}

static bool
is_past(int64_t deadline_us)
{
    return real_us() > deadline_us;
}

void
run_loop(int ms)
{
    int64_t end = deadline(ms);

    do
        (void)h2o_evloop_run(loop, 5);
    while (!is_past(end));
}

/* ---- the superuser ---- */

static int
run_as_superuser(const char *sql)
{
    PGresult *result = PQexec(superuser, sql);
    ExecStatusType status = PQresultStatus(result);
    int number =
        status == PGRES_TUPLES_OK && PQntuples(result) > 0 ? atoi(PQgetvalue(result, 0, 0)) : 0;

    PQclear(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(superuser));
    return number;
}

void
admin(const char *sql)
{
    (void)run_as_superuser(sql);
}

int
admin_count(const char *sql)
{
    return run_as_superuser(sql);
}

void
wait_for_count(const char *sql, int wanted)
{
    int64_t end = deadline(PATIENCE_MS);
    int is;

    while ((is = admin_count(sql)) != wanted) {
        if (is_past(end))
            fail_msg("waited for %d, it is %d: %s", wanted, is, sql);
        run_loop(1);
    }
}

void
reconnect_admin(void)
{
    PQreset(superuser);
    assert_int_equal(PQstatus(superuser), CONNECTION_OK);
}

const char count_connections[] =
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and application_name = 'pgstack'";

void
close_gate(void)
{
    admin("select pg_advisory_lock(1)");
}

void
open_gate(void)
{
    admin("select pg_advisory_unlock_all()");
}

void
wait_for_waiters(int wanted)
{
    wait_for_count("select count(*) from pg_stat_activity"
                   " where datname = current_database() and wait_event = 'advisory'",
                   wanted);
}

void
kill_a_waiter(void)
{
    admin("select pg_terminate_backend(pid, 5000) from pg_stat_activity"
          " where datname = current_database() and wait_event = 'advisory' order by pid limit 1");
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
    case PGS_TXN_UNAVAILABLE:
        return "unavailable";
    case PGS_TXN_BUSY:
        return "busy";
    }
    return "?";
}

static void
keep_result(struct answer *answer, const struct pgs_txn *txn)
{
    const char *value = NULL;
    size_t len;

    answer->rows = pgs_txn_row_count(txn, 0);
    answer->columns = pgs_txn_column_count(txn, 0);
    answer->affected = pgs_txn_affected(txn, 0);
    if (answer->rows > 0)
        value = pgs_txn_value(txn, 0, 0, 0, &len);
    (void)snprintf(answer->value, sizeof(answer->value), "%s", value != NULL ? value : "null");
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
    int64_t end = deadline(PATIENCE_MS);

    while (answer->n_done == 0) {
        if (is_past(end))
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
open_pool(struct pgs_pool_config config)
{
    int64_t end = deadline(PATIENCE_MS);

    begin_to_open_pool(&config);
    while (!all_are_ready()) {
        if (is_past(end))
            fail_msg("the pool does not connect; PGS_TEST_LOG=1 shows why");
        run_loop(0);
    }
}

void
close_pool(void)
{
    int64_t end = deadline(PATIENCE_MS);

    pgs_pool_close(pool);
    while (!pgs_pool_is_closed(pool)) {
        if (is_past(end))
            fail_msg("the pool does not close");
        run_loop(0);
    }
    pgs_pool_free(pool);
    pool = NULL;
    run_loop(0); /* h2o frees its sockets in the next turn */
}

/* ---- the program ---- */

void
write_two_addresses(char *text, size_t size)
{
    PGconn *conn = PQconnectdb(getenv("PGS_TEST_CONNINFO"));

    (void)snprintf(text, size, "host=127.0.0.1,%s port=1,%s user=%s password='%s' dbname=%s",
                   PQhost(conn), PQport(conn), PQuser(conn), PQpass(conn), PQdb(conn));
    PQfinish(conn);
}

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

static const char tables[] =
    "set client_min_messages = error;"
    "drop schema if exists pool_test cascade;"
    "do $$ begin"
    "  if to_regrole('pool_member') is null then create role pool_member; end if;"
    "  if to_regrole('pool_guest') is null then create role pool_guest; end if;"
    "end $$;"
    "create schema pool_test;"
    "create table pool_test.item (id int primary key, owner text not null, note text);"
    "insert into pool_test.item select i, 'u' || i % 32, 'note ' || i from generate_series(1, 320) "
    "i;"
    "alter table pool_test.item enable row level security;"
    "create policy own on pool_test.item using (owner = current_setting('pool_test.uid'));"
    "create table pool_test.entry (word text);"
    "create table pool_test.parent (id int primary key);"
    "create table pool_test.child"
    "  (parent int references pool_test.parent deferrable initially deferred);"
    "grant usage on schema pool_test to pool_member, pool_guest;"
    "grant all on all tables in schema pool_test to pool_member;";

/* PostgreSQL looks up names when it prepares, which it does as the login itself. */
static void
grant_to_login(void)
{
    PGconn *conn = PQconnectdb(getenv("PGS_TEST_CONNINFO"));
    char sql[300];

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    (void)snprintf(sql, sizeof(sql),
                   "grant pool_member, pool_guest to \"%s\";"
                   "grant usage on schema pool_test to \"%s\"",
                   PQuser(conn), PQuser(conn));
    PQfinish(conn);
    admin(sql);
}

int
make_tables(void **state)
{
    (void)state;
    if (getenv("PGS_TEST_CONNINFO") == NULL || getenv("PGS_TEST_ADMIN_CONNINFO") == NULL) {
        print_error("PGS_TEST_CONNINFO and PGS_TEST_ADMIN_CONNINFO name the database\n");
        return -1;
    }
    superuser = PQconnectdb(getenv("PGS_TEST_ADMIN_CONNINFO"));
    admin(tables);
    grant_to_login();
    return 0;
}

int
drop_tables(void **state)
{
    (void)state;
    admin("drop schema pool_test cascade");
    admin("drop role pool_member, pool_guest");
    PQfinish(superuser);
    h2o_evloop_destroy(loop);
    return 0;
}

int
set_up(void **state)
{
    (void)state;
    clock_skew_us = 0;
    n_answered = 0;
    was_called_while_sending = false;
    admin("truncate pool_test.entry, pool_test.parent, pool_test.child");
    return 0;
}

static void
check_answers(void)
{
    assert_false(was_called_while_sending);
    for (const struct answer *a = answers; a != NULL; a = a->next)
        assert_int_equal(a->n_done, a->is_detached ? 0 : 1);
}

static void
free_answers(void)
{
    while (answers != NULL) {
        struct answer *next = answers->next;

        free(answers);
        answers = next;
    }
    answers_end = &answers;
}

int
tear_down(void **state)
{
    (void)state;
    open_gate();
    if (pool != NULL)
        close_pool();
    check_answers();
    free_answers();
    return 0;
}

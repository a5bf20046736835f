/* SPDX-License-Identifier: MIT */
/*
 * A pool on a real PostgreSQL, a new one for each case, and a superuser beside it who holds locks,
 * changes tables and ends connections.
 *
 *   PGS_TEST_CONNINFO        a login without rights of its own
 *   PGS_TEST_ADMIN_CONNINFO  a superuser of the same database
 *   PGS_TEST_SEED            of what is random; without it the clock gives one
 *   PGS_TEST_LOG             set: the pool's log on stderr
 *
 * Tables: pool_test.item (id, owner, note), 320 rows, of which row security shows a caller those
 * whose owner he is; entry, parent, child, empty when a case begins.  Roles: pool_member may read
 * and write them, pool_guest may do nothing.
 *
 * The teardown of each case also checks that every `done` was called once, and never from inside
 * pgs_txn_send.
 */
#ifndef TESTS_POOL_FIXTURE_H
#define TESTS_POOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/pool.h"

struct caller {
    const char *role;
    const char *uid;
};

extern const struct caller ada;   /* member, owner of item 1 */
extern const struct caller bob;   /* member, owner of item 2 */
extern const struct caller guest; /* may read nothing */
extern const struct caller login; /* the login itself */

/* What came of one transaction.  It lives until the case has ended. */
struct answer {
    struct answer *next;
    struct pgs_txn *txn; /* until `done` */
    char how[16];        /* "waiting", "ok", a SQLSTATE, "unavailable", "lost", ... */
    char value[64];      /* of the first statement: the first row's first column, or "null" */
    char message[160];
    int rows;
    int columns;
    int64_t affected;
    int turn; /* 1: the first of the case that was answered */
    int n_done;
    bool is_detached;
};

/* ---- the pool ---- */

extern struct pgs_pool *pool;

/* One quick connection and no other; the cases change what they are about. */
struct pgs_pool_config one_connection(void);

/* Opens `pool`, and waits until all its connections are ready. */
void open_pool(struct pgs_pool_config config);

/* Without waiting. */
void begin_to_open_pool(const struct pgs_pool_config *config);

/* Runs the loop until all connections of the pool are ready and at rest. */
void wait_for_connections(void);

void close_pool(void);

/* How long anything may take before a case fails. */
#define PATIENCE_MS 20000

/* Of the world, whatever the pool's clock says. */
int64_t real_ms(void);

/* From now on the pool's clock is this much later. */
void put_clock_forward(int ms);

/* It stands still, or runs on from there.  Whether it stood still before. */
bool hold_clock(bool hold);

/* ---- transactions ---- */

struct pgs_txn *new_txn(const struct caller *caller);
void add_statement(struct pgs_txn *txn, const char *sql);

/* Sends it; the answer comes while the loop runs. */
struct answer *send_txn(struct pgs_txn *txn, bool slow);

/* A transaction of one statement; `param` may be NULL: it has none. */
struct answer *start(const struct caller *caller, const char *sql, const char *param);
struct answer *start_slow(const struct caller *caller, const char *sql);

/* The same, and waits for the answer. */
struct answer *ask(const struct caller *caller, const char *sql);
struct answer *ask_with(const struct caller *caller, const char *sql, const char *param);

void detach(struct answer *answer);

/* Run the loop until the answer is there. */
void wait_for(const struct answer *answer);
void wait_for_all(void);

void run_loop(int ms);

/* How many of all answers came out so. */
int count_answers(const char *how);

/* ---- the superuser ---- */

void admin(const char *sql);
int admin_count(const char *sql);

/* Runs the loop until the count is `wanted`. */
void wait_for_count(const char *sql, int wanted);

/* Connects again, after PostgreSQL was away. */
void reconnect_admin(void);

/* Waits at the gate, then answers with the process number of its connection. */
#define AT_GATE "select pg_backend_pid() from pg_advisory_xact_lock_shared(1)"

void close_gate(void);
void open_gate(void);

/* Runs the loop until that many connections wait at the gate. */
void wait_for_waiters(int wanted);

/* Ends one connection of those that wait at the gate. */
void kill_a_waiter(void);

/* Connections of the pool, as PostgreSQL counts them. */
extern const char count_connections[];

/* ---- the program ---- */

/* The login's connection string, with another port before its own. */
void write_address_behind(char *text, size_t size, int port);

/* A number of 0 to below - 1, by the seed. */
int chance(int below);

/* Takes the arguments of main(): the cases whose name is like the first. */
void begin_program(int argc, char **argv);

int make_tables(void **state);
int drop_tables(void **state);
int set_up(void **state);
int tear_down(void **state);

#define a_case(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif

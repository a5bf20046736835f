/* SPDX-License-Identifier: MIT */
/*
 * The fixture's superuser: tables, locks, and what PostgreSQL says of the pool's connections.
 */
#include "pool_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static PGconn *superuser;

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
    int64_t end = real_ms() + PATIENCE_MS;
    int is;

    while ((is = admin_count(sql)) != wanted) {
        if (real_ms() > end)
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
    admin("rollback; select pg_advisory_unlock_all()");
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

static const char tables[] =
    "set client_min_messages = error;"
    "drop schema if exists pool_test cascade;"
    "do $$ begin"
    "  if to_regrole('pool_member') is null then create role pool_member; end if;"
    "  if to_regrole('pool_guest') is null then create role pool_guest; end if;"
    "end $$;"
    "create schema pool_test;"
    "create table pool_test.item (id int primary key, owner text not null, note text);"
    "insert into pool_test.item"
    "  select i, 'u' || i % 32, 'note ' || i from generate_series(1, 320) i;"
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
    return 0;
}

void
write_address_behind(char *text, size_t size, int port)
{
    PGconn *conn = PQconnectdb(getenv("PGS_TEST_CONNINFO"));

    (void)snprintf(text, size, "host=127.0.0.1,%s port=%d,%s user=%s password='%s' dbname=%s",
                   PQhost(conn), port, PQport(conn), PQuser(conn), PQpass(conn), PQdb(conn));
    PQfinish(conn);
}

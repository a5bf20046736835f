/* SPDX-License-Identifier: MIT */
/*
 * While a schema is being written its first migration changes all the time, and a database that
 * has applied the old one cannot follow.  Nothing is lost then: the old database gets another name
 * and a new one takes its place; or, while a server has connections to the old one, which keep
 * PostgreSQL from renaming it, the new one gets another name until the next start.
 */
#include "dev/dev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "base/fail.h"
#include "migrate/migration.h"
#include "dev/settings.h"
#include "dev/token.h"

#define TOKEN_SECONDS (30 * 24 * 3600)

static PGconn *
connect_to(const struct dev *dev, const char *database)
{
    return migration_connect(arena_printf("postgres://postgres:%s@127.0.0.1:%d/%s",
                                          dev->superuser_password, dev->postgres_port, database));
}

static bool
execute(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!ok)
        fail_print("%s", PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

/* The first value of the first row, or NULL: no row (or an error, printed). */
static const char *
fetch(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    const char *value = NULL;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_print("%s", PQresultErrorMessage(result));
    else if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
        value = arena_copy(PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0));
    PQclear(result);
    return value;
}

static bool
database_exists(PGconn *conn, const char *name)
{
    return fetch(conn, arena_printf("select 1 from pg_database where datname = '%s'", name)) !=
           NULL;
}

/* Gives the database a name that says until when it was in use. */
static const char *
put_aside(PGconn *conn, const char *database)
{
    time_t now = time(NULL);
    char day[32];
    const char *name;
    int n = 1;

    strftime(day, sizeof(day), "%Y%m%d", gmtime(&now));
    do {
        name = arena_printf(DEV_DATABASE "_until_%s_%d", day, n++);
    } while (database_exists(conn, name));
    if (!execute(conn, arena_printf("alter database %s rename to %s", database, name)))
        return NULL;
    return name;
}

/* Some applied migration is not what the files say. */
static bool
is_outdated(const struct dev *dev, bool *outdated)
{
    PGconn *conn = connect_to(dev, dev->database);
    struct migrations migrations;
    bool ok = conn != NULL && migrations_read(conn, &migrations);

    *outdated =
        ok && (migrations.count[MIGRATION_CHANGED] > 0 || migrations.count[MIGRATION_MISSING] > 0);
    PQfinish(conn);
    return ok;
}

bool
dev_database_remember(const struct dev *dev)
{
    return dev_write_private(arena_printf("%s/database", dev->home), dev->database);
}

/* No server runs: the database can have its proper name back. */
static bool
take_name_back(struct dev *dev, PGconn *conn)
{
    const char *database = dev->database;

    if (strcmp(database, DEV_DATABASE) == 0)
        return true;
    dev->database = DEV_DATABASE;
    if (database_exists(conn, database)) {
        if (database_exists(conn, DEV_DATABASE) && put_aside(conn, DEV_DATABASE) == NULL)
            return false;
        if (!execute(conn, arena_printf("alter database %s rename to " DEV_DATABASE, database)))
            return false;
    }
    return dev_database_remember(dev);
}

/* The name of the database before the last one may still have connections of a server that ends. */
static bool
take_other_name(struct dev *dev, PGconn *conn, const char *why)
{
    const char *old = dev->database;

    dev->database = strcmp(old, DEV_DATABASE) == 0 ? DEV_OTHER_DATABASE : DEV_DATABASE;
    if (database_exists(conn, dev->database)) {
        (void)fetch(conn, arena_printf("select pg_terminate_backend(pid) from pg_stat_activity"
                                       " where datname = '%s'",
                                       dev->database));
        if (put_aside(conn, dev->database) == NULL)
            return false;
    }
    printf("%s: a new database takes its place, \"%s\"; the old one is kept as \"%s\"\n", why,
           dev->database, old);
    return true;
}

static bool
replace(struct dev *dev, PGconn *conn, const struct dev_database_options *options, const char *why)
{
    const char *name;

    if (options->beside)
        return take_other_name(dev, conn, why);
    name = put_aside(conn, dev->database);
    if (name != NULL)
        printf("%s: a new database takes its place; the old one is kept as \"%s\"\n", why, name);
    return name != NULL;
}

static bool
make_database(struct dev *dev, const struct dev_database_options *options)
{
    PGconn *conn = connect_to(dev, "postgres");
    bool exists, outdated = false;
    bool ok = conn != NULL;

    if (!ok)
        return false;
    ok = options->beside || take_name_back(dev, conn);
    exists = ok && database_exists(conn, dev->database);
    if (exists && !options->reset)
        ok = is_outdated(dev, &outdated);
    if (ok && exists && (options->reset || outdated)) {
        ok = replace(dev, conn, options,
                     options->reset ? "as asked" : "an applied migration has changed");
        exists = false;
    }
    if (ok && !exists)
        ok = execute(conn, arena_printf("create database %s", dev->database));
    PQfinish(conn);
    return ok;
}

void
dev_database_abandon(struct dev *dev, const char *old)
{
    PGconn *conn = strcmp(dev->database, old) == 0 ? NULL : connect_to(dev, "postgres");

    if (conn != NULL)
        (void)execute(conn, arena_printf("drop database if exists %s with (force)", dev->database));
    PQfinish(conn);
    dev->database = old;
}

/* False: the project needs no such login. */
static bool
has_role(PGconn *conn, const char *role)
{
    return fetch(conn, arena_printf("select 1 from pg_roles where rolname = '%s'", role)) != NULL;
}

/* The password is hashed here, so that PostgreSQL's log cannot show it. */
static bool
set_password(PGconn *conn, const char *role, const char *password)
{
    char *hash = PQencryptPasswordConn(conn, password, role, "scram-sha-256");
    bool ok = hash != NULL;

    if (ok)
        ok = execute(conn, arena_printf("alter role %s password '%s'", role, hash));
    else
        fail_print("%s", PQerrorMessage(conn));
    PQfreemem(hash);
    return ok;
}

/* A mark on the database says that its demo data is in, or was declined: it is not new any more. */
static bool
load_demo(const struct dev *dev, PGconn *conn, bool wanted)
{
    const struct source *source;

    if (fetch(conn, "select 1 from pg_database where datname = current_database()"
                    " and shobj_description(oid, 'pg_database') = 'pgstack dev: ready'") != NULL)
        return true;
    source = wanted ? source_read(".", "demo/data.sql") : NULL;
    if (source != NULL) {
        printf("loading demo/data.sql\n");
        if (!migration_run_script(conn, source))
            return false;
    }
    return execute(conn,
                   arena_printf("comment on database %s is 'pgstack dev: ready'", dev->database));
}

/* A claim that the developer's settings ask of tokens: `,"aud":"x"`. */
static const char *
claim_of_setting(PGconn *conn, const char *claim, const char *setting)
{
    const char *value = setting_get(setting);
    const char *values[] = {value};
    PGresult *result;
    const char *text = "";

    if (value == NULL)
        return text;
    result = PQexecParams(conn, "select to_json($1::text)", 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        text = arena_printf(",\"%s\":%s", claim, PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

/* What the demo user's row says goes into the token, so that policies on claims can be tried. */
static void
sign_demo_token(struct dev *dev, PGconn *conn)
{
    long long now = (long long)time(NULL);
    const char *claims;

    dev->demo_email = fetch(conn, "select email from pgstack.users where id = '" DEV_USER_ID
                                  "' and email is not null");
    claims = fetch(conn, "select ',\"email\":' || to_json(email) || ',\"app_metadata\":' ||"
                         " app_metadata || ',\"user_metadata\":' || user_metadata"
                         " from pgstack.users where id = '" DEV_USER_ID "'");
    dev->demo_token = token_sign(
        arena_printf("{\"sub\":\"" DEV_USER_ID "\",\"role\":\"authenticated\",\"iat\":%lld,"
                     "\"exp\":%lld%s%s%s}",
                     now, now + TOKEN_SECONDS, claims == NULL ? "" : claims,
                     claim_of_setting(conn, "aud", "JWT_AUDIENCE"),
                     claim_of_setting(conn, "iss", "JWT_ISSUER")),
        dev->jwt_secret);
}

bool
dev_database_prepare(struct dev *dev, const struct dev_database_options *options)
{
    struct migrations migrations;
    size_t applied;
    PGconn *conn;
    bool ok;

    if (!make_database(dev, options))
        return false;
    conn = connect_to(dev, dev->database);
    if (conn == NULL)
        return false;
    ok = migration_lock(conn) && migrations_read(conn, &migrations) &&
         migrations_run(conn, &migrations, &applied) &&
         set_password(conn, "authenticator", dev->authenticator_password) &&
         set_password(conn, "authenticator_admin", dev->admin_password) &&
         (!has_role(conn, "pgstack_replicator") ||
          set_password(conn, "pgstack_replicator", dev->replicator_password)) &&
         load_demo(dev, conn, !options->no_demo);
    if (ok)
        sign_demo_token(dev, conn);
    PQfinish(conn);
    return ok;
}

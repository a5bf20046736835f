/* SPDX-License-Identifier: MIT */
/*
 * While a schema is being written its first migration changes all the time, and a database that
 * has applied the old one cannot follow.  Nothing is lost then: the old database gets another name
 * and a new one takes its place.
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

/* On the database, once its demo data is in (or was declined): it is not new any more. */
static const char mark_sql[] = "comment on database " DEV_DATABASE " is 'pgstack dev: ready'";
static const char marked_sql[] =
    "select 1 from pg_database where datname = '" DEV_DATABASE
    "' and shobj_description(oid, 'pg_database') = 'pgstack dev: ready'";

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

static bool
put_aside(PGconn *conn, const char *why)
{
    time_t now = time(NULL);
    char day[32];
    const char *name;
    int n = 1;

    strftime(day, sizeof(day), "%Y%m%d", gmtime(&now));
    do {
        name = arena_printf(DEV_DATABASE "_until_%s_%d", day, n++);
    } while (database_exists(conn, name));
    if (!execute(conn, arena_printf("alter database " DEV_DATABASE " rename to %s", name)))
        return false;
    printf("%s: a new database takes its place; the old one is kept as \"%s\"\n", why, name);
    return true;
}

/* Some applied migration is not what the files say. */
static bool
is_outdated(const struct dev *dev, bool *outdated)
{
    PGconn *conn = connect_to(dev, DEV_DATABASE);
    struct migrations migrations;
    bool ok = conn != NULL && migrations_read(conn, &migrations);

    *outdated =
        ok && (migrations.count[MIGRATION_CHANGED] > 0 || migrations.count[MIGRATION_MISSING] > 0);
    PQfinish(conn);
    return ok;
}

static bool
make_database(const struct dev *dev, bool reset)
{
    PGconn *conn = connect_to(dev, "postgres");
    bool exists, outdated = false;
    bool ok = conn != NULL;

    if (!ok)
        return false;
    exists = database_exists(conn, DEV_DATABASE);
    if (exists && !reset)
        ok = is_outdated(dev, &outdated);
    if (ok && exists && (reset || outdated)) {
        ok = put_aside(conn, reset ? "as asked" : "an applied migration has changed");
        exists = false;
    }
    if (ok && !exists)
        ok = execute(conn, "create database " DEV_DATABASE);
    PQfinish(conn);
    return ok;
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

static bool
load_demo(PGconn *conn, bool wanted)
{
    const struct source *source;

    if (fetch(conn, marked_sql) != NULL)
        return true;
    source = wanted ? source_read(".", "demo/data.sql") : NULL;
    if (source != NULL) {
        printf("loading demo/data.sql\n");
        if (!migration_run_script(conn, source))
            return false;
    }
    return execute(conn, mark_sql);
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

    if (!make_database(dev, options->reset))
        return false;
    conn = connect_to(dev, DEV_DATABASE);
    if (conn == NULL)
        return false;
    ok = migration_lock(conn) && migrations_read(conn, &migrations) &&
         migrations_run(conn, &migrations, &applied) &&
         set_password(conn, "authenticator", dev->authenticator_password) &&
         set_password(conn, "authenticator_admin", dev->admin_password) &&
         load_demo(conn, !options->no_demo);
    if (ok)
        sign_demo_token(dev, conn);
    PQfinish(conn);
    return ok;
}

/* SPDX-License-Identifier: MIT */
/*
 * Two runners must not work at once.  The wait for the other one polls: a session that blocks in
 * pg_advisory_lock holds a snapshot, and the other's `create index concurrently` would wait for it
 * for ever.
 */
#include "migrate/migration.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/diag.h"
#include "base/fail.h"
#include "plan/fingerprint.h"
#include "migrate/statement.h"

#define LOCK_TRIES 300 /* of 0.2 s */

static const char setup_sql[] = "create schema if not exists pgstack;"
                                "create table if not exists pgstack.migrations ("
                                " version text primary key,"
                                " name text not null,"
                                " checksum text not null,"
                                " applied_at timestamptz not null default now())";

/* PostgreSQL's notices say what `if not exists` skipped; its warnings are worth reading. */
static void
on_notice(void *arg, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    (void)arg;
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        fprintf(stderr, "warning: %s\n", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

PGconn *
migration_connect(const char *url)
{
    const char *keywords[] = {"dbname", "client_encoding", "application_name", "connect_timeout",
                              NULL};
    const char *values[] = {url, "UTF8", "pgstack migration", "10", NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        fail_print("%s", PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
    }
    PQsetNoticeReceiver(conn, on_notice, NULL);
    if (!statement_prepare_session(conn)) {
        PQfinish(conn);
        return NULL;
    }
    return conn;
}

bool
migration_lock(PGconn *conn)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        PGresult *result = PQexec(
            conn, "select pg_try_advisory_lock(hashtext('pgstack'), hashtext('migrations'))");
        bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
        bool locked = ok && *PQgetvalue(result, 0, 0) == 't';

        PQclear(result);
        if (locked)
            return true;
        if (!ok)
            return fail_print("%s", PQerrorMessage(conn)), false;
        if (i == 0)
            fputs("another migration is running; waiting for it\n", stderr);
        nanosleep(&pause, NULL);
    }
    return fail_print("another migration is still running; try again later"), false;
}

/* YYYYMMDDHHMMSS_name.sql */
static bool
name_is_good(const char *file)
{
    size_t digits = strspn(file, "0123456789");
    size_t rest = strspn(file + digits, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return digits == 14 && file[14] == '_' && rest > 1 && strcmp(file + digits + rest, ".sql") == 0;
}

static int
by_version(const void *a, const void *b)
{
    return strcmp(((const struct migration *)a)->version, ((const struct migration *)b)->version);
}

static bool
add_file(struct migrations *migrations, const char *file)
{
    struct source *source = source_read(".", arena_printf("migrations/%s", file));
    struct migration migration = {.state = MIGRATION_PENDING, .source = source};

    if (source == NULL)
        return fail_print("migrations/%s: %s", file, strerror(errno)), false;
    if (!name_is_good(file)) {
        struct diag *d = diag_at((struct span){.file = source}, PGS5500_MIGRATION_NAME,
                                 "\"%s\" is no name for a migration", file);
        diag_hint(d, "14 digits, `_`, a name in lower case, `.sql`: 20240131120000_add_team.sql");
        return true; /* the others are worth a look too */
    }
    migration.version = arena_copy(file, 14);
    migration.name = arena_copy(file + 15, strlen(file) - 15 - strlen(".sql"));
    migration.checksum = fingerprint_sql(source->text);
    vec_push(&migrations->list, migration);
    return true;
}

static bool
read_folder(struct migrations *migrations)
{
    DIR *dir = opendir("migrations");
    const struct dirent *entry;
    bool ok = true;

    if (dir == NULL)
        return fail_print("migrations: %s; `pgstack generate` writes them", strerror(errno)), false;
    while (ok && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0)
            ok = add_file(migrations, entry->d_name);
    }
    closedir(dir);
    if (ok && migrations->list.n > 1)
        qsort(migrations->list.at, migrations->list.n, sizeof(struct migration), by_version);
    for (size_t i = 1; i < migrations->list.n; i++) {
        const struct migration *m = &migrations->list.at[i];

        if (strcmp(m[-1].version, m->version) == 0)
            diag_at((struct span){.file = m->source}, PGS5500_MIGRATION_NAME,
                    "version %s is taken by %s", m->version, m[-1].source->path);
    }
    return ok;
}

static struct migration *
find_version(struct migrations *migrations, const char *version)
{
    for (size_t i = 0; i < migrations->list.n; i++)
        if (strcmp(migrations->list.at[i].version, version) == 0)
            return &migrations->list.at[i];
    return NULL;
}

static void
add_record(struct migrations *migrations, const PGresult *rows, int row)
{
    const char *version = PQgetvalue(rows, row, 0);
    const char *when = PQgetvalue(rows, row, 3);
    struct migration *m = find_version(migrations, version);

    if (m == NULL) {
        struct migration gone = {
            .version = arena_copy(version, strlen(version)),
            .name = arena_copy(PQgetvalue(rows, row, 1), strlen(PQgetvalue(rows, row, 1))),
            .state = MIGRATION_MISSING,
        };
        vec_push(&migrations->list, gone);
        m = &migrations->list.at[migrations->list.n - 1];
    } else {
        bool same = strcmp(m->checksum, PQgetvalue(rows, row, 2)) == 0;
        m->state = same ? MIGRATION_APPLIED : MIGRATION_CHANGED;
    }
    m->applied_at = arena_copy(when, strlen(when));
}

/* A database that was never migrated has no such table yet. */
static bool
read_records(PGconn *conn, struct migrations *migrations)
{
    PGresult *rows;
    bool ok;

    rows = PQexec(conn, "select to_regclass('pgstack.migrations') is not null");
    ok = PQresultStatus(rows) == PGRES_TUPLES_OK;
    if (ok && *PQgetvalue(rows, 0, 0) == 't') {
        PQclear(rows);
        rows = PQexec(conn, "select version, name, checksum,"
                            " to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SSZ')"
                            " from pgstack.migrations order by version");
        ok = PQresultStatus(rows) == PGRES_TUPLES_OK;
        for (int i = 0; ok && i < PQntuples(rows); i++)
            add_record(migrations, rows, i);
    }
    if (!ok)
        fail_print("%s", PQerrorMessage(conn));
    PQclear(rows);
    return ok;
}

bool
migrations_read(PGconn *conn, struct migrations *migrations)
{
    bool ok;

    *migrations = (struct migrations){0};
    ok = read_folder(migrations) && read_records(conn, migrations);
    if (diag_errors() > 0) {
        diag_print(stderr, false);
        return false;
    }
    if (ok && migrations->list.n > 1)
        qsort(migrations->list.at, migrations->list.n, sizeof(struct migration), by_version);
    for (size_t i = 0; i < migrations->list.n; i++)
        migrations->count[migrations->list.at[i].state]++;
    return ok;
}

static bool
record(PGconn *conn, const struct migration *m)
{
    const char *values[] = {m->version, m->name, m->checksum};
    PGresult *result;
    bool ok;

    if (!statement_prepare_session(conn)) /* the file may have changed the role */
        return false;
    result = PQexecParams(
        conn, "insert into pgstack.migrations (version, name, checksum) values ($1, $2, $3)", 3,
        NULL, values, NULL, NULL, 0);
    ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!ok)
        fail_print("%s: %s", m->source->path, PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

/* The last step of the transaction: nothing is recorded that did not happen. */
static bool
record_step(PGconn *conn, const void *arg)
{
    return record(conn, arg);
}

static bool
apply(PGconn *conn, const struct migration *m)
{
    struct script script;

    if (!script_read_migration(m->source, &script))
        return diag_print(stderr, false), false;
    if (script.up.transaction)
        return statements_run_as_one(conn, &script.up, record_step, m);
    if (statements_run_each(conn, &script.up))
        return record(conn, m);
    fprintf(stderr,
            "%s runs without a transaction: the statements before this one have taken effect.\n"
            "Undo or repair what was left, then run it again.\n",
            m->source->path);
    return false;
}

/* What has been applied must be what is in the files; says what to do when it is not. */
static bool
history_is_intact(const struct migrations *migrations)
{
    if (migrations->count[MIGRATION_CHANGED] == 0)
        return true;
    for (size_t i = 0; i < migrations->list.n; i++) {
        const struct migration *m = &migrations->list.at[i];
        struct diag *d;

        if (m->state != MIGRATION_CHANGED)
            continue;
        d = diag_at((struct span){.file = m->source}, PGS5504_MIGRATION_CHANGED,
                    "this file was applied on %s, and has changed since", m->applied_at);
        diag_hint(d, "restore the file as it was and put the change in a new migration; "
                     "a database without data worth keeping can be made anew instead");
    }
    return diag_print(stderr, false), false;
}

static bool
set_up(PGconn *conn)
{
    PGresult *result = PQexec(conn, setup_sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!ok)
        fail_print("%s", PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

bool
migrations_run(PGconn *conn, const struct migrations *migrations, size_t *applied)
{
    *applied = 0;
    if (!history_is_intact(migrations))
        return false;
    if (migrations->count[MIGRATION_PENDING] == 0)
        return true;
    if (!set_up(conn))
        return false;
    for (size_t i = 0; i < migrations->list.n; i++) {
        const struct migration *m = &migrations->list.at[i];

        if (m->state != MIGRATION_PENDING)
            continue;
        printf("applying %s\n", m->source->path);
        fflush(stdout);
        if (!apply(conn, m) || !statement_prepare_session(conn))
            return false;
        ++*applied;
    }
    return true;
}

bool
migration_run_script(PGconn *conn, const struct source *source)
{
    struct script script;

    if (!script_read_plain(source, &script))
        return diag_print(stderr, false), false;
    return statements_run_as_one(conn, &script.up, NULL, NULL);
}

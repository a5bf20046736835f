/* SPDX-License-Identifier: MIT */
/*
 * A statement that fails is undone by itself and the next one is tried, so that one run shows all
 * mistakes; what fails only because something is missing that has failed before is not said.
 */
#include "dev/trial_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/words.h"
#include "dev/token.h"
#include "migrate/script.h"
#include "text/diag.h"

static volatile sig_atomic_t asked; /* the signal that asked for an end */
static PGcancel *volatile cancel;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

struct session {
    PGconn *conn;
    const struct trial_map *map;
    bool down;
    struct words missing; /* what would have been made by statements that failed */
    bool blind;           /* an extension is missing: who knows what it would have made */
    struct span failed;   /* the declaration that failed last */
    size_t errors;
    bool lost; /* nothing more can be tried */
};

/* ---- signals ---- */

static void
on_signal(int signal)
{
    char unused[256];

    asked = signal;
    if (cancel != NULL)
        PQcancel(cancel, unused, sizeof(unused)); /* libpq says that a handler may */
}

static void
take_signals(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i], &action, &before[i]);
}

static void
give_signals_back(const struct sigaction *before)
{
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
}

int
trial_signal(void)
{
    return asked;
}

/* ---- the database ---- */

/* To the database of the URL, or to `database` on its server.  NULL: printed. */
static PGconn *
connect_to(const char *url, const char *database)
{
    const char *keywords[] = {"dbname",
                              "client_encoding",
                              "application_name",
                              "connect_timeout",
                              database != NULL ? "dbname" : NULL,
                              NULL};
    const char *values[] = {url, "UTF8", "pgstack check", "10", database, NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);

    if (PQstatus(conn) == CONNECTION_OK)
        return conn;
    fail_print("%s", PQerrorMessage(conn));
    PQfinish(conn);
    return NULL;
}

static bool
simple(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (!ok)
        fail_print("%s%s", PQresultErrorMessage(result),
                   sqlstate != NULL && strcmp(sqlstate, "42501") == 0
                       ? "`--database` needs a role that may create databases and roles"
                       : "");
    PQclear(result);
    return ok;
}

static void
on_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* ---- what PostgreSQL answers ---- */

/* Something is not there: perhaps because it has failed before. */
static bool
is_missing(const char *sqlstate)
{
    static const char *const states[] = {"42883", "42P01", "42704", "42703",
                                         "3F000", "42P02", "0A000", NULL};

    for (const char *const *state = states; *state != NULL; state++)
        if (strcmp(*state, sqlstate) == 0)
            return true;
    return false;
}

static bool
follows(const struct session *session, const struct span *statement, const char *text,
        const char *sqlstate)
{
    struct span place = trial_place(session->map, statement->start);

    if (session->errors == 0 || !is_missing(sqlstate))
        return false;
    if (session->blind ||
        (place.file == session->failed.file && place.start == session->failed.start))
        return true;
    for (size_t i = 0; i < session->missing.list.n; i++)
        if (trial_names(text, session->missing.list.at[i]))
            return true;
    return false;
}

/* Which byte of the migration it is about. */
static size_t
find_byte(const struct span *statement, const char *text, const PGresult *result)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *inner = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
    const char *inner_position = PQresultErrorField(result, PG_DIAG_INTERNAL_POSITION);
    const char *query = inner == NULL ? NULL : strstr(text, inner);
    size_t start = statement->start;
    long skipped = 0;

    /* What PL/pgSQL makes of `perform f()` and `if f()`. */
    if (query == NULL && inner != NULL && strncmp(inner, "SELECT ", 7) == 0)
        query = strstr(text, inner + (skipped = 7));
    if (query != NULL) {
        start += (size_t)(query - text);
        position = inner_position;
    }
    if (position == NULL)
        return start;
    return trial_byte(statement->file, start, statement->end, strtol(position, NULL, 10) - skipped);
}

static void
say(struct diag *d, const PGresult *result)
{
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

    if (detail != NULL && hint != NULL)
        diag_hint(d, "%s; %s", detail, hint);
    else if (detail != NULL || hint != NULL)
        diag_hint(d, "%s", detail != NULL ? detail : hint);
}

static void
report(struct session *session, const struct span *statement, const char *text,
       const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    struct span place = trial_place(session->map, find_byte(statement, text, result));
    struct diag *d;

    if (session->down)
        d = diag_at(place, PGS2311_DATABASE_KEEPS, "PostgreSQL cannot undo this: %s (%s)", message,
                    sqlstate);
    else
        d = diag_at(place, PGS2310_DATABASE_REFUSES, "PostgreSQL refuses this: %s (%s)", message,
                    sqlstate);
    say(d, result);
    if (place.file != statement->file)
        diag_note(d,
                  trial_word(statement->file, find_byte(statement, text, result), statement->end),
                  "here in the migration that it becomes");
}

static void
on_refusal(struct session *session, const struct span *statement, const char *text,
           const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *name = trial_made_name(text);

    if (asked != 0)
        return;
    if (sqlstate == NULL) {
        fail_print("%s", PQresultErrorMessage(result));
        session->lost = true;
        return;
    }
    if (!follows(session, statement, text, sqlstate)) {
        report(session, statement, text, result);
        session->failed = trial_place(session->map, statement->start);
        session->errors++;
        if (strncmp(text, "create extension", 16) == 0)
            session->blind = true;
        /* Without the roles and schemas of the platform nothing else can work. */
        session->lost = !trial_is_declared(session->map, statement) && !session->down;
    }
    if (name != NULL)
        words_add(&session->missing, name);
}

/* ---- statements ---- */

/* `copy` from or to us would wait for us. */
static PGresult *
end_copy(PGconn *conn, PGresult *result)
{
    char *unused;

    if (PQresultStatus(result) == PGRES_COPY_IN)
        PQputCopyEnd(conn, "`copy` from or to the client has no place in a migration");
    else if (PQresultStatus(result) == PGRES_COPY_OUT)
        while (PQgetCopyData(conn, &unused, 0) > 0)
            PQfreemem(unused);
    else
        return result;
    PQclear(result);
    result = PQgetResult(conn);
    for (PGresult *more; (more = PQgetResult(conn)) != NULL;)
        PQclear(more);
    return result;
}

/* As one command: what PostgreSQL would see as several is refused, as it is in a migration. */
static void
run(struct session *session, const struct span *statement)
{
    const char *text =
        arena_copy(statement->file->text + statement->start, statement->end - statement->start);
    PGresult *result;
    ExecStatusType status;

    if (!simple(session->conn, "savepoint statement")) {
        session->lost = true;
        return;
    }
    result =
        end_copy(session->conn, PQexecParams(session->conn, text, 0, NULL, NULL, NULL, NULL, 0));
    status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
        session->lost = !simple(session->conn, "release savepoint statement");
    } else {
        on_refusal(session, statement, text, result);
        if (!session->lost)
            session->lost = !simple(session->conn, "rollback to savepoint statement");
    }
    PQclear(result);
}

static void
run_part(struct session *session, const struct script_part *part)
{
    for (size_t i = 0; i < part->statements.n && !session->lost && asked == 0; i++)
        run(session, &part->statements.at[i]);
}

static void
try_both_parts(struct session *session, struct trial *trial, const struct script *script)
{
    run_part(session, &script->up);
    if (session->errors > 0 || session->lost || asked != 0)
        return;
    trial_check_views(session->conn, trial);
    trial->checked_bodies = trial_check_bodies(session->conn, trial, session->map);
    session->down = true;
    run_part(session, &script->down);
}

static bool
try_in(PGconn *conn, struct trial *trial, const struct script *script)
{
    struct trial_map map = trial_map_make(trial);
    struct session session = {.conn = conn, .map = &map};
    const char *version = PQparameterStatus(conn, "server_version");

    trial->version = arena_copy(version, strcspn(version, " "));
    PQsetNoticeReceiver(conn, on_notice, NULL);
    if (!simple(conn, "begin") || !simple(conn, "set local check_function_bodies = on"))
        return false;
    try_both_parts(&session, trial, script);
    PQclear(PQexec(conn, "rollback"));
    return !session.lost || session.errors > 0;
}

static bool
try_in_new_database(PGconn *admin, const char *url, struct trial *trial,
                    const struct script *script)
{
    const char *name = arena_printf("pgstack_check_%.16s", token_random());
    PGconn *conn;
    bool ok;

    if (!simple(admin, arena_printf("create database %s template template0", name)))
        return false;
    conn = connect_to(url, name);
    cancel = conn == NULL ? NULL : PQgetCancel(conn);
    ok = conn != NULL && try_in(conn, trial, script);
    if (cancel != NULL) {
        PGcancel *done = cancel;

        cancel = NULL;
        PQfreeCancel(done);
    }
    PQfinish(conn);
    return simple(admin, arena_printf("drop database %s with (force)", name)) && ok;
}

bool
trial_run(const char *url, struct trial *trial)
{
    struct sigaction before[N_SIGNALS];
    struct script script;
    PGconn *admin;
    bool ok;

    if (!script_read_migration(trial->migration, &script))
        return true; /* raw SQL that parts a migration is a finding as well */
    admin = connect_to(url, NULL);
    if (admin == NULL)
        return false;
    take_signals(before);
    ok = try_in_new_database(admin, url, trial, &script);
    give_signals_back(before);
    PQfinish(admin);
    return ok;
}

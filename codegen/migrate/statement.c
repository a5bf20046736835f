/* SPDX-License-Identifier: MIT */
/*
 * A statement that waits for a lock makes every later query on the table wait behind it; so it
 * gives up soon, lets them pass, and tries again.
 */
#include "migrate/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/diag.h"
#include "base/fail.h"

#define LOCK_TRIES 5

enum outcome {
    OUTCOME_DONE,
    OUTCOME_LOCKED, /* lock_timeout: worth another try */
    OUTCOME_FAILED, /* printed */
};

bool
statement_prepare_session(PGconn *conn)
{
    PGresult *result = PQexec(conn, "reset session authorization;"
                                    "reset role;"
                                    "reset all;"
                                    "set lock_timeout = '3s';"
                                    "set client_min_messages = warning");
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!ok)
        fail_print("%s", PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

/* PostgreSQL counts characters from 1; a span counts bytes. */
static size_t
byte_of_character(const struct span *span, long position)
{
    const char *text = span->file->text;
    size_t at = span->start;

    while (position > 1 && at < span->end) {
        at++;
        while (at < span->end && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        position--;
    }
    return at;
}

static size_t
word_end(const struct span *span, size_t at)
{
    const char *text = span->file->text;
    size_t end = at;

    while (end < span->end && strchr(" \t\r\n(),;", text[end]) == NULL)
        end++;
    return end > at ? end : at + 1;
}

static void
print_refusal(const struct span *statement, const PGresult *result)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    struct span span = *statement;
    struct diag *d;

    if (position != NULL)
        span.start = byte_of_character(statement, strtol(position, NULL, 10));
    span.end = word_end(statement, span.start);
    d = diag_at(span, PGS5503_MIGRATION_REFUSED, "%s (%s)",
                message != NULL ? message : PQresultErrorMessage(result),
                sqlstate != NULL ? sqlstate : "no answer");
    if (detail != NULL)
        diag_note(d, span, "%s", detail);
    if (context != NULL)
        diag_note(d, span, "%s", context);
    if (hint != NULL)
        diag_hint(d, "%s", hint);
    diag_print(stderr, false);
}

static enum outcome
run(PGconn *conn, const struct span *statement)
{
    const char *sql =
        arena_copy(statement->file->text + statement->start, statement->end - statement->start);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum outcome outcome = OUTCOME_DONE;

    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
        diag_at(*statement, PGS5503_MIGRATION_REFUSED,
                "`copy` from or to the client has no place "
                "in a migration: use `insert`");
        diag_print(stderr, false);
        outcome = OUTCOME_FAILED;
    } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
               status != PGRES_EMPTY_QUERY) {
        outcome =
            sqlstate != NULL && strcmp(sqlstate, "55P03") == 0 ? OUTCOME_LOCKED : OUTCOME_FAILED;
        if (outcome == OUTCOME_FAILED)
            print_refusal(statement, result);
    }
    PQclear(result);
    return outcome;
}

static bool
simple(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!ok)
        fail_print("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

static enum outcome
try_as_one(PGconn *conn, const struct script_part *part,
           bool (*last)(PGconn *conn, const void *arg), const void *arg)
{
    enum outcome outcome = OUTCOME_DONE;

    if (!simple(conn, "begin"))
        return OUTCOME_FAILED;
    for (size_t i = 0; i < part->statements.n && outcome == OUTCOME_DONE; i++)
        outcome = run(conn, &part->statements.at[i]);
    if (outcome == OUTCOME_DONE && last != NULL && !last(conn, arg))
        outcome = OUTCOME_FAILED;
    if (outcome == OUTCOME_DONE)
        return simple(conn, "commit") ? OUTCOME_DONE : OUTCOME_FAILED;
    if (PQstatus(conn) == CONNECTION_OK)
        PQclear(PQexec(conn, "rollback"));
    return outcome;
}

/* False: that was the last try. */
static bool
wait_for_lock(const char *path, int tries)
{
    const struct timespec pause = {.tv_sec = tries + 1};

    if (tries + 1 >= LOCK_TRIES) {
        fail_print("%s: a table stayed locked by others; try again when they are done", path);
        return false;
    }
    fprintf(stderr, "%s: a table is locked by others; trying again\n", path);
    nanosleep(&pause, NULL);
    return true;
}

bool
statements_run_as_one(PGconn *conn, const struct script_part *part,
                      bool (*last)(PGconn *conn, const void *arg), const void *arg)
{
    for (int tries = 0;; tries++) {
        enum outcome outcome = try_as_one(conn, part, last, arg);

        if (outcome != OUTCOME_LOCKED)
            return outcome == OUTCOME_DONE;
        if (!wait_for_lock(part->statements.at[0].file->path, tries))
            return false;
    }
}

bool
statements_run_each(PGconn *conn, const struct script_part *part)
{
    for (size_t i = 0; i < part->statements.n; i++) {
        enum outcome outcome;

        for (int tries = 0; (outcome = run(conn, &part->statements.at[i])) == OUTCOME_LOCKED;
             tries++)
            if (!wait_for_lock(part->statements.at[i].file->path, tries))
                return false;
        if (outcome == OUTCOME_FAILED)
            return false;
    }
    return true;
}

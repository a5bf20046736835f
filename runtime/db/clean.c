/* SPDX-License-Identifier: MIT */
/*
 * A connection serves one caller after the other, and a function may leave things in its session
 * that outlive their transaction, some even when it fails: settings, advisory locks, cursors,
 * temporary tables, channels.  They are taken away behind it, before anything else runs there.
 */
#include <string.h>

#include "base/log.h"
#include "db/pool_private.h"

/* DISCARD ALL would take the prepared statements with it.  Settings are first: a timeout that was
 * left must not end the rest. */
const char *const pgs__clean_sql[] = {"reset all",  pgs__settings_again_sql, "close all",
                                      "unlisten *", "discard temp",          NULL};

static const struct pgs_text nobody = {"", 0};

static struct pgs_text
text_of(const char *sql)
{
    return (struct pgs_text){sql, strlen(sql)};
}

bool
pgs__conn_prepare_clean(struct pgs__conn *conn)
{
    for (int i = 0; pgs__clean_sql[i] != NULL; i++)
        if (pgs__conn_statement(conn, nobody, text_of(pgs__clean_sql[i])) == NULL)
            return false;
    return true;
}

bool
pgs__conn_clean(struct pgs__conn *conn, bool again)
{
    struct pgs__settings values;
    struct pgs__job *job;
    int n = pgs__settings_values(conn->pool, &values);

    for (int i = 0; pgs__clean_sql[i] != NULL; i++) {
        struct pgs__statement *statement =
            pgs__statement_find(&conn->statements, nobody, text_of(pgs__clean_sql[i]));

        if (statement == NULL)
            return false;
        pgs__wire_bind(&conn->stream.out, statement->name, values.texts,
                       pgs__clean_sql[i] == pgs__settings_again_sql ? n : 0);
        pgs__wire_execute(&conn->stream.out);
    }
    pgs__wire_sync(&conn->stream.out);
    if (conn->stream.out.failed || (job = pgs__conn_add_job(conn, PGS__JOB_CLEAN)) == NULL)
        return false;
    job->is_second = again;
    return true;
}

/* A cancel request came late, or its statements were taken: nothing of it was done. */
static bool
clean_again(struct pgs__conn *conn, const struct pgs__job *job)
{
    return !job->is_second && pgs__conn_forget_statements(conn) && pgs__conn_prepare_clean(conn) &&
           pgs__conn_clean(conn, true);
}

void
pgs__conn_finish_clean(struct pgs__conn *conn, const struct pgs__job *job, struct pgs_text error)
{
    if (error.at == NULL || clean_again(conn, job))
        return;
    PGS_LOG(PGS_LOG_WARN, "database_session_unclean",
            PGS_LOG_STR("why", pgs__error_field(error, 'M')));
    pgs__conn_lose(conn, "the session could not be cleaned");
}

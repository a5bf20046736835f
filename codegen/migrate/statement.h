/* SPDX-License-Identifier: MIT */
/*
 * Runs statements of a script, one at a time, so that an error names its file, line and column.
 */
#ifndef STATEMENT_H
#define STATEMENT_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "migrate/script.h"

/* Forgets what a file may have set for the session, and sets lock_timeout.  False: printed. */
bool statement_prepare_session(PGconn *conn);

/*
 * One transaction, with `last` (NULL: nothing) as its final step.  When a lock cannot be had in
 * time, the whole is tried again, a few times.  False: printed, and nothing has happened.
 */
bool statements_run_as_one(PGconn *conn, const struct script_part *part,
                           bool (*last)(PGconn *conn, const void *arg), const void *arg);

/* Each by itself.  False: printed; those before it have taken effect. */
bool statements_run_each(PGconn *conn, const struct script_part *part);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The files of migrations/ against a database's pgstack.migrations.
 *
 * A file's up part runs as one transaction together with its record, unless it says
 * transaction:false.  An applied file must never change, but for its comments: its checksum is
 * kept and compared.
 */
#ifndef MIGRATION_H
#define MIGRATION_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "migrate/script.h"
#include "base/vec.h"

enum migration_state {
    MIGRATION_PENDING,
    MIGRATION_APPLIED,
    MIGRATION_CHANGED, /* applied, but the file's bytes are others now */
    MIGRATION_MISSING, /* applied, but there is no such file */
};

struct migration {
    const char *version; /* the 14 digits */
    const char *name;
    const struct source *source; /* NULL when missing */
    const char *checksum;        /* of the file without its comments */
    enum migration_state state;
    const char *applied_at; /* NULL when pending */
};

/* In order of version. */
struct migrations {
    VEC(struct migration) list;
    size_t count[MIGRATION_MISSING + 1]; /* by state */
};

/* Connects, in UTF-8 and with lock_timeout set; NULL: printed. */
PGconn *migration_connect(const char *url);

/* Waits until no other runner is at work on this database.  False: printed. */
bool migration_lock(PGconn *conn);

/* Reads migrations/ and what the database has applied.  False: printed. */
bool migrations_read(PGconn *conn, struct migrations *migrations);

/* Applies what is pending; stops at the first error.  `*applied`: how many.  False: printed. */
bool migrations_run(PGconn *conn, const struct migrations *migrations, size_t *applied);

/* Runs a script that is no migration as one transaction.  False: printed. */
bool migration_run_script(PGconn *conn, const struct source *source);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * SQL files as lists of statements: a migration in its up and down parts, or a plain script.
 *
 * Splitting follows psql: a semicolon within quotes, comments, parentheses or the body of a
 * `begin atomic ... end` function ends nothing.  What the statements mean is PostgreSQL's affair.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>

#include "text/source.h"
#include "base/vec.h"

struct script_part {
    bool present;
    bool transaction;            /* all or nothing; false where the part says transaction:false */
    VEC(struct span) statements; /* without the semicolon */
};

struct script {
    const struct source *source;
    struct script_part up;
    struct script_part down;
};

/* Reads `-- migrate:up` and `-- migrate:down`.  False: what is wrong has been recorded. */
bool script_read_migration(const struct source *source, struct script *script);

/* The whole file is the up part. */
bool script_read_plain(const struct source *source, struct script *script);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * `pgstack check --database`: the whole migration, up and down, on a real PostgreSQL.  It gets a
 * database of its own, and there one transaction that never commits, so that the roles, which
 * belong to all databases of a server, are gone again as well.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>

#include "model/model.h"
#include "text/source.h"

struct trial {
    const struct model *model;
    const struct source *migration; /* as it would be written now */
    const char *version;            /* out: "15.4" */
    bool checked_bodies;            /* out: plpgsql_check was there */
};

/*
 * Tries it on the server of `url`, whose role may make databases and roles.  What PostgreSQL
 * refuses is recorded in diag.h.  False: it could not be tried, which has been printed.
 */
bool trial_run(const char *url, struct trial *trial);

/* What a Ctrl-C during trial_run() asked for, once it has cleaned up: 0 or the signal. */
int trial_signal(void);

#endif

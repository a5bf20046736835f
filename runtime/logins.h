/* SPDX-License-Identifier: MIT */
/*
 * What the login roles of both planes must and must not be able to do, of this application.
 */
#ifndef PGS_LOGINS_H
#define PGS_LOGINS_H

#include "config/config.h"
#include "db/login.h"

struct pgs_login pgs_logins_get(bool admin);

/* The connection strings alone.  False: told why they cannot be used. */
bool pgs_logins_can_try(const struct pgs_config *config);

/* Connects, and waits up to ten seconds for PostgreSQL.  False: told why it would not do. */
bool pgs_logins_check(const struct pgs_config *config);

#endif

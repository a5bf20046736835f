/* SPDX-License-Identifier: MIT */
/*
 * Looks at a login role before the first request: row security must hold for it, and the session
 * must be its own.
 */
#ifndef PGS_DB_LOGIN_H
#define PGS_DB_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

struct pgs_login_rules {
    const char *const *relations; /* served, quoted, NULL-terminated */
    const char *const *roles;     /* that it must be able to take, NULL-terminated */
    const char *forbidden_role;   /* that it must not be able to take; NULL: none */
};

/* What it asks.  The last parameter is the number of the session's process as it was told when it
 * began (PQbackendPID): a pooler, which gives sessions of PostgreSQL to one client after the other,
 * has told one of its own making, whatever its mode. */
extern const char pgs_login_sql[];

/* The parameters before that: texts that live as long as the program. */
struct pgs_login {
    const char *values[3];
};

struct pgs_login pgs_login_of(const struct pgs_login_rules *rules);

/* False: `why` says, without any secret, why libpq shall not see it. */
bool pgs_login_can_try(const char *conninfo, char *why, size_t why_size);

enum pgs_login_result {
    PGS_LOGIN_OK,
    PGS_LOGIN_REFUSED,     /* it may do too much, or too little */
    PGS_LOGIN_UNREACHABLE, /* PostgreSQL does not answer */
};

/*
 * Connects, waiting for the answers.  Refuses poolers, superusers, BYPASSRLS, owners of a served
 * relation and members of its owner, members of the forbidden role, and logins that lack a role.
 * `why` says so without any secret.
 */
enum pgs_login_result pgs_login_check(const char *conninfo, const struct pgs_login_rules *rules,
                                      char *why, size_t why_size);

#endif

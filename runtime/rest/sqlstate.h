/* SPDX-License-Identifier: MIT */
/*
 * A database error to an HTTP status, by PostgREST's table
 * (https://docs.postgrest.org, "Errors", HTTP status codes).
 */
#ifndef PGS_REST_SQLSTATE_H
#define PGS_REST_SQLSTATE_H

#include <stdbool.h>

/* The status for a five-character SQLSTATE; `anonymous`: asking without a user (42501 is 401). */
int pgs_sqlstate_status(const char *sqlstate, bool anonymous);

#endif

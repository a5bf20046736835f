/* SPDX-License-Identifier: MIT */
/*
 * A database error to an HTTP status, by PostgREST's table
 * (https://docs.postgrest.org, "Errors", HTTP status codes).
 */
#ifndef PGS_CODEC_SQLSTATE_H
#define PGS_CODEC_SQLSTATE_H

#include <stdbool.h>

/* The status for a five-character SQLSTATE; `anonymous`: asking without a user (42501 is 401). */
int pgs_sqlstate_status(const char *sqlstate, bool anonymous);

/* It may be asked again: deadlocks and serialization (40), resources (53), locks and states (55),
 * and what an operator does (57), such as a timeout. */
bool pgs_sqlstate_is_passing(const char *sqlstate);

/* What a client may be told of an error with this status: `message`, or that there was one. */
const char *pgs_sqlstate_message(const char *sqlstate, int status, const char *message);

#endif

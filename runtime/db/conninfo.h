/* SPDX-License-Identifier: MIT */
/*
 * A connection string before libpq connects with it.  What libpq says of a broken one quotes parts
 * of it, and these may be parts of a password: a character that was not percent-encoded, a quote or
 * a slash that is missing.
 */
#ifndef PGS_DB_CONNINFO_H
#define PGS_DB_CONNINFO_H

#include <stdbool.h>

/* False: it is broken, or a part of the password has slipped into another field.  It is then never
 * to be handed to libpq. */
bool pgs_conninfo_is_sound(const char *conninfo);

#endif

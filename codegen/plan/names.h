/* SPDX-License-Identifier: MIT */
/*
 * Names in C that clash with nothing: not with the runtime's, not with keywords, not with each
 * other when SQL names differ in case or in what C does not allow.
 */
#ifndef PLAN_NAMES_H
#define PLAN_NAMES_H

#include "base/words.h"

/*
 * Names of tables and queries.  They get prefixes and suffixes, so keywords need no care; what
 * begins like a name of the runtime or of app.h gets `t_` before it.
 */
const char *plan_object_name(const char *name, struct words *taken);

/* A member of a struct that has a member `has`. */
const char *plan_member_name(const char *name, struct words *taken);

/* A local variable; PREFIX_NAME where the name is taken. */
const char *plan_local_name(const char *prefix, const char *name, struct words *taken);

/* PREFIX_NAME in upper case; at most `max` bytes of the name. */
const char *plan_constant_name(const char *prefix, const char *name, size_t max,
                               struct words *taken);

#endif

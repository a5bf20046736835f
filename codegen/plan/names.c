/* SPDX-License-Identifier: MIT */
#include "plan/names.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "model/names.h"

#define MAX_OBJECT_NAME 32 /* so that a line of the tables fits */
#define MAX_LOCAL_NAME 16  /* so that a comparison of two fits on a line */

static const char *const reserved[] = {"app", "cors", "pgs", "queries", "role", "t"};

static const char *
to_lower(const char *name, size_t max)
{
    size_t len = strlen(name);
    char *lower = arena_copy(name, len < max ? len : max);

    for (char *p = lower; *p != '\0'; p++)
        *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
    return lower;
}

/* The name, or with _2, _3, ... the first that is free. */
static const char *
take(const char *name, struct words *taken)
{
    const char *free = name;

    for (int n = 2; words_contain(taken, free); n++)
        free = arena_printf("%s_%d", name, n);
    words_add(taken, free);
    return free;
}

static bool
begins_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        size_t len = strlen(reserved[i]);

        if (strncmp(name, reserved[i], len) == 0 && (name[len] == '\0' || name[len] == '_'))
            return true;
    }
    return !islower((unsigned char)name[0]);
}

const char *
plan_object_name(const char *name, struct words *taken)
{
    const char *lower = to_lower(name, MAX_OBJECT_NAME);

    return take(begins_reserved(lower) ? arena_printf("t_%s", lower) : lower, taken);
}

const char *
plan_member_name(const char *name, struct words *taken)
{
    const char *member = name_c(to_lower(name, NAME_MAX_BYTES));

    return take(strcmp(member, "has") == 0 ? "has_" : member, taken);
}

/* What stands outside of functions, and would be hidden. */
static bool
is_global(const char *name)
{
    return strncmp(name, "pgs_", 4) == 0 || strncmp(name, "matched_", 8) == 0;
}

const char *
plan_local_name(const char *prefix, const char *name, struct words *taken)
{
    const char *local = name_c(to_lower(name, MAX_LOCAL_NAME));

    if (words_contain(taken, local) || is_global(local))
        local = arena_printf("%s_%s", prefix, to_lower(name, MAX_LOCAL_NAME));
    return take(local, taken);
}

const char *
plan_constant_name(const char *prefix, const char *name, size_t max, struct words *taken)
{
    const char *lower = to_lower(name, max);

    return take(name_c_upper(arena_printf("%s_%s", prefix, lower)), taken);
}

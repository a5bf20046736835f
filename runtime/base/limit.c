/* SPDX-License-Identifier: MIT */
#include "base/limit.h"

#include <stdatomic.h>
#include <stdlib.h>

#define LINE "%-20s %-24s %-28s %s\n"

static const struct {
    const char *name, *setting, *value, *meaning;
} limits[] = {
#define PGS_LIMIT(id, name, setting, value, meaning) {name, setting, value, meaning},
#include "base/limits.def"
#undef PGS_LIMIT
};

static atomic_uint_fast64_t hits[PGS_LIMITS];

void
pgs_limit_hit(enum pgs_limit limit)
{
    atomic_fetch_add_explicit(&hits[limit], 1, memory_order_relaxed);
}

void
pgs_limits_forget(void)
{
    for (size_t i = 0; i < PGS_LIMITS; i++)
        atomic_store_explicit(&hits[i], 0, memory_order_relaxed);
}

uint64_t
pgs_limit_hits(enum pgs_limit limit)
{
    return atomic_load_explicit(&hits[limit], memory_order_relaxed);
}

const char *
pgs_limit_name(enum pgs_limit limit)
{
    return limits[limit].name;
}

void
pgs_limits_print(FILE *out)
{
    fprintf(out, LINE, "limit", "value", "setting", "meaning");
    for (size_t i = 0; i < PGS_LIMITS; i++) {
        const char *set = limits[i].setting[0] != '\0' ? getenv(limits[i].setting) : NULL;

        fprintf(out, LINE, limits[i].name, set != NULL && set[0] != '\0' ? set : limits[i].value,
                limits[i].setting, limits[i].meaning);
    }
}

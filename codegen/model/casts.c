/* SPDX-License-Identifier: MIT */
/*
 * Casts by PostgreSQL's pg_cast; beyond it, any type goes to text on assignment and from text when
 * the cast is written, and arrays go as their elements do.  NULL and a literal in quotes are
 * "open": they take the type of what they meet, as PostgreSQL's unknown does.
 */
#include <string.h>

#include "model/catalog.h"
#include "model/functions.h"
#include "model/types.h"

struct cast {
    const char *from, *to;
    char context;
    enum volatility volatility;
    const char *releases, *leakproof;
};

static const struct cast casts[] = {
#define CATALOG_CAST(from, to, context, method, volatility, releases, leakproof)                   \
    {from, to, context, volatility, releases, leakproof},
#include "model/catalog_casts.def"
#undef CATALOG_CAST
};

#define CASTS (sizeof(casts) / sizeof(casts[0]))

/* The table of casts by the numbers of two types; NULL where there is none. */
static const struct cast **
cast_table(void)
{
    static const struct cast **table;
    size_t n = catalog_type_count();

    if (table)
        return table;
    table = arena_alloc(n * n * sizeof(*table));
    for (size_t i = 0; i < CASTS; i++) {
        size_t from = catalog_type_number(catalog_type_named(casts[i].from));
        size_t to = catalog_type_number(catalog_type_named(casts[i].to));

        table[from * n + to] = &casts[i];
    }
    return table;
}

/* Only those that every release has. */
static const struct cast *
find_cast(struct type from, struct type to)
{
    const struct catalog_type *a = catalog_type_of(from), *b = catalog_type_of(to);
    const struct cast *cast = NULL;

    if (a && b && !from.array && !to.array)
        cast = cast_table()[catalog_type_number(a) * catalog_type_count() + catalog_type_number(b)];
    return cast && cast->releases[0] != '-' ? cast : NULL;
}

char
type_category(struct type type)
{
    const struct catalog_type *row;

    type = type_base(type);
    if (type.array)
        return 'A';
    if (type.kind == TYPE_ENUM)
        return 'E';
    row = catalog_type_of(type);
    return row ? row->category : type_is_open(type) ? 'X' : type_is_range(type) ? 'R' : 'C';
}

bool
type_is_preferred(struct type type)
{
    const struct catalog_type *row = type.array ? NULL : catalog_type_of(type);

    return row && row->preferred;
}

static enum type_cast
scalar_cast(struct type from, struct type to)
{
    const struct cast *cast = find_cast(from, to);

    if (cast)
        return cast->context == 'i'   ? CAST_IMPLICIT
               : cast->context == 'a' ? CAST_ASSIGNMENT
                                      : CAST_EXPLICIT;
    if (type_category(to) == 'S')
        return CAST_ASSIGNMENT;
    return type_category(from) == 'S' ? CAST_EXPLICIT : CAST_NONE;
}

enum type_cast
type_cast_kind(struct type from, struct type to)
{
    if (type_same(from, to) || type_is_open(from) || type_is_open(to))
        return CAST_IMPLICIT;
    from = type_base(from);
    to = type_base(to);
    if (type_same(from, to))
        return CAST_IMPLICIT;
    if (from.kind == TYPE_VOID || to.kind == TYPE_VOID)
        return CAST_NONE;
    if (from.array && to.array)
        return type_cast_kind(type_element(from), type_element(to));
    return scalar_cast(from, to);
}

/* Without a function of its own a cast goes through text, which is neither leakproof nor sure. */
bool
cast_is_leakproof(struct type from, struct type to)
{
    const struct cast *cast;

    from = type_base(from);
    to = type_base(to);
    if (type_same(from, to) || type_is_open(from))
        return true;
    cast = find_cast(from, to);
    return cast && !strchr(cast->leakproof, 'n');
}

enum volatility
cast_volatility(struct type from, struct type to)
{
    const struct cast *cast;

    from = type_base(from);
    to = type_base(to);
    if (type_same(from, to))
        return IMMUTABLE;
    cast = find_cast(from, to);
    return cast ? cast->volatility : STABLE;
}

/* ---- common types ---- */

/* All of one type: that one, with its length when they agree on it. */
static bool
all_same(const struct type *types, size_t n, struct type *out)
{
    bool same_length = true;

    for (size_t i = 0; i < n; i++) {
        if (type_is_open(types[i]) || !type_same(types[i], types[0]))
            return false;
        same_length = same_length && memcmp(&types[i], &types[0], sizeof(types[0])) == 0;
    }
    *out = same_length ? types[0] : type_plain(types[0]);
    return n > 0;
}

static bool
has_raw(const struct type *types, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (types[i].kind == TYPE_ANY)
            return true;
    return false;
}

/* The later of two known types takes over when only it can hold both. */
static bool
takes_over(struct type now, struct type next)
{
    return !type_is_preferred(now) && type_cast_kind(now, next) == CAST_IMPLICIT &&
           type_cast_kind(next, now) != CAST_IMPLICIT;
}

bool
type_common_of(const struct type *types, size_t n, struct type *out)
{
    struct type common = type_scalar(has_raw(types, n) ? TYPE_ANY : TYPE_UNKNOWN);

    if (all_same(types, n, out))
        return true;
    for (size_t i = 0; i < n; i++) {
        struct type next = type_plain(type_base(types[i]));

        if (type_is_open(next))
            continue;
        if (!type_is_open(common) && type_category(common) != type_category(next))
            return false;
        if (type_is_open(common) || takes_over(common, next))
            common = next;
    }
    for (size_t i = 0; i < n; i++)
        if (type_cast_kind(types[i], common) != CAST_IMPLICIT)
            return false;
    *out = common;
    return true;
}

bool
type_common(struct type a, struct type b, struct type *out)
{
    struct type both[] = {a, b};

    return type_common_of(both, 2, out);
}

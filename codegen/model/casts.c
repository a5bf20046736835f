/* SPDX-License-Identifier: MIT */
/*
 * Casts by PostgreSQL's pg_cast; beyond it, any type goes to text on assignment and from text when
 * the cast is written, and arrays go as their elements do.  NULL and a literal in quotes are
 * "open": they take the type of what they meet, as PostgreSQL's unknown does.
 */
#include <assert.h>
#include <string.h>

#include "model/catalog.h"
#include "model/functions.h"
#include "model/types.h"

struct cast {
    const char *from, *to;
    char context, method;
    enum volatility volatility;
    const char *releases, *leakproof;
};

static const struct cast casts[] = {
#define CATALOG_CAST(from, to, context, method, volatility, releases, leakproof)                   \
    {from, to, context, method, volatility, releases, leakproof},
#include "model/catalog_casts.def"
#undef CATALOG_CAST
#define EXTENSION_CAST(from, to, context, method)                                                  \
    {from, to, context, method, IMMUTABLE, "iiii", "nnnn"},
#include "model/catalog_extensions.def"
};

#define CASTS (sizeof(casts) / sizeof(casts[0]))

#define MAX_TYPES 128

/* By the numbers of two types, 1 and the number of their cast; 0: there is none. */
static unsigned char numbers[MAX_TYPES][MAX_TYPES];

static void
fill_numbers(void)
{
    static_assert(CASTS < 255, "a number fits a byte");
    assert(catalog_type_count() <= MAX_TYPES);
    for (size_t i = 0; i < CASTS; i++) {
        size_t from = catalog_type_number(catalog_type_named(casts[i].from));
        size_t to = catalog_type_number(catalog_type_named(casts[i].to));

        numbers[from][to] = (unsigned char)(i + 1);
    }
}

/* Only those that every release has. */
static const struct cast *
find_cast(struct type from, struct type to)
{
    static bool filled;
    const struct catalog_type *a = catalog_type_of(from), *b = catalog_type_of(to);
    size_t number;

    if (!filled)
        fill_numbers();
    filled = true;
    if (!a || !b || from.array || to.array)
        return NULL;
    number = numbers[catalog_type_number(a)][catalog_type_number(b)];
    return number > 0 && casts[number - 1].releases[0] != '-' ? &casts[number - 1] : NULL;
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

static bool
is_record(struct type type)
{
    return type.kind == TYPE_CATALOG && strcmp(type.catalog->name, "record") == 0;
}

static enum type_cast
scalar_cast(struct type from, struct type to)
{
    const struct cast *cast = find_cast(from, to);

    if (cast)
        return cast->context == 'i'   ? CAST_IMPLICIT
               : cast->context == 'a' ? CAST_ASSIGNMENT
                                      : CAST_EXPLICIT;
    if (from.kind == TYPE_COMPOSITE && is_record(to))
        return CAST_IMPLICIT;
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

bool
cast_has_function(struct type from, struct type to)
{
    const struct cast *cast = find_cast(type_base(from), type_base(to));

    return cast && cast->method == 'f';
}

/* Infinity has no time of day; and since release 18 the null of JSON becomes that of SQL. */
bool
cast_gives_null(struct type from, struct type to)
{
    from = type_base(from);
    to = type_base(to);
    if (from.array || to.array || !cast_has_function(from, to))
        return false;
    return from.kind == TYPE_JSONB ||
           ((from.kind == TYPE_TIMESTAMP || from.kind == TYPE_TIMESTAMPTZ) &&
            (to.kind == TYPE_TIME || to.kind == TYPE_TIMETZ));
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

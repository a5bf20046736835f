/* SPDX-License-Identifier: MIT */
#include "pgs/truth.h"

#include <string.h>

/* ---- three values ---- */

enum pgs_truth
pgs_truth_of(bool value)
{
    return value ? PGS_TRUE : PGS_FALSE;
}

enum pgs_truth
pgs_and(enum pgs_truth a, enum pgs_truth b)
{
    if (a == PGS_FALSE || b == PGS_FALSE)
        return PGS_FALSE;
    return a == PGS_TRUE && b == PGS_TRUE ? PGS_TRUE : PGS_UNKNOWN;
}

enum pgs_truth
pgs_or(enum pgs_truth a, enum pgs_truth b)
{
    if (a == PGS_TRUE || b == PGS_TRUE)
        return PGS_TRUE;
    return a == PGS_FALSE && b == PGS_FALSE ? PGS_FALSE : PGS_UNKNOWN;
}

enum pgs_truth
pgs_not(enum pgs_truth a)
{
    return a == PGS_UNKNOWN ? PGS_UNKNOWN : pgs_truth_of(a == PGS_FALSE);
}

enum pgs_truth
pgs_both(enum pgs_truth a, enum pgs_truth b)
{
    return a == PGS_UNKNOWN || b == PGS_UNKNOWN ? PGS_UNKNOWN : pgs_truth_of(a == b);
}

enum pgs_truth
pgs_else(enum pgs_truth a, enum pgs_truth b)
{
    return a == PGS_UNKNOWN ? b : a;
}

enum pgs_truth
pgs_is(enum pgs_truth a, enum pgs_truth value)
{
    return pgs_truth_of(a == value);
}

/* ---- texts ---- */

enum pgs_truth
pgs_boolean(struct pgs_text value)
{
    if (value.at == NULL)
        return PGS_UNKNOWN;
    return pgs_truth_of(value.len > 0 && value.at[0] == 't');
}

enum pgs_truth
pgs_is_null(struct pgs_text value)
{
    return pgs_truth_of(value.at == NULL);
}

static bool
is_same(struct pgs_text a, struct pgs_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

enum pgs_truth
pgs_equal(struct pgs_text a, struct pgs_text b)
{
    return a.at == NULL || b.at == NULL ? PGS_UNKNOWN : pgs_truth_of(is_same(a, b));
}

enum pgs_truth
pgs_same(struct pgs_text a, struct pgs_text b)
{
    if (a.at == NULL || b.at == NULL)
        return pgs_truth_of(a.at == b.at);
    return pgs_truth_of(is_same(a, b));
}

/* ---- order ---- */

enum pgs_truth
pgs_less(const struct pgs_column *type, struct pgs_text a, struct pgs_text b)
{
    if (a.at == NULL || b.at == NULL)
        return PGS_UNKNOWN;
    return pgs_truth_of(pgs_compare(type, a, b) < 0);
}

enum pgs_truth
pgs_less_equal(const struct pgs_column *type, struct pgs_text a, struct pgs_text b)
{
    if (a.at == NULL || b.at == NULL)
        return PGS_UNKNOWN;
    return pgs_truth_of(pgs_compare(type, a, b) <= 0);
}

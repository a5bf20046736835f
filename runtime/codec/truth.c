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

static int
compare_bytes(struct pgs_text a, struct pgs_text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.at, b.at, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Without a sign, and without leading zeros, as PostgreSQL prints them. */
static int
compare_digits(struct pgs_text a, struct pgs_text b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return compare_bytes(a, b);
}

static int
compare_whole_numbers(struct pgs_text a, struct pgs_text b)
{
    bool a_below = a.len > 0 && a.at[0] == '-', b_below = b.len > 0 && b.at[0] == '-';

    if (a_below != b_below)
        return a_below ? -1 : 1;
    return a_below ? compare_digits(b, a) : compare_digits(a, b);
}

/* Where a date stands among -infinity, years before Christ, years after, infinity. */
static int
era_of(struct pgs_text date)
{
    if (date.len > 0 && date.at[0] == '-')
        return 0;
    if (date.len > 0 && date.at[0] == 'i')
        return 3;
    return date.len > 2 && memcmp(date.at + date.len - 2, "BC", 2) == 0 ? 1 : 2;
}

static struct pgs_text
year_of(struct pgs_text date)
{
    const char *end = memchr(date.at, '-', date.len);

    return (struct pgs_text){date.at, end == NULL ? date.len : (size_t)(end - date.at)};
}

/*
 * Behind the year all parts have their width, but for the fraction of a second, which ends before
 * '+', ' ' or the end: each of them is less than a digit or '.'.
 */
static int
compare_dates(struct pgs_text a, struct pgs_text b)
{
    int era = era_of(a), other = era_of(b), order;

    if (era != other)
        return era < other ? -1 : 1;
    if (era == 0 || era == 3)
        return 0;
    order = compare_digits(year_of(a), year_of(b));
    if (order != 0)
        return era == 1 ? -order : order;
    return compare_bytes(a, b);
}

static size_t
label_place(const char *const *labels, struct pgs_text label)
{
    size_t i = 0;

    while (labels[i] != NULL &&
           (strlen(labels[i]) != label.len || memcmp(labels[i], label.at, label.len) != 0))
        i++;
    return i;
}

static int
compare_labels(const char *const *labels, struct pgs_text a, struct pgs_text b)
{
    size_t place = label_place(labels, a), other = label_place(labels, b);

    return (place > other) - (place < other);
}

int
pgs_compare(const struct pgs_column *type, struct pgs_text a, struct pgs_text b)
{
    switch (type->type.kind) {
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return compare_whole_numbers(a, b);
    case PGS_DATE:
    case PGS_TIMESTAMP:
    case PGS_TIMESTAMPTZ:
        return compare_dates(a, b);
    case PGS_ENUM:
        return compare_labels(type->type.labels, a, b);
    case PGS_BOOL:
        return (pgs_boolean(a) == PGS_TRUE) - (pgs_boolean(b) == PGS_TRUE);
    default:
        return compare_bytes(a, b);
    }
}

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

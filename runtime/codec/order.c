/* SPDX-License-Identifier: MIT */
#include "codec/order.h"

#include <string.h>

#include "pgs/truth.h"

#define MAX_YEAR_DIGITS 8
#define ZERO 128 /* the head of whole numbers from 0 on, but for their length */

/* Without leading zeros, as PostgreSQL prints them: the sign and the length, then the digits. */
static bool
read_int(struct pgs_text text, struct pgs__order *out)
{
    bool is_below = text.len > 0 && text.at[0] == '-';
    size_t n = text.len - is_below;

    if (n == 0 || n >= ZERO || text.at[is_below] < '0' || text.at[is_below] > '9')
        return false;
    out->head = is_below ? ZERO - n : ZERO + n;
    out->head_bytes = 1;
    out->tail = (struct pgs_text){text.at + is_below, n};
    out->is_turned = is_below;
    return true;
}

/* "t", or as a cast to text has it "true". */
static bool
read_bool(struct pgs_text text, struct pgs__order *out)
{
    if (text.len == 0)
        return false;
    out->head = text.at[0] == 't';
    out->head_bytes = 1;
    out->tail = (struct pgs_text){"", 0};
    return true;
}

static bool
read_bytes(struct pgs_text text, struct pgs__order *out)
{
    out->head = 0;
    out->head_bytes = 0;
    out->tail = text;
    out->is_open = true;
    return true;
}

/*
 * "2026-11-21 19:56:29.5+00", "0044-03-15 BC": the year as a number, the rest as it stands.  All of
 * its parts have their width, but for the fraction of a second, which is the last one.
 */
static bool
read_time(struct pgs_text text, struct pgs__order *out)
{
    int64_t year = 0;
    size_t i = 0;
    char last = text.len > 0 ? text.at[text.len - 1] : '\0';

    out->head_bytes = 4;
    out->is_open = true;
    if (last == 'y') { /* infinity */
        out->head = text.at[0] == '-' ? 0 : UINT32_MAX;
        out->tail = (struct pgs_text){"", 0};
        return true;
    }
    for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9' && i < MAX_YEAR_DIGITS; i++)
        year = year * 10 + (text.at[i] - '0');
    if (i == 0 || text.len - i < sizeof("-mm-dd") - 1 || text.at[i] != '-')
        return false;
    if (last == 'C') { /* " BC" */
        year = -year;
        text.len -= 3;
    }
    if (text.at[text.len - 3] == '+') /* "+00" */
        text.len -= 3;
    out->head = (uint64_t)(year + INT32_MAX);
    out->tail = (struct pgs_text){text.at + i, text.len - i};
    return true;
}

static bool
read_label(const struct pgs_type *type, struct pgs_text text, struct pgs__order *out)
{
    for (size_t i = 0; type->labels[i] != NULL; i++)
        if (strlen(type->labels[i]) == text.len &&
            memcmp(type->labels[i], text.at, text.len) == 0) {
            out->head = i;
            out->head_bytes = 2;
            out->tail = (struct pgs_text){"", 0};
            return true;
        }
    return false;
}

static inline bool
read_order(const struct pgs_type *type, struct pgs_text text, struct pgs__order *out)
{
    out->is_turned = out->is_open = false;
    if (type->array)
        return false;
    switch (type->kind) {
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return read_int(text, out);
    case PGS_DATE:
    case PGS_TIMESTAMP:
    case PGS_TIMESTAMPTZ:
        return read_time(text, out);
    case PGS_ENUM:
        return read_label(type, text, out);
    case PGS_BOOL:
        return read_bool(text, out);
    case PGS_UUID:
    case PGS_TEXT:
    case PGS_VARCHAR:
        return read_bytes(text, out);
    default:
        return false;
    }
}

bool
pgs__order_read(const struct pgs_type *type, struct pgs_text text, struct pgs__order *out)
{
    return read_order(type, text, out);
}

int
pgs__order_compare_bytes(struct pgs_text a, struct pgs_text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.at, b.at, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int
pgs_compare(const struct pgs_column *type, struct pgs_text a, struct pgs_text b)
{
    struct pgs__order left, right;

    if (!read_order(&type->type, a, &left) || !read_order(&type->type, b, &right))
        return pgs__order_compare_bytes(a, b);
    if (left.head != right.head)
        return left.head < right.head ? -1 : 1;
    return left.is_turned ? pgs__order_compare_bytes(right.tail, left.tail)
                          : pgs__order_compare_bytes(left.tail, right.tail);
}

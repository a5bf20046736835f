/* SPDX-License-Identifier: MIT */
#include "codec/text_array.h"

#define TEXT_OID 25
#define NULL_LENGTH UINT32_MAX

/* False: there are not that many bytes. */
static bool
take(struct pgs_text_array *array, uint32_t *number)
{
    const uint8_t *at = array->at;

    if (array->left < 4)
        return false;
    *number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    array->at += 4;
    array->left -= 4;
    return true;
}

/* How many, and the number of the first, which says nothing. */
static bool
take_dimension(struct pgs_text_array *array, uint32_t *n)
{
    uint32_t first;

    return take(array, n) && take(array, &first);
}

/* Each value has four bytes at least. */
static bool
may_have_all(const struct pgs_text_array *array)
{
    return (uint64_t)array->n_rows * array->n_columns <= array->left / 4;
}

bool
pgs_text_array_open(const uint8_t *at, size_t len, struct pgs_text_array *array)
{
    uint32_t dimensions, has_nulls, type;

    *array = (struct pgs_text_array){.at = at, .left = len};
    if (!take(array, &dimensions) || !take(array, &has_nulls) || !take(array, &type) ||
        type != TEXT_OID || dimensions > 2)
        return false;
    if (dimensions == 0)
        return true;
    array->n_rows = 1;
    if (dimensions == 2 && !take_dimension(array, &array->n_rows))
        return false;
    return take_dimension(array, &array->n_columns) && may_have_all(array);
}

bool
pgs_text_array_next(struct pgs_text_array *array, struct pgs_text *text)
{
    uint32_t len;

    *text = (struct pgs_text){NULL, 0};
    if (!take(array, &len))
        return false;
    if (len == NULL_LENGTH)
        return true;
    if (len > array->left)
        return false;
    *text = (struct pgs_text){(const char *)array->at, len};
    array->at += len;
    array->left -= len;
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "codec/array.h"

#include <string.h>
#include <strings.h>

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_space(struct pgs__array *array)
{
    while (array->at < array->end && is_space(*array->at))
        array->at++;
}

/* `[0:2][1:3]=` before the braces, where the bounds are not the usual ones. */
static void
skip_bounds(struct pgs__array *array)
{
    const char *at = array->at;

    if (at == array->end || *at != '[')
        return;
    while (at < array->end && *at != '\0' && strchr("[]:+-0123456789", *at) != NULL)
        at++;
    if (at < array->end && *at == '=')
        array->at = at + 1;
}

void
pgs__array_init(struct pgs__array *array, const char *text, size_t len)
{
    *array = (struct pgs__array){.at = text, .end = text + len};
    skip_space(array);
    skip_bounds(array);
    skip_space(array);
}

size_t
pgs__array_unescape(struct pgs_text item, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < item.len; i++) {
        if (item.at[i] == '\\')
            i++;
        to[n++] = item.at[i];
    }
    return n;
}

bool
pgs__array_shape_open(struct pgs__array_shape *shape)
{
    shape->count[shape->depth]++;
    if (shape->depth == PGS_ARRAY_MAX_DEPTH || (shape->leaf > 0 && shape->depth >= shape->leaf))
        return false;
    shape->count[++shape->depth] = 0;
    return true;
}

bool
pgs__array_shape_item(struct pgs__array_shape *shape)
{
    shape->count[shape->depth]++;
    if (shape->leaf == 0)
        shape->leaf = shape->depth;
    return shape->leaf == shape->depth;
}

bool
pgs__array_shape_close(struct pgs__array_shape *shape)
{
    size_t n = shape->count[shape->depth], *expected = &shape->expected[shape->depth];

    if (n == 0 && shape->depth > 1)
        return false;
    if (*expected == 0)
        *expected = n;
    shape->depth--;
    return *expected == n;
}

static enum pgs__array_token
open_brace(struct pgs__array *array)
{
    array->at++;
    array->may_close = true;
    return pgs__array_shape_open(&array->shape) ? PGS_ARRAY_OPEN : PGS_ARRAY_BAD;
}

static enum pgs__array_token
close_brace(struct pgs__array *array)
{
    array->at++;
    array->after_item = true;
    return pgs__array_shape_close(&array->shape) ? PGS_ARRAY_CLOSE : PGS_ARRAY_BAD;
}

static enum pgs__array_token
read_quoted(struct pgs__array *array)
{
    const char *start = ++array->at;

    while (array->at < array->end && *array->at != '"') {
        if (*array->at == '\\') {
            array->has_escapes = true;
            array->at++;
        }
        array->at++;
    }
    if (array->at >= array->end)
        return PGS_ARRAY_BAD;
    array->item = (struct pgs_text){start, (size_t)(array->at - start)};
    array->at++;
    return PGS_ARRAY_ITEM;
}

/* Blanks at its end do not belong to it, unless a backslash is before them. */
static enum pgs__array_token
read_plain(struct pgs__array *array)
{
    const char *start = array->at, *last = start;

    while (array->at < array->end && *array->at != ',' && *array->at != '}') {
        bool escaped = *array->at == '\\';

        if (*array->at == '"' || *array->at == '{')
            return PGS_ARRAY_BAD;
        if (escaped && ++array->at == array->end)
            return PGS_ARRAY_BAD;
        array->has_escapes = array->has_escapes || escaped;
        if (escaped || !is_space(*array->at))
            last = array->at + 1;
        array->at++;
    }
    if (array->at == array->end || last == start)
        return PGS_ARRAY_BAD;
    array->item = (struct pgs_text){start, (size_t)(last - start)};
    if (array->item.len == 4 && !array->has_escapes && strncasecmp(start, "null", 4) == 0)
        return PGS_ARRAY_NULL;
    return PGS_ARRAY_ITEM;
}

static enum pgs__array_token
read_item(struct pgs__array *array)
{
    enum pgs__array_token token;

    array->has_escapes = false;
    token = *array->at == '"' ? read_quoted(array) : read_plain(array);
    array->after_item = true;
    return pgs__array_shape_item(&array->shape) ? token : PGS_ARRAY_BAD;
}

enum pgs__array_token
pgs__array_next(struct pgs__array *array)
{
    skip_space(array);
    if (array->shape.depth == 0 && array->after_item)
        return array->at == array->end ? PGS_ARRAY_END : PGS_ARRAY_BAD;
    if (array->at == array->end)
        return PGS_ARRAY_BAD;
    if (array->shape.depth == 0)
        return *array->at == '{' ? open_brace(array) : PGS_ARRAY_BAD;
    if (array->after_item && *array->at == ',') {
        array->at++;
        array->after_item = array->may_close = false;
        skip_space(array);
        if (array->at == array->end)
            return PGS_ARRAY_BAD;
    } else if (array->after_item || *array->at == '}') {
        return *array->at == '}' && (array->after_item || array->may_close) ? close_brace(array)
                                                                            : PGS_ARRAY_BAD;
    }
    if (*array->at == '{')
        return open_brace(array);
    return *array->at == '}' || *array->at == ',' ? PGS_ARRAY_BAD : read_item(array);
}

void
pgs__item_write(struct pgs_buf *buf, const char *text, size_t len)
{
    pgs_buf_add_char(buf, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            pgs_buf_add_char(buf, '\\');
        pgs_buf_add_char(buf, text[i]);
    }
    pgs_buf_add_char(buf, '"');
}

void
pgs__array_write(struct pgs_buf *buf, const struct pgs_text *items, size_t n)
{
    pgs_buf_add_char(buf, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            pgs_buf_add_char(buf, ',');
        if (items[i].at == NULL)
            pgs_buf_add_str(buf, "NULL");
        else
            pgs__item_write(buf, items[i].at, items[i].len);
    }
    pgs_buf_add_char(buf, '}');
}

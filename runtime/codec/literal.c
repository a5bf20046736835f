/* SPDX-License-Identifier: MIT */
#include "codec/literal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Length of an item inside a literal: quotes, a backslash before each quote or backslash, comma. */
static size_t
item_len(struct pgs_text item)
{
    size_t len = item.len + 3;

    if (item.at == NULL)
        return sizeof("NULL,") - 1;
    for (size_t i = 0; i < item.len; i++)
        if (item.at[i] == '"' || item.at[i] == '\\')
            len++;
    return len;
}

static char *
write_item(char *to, struct pgs_text item)
{
    if (item.at == NULL) {
        memcpy(to, "NULL,", 5);
        return to + 5;
    }
    *to++ = '"';
    for (size_t i = 0; i < item.len; i++) {
        if (item.at[i] == '"' || item.at[i] == '\\')
            *to++ = '\\';
        *to++ = item.at[i];
    }
    *to++ = '"';
    *to++ = ',';
    return to;
}

/* Closes what write_item has written behind `{` at `start`. */
static struct pgs_text
close_array(char *start, char *to)
{
    if (to - start > 1)
        to--; /* the last comma */
    *to++ = '}';
    return (struct pgs_text){start, (size_t)(to - start)};
}

struct pgs_text
pgs__array_literal(struct pgs_memory memory, const struct pgs_text *items, size_t n)
{
    size_t len = 2;
    char *start, *to;

    for (size_t i = 0; i < n; i++)
        len += item_len(items[i]);
    start = to = memory.alloc(memory.pool, len);
    *to++ = '{';
    for (size_t i = 0; i < n; i++)
        to = write_item(to, items[i]);
    return close_array(start, to);
}

static struct pgs_text
uuid_text(const void *at, char room[PGS_FIELD_ROOM])
{
    static const char hex[] = "0123456789abcdef";
    struct pgs_uuid uuid;
    char *to = room;

    memcpy(&uuid, at, sizeof(uuid));
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[uuid.bytes[i] >> 4];
        *to++ = hex[uuid.bytes[i] & 15];
    }
    return (struct pgs_text){room, (size_t)(to - room)};
}

/* Digits enough to come back as the same number. */
static struct pgs_text
float_text(enum pgs_kind kind, const void *at, char room[PGS_FIELD_ROOM])
{
    float single;
    double number;
    int len;

    if (kind == PGS_FLOAT4) {
        memcpy(&single, at, sizeof(single));
        len = snprintf(room, PGS_FIELD_ROOM, "%.9g", (double)single);
    } else {
        memcpy(&number, at, sizeof(number));
        len = snprintf(room, PGS_FIELD_ROOM, "%.17g", number);
    }
    return (struct pgs_text){room, (size_t)len};
}

static struct pgs_text
whole_text(enum pgs_kind kind, const void *at, char room[PGS_FIELD_ROOM])
{
    int64_t int8 = 0;
    int32_t int4;
    int16_t int2;
    int len;

    if (kind == PGS_INT2) {
        memcpy(&int2, at, sizeof(int2));
        int8 = int2;
    } else if (kind == PGS_INT4) {
        memcpy(&int4, at, sizeof(int4));
        int8 = int4;
    } else {
        memcpy(&int8, at, sizeof(int8));
    }
    len = snprintf(room, PGS_FIELD_ROOM, "%" PRId64, int8);
    return (struct pgs_text){room, (size_t)len};
}

static struct pgs_text
bool_text(const void *at)
{
    bool truth;

    memcpy(&truth, at, sizeof(truth));
    return truth ? (struct pgs_text){"t", 1} : (struct pgs_text){"f", 1};
}

struct pgs_text
pgs__field_text(const struct pgs_shape *shape, size_t index, const void *row,
                char room[PGS_FIELD_ROOM])
{
    const struct pgs_field *field = &shape->fields[index];
    const struct pgs_type *type = &field->column->type;
    const char *at = (const char *)row + field->offset;
    struct pgs_text text;

    if (((const unsigned char *)row)[index] != PGS_SET)
        return (struct pgs_text){NULL, 0};
    switch (type->array ? PGS_TEXT : type->kind) {
    case PGS_BOOL:
        return bool_text(at);
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return whole_text(type->kind, at, room);
    case PGS_FLOAT4:
    case PGS_FLOAT8:
        return float_text(type->kind, at, room);
    case PGS_UUID:
        return uuid_text(at, room);
    default:
        memcpy(&text, at, sizeof(text));
        return text;
    }
}

struct pgs_text
pgs__field_array(struct pgs_memory memory, const struct pgs_shape *shape, size_t index,
                 const void *rows, size_t n)
{
    size_t len = 2;
    char room[PGS_FIELD_ROOM], *start, *to;

    for (size_t i = 0; i < n; i++)
        len += item_len(
            pgs__field_text(shape, index, (const char *)rows + i * shape->struct_size, room));
    start = to = memory.alloc(memory.pool, len);
    *to++ = '{';
    for (size_t i = 0; i < n; i++)
        to = write_item(
            to, pgs__field_text(shape, index, (const char *)rows + i * shape->struct_size, room));
    return close_array(start, to);
}

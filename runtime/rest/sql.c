/* SPDX-License-Identifier: MIT */
#include "rest/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
pgs__sql_init(struct pgs_sql *sql, struct pgs_memory memory)
{
    *sql = (struct pgs_sql){.memory = memory};
    pgs_buf_init(&sql->text, 0);
}

void
pgs__sql_clear(struct pgs_sql *sql)
{
    pgs_buf_clear(&sql->text);
    sql->n_params = 0;
}

void
pgs__sql_add(struct pgs_sql *sql, const char *fragment)
{
    pgs_buf_add_str(&sql->text, fragment);
}

void
pgs__sql_add_int(struct pgs_sql *sql, int64_t number)
{
    pgs_buf_add_int(&sql->text, number);
}

static void
push_param(struct pgs_sql *sql, struct pgs_text value)
{
    if (sql->n_params == sql->room) {
        size_t room = sql->room > 0 ? sql->room * 2 : 8;
        struct pgs_text *grown = sql->memory.alloc(sql->memory.pool, room * sizeof(*grown));

        if (sql->n_params > 0)
            memcpy(grown, sql->params, sql->n_params * sizeof(*grown));
        sql->params = grown;
        sql->room = room;
    }
    sql->params[sql->n_params++] = value;
}

void
pgs__sql_param(struct pgs_sql *sql, struct pgs_text value, const char *cast)
{
    push_param(sql, value);
    pgs_buf_add_char(&sql->text, '$');
    pgs_buf_add_int(&sql->text, (int64_t)sql->n_params);
    pgs_buf_add(&sql->text, "::", 2);
    pgs_buf_add_str(&sql->text, cast);
}

static struct pgs_text
text_of(struct pgs_memory memory, const char *bytes, size_t len)
{
    char *at = memory.alloc(memory.pool, len + 1);

    memcpy(at, bytes, len);
    at[len] = '\0';
    return (struct pgs_text){at, len};
}

void
pgs__sql_param_int(struct pgs_sql *sql, int64_t value, const char *cast)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, value);

    pgs__sql_param(sql, text_of(sql->memory, digits, (size_t)len), cast);
}

/* Length of an item inside the literal: quotes, and a backslash before each quote or backslash. */
static size_t
quoted_len(struct pgs_text item)
{
    size_t len = item.len + 2;

    for (size_t i = 0; i < item.len; i++)
        if (item.at[i] == '"' || item.at[i] == '\\')
            len++;
    return len;
}

static char *
write_quoted(char *to, struct pgs_text item)
{
    *to++ = '"';
    for (size_t i = 0; i < item.len; i++) {
        if (item.at[i] == '"' || item.at[i] == '\\')
            *to++ = '\\';
        *to++ = item.at[i];
    }
    *to++ = '"';
    return to;
}

struct pgs_text
pgs__array_literal(struct pgs_memory memory, const struct pgs_text *items, size_t n)
{
    size_t len = 2 + n; /* braces, commas */
    char *start, *to;

    for (size_t i = 0; i < n; i++)
        len += items[i].at == NULL ? 4 : quoted_len(items[i]);
    start = to = memory.alloc(memory.pool, len + 1);
    *to++ = '{';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *to++ = ',';
        if (items[i].at == NULL) {
            memcpy(to, "NULL", 4);
            to += 4;
        } else {
            to = write_quoted(to, items[i]);
        }
    }
    *to++ = '}';
    *to = '\0';
    return (struct pgs_text){start, (size_t)(to - start)};
}

static struct pgs_text
uuid_text(struct pgs_memory memory, const struct pgs_uuid *uuid)
{
    static const char hex[] = "0123456789abcdef";
    char text[36], *to = text;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[uuid->bytes[i] >> 4];
        *to++ = hex[uuid->bytes[i] & 15];
    }
    return text_of(memory, text, sizeof(text));
}

static struct pgs_text
number_text(struct pgs_memory memory, enum pgs_kind kind, const void *at)
{
    char text[40];
    int64_t whole = 0;
    int16_t int2;
    int32_t int4;
    float real;
    double number;
    int len;

    switch (kind) {
    case PGS_INT2:
        memcpy(&int2, at, sizeof(int2));
        whole = int2;
        break;
    case PGS_INT4:
        memcpy(&int4, at, sizeof(int4));
        whole = int4;
        break;
    case PGS_FLOAT4:
        memcpy(&real, at, sizeof(real));
        len = snprintf(text, sizeof(text), "%.9g", (double)real);
        return text_of(memory, text, (size_t)len);
    case PGS_FLOAT8:
        memcpy(&number, at, sizeof(number));
        len = snprintf(text, sizeof(text), "%.17g", number);
        return text_of(memory, text, (size_t)len);
    default:
        memcpy(&whole, at, sizeof(whole));
        break;
    }
    len = snprintf(text, sizeof(text), "%" PRId64, whole);
    return text_of(memory, text, (size_t)len);
}

struct pgs_text
pgs__field_text(struct pgs_memory memory, const struct pgs_shape *shape, size_t index,
                const void *row)
{
    const struct pgs_field *field = &shape->fields[index];
    const char *at = (const char *)row + field->offset;
    struct pgs_uuid uuid;
    struct pgs_text text;
    bool truth;

    if (((const unsigned char *)row)[index] != PGS_SET)
        return (struct pgs_text){NULL, 0};
    if (!field->column->type.array) {
        switch (field->column->type.kind) {
        case PGS_BOOL:
            memcpy(&truth, at, sizeof(truth));
            return truth ? (struct pgs_text){"t", 1} : (struct pgs_text){"f", 1};
        case PGS_INT2:
        case PGS_INT4:
        case PGS_INT8:
        case PGS_FLOAT4:
        case PGS_FLOAT8:
            return number_text(memory, field->column->type.kind, at);
        case PGS_UUID:
            memcpy(&uuid, at, sizeof(uuid));
            return uuid_text(memory, &uuid);
        default:
            break;
        }
    }
    memcpy(&text, at, sizeof(text));
    return text;
}

void
pgs__sql_field(struct pgs_sql *sql, const struct pgs_shape *shape, size_t index, const void *row)
{
    pgs__sql_param(sql, pgs__field_text(sql->memory, shape, index, row),
                   shape->fields[index].column->type.sql);
}

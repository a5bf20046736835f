/* SPDX-License-Identifier: MIT */
#include "codec/value.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "codec/array.h"
#include "codec/json.h"

#define MAX_SHOWN 64 /* bytes of a value in a message */

bool
pgs__value_fault(struct pgs_read_error *error, const char *code, const char *format, ...)
{
    va_list args;

    memset(error, 0, sizeof(*error));
    error->code = code;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return false;
}

const char *
pgs__kind_name(enum pgs_kind kind)
{
    switch (kind) {
    case PGS_BOOL:
        return "true or false";
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return "an integer";
    case PGS_FLOAT4:
    case PGS_FLOAT8:
    case PGS_NUMERIC:
        return "a number";
    case PGS_MONEY:
        return "an amount of money";
    case PGS_UUID:
        return "a UUID";
    case PGS_BYTEA:
        return "bytes in hexadecimal (\\x...)";
    case PGS_DATE:
        return "a date as YYYY-MM-DD";
    case PGS_TIME:
        return "a time as HH:MM:SS";
    case PGS_TIMETZ:
        return "a time as HH:MM:SSZ";
    case PGS_TIMESTAMP:
        return "a timestamp as YYYY-MM-DDTHH:MM:SS";
    case PGS_TIMESTAMPTZ:
        return "a timestamp as YYYY-MM-DDTHH:MM:SSZ";
    case PGS_COMPOSITE:
        return "an object";
    case PGS_JSON:
    case PGS_JSONB:
        return "JSON";
    default:
        return "a string";
    }
}

static bool
unexpected(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    size_t shown = pgs_utf8_cut(text.at, text.len, MAX_SHOWN);

    return pgs__value_fault(error, "22P02", "expected %s, got \"%.*s\"%s",
                            pgs__kind_name(type->kind), (int)shown, text.at,
                            shown < text.len ? "..." : "");
}

static bool
out_of_range(const char *code, const char *type, struct pgs_text text, struct pgs_read_error *error)
{
    size_t shown = pgs_utf8_cut(text.at, text.len, MAX_SHOWN);

    return pgs__value_fault(error, code, "value \"%.*s\"%s is out of range for type %s", (int)shown,
                            text.at, shown < text.len ? "..." : "", type);
}

/* PostgreSQL overlooks blanks around all but texts. */
static struct pgs_text
trim(struct pgs_text text)
{
    while (text.len > 0 && (*text.at == ' ' || (*text.at >= '\t' && *text.at <= '\r'))) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == ' ' ||
                            (text.at[text.len - 1] >= '\t' && text.at[text.len - 1] <= '\r')))
        text.len--;
    return text;
}

static bool
is_word(struct pgs_text text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static bool
read_bool(const struct pgs_type *type, struct pgs_text text, void *member,
          struct pgs_read_error *error)
{
    static const char *const words[] = {"true",  "t", "yes", "y", "on",  "1",
                                        "false", "f", "no",  "n", "off", "0"};

    for (size_t i = 0; i < PGS_COUNT(words); i++) {
        bool truth = i < PGS_COUNT(words) / 2;

        if (!is_word(trim(text), words[i]))
            continue;
        memcpy(member, &truth, sizeof(truth));
        return true;
    }
    return unexpected(type, text, error);
}

/* Digits with a sign; `*whole` is only right where it is in range. */
static bool
read_digits(struct pgs_text text, int64_t *whole, bool *overflow)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    uint64_t n = 0, most = (uint64_t)INT64_MAX + negative;
    size_t i = text.len > 0 && (negative || text.at[0] == '+');

    *overflow = false;
    if (i == text.len)
        return false;
    for (; i < text.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text.at[i] - '0';

        if (digit > 9)
            return false;
        *overflow = *overflow || n > (most - digit) / 10;
        n = n * 10 + digit;
    }
    *whole = (int64_t)(negative ? 0 - n : n);
    return true;
}

static bool
read_whole(const struct pgs_type *type, struct pgs_text text, void *member,
           struct pgs_read_error *error)
{
    int64_t whole;
    int32_t int4;
    int16_t int2;
    bool overflow;

    if (!read_digits(trim(text), &whole, &overflow))
        return unexpected(type, text, error);
    switch (type->kind) {
    case PGS_INT2:
        int2 = (int16_t)whole;
        memcpy(member, &int2, sizeof(int2));
        return (!overflow && int2 == whole) || out_of_range("22003", "smallint", text, error);
    case PGS_INT4:
        int4 = (int32_t)whole;
        memcpy(member, &int4, sizeof(int4));
        return (!overflow && int4 == whole) || out_of_range("22003", "integer", text, error);
    default:
        memcpy(member, &whole, sizeof(whole));
        return !overflow || out_of_range("22003", "bigint", text, error);
    }
}

static size_t
skip_digits(struct pgs_text text, size_t i)
{
    while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
        i++;
    return i;
}

static bool
is_special(struct pgs_text text)
{
    if (is_word(text, "nan"))
        return true;
    if (text.len > 0 && (*text.at == '-' || *text.at == '+'))
        text = (struct pgs_text){text.at + 1, text.len - 1};
    return is_word(text, "infinity") || is_word(text, "inf");
}

/* `-1`, `1.5`, `.5`, `1.`, `1e-3`: what PostgreSQL takes, and strtod() too; no hexadecimal. */
static bool
is_number(struct pgs_text text)
{
    size_t i = text.len > 0 && (*text.at == '-' || *text.at == '+');
    size_t whole = skip_digits(text, i), digits = whole - i;

    i = whole;
    if (i < text.len && text.at[i] == '.') {
        size_t fraction = skip_digits(text, i + 1);

        digits += fraction - (i + 1);
        i = fraction;
    }
    if (digits == 0)
        return false;
    if (i < text.len && (text.at[i] | 0x20) == 'e') {
        i++;
        i += i < text.len && (text.at[i] == '-' || text.at[i] == '+');
        whole = skip_digits(text, i);
        if (whole == i)
            return false;
        i = whole;
    }
    return i == text.len;
}

static bool
read_real(const struct pgs_type *type, struct pgs_text text, struct pgs_memory memory, void *member,
          struct pgs_read_error *error)
{
    struct pgs_text trimmed = trim(text);
    bool special = is_special(trimmed);
    char *copy;
    double real;
    float real4;

    if (!special && !is_number(trimmed))
        return unexpected(type, text, error);
    copy = memory.alloc(memory.pool, trimmed.len + 1);
    memcpy(copy, trimmed.at, trimmed.len);
    copy[trimmed.len] = '\0';
    errno = 0;
    if (type->kind == PGS_FLOAT4) {
        real4 = strtof(copy, NULL);
        real = (double)real4;
        memcpy(member, &real4, sizeof(real4));
    } else {
        real = strtod(copy, NULL);
        memcpy(member, &real, sizeof(real));
    }
    /* A subnormal number is one; what becomes zero or infinite is not what was written. */
    if (!special && errno == ERANGE && (real == 0 || isinf(real)))
        return out_of_range("22003", type->kind == PGS_FLOAT4 ? "real" : "double precision", text,
                            error);
    return true;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* With PostgreSQL's liberties: braces around it, hyphens after any two bytes or none. */
static bool
read_uuid(const struct pgs_type *type, struct pgs_text text, void *member,
          struct pgs_read_error *error)
{
    struct pgs_uuid uuid;
    bool braces = text.len > 0 && text.at[0] == '{';
    size_t i = braces;

    for (size_t n = 0; n < sizeof(uuid.bytes); n++) {
        int high = i + 1 < text.len ? hex_digit(text.at[i]) : -1;
        int low = i + 1 < text.len ? hex_digit(text.at[i + 1]) : -1;

        if (high < 0 || low < 0)
            return unexpected(type, text, error);
        uuid.bytes[n] = (uint8_t)(high << 4 | low);
        i += 2;
        if (n % 2 == 1 && n < 15 && i < text.len && text.at[i] == '-')
            i++;
    }
    if (braces && (i == text.len || text.at[i++] != '}'))
        return unexpected(type, text, error);
    if (i < text.len)
        return unexpected(type, text, error);
    memcpy(member, &uuid, sizeof(uuid));
    return true;
}

static bool
check_bytea(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    if (text.len < 2 || text.len % 2 != 0 || memcmp(text.at, "\\x", 2) != 0)
        return unexpected(type, text, error);
    for (size_t i = 2; i < text.len; i++)
        if (hex_digit(text.at[i]) < 0)
            return unexpected(type, text, error);
    return true;
}

static bool
check_datetime(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    struct pgs_text trimmed = trim(text);

    switch (pgs__datetime_check(type->kind, trimmed.at, trimmed.len)) {
    case PGS_DATETIME_GOOD:
        return true;
    case PGS_DATETIME_RANGE:
        return out_of_range("22008", type->sql, text, error);
    case PGS_DATETIME_ZONE:
        return out_of_range("22009", "a time zone", text, error);
    default:
        unexpected(type, text, error);
        error->code = "22007";
        return false;
    }
}

static bool
check_label(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    char known[256] = "";
    size_t len = 0;

    for (const char *const *label = type->labels; *label != NULL; label++) {
        if (strlen(*label) == text.len && memcmp(*label, text.at, text.len) == 0)
            return true;
        if (len < sizeof(known))
            len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len == 0 ? "" : ", ",
                                    *label);
    }
    if (len >= sizeof(known)) /* cut, not inside a character */
        known[pgs_utf8_check(known, strlen(known))] = '\0';
    return pgs__value_fault(error, "22P02", "expected one of %s, got \"%.*s\"", known,
                            (int)pgs_utf8_cut(text.at, text.len, MAX_SHOWN), text.at);
}

static bool
check_length(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    size_t max = (size_t)type->max_chars, chars;

    if (type->max_chars <= 0 || text.len <= max)
        return true;
    chars = pgs_utf8_count(text.at, text.len);
    if (chars <= max)
        return true;
    return pgs__value_fault(error, "22001", "value too long: %zu characters, at most %zu", chars,
                            max);
}

static bool
take_any(void *owner, const struct pgs__json_event *event)
{
    (void)owner;
    (void)event;
    return true;
}

static bool
check_json(struct pgs_text text, struct pgs_read_error *error)
{
    struct pgs__json_fault fault;

    if (pgs__json_parse(text.at, text.len, take_any, NULL, &fault))
        return true;
    return pgs__value_fault(error, "22P02", "expected JSON: %s", fault.place);
}

/* The kinds whose member is the text itself. */
static bool
check_text(const struct pgs_type *type, struct pgs_text text, struct pgs_read_error *error)
{
    switch (type->kind) {
    case PGS_NUMERIC:
        return is_special(trim(text)) || is_number(trim(text)) || unexpected(type, text, error);
    case PGS_BYTEA:
        return check_bytea(type, text, error);
    case PGS_DATE:
    case PGS_TIME:
    case PGS_TIMETZ:
    case PGS_TIMESTAMP:
    case PGS_TIMESTAMPTZ:
        return check_datetime(type, text, error);
    case PGS_ENUM:
        return check_label(type, text, error);
    case PGS_VARCHAR:
    case PGS_BPCHAR:
        return check_length(type, text, error);
    case PGS_JSON:
    case PGS_JSONB:
        return check_json(text, error);
    default:
        return true;
    }
}

bool
pgs__value_read(const struct pgs_type *type, struct pgs_text text, struct pgs_memory memory,
                void *member, struct pgs_read_error *error)
{
    switch (type->kind) {
    case PGS_BOOL:
        return read_bool(type, text, member, error);
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return read_whole(type, text, member, error);
    case PGS_FLOAT4:
    case PGS_FLOAT8:
        return read_real(type, text, memory, member, error);
    case PGS_UUID:
        return read_uuid(type, text, member, error);
    default:
        memcpy(member, &text, sizeof(text));
        return check_text(type, text, error);
    }
}

static bool
check_item(const struct pgs_type *type, const struct pgs__array *array, struct pgs_memory memory,
           struct pgs_read_error *error)
{
    struct pgs_text item = array->item;
    union pgs__member scratch;
    char *copy;

    if (array->has_escapes) {
        copy = memory.alloc(memory.pool, item.len);
        item = (struct pgs_text){copy, pgs__array_unescape(item, copy)};
    }
    return pgs__value_read(type, item, memory, &scratch, error);
}

bool
pgs__array_check(const struct pgs_type *type, struct pgs_text text, struct pgs_memory memory,
                 struct pgs_read_error *error)
{
    struct pgs__array array;

    pgs__array_init(&array, text.at, text.len);
    for (;;) {
        switch (pgs__array_next(&array)) {
        case PGS_ARRAY_END:
            return true;
        case PGS_ARRAY_BAD:
            return pgs__value_fault(error, "22P02", "expected an array, got \"%.*s\"",
                                    (int)pgs_utf8_cut(text.at, text.len, MAX_SHOWN), text.at);
        case PGS_ARRAY_ITEM:
            if (!check_item(type, &array, memory, error))
                return false;
            break;
        default:
            break;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * The hot path: every byte of every answer passes here.  Each value reserves its room once, and
 * texts are copied in runs between the few bytes that need an escape.
 */
#include "codec/json_write.h"

#include <string.h>

#include "codec/array.h"
#include "codec/record.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* What follows the backslash; 'u': \u00XX; 0: the byte stands for itself. */
static const char escapes[256] = {
    [0] = 'u',  [1] = 'u',  [2] = 'u',  [3] = 'u',  [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  [8] = 'b',  [9] = 't',  [10] = 'n', [11] = 'u',  [12] = 'f',    [13] = 'r',
    [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u', ['"'] = '"', ['\\'] = '\\',
};

/* A high bit in each byte of the word that is below 0x20, a quote or a backslash; bytes above the
 * first that is marked may be marked by mistake, so that only zero and non-zero are told apart. */
static uint64_t
marks(uint64_t word)
{
    uint64_t quote = word ^ (ONES * '"'), backslash = word ^ (ONES * '\\');

    return ((word - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & ~word & HIGH_BITS;
}

/* Bytes from `at` that stand for themselves. */
static size_t
plain_run(const char *at, const char *end)
{
    const char *start = at;
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        if (marks(word) != 0)
            break;
    }
    while (at < end && escapes[(unsigned char)*at] == 0)
        at++;
    return (size_t)(at - start);
}

static char *
write_escape(char *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    *to++ = '\\';
    *to++ = escapes[c];
    if (escapes[c] == 'u') {
        *to++ = '0';
        *to++ = '0';
        *to++ = hex[c >> 4];
        *to++ = hex[c & 15];
    }
    return to;
}

/* From the first escape on; it may take six bytes for one, so each run asks for room. */
static void
add_escaped(struct pgs_buf *buf, const char *at, const char *end)
{
    while (at < end) {
        size_t run = plain_run(at, end);
        char *to = pgs_buf_reserve(buf, run + 7);

        if (to == NULL)
            return;
        memcpy(to, at, run);
        to += run;
        at += run;
        if (at < end)
            to = write_escape(to, (unsigned char)*at++);
        buf->len = (size_t)(to - buf->at);
    }
    pgs_buf_add_char(buf, '"');
}

void
pgs_json_string(struct pgs_buf *buf, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    size_t run = plain_run(bytes, end);
    char *to = pgs_buf_reserve(buf, len + 2);

    if (to == NULL)
        return;
    *to = '"';
    if (run > 0)
        memcpy(to + 1, bytes, run);
    buf->len += run + 1;
    if (run == len) {
        to[run + 1] = '"';
        buf->len++;
    } else {
        add_escaped(buf, bytes + run, end);
    }
}

/* A text that needs no escape, in quotes. */
static void
add_quoted(struct pgs_buf *buf, const char *text, size_t len)
{
    char *to = pgs_buf_reserve(buf, len + 2);

    if (to == NULL)
        return;
    *to = '"';
    memcpy(to + 1, text, len);
    to[len + 1] = '"';
    buf->len += len + 2;
}

/* NaN and the infinities are the only numbers that end in a letter. */
static void
add_number(struct pgs_buf *buf, const char *text, size_t len)
{
    if (len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9')
        pgs_buf_add(buf, text, len);
    else
        pgs_json_string(buf, text, len);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The zone of `10:00:00+00`, where PostgreSQL leaves out the minutes that JSON has; NULL: it does
 * not. */
static const char *
short_zone(const char *time, const char *end)
{
    const char *at = end - 3;

    if (at <= time || (*at != '+' && *at != '-') || !is_digit(at[1]) || !is_digit(at[2]))
        return NULL;
    return at;
}

/*
 * `2024-01-02 03:04:05.6+00` to `2024-01-02T03:04:05.6+00:00`.  " BC" stays behind, as in
 * PostgreSQL's to_json(); infinity has neither blank nor zone and passes.
 */
static void
add_timestamp(struct pgs_buf *buf, const char *text, size_t len, bool zone)
{
    const char *end = text + len, *blank = memchr(text, ' ', len);
    char *to = pgs_buf_reserve(buf, len + 5);
    size_t body = len;

    if (to == NULL)
        return;
    if (len > 3 && memcmp(end - 3, " BC", 3) == 0)
        body -= 3;
    *to++ = '"';
    memcpy(to, text, body);
    if (blank != NULL && blank < text + body)
        to[blank - text] = 'T';
    to += body;
    if (zone && blank != NULL && short_zone(blank, text + body) != NULL) {
        memcpy(to, ":00", 3);
        to += 3;
    }
    memcpy(to, text + body, len - body);
    to += len - body;
    *to++ = '"';
    buf->len = (size_t)(to - buf->at);
}

/* False: the text is no literal of the composite. */
static bool
add_fields(struct pgs_buf *buf, const struct pgs_type *type, struct pgs__record *record,
           struct pgs_buf *item)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct pgs_column *field = &type->fields[i];
        enum pgs__record_token token = pgs__record_next(record, item);

        if (token != PGS_RECORD_ITEM && token != PGS_RECORD_NULL)
            return false;
        pgs_buf_add_char(buf, i == 0 ? '{' : ',');
        pgs_json_string(buf, field->name, strlen(field->name));
        pgs_buf_add_char(buf, ':');
        pgs_json_value(buf, &field->type,
                       token == PGS_RECORD_NULL ? NULL
                       : item->len == 0         ? ""
                                                : item->at,
                       item->len);
    }
    pgs_buf_add_char(buf, '}');
    return pgs__record_next(record, item) == PGS_RECORD_END;
}

static void
add_record(struct pgs_buf *buf, const struct pgs_type *type, const char *text, size_t len)
{
    size_t start = buf->len;
    struct pgs_buf item;
    struct pgs__record record;

    pgs_buf_init(&item, 0);
    pgs__record_init(&record, text, len);
    if (!add_fields(buf, type, &record, &item)) {
        buf->failed = buf->failed || item.failed;
        buf->len = start;
        pgs_json_string(buf, text, len);
    }
    pgs_buf_clear(&item);
}

static void
add_scalar(struct pgs_buf *buf, const struct pgs_type *type, const char *text, size_t len)
{
    switch (type->kind) {
    case PGS_BOOL:
        if (len > 0 && text[0] == 't')
            pgs_buf_add(buf, "true", 4);
        else
            pgs_buf_add(buf, "false", 5);
        break;
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
    case PGS_JSON:
    case PGS_JSONB:
        pgs_buf_add(buf, text, len);
        break;
    case PGS_FLOAT4:
    case PGS_FLOAT8:
    case PGS_NUMERIC:
        add_number(buf, text, len);
        break;
    case PGS_UUID:
    case PGS_DATE:
    case PGS_TIME:
        add_quoted(buf, text, len);
        break;
    case PGS_TIMESTAMP:
    case PGS_TIMESTAMPTZ:
        add_timestamp(buf, text, len, type->kind == PGS_TIMESTAMPTZ);
        break;
    case PGS_COMPOSITE:
        add_record(buf, type, text, len);
        break;
    case PGS_VOID:
        pgs_buf_add(buf, "null", 4);
        break;
    default:
        pgs_json_string(buf, text, len);
        break;
    }
}

static void
add_item(struct pgs_buf *buf, const struct pgs_type *type, const struct pgs__array *array,
         struct pgs_buf *unescaped)
{
    struct pgs_text item = array->item;

    if (array->has_escapes) {
        char *to;

        unescaped->len = 0;
        to = pgs_buf_reserve(unescaped, item.len);
        if (to == NULL) {
            buf->failed = true;
            return;
        }
        item = (struct pgs_text){to, pgs__array_unescape(item, to)};
    }
    add_scalar(buf, type, item.at, item.len);
}

/* False: the text is no array literal. */
static bool
add_items(struct pgs_buf *buf, const struct pgs_type *type, struct pgs__array *array,
          struct pgs_buf *unescaped)
{
    for (bool first = true;; first = false) {
        enum pgs__array_token token = pgs__array_next(array);

        if (token == PGS_ARRAY_END || token == PGS_ARRAY_BAD)
            return token == PGS_ARRAY_END;
        if (token == PGS_ARRAY_CLOSE) {
            pgs_buf_add_char(buf, ']');
            continue;
        }
        if (!first && buf->len > 0 && buf->at[buf->len - 1] != '[')
            pgs_buf_add_char(buf, ',');
        if (token == PGS_ARRAY_OPEN)
            pgs_buf_add_char(buf, '[');
        else if (token == PGS_ARRAY_NULL)
            pgs_buf_add(buf, "null", 4);
        else
            add_item(buf, type, array, unescaped);
    }
}

static void
add_array(struct pgs_buf *buf, const struct pgs_type *type, const char *text, size_t len)
{
    size_t start = buf->len;
    struct pgs_buf unescaped;
    struct pgs__array array;

    pgs_buf_init(&unescaped, 0);
    pgs__array_init(&array, text, len);
    if (!add_items(buf, type, &array, &unescaped)) {
        buf->len = start; /* rather a string than something that is no JSON */
        pgs_json_string(buf, text, len);
    }
    pgs_buf_clear(&unescaped);
}

void
pgs_json_value(struct pgs_buf *buf, const struct pgs_type *type, const char *text, size_t len)
{
    if (text == NULL)
        pgs_buf_add(buf, "null", 4);
    else if (type->array)
        add_array(buf, type, text, len);
    else
        add_scalar(buf, type, text, len);
}

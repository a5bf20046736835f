/* SPDX-License-Identifier: MIT */
/*
 * Each value is a byte for null or not, then bytes that end themselves: of a fixed length, or with
 * a zero, which no text has.  What is descending has its bytes turned over.
 */
#include "live/sort.h"

#include <stdlib.h>
#include <string.h>

enum {
    NULL_FIRST,
    VALUE,
    NULL_LAST,
};

static void
add_int(struct pgs_buf *out, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        pgs_buf_add_char(out, (char)(value >> shift & 0xff));
}

static bool
write_int(struct pgs_text text, struct pgs_buf *out)
{
    char digits[24], *end;
    long long value;

    if (text.len == 0 || text.len >= sizeof(digits))
        return false;
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    value = strtoll(digits, &end, 10);
    add_int(out, (uint64_t)value ^ (uint64_t)1 << 63, 8);
    return *end == '\0';
}

static void
write_bytes(struct pgs_text text, struct pgs_buf *out)
{
    pgs_buf_add(out, text.at, text.len);
    pgs_buf_add_char(out, '\0');
}

static bool
ends_with(struct pgs_text text, const char *end)
{
    size_t len = strlen(end);

    return text.len >= len && memcmp(text.at + text.len - len, end, len) == 0;
}

/* "2026-11-21 19:56:29.5+00", "0044-03-15 BC": the year as a number, the rest as it stands. */
static bool
write_time(struct pgs_text text, struct pgs_buf *out)
{
    int64_t year = 0;
    size_t i = 0;

    if (ends_with(text, "infinity")) {
        add_int(out, text.at[0] == '-' ? 0 : UINT32_MAX, 4);
        return true;
    }
    for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9' && i < 8; i++)
        year = year * 10 + (text.at[i] - '0');
    if (i == 0 || i == text.len || text.at[i] != '-')
        return false;
    if (ends_with(text, " BC")) {
        year = -year;
        text.len -= 3;
    }
    if (ends_with(text, "+00"))
        text.len -= 3;
    add_int(out, (uint64_t)(year + INT32_MAX), 4);
    write_bytes((struct pgs_text){text.at + i, text.len - i}, out);
    return true;
}

static bool
write_label(const struct pgs_type *type, struct pgs_text text, struct pgs_buf *out)
{
    for (size_t i = 0; type->labels[i] != NULL; i++)
        if (strlen(type->labels[i]) == text.len &&
            memcmp(type->labels[i], text.at, text.len) == 0) {
            add_int(out, i, 2);
            return true;
        }
    return false;
}

static bool
write_value(const struct pgs_type *type, struct pgs_text text, struct pgs_buf *out)
{
    switch (type->kind) {
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
        return write_int(text, out);
    case PGS_DATE:
    case PGS_TIMESTAMP:
    case PGS_TIMESTAMPTZ:
        return write_time(text, out);
    case PGS_ENUM:
        return write_label(type, text, out);
    case PGS_UUID:
    case PGS_BOOL:
    case PGS_TEXT:
    case PGS_VARCHAR:
        write_bytes(text, out);
        return true;
    default:
        return false;
    }
}

bool
pgs__sort_write(const struct pgs_match_order *order, const struct pgs_text *texts, size_t n,
                struct pgs_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t from;

        if (texts[i].at == NULL) {
            pgs_buf_add_char(out, order[i].nulls_first ? NULL_FIRST : NULL_LAST);
            continue;
        }
        pgs_buf_add_char(out, VALUE);
        from = out->len;
        if (order[i].type->type.array || !write_value(&order[i].type->type, texts[i], out))
            return false;
        for (; order[i].descending && from < out->len; from++)
            out->at[from] = (char)~out->at[from];
    }
    return !out->failed;
}

int
pgs__sort_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    if (order != 0)
        return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

/* SPDX-License-Identifier: MIT */
/*
 * Each value is a byte for null or not, then bytes that end themselves: of a fixed length, or with
 * a zero, which no text has.  What is descending has its bytes turned over.
 */
#include "live/sort.h"

#include "codec/order.h"

enum {
    NULL_FIRST,
    VALUE,
    NULL_LAST,
};

/* What stood before stands behind. */
static void
turn(struct pgs_buf *out, size_t from)
{
    for (; from < out->len; from++)
        out->at[from] = (char)~out->at[from];
}

static bool
write_value(const struct pgs_type *type, struct pgs_text text, struct pgs_buf *out)
{
    struct pgs__order order;
    size_t from;

    if (!pgs__order_read(type, text, &order))
        return false;
    for (int shift = 8 * (order.head_bytes - 1); shift >= 0; shift -= 8)
        pgs_buf_add_char(out, (char)(order.head >> shift & 0xff));
    from = out->len;
    pgs_buf_add(out, order.tail.at, order.tail.len);
    if (order.is_turned)
        turn(out, from);
    if (order.is_open)
        pgs_buf_add_char(out, '\0');
    return true;
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
        if (!write_value(&order[i].type->type, texts[i], out))
            return false;
        if (order[i].descending)
            turn(out, from);
    }
    return !out->failed;
}

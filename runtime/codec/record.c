/* SPDX-License-Identifier: MIT */
#include "codec/record.h"

#include "codec/array.h"

void
pgs__record_init(struct pgs__record *record, const char *text, size_t len)
{
    *record = (struct pgs__record){.at = text, .end = text + len};
}

/* A quote in quotes is doubled, and a backslash takes what follows as it is. */
static enum pgs__record_token
read_item(struct pgs__record *record, struct pgs_buf *item)
{
    const char *at = record->at, *end = record->end;
    bool quoted = false;

    item->len = 0;
    for (; at < end && (quoted || (*at != ',' && *at != ')')); at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
        } else if (*at == '"' && !(quoted && at + 1 < end && at[1] == '"')) {
            quoted = !quoted;
            continue;
        } else if (*at == '"') {
            at++;
        }
        pgs_buf_add_char(item, *at);
    }
    if (at == end || item->failed)
        return PGS_RECORD_BAD;
    record->at = at;
    return PGS_RECORD_ITEM;
}

enum pgs__record_token
pgs__record_next(struct pgs__record *record, struct pgs_buf *item)
{
    if (record->at == record->end)
        return PGS_RECORD_BAD;
    if (record->begun && *record->at == ')')
        return record->at + 1 == record->end ? PGS_RECORD_END : PGS_RECORD_BAD;
    if (*record->at != (record->begun ? ',' : '('))
        return PGS_RECORD_BAD;
    record->begun = true;
    record->at++;
    if (record->at < record->end && (*record->at == ',' || *record->at == ')'))
        return PGS_RECORD_NULL;
    return read_item(record, item);
}

/* In quotes, whatever it is: a quoted number is a number, and "" is no null. */
void
pgs__record_write(struct pgs_buf *buf, const struct pgs_text *items, size_t n)
{
    pgs_buf_add_char(buf, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            pgs_buf_add_char(buf, ',');
        if (items[i].at != NULL)
            pgs__item_write(buf, items[i].at, items[i].len);
    }
    pgs_buf_add_char(buf, ')');
}

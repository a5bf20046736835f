/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a message of a live connection's client, as one of logical replication, as one of
 * pg_reactive, and as an array of the outbox: what is read lies within what was given.
 */
#include "codec/pgoutput.h"
#include "codec/text_array.h"
#include "fuzz_heap.h"
#include "live/message.h"
#include "live/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_message(const char *json, size_t len)
{
    struct pgs__message message;
    const char *why = NULL;

    if (!pgs__message_read("subscribe", json, len, heap, &message, &why)) {
        require(why != NULL);
        return;
    }
    require(message.type.at != NULL);
    if (message.params.at != NULL)
        require(message.params.at >= json && message.params.len >= 2 &&
                message.params.at + message.params.len <= json + len);
}

/* Whatever follows the head. */
static void
try_notice(const char *message, size_t len)
{
    struct pgs__notice notice;

    if (pgs__notice_read((struct pgs_text){message, len}, &notice))
        require(pgs__notice_is_id((struct pgs_text){notice.id, strlen(notice.id)}) &&
                notice.generation >= 0 && !(notice.is_last && notice.is_renewal));
}

static void
try_row(struct pgs_pgoutput_part row, const char *end)
{
    struct pgs_pgoutput_value value;
    uint32_t n = 0, expected = row.n;

    for (; pgs_pgoutput_value(&row, &value); n++)
        require(value.kind != PGS_PGOUTPUT_TEXT || value.text + value.len <= end);
    require(n == expected);
}

static void
try_columns(struct pgs_pgoutput_part columns, const char *end)
{
    struct pgs_pgoutput_column column;
    uint32_t n = 0, expected = columns.n;

    for (; pgs_pgoutput_column(&columns, &column); n++)
        require(column.name + strlen(column.name) < end);
    require(n == expected);
}

static void
try_pgoutput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    struct pgs_pgoutput message;

    if (!pgs_pgoutput_read(data, size, &message))
        return;
    if (message.kind == PGS_PGOUTPUT_RELATION)
        require(message.schema + strlen(message.schema) < message.table &&
                message.table + strlen(message.table) < end);
    try_columns(message.columns, end);
    try_row(message.before, end);
    try_row(message.after, end);
    for (uint32_t i = 0; i < message.n_relations; i++)
        (void)pgs_pgoutput_relation(&message, i);
}

static void
try_text_array(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    struct pgs_text_array array;
    struct pgs_text text;
    uint64_t n = 0;

    if (!pgs_text_array_open(data, size, &array))
        return;
    require((uint64_t)array.n_rows * array.n_columns <= size / 4);
    for (; pgs_text_array_next(&array, &text); n++)
        require(text.at == NULL || text.at + text.len <= end);
    require(n <= size / 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_message((const char *)data, size);
    try_notice((const char *)data, size);
    try_pgoutput(data, size);
    try_text_array(data, size);
    heap_free_all();
    return 0;
}

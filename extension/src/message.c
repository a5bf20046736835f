/* SPDX-License-Identifier: MIT */
/* The messages, as JSON on one channel. */
#include "postgres.h"

#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "worker.h"

/* PostgreSQL refuses a payload of this size. */
#define PAYLOAD_LIMIT (BLCKSZ - NAMEDATALEN - 128)

static void
send(const StringInfo message)
{
    Async_Notify(pgr_notify_channel, message->data);
    pgr_count(pgr_database, PGR_COUNT_notifications);
}

static void
begin_message(StringInfo message, const struct pgr_subscription *subscription, int64 seq)
{
    initStringInfo(message);
    appendStringInfoString(message, "{\"query_id\":");
    escape_json(message, subscription->query_id);
    appendStringInfo(message, ",\"seq\":" INT64_FORMAT ",\"gen\":" INT64_FORMAT, seq,
                     subscription->generation);
}

/* False when it has become too long, which may be long before its end. */
static bool
put_row(StringInfo message, const char *body, bool first)
{
    if (message->len + strlen(body) + 3 >= PAYLOAD_LIMIT)
        return false;
    if (!first)
        appendStringInfoChar(message, ',');
    appendStringInfoString(message, body);
    return true;
}

static bool
put_rows(StringInfo message, const struct pgr_delta *delta)
{
    ListCell *cell;

    appendStringInfoString(message, ",\"inserted\":[");
    for (int i = 0; i < delta->inserted_count; i++)
        if (!put_row(message, TextDatumGetCString(delta->inserted_bodies[i]), i == 0))
            return false;
    appendStringInfoString(message, "],\"deleted\":[");
    foreach (cell, delta->deleted_bodies)
        if (!put_row(message, lfirst(cell), foreach_current_index(cell) == 0))
            return false;
    appendStringInfoString(message, "]}");
    return message->len < PAYLOAD_LIMIT;
}

void
pgr_send_delta(const struct pgr_subscription *subscription, int64 seq,
               const struct pgr_delta *delta)
{
    StringInfoData message;

    begin_message(&message, subscription, seq);
    if (!put_rows(&message, delta)) {
        begin_message(&message, subscription, seq);
        appendStringInfo(&message, ",\"overflow\":true,\"inserted_count\":%d,\"deleted_count\":%d}",
                         delta->inserted_count, delta->deleted_count);
        pgr_count(pgr_database, PGR_COUNT_overflows);
    }
    send(&message);
}

void
pgr_send_invalidated(const struct pgr_subscription *subscription, int64 seq, const char *reason)
{
    StringInfoData message;

    begin_message(&message, subscription, seq);
    appendStringInfoString(&message, ",\"invalidated\":true");
    if (reason != NULL)
        appendStringInfo(&message, ",\"reason\":\"%s\"", reason);
    appendStringInfoChar(&message, '}');
    send(&message);
}

void
pgr_send_resubscribed(const struct pgr_subscription *subscription)
{
    StringInfoData message;

    initStringInfo(&message);
    appendStringInfoString(&message, "{\"type\":\"resubscribed\",\"query_id\":");
    escape_json(&message, subscription->query_id);
    appendStringInfo(&message, ",\"gen\":" INT64_FORMAT "}", subscription->generation);
    send(&message);
}

/* SPDX-License-Identifier: MIT */
#include "live/message.h"

#include <string.h>

#include "base/text.h"
#include "codec/json.h"

struct reading {
    struct pgs_memory memory;
    struct pgs__message *message;
    struct pgs_text *member; /* that the next value is for; NULL: none that we know */
    bool is_params;          /* the next value, or the one that we are in */
    const char *why;
};

static bool
stop(struct reading *reading, const char *why)
{
    reading->why = why;
    return false;
}

static bool
choose_member(struct reading *reading, struct pgs_text key)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
        {"type", offsetof(struct pgs__message, type)},
        {"id", offsetof(struct pgs__message, id)},
        {"query", offsetof(struct pgs__message, query)},
        {"token", offsetof(struct pgs__message, token)},
        {"params", offsetof(struct pgs__message, params)},
    };

    reading->member = NULL;
    for (size_t i = 0; i < PGS_COUNT(members); i++)
        if (pgs_text_is(key, members[i].name))
            reading->member =
                (struct pgs_text *)(void *)((char *)reading->message + members[i].offset);
    reading->is_params = reading->member == &reading->message->params;
    if (reading->member != NULL && reading->member->at != NULL)
        return stop(reading, "A member is given twice");
    return true;
}

static bool
take_text(struct reading *reading, struct pgs_text text)
{
    char *copy = reading->memory.alloc(reading->memory.pool, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *reading->member = (struct pgs_text){copy, text.len};
    reading->member = NULL;
    return true;
}

/* `params` is kept as it was written: which values it must have, its query says. */
static bool
on_params(struct reading *reading, const struct pgs__json_event *event)
{
    struct pgs_text *params = &reading->message->params;

    if (event->token == PGS_JSON_OPEN_OBJECT && event->depth == 1) {
        params->at = event->raw.at;
        return true;
    }
    if (params->at == NULL && event->token == PGS_JSON_NULL) {
        reading->is_params = false;
        return true;
    }
    if (params->at == NULL)
        return stop(reading, "\"params\" must be an object");
    if (event->token != PGS_JSON_CLOSE_OBJECT || event->depth != 1)
        return true;
    params->len = (size_t)(event->raw.at + event->raw.len - params->at);
    reading->is_params = false;
    return true;
}

static bool
on_event(void *owner, const struct pgs__json_event *event)
{
    struct reading *reading = owner;

    if (event->depth == 0)
        return event->token == PGS_JSON_OPEN_OBJECT || event->token == PGS_JSON_CLOSE_OBJECT ||
               stop(reading, "A message must be a JSON object");
    if (event->depth == 1 && event->token == PGS_JSON_KEY)
        return choose_member(reading, event->text);
    if (reading->is_params)
        return on_params(reading, event);
    if (event->depth != 1 || reading->member == NULL)
        return true;
    if (event->token != PGS_JSON_STRING)
        return stop(reading, "\"type\", \"id\", \"query\" and \"token\" must be strings");
    return take_text(reading, event->text);
}

bool
pgs__message_read(const char *type, const char *json, size_t len, struct pgs_memory memory,
                  struct pgs__message *message, const char **why)
{
    struct reading reading = {.memory = memory, .message = message};
    struct pgs__json_fault fault;

    memset(message, 0, sizeof(*message));
    if (pgs__json_parse(json, len, on_event, &reading, &fault)) {
        *why = "\"type\" is missing";
        if (message->type.at == NULL && type != NULL)
            message->type = pgs_text_of(type);
        return message->type.at != NULL;
    }
    *why = reading.why != NULL ? reading.why : "A message must be a JSON object";
    return false;
}

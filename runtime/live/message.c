/* SPDX-License-Identifier: MIT */
#include "live/message.h"

#include <string.h>

#include "base/text.h"
#include "codec/json.h"

struct reading {
    struct pgs_memory memory;
    struct pgs__message *message;
    struct pgs_text *member; /* that the next value is for; NULL: none that we know */
    bool is_object; /* the next value, or the one that we are in, is kept as it is written */
    struct pgs_text resume;
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

    reading->member = pgs_text_is(key, "resume") ? &reading->resume : NULL;
    for (size_t i = 0; i < PGS_COUNT(members); i++)
        if (pgs_text_is(key, members[i].name))
            reading->member =
                (struct pgs_text *)(void *)((char *)reading->message + members[i].offset);
    reading->is_object =
        reading->member == &reading->message->params || reading->member == &reading->resume;
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

/* Of `params`, which values it must have, its query says. */
static bool
on_object(struct reading *reading, const struct pgs__json_event *event)
{
    struct pgs_text *object = reading->member;

    if (event->token == PGS_JSON_OPEN_OBJECT && event->depth == 1) {
        object->at = event->raw.at;
        return true;
    }
    if (object->at == NULL && event->token == PGS_JSON_NULL) {
        reading->is_object = false;
        return true;
    }
    if (object->at == NULL)
        return stop(reading, "\"params\" and \"resume\" must be objects");
    if (event->token != PGS_JSON_CLOSE_OBJECT || event->depth != 1)
        return true;
    object->len = (size_t)(event->raw.at + event->raw.len - object->at);
    reading->is_object = false;
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
    if (reading->is_object)
        return on_object(reading, event);
    if (event->depth != 1 || reading->member == NULL)
        return true;
    if (event->token != PGS_JSON_STRING)
        return stop(reading, "\"type\", \"id\", \"query\" and \"token\" must be strings");
    return take_text(reading, event->text);
}

/* ---- where a client goes on ---- */

struct resuming {
    struct pgs__mark *mark;
    uint64_t *number; /* that the next value is for; NULL: none that we know */
    uint64_t seq;     /* UINT64_MAX: not given */
};

/* Whole numbers up to 2^53, as the server has sent them. */
static bool
read_number(struct pgs_text text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || i == 16)
            return false;
        *number = *number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return true;
}

static bool
on_resume_event(void *owner, const struct pgs__json_event *event)
{
    struct resuming *resuming = owner;

    if (event->depth != 1)
        return true;
    if (event->token == PGS_JSON_KEY) {
        resuming->number = pgs_text_is(event->text, "gen")   ? &resuming->mark->gen
                           : pgs_text_is(event->text, "seq") ? &resuming->seq
                                                             : NULL;
        return true;
    }
    return resuming->number == NULL ||
           (event->token == PGS_JSON_NUMBER && read_number(event->text, resuming->number));
}

/* False: it is not {"gen": number, "seq": number}, as frames have them. */
static bool
read_resume(struct pgs_text text, struct pgs__mark *mark)
{
    struct resuming resuming = {.mark = mark, .seq = UINT64_MAX};
    struct pgs__json_fault fault;

    if (!pgs__json_parse(text.at, text.len, on_resume_event, &resuming, &fault) || mark->gen == 0 ||
        resuming.seq == UINT64_MAX)
        return false;
    mark->by_seq = true;
    mark->seq = (int64_t)resuming.seq;
    return true;
}

/* ---- all of it ---- */

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
        if (message->type.at == NULL)
            return false;
        *why = "\"resume\" must have \"gen\" and \"seq\" of the last frame";
        return reading.resume.at == NULL || read_resume(reading.resume, &message->resume);
    }
    *why = reading.why != NULL ? reading.why : "A message must be a JSON object";
    return false;
}

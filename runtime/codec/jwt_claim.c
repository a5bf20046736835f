/* SPDX-License-Identifier: MIT */
/*
 * The claims of an application, found again in a payload that pgs_jwt_read has verified: no object
 * in it has a member twice, so that the first of a name is the only one.
 */
#include "codec/jwt.h"

#include <string.h>

#include "codec/array.h"
#include "codec/json.h"

/* Goes down a dotted path, one name a level. */
struct path_reader {
    const char *rest; /* of the path, from the name looked for now */
    size_t name_len;  /* of that name */
    int depth;        /* of the object it is looked for in */
    bool here;        /* the last key was the one */
    bool found;
    bool in_container; /* the value is one, open */
    const char *start;
    struct pgs_memory memory;
    struct pgs_text value;
};

static bool
stop_with(struct path_reader *reader, struct pgs_text value)
{
    char *copy = reader->memory.alloc(reader->memory.pool, value.len + 1);

    if (value.len > 0)
        memcpy(copy, value.at, value.len);
    copy[value.len] = '\0';
    reader->value = (struct pgs_text){copy, value.len};
    reader->found = true;
    return false;
}

/* The value of the last name of the path. */
static bool
take_value(struct path_reader *reader, const struct pgs__json_event *event)
{
    switch (event->token) {
    case PGS_JSON_NULL:
        return false;
    case PGS_JSON_STRING:
    case PGS_JSON_NUMBER:
        return stop_with(reader, event->text);
    case PGS_JSON_OPEN_OBJECT:
    case PGS_JSON_OPEN_ARRAY:
        reader->in_container = true;
        reader->start = event->raw.at;
        return true;
    default:
        return stop_with(reader, event->raw);
    }
}

static bool
on_path_event(void *owner, const struct pgs__json_event *event)
{
    struct path_reader *reader = owner;

    if (event->depth > reader->depth || event->depth == 0)
        return true;
    if (event->depth < reader->depth)
        return false; /* the object of the path has ended without it */
    if (event->token == PGS_JSON_KEY) {
        reader->here = event->text.len == reader->name_len &&
                       memcmp(event->text.at, reader->rest, reader->name_len) == 0;
        return true;
    }
    if (reader->in_container)
        return stop_with(
            reader, (struct pgs_text){reader->start, (size_t)(event->raw.at + 1 - reader->start)});
    if (!reader->here)
        return true;
    if (reader->rest[reader->name_len] == '\0')
        return take_value(reader, event);
    if (event->token != PGS_JSON_OPEN_OBJECT)
        return false;
    reader->rest += reader->name_len + 1;
    reader->name_len = strcspn(reader->rest, ".");
    reader->depth++;
    reader->here = false;
    return true;
}

bool
pgs_jwt_claim(const struct pgs_jwt *jwt, const char *path, struct pgs_memory memory,
              struct pgs_text *value)
{
    struct path_reader reader = {
        .rest = path, .name_len = strcspn(path, "."), .depth = 1, .memory = memory};
    struct pgs__json_fault fault;

    if (!pgs__json_parse(jwt->payload.at, jwt->payload.len, on_path_event, &reader, &fault) &&
        reader.found) {
        *value = reader.value;
        return true;
    }
    return false;
}

/* ---- claims that are arrays ---- */

struct array_reader {
    struct pgs_memory memory;
    bool raw; /* items are JSON themselves */
    struct pgs_text *items;
    size_t n;
    const char *start; /* of a container inside */
};

static bool
on_array_event(void *owner, const struct pgs__json_event *event)
{
    struct array_reader *reader = owner;
    struct pgs_text item =
        event->token == PGS_JSON_STRING && !reader->raw ? event->text : event->raw;
    char *copy;

    if (event->depth == 0)
        return event->token == PGS_JSON_OPEN_ARRAY || event->token == PGS_JSON_CLOSE_ARRAY;
    if (event->depth > 1 || event->token == PGS_JSON_KEY)
        return true;
    if (event->token == PGS_JSON_OPEN_OBJECT || event->token == PGS_JSON_OPEN_ARRAY) {
        reader->start = event->raw.at;
        return true;
    }
    if (event->token == PGS_JSON_CLOSE_OBJECT || event->token == PGS_JSON_CLOSE_ARRAY)
        item = (struct pgs_text){reader->start, (size_t)(event->raw.at + 1 - reader->start)};
    copy = reader->memory.alloc(reader->memory.pool, item.len + 1);
    memcpy(copy, item.at, item.len);
    if (event->token == PGS_JSON_NULL)
        copy = NULL;
    reader->items[reader->n++] = (struct pgs_text){copy, item.len};
    return true;
}

struct pgs_text
pgs_jwt_array(struct pgs_text json, const struct pgs_type *type, struct pgs_memory memory)
{
    struct array_reader reader = {.memory = memory,
                                  .raw = type->kind == PGS_JSON || type->kind == PGS_JSONB};
    struct pgs__json_fault fault;
    struct pgs_buf buf;
    char *copy;

    /* An item takes a byte and a comma at least. */
    reader.items = memory.alloc(memory.pool, (json.len / 2 + 1) * sizeof(*reader.items));
    if (!pgs__json_parse(json.at, json.len, on_array_event, &reader, &fault))
        return json;
    pgs_buf_init(&buf, 0);
    pgs__array_write(&buf, reader.items, reader.n);
    copy = memory.alloc(memory.pool, buf.len + 1);
    if (!buf.failed)
        memcpy(copy, buf.at, buf.len);
    json = buf.failed ? json : (struct pgs_text){copy, buf.len};
    pgs_buf_clear(&buf);
    return json;
}

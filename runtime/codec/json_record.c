/* SPDX-License-Identifier: MIT */
/*
 * A value inside a composite is read again for each composite around it, which the schema bounds:
 * a type is never made of itself.
 */
#include "codec/json_record.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/json_array.h"
#include "codec/record.h"
#include "codec/value.h"

#define MAX_SHOWN 64 /* bytes of a name in a message */

struct reader {
    const struct pgs_type *type; /* the composite, or the array of it */
    struct pgs_memory memory;
    struct pgs_read_error *error;

    struct pgs_text *items; /* of the fields, or of the array */
    bool *given;            /* of the fields */
    size_t n, room;

    size_t field;      /* that the next value is for */
    const char *start; /* of the container that is its value */
};

static struct pgs_text
keep(struct pgs_memory memory, struct pgs_text text)
{
    char *copy = memory.alloc(memory.pool, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    return (struct pgs_text){copy, text.len};
}

/* Says in which field it is; false. */
static bool
fail_inside(struct reader *reader, const char *name)
{
    char message[sizeof(reader->error->message)];
    size_t shown = pgs_utf8_cut(name, strlen(name), MAX_SHOWN), len;

    memcpy(message, reader->error->message, sizeof(message));
    len = pgs_utf8_cut(message, strlen(message), sizeof(message) - MAX_SHOWN - sizeof("\"\": "));
    snprintf(reader->error->message, sizeof(reader->error->message), "\"%.*s\": %.*s", (int)shown,
             name, (int)len, message);
    return false;
}

/* ---- values ---- */

static bool
read_scalar(const struct pgs_type *type, const struct pgs__json_event *event,
            struct pgs_memory memory, struct pgs_text *item, struct pgs_read_error *error)
{
    bool is_truth = event->token == PGS_JSON_TRUE || event->token == PGS_JSON_FALSE;
    bool is_json = pgs__is_json(type) && !type->array;
    struct pgs_text text = is_truth || is_json ? event->raw : event->text;
    union pgs__member scratch;

    *item = (struct pgs_text){NULL, 0};
    if (event->token == PGS_JSON_NULL)
        return true;
    if (type->array) {
        if (event->token != PGS_JSON_STRING)
            return pgs__json_mismatch(type, event->token, error);
        if (!pgs__array_check(type, text, memory, error))
            return false;
    } else if (!is_json) {
        if (!pgs__json_may_be(type->kind, event->token))
            return pgs__json_mismatch(type, event->token, error);
        if (!pgs__value_read(type, text, memory, &scratch, error))
            return false;
    }
    *item = keep(memory, text);
    return true;
}

/* An array of what is no composite. */
struct array_reader {
    struct pgs__json_array array;
    struct pgs_text literal;
};

static bool
on_array_event(void *owner, const struct pgs__json_event *event)
{
    struct array_reader *reader = owner;

    if (event->depth > 0)
        return pgs__json_array_event(&reader->array, event, event->depth);
    return !pgs__json_closes(event->token) ||
           pgs__json_array_close(&reader->array, &reader->literal);
}

static bool
read_array(const struct pgs_type *type, struct pgs_text json, struct pgs_memory memory,
           struct pgs_text *item, struct pgs_read_error *error)
{
    struct array_reader reader = {.literal = {NULL, 0}};
    struct pgs__json_fault fault;
    bool read;

    pgs_buf_init(&reader.array.literal, 0);
    pgs__json_array_open(&reader.array, type, memory, error);
    read = pgs__json_parse(json.at, json.len, on_array_event, &reader, &fault);
    pgs_buf_clear(&reader.array.literal);
    if (!read && !fault.by_owner)
        pgs__value_fault(error, fault.code, "%s", fault.message);
    *item = reader.literal;
    return read;
}

static bool
read_container(const struct pgs_type *type, struct pgs_text json, struct pgs_memory memory,
               struct pgs_text *item, struct pgs_read_error *error)
{
    bool is_array = *json.at == '[';

    if (pgs__is_json(type) && !type->array) {
        *item = keep(memory, json);
        return true;
    }
    if (is_array != type->array || (!is_array && type->kind != PGS_COMPOSITE))
        return pgs__json_mismatch(type, is_array ? PGS_JSON_OPEN_ARRAY : PGS_JSON_OPEN_OBJECT,
                                  error);
    if (type->kind == PGS_COMPOSITE)
        return pgs__json_record(type, json, memory, item, error);
    return read_array(type, json, memory, item, error);
}

/* ---- an object ---- */

static bool
start_field(struct reader *reader, struct pgs_text key)
{
    const struct pgs_type *type = reader->type;

    for (size_t i = 0; i < type->n_fields; i++) {
        const char *name = type->fields[i].name;

        if (strncmp(name, key.at, key.len) != 0 || name[key.len] != '\0')
            continue;
        if (reader->given[i]) {
            pgs__value_fault(reader->error, "PGRST102", "the field is given twice");
            return fail_inside(reader, name);
        }
        reader->given[i] = true;
        reader->field = i;
        return true;
    }
    return pgs__value_fault(reader->error, "PGRST204", "there is no field \"%.*s\" in it",
                            (int)pgs_utf8_cut(key.at, key.len, MAX_SHOWN), key.at);
}

static bool
on_field_event(void *owner, const struct pgs__json_event *event)
{
    struct reader *reader = owner;
    const struct pgs_column *field;
    struct pgs_text *item;
    bool read;

    if (event->depth != 1)
        return true;
    if (event->token == PGS_JSON_KEY)
        return start_field(reader, event->text);
    if (pgs__json_opens(event->token)) {
        reader->start = event->raw.at;
        return true;
    }
    field = &reader->type->fields[reader->field];
    item = &reader->items[reader->field];
    if (pgs__json_closes(event->token)) {
        struct pgs_text json = {reader->start, (size_t)(event->raw.at + 1 - reader->start)};

        read = read_container(&field->type, json, reader->memory, item, reader->error);
    } else {
        read = read_scalar(&field->type, event, reader->memory, item, reader->error);
    }
    return read || fail_inside(reader, field->name);
}

/* ---- an array of objects ---- */

static void
add_item(struct reader *reader, struct pgs_text item)
{
    if (reader->n == reader->room) {
        size_t room = reader->room > 0 ? 2 * reader->room : 8;
        struct pgs_text *grown = reader->memory.alloc(reader->memory.pool, room * sizeof(*grown));

        if (reader->n > 0)
            memcpy(grown, reader->items, reader->n * sizeof(*grown));
        reader->items = grown;
        reader->room = room;
    }
    reader->items[reader->n++] = item;
}

static bool
on_item_event(void *owner, const struct pgs__json_event *event)
{
    struct reader *reader = owner;
    struct pgs_type element = *reader->type;
    struct pgs_text item;
    bool read;

    if (event->depth != 1)
        return true;
    if (pgs__json_opens(event->token)) {
        reader->start = event->raw.at;
        return true;
    }
    element.array = false;
    if (pgs__json_closes(event->token)) {
        struct pgs_text json = {reader->start, (size_t)(event->raw.at + 1 - reader->start)};

        read = read_container(&element, json, reader->memory, &item, reader->error);
    } else {
        read = read_scalar(&element, event, reader->memory, &item, reader->error);
    }
    if (read)
        add_item(reader, item);
    return read;
}

/* ---- either ---- */

static bool
write_literal(const struct reader *reader, struct pgs_text *literal)
{
    struct pgs_buf buf;
    bool written;

    pgs_buf_init(&buf, 0);
    if (reader->type->array)
        pgs__array_write(&buf, reader->items, reader->n);
    else
        pgs__record_write(&buf, reader->items, reader->type->n_fields);
    written = !buf.failed;
    if (written)
        *literal = keep(reader->memory, (struct pgs_text){buf.at, buf.len});
    pgs_buf_clear(&buf);
    return written || pgs__value_fault(reader->error, "53200", "out of memory");
}

bool
pgs__json_record(const struct pgs_type *type, struct pgs_text json, struct pgs_memory memory,
                 struct pgs_text *literal, struct pgs_read_error *error)
{
    struct reader reader = {.type = type, .memory = memory, .error = error};
    struct pgs__json_fault fault;

    if (!type->array) {
        size_t n = type->n_fields;

        reader.items = memory.alloc(memory.pool, n * sizeof(*reader.items));
        reader.given = memory.alloc(memory.pool, n * sizeof(*reader.given));
        memset(reader.items, 0, n * sizeof(*reader.items));
        memset(reader.given, 0, n * sizeof(*reader.given));
    }
    if (pgs__json_parse(json.at, json.len, type->array ? on_item_event : on_field_event, &reader,
                        &fault))
        return write_literal(&reader, literal);
    return fault.by_owner ? false : pgs__value_fault(error, fault.code, "%s", fault.message);
}

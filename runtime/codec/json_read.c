/* SPDX-License-Identifier: MIT */
/*
 * The events of a body to an array of structs.
 *
 * A value that is itself a container belongs to a json column, whose bytes are kept as they came,
 * or to an array column, whose literal is written while the events pass.  So each byte is read
 * once, and memory stays in proportion to the body.
 */
#include "codec/json_read.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "codec/json_array.h"
#include "codec/json_record.h"
#include "codec/value.h"

struct reader {
    const struct pgs_shape *shape;
    const char *json;
    size_t len;
    struct pgs_memory memory;
    struct pgs_read_error *error;
    bool is_array;

    char *rows;
    size_t room;
    size_t n_rows;
    unsigned char *row; /* the one being read; begins with the presence of each field */

    /* Which field the nth key of a row was, in the row before: clients keep their order. */
    uint16_t *order;
    size_t n_keys;

    const struct pgs_field *field; /* that the next value is for; NULL: a key comes next */
    const char *start;             /* of the container that is its value */
    struct pgs__json_array array;  /* of an array column */
};

static size_t
index_of(const struct reader *reader)
{
    return (size_t)(reader->field - reader->shape->fields);
}

static void
name_place(struct reader *reader, struct pgs_text field)
{
    struct pgs_read_error *error = reader->error;
    size_t len = pgs_utf8_cut(field.at, field.len, sizeof(error->field) - 1);

    memcpy(error->field, field.at, len);
    error->field[len] = '\0';
    error->row = reader->n_rows > 0 ? reader->n_rows - 1 : 0;
}

/* A fault of the field that is being read; false. */
static bool
fail_field(struct reader *reader)
{
    const char *name = reader->field->column->name;

    name_place(reader, (struct pgs_text){name, strlen(name)});
    return false;
}

static bool
fail_body(struct reader *reader, const char *code, const char *message)
{
    pgs__value_fault(reader->error, code, "%s", message);
    reader->error->row = reader->n_rows;
    return false;
}

static bool
start_row(struct reader *reader)
{
    size_t size = reader->shape->struct_size;

    if (reader->n_rows == reader->room)
        return fail_body(reader, "PGRST102", "too many rows");
    reader->row = (unsigned char *)reader->rows + reader->n_rows * size;
    memset(reader->row, 0, size);
    reader->n_rows++;
    reader->n_keys = 0;
    return true;
}

static bool
end_row(struct reader *reader)
{
    for (size_t i = 0; i < reader->shape->n_fields && !reader->shape->partial; i++) {
        if (reader->row[i] != PGS_ABSENT || !reader->shape->fields[i].required)
            continue;
        reader->field = &reader->shape->fields[i];
        pgs__value_fault(reader->error, "23502", "a value is required");
        return fail_field(reader);
    }
    reader->row = NULL;
    return true;
}

static bool
is_named(const struct pgs_field *field, struct pgs_text key)
{
    const char *name = field->column->name;

    return strncmp(name, key.at, key.len) == 0 && name[key.len] == '\0';
}

static const struct pgs_field *
find_field(struct reader *reader, struct pgs_text key)
{
    const struct pgs_field *fields = reader->shape->fields;
    size_t guess = reader->order[reader->n_keys];

    if (guess < reader->shape->n_fields && is_named(&fields[guess], key))
        return &fields[guess];
    for (size_t i = 0; i < reader->shape->n_fields; i++) {
        if (!is_named(&fields[i], key))
            continue;
        reader->order[reader->n_keys] = (uint16_t)i;
        return &fields[i];
    }
    return NULL;
}

static bool
start_field(struct reader *reader, struct pgs_text key)
{
    reader->field = find_field(reader, key);
    if (reader->field == NULL) {
        pgs__value_fault(reader->error, "PGRST204", "there is no such field");
        name_place(reader, key);
        return false;
    }
    if (reader->row[index_of(reader)] != PGS_ABSENT) {
        pgs__value_fault(reader->error, "PGRST102", "the field is given twice");
        return fail_field(reader);
    }
    reader->n_keys++;
    return true;
}

static bool
fail_token(struct reader *reader, const struct pgs__json_event *event)
{
    pgs__json_mismatch(&reader->field->column->type, event->token, reader->error);
    return fail_field(reader);
}

/* The text of a scalar, to be kept: what yajl has unescaped is in its own buffer. */
static struct pgs_text
kept_text(struct reader *reader, const struct pgs__json_event *event)
{
    struct pgs_text text = event->text;
    uintptr_t at = (uintptr_t)text.at, json = (uintptr_t)reader->json;
    char *copy;

    if (event->token == PGS_JSON_TRUE || event->token == PGS_JSON_FALSE)
        return event->raw;
    if (text.len == 0)
        return (struct pgs_text){"", 0};
    if (at >= json && at < json + reader->len)
        return text;
    copy = reader->memory.alloc(reader->memory.pool, text.len);
    memcpy(copy, text.at, text.len);
    return (struct pgs_text){copy, text.len};
}

static void *
member_of(struct reader *reader)
{
    return reader->row + reader->field->offset;
}

static bool
set_text(struct reader *reader, struct pgs_text text)
{
    memcpy(member_of(reader), &text, sizeof(text));
    reader->row[index_of(reader)] = PGS_SET;
    return true;
}

/* A value that is no container. */
static bool
read_scalar(struct reader *reader, const struct pgs__json_event *event)
{
    const struct pgs_type *type = &reader->field->column->type;
    struct pgs_text text;

    if (event->token == PGS_JSON_NULL) {
        reader->row[index_of(reader)] = PGS_NULL;
        return true;
    }
    if (type->array) {
        if (event->token != PGS_JSON_STRING)
            return fail_token(reader, event);
        text = kept_text(reader, event);
        if (!pgs__array_check(type, text, reader->memory, reader->error))
            return fail_field(reader);
        return set_text(reader, text);
    }
    if (pgs__is_json(type))
        return set_text(reader, event->raw);
    if (!pgs__json_may_be(type->kind, event->token))
        return fail_token(reader, event);
    text = kept_text(reader, event);
    if (!pgs__value_read(type, text, reader->memory, member_of(reader), reader->error))
        return fail_field(reader);
    reader->row[index_of(reader)] = PGS_SET;
    return true;
}

/* Its bytes are taken at its end. */
static bool
is_kept_whole(const struct pgs_type *type)
{
    return type->kind == PGS_COMPOSITE || (pgs__is_json(type) && !type->array);
}

static bool
may_open(const struct pgs_type *type, enum pgs__json_token token)
{
    if (pgs__is_json(type) && !type->array)
        return true;
    return type->array ? token == PGS_JSON_OPEN_ARRAY
                       : type->kind == PGS_COMPOSITE && token == PGS_JSON_OPEN_OBJECT;
}

static bool
open_value(struct reader *reader, const struct pgs__json_event *event)
{
    const struct pgs_type *type = &reader->field->column->type;

    if (!may_open(type, event->token))
        return fail_token(reader, event);
    reader->start = event->raw.at;
    if (!is_kept_whole(type))
        pgs__json_array_open(&reader->array, type, reader->memory, reader->error);
    return true;
}

/* Within a container that is a value; `depth` is 1 for its own items. */
static bool
read_inside(struct reader *reader, const struct pgs__json_event *event, int depth)
{
    if (is_kept_whole(&reader->field->column->type))
        return true;
    return pgs__json_array_event(&reader->array, event, depth) || fail_field(reader);
}

static bool
close_value(struct reader *reader, const struct pgs__json_event *event)
{
    const struct pgs_type *type = &reader->field->column->type;
    struct pgs_text text = {reader->start, (size_t)(event->raw.at + 1 - reader->start)};

    if (type->kind == PGS_COMPOSITE &&
        !pgs__json_record(type, text, reader->memory, &text, reader->error))
        return fail_field(reader);
    if (!is_kept_whole(type) && !pgs__json_array_close(&reader->array, &text))
        return fail_field(reader);
    return set_text(reader, text);
}

/* An event that belongs to the body itself, above its rows. */
static bool
read_top(struct reader *reader, const struct pgs__json_event *event)
{
    if (event->depth == 0 && reader->is_array &&
        (event->token == PGS_JSON_OPEN_ARRAY || event->token == PGS_JSON_CLOSE_ARRAY))
        return true;
    if (event->token == PGS_JSON_OPEN_OBJECT && event->depth == (int)reader->is_array)
        return start_row(reader);
    if (event->token == PGS_JSON_CLOSE_OBJECT)
        return end_row(reader);
    pgs__value_fault(reader->error, "PGRST102", "expected %s, got %s",
                     reader->is_array ? "an array of objects" : "an object",
                     pgs__json_token_name(event->token));
    reader->error->row = reader->n_rows;
    return false;
}

static bool
on_event(void *owner, const struct pgs__json_event *event)
{
    struct reader *reader = owner;
    int depth = event->depth - reader->is_array; /* 1: the fields of a row */

    if (reader->row == NULL || depth == 0)
        return read_top(reader, event);
    if (depth > 1)
        return read_inside(reader, event, depth - 1);
    if (event->token == PGS_JSON_KEY)
        return start_field(reader, event->text);
    if (pgs__json_opens(event->token))
        return open_value(reader, event);
    if (!(pgs__json_closes(event->token) ? close_value(reader, event) : read_scalar(reader, event)))
        return false;
    reader->field = NULL;
    return true;
}

/* Items of the outermost array, so that the rows have their room at once; exact for valid JSON. */
static size_t
count_rows(const char *json, size_t len)
{
    size_t n = 1, depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        switch (json[i]) {
        case '"':
            quoted = !quoted;
            break;
        case '\\':
            i += quoted;
            break;
        case '[':
        case '{':
            depth += !quoted;
            break;
        case ']':
        case '}':
            depth -= !quoted && depth > 0;
            break;
        case ',':
            n += !quoted && depth == 1;
            break;
        default:
            break;
        }
    }
    return n;
}

static bool
begins_array(const char *json, size_t len)
{
    size_t i = 0;

    while (i < len && (json[i] == ' ' || (json[i] >= '\t' && json[i] <= '\r')))
        i++;
    return i < len && json[i] == '[';
}

static bool
allocate(struct reader *reader, size_t rows_max)
{
    size_t size = reader->shape->struct_size, n_fields = reader->shape->n_fields;

    reader->room = reader->is_array ? count_rows(reader->json, reader->len) : 1;
    if (reader->room > rows_max) {
        pgs__value_fault(reader->error, "PGRST102", "too many rows: at most %zu", rows_max);
        return false;
    }
    if (size != 0 && reader->room > (SIZE_MAX - 1) / size)
        return fail_body(reader, "PGRST102", "too many rows");
    reader->rows = reader->memory.alloc(reader->memory.pool, reader->room * size + 1);
    reader->order =
        reader->memory.alloc(reader->memory.pool, (n_fields + 1) * sizeof(*reader->order));
    for (size_t i = 0; i <= n_fields; i++)
        reader->order[i] = (uint16_t)i;
    return true;
}

/* What is wrong with the JSON itself, and in which field. */
static bool
fail_json(struct reader *reader, const struct pgs__json_fault *fault)
{
    struct pgs_read_error *error = reader->error;

    pgs__value_fault(error, fault->code, "%s", fault->message);
    snprintf(error->details, sizeof(error->details), "%s", fault->place);
    error->row = reader->n_rows > 0 ? reader->n_rows - 1 : 0;
    return reader->row != NULL && reader->field != NULL ? fail_field(reader) : false;
}

bool
pgs_json_read(const struct pgs_shape *shape, const char *json, size_t len, size_t rows_max,
              struct pgs_memory memory, void **rows, size_t *n_rows, bool *was_array,
              struct pgs_read_error *error)
{
    struct reader reader = {.shape = shape,
                            .json = json,
                            .len = len,
                            .memory = memory,
                            .error = error,
                            .is_array = rows_max > 1 && begins_array(json, len)};
    struct pgs__json_fault fault;
    bool read;

    if (!allocate(&reader, rows_max))
        return false;
    pgs_buf_init(&reader.array.literal, 0);
    read = pgs__json_parse(json, len, on_event, &reader, &fault);
    pgs_buf_clear(&reader.array.literal);
    if (!read)
        return fault.by_owner ? false : fail_json(&reader, &fault);
    *rows = reader.rows;
    *n_rows = reader.n_rows;
    *was_array = reader.is_array;
    return true;
}

bool
pgs_text_read(const struct pgs_field *field, size_t index, const char *text, size_t len,
              struct pgs_memory memory, void *row, struct pgs_read_error *error)
{
    const struct pgs_type *type = &field->column->type;
    struct pgs_text value = {len == 0 ? "" : text, len};
    void *member = (char *)row + field->offset;
    bool read = false;

    if (pgs_utf8_check(value.at, len) < len)
        pgs__value_fault(error, "22021", "invalid byte sequence for encoding \"UTF8\"");
    else if (memchr(value.at, '\0', len) != NULL)
        pgs__value_fault(error, "22021", "U+0000 cannot be stored");
    else if (type->array)
        read = pgs__array_check(type, value, memory, error);
    else
        read = pgs__value_read(type, value, memory, member, error);
    if (!read) {
        snprintf(error->field, sizeof(error->field), "%s", field->column->name);
        return false;
    }
    if (type->array)
        memcpy(member, &value, sizeof(value));
    ((unsigned char *)row)[index] = PGS_SET;
    return true;
}

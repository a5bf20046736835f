/* SPDX-License-Identifier: MIT */
#include "codec/json_array.h"

#include <string.h>

#include "codec/value.h"

bool
pgs__is_json(const struct pgs_type *type)
{
    return type->kind == PGS_JSON || type->kind == PGS_JSONB;
}

bool
pgs__json_may_be(enum pgs_kind kind, enum pgs__json_token token)
{
    if (token == PGS_JSON_STRING)
        return true;
    switch (kind) {
    case PGS_BOOL:
        return token == PGS_JSON_TRUE || token == PGS_JSON_FALSE;
    case PGS_INT2:
    case PGS_INT4:
    case PGS_INT8:
    case PGS_FLOAT4:
    case PGS_FLOAT8:
    case PGS_NUMERIC:
    case PGS_MONEY:
        return token == PGS_JSON_NUMBER;
    default:
        return false;
    }
}

bool
pgs__json_mismatch(const struct pgs_type *type, enum pgs__json_token token,
                   struct pgs_read_error *error)
{
    return pgs__value_fault(error, "22P02", "expected %s, got %s",
                            type->array ? "an array" : pgs__kind_name(type->kind),
                            pgs__json_token_name(token));
}

bool
pgs__json_opens(enum pgs__json_token token)
{
    return token == PGS_JSON_OPEN_OBJECT || token == PGS_JSON_OPEN_ARRAY;
}

bool
pgs__json_closes(enum pgs__json_token token)
{
    return token == PGS_JSON_CLOSE_OBJECT || token == PGS_JSON_CLOSE_ARRAY;
}

void
pgs__json_array_open(struct pgs__json_array *array, const struct pgs_type *type,
                     struct pgs_memory memory, struct pgs_read_error *error)
{
    array->type = type;
    array->memory = memory;
    array->error = error;
    array->literal.len = 0;
    array->shape = (struct pgs__array_shape){.depth = 1};
    pgs_buf_add_char(&array->literal, '{');
}

static void
separate_item(struct pgs_buf *literal)
{
    if (literal->len > 0 && literal->at[literal->len - 1] != '{')
        pgs_buf_add_char(literal, ',');
}

/* In quotes, whatever it is: a quoted number is a number, and a quoted "null" is no null. */
static void
add_item(struct pgs_buf *literal, struct pgs_text text)
{
    const char *end = text.at + text.len;

    separate_item(literal);
    pgs_buf_add_char(literal, '"');
    for (const char *at = text.at; at < end; at++) {
        if (*at == '"' || *at == '\\')
            pgs_buf_add_char(literal, '\\');
        pgs_buf_add_char(literal, *at);
    }
    pgs_buf_add_char(literal, '"');
}

static bool
fail_item(struct pgs__json_array *array, enum pgs__json_token token)
{
    return pgs__value_fault(array->error, "22P02", "expected an array of which each is %s, got %s",
                            pgs__kind_name(array->type->kind), pgs__json_token_name(token));
}

static bool
read_item(struct pgs__json_array *array, const struct pgs__json_event *event)
{
    bool is_truth = event->token == PGS_JSON_TRUE || event->token == PGS_JSON_FALSE;
    struct pgs_text text = is_truth || pgs__is_json(array->type) ? event->raw : event->text;
    union pgs__member scratch;

    if (event->token == PGS_JSON_NULL) {
        separate_item(&array->literal);
        pgs_buf_add_str(&array->literal, "NULL");
        return true;
    }
    if (!pgs__is_json(array->type)) {
        if (!pgs__json_may_be(array->type->kind, event->token))
            return fail_item(array, event->token);
        if (!pgs__value_read(array->type, text, array->memory, &scratch, array->error))
            return false;
    }
    add_item(&array->literal, text);
    return true;
}

static bool
fail_shape(struct pgs__json_array *array)
{
    return pgs__value_fault(array->error, "22P02",
                            "expected an array whose parts are of one size, at most %d deep",
                            PGS_ARRAY_MAX_DEPTH);
}

/* An array inside an array is another dimension. */
static bool
open_dimension(struct pgs__json_array *array, enum pgs__json_token token)
{
    if (token != PGS_JSON_OPEN_ARRAY)
        return fail_item(array, token);
    if (!pgs__array_shape_open(&array->shape))
        return fail_shape(array);
    separate_item(&array->literal);
    pgs_buf_add_char(&array->literal, '{');
    return true;
}

static bool
close_dimension(struct pgs__json_array *array)
{
    pgs_buf_add_char(&array->literal, '}');
    return pgs__array_shape_close(&array->shape) || fail_shape(array);
}

/* A container in an array of json is an item, whole. */
static bool
json_container(struct pgs__json_array *array, const struct pgs__json_event *event)
{
    const char *start = array->item_start;

    if (pgs__json_opens(event->token))
        array->item_start = event->raw.at;
    else
        add_item(&array->literal, (struct pgs_text){start, (size_t)(event->raw.at + 1 - start)});
    return true;
}

bool
pgs__json_array_event(struct pgs__json_array *array, const struct pgs__json_event *event, int depth)
{
    bool opens = pgs__json_opens(event->token), closes = pgs__json_closes(event->token);

    if (pgs__is_json(array->type) && depth > 1)
        return true;
    if (pgs__is_json(array->type) && (opens || closes))
        return json_container(array, event);
    if (opens)
        return open_dimension(array, event->token);
    if (closes)
        return close_dimension(array);
    return pgs__array_shape_item(&array->shape) ? read_item(array, event) : fail_shape(array);
}

bool
pgs__json_array_close(struct pgs__json_array *array, struct pgs_text *literal)
{
    char *copy;

    pgs_buf_add_char(&array->literal, '}');
    if (array->literal.failed)
        return pgs__value_fault(array->error, "53200", "out of memory");
    copy = array->memory.alloc(array->memory.pool, array->literal.len);
    memcpy(copy, array->literal.at, array->literal.len);
    *literal = (struct pgs_text){copy, array->literal.len};
    return true;
}

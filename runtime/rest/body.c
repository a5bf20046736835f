/* SPDX-License-Identifier: MIT */
/*
 * Bodies and arguments to generated structs.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rest/fail.h"

/* Of one body; its bytes are bounded by MAX_BODY_BYTES before.  `{}` is two of them, a row's struct
 * may be thousands. */
#define MAX_ROWS 100000
#define MAX_ROW_BYTES ((size_t)64 << 20)

/* Which value it was, and where. */
static void
describe_place(const struct pgs_read_error *error, bool many, char *details, size_t size)
{
    const char *comma = error->details[0] != '\0' ? ", " : "";

    if (error->field[0] == '\0')
        (void)snprintf(details, size, "%s", error->details);
    else if (many)
        (void)snprintf(details, size, "field \"%s\" of row %zu%s%s", error->field, error->row + 1,
                       comma, error->details);
    else
        (void)snprintf(details, size, "field \"%s\"%s%s", error->field, comma, error->details);
}

static bool
fail_read(struct pgs_request *rq, const struct pgs_read_error *error, bool many)
{
    bool named = error->field[0] != '\0';
    char details[640];

    describe_place(error, many, details, sizeof(details));
    pgs__fail(rq, 400, error->code, details[0] != '\0' ? details : NULL, NULL, "%s%s%s",
              error->field, named ? ": " : "", error->message);
    return false;
}

static bool
is_json(h2o_iovec_t type)
{
    static const char *const known[] = {"application/json", "application/vnd.pgrst.object+json",
                                        "application/vnd.pgrst.array+json"};

    for (size_t i = 0; i < PGS_COUNT(known); i++) {
        size_t len = strlen(known[i]);

        if (type.len >= len && h2o_lcstris(type.base, len, known[i], len) &&
            (type.len == len || type.base[len] == ';' || type.base[len] == ' '))
            return true;
    }
    return false;
}

static bool
check_type(struct pgs_request *rq)
{
    h2o_iovec_t type = pgs_request_header(rq->req, "content-type");

    if (type.base == NULL || is_json(type))
        return true;
    pgs__fail(rq, 415, "PGRST102", NULL, "send application/json",
              "Content-Type not acceptable: %.*s", (int)(type.len < 200 ? type.len : 200),
              type.base);
    return false;
}

static bool
read_body(struct pgs_request *rq, const struct pgs_shape *shape, size_t max, struct pgs_rows *rows,
          struct pgs_read_error *error)
{
    h2o_iovec_t body = rq->req->entity;

    return pgs_json_read(shape, body.base != NULL ? body.base : "", body.len, max, rq->scratch,
                         &rows->at, &rows->n, &rows->was_array, error);
}

bool
pgs_read_rows(struct pgs_request *rq, const struct pgs_shape *shape, struct pgs_rows *rows)
{
    size_t fit = MAX_ROW_BYTES / (shape->struct_size + 1);
    struct pgs_read_error error = {0};

    if (!check_type(rq))
        return false;
    return read_body(rq, shape, fit < MAX_ROWS ? fit : MAX_ROWS, rows, &error) ||
           fail_read(rq, &error, true);
}

/* The one object of a body, as it was read. */
static void
take_row(const struct pgs_shape *shape, const struct pgs_rows *rows, void *row)
{
    if (shape->struct_size > 0)
        memcpy(row, rows->at, shape->struct_size);
}

bool
pgs_read_row(struct pgs_request *rq, const struct pgs_shape *shape, void *row)
{
    struct pgs_read_error error = {0};
    struct pgs_rows rows;

    if (!check_type(rq))
        return false;
    if (!read_body(rq, shape, 1, &rows, &error))
        return fail_read(rq, &error, false);
    take_row(shape, &rows, row);
    return true;
}

static bool
fail_no_call(struct pgs_request *rq, const struct pgs_call *call, const char *why,
             struct pgs_text name)
{
    char details[300];

    (void)snprintf(details, sizeof(details), "%s \"%.*s\"", why,
                   (int)(name.len < 200 ? name.len : 200), name.at);
    pgs__fail(rq, 404, "PGRST202", details, NULL,
              "Could not find the function public.%s with these arguments", call->name);
    return false;
}

static const struct pgs_field *
find_argument(const struct pgs_shape *shape, struct pgs_text name)
{
    for (size_t i = 0; i < shape->n_fields; i++)
        if (pgs_text_is(name, shape->fields[i].column->name))
            return &shape->fields[i];
    return NULL;
}

static bool
read_pair(struct pgs_request *rq, const struct pgs_call *call, const struct pgs_pair *pair,
          void *arguments)
{
    const struct pgs_field *field = find_argument(call->arguments, pair->name);
    struct pgs_read_error error = {0};

    if (field == NULL)
        return fail_no_call(rq, call, "it has no argument", pair->name);
    return pgs_text_read(field, (size_t)(field - call->arguments->fields), pair->value.at,
                         pair->value.len, rq->scratch, arguments, &error) ||
           fail_read(rq, &error, false);
}

static bool
check_required(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    const unsigned char *has = arguments;

    for (size_t i = 0; i < call->arguments->n_fields; i++) {
        const struct pgs_field *field = &call->arguments->fields[i];

        if (field->required && has[i] == PGS_ABSENT)
            return fail_no_call(rq, call, "it needs the argument",
                                pgs_text_of(field->column->name));
    }
    return true;
}

/* Names that do not go with the call are no faults of the body: such a call there is not. */
static bool
fail_argument(struct pgs_request *rq, const struct pgs_call *call,
              const struct pgs_read_error *error)
{
    struct pgs_text name = pgs_text_of(error->field);

    if (strcmp(error->code, "PGRST204") == 0)
        return fail_no_call(rq, call, "it has no argument", name);
    if (strcmp(error->code, "23502") == 0)
        return fail_no_call(rq, call, "it needs the argument", name);
    return fail_read(rq, error, false);
}

static bool
read_from_body(struct pgs_request *rq, const struct pgs_call *call, void *arguments)
{
    struct pgs_read_error error = {0};
    struct pgs_rows rows;

    if (!check_type(rq))
        return false;
    if (!read_body(rq, call->arguments, 1, &rows, &error))
        return fail_argument(rq, call, &error);
    take_row(call->arguments, &rows, arguments);
    return true;
}

static bool
read_from_url(struct pgs_request *rq, const struct pgs_call *call, void *arguments)
{
    for (size_t i = 0; i < rq->query.n_pairs; i++)
        if (!read_pair(rq, call, &rq->query.pairs[i], arguments))
            return false;
    return true;
}

bool
pgs_read_arguments(struct pgs_request *rq, const struct pgs_call *call, void *arguments)
{
    bool in_url = rq->route->method == PGS_GET;

    if (!pgs__read_query(rq, in_url ? call->arguments : NULL))
        return false;
    if (call->arguments->struct_size > 0)
        memset(arguments, 0, call->arguments->struct_size);
    if (in_url && !read_from_url(rq, call, arguments))
        return false;
    /* A call without arguments may come without a body. */
    if (!in_url && rq->req->entity.len > 0 && !read_from_body(rq, call, arguments))
        return false;
    return check_required(rq, call, arguments);
}

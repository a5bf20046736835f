/* SPDX-License-Identifier: MIT */
/*
 * Bodies and arguments to generated structs.
 */
#include <stdio.h>
#include <string.h>

#include "rest/request.h"

#define MAX_ROWS 100000 /* of one body; its bytes are bounded by MAX_BODY_BYTES before */

static void
fail_read(struct pgs_request *rq, const struct pgs_read_error *error, bool many)
{
    char details[400];

    if (error->field[0] == '\0') {
        pgs__fail(rq, 400, error->code, NULL, NULL, "%s", error->message);
        return;
    }
    if (many)
        (void)snprintf(details, sizeof(details), "field \"%s\" of row %zu", error->field,
                       error->row + 1);
    else
        (void)snprintf(details, sizeof(details), "field \"%s\"", error->field);
    pgs__fail(rq, 400, error->code, details, NULL, "%s: %s", error->field, error->message);
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
read_body(struct pgs_request *rq, const struct pgs_shape *shape, size_t max, struct pgs_rows *rows)
{
    struct pgs_read_error error = {0};

    if (!check_type(rq))
        return false;
    if (pgs_json_read(shape, rq->req->entity.base != NULL ? rq->req->entity.base : "",
                      rq->req->entity.len, max, rq->memory, &rows->at, &rows->n, &rows->was_array,
                      &error))
        return true;
    fail_read(rq, &error, max > 1);
    return false;
}

bool
pgs_read_rows(struct pgs_request *rq, const struct pgs_shape *shape, struct pgs_rows *rows)
{
    return read_body(rq, shape, MAX_ROWS, rows);
}

bool
pgs_read_row(struct pgs_request *rq, const struct pgs_shape *shape, void *row)
{
    struct pgs_rows rows;

    if (!read_body(rq, shape, 1, &rows))
        return false;
    if (shape->struct_size > 0) /* none for a call without arguments */
        memcpy(row, rows.at, shape->struct_size);
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

static bool
read_pair(struct pgs_request *rq, const struct pgs_call *call, const struct pgs_pair *pair,
          void *arguments)
{
    const struct pgs_shape *shape = call->arguments;
    struct pgs_read_error error = {0};

    for (size_t i = 0; i < shape->n_fields; i++) {
        const char *name = shape->fields[i].column->name;

        if (strlen(name) != pair->name.len || memcmp(name, pair->name.at, pair->name.len) != 0)
            continue;
        if (pgs_text_read(&shape->fields[i], i, pair->value.at, pair->value.len, rq->memory,
                          arguments, &error))
            return true;
        fail_read(rq, &error, false);
        return false;
    }
    return fail_no_call(rq, call, "it has no argument", pair->name);
}

static bool
check_required(struct pgs_request *rq, const struct pgs_call *call, const void *arguments)
{
    const unsigned char *has = arguments;

    for (size_t i = 0; i < call->arguments->n_fields; i++) {
        const struct pgs_field *field = &call->arguments->fields[i];

        if (field->required && has[i] == PGS_ABSENT)
            return fail_no_call(
                rq, call, "it needs the argument",
                (struct pgs_text){field->column->name, strlen(field->column->name)});
    }
    return true;
}

bool
pgs_read_arguments(struct pgs_request *rq, const struct pgs_call *call, void *arguments)
{
    if (call->arguments->struct_size > 0)
        memset(arguments, 0, call->arguments->struct_size);
    if (rq->route->method == PGS_POST) {
        /* A call without arguments may come without a body. */
        if (rq->req->entity.len > 0 && !pgs_read_row(rq, call->arguments, arguments))
            return false;
    }
    for (size_t i = 0; i < rq->query.n_pairs; i++)
        if (!read_pair(rq, call, &rq->query.pairs[i], arguments))
            return false;
    return check_required(rq, call, arguments);
}

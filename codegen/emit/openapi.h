/* SPDX-License-Identifier: MIT */
/* What emit/openapi.c and openapi_parts.c share. */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "base/json.h"
#include "emit/surface.h"

/* Names that a key of components may have: for each enumeration and composite one. */
struct openapi {
    const struct plan *plan;
    VEC(const char *) enums; /* as in the model */
    VEC(const char *) types; /* beside the model's; NULL where it is no composite */
};

void openapi_name_types(struct openapi *api);

/* Their schemas: members of components. */
void openapi_own_types(struct str *out, const struct openapi *api);

/* An object of JSON Schema with these members; a body has no others. */
void openapi_object(struct str *out, const struct openapi *api, const struct members *members,
                    bool body);

void openapi_schema(struct str *out, const struct openapi *api, struct type type, bool nullable);

/* `{"$ref":"#/components/KIND/NAME"}` */
void openapi_reference(struct str *out, const char *kind, const char *name);

/* The same for a filter of this type. */
const char *openapi_filter_schema(struct type type);

/* Parameters, responses, schemas and credentials that all paths share: members of components. */
void openapi_shared_parameters(struct str *out);
void openapi_shared_responses(struct str *out);
void openapi_shared_schemas(struct str *out);
void openapi_credentials(struct str *out);

#endif

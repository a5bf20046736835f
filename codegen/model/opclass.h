/* SPDX-License-Identifier: MIT */
/* Operator classes: what an index of a method can hold, and what it can answer. */
#ifndef OPCLASS_H
#define OPCLASS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

struct opclass {
    const char *name;
    const char *method;
    const char *type; /* PostgreSQL's name: "int8", "anyarray" */
    bool is_default;
    const char *extension; /* NULL: PostgreSQL's own */
    const char *operators; /* those of an exclusion constraint, with blanks between them */
};

/* The class of this name that takes the type; NULL: there is none. */
const struct opclass *opclass_find(const char *method, const char *name, struct type type);

/* Any of this name; `method` NULL: whatever its method. */
const struct opclass *opclass_named(const char *method, const char *name);

/*
 * What the method uses for the type when nothing is said.  Where an extension has to be there for
 * it, it is one of `model`'s, unless none of those will do: then `extension` says which is missing.
 */
const struct opclass *opclass_default(const struct model *model, const char *method,
                                      struct type type);

/* The extension as it is declared; NULL: it is not. */
const struct extension *opclass_extension(const struct model *model, const struct opclass *opclass);

/* "int8": the name of the type in pg_type, arrays without their dimensions. */
const char *opclass_type_name(struct type type);

/* Every extension that the list knows classes of. */
bool opclass_knows_extension(const char *extension);

bool opclass_has_operator(const struct opclass *opclass, const char *op);

/* Every name of the method's classes, for "did you mean". */
const char *const *opclass_names(const char *method, size_t *n);

#endif

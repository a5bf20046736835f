/* SPDX-License-Identifier: MIT */
/*
 * Where the sources name something: what an editor asks for.  The check notes a name when it has
 * found what it means, so that nothing is resolved twice.
 */
#ifndef USES_H
#define USES_H

#include "model/model.h"

enum use_kind {
    USE_TABLE, /* views too */
    USE_COLUMN,
    USE_ROLE,
    USE_CLAIM,
    USE_PREDICATE,
    USE_TYPE,
    USE_CORS,
    USE_QUERY,
    USE_PARAM,
    USE_FUNCTION,
    USE_DOMAIN,
    USE_COMPOSITE,
    USE_RANGE_TYPE,
    USE_SCHEMA,
    USE_TRIGGER,
    USE_LIVE,
    USE_WEBHOOK,
    USE_POLICY,
    USE_ALIAS, /* struct range */
    USE_WITH,  /* struct with_item */
};

struct use {
    struct span span; /* of the name alone */
    enum use_kind kind;
    const void *object; /* the struct of the model */
};

VEC_STRUCT(uses, struct use);

/* Off until it is switched on; both forget what was noted. */
void uses_keep(bool keep);

void uses_note(struct span span, enum use_kind kind, const void *object);

/* A name that comes last in `span`, after its schema or table. */
void uses_note_last(struct span span, enum use_kind kind, const void *object, const char *name);

/* All that were noted, with the declarations of the model's objects, sorted by file and place. */
const struct uses *uses_of(const struct model *model);

/* A use of a type that the schema declares. */
void uses_note_type(struct span span, const struct type *type, const char *name);

/* The same, to keep beyond the next uses_keep(). */
const struct uses *uses_snapshot(const struct model *model);

/* What an object is called, and where it is declared; `file` NULL: it is built in. */
const char *use_name(const struct use *use);
struct span use_declaration(const struct use *use);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * An access matrix, read back from the text of generated/access.txt (emit/access.c writes it): what
 * `pgstack access` narrows and `pgstack diff --access` compares.  Names stay as the text has them,
 * in quotes where they are: two names are the same when their texts are.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <stdbool.h>

#include "base/words.h"

enum fact_kind {
    FACT_ROUTE,   /* name: "GET /rest/v1/ticket"; names: verbs; service_alone */
    FACT_MAY,     /* role, command, as; names: columns */
    FACT_ROWS,    /* role, command, policy, restrictive, as; text: the condition */
    FACT_NEW_ROW, /* the same */
    FACT_MARK,    /* name: what stands before the colon; text: what stands behind it */
};

struct fact {
    enum fact_kind kind;
    const char *line; /* as it stands */
    const char *name;
    const char *role;
    const char *command;
    const char *policy;
    const char *as; /* NULL: of the role itself */
    bool restrictive;
    bool unchecked;
    bool service_alone;
    struct words names;
    const char *text;
};

/* A table, view, query, function, ... and the facts below it; of those at the top, `kind` is "". */
struct section {
    const char *kind; /* "table" */
    const char *name;
    const char *heading;
    VEC(struct fact) facts;
};

struct matrix {
    struct section top; /* roles, claims, predicates, raw SQL: each a mark */
    VEC(struct section *) sections;
};

/* False: `text` is no access matrix. */
bool matrix_read(const char *text, struct matrix *matrix);

/* NULL: there is none. */
const struct section *matrix_find(const struct matrix *matrix, const char *kind, const char *name);

/* "a, b": the names that a text is a list of. */
struct words matrix_names(const char *text);

/* The text of the mark `name`, of several joined with ", "; NULL: there is none. */
const char *matrix_mark(const struct section *section, const char *name);

/* Names of the roles, in the order of the text. */
struct words matrix_roles(const struct matrix *matrix);

/* As the matrix has a name, and as it was before it was put in quotes. */
const char *matrix_quoted(const char *name);
const char *matrix_unquoted(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the query string reader share: a place in one decoded value, and the words and
 * names that all grammars have.  A function that returns false has written the error.
 */
#ifndef PGS_CODEC_QUERY_PARSE_H
#define PGS_CODEC_QUERY_PARSE_H

#include "codec/query_string.h"

/* All of one query string. */
struct pgs__query_context {
    struct pgs_memory memory;
    const struct pgs_shape *arguments; /* of the call; NULL: there is none */
    struct pgs_query_string *query;
    struct pgs_read_error *error;
    struct pgs_condition **last; /* where the next condition of the top level goes */
    size_t n_values;             /* of all `in` lists so far */
    bool over_bound;             /* the error is a bound, not the grammar */
};

/* A place in the value of one parameter. */
struct pgs__query_value {
    struct pgs__query_context *context;
    const char *what; /* "filter", "order": for messages */
    struct pgs_text all;
    const char *at;
    const char *end;
};

/* PGRST100: `"failed to parse <what> (<all>)" (line 1, column n)`, and what was expected here. */
bool pgs__query_syntax(const struct pgs__query_value *value, const char *expecting);

/* The same with details of its own. */
bool pgs__query_fault(const struct pgs__query_value *value, const char *details);

/* More of something than a request may have. */
bool pgs__query_too_many(struct pgs__query_context *context, const char *things, size_t max);

/* An error that is not about a place. */
bool pgs__query_error(struct pgs__query_context *context, const char *code, const char *message,
                      const char *details);

void pgs__query_skip_space(struct pgs__query_value *value);

/* The bytes come next. */
bool pgs__query_sees(const struct pgs__query_value *value, const char *bytes);

/* Steps over the bytes if they come next. */
bool pgs__query_takes(struct pgs__query_value *value, const char *bytes);

/* A column or relation: quoted, or letters, digits, `_`, `$`, blanks and dashes. */
bool pgs__query_name(struct pgs__query_value *value, struct pgs_text *name)
    __attribute__((warn_unused_result));

/* `"..."` with backslash as escape. */
bool pgs__query_quoted(struct pgs__query_value *value, struct pgs_text *text)
    __attribute__((warn_unused_result));

/* A path into JSON, where one follows, is refused by name. */
bool pgs__query_no_json_path(const struct pgs__query_value *value)
    __attribute__((warn_unused_result));

/* Commas from here to the end: a bound on the items to come. */
size_t pgs__query_commas(const struct pgs__query_value *value);

void *pgs__query_alloc(struct pgs__query_context *context, size_t n, size_t size);

/* `op.value` and its kin on a column, as a condition at the top level. */
bool pgs__query_filter(struct pgs__query_context *context, struct pgs_text column,
                       struct pgs_text value) __attribute__((warn_unused_result));

/* `and=(...)`, `or=(...)`, with or without `not.`. */
bool pgs__query_logic(struct pgs__query_context *context, bool negated, bool is_or,
                      struct pgs_text value) __attribute__((warn_unused_result));

#endif

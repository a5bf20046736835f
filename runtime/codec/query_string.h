/* SPDX-License-Identifier: MIT */
/*
 * PostgREST's URL grammar: `?select=id,name:title&state=eq.open&order=created_at.desc&limit=10`.
 *
 * Reads bytes into a plan of names and values; it knows no relation.  Percent-escapes and `+` are
 * decoded here, once.  All text lives in `memory`.  https://docs.postgrest.org, "Tables and Views".
 */
#ifndef PGS_CODEC_QUERY_STRING_H
#define PGS_CODEC_QUERY_STRING_H

#include "codec/json_read.h" /* struct pgs_memory */
#include "pgs/types.h"

/* X(NAME, word in the URL, SQL operator or NULL where the shape is its own) */
#define PGS_OPERATORS(X)                                                                           \
    X(EQ, "eq", "=")                                                                               \
    X(NEQ, "neq", "<>")                                                                            \
    X(GT, "gt", ">")                                                                               \
    X(GTE, "gte", ">=")                                                                            \
    X(LT, "lt", "<")                                                                               \
    X(LTE, "lte", "<=")                                                                            \
    X(LIKE, "like", "like")                                                                        \
    X(ILIKE, "ilike", "ilike")                                                                     \
    X(IN, "in", NULL)                                                                              \
    X(IS, "is", NULL)                                                                              \
    X(CS, "cs", "@>")                                                                              \
    X(CD, "cd", "<@")                                                                              \
    X(OV, "ov", "&&")                                                                              \
    X(SL, "sl", "<<")                                                                              \
    X(SR, "sr", ">>")                                                                              \
    X(NXL, "nxl", "&>")                                                                            \
    X(NXR, "nxr", "&<")                                                                            \
    X(ADJ, "adj", "-|-")

enum pgs_operator {
#define PGS_OPERATOR(name, word, sql) PGS_OP_##name,
    PGS_OPERATORS(PGS_OPERATOR)
#undef PGS_OPERATOR
};

enum pgs_is {
    PGS_IS_NULL,
    PGS_IS_TRUE,
    PGS_IS_FALSE,
    PGS_IS_UNKNOWN,
    PGS_IS_NOT_NULL,
};

/* A condition: a comparison, or a group of conditions. */
struct pgs_condition {
    enum {
        PGS_COMPARE,
        PGS_AND,
        PGS_OR,
    } form;
    bool negated;
    struct pgs_condition *next;  /* beside it */
    struct pgs_condition *inner; /* of PGS_AND and PGS_OR: the first of its parts */

    /* of PGS_COMPARE */
    struct pgs_text column;
    enum pgs_operator op;
    enum pgs_is is;          /* of PGS_OP_IS */
    struct pgs_text value;   /* of all but IN and IS; `*` of like already turned into `%` */
    struct pgs_text *values; /* of IN, unquoted */
    size_t n_values;
};

/* An item of `select`: `alias:column::cast`. */
struct pgs_select_item {
    struct pgs_text column; /* "*" stands for all */
    struct pgs_text alias;  /* empty: none */
    struct pgs_text cast;   /* empty: none */
    bool embed;             /* `relation(...)`: known, not served yet */
};

struct pgs_order_item {
    struct pgs_text column;
    bool descending;
    enum {
        PGS_NULLS_DEFAULT,
        PGS_NULLS_FIRST,
        PGS_NULLS_LAST,
    } nulls;
};

/* An argument of a call, or what must be one because it is no filter. */
struct pgs_pair {
    struct pgs_text name;
    struct pgs_text value;
};

struct pgs_query_string {
    const struct pgs_select_item *select; /* n_select 0: not given */
    size_t n_select;
    const struct pgs_order_item *order;
    size_t n_order;
    struct pgs_condition *where;    /* the first; all must hold; NULL: none */
    size_t n_conditions;            /* comparisons, groups included */
    int64_t limit;                  /* -1: not given */
    int64_t offset;                 /* 0: not given */
    const struct pgs_text *columns; /* `columns=`; n_columns 0: not given */
    size_t n_columns;
    const struct pgs_text *on_conflict;
    size_t n_on_conflict;
    const struct pgs_pair *pairs; /* of a call */
    size_t n_pairs;
};

/* Bounds on what a client can make grow. */
#define PGS_QUERY_MAX_CONDITIONS 100
#define PGS_QUERY_MAX_VALUES 10000 /* of all `in` lists together */
#define PGS_QUERY_MAX_SELECT 500   /* items of `select`, and of `order`, `columns`, `on_conflict` */
#define PGS_QUERY_MAX_PAIRS 500    /* parameters of any kind */
#define PGS_QUERY_MAX_DEPTH 8

/*
 * Reads the part behind `?`.  With `arguments`, those of a call, a pair that bears the name of one
 * goes to `pairs` with its value as it stands, whatever it looks like; so does a pair that does not
 * read as a filter.  NULL: what is no filter is an error.  False: `error->code` is PostgREST's
 * ("PGRST100"; "PGRST103" for a negative limit, "PGRST108" for a filter on an embedded relation,
 * "PGRST123" for an aggregate), `error->message` names the parameter and the place,
 * `error->details` what was found and what was expected.
 */
bool pgs_query_string_read(const char *text, size_t len, const struct pgs_shape *arguments,
                           struct pgs_memory memory, struct pgs_query_string *query,
                           struct pgs_read_error *error) __attribute__((warn_unused_result));

#endif

/* SPDX-License-Identifier: MIT */
/* Endpoints in the AST: verbs, how often callers may ask, and what a request may cost.  ast.h
 * includes it. */
#ifndef AST_ENDPOINT_H
#define AST_ENDPOINT_H

#include "syntax/ast.h"

/* limit 100 per minute by user or address */
struct ast_rate {
    struct span span;
    long requests;
    struct span count_span;
    struct ast_name unit, by;
    struct ast_name fallback; /* optional */
};

VEC_STRUCT(ast_rates, struct ast_rate *);

/* body 64 kB within 2 s slow */
enum ast_cost_kind {
    AST_BODY,
    AST_WITHIN,
    AST_SLOW,
    AST_COSTS,
};

struct ast_cost {
    enum ast_cost_kind kind;
    struct span span; /* `file` NULL: not said */
    long number;
    struct ast_name unit;
};

struct ast_costs {
    struct ast_cost at[AST_COSTS]; /* by kind */
};

enum ast_verb_kind {
    AST_LIST,
    AST_GET,
    AST_CREATE,
    AST_UPDATE,
    AST_DELETE,
};

struct ast_verb {
    enum ast_verb_kind kind;
    struct span span;
    struct ast_rates rates;
    struct ast_costs costs;
    /* of list: */
    struct ast_names filters;
    struct ast_names orders;
    long limit; /* 0: not said */
    long max;
    struct span limit_span;
    struct span max_span;
};

VEC_STRUCT(ast_verbs, struct ast_verb *);

struct ast_endpoint {
    struct span span;
    struct ast_path table;
    bool has_body; /* false: endpoint t; */
    struct ast_verbs verbs;
    struct ast_name cors; /* optional */
    bool scan_ok;
    struct span inline_span; /* of `inline policies`; `file` NULL: not said */
    struct ast_rates rates;
    struct ast_costs costs;
};

#endif

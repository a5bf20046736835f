/* SPDX-License-Identifier: MIT */
/* The nodes of what is told without being asked: live queries, webhooks; and of `auth { }`. */
#ifndef AST_SERVED_H
#define AST_SERVED_H

#include "syntax/ast.h"

/* live n(args) to r as select ...; or, with a table, live n on t (columns) filter (columns) to r;
 */
struct ast_live {
    struct span span;
    struct ast_name name;
    struct ast_params params;
    struct ast_names roles;    /* empty: to was not written */
    struct ast_select *select; /* or */
    struct ast_path table;     /* and these: */
    struct ast_names columns;  /* empty: all that the roles may read */
    struct ast_names filters;
    long limit; /* 0: not said */
    struct span limit_span;
};

/* `env NAME`, or what stands in its place. */
struct ast_secret {
    struct span span;       /* file NULL: not said */
    struct ast_name env;    /* as written, case and all; or */
    struct ast_string text; /* 'https://...' */
    bool row;               /* a column, or what else has a name: refused */
};

struct ast_webhook {
    struct span span;
    struct ast_name name;
    struct ast_path table;
    struct ast_commands events;
    struct ast_expr *when;    /* optional */
    struct ast_names columns; /* empty: send was not written, or: */
    struct span star;         /* send (*) */
    struct ast_secret to, key;
    long retry;
    struct span retry_span; /* file NULL: not said */
    long within_s;
    struct span within_span;
};

/* A line of auth { }: a name, then strings or a word. */
struct ast_option {
    struct span span;
    struct ast_name name;
    struct ast_strings values;
    struct ast_name word; /* `text` NULL: none */
};

struct ast_auth {
    struct span span;
    struct span word; /* `auth` */
    VEC(struct ast_option) options;
};

#endif

/* SPDX-License-Identifier: MIT */
/* What one request of an endpoint, one of its verbs, or a query may cost. */
#ifndef COST_H
#define COST_H

#include "model/served.h"
#include "syntax/ast.h"

/* Reads and checks what stands together; `has_body`: such requests may bring one. */
struct cost check_cost(const struct ast_costs *ast, bool has_body);

/* Of a query: `slow` says nothing there. */
struct cost check_query_cost(const struct ast_costs *ast);

/* Those of `get` beside `list`, and what a verb says again that the endpoint has said. */
void check_verb_cost(const struct ast_endpoint *endpoint, const struct ast_verb *verb);

#endif

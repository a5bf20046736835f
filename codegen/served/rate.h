/* SPDX-License-Identifier: MIT */
/* How often callers may ask, of an endpoint, one of its verbs, or a query. */
#ifndef RATE_H
#define RATE_H

#include "model/served.h"
#include "syntax/ast.h"

/* Whether some of the callers have no user. */
enum guests {
    GUESTS_NONE,
    GUESTS_SOME,
    GUESTS_UNKNOWN, /* a declaration that would tell could not be read */
};

/* Reads and checks limits that stand together. */
void check_rates(const struct ast_rates *ast, enum guests guests, struct rates *rates);

enum guests check_guests_of(const struct query *query);

/* Limits that those of more requests together reach first. */
void check_rates_within(const struct rates *inner, const struct rates *outer);

#endif

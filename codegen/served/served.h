/* SPDX-License-Identifier: MIT */
/* Between the checks of live queries, webhooks, auth and cors. */
#ifndef CHECK_SERVED_H
#define CHECK_SERVED_H

#include "check/checker.h"
#include "served/url.h"
#include "syntax/ast_served.h"

/* The passes. */
void check_auth(struct checker *checker);
void check_guests(struct checker *checker);
void check_lives(struct checker *checker);
void check_webhooks(struct checker *checker);

/* Where a part of an address stands in the source. */
struct span check_part_span(const struct ast_string *ast, struct url_part part);

/* A host of many, or a lent name; `what` is "origin" or "redirect". */
void check_owner_of_host(const struct ast_string *ast, const struct url *url, const char *what);

#endif

/* SPDX-License-Identifier: MIT */
/* What the files that write generated/access.txt share. */
#ifndef ACCESS_PARTS_H
#define ACCESS_PARTS_H

#include "base/words.h"
#include "emit/out.h"
#include "plan/plan.h"

VEC_STRUCT(access_roles, const struct role *);

/* Built-in ones first, then by name. */
struct access_roles access_roles(const struct model *model);

bool access_is_service(const struct role *role);

/* " as authenticated" where `role` has it from there. */
const char *access_as_role(const struct role *role, const struct role *from);

/* The role of these through which `role` may; NULL: none. */
const struct role *access_nearest(const struct role *const *roles, size_t n,
                                  const struct role *role);

/* "ticket", "billing.invoice" */
const char *access_relation(const struct table *table);

/* Limits in the words of the schema; `verb` may be NULL.  Then the line of them all, if any. */
#define LIMITED "  limited: " /* of what the line stands under */

void access_add_rates(struct words *list, const char *verb, const struct rates *rates);
void access_add_cost(struct words *list, const char *verb, const struct cost *cost);
void access_write_limits(struct out *out, const char *head, const struct words *list);

/* Sorted, a line each, `indent` before them. */
void access_write_sorted(struct out *out, const char *indent, struct words *lines);

/* ---- access_owner.c ---- */

/* What a body that runs with the owner's rights reaches, itself and through all that it calls. */
struct access_reach {
    struct words reads;
    struct words writes[COMMANDS];
    struct words unchecked; /* functions in $$ that it calls */
    VEC(const void *) seen;
};

void access_reach_expr(struct access_reach *reach, const struct expr *expr);
void access_reach_statement(struct access_reach *reach, const struct statement *statement);

/* "a, b", sorted; the words are names as the matrix has them. */
const char *access_reached(struct words *names);

/* ---- access_call.c ---- */

void access_write_triggers(struct out *out, const struct model *model, const struct table *table);
void access_write_calls(struct out *out, const struct plan *plan);

#endif

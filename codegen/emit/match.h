/* SPDX-License-Identifier: MIT */
/* The parts of generated/lives.c that changes are matched by. */
#ifndef EMIT_MATCH_H
#define EMIT_MATCH_H

#include "emit/emit.h"
#include "plan/published.h"

/* matched_N, the columns of the Nth watched table that matchers look at, and where they are
 * compared by their order, matched_N_types; nothing where there are none. */
void emit_matched_columns(struct out *out, const struct published *published, size_t n);
void emit_matched_types(struct out *out, const struct plan *plan);

/* C_NAME_matchers and all that it needs; nothing where there are none. */
void emit_matchers(struct out *out, const struct plan *plan, const struct plan_live *live);

/* holds.c: a function NAME that says whether a row is in the result. */
void emit_holds(struct out *out, const struct plan *plan, const struct match *match,
                const char *name);

/* A live query's result depends on it. */
bool emit_is_watched(const struct plan *plan, const struct table *table);

/* The place of such a table in plan->watched, and of a column in what matchers look at of it. */
size_t emit_watched_place(const struct plan *plan, const struct table *table);
size_t emit_matched_place(const struct plan *plan, const struct column *column);

/* NAME[] of uint16_t. */
void emit_places(struct out *out, const char *name, const size_t *places, size_t n);

#endif

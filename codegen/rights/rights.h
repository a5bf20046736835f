/* SPDX-License-Identifier: MIT */
/*
 * The passes over what grants and policies come to.  Each is a file of one analysis, over the
 * normal form of branch.h.  One that reports a grant, policy or column notes it in the checker, and
 * the next keeps silent about it.
 */
#ifndef CHECK_RIGHTS_H
#define CHECK_RIGHTS_H

#include "check/checker.h"

/* size.c: false when something is too long to be looked into, which is reported. */
bool check_sizes(const struct checker *checker);

/* raw.c: the words of unchecked SQL. */
void check_raw(struct checker *checker);

/* capture.c: names that a sub-select takes. */
void check_captures(struct checker *checker);

/* callers.c: who the caller is, told by something weaker than auth.uid(). */
void check_callers(struct checker *checker);

/* deciding.c: columns that decide rights, and who may write them. */
void check_deciding(struct checker *checker);

/* definer_writes.c: functions that let callers write those columns; after check_deciding(). */
void check_decided_writes(struct checker *checker);

/* tenant.c: rows written where the writer has no business. */
void check_tenants(struct checker *checker);

/* across.c: keys that reach across tenants. */
void check_across(struct checker *checker);

struct branch;

/* The row that the column refers to is looked up among those that the writer sees. */
bool check_is_looked_up(const struct branch *written, const struct column *column,
                        const struct role *role);

/* wide.c: writes that reach further than reads. */
void check_wide_writes(struct checker *checker);

/* exposure.c: columns that a grant gives away. */
void check_exposure(struct checker *checker);

/* negative.c: sides of an `or` that only say which rows are not meant. */
void check_negative_sides(struct checker *checker);

/* cascade.c: deletes that go around a delete policy. */
void check_cascades(const struct checker *checker);

/* deleted.c: rows that are marked as deleted, and still answer. */
void check_deleted(struct checker *checker);

/* standing.c: rows about the caller that may hold no longer. */
void check_standing(struct checker *checker);

/* fallback.c: what passes because nobody named it. */
void check_fallbacks(struct checker *checker);

/* privilege.c: what callers write to their own advantage. */
void check_privileges(struct checker *checker);

/* The `role` of a chat's message says who speaks, and is no right. */
bool check_is_speaker(const struct column *column);

/* record.c: votes, logs and the words of others. */
void check_records(struct checker *checker);

/* codes.c: keys in a list, and what colleagues read. */
void check_codes(struct checker *checker);

/* What opens something for whoever holds it: the token of an invitation. */
bool check_is_code(const struct column *column);

/* guess.c: secrets that strangers guess. */
void check_guesses(const struct checker *checker);

/* race.c: policies that look at the table before they let a row in. */
void check_races(struct checker *checker);

/* restrict.c: restrictive policies that leave writes out. */
void check_restrictions(const struct checker *checker);

/* private.c: private columns that are told by another way. */
void check_private_told(const struct checker *checker);

/* search.c: queries that read a whole table. */
void check_searches(const struct checker *checker);

/* lookup.c, for speed.c: sub-selects of policies that no index serves. */
void check_lookups(struct checker *checker);

/* mixed.c, for open.c: `and` and `or` without parentheses. */
void check_mixed(const struct policy *policy, const struct expr *condition);

/* open.c, for truth.c: what a condition lets in besides those it means. */
void check_opening(const struct checker *checker, const struct policy *policy,
                   const struct expr *condition);

#endif

/* SPDX-License-Identifier: MIT */
/* What the checks of functions with the rights of their owner share. */
#ifndef DEFINER_H
#define DEFINER_H

#include "check/checker.h"

/* A column that a policy compares with the caller. */
struct owner {
    const struct column *column;
    const struct policy *policy;
    const char *identity;
    bool looked_up; /* by way of another table */
};

VEC_STRUCT(owners, struct owner);

/* Those of a table. False when some policy asks for nobody: then there is nothing to go around. */
bool check_owners(const struct table *table, enum command command, struct owners *owners);

/* Something in it is compared with the caller. */
bool check_asks_caller(const struct expr *expr);

void check_report_believing(const struct declared_function *function, const struct owner *owner,
                            struct span param, enum command command);
void check_report_asking_nobody(const struct declared_function *function, const struct owner *owner,
                                struct span table, enum command command);

/* definer_text.c: a definer function whose body is in $$ never asks for its caller. */
void check_definer_text(const struct checker *checker, const struct declared_function *function);

/* Reports a look-up among all users that anybody may make; false: it is none. */
bool check_looks_up_users(const struct declared_function *function, const struct range *range);
bool check_tells_users(const struct declared_function *function, struct span span);

/* raw_request.c: requests in a body in $$. */
void check_requests_text(const struct declared_function *function);

/* definer_given.c: what a function returns that its caller may not read. */
void check_definer_gives(const struct declared_function *function);

/* definer_writes.c: a definer function that lets everybody write. */
void check_open_writes(const struct declared_function *function);

/* guess.c: rows by a number that anybody can count. */
void check_counted(const struct declared_function *function);

/* definer_amount.c: sums that are moved by any number. */
void check_amounts(const struct declared_function *function);

/* ---- definer_param.c ---- */

/* An argument that switches the question off, an upsert over others' rows; true: reported. */
bool check_definer_params(const struct declared_function *function);

/* auth.uid() <> who, in a body in $$ that visitors may run. */
void check_unequal_text(const struct declared_function *function);

#endif

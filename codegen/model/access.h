/* SPDX-License-Identifier: MIT */
/*
 * Questions to the model about rights, with inheritance: who may do what.  A role has its own
 * grants and policies and those of the roles it inherits from; service_role may do everything.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "model/model.h"

/* "select", "insert", ... */
const char *command_name(enum command command);

/* "list", "get", ... */
const char *verb_name(enum verb verb);

/* "address" */
const char *rate_by_name(enum rate_by by);

/* The command that a verb of an endpoint needs. */
enum command verb_command(enum verb verb);

/* An earlier policy of the table is of the same declaration. */
bool policy_is_repeated(const struct policy *policy);

/* An argument is a row of a table. */
bool function_takes_row(const struct declared_function *function);

/* `role` is `other` or inherits from it. */
bool role_is(const struct role *role, const struct role *other);

/* A grant lets the role do it with some column (or with whole rows: delete). */
bool access_table(const struct role *role, const struct table *table, enum command command);

/* The same for this column; true where the grant names no columns. */
bool access_column(const struct role *role, const struct column *column, enum command command);

/* Some role of the schema's may; service_role may read all. */
bool access_read_by_some(const struct model *model, const struct column *column);

/* The grant is of this column, or of whole rows. */
bool grant_holds_for(const struct grant *grant, const struct column *column);

/* Where it names the column; without a list, where it stands. */
struct span grant_place(const struct grant *grant, const struct column *column);

/* A new row has a value for it that nobody gave: a default, an identity, a generated column. */
bool column_fills_itself(const struct column *column);

/* It is the ancestor, a part of it, or inherits from it: then its rows are rows of the ancestor. */
bool table_descends_from(const struct table *table, const struct table *ancestor);

/* The policy holds for this role and command. */
bool policy_applies(const struct policy *policy, const struct role *role, const struct table *table,
                    enum command command);

/* Some permissive policy does. */
bool access_policed(const struct role *role, const struct table *table, enum command command);

#endif

/* SPDX-License-Identifier: MIT */
/* Grants and policies of one table are few: each question walks its lists. */
#include "model/access.h"

#include "model/types.h"

#include <string.h>

const char *
command_name(enum command command)
{
    static const char *const names[] = {"select", "insert", "update", "delete"};

    return names[command];
}

const char *
rate_by_name(enum rate_by by)
{
    static const char *const names[] = {
        [RATE_BY_ADDRESS] = "address", [RATE_BY_USER] = "user", [RATE_BY_KEY] = "key"};

    return names[by];
}

const char *
verb_name(enum verb verb)
{
    static const char *const names[] = {"list", "get", "create", "update", "delete"};

    return names[verb];
}

enum command
verb_command(enum verb verb)
{
    static const enum command commands[] = {
        [VERB_LIST] = CMD_SELECT,   [VERB_GET] = CMD_SELECT,    [VERB_CREATE] = CMD_INSERT,
        [VERB_UPDATE] = CMD_UPDATE, [VERB_DELETE] = CMD_DELETE,
    };

    return commands[verb];
}

static bool
is_service(const struct role *role)
{
    return role->builtin && strcmp(role->name, "service_role") == 0;
}

bool
role_is(const struct role *role, const struct role *other)
{
    for (; role; role = role->inherits)
        if (role == other)
            return true;
    return false;
}

static bool
grant_applies(const struct grant *grant, const struct role *role, enum command command)
{
    return grant->command == command && role_is(role, grant->role);
}

bool
grant_holds_for(const struct grant *grant, const struct column *column)
{
    for (size_t i = 0; i < grant->columns.n; i++)
        if (grant->columns.at[i] == column)
            return true;
    return grant->columns.n == 0;
}

struct span
grant_place(const struct grant *grant, const struct column *column)
{
    for (size_t i = 0; i < grant->columns.n; i++)
        if (grant->columns.at[i] == column)
            return grant->column_spans.at[i];
    return grant->span;
}

bool
access_table(const struct role *role, const struct table *table, enum command command)
{
    if (is_service(role))
        return true;
    for (size_t i = 0; i < table->grants.n; i++)
        if (grant_applies(table->grants.at[i], role, command))
            return true;
    return false;
}

bool
access_column(const struct role *role, const struct column *column, enum command command)
{
    if (column->generated && (command == CMD_INSERT || command == CMD_UPDATE))
        return false;
    if (is_service(role))
        return true;
    for (size_t i = 0; i < column->table->grants.n; i++)
        if (grant_applies(column->table->grants.at[i], role, command) &&
            grant_holds_for(column->table->grants.at[i], column))
            return true;
    return false;
}

bool
access_read_by_some(const struct model *model, const struct column *column)
{
    for (size_t i = 0; i < model->roles.n; i++)
        if (!is_service(model->roles.at[i]) &&
            access_column(model->roles.at[i], column, CMD_SELECT))
            return true;
    return false;
}

bool
column_fills_itself(const struct column *column)
{
    return column->default_expr || column->generated || column->identity != IDENTITY_NONE ||
           type_has_default(column->type);
}

bool
table_descends_from(const struct table *table, const struct table *ancestor)
{
    if (table == ancestor)
        return true;
    if (table->partition_of)
        return table_descends_from(table->partition_of, ancestor);
    for (size_t i = 0; i < table->inherits.n; i++)
        if (table_descends_from(table->inherits.at[i], ancestor))
            return true;
    return false;
}

bool
policy_applies(const struct policy *policy, const struct role *role, const struct table *table,
               enum command command)
{
    if (policy->table != table || policy->command != command)
        return false;
    for (size_t i = 0; i < policy->roles.n; i++)
        if (role_is(role, policy->roles.at[i]))
            return true;
    return false;
}

bool
function_takes_row(const struct declared_function *function)
{
    for (size_t i = 0; i < function->params.n; i++)
        if (type_is_row(function->params.at[i]->type))
            return true;
    return false;
}

bool
policy_is_repeated(const struct policy *policy)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (strcmp(others[i]->name, policy->name) == 0)
            return true;
    return false;
}

bool
access_policed(const struct role *role, const struct table *table, enum command command)
{
    if (is_service(role))
        return true;
    for (size_t i = 0; i < table->policies.n; i++)
        if (!table->policies.at[i]->restrictive &&
            policy_applies(table->policies.at[i], role, table, command))
            return true;
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Grants that cannot work: an insert that leaves out a column which every row needs, an update or
 * delete that cannot say which row it means.
 */
#include "check/checker.h"

#include <string.h>

static bool
is_first(const struct grant *grant)
{
    for (size_t i = 0; grant->table->grants.at[i] != grant; i++)
        if (grant->table->grants.at[i]->command == grant->command &&
            grant->table->grants.at[i]->role == grant->role)
            return false;
    return true;
}

/* ---- inserts ---- */

/* Something may fill the row in before it is tested. */
static bool
has_insert_trigger(const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->triggers.n; i++)
        if (model->triggers.at[i]->table == table && model->triggers.at[i]->time == TRIGGER_BEFORE)
            return true;
    for (size_t i = 0; i < model->raw_sqls.n; i++)
        if (strstr(model->raw_sqls.at[i]->up, "trigger") ||
            strstr(model->raw_sqls.at[i]->up, "TRIGGER"))
            return true;
    return false;
}

static void
check_insert(const struct model *model, const struct grant *grant)
{
    const struct table *table = grant->table;

    if (has_insert_trigger(model, table))
        return;
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct column *column = table->columns.at[i];
        struct diag *diag;

        if (!column->not_null || column_fills_itself(column) ||
            access_column(grant->role, column, CMD_INSERT))
            continue;
        diag = diag_at(grant->span, PGS1292_INSERT_CANNOT_WORK,
                       "role \"%s\" may insert into \"%s\", but never can: every row needs \"%s\", "
                       "which the grant leaves out",
                       grant->role->name, table->name, column->name);
        diag_note(diag, column->span, "\"%s\" is not null and has no default", column->name);
        diag_hint(diag, "add %s to the grant, or give the column a default", column->name);
        return;
    }
}

/* ---- updates and deletes ---- */

static const struct endpoint *
serving(const struct model *model, const struct table *table, enum command command)
{
    for (size_t i = 0; i < model->endpoints.n; i++) {
        const struct endpoint *endpoint = model->endpoints.at[i];
        enum verb verb = command == CMD_UPDATE ? VERB_UPDATE : VERB_DELETE;

        if (endpoint->table == table && (endpoint->open || endpoint->verbs[verb]))
            return endpoint;
    }
    return NULL;
}

static bool
is_readable(const struct role *role, const struct column *column)
{
    return !column->is_private && access_column(role, column, CMD_SELECT);
}

/* A column that a request may filter by and the role may read. */
static bool
has_filter(const struct endpoint *endpoint, const struct role *role)
{
    const struct table *table = endpoint->table;

    for (size_t i = 0; endpoint->open && i < table->columns.n; i++)
        if (is_readable(role, table->columns.at[i]))
            return true;
    for (size_t i = 0; i < endpoint->filters.n; i++)
        if (is_readable(role, endpoint->filters.at[i]))
            return true;
    return false;
}

static const struct column *
unreadable_key(const struct table *table, const struct role *role)
{
    for (size_t i = 0; table->primary_key && i < table->primary_key->columns.n; i++)
        if (!is_readable(role, table->primary_key->columns.at[i]))
            return table->primary_key->columns.at[i];
    return NULL;
}

static void
check_names_row(const struct model *model, const struct grant *grant)
{
    const struct endpoint *endpoint = serving(model, grant->table, grant->command);
    const struct column *key = unreadable_key(grant->table, grant->role);
    const char *command = command_name(grant->command);
    struct diag *diag;

    if (!endpoint || !key || !access_table(grant->role, grant->table, CMD_SELECT))
        return; /* who may select nothing at all: check_wide.c */
    if (has_filter(endpoint, grant->role))
        diag = diag_at(grant->span, PGS1294_KEY_UNREADABLE,
                       "role \"%s\" may %s rows of \"%s\", but not by their key: it may not read "
                       "\"%s\"",
                       grant->role->name, command, grant->table->name, key->name);
    else
        diag = diag_at(grant->span, PGS1293_CANNOT_NAME_ROW,
                       "role \"%s\" may %s rows of \"%s\", but can never say which: it may not "
                       "read \"%s\"",
                       grant->role->name, command, grant->table->name, key->name);
    diag_note(diag, endpoint->span, "every %s that is served has a filter", command);
    diag_hint(diag, "add `grant select (%s) on %s to %s`", key->name, grant->table->name,
              grant->role->name);
}

void
check_useless_grants(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->grants.n; i++) {
        const struct grant *grant = model->grants.at[i];

        if (grant->table->is_view || !is_first(grant))
            continue;
        if (grant->command == CMD_INSERT)
            check_insert(model, grant);
        else if (grant->command == CMD_UPDATE || grant->command == CMD_DELETE)
            check_names_row(model, grant);
    }
}

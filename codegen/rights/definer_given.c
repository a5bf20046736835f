/* SPDX-License-Identifier: MIT */
/* What a function gives away: columns that are private, or that its caller is not granted. */
#include "rights/definer.h"

#include <string.h>

#include "rights/branch.h"

struct giving {
    const struct declared_function *function;
    bool reported;
};

static bool
reads_some(const struct role *role, const struct table *table)
{
    return access_table(role, table, CMD_SELECT);
}

static void
visit_given(const struct expr *source, void *data)
{
    struct giving *giving = data;
    const struct column *column = source->column;
    struct diag *diag;

    if (giving->reported)
        return;
    if (column->is_private) {
        giving->reported = true;
        diag = diag_at(source->span, PGS3205_DEFINER_GIVES_PRIVATE,
                       "function \"%s\" returns %s.%s, which is private", giving->function->name,
                       column->table->name, column->name);
        diag_note(diag, column->span, "it is marked here");
        diag_hint(diag, "leave it out: compare it inside the function");
        return;
    }
    for (size_t i = 0; giving->function->definer && i < giving->function->roles.n; i++) {
        const struct role *role = giving->function->roles.at[i];

        if (!reads_some(role, column->table) || access_column(role, column, CMD_SELECT))
            continue;
        giving->reported = true;
        diag = diag_at(source->span, PGS3206_DEFINER_GIVES_COLUMN,
                       "definer function \"%s\" gives \"%s\" %s.%s, which its grants leave out",
                       giving->function->name, role->name, column->table->name, column->name);
        diag_hint(diag, "leave it out, or grant it: `grant select (%s) on %s to %s`", column->name,
                  column->table->name, role->name);
        return;
    }
}

void
check_definer_gives(const struct declared_function *function)
{
    struct giving giving = {.function = function};
    const struct outputs *outputs = check_outputs_of(function->body);

    if (function->returns_void || function->roles.n == 0)
        return;
    if (function->body->select && function->body->kind == STATEMENT_SELECT) {
        walk_select_sources(function->body->select, visit_given, &giving);
        return;
    }
    for (size_t i = 0; i < outputs->n; i++)
        walk_sources(outputs->at[i].expr, visit_given, &giving);
}

/* ---- the users of the platform ---- */

static void
find_value(const struct expr *expr, void *data)
{
    bool *found = data;

    *found |= expr->kind == EXPR_PARAM;
}

/* What is asked is the caller's choice: an address, an id. */
static bool
looks_up(const struct statement *body)
{
    bool found = false;

    walk_statement(body, find_value, &found);
    return found;
}

bool
check_looks_up_users(const struct declared_function *function, const struct range *range)
{
    return range->table->builtin && strcmp(range->table->name, "users") == 0 &&
           looks_up(function->body) && check_tells_users(function, range->span);
}

bool
check_tells_users(const struct declared_function *function, struct span span)
{
    struct diag *diag;

    if (!check_is_for_anybody(&function->roles))
        return false;
    diag =
        diag_at(span, PGS3204_DEFINER_ASKS_NOBODY,
                "definer function \"%s\" looks up any user for whoever calls: it tells who has an "
                "account",
                function->name);
    diag_hint(diag, "let it do what the look-up is for, an invitation or a share, after asking who "
                    "calls; or compare `id = auth.uid()`");
    return true;
}

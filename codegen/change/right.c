/* SPDX-License-Identifier: MIT */
/* Policies, predicates and grants that give more than before. */
#include <string.h>

#include "change/change.h"

/* ---- policies ---- */

static const struct policy *
policy_now(const struct table *now, const struct policy *last)
{
    for (size_t i = 0; i < now->policies.n; i++)
        if (strcmp(now->policies.at[i]->sql_name, last->sql_name) == 0)
            return now->policies.at[i];
    return NULL;
}

static bool
is_public(const struct expr *expr)
{
    return expr && expr->kind == EXPR_PUBLIC;
}

/* One of the parts of `whole`, joined by `op`, has the words of `part`. */
static bool
has_part(const struct expr *whole, const char *op, const struct expr *part)
{
    if (check_is_op(whole, op) && whole->args.n == 2)
        return has_part(whole->args.at[0], op, part) || has_part(whole->args.at[1], op, part);
    return change_same_words(whole->span, part->span);
}

static bool
has_all_parts(const struct expr *whole, const char *op, const struct expr *parts)
{
    if (check_is_op(parts, op) && parts->args.n == 2)
        return has_all_parts(whole, op, parts->args.at[0]) &&
               has_all_parts(whole, op, parts->args.at[1]);
    return has_part(whole, op, parts);
}

/* The first part of `whole` that `others` has not; NULL: none. */
static const struct expr *
part_without(const struct expr *whole, const char *op, const struct expr *others)
{
    const struct expr *left;

    if (!check_is_op(whole, op) || whole->args.n != 2)
        return has_part(others, op, whole) ? NULL : whole;
    left = part_without(whole->args.at[0], op, others);
    return left ? left : part_without(whole->args.at[1], op, others);
}

/* The rows that a plain sub-select looks among, in its words. */
static bool
same_rows(const struct select *last, const struct select *now)
{
    if (last->kind != SELECT_PLAIN || now->kind != SELECT_PLAIN || last->from.n != now->from.n ||
        last->group_by.n > 0 || now->group_by.n > 0)
        return false;
    for (size_t i = 0; i < now->from.n; i++)
        if (strcmp(last->from.at[i]->table->name, now->from.at[i]->table->name) != 0 ||
            strcmp(last->from.at[i]->alias, now->from.at[i]->alias) != 0)
            return false;
    return now->from.n > 0;
}

/* `a and b` was, `a` is: the part that is no longer asked for; of a look-up as well. */
static const struct expr *
lost_part(const struct expr *last, const struct expr *now)
{
    if (last->kind == EXPR_EXISTS && now->kind == EXPR_EXISTS && !last->negated && !now->negated &&
        last->select->where && now->select->where && same_rows(last->select, now->select))
        return lost_part(last->select->where, now->select->where);
    return check_is_op(last, "and") && has_all_parts(last, "and", now)
               ? part_without(last, "and", now)
               : NULL;
}

/* `a` was, `a or b` is: the part that is new. */
static const struct expr *
added_part(const struct expr *last, const struct expr *now)
{
    return check_is_op(now, "or") && has_all_parts(now, "or", last) ? part_without(now, "or", last)
                                                                    : NULL;
}

/* `what` is "policy \"p\" on \"t\"". */
static struct diag *
opened(const char *what, const struct expr *last_expr, const struct expr *expr)
{
    const struct expr *part;

    if (!last_expr || !expr || is_public(last_expr) || is_public(expr))
        return NULL;
    part = lost_part(last_expr, expr);
    if (part)
        return diag_at(expr->span, PGS4506_POLICY_OPENED, "%s no longer asks for `%.*s`", what,
                       (int)(part->span.end - part->span.start),
                       part->span.file->text + part->span.start);
    part = added_part(last_expr, expr);
    if (part)
        return diag_at(part->span, PGS4506_POLICY_OPENED, "%s opens rows by this from now on",
                       what);
    return NULL;
}

static bool
is_for(const struct policy *policy, const char *role)
{
    for (size_t i = 0; i < policy->roles.n; i++)
        if (strcmp(policy->roles.at[i]->name, role) == 0)
            return true;
    return false;
}

/* To whoever has no token, and was not named before. */
static bool
opens_to_visitors(const struct policy *last, const struct policy *now)
{
    return !now->restrictive && is_for(now, "anon") && !is_for(last, "anon");
}

/* What it held back before, it does no longer. */
static void
check_opened(const struct change *change, const struct policy *last)
{
    const struct table *table = change_table_now(change, last->table);
    const struct policy *now = table ? policy_now(table, last) : NULL;
    struct diag *diag;

    if (!now || policy_is_repeated(now))
        return;
    if (last->restrictive && !now->restrictive)
        diag = diag_at(now->span, PGS4506_POLICY_OPENED,
                       "policy \"%s\" on \"%s\" held rows back, and opens rows now", now->name,
                       table->name);
    else if (opens_to_visitors(last, now))
        diag = diag_at(now->span, PGS4506_POLICY_OPENED,
                       "policy \"%s\" on \"%s\" is for visitors, too, from now on", now->name,
                       table->name);
    else if (!now->restrictive && !is_public(last->using_expr) && is_public(now->using_expr))
        diag =
            diag_at(now->using_expr->span, PGS4506_POLICY_OPENED,
                    "policy \"%s\" on \"%s\" opens every row from now on", now->name, table->name);
    else {
        const char *what = arena_printf("policy \"%s\" on \"%s\"", now->name, table->name);

        diag = opened(what, last->using_expr, now->using_expr);
        if (!diag)
            diag = opened(what, last->check_expr, now->check_expr);
        if (!diag)
            return;
    }
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "`pgstack diff --access` says who gains what; after the next snapshot nothing "
                    "more is said");
}

/* Policies that call it open with it. */
static void
check_predicate(const struct change *change, const struct predicate *last)
{
    for (size_t i = 0; i < change->now->predicates.n; i++) {
        const struct predicate *now = change->now->predicates.at[i];
        struct diag *diag;

        if (strcmp(now->name, last->name) != 0)
            continue;
        diag = opened(arena_printf("predicate \"%s\"", now->name), last->body, now->body);
        if (!diag)
            return;
        diag_note(diag, last->span, "it was here");
        diag_hint(diag, "`pgstack diff --access` says which policies call it; after the next "
                        "snapshot nothing more is said");
    }
}

/* ---- grants ---- */

static const struct role *
role_before(const struct model *last, const struct role *now)
{
    for (size_t i = 0; i < last->roles.n; i++)
        if (strcmp(last->roles.at[i]->name, now->name) == 0)
            return last->roles.at[i];
    return NULL;
}

/* The grant of some columns, where there was no grant of all. */
static const struct grant *
columns_before(const struct table *last, const struct role *role, enum command command)
{
    const struct grant *found = NULL;

    for (size_t i = 0; i < last->grants.n; i++) {
        const struct grant *grant = last->grants.at[i];

        if (grant->role != role || grant->command != command)
            continue;
        if (grant->columns.n == 0)
            return NULL;
        found = grant;
    }
    return found;
}

static void
check_columns_opened(const struct change *change, const struct grant *now)
{
    const struct table *table =
        now->columns.n > 0 || now->table->is_view ? NULL : change_table_before(change, now->table);
    const struct role *role = table ? role_before(change->last, now->role) : NULL;
    const struct grant *last = role ? columns_before(table, role, now->command) : NULL;

    for (size_t i = 0; last && i < now->table->columns.n; i++) {
        const struct column *column = now->table->columns.at[i];
        const struct column *before = change_column_before(table, column);
        struct diag *diag;

        if (column->generated || column->is_private ||
            (before && access_column(role, before, now->command)))
            continue;
        diag =
            diag_at(now->span, PGS4327_COLUMNS_OPENED,
                    "the list of columns is gone: \"%s\" may use %s.%s, too, and every column of "
                    "tomorrow",
                    now->role->name, now->table->name, column->name);
        diag_note(diag, last->span, "it was here");
        diag_hint(diag, "list the columns");
        return;
    }
}

void
change_check_rights(const struct change *change)
{
    for (size_t i = 0; i < change->last->policies.n; i++)
        check_opened(change, change->last->policies.at[i]);
    for (size_t i = 0; i < change->last->predicates.n; i++)
        check_predicate(change, change->last->predicates.at[i]);
    for (size_t i = 0; i < change->now->grants.n; i++)
        check_columns_opened(change, change->now->grants.at[i]);
}

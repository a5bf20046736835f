/* SPDX-License-Identifier: MIT */
/*
 * I51: what was in the last model and is no longer there.  Whether it goes by another name now or
 * is lost on purpose, only the author knows: it has to be written.
 */
#include <string.h>

#include "base/str.h"
#include "change/change.h"

/* ---- words of the source ---- */

#define SHOWN_MAX 60

/* The column as it is written, on one line; shortened where it is long. */
static const char *
column_text(const struct change *change, const struct column *column)
{
    const struct ast_column *ast = NULL;
    struct str text = {0};

    for (size_t i = 0; i < change->checker->tables.n; i++)
        for (size_t j = 0; j < change->checker->tables.at[i].ast->columns.n; j++)
            if (check_same_place(change->checker->tables.at[i].ast->columns.at[j]->name.span,
                                 column->span))
                ast = change->checker->tables.at[i].ast->columns.at[j];
    if (!ast || ast->span.end - ast->span.start > SHOWN_MAX ||
        memchr(ast->span.file->text + ast->span.start, '\n', ast->span.end - ast->span.start))
        return arena_printf("%s %s ...", column->name, type_text(column->type));
    for (size_t i = ast->span.start; i < ast->span.end; i++)
        if (ast->span.file->text[i] != ' ' || ast->span.file->text[i - 1] != ' ')
            str_add(&text, ast->span.file->text + i, 1);
    return text.at;
}

/* ---- columns ---- */

/* A new column that might be it: of its type if there is one. */
static const struct column *
new_column(const struct change *change, const struct table *last, const struct table *now,
           const struct column *gone)
{
    const struct column *found = NULL;

    for (size_t i = 0; i < now->columns.n; i++) {
        const struct column *column = now->columns.at[i];

        if (change_column_before(last, column) || column->was || change_is_suspect(change, column))
            continue;
        if (change_same_type(change, gone->type, column->type))
            return column;
        if (!found)
            found = column;
    }
    return found;
}

static bool
is_dropped_column(const struct table *now, const char *name)
{
    for (size_t i = 0; i < now->drops.n; i++)
        if (strcmp(now->drops.at[i], name) == 0)
            return true;
    return false;
}

static void
report_column(struct change *change, const struct table *last, const struct table *now,
              const struct column *gone)
{
    const struct column *maybe = new_column(change, last, now, gone);
    struct diag *diag = diag_at(maybe ? maybe->span : now->span, PGS4501_COLUMN_GONE,
                                "column \"%s\" of \"%s\" is gone, and nothing says where it went",
                                gone->name, now->name);

    diag_note(diag, gone->span, "it was here");
    if (maybe)
        vec_push(&change->suspects, maybe);
    if (maybe)
        diag_hint(diag, "write `%s was %s` to rename it, or `drop column %s` to lose it",
                  column_text(change, maybe), gone->name, gone->name);
    else
        diag_hint(diag, "write `drop column %s` in the table to lose it, with what it holds",
                  gone->name);
}

static void
check_columns(struct change *change, const struct table *last, const struct table *now)
{
    for (size_t i = 0; i < last->columns.n; i++) {
        const struct column *column = last->columns.at[i];

        if (!change_column_now(now, column) && !is_dropped_column(now, column->name))
            report_column(change, last, now, column);
    }
}

/* ---- tables ---- */

static bool
is_dropped(const struct change *change, enum drop_kind kind, const char *name)
{
    for (size_t i = 0; i < change->now->drops.n; i++)
        if (change->now->drops.at[i]->kind == kind &&
            strcmp(change->now->drops.at[i]->name, name) == 0)
            return true;
    return false;
}

static size_t
columns_in_common(const struct table *a, const struct table *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->columns.n; i++)
        n += check_column_named(b, a->columns.at[i]->name) != NULL;
    return n;
}

/* The new table that has most of its columns. */
static const struct table *
new_table(const struct change *change, const struct table *gone)
{
    const struct table *found = NULL;

    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *table = change->now->tables.at[i];

        if (table->builtin || table->is_view || table->was || change_table_before(change, table) ||
            change_is_suspect(change, table))
            continue;
        if (columns_in_common(gone, table) > (found ? columns_in_common(gone, found) : 0))
            found = table;
    }
    return found;
}

static void
report_table(struct change *change, const struct table *gone)
{
    const struct table *maybe = new_table(change, gone);
    struct diag *diag = diag_at(maybe ? maybe->span : gone->span, PGS4500_TABLE_GONE,
                                "table \"%s\" is gone, and nothing says where it went", gone->name);

    if (maybe) {
        vec_push(&change->suspects, maybe);
        diag_note(diag, gone->span, "it was here");
        if (strcmp(maybe->name, gone->name) == 0)
            diag_hint(diag, "nothing moves a table between schemas yet: leave it where it was");
        else
            diag_hint(diag,
                      "write `table %s was %s (...)` to rename it, or `drop table %s;` to lose it",
                      maybe->name, gone->name, gone->name);
    } else {
        diag_hint(diag, "write `drop table %s;` to lose it, with all of its rows", gone->name);
    }
}

static void
check_gone_table(struct change *change, const struct table *last)
{
    const struct table *now = change_table_now(change, last);
    struct diag *diag;

    if (now && now->is_view) {
        diag = diag_at(now->span, PGS4536_KIND_CHANGED,
                       "\"%s\" was a table and is a view now: its rows would be lost", now->name);
        diag_note(diag, last->span, "it was here");
        diag_hint(diag,
                  "give the view another name, and write `drop table %s;` when the rows are "
                  "no longer needed",
                  last->name);
    } else if (now) {
        check_columns(change, last, now);
    } else if (!is_dropped(change, DROP_TABLE, last->name)) {
        report_table(change, last);
    }
}

/* ---- types, roles, policies ---- */

static void
check_enum(struct change *change, const struct enumeration *last)
{
    const struct enumeration *maybe = NULL;
    struct diag *diag;

    if (change_type_now(change, last) || is_dropped(change, DROP_TYPE, last->name))
        return;
    for (size_t i = 0; i < change->now->enumerations.n && !maybe; i++)
        if (!change_type_before(change, change->now->enumerations.at[i]) &&
            !change->now->enumerations.at[i]->was &&
            !change_is_suspect(change, change->now->enumerations.at[i]))
            maybe = change->now->enumerations.at[i];
    diag = diag_at(maybe ? maybe->span : last->span, PGS4503_TYPE_GONE,
                   "type \"%s\" is gone, and nothing says where it went", last->name);
    if (maybe) {
        vec_push(&change->suspects, maybe);
        diag_note(diag, last->span, "it was here");
        diag_hint(diag, "write `type %s was %s as enum (...)` to rename it, or `drop type %s;`",
                  maybe->name, last->name, last->name);
    } else {
        diag_hint(diag, "write `drop type %s;`", last->name);
    }
}

static const struct role *
role_now(const struct change *change, const struct role *last)
{
    for (size_t i = 0; i < change->now->roles.n; i++) {
        const struct role *role = change->now->roles.at[i];

        if (strcmp(role->name, last->name) == 0 ||
            (role->was && strcmp(role->was, last->name) == 0))
            return role;
    }
    return NULL;
}

static bool
is_dropped_role(const struct change *change, const struct role *last)
{
    const struct ast_names *drops = &change->checker->ast->role_drops;

    for (size_t i = 0; i < drops->n; i++)
        if (strcmp(drops->at[i].text, last->name) == 0)
            return true;
    return false;
}

static void
check_gone_role(const struct change *change, const struct role *last)
{
    struct diag *diag;

    if (role_now(change, last) || is_dropped_role(change, last))
        return;
    diag = diag_at(last->span, PGS4504_ROLE_GONE,
                   "role \"%s\" is gone: whoever has it would be an ordinary user", last->name);
    diag_hint(diag, "write `role new_name was %s when ...` to rename it, or `drop role %s;`",
              last->name, last->name);
}

static bool
has_policy(const struct table *now, const struct policy *last)
{
    for (size_t i = 0; i < now->policies.n; i++) {
        const struct policy *policy = now->policies.at[i];

        if (strcmp(policy->name, last->name) == 0 ||
            (policy->was && strcmp(policy->was, last->name) == 0))
            return true;
    }
    return false;
}

static bool
is_dropped_policy(const struct change *change, const struct policy *last)
{
    const struct ast *ast = change->checker->ast;

    for (size_t i = 0; i < ast->policy_drops.n; i++)
        if (strcmp(ast->policy_drops.at[i].name.text, last->name) == 0 &&
            strcmp(ast->policy_drops.at[i].table.name.text, last->table->name) == 0)
            return true;
    return false;
}

/* A declaration for several commands has become several policies. */
static bool
is_first_of_name(const struct policy *policy)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (strcmp(others[i]->name, policy->name) == 0)
            return false;
    return true;
}

static void
check_gone_policy(const struct change *change, const struct policy *last)
{
    const struct table *now = change_table_now(change, last->table);
    struct diag *diag;

    if (!now || !is_first_of_name(last) || has_policy(now, last) || is_dropped_policy(change, last))
        return;
    diag = diag_at(now->span, PGS4505_POLICY_GONE,
                   last->restrictive
                       ? "policy \"%s\" on \"%s\" is gone: it held rows back, which others now open"
                       : "policy \"%s\" on \"%s\" is gone, and nothing says that it may",
                   last->name, now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag,
              "write `drop policy %s on %s;`, or `policy new_name was %s on %s ...` if it "
              "goes by another name",
              last->name, last->table->name, last->name, now->name);
}

/* ---- schemas, and parts of tables ---- */

static void
check_schema(const struct change *change, const struct schema *last)
{
    struct diag *diag;

    for (size_t i = 0; i < change->now->schemas.n; i++)
        if (strcmp(change->now->schemas.at[i]->name, last->name) == 0)
            return;
    if (is_dropped(change, DROP_SCHEMA, last->name))
        return;
    diag = diag_at(last->span, PGS4507_SCHEMA_GONE,
                   "schema \"%s\" is gone, and nothing says that it may", last->name);
    diag_hint(diag, "write `drop schema %s;`", last->name);
}

/* PostgreSQL cannot turn the one into the other: all rows would have to move. */
static void
check_partitioned(const struct change *change, const struct table *last)
{
    const struct table *now = change_table_now(change, last);
    struct diag *diag;

    if (!now || now->is_view || last->is_view)
        return;
    if (!now->partition_of != !last->partition_of) {
        diag = diag_at(now->span, PGS4537_PARTITIONED,
                       now->partition_of ? "\"%s\" was a table of its own and is a partition now"
                                         : "\"%s\" was a partition and is a table of its own now",
                       now->name);
        diag_note(diag, last->span, "it was here");
        diag_hint(diag, "make a table of another name, move the rows, then `drop table %s;`",
                  last->name);
        return;
    }
    if (!now->partitioning == !last->partitioning)
        return;
    diag = diag_at(now->span, PGS4537_PARTITIONED,
                   now->partitioning
                       ? "\"%s\" was a plain table and is partitioned now, which PostgreSQL cannot "
                         "make of it"
                       : "\"%s\" was partitioned and is a plain table now, which PostgreSQL cannot "
                         "make of it",
                   now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "make a table of another name, move the rows, then `drop table %s;`",
              last->name);
}

void
change_check_gone(struct change *change)
{
    const struct model *last = change->last;

    for (size_t i = 0; i < last->tables.n; i++)
        if (!last->tables.at[i]->builtin && !last->tables.at[i]->is_view)
            check_gone_table(change, last->tables.at[i]);
    for (size_t i = 0; i < last->enumerations.n; i++)
        check_enum(change, last->enumerations.at[i]);
    for (size_t i = 0; i < last->roles.n; i++)
        if (!last->roles.at[i]->builtin)
            check_gone_role(change, last->roles.at[i]);
    for (size_t i = 0; i < last->policies.n; i++)
        check_gone_policy(change, last->policies.at[i]);
    for (size_t i = 0; i < last->schemas.n; i++)
        check_schema(change, last->schemas.at[i]);
    for (size_t i = 0; i < last->tables.n; i++)
        if (!last->tables.at[i]->builtin)
            check_partitioned(change, last->tables.at[i]);
}

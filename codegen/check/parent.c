/* SPDX-License-Identifier: MIT */
/*
 * Tables that take their columns from others: partitions and children.  PostgreSQL holds a request
 * to the policies of the table that it names, so that the rows of a parent that has rights must not
 * be reached by the name of a part.
 */
#include "check/checker.h"
#include "model/access.h"

#include <string.h>

/* ---- who the parents are ---- */

static const struct table *
find_parent(struct checker *checker, const struct declared_table *declared,
            const struct ast_path *path)
{
    const struct table *parent = check_find_table(checker, path);
    struct diag *diag;

    if (!parent)
        return NULL;
    if (parent->is_view || parent->builtin) {
        diag = diag_at(path->span, PGS1288_PARENT, "\"%s\" cannot be a parent", parent->name);
        diag_hint(diag, "a parent is a table of your own");
        return NULL;
    }
    if (table_descends_from(parent, declared->table)) {
        diag = diag_at(path->span, PGS1288_PARENT, "table \"%s\" would be its own parent",
                       declared->table->name);
        diag_hint(diag, "break the circle");
        return NULL;
    }
    return parent;
}

static bool
is_partitioned(const struct checker *checker, const struct table *table)
{
    for (size_t i = 0; i < checker->tables.n; i++)
        if (checker->tables.at[i].table == table)
            return checker->tables.at[i].ast->partition_by.text != NULL;
    return false;
}

static void
find_whole(struct checker *checker, const struct declared_table *declared)
{
    const struct ast_table *ast = declared->ast;
    const struct table *whole = find_parent(checker, declared, &ast->partition_of);
    struct diag *diag;

    if (!whole)
        return;
    if (!is_partitioned(checker, whole)) {
        diag = diag_at(ast->partition_of.span, PGS1283_NOT_PARTITIONED,
                       "\"%s\" is not partitioned: it has no partitions", whole->name);
        diag_note(diag, whole->span, "\"%s\" is here", whole->name);
        diag_hint(diag, "write `partition by range (...)` behind its columns");
    }
    declared->table->partition_of = whole;
}

static void
find_parents(struct checker *checker, const struct declared_table *declared)
{
    for (size_t i = 0; i < declared->ast->inherits.n; i++) {
        const struct ast_path *path = &declared->ast->inherits.at[i];
        const struct table *parent = find_parent(checker, declared, path);
        struct diag *diag;

        if (!parent)
            continue;
        vec_push(&declared->table->inherits, parent);
        if (!is_partitioned(checker, parent) && !declared->ast->partition_by.text &&
            !parent->partition_of)
            continue;
        diag = diag_at(path->span, PGS1288_PARENT,
                       "partitioned tables and partitions neither inherit nor are inherited from");
        diag_hint(diag, "write `partition of`, or leave `inherits` out");
    }
}

/* ---- their columns ---- */

static struct column *
copy_column(struct table *table, const struct column *column)
{
    struct column *copy = arena_alloc(sizeof(*copy));

    *copy = *column;
    copy->inherited = true;
    copy->was = NULL;
    copy->sequence = NULL;
    if (!table->partition_of)
        copy->identity = IDENTITY_NONE;
    return copy;
}

static void
report_type(const struct column *own, const struct column *inherited)
{
    struct diag *diag =
        diag_at(own->span, PGS1287_INHERITED_TYPE, "\"%s\" is %s here and %s in \"%s\"", own->name,
                type_text(own->type), type_text(inherited->type), inherited->table->name);

    diag_note(diag, inherited->span, "it is inherited from here");
    diag_hint(diag, "drop it here: it comes with the parent");
}

static void
report_parents(struct span span, const struct column *a, const struct column *b)
{
    struct diag *diag =
        diag_at(span, PGS1287_INHERITED_TYPE, "\"%s\" is %s in \"%s\" and %s in \"%s\"", a->name,
                type_text(a->type), a->table->name, type_text(b->type), b->table->name);

    diag_note(diag, b->span, "the second is here");
    diag_hint(diag, "one column has one type: rename one of the two");
}

/* A column of two parents is one column. */
static void
inherit_columns(struct table *table, const struct table *parent)
{
    for (size_t i = 0; i < parent->columns.n; i++) {
        const struct column *inherited = parent->columns.at[i];
        const struct column *own = check_column_named(table, inherited->name);

        if (!own) {
            struct column *copy = copy_column(table, inherited);

            copy->number = (int)table->columns.n;
            vec_push(&table->columns, copy);
        }
        if (own && !type_same(own->type, inherited->type) && !type_is_open(own->type) &&
            !type_is_open(inherited->type))
            report_parents(table->span, own, inherited);
    }
}

/* The parents' columns come first, as in PostgreSQL. */
static void
take_columns(struct table *table)
{
    struct table with = {.span = table->span, .partition_of = table->partition_of};
    struct table own = *table;

    if (table->partition_of)
        inherit_columns(&with, table->partition_of);
    for (size_t i = 0; i < table->inherits.n; i++)
        inherit_columns(&with, table->inherits.at[i]);
    table->columns = with.columns;
    for (size_t i = 0; i < own.columns.n; i++) {
        struct column *same = check_column_named(table, own.columns.at[i]->name);

        if (!same)
            vec_push(&table->columns, own.columns.at[i]);
        else if (!type_same(same->type, own.columns.at[i]->type))
            report_type(own.columns.at[i], same);
        else
            table->columns.at[same->number] = own.columns.at[i];
    }
    for (size_t i = 0; i < table->columns.n; i++) {
        table->columns.at[i]->number = (int)i;
        table->columns.at[i]->table = table;
    }
}

/* A parent has all of its columns before its children take them. */
static void
take_columns_in_order(struct table *table, struct map *done)
{
    const char *key = check_relation_key(table->schema, table->name);

    if (map_get(done, key))
        return;
    map_put(done, key, table);
    if (table->partition_of)
        take_columns_in_order((struct table *)table->partition_of, done);
    for (size_t i = 0; i < table->inherits.n; i++)
        take_columns_in_order((struct table *)table->inherits.at[i], done);
    if (table->partition_of || table->inherits.n > 0)
        take_columns(table);
}

void
check_parents(struct checker *checker)
{
    struct map done = {0};

    for (size_t i = 0; i < checker->tables.n; i++) {
        if (checker->tables.at[i].ast->partition_of.name.text)
            find_whole(checker, &checker->tables.at[i]);
        find_parents(checker, &checker->tables.at[i]);
    }
    for (size_t i = 0; i < checker->tables.n; i++)
        take_columns_in_order(checker->tables.at[i].table, &done);
}

/* What keys and defaults said of the parent's columns after they were copied. */
void
check_parents_again(struct checker *checker)
{
    for (size_t i = 0; i < checker->tables.n; i++) {
        struct table *table = checker->tables.at[i].table;

        for (size_t c = 0; c < table->columns.n; c++) {
            struct column *column = table->columns.at[c];
            const struct column *from =
                table->partition_of ? check_column_named(table->partition_of, column->name) : NULL;

            for (size_t p = 0; !from && p < table->inherits.n; p++)
                from = check_column_named(table->inherits.at[p], column->name);
            if (!from || !column->inherited)
                continue;
            column->not_null = from->not_null;
            column->default_expr = from->default_expr;
            column->generated = from->generated;
        }
    }
}

/* ---- a part by itself ---- */

static bool
names(const struct checker *checker, const struct ast_path *path, const struct table *table)
{
    return check_table_named(checker, path->schema.text ? path->schema.text : "public",
                             path->name.text) == table;
}

static const struct ast_policy *
policy_of(const struct checker *checker, const struct table *table)
{
    for (size_t i = 0; i < checker->ast->policies.n; i++)
        if (names(checker, &checker->ast->policies.at[i]->table, table))
            return checker->ast->policies.at[i];
    return NULL;
}

bool
check_is_granted(const struct checker *checker, const struct table *table)
{
    for (size_t i = 0; i < checker->ast->grants.n; i++)
        for (size_t j = 0; j < checker->ast->grants.at[i]->tables.n; j++)
            if (names(checker, &checker->ast->grants.at[i]->tables.at[j], table))
                return true;
    return false;
}

/* The ancestor whose policies do not hold where the part is named; NULL: there is none. */
static const struct table *
guarded_whole(const struct checker *checker, const struct table *table)
{
    const struct table *whole = table->partition_of;

    if (whole)
        return whole->partition_of ? guarded_whole(checker, whole) : whole;
    for (size_t i = 0; i < table->inherits.n; i++) {
        const struct table *parent = table->inherits.at[i];

        if (policy_of(checker, parent) || check_is_granted(checker, parent))
            return parent;
        whole = guarded_whole(checker, parent);
        if (whole)
            return whole;
    }
    return NULL;
}

bool
check_is_part(const struct checker *checker, const struct table *table)
{
    return guarded_whole(checker, table) != NULL;
}

bool
check_refuse_part(struct checker *checker, const struct table *table, struct span span,
                  const char *done)
{
    const struct table *whole = guarded_whole(checker, table);
    const char *kind = table->partition_of ? "partition" : "child table";
    const struct ast_policy *policy;
    struct diag *diag;

    if (!whole)
        return false;
    for (size_t i = 0; i < checker->parts.n; i++)
        if (checker->parts.at[i] == table)
            return true;
    vec_push(&checker->parts, table);
    policy = policy_of(checker, whole);
    diag = policy
               ? diag_at(span, PGS1290_PART_BY_ITSELF,
                         "%s \"%s\" is %s by itself: policy \"%s\" on \"%s\" does not hold there",
                         kind, table->name, done, policy->name.text, whole->name)
               : diag_at(span, PGS1290_PART_BY_ITSELF,
                         "%s \"%s\" is %s by itself, and its rows are those of \"%s\"", kind,
                         table->name, done, whole->name);
    diag_note(diag, table->span, "it is declared here");
    diag_hint(diag, "grant, police and serve \"%s\" only", whole->name);
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Partitioned tables: their keys, what keys and indexes must hold because of them, and the names
 * that PostgreSQL gives to the indexes of partitions.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"

/* ---- partition by ---- */

static const char *
strategy_of(const struct ast_name *name)
{
    static const char *const strategies[] = {"range", "list", "hash"};
    struct diag *diag;

    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++)
        if (strcmp(strategies[i], name->text) == 0)
            return strategies[i];
    diag = diag_at(name->span, PGS1280_PARTITION_STRATEGY, "a table is not partitioned by \"%s\"",
                   name->text);
    diag_hint(diag, "write `partition by range (...)`, `list (...)` or `hash (...)`");
    return NULL;
}

static void
report_key(struct span span, const char *what, const char *hint)
{
    struct diag *diag = diag_at(span, PGS1281_PARTITION_KEY, "%s", what);

    diag_hint(diag, "%s", hint);
}

static void
find_generated(const struct expr *expr, void *data)
{
    struct span *span = data;

    if (expr->kind == EXPR_COLUMN && expr->column->generated)
        *span = expr->span;
}

static void
check_partition_key(const struct ast_item *ast, const struct index_item *item)
{
    struct span generated = {0};

    if (item->column && item->column->generated)
        generated = ast->span;
    else if (item->expr)
        walk_expr(item->expr, find_generated, &generated);
    if (generated.file)
        report_key(generated, "a generated column cannot be in a partition key",
                   "repeat its expression: PostgreSQL picks the partition before it computes it");
    if (ast->descending || ast->nulls)
        report_key(ast->span, "a partition key has no order", "drop `desc` and `nulls`");
}

static void
check_partitioning(struct checker *checker, const struct declared_table *declared)
{
    const struct ast_table *ast = declared->ast;
    struct partitioning *partitioning = arena_alloc(sizeof(*partitioning));
    struct check_items of = {declared->table, PLACE_PARTITION, "a partition key", "btree"};

    partitioning->span = ast->partition_by.span;
    partitioning->strategy = strategy_of(&ast->partition_by);
    if (!partitioning->strategy)
        return;
    if (strcmp(partitioning->strategy, "hash") == 0)
        of.method = "hash";
    for (size_t i = 0; i < ast->partition_keys.n; i++) {
        const struct opclass *opclass;
        struct index_item item = check_item(checker, &of, &ast->partition_keys.at[i], &opclass);

        check_partition_key(&ast->partition_keys.at[i], &item);
        vec_push(&partitioning->keys, item);
    }
    if (strcmp(partitioning->strategy, "list") == 0 && partitioning->keys.n > 1)
        report_key(ast->partition_keys.at[1].span, "`list` has one column",
                   "partition by one, and its partitions by the other");
    declared->table->partitioning = partitioning;
}

/* ---- keys of the whole ---- */

static bool
has_column(const struct column *const *columns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i]->name, name) == 0)
            return true;
    return false;
}

/* A unique key of `whole` holds within a partition alone, unless it says which. */
static void
check_key_has_partition(const struct table *table, struct span span,
                        const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < table->partitioning->keys.n; i++) {
        const struct index_item *key = &table->partitioning->keys.at[i];
        struct diag *diag;

        if (key->column && has_column(columns, n, key->column->name))
            continue;
        diag = diag_at(span, PGS1282_KEY_WITHOUT_PARTITION_KEY,
                       key->column ? "a key of a partitioned table holds the partition key: \"%s\" "
                                     "is missing"
                                   : "a table that is partitioned by an expression has no keys",
                       key->column ? key->column->name : "");
        diag_note(diag, table->partitioning->span, "\"%s\" is partitioned here", table->name);
        if (key->column)
            diag_hint(diag, "add %s to it: each partition has an index of its own",
                      name_sql(key->column->name));
        else
            diag_hint(diag, "partition by a column that is in the key");
        return;
    }
}

static void
check_index_has_partition(const struct table *table, const struct index *index)
{
    VEC(const struct column *) columns = {0};

    for (size_t i = 0; i < index->items.n; i++)
        if (index->items.at[i].column)
            vec_push(&columns, index->items.at[i].column);
    check_key_has_partition(table, index->span, columns.at, columns.n);
}

static void
check_keys(const struct table *table, const struct table *whole)
{
    for (size_t i = 0; i < whole->constraints.n; i++) {
        const struct constraint *key = whole->constraints.at[i];

        if (key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE)
            check_key_has_partition(table, key->span, key->columns.at, key->columns.n);
        if (key->kind == CONSTRAINT_EXCLUDE && table == whole) {
            struct diag *diag = diag_at(key->span, PGS1286_NOT_IN_PARTITIONED,
                                        "a partitioned table has no exclusions");
            diag_hint(diag, "PostgreSQL 15 and 16 refuse it: check in a trigger, or do not "
                            "partition");
        }
    }
    for (size_t i = 0; i < whole->indexes.n; i++)
        if (whole->indexes.at[i]->unique)
            check_index_has_partition(table, whole->indexes.at[i]);
    if (whole->partition_of)
        check_keys(table, whole->partition_of);
}

/* ---- names that PostgreSQL gives ---- */

static void
claim_name(struct checker *checker, const struct table *part, const char *columns,
           const char *label)
{
    const char *name = name_object(part->name, columns, label);

    for (int i = 1;; i++) {
        const char *key = check_relation_key(part->schema, name);
        const struct table *holder = map_get(&checker->constraints, key);
        struct diag *diag;

        if (!holder && !map_get(&checker->tables_by_name, key)) {
            map_put(&checker->constraints, key, part);
            return;
        }
        if (holder != part) {
            diag = diag_at(part->span, PGS1295_PARTITION_INDEX_NAME,
                           "PostgreSQL calls an index of partition \"%s\" \"%s\", and that name "
                           "is taken",
                           part->name, name);
            diag_hint(diag, "rename the partition, or what has the name");
            return;
        }
        name = name_object(part->name, columns, arena_printf("%s%d", label, i));
    }
}

/* One of its own for each key and index of the whole. */
static void
claim_index_names(struct checker *checker, const struct table *part, const struct table *whole)
{
    for (; whole; whole = whole->partition_of) {
        for (size_t i = 0; i < whole->constraints.n; i++) {
            const struct constraint *key = whole->constraints.at[i];
            VEC(const char *) columns = {0};

            for (size_t c = 0; c < key->columns.n; c++)
                vec_push(&columns, key->columns.at[c]->name);
            if (key->kind == CONSTRAINT_PRIMARY_KEY)
                claim_name(checker, part, NULL, "pkey");
            else if (key->kind == CONSTRAINT_UNIQUE)
                claim_name(checker, part, name_join(columns.at, columns.n), "key");
        }
        for (size_t i = 0; i < whole->indexes.n; i++) {
            const struct index *index = whole->indexes.at[i];

            claim_name(checker, part,
                       check_items_name(&index->items, index->include.at, index->include.n), "idx");
        }
    }
}

void
check_partitions(struct checker *checker)
{
    for (size_t i = 0; i < checker->tables.n; i++)
        if (checker->tables.at[i].ast->partition_by.text)
            check_partitioning(checker, &checker->tables.at[i]);
    for (size_t i = 0; i < checker->tables.n; i++) {
        const struct declared_table *declared = &checker->tables.at[i];

        if (declared->table->partitioning)
            check_keys(declared->table, declared->table);
        if (declared->table->partition_of)
            claim_index_names(checker, declared->table, declared->table->partition_of);
    }
    check_bounds(checker);
}

/* SPDX-License-Identifier: MIT */
/* The parts of checker.h about what stands in and around tables; included by it alone. */
#ifndef TABLES_H
#define TABLES_H

/* ---- check_item.c: items of indexes, exclusions, partition keys ---- */

struct opclass;

struct check_items {
    const struct table *table;
    enum place place;
    const char *clause;
    const char *method;
};

/* `*opclass`: the one that serves it; NULL: unknown, or reported. */
struct index_item check_item(struct checker *checker, const struct check_items *of,
                             const struct ast_item *ast, const struct opclass **opclass);

/* As PostgreSQL names it: a column by its name, a call by the function's, others "expr". */
const char *check_item_name(const struct index_item *item);

/* Items and included columns joined, for the name of an index. */
const char *check_items_name(const struct index_items *items, const struct column *const *include,
                             size_t n);

/* ---- check_schema.c ---- */

/* The extension as it is declared; NULL after an error that says what comes with it. */
const struct extension *check_extension(const struct checker *checker, struct span span,
                                        const char *name, const char *what);

void check_declare_schemas(struct checker *checker);
void check_comments(struct checker *checker);

/* PostgreSQL's own and the platform's, and public. */
bool check_is_reserved_schema(const char *name);

/* One that is declared; NULL: none. */
const struct schema *check_schema_named(const struct model *model, const char *name);
bool check_has_schema(const struct checker *checker, const char *name);

/* The schema that the path says, public without one; reports one that is not declared. */
const char *check_schema_of(struct checker *checker, const struct ast_path *path);

/* What a relation goes by in the maps of the checker: its schema counts. */
const char *check_relation_key(const char *schema, const char *name);

/* ---- check_parent.c, check_partition.c, check_bound.c: for check_table.c ---- */

/* Partitions and children get the columns of their parents. */
void check_parents(struct checker *checker);
void check_parents_again(struct checker *checker);

void check_partitions(struct checker *checker);
void check_bounds(struct checker *checker);

/* A partition, or the child of a table that has rights: policies hold at the whole alone. */
bool check_is_part(const struct checker *checker, const struct table *table);

/* Some grant names it. */
bool check_is_granted(const struct checker *checker, const struct table *table);

/* Reports what is done ("granted") to such a part by itself; true if so. */
bool check_refuse_part(struct checker *checker, const struct table *table, struct span span,
                       const char *done);

/* ---- check_stored.c: materialized views ---- */

void check_stored(const struct declared_view *declared);
void check_stored_indexes(struct checker *checker);

/* Rights on one whose rows have policies where they come from. */
void check_stored_rights(struct checker *checker);

/* Grants that cannot work, in check_useless.c. */
void check_useless_grants(struct checker *checker);

/* ---- check_generated.c: for check_table.c ---- */

void check_generated(struct checker *checker, const struct declared_table *declared,
                     const struct ast_column *ast, struct column *column);
void check_backfill(struct checker *checker, struct table *table, const struct ast_column *ast,
                    struct column *column);

/* soft delete, drop column */
void check_table_items(const struct declared_table *declared);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The emitters: each puts one part of the plan on paper, as files of the run (out.h).
 */
#ifndef EMIT_H
#define EMIT_H

#include "emit/layout.h"
#include "plan/plan.h"

/* generated/NAME.h and .c of a served table or view. */
void emit_table(const struct plan *plan, const struct plan_table *table);

/* generated/queries.h and .c; nothing when there are none. */
void emit_queries(const struct plan *plan);

/* generated/lives.h and .c; nothing when there are none. */
void emit_lives(const struct plan *plan);

/* The publication that live queries are fed from. */
void emit_publication_up(struct out *out, const struct plan *plan);
void emit_publication_down(struct out *out, const struct plan *plan);

/* The outbox for where the log cannot be read; nothing unless live queries asked for it. */
bool emit_has_outbox(const struct plan *plan) __attribute__((warn_unused_result));
void emit_outbox_up(struct out *out, const struct plan *plan);
void emit_outbox_down(struct out *out, const struct plan *plan);

/* generated/app.h and .c. */
void emit_app(const struct plan *plan, const char *fingerprint);

/* generated/access.txt. */
void emit_access(const struct plan *plan);

/* generated/database.types.ts, for supabase-js, and generated/openapi.json. */
void emit_types(const struct plan *plan);
void emit_openapi(const struct plan *plan);

/* The same texts, written nowhere. */
const char *emit_access_text(const struct plan *plan);
const char *emit_types_text(const struct plan *plan);
const char *emit_openapi_text(const struct plan *plan);

/* Its part about live queries, webhooks and auth. */
void emit_access_served(struct out *out, const struct model *model);

/* migrations/00000000000001_init.sql.  Returns the fingerprint of what it makes, hex. */
const char *emit_migration(const struct plan *plan);

/* The same text, written nowhere. */
const struct source *emit_migration_source(const struct plan *plan);

/*
 * The search_path in which the operators of extensions are found, after pg_catalog; NULL: nothing
 * needs one.
 */
const char *emit_operator_path(const struct model *model);

/* ---- shared by the emitters of C ---- */

/* The head of a generated file; `sources` are lines of "path  what". */
void emit_head(struct out *out, const struct words *sources);

/* A column of `struct pgs_column`s, what its type needs declared before by emit_column_types. */
void emit_column(struct out *out, const struct plan *plan, const struct column *column);

/* Labels of the enumerations and fields of the composites that `columns` use, each once. */
void emit_column_types(struct out *out, const struct plan *plan,
                       const struct column *const *columns, size_t n);

/* PGS_INT8; what the compiler does not know the type of travels as text. */
const char *emit_kind(struct type type);

/* The C type of a member that holds a value of this type. */
const char *emit_ctype(struct type type);

/* NAME[] of `struct pgs_column`s. */
void emit_column_array(struct out *out, const struct plan *plan, const char *name,
                       const struct column *const *columns, size_t n);

/* An argument as a column: of the same name, NULL unless it is said otherwise. */
const struct column *emit_argument(const struct param *param);

/* struct C_NAME_arguments and C_NAME_shape; there is at least one. */
void emit_arguments(struct out *out, const struct plan *plan, const char *c_name,
                    const struct params *params, const char *const *members);

/* ".roles = ROLE_ANON | ROLE_SUPPORT," */
void emit_roles(struct out *out, size_t indent, const struct plan *plan, role_set roles);

/* One entry of a table of routes. */
struct emitted_route {
    const char *method;
    const char *path;
    role_set roles;
    const char *handler;
    const struct cors *cors;
    const char *rates; /* the list's name; NULL: none */
    const char *schema;
    struct cost cost;
};

void emit_route(struct out *out, const struct plan *plan, const struct emitted_route *route);

/* Rate limits, as `NAME_rates` and for each route a list of those that hold: `NAME_list_rates`,
 * `NAME_run_rates`. */
void emit_endpoint_rates(struct out *out, const struct plan_table *plan);
void emit_query_rates(struct out *out, const struct plan_query *plan);
void emit_common_rates(struct out *out, const struct model *model); /* common_rates */

/* ---- shared by the emitters of SQL: emit_sql.c, emit_platform.c, emit_rights.c ---- */

/* The text in a dollar quote that it does not end by itself. */
void emit_dollar_quoted(struct out *out, const char *text);

/* The three in a row; where that is too long, the text on lines indented under HEAD. */
void emit_statement(struct out *out, const char *head, const char *text, const char *tail);

/* "a, b, c", on several lines where there are many. */
const char *emit_list(const struct words *words);
const char *emit_role_list(const struct role *const *roles, size_t n);

/* Roles, schemas, helpers, built-in tables: what every application stands on. */
void emit_platform_up(struct out *out, const struct model *model);
void emit_platform_down(struct out *out, const struct model *model);

/* ---- relation.c ---- */

/* create table; its references and indexes come later. */
void emit_create_table(struct out *out, const struct table *table);
void emit_references(struct out *out, const struct table *table);
void emit_indexes(struct out *out, const struct table *table);
void emit_view(struct out *out, const struct table *view);
void emit_comments(struct out *out, const struct model *model);

/* As it stands; the semicolon may be left out, and a comment may come last. */
void emit_raw(struct out *out, const char *before, const char *sql);

/* Enumerations, composites, ranges and domains. */
void emit_types_up(struct out *out, const struct model *model);
void emit_types_down(struct out *out, const struct model *model);
/* The functions that tables call, after the claims that they may read. */
void emit_early_functions_up(struct out *out, const struct model *model);
void emit_early_functions_down(struct out *out, const struct model *model);

/* Claims of such a type: the platform has the others. */
void emit_typed_claims_up(struct out *out, const struct model *model);
void emit_typed_claims_down(struct out *out, const struct model *model);

/* Views of tables with `inline policies`, one for each role that reads them. */
void emit_inlined_up(struct out *out, const struct model *model);
void emit_inlined_down(struct out *out, const struct model *model);

/* The view that `role` lists `table` through; NULL: it reads the table. */
const char *emit_inlined_view(const struct table *table, const struct role *role);

/* Row security, policies and grants of all tables and views. */
void emit_rights(struct out *out, const struct model *model);

/* "pgstack.claim_plan": the setting that holds a claim's value. */
const char *emit_claim_setting(const struct model *model, const struct claim *claim);

/* "anon, authenticated, support" of all roles, for grants. */
const char *emit_request_roles(const struct model *model);

/* ---- function.c ---- */

void emit_declared_function(struct out *out, const struct declared_function *function);
void emit_trigger(struct out *out, const struct trigger *trigger);

#endif

/* SPDX-License-Identifier: MIT */
/* Of selects, statements and functions, what the files of the checker share: a part of checker.h.
 */
#ifndef CHECKER_SELECT_H
#define CHECKER_SELECT_H

/* ---- call.c ---- */

/* The like of an advisory lock that ends with the transaction; NULL: this is none of a session. */
const char *check_session_lock(const char *name);

/* ---- function.c ---- */

struct declared_function *check_function_named(const struct model *model, const char *name);
void check_declare_functions(struct checker *checker);
void check_signatures(struct checker *checker);

/* Of one of them, before its turn. */
void check_signature_now(struct checker *checker, const struct declared_function *function);
void check_functions(struct checker *checker);

/* ---- trigger.c ---- */

void check_triggers(struct checker *checker);

/* ---- served_function.c ---- */

/* The endpoint is of a function; true also after an error. */
bool check_served_function(struct checker *checker, const struct ast_endpoint *ast);

/* ---- definer.c, function_rights.c ---- */

void check_definers(struct checker *checker);
void check_function_rights(struct checker *checker);

/* ---- raw.c ---- */

void check_raw_texts(struct checker *checker);

/* The body in $$ of a function, where it has one. */
void check_body_text(const struct declared_function *function);

/* ---- raw_session.c ---- */

/* What functions leave in their sessions. */
void check_sessions(struct checker *checker);

/* ---- statement.c ---- */

struct statement *check_function_body(struct checker *checker, const struct params *params,
                                      const struct ast_statement *ast);

/* `for update` of a select. */
void check_locking(const struct scope *scope, struct select *select, const struct ast_select *ast);

/* What a statement gives: its outputs, or what it returns. */
const struct outputs *check_outputs_of(const struct statement *statement);

/* ---- named.c ---- */

/* The call of a function of PostgreSQL with its arguments in their order, where names say it. */
const struct ast_expr *check_put_in_order(const struct ast_expr *ast);

/* ---- function_call.c ---- */

struct expr *check_declared_call(struct scope *scope, const struct ast_expr *ast);

/* ---- from.c, from_call.c ---- */

void check_from(struct scope *scope, const struct ast_from *ast);
void check_range_of_call(struct scope *scope, const struct ast_from *ast, struct range *range);
void check_set_place(const struct scope *scope, const struct ast_expr *ast);
void check_withs(struct scope *scope, const struct ast_withs *ast, bool recursive);

/* The columns that a select gives, under other names where they are said. */
struct table *check_derived_table(const struct select *select, const struct ast_name *name,
                                  const struct ast_names *columns);
struct table *check_new_derived(const char *name, struct span span);
void check_add_column(struct table *table, struct span span, const char *name, struct type type,
                      bool not_null);
void check_rename_columns(struct table *table, const struct ast_names *names);

/* A later `using` has joined the same name once more. */
bool check_is_overtaken(const struct scope *scope, size_t i);

/* ---- union.c ---- */

void check_values(struct scope *scope, struct select *select, const struct ast_select *ast);
void check_union(struct scope *scope, struct select *select, const struct ast_select *ast);
struct select *check_recursive_select(struct scope *scope, const struct ast_select *ast,
                                      struct select *left, struct with_item *item);

/* ---- window.c ---- */

void check_windows(struct scope *scope, struct select *select, const struct ast_select *ast);

/* What follows a call of this kind (f, a, w) may follow it; false after an error. */
bool check_tail_fits(const struct ast_expr *ast, char kind);
struct expr *check_within_group(struct scope *scope, const struct ast_expr *ast);
void check_call_tail(struct scope *scope, const struct ast_expr *ast, struct expr *expr);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the files of the checker share.  Only check_*.c include it.
 *
 * The order of work, each step over the whole project:
 *
 *   check.c             version, app; then the steps below
 *   check_declare.c     every name, once
 *   check_define.c      composites, ranges, domains
 *   check_table.c       columns and defaults, with check_key.c and check_index.c
 *   check_view.c        views, each after those it reads
 *   check_predicate.c   predicates, their cycles
 *   check_order.c       what is made when; circles of views and predicates
 *   check_access.c      roles, claims, grants, policies as they are written
 *   check_query.c       queries
 *   check_cors.c        origins
 *   check_auth.c        where people are sent with their tokens
 *   check_guest.c       policies that guests pass
 *   check_live.c        live queries
 *   check_webhook.c     what leaves, where to
 *   check_endpoint.c    endpoints
 *   check_rights.c      the whole: grants against policies against reads; fails closed
 *   check_truth.c       policies that hold always, or for nobody
 *   check_recursion.c   policies that read themselves
 *   check_overlap.c     policies that others make useless
 *   check_speed.c       indexes that are missing
 *   check_secret.c      keys that stand in the sources
 *   check_change*.c     what a change of the last released model would lose, lock, or stop at
 *
 * check_names.c looks names up and says which is nearest.  Expressions: check_scope.c finds names,
 * check_expr.c gives types, with check_operator.c, check_call.c, check_cast.c and check_compound.c;
 * check_literal.c reads values, check_select.c does selects.  An expression that is wrong gets
 * TYPE_ANY, which fits everywhere: one mistake, one error.
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "model/access.h"
#include "syntax/ast.h"
#include "text/diag.h"
#include "model/functions.h"
#include "base/map.h"
#include "model/model.h"
#include "model/types.h"
#include "model/uses.h"
#include "model/walk.h"

struct declared_table {
    const struct ast_table *ast;
    struct table *table;
};

/* A view is resolved when it is first needed. */
struct declared_view {
    const struct ast_view *ast;
    struct table *table;
    enum {
        VIEW_WAITING,
        VIEW_BUSY,
        VIEW_DONE
    } state;
    bool reads_itself;
};

/* So is the signature of a function: a domain's check or another's default may call it first. */
struct declared_signature {
    const struct ast_function *ast;
    struct declared_function *function;
    bool is_read;
};

#include "check/declared_type.h"

struct checker {
    const struct ast *ast;
    VEC(struct declared_type) types;
    struct model *model;
    VEC(struct declared_table) tables;
    VEC(struct declared_view) views;
    VEC(struct declared_signature) signatures;
    struct map tables_by_name; /* and views, of public */
    struct map constraints;    /* and indexes, by name */
    VEC(struct span) decided;  /* grants and policies that were reported: no follow-ups */
    VEC(const struct column *) unindexed;  /* looked up without an index: reported */
    VEC(const struct column *) strayed;    /* written for others: reported */
    VEC(const struct column *) deciders;   /* a policy looks the caller's up */
    VEC(const struct table *) overlapping; /* with a policy that is useless: reported */
    VEC(const struct table *) parts;       /* granted, policed or served: reported */
    bool guessing; /* a grant or policy names what is not there: the whole is not known */
};

/* The very same words: tells a declaration from a second one of its name. */
static inline bool
check_same_place(struct span a, struct span b)
{
    return a.file == b.file && a.start == b.start;
}

/* ---- where an expression stands ---- */

enum place {
    PLACE_DEFAULT,
    PLACE_CHECK,
    PLACE_INDEX,
    PLACE_GENERATED, /* a generated column */
    PLACE_PARTITION, /* the key of a partitioned table */
    PLACE_BACKFILL,
    PLACE_ARGUMENT, /* the default of an argument */
    PLACE_PREDICATE,
    PLACE_POLICY,
    PLACE_VIEW,
    PLACE_QUERY,
    PLACE_FUNCTION,
    PLACE_TRIGGER,
};

VEC_STRUCT(ranges, struct range *);

/* A column that `using` joins: one name for two. */
struct merged {
    const char *name;
    struct expr *expr;
    const struct column *left, *right;
};

/* One level of names: a select's from clause, or the row that an expression is about. */
struct scope {
    struct checker *checker;
    const struct scope *outer; /* NULL: none */
    enum place place;
    struct ranges ranges;
    VEC(struct merged) merged;
    VEC(struct with_item *) withs;
    const struct select *windows; /* whose windows may be used; NULL: none may stand here */
    struct params params;         /* of the outermost scope alone */
    const char *clause;           /* "where": what an aggregate may not stand in; NULL: it may */
    bool in_from;                 /* a call in from is being read: it may give rows */
    bool in_aggregate;            /* the arguments of one are being read */
    bool grouped;                 /* it has `group by`: each group has rows */
    bool has_aggregate;           /* set when one was found */
};

/* ---- check_declare.c ---- */

void check_declare(struct checker *checker);

/* ---- check_names.c ---- */

/* NULL after an error that names the nearest. */
struct table *check_find_table(struct checker *checker, const struct ast_path *path);
struct column *check_find_column(const struct table *table, const struct ast_name *name);
struct role *check_find_role(struct checker *checker, const struct ast_name *name);
const struct cors *check_find_cors(struct checker *checker, const struct ast_name *name);

/* Those that there are. */
void check_find_roles(struct checker *checker, const struct ast_names *names, struct roles *out);

/* Stands for a table that is not there, or a view that reads itself: reported once. */
static inline bool
check_is_unknown(const struct table *table)
{
    return !table->schema || (table->is_view && table->columns.n == 0);
}

/* Stands for an expression that was reported. */
static inline bool
check_is_broken(const struct expr *expr)
{
    return expr->kind == EXPR_RAW && !expr->text;
}

/* NULL when there is none, without an error. */
const struct table *check_table_named(const struct checker *checker, const char *schema,
                                      const char *name);
const struct enumeration *check_enumeration_named(const struct model *model, const char *name);
struct cors *check_cors_named(const struct model *model, const char *name);
struct query *check_query_named(const struct model *model, const char *name);
struct column *check_column_named(const struct table *table, const char *name);
struct role *check_role_named(const struct checker *checker, const char *name);
struct claim *check_claim_named(const struct checker *checker, const char *name);
struct predicate *check_predicate_named(const struct checker *checker, const char *name);

/* Adds `did you mean` for the nearest of the names. */
void check_suggest(struct diag *diag, const char *name, const char *const *known, size_t n);

/* ---- check_fix.c ---- */

/* The fix of a misspelt name: the finding's place, or what comes last there, becomes `right`. */
void check_fix_name(struct diag *diag, const char *name, const char *right);

/* The fix that adds an item to a table: `index (a)`, `unique (a, b)`. */
void check_fix_item(struct diag *diag, const struct table *table, const char *item);
void check_fix_index(struct diag *diag, const struct table *table, const struct column *column);

/* Puts a declaration behind `app x;`. */
void check_fix_heading(struct diag *diag, const struct ast *ast, const char *declaration);

/* Takes what stands in a list out of it, with its comma; what stands alone stays. */
void check_fix_unlist(struct diag *diag, struct span item);

/* Gives a grant without a list all columns but those; none where rows could not be made then. */
void check_fix_columns(struct diag *diag, const struct grant *grant,
                       bool (*is_left_out)(const struct column *column, const void *data),
                       const void *data);

/* Changes the word before a place, such as `using` of `using (...)`, or puts one before it. */
void check_fix_word(struct diag *diag, struct span behind, const char *word, const char *right);

/* Lets a condition ask for more: `... and more`. */
void check_fix_and(struct diag *diag, const struct expr *condition, const char *more);

/* ---- check_scope.c ---- */

/* The row of a table, for its checks, policies and indexes. */
struct scope check_row_scope(struct checker *checker, enum place place, const struct table *table);

/* A column, argument or claim; never NULL: TYPE_ANY after an error. */
struct expr *check_name(struct scope *scope, const struct ast_expr *ast);

/* A bare name that the inner table takes, where the row of `outer` was meant. */
void check_report_captured(const struct expr *mine, const char *outer);

/* ---- check_expr.c ---- */

struct expr *check_new_expr(enum expr_kind kind, struct span span);
struct expr *check_column_expr(const struct range *range, const struct column *column,
                               struct span span);

/* Typed and resolved; never NULL. */
struct expr *check_expr(struct scope *scope, const struct ast_expr *ast);

/* Of the type wanted, by the casts that PostgreSQL makes by itself on assignment. */
struct expr *check_expr_as(struct scope *scope, const struct ast_expr *ast, struct type want,
                           const char *what);

/* A boolean. */
struct expr *check_condition(struct scope *scope, const struct ast_expr *ast, const char *what);

/* The same for an expression that is checked already; `need` is the weakest cast that will do. */
void check_becomes(struct expr *expr, struct type want, enum type_cast need, const char *what);

/* Lets an open literal take a type; reports a value that is none of it. */
void check_settle(struct expr *expr, struct type type);

/* ---- check_operator.c ---- */

struct expr *check_operator(struct scope *scope, const struct ast_expr *ast);

/* Finds the operator for one or two operands, lets open ones take its types; false: reported. */
bool check_apply_operator(const struct ast_expr *ast, const char *op, struct expr *const *args,
                          size_t n, struct resolution *found);

bool check_any_nullable(const struct expr *expr);

struct expr *check_row(struct scope *scope, const struct ast_expr *ast);
void check_compare_rows(const struct ast_expr *ast, const char *op, const struct expr *left,
                        const struct expr *right);

/* ---- check_compound.c ---- */

struct expr *check_case(struct scope *scope, const struct ast_expr *ast);
struct expr *check_in(struct scope *scope, const struct ast_expr *ast);
struct expr *check_quantified(struct scope *scope, const struct ast_expr *ast);
struct expr *check_array(struct scope *scope, const struct ast_expr *ast);
struct expr *check_subscript(struct scope *scope, const struct ast_expr *ast);
struct expr *check_exists(struct scope *scope, const struct ast_expr *ast);
struct expr *check_scalar_select(struct scope *scope, const struct ast_expr *ast);

/* ---- check_call.c ---- */

struct expr *check_call(struct scope *scope, const struct ast_expr *ast);
struct expr *check_extract(struct scope *scope, const struct ast_expr *ast);
void check_aggregate_place(struct scope *scope, const struct ast_expr *ast);

/* ---- check_select.c ---- */

struct select *check_select(struct scope *outer, const struct ast_select *ast);
void check_level(struct scope *scope, struct select *select, const struct ast_select *ast);
void check_output_list(struct scope *scope, struct outputs *outputs, const struct ast_outputs *ast);

/* Reports what has no order. */
void check_is_ordered(const struct expr *expr);

/* The same without anything around it: a view or a query. */
struct select *check_statement(struct checker *checker, enum place place,
                               const struct params *params, const struct ast_select *ast);

#include "check/checker_select.h"

/* ---- the passes ---- */

void check_types(struct checker *checker);
void check_tables(struct checker *checker);
void check_views(struct checker *checker);
void check_view_now(struct checker *checker, const struct table *table);
void check_predicates(struct checker *checker);
void check_roles(struct checker *checker);
void check_claims(struct checker *checker);
void check_grants(struct checker *checker);
void check_policies(struct checker *checker);
void check_order(struct checker *checker);
void check_queries(struct checker *checker);
void check_cors(struct checker *checker);
void check_common_rates(struct checker *checker); /* before those that it holds for */
void check_endpoints(struct checker *checker);
void check_rights(struct checker *checker);
void check_truth(struct checker *checker);
void check_recursion(struct checker *checker);
void check_overlap(struct checker *checker);
void check_speed(struct checker *checker);
void check_secrets(struct checker *checker);

/* What the place is called in messages: "an index". */
const char *check_place_name(enum place place);

/* Holds for all callers alike: no claim. */
bool check_is_for_all(enum place place);

/* ---- check_key.c, check_index.c: for check_table.c ---- */

void check_key(struct checker *checker, struct table *table, const struct ast_constraint *ast,
               struct column *column);
void check_constraint(struct checker *checker, struct table *table,
                      const struct ast_constraint *ast, struct column *column);
void check_index(struct checker *checker, struct table *table, const struct ast_index *ast);
void check_exclusion(struct checker *checker, struct table *table,
                     const struct ast_constraint *ast);

/* References that would write generated columns. */
void check_generated_references(const struct table *table);

/* deferrable, initially deferred */
void check_deferral(const struct ast_constraint *ast, struct constraint *constraint);

/* table_columns_label, then label1, label2, ... as PostgreSQL counts; `relation`: an index or key.
 */
const char *check_choose_name(struct checker *checker, const struct table *table,
                              const char *columns, const char *label, bool relation);

/* The name that is written; reports one that is taken. */
const char *check_given_name(struct checker *checker, const struct table *table,
                             const struct ast_name *name, bool relation);

/* Declares the arguments of a predicate or query. */
void check_params(struct checker *checker, const struct ast_params *ast, bool take_rows,
                  struct params *out);

/* `returns table (...)`: columns of no table. */
void check_result_columns(struct checker *checker, const struct ast_columns *ast,
                          struct result_columns *out);

/* ---- row.c: rows of a table as arguments ---- */

/* The type of the rows of a table; false: the type is none. */
bool check_row_type(struct checker *checker, const struct ast_type *ast, struct type *out);

/* Their fields, as soon as all columns are there. */
void check_complete_rows(struct checker *checker);

/* `note` or `note.*` where a row of the table is wanted; NULL: it is none. */
struct expr *check_row_argument(struct scope *scope, const struct ast_expr *ast, struct type want);

/* `note.f`, a call of f(note); NULL: it is none. */
struct expr *check_row_call(struct scope *scope, const struct ast_expr *ast,
                            const struct range *range);

/* ---- scope.c, for row.c ---- */

const struct range *check_range_named(const struct scope *scope, const char *alias);
void check_note_range(const struct range *range, const struct ast_name *name);

/* Some table of the scope has such a column. */
bool check_is_column(const struct scope *scope, const char *name);

/* ---- speed.c, for lookup.c ---- */

/* An index or key begins with it. */
bool check_is_indexed(const struct column *column);

/* ---- check_same.c ---- */

/* The same expression, by structure; ranges by identity. */
bool check_same_expr(const struct expr *a, const struct expr *b);

/* auth.uid() or a claim: who the caller is. */
bool check_is_identity(const struct expr *expr);

/* An operator, or a function of PostgreSQL's, of this name. */
bool check_is_op(const struct expr *expr, const char *name);
bool check_is_call(const struct expr *expr, const char *name);

/* ---- check_call.c, for check_declare.c ---- */

/* The name of one in schema auth: uid, role, ... */
bool check_is_auth_function(const char *name);

/* ---- check_metadata.c, for check_access.c and check_rights.c ---- */

/* A path of a claim into user_metadata. */
bool check_is_user_path(const char *path);

/* Policies that decide by user_metadata. */
void check_user_metadata(const struct model *model);

/* ---- check_order.c ---- */

/* Each table after what it refers to, then views, each after what it reads. */
void check_sort_tables(struct model *model);

#include "check/reads.h"

#include "check/tables.h"

#endif

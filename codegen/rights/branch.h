/* SPDX-License-Identifier: MIT */
/*
 * What a condition requires: its normal form.  A condition is true when one of its branches is, and
 * a branch when all of its atoms are.  Predicates are put in place, `not` stands at the atoms only.
 *
 * And what a branch ties to the caller: the columns of a row that it compares with who asks.
 */
#ifndef CHECK_BRANCH_H
#define CHECK_BRANCH_H

#include "model/model.h"

struct binding;
struct checker;

/* A finding stands at this grant or policy already; if not, it is noted that one does now. */
bool check_is_told(struct checker *checker, struct span span);

struct atom {
    const struct expr *expr;
    const struct binding *binding; /* what the parameters of a predicate stand for */
    bool negated;                  /* it must not be true */
    bool definer;                  /* in a definer predicate: its sub-selects read past policies */
};

struct branch {
    const struct policy *policy; /* whose condition it is; NULL: of no policy */
    const struct expr *part;     /* the side of an `or`: what a caret points at */
    VEC(struct atom) atoms;
};

VEC_STRUCT(branches, struct branch);

/* The branches of a condition; false: there are too many, and nothing is said of it. */
bool check_branches(const struct expr *condition, struct branches *out);

/* The branch asks for all that the other does: it admits no more. */
bool check_asks_all(const struct branch *branch, const struct branch *other);

/* Those of the where and on clauses of a select, where `outer` is an atom that holds it. */
bool check_select_branches(const struct select *select, const struct atom *outer,
                           struct branches *out);

/* Permissive policies joined by OR, restrictive ones by AND; `new_rows`: what is tested of them. */
bool check_role_branches(const struct role *role, const struct table *table, enum command command,
                         bool new_rows, struct branches *out);

/* ---- what is in an atom ---- */

/* Calls `visit` for all of the expression, predicates and what their parameters stand for. */
void check_walk_bound(const struct expr *expr, const struct binding *binding,
                      void (*visit)(const struct expr *expr, const struct binding *binding,
                                    void *data),
                      void *data);

/* The same for the conditions of a policy, each once. */
void check_walk_policy(const struct policy *policy,
                       void (*visit)(const struct expr *expr, const struct binding *binding,
                                     void *data),
                       void *data);

struct mentions {
    bool row;      /* a column of the row itself */
    bool caller;   /* auth.uid(), a claim, the token */
    bool select;   /* a sub-select from a table */
    bool filtered; /* from a table whose policies name the caller, and hold there */
    bool unknown;  /* raw SQL */
};

struct mentions check_mentions(const struct atom *atom, const struct role *role);

/* It asks who the caller is; raw SQL may. */
bool check_expr_names_caller(const struct expr *expr, const struct role *role);

/* One of its atoms does: else its rows are open to whoever has the role. */
bool check_names_caller(const struct branch *branch, const struct role *role);

/* The atom mentions a column of `range`, or of the row itself when it is NULL. */
bool check_names_column(const struct atom *atom, const struct range *range,
                        const struct column *column);

/* Behind casts, parameters and `(select x)`; `*binding` follows. */
const struct expr *check_stands_for(const struct expr *expr, const struct binding **binding);

/* ---- ties ---- */

/* How a branch holds a column, the strongest last. */
enum tie {
    TIE_NONE,
    TIE_CONSTANT, /* to a value that is the same for all callers */
    TIE_LOOKUP,   /* to the caller, through a sub-select */
    TIE_CLAIM,    /* to what the caller's token says */
    TIE_SELF,     /* to auth.uid() */
};

/* A column of `range`, or of the row itself when it is NULL. */
enum tie check_tie(const struct branch *branch, const struct range *range,
                   const struct column *column, const struct role *role);

/* The weakest over all branches. */
enum tie check_weakest_tie(const struct branches *branches, const struct column *column,
                           const struct role *role);

/* Asks for somebody in particular, whatever the row: a claim, a list of administrators. */
bool check_is_gated(const struct branch *branch, const struct role *role);

/* Some branch asks for nobody in particular. */
bool check_has_free_side(const struct branches *branches, const struct role *role);

/* The rows that are seen belong to others than the caller alone by this column. */
bool check_is_tenant(const struct branches *seen, const struct column *column,
                     const struct role *role);

/* Every row, on purpose. */
bool check_is_public(const struct branch *branch);

/* `<>`, `not in`, `not exists`: shuts some out, and admits every stranger. */
bool check_is_exclusion(const struct atom *atom);

/* Holds for every caller who is signed in, whatever the row: `auth.uid() is not null`. */
bool check_is_any_caller(const struct atom *atom);

/* A column that the atom compares with itself: `owner_id = coalesce(auth.uid(), owner_id)`. */
const struct column *check_compares_itself(const struct atom *atom);

/* A column whose NULL passes for the caller: `coalesce(owner_id, auth.uid()) = auth.uid()`. */
const struct column *check_takes_ownerless(const struct atom *atom);

/* A delete elsewhere leaves it null: `on delete set null`. */
bool check_is_let_go(const struct column *column);

/* The role is one that anybody can have: anon, authenticated. */
bool check_is_anybody(const struct role *role);

bool check_is_for_anybody(const struct roles *roles);

/* The role of those without a token is among them. */
bool check_is_for_visitors(const struct roles *roles);

/* One value stands in one row only: a key of this column alone. */
bool check_is_unique(const struct column *column);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Live queries that are matched in C: a changed row comes out of PostgreSQL's log, and generated
 * code says whether it belongs to the result of a subscriber.
 *
 * What does not depend on the row (arguments, claims, functions of them, the rows of membership
 * tables) is never computed here: PostgreSQL is asked for it as the subscriber, in the snapshot of
 * the result, and once more after any commit that may have changed it.
 *
 * All values are PostgreSQL's texts, with DateStyle ISO, TimeZone UTC and default IntervalStyle.
 */
#ifndef PGS_MATCH_H
#define PGS_MATCH_H

#include "pgs/types.h"

/* A set of roles: bit i is pgs_app.roles[i]. */
typedef uint64_t pgs_roles;

/* SQL's three values. */
enum pgs_truth {
    PGS_FALSE,
    PGS_TRUE,
    PGS_UNKNOWN,
};

/* What PostgreSQL said of a subscriber. */
struct pgs_facts {
    const struct pgs_text *values;          /* at NULL: null */
    const struct pgs_fact_set *const *sets; /* live/facts.h; asked with the functions below */
};

struct pgs_fact_set;

/* A row of values is in a set of rows as `exists (... where a = x and b = y)` says: never unknown.
 */
bool pgs_set_has(const struct pgs_fact_set *set, const struct pgs_text *values, size_t n);

/* `x in (select ...)`: unknown where x is null, or where only a null of the set could be it. */
enum pgs_truth pgs_set_contains(const struct pgs_fact_set *set, struct pgs_text value);

/* A statement that is asked with arguments of the live query. */
struct pgs_fact_query {
    const char *sql;           /* its parameters are $1::type and so on */
    const uint16_t *arguments; /* which arguments of the live query they are */
    size_t n_arguments;
    size_t n_columns; /* of its rows; all are texts */
};

/* `column = value`: a row with another value, or where one of the two is null, does not concern
 * the subscriber.  Only for types whose texts are equal exactly where the values are. */
struct pgs_tie {
    uint16_t column; /* of pgs_watched.columns */
    uint16_t value;  /* of the facts */
};

/* Rows of one table that concern a subscription; without ties every row does. */
struct pgs_live_source {
    uint16_t watched; /* place in pgs_app.watched */
    const struct pgs_tie *ties;
    size_t n_ties;
};

/* A column that rows are ordered by. */
struct pgs_match_order {
    uint16_t column;               /* of pgs_watched.columns */
    const struct pgs_column *type; /* how its texts compare: whole numbers, date, timestamps, uuid,
                                      boolean, enumerations, text in the order of its bytes */
    bool descending;
    bool nulls_first;
};

/* What a group of rows has in one place. */
enum pgs_total_kind {
    PGS_TOTAL_GROUP,  /* the column's value, which all of its rows have in common */
    PGS_TOTAL_ROWS,   /* how many rows */
    PGS_TOTAL_VALUES, /* in how many of them the column is not null */
    PGS_TOTAL_SUM,    /* of whole numbers; null of no values */
    PGS_TOTAL_MIN,    /* in the order of pgs_compare; null of no values */
    PGS_TOTAL_MAX,
    PGS_TOTAL_SUM_OR_ZERO, /* of whole numbers; 0 of no values */
};

struct pgs_match_total {
    enum pgs_total_kind kind;
    uint16_t column; /* of pgs_watched.columns; of PGS_TOTAL_ROWS none */
    uint16_t values; /* of PGS_TOTAL_SUM: the total that counts what was added */
};

#define PGS_JOINED UINT16_MAX /* in `outputs`: it comes from another table */

/*
 * What rows of a result have from other tables, which they lead to by their keys.  Rows that agree
 * in `columns` have the same; what that is, is known from the answers of PostgreSQL.
 */
struct pgs_match_join {
    const uint16_t *columns; /* of pgs_watched.columns */
    size_t n_columns;
    const uint16_t *outputs; /* of pgs_live.columns */
    size_t n_outputs;
};

/* How the rows of a result come out of the rows of one table. */
struct pgs_match_rows {
    /* Of the where clause and the row policies.  `row` has a value for each of
     * pgs_watched.columns. */
    enum pgs_truth (*holds)(const struct pgs_text *row, const struct pgs_facts *facts);
    const uint16_t *needed; /* columns that `holds`, the result or its order look at */
    size_t n_needed;
    /* The column of pgs_watched.columns for each of pgs_live.columns, or PGS_JOINED. */
    const uint16_t *outputs;
    const struct pgs_match_order *order; /* total: it ends with a key; none: unordered */
    size_t n_order;
    uint32_t limit; /* 0: none */
    /*
     * NULL: rows as they are.  Else a row of the result is a group of rows, with a total for each
     * of pgs_live.columns; `outputs`, order and limit are not used.  The query gives the other
     * totals behind those columns, the first of them being how many rows the group has.
     */
    const struct pgs_match_total *totals;
    size_t n_totals;
    /* The query gives the columns of each behind those of pgs_live.columns. */
    const struct pgs_match_join *joins;
    size_t n_joins;
};

/* How changes reach the subscribers of some roles. */
struct pgs_matcher {
    pgs_roles roles;
    struct pgs_fact_query values; /* one row, whose columns are the values */
    const struct pgs_fact_query *sets;
    size_t n_sets;
    /*
     * The tables that a result depends on.  A change in one means asking again; with `rows`, the
     * first is their table and its changes are matched.
     */
    const struct pgs_live_source *sources;
    size_t n_sources;
    const struct pgs_match_rows *rows; /* NULL: every change means asking again */
};

#endif

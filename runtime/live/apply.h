/* SPDX-License-Identifier: MIT */
/*
 * One commit applied to one result, without asking PostgreSQL.  All of it or nothing: until it is
 * told, it can be taken back.
 */
#ifndef PGS_LIVE_APPLY_H
#define PGS_LIVE_APPLY_H

#include <h2o.h>

#include "db/changes.h"
#include "live/held.h"

#define PGS__MAX_COLUMNS 1664 /* of a select: PostgreSQL's bound */

/* What became of a row; where `row->mark` of struct pgs__held_row leads. */
struct pgs__touch {
    struct pgs__touch *next;
    struct pgs__held_row *now;    /* in the result; NULL: gone */
    struct pgs__held_row *before; /* taken out of it; NULL: it was not there, or is `now` */
    bool was_there;               /* `now` was, with `old_hash` */
    uint64_t old_hash;
    uint64_t commit;           /* that it is of */
    struct pgs_text text;      /* JSON of `now` */
    struct pgs__total *totals; /* of a group that is counted; or NULL */
    enum {
        PGS__ROW_SAME,
        PGS__ROW_INSERTED,
        PGS__ROW_UPDATED,
    } fate;
};

/* How rows of a table become rows of a result. */
struct pgs__rows {
    const struct pgs_live *live;
    const struct pgs_match_rows *match;
};

/* A changed row as it concerns all results of one live query: made once, when it is needed. */
struct pgs__image {
    const struct pgs_change *change;
    bool is_made;
    bool is_known;               /* false: the log does not tell enough of it */
    struct pgs_text before, key; /* keys; at NULL: no such row */
    struct pgs_text text, sort;
    uint64_t text_hash;
};

struct pgs__joined;

struct pgs__work {
    struct pgs__rows rows;
    const struct pgs_facts *facts;
    const struct pgs__joined *joined; /* NULL: nothing is known of other tables */
    struct pgs__held *held;
    h2o_mem_pool_t *pool; /* for touches and texts */
    uint64_t commit;      /* any number that is not 0 and no other's of this pool */
    struct pgs__touch *touches;
    struct pgs__held gone; /* rows that were there before, and are not now; marks are touches */
    size_t n_touches;
    size_t n_changes;  /* looked at, whatever came of them */
    size_t text_bytes; /* of what is to be told */
};

/* False: only PostgreSQL can tell what the result is now; pgs__work_undo follows. */
bool pgs__work_apply(struct pgs__work *work, struct pgs__image *image)
    __attribute__((warn_unused_result));

/* What rows of the change are joined to is known, as far as that decides.  Where it is not,
 * pgs__work_apply is false; this one leaves the result as it is. */
bool pgs__work_knows(const struct pgs__work *work, const struct pgs_change *change);

/* The other way round: the result is of a snapshot that sees the change.  If it should have the row
 * and does not, what the row is joined to is not there, which `joined` is told. */
void pgs__work_learn(const struct pgs__work *work, struct pgs__image *image,
                     struct pgs__joined *joined);

/* All changes of the commit have been applied: groups become rows.  False as above. */
bool pgs__work_settle(struct pgs__work *work) __attribute__((warn_unused_result));

/* The result is as it was. */
void pgs__work_undo(struct pgs__work *work);

/* It stays. `keep_texts`: of rows that are there, as row->mark. */
void pgs__work_done(struct pgs__work *work, bool keep_texts);

/* A touch of this commit, of nothing yet; and that of a row that is there, or NULL. */
struct pgs__touch *pgs__work_touch(struct pgs__work *work);
struct pgs__touch *pgs__work_touch_of(const struct pgs__work *work,
                                      const struct pgs__held_row *row);

/* A copy of what `buf` holds, which is cleared. */
struct pgs_text pgs__text_keep(h2o_mem_pool_t *pool, struct pgs_buf *buf);

/* The log tells these of a row's values. */
bool pgs__row_is_told(const struct pgs_text *row, const uint16_t *columns, size_t n);

/* The commit can be applied at all: the log's rows of these tables, the order and the types are
 * such as can be handled here. */
bool pgs__rows_are_usable(const struct pgs__rows *rows);

/* Where a row stands in the result; empty where that is unordered.  False: it cannot be told. */
bool pgs__rows_sort(const struct pgs__rows *rows, const struct pgs_text *outputs,
                    h2o_mem_pool_t *pool, struct pgs_text *sort)
    __attribute__((warn_unused_result));

#endif

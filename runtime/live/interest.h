/* SPDX-License-Identifier: MIT */
/*
 * Which subscriptions a changed row concerns: a table of the subscriptions of a thread, by what
 * their matchers say that rows must be like.
 */
#ifndef PGS_LIVE_INTEREST_H
#define PGS_LIVE_INTEREST_H

#include "db/changes.h"
#include "pgs/app.h"

struct pgs__subscription;

/* Subscriptions that look at one table through the same ties. */
struct pgs__interest {
    struct pgs__interest *next; /* of its table */
    const struct pgs_live *live;
    const struct pgs_live_source *source; /* NULL: every change of the table */
    bool is_matched;                      /* its rows are the result's */
    struct pgs__member **buckets;
    size_t n_buckets, n;
};

struct pgs__member {
    struct pgs__member *next, **link; /* of its bucket */
    struct pgs__interest *interest;
    struct pgs__subscription *subscription;
    uint64_t hash;
};

struct pgs__interests {
    struct pgs__interest **tables; /* for each watched table */
    size_t n_tables;
};

bool pgs__interests_init(struct pgs__interests *interests, const struct pgs_app *app)
    __attribute__((warn_unused_result));
void pgs__interests_clear(struct pgs__interests *interests);

/* `member` is the caller's.  `values`: those of the facts.  Where a tie's value is null, no row
 * will ever concern it, and it is nowhere. */
void pgs__interest_join(struct pgs__interests *interests, struct pgs__member *member,
                        const struct pgs_live *live, const struct pgs_live_source *source,
                        bool is_matched, uint16_t watched, const struct pgs_text *values);
void pgs__interest_leave(struct pgs__member *member);

/* `is_sure` false: the log does not tell enough of the row to say whom it concerns.  It must not
 * join or leave. */
typedef void pgs__visit_member(struct pgs__member *member, bool is_sure, void *arg);

/* Whom the row concerns, as it was or as it is now; each once. */
void pgs__interest_visit(const struct pgs__interest *interest, const struct pgs_change *change,
                         pgs__visit_member *visit, void *arg);

/* The same question of one subscription. */
bool pgs__interest_concerns(const struct pgs_live_source *source, const struct pgs_text *values,
                            const struct pgs_change *change);

#endif

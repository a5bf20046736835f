/* SPDX-License-Identifier: MIT */
/* Between the parts of the feed, on its thread. */
#ifndef PGS_DB_FEED_PRIVATE_H
#define PGS_DB_FEED_PRIVATE_H

#include "db/feed.h"
#include "db/link.h"
#include "db/pace.h"

#define PGS__LOG_MAX_RELATIONS 4096
#define PGS__FEED_ASK_MS 5000 /* for an answer */

struct pgs__log {
    int64_t heard_ms, told_ms;
    uint64_t lsn; /* all before it has been handed on */
    struct pgs_changes_relation relations[PGS__LOG_MAX_RELATIONS];
    size_t n_relations;
    uint32_t xid;
    int64_t committed_us;
    int64_t n_commits; /* of the last reading, and */
    size_t n_bytes;    /* all that it read */
    struct pgs__pace pace;
};

struct pgs_feed {
    struct pgs_feed_config config;
    struct pgs__link link;
    bool is_found;     /* changes could be followed when it was last looked at */
    bool is_begun;     /* by this connection they are */
    bool is_resting;   /* nobody wants it to be */
    bool is_refused;   /* by the log, though there is one */
    bool is_unbounded; /* so is what the log keeps for us: that has been said */
    size_t n_watched;  /* of the configuration */
    struct pgs_changes_maker maker;
    struct pgs__log log;
};

/* -1: nobody looks at that table. */
int pgs__feed_find_watched(const struct pgs_feed *feed, const char *schema, const char *table);

/* Waits for input from `fd` (-1: none), for the time, or for pgs_feed_wake().  True: it is time to
 * end. */
bool pgs__feed_is_ended_within(struct pgs_feed *feed, int fd, int timeout_ms)
    __attribute__((warn_unused_result));

/* `replication`: NULL, for a plain connection, or "database". */
bool pgs__feed_connect(struct pgs_feed *feed, const char *replication)
    __attribute__((warn_unused_result));

/* Shown in the metrics too. */
bool pgs__feed_is_wanted(const struct pgs_feed *feed);

/* Nobody wants changes, and whoever will has been told to wait: the connection ends. */
bool pgs__feed_may_rest(struct pgs_feed *feed) __attribute__((warn_unused_result));

/* ---- feed_log.c, over a connection for replication ---- */

/* Says so, once, where nothing bounds what PostgreSQL keeps of its log for a server that has
 * stopped reading. */
void pgs__log_look_at_bounds(struct pgs_feed *feed);

/* A slot could be made, and what it would tell is there. */
bool pgs__log_is_there(struct pgs_feed *feed) __attribute__((warn_unused_result));

/* False too when it is not wanted any more, before there is a slot. */
bool pgs__log_begin(struct pgs_feed *feed) __attribute__((warn_unused_result));

/* Until the stream is lost, or not wanted any more, or it is time to end. */
void pgs__log_follow(struct pgs_feed *feed);

/* What belongs to the connection. */
void pgs__log_forget(struct pgs_feed *feed);

/* ---- feed_records.c ---- */

/* Columns of PGS_OUTBOX_READ_SQL. */
enum pgs__read_column {
    PGS__READ_SNAPSHOT,
    PGS__READ_NOW,
    PGS__READ_XID, /* NULL: nothing was written */
    PGS__READ_SCHEMA,
    PGS__READ_TABLE,
    PGS__READ_COLUMNS,
    PGS__READ_BEFORE,
    PGS__READ_AFTER,
};

/* What was read, in binary form; there is something. */
void pgs__records_hand_on(struct pgs_feed *feed, const PGresult *result);

/* A transaction that may have changed anything. */
void pgs__records_hand_on_all(struct pgs_feed *feed, const char *xid);

/* ---- feed_outbox.c, over a plain connection ---- */

bool pgs__outbox_begin(struct pgs_feed *feed) __attribute__((warn_unused_result));

/* Until the connection is lost, or something may have been missed, or it is not wanted any more, or
 * it is time to end. */
void pgs__outbox_follow(struct pgs_feed *feed);

/* Sweeps up what nobody will read, until somebody wants changes, or it is time to end.  False: the
 * connection is lost. */
bool pgs__outbox_rest(struct pgs_feed *feed) __attribute__((warn_unused_result));

#endif

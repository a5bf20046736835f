/* SPDX-License-Identifier: MIT */
/*
 * What the extension pg_reactive tells (docs/pg_reactive.md): a thread with one connection, which
 * listens to its channel and asks what a client must be to follow a subscription.
 *
 * Messages are told as they come, and questions are answered between them: whoever is let in
 * misses none that is committed after the answer was.
 */
#ifndef PGS_DB_REACTIVE_H
#define PGS_DB_REACTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "pgs/types.h"

enum {
    PGS_REACTIVE_ID_BYTES = 57, /* of a subscription's id at most */
    PGS_REACTIVE_MAX_WAITING = 1000,
};

/* What it asks, for --dump-sql: what a client must be, and who sends where. */
#define PGS_REACTIVE_QUESTION_SQL                                                                  \
    "select m.generation, m.audience is null or $2::jsonb @> m.audience,"                          \
    " coalesce(pgr.sender(), -1) from pgr.subscription_meta($1) m"
#define PGS_REACTIVE_PROBE_SQL                                                                     \
    "select coalesce(current_setting('pg_reactive.notify_channel', true), 'pgr'),"                 \
    " coalesce(pgr.sender(), -1)"

enum pgs_reactive_state {
    PGS_REACTIVE_LOST,
    PGS_REACTIVE_ABSENT,    /* the database does not have the extension */
    PGS_REACTIVE_CONNECTED, /* told again where messages may have been missed */
};

enum pgs_reactive_verdict {
    PGS_REACTIVE_ADMITTED,
    PGS_REACTIVE_UNKNOWN, /* there is no such subscription */
    PGS_REACTIVE_REFUSED, /* the claims are not those of its audience */
    PGS_REACTIVE_FAILED,  /* PostgreSQL did not say */
};

/* May a caller with these claims follow that subscription?  The texts are the asker's. */
struct pgs_reactive_question {
    struct pgs_reactive_question *next; /* while it waits */
    const char *id;
    const char *claims; /* a JSON object */
    enum pgs_reactive_verdict verdict;
    int64_t generation; /* where it is admitted */
};

struct pgs_reactive_config {
    const char *conninfo; /* lives as long as the thread */
    /* On the thread, as what follows. */
    void (*on_state)(void *arg, enum pgs_reactive_state state);
    void (*on_message)(void *arg, struct pgs_text message);
    void (*on_answer)(void *arg, struct pgs_reactive_question *question);
    void *arg;
};

struct pgs_reactive;

/* Starts the thread; it connects, and connects again, by itself.  NULL: out of resources. */
struct pgs_reactive *pgs_reactive_open(const struct pgs_reactive_config *config);

/* Ends the thread; what still waited is answered. */
void pgs_reactive_close(struct pgs_reactive *reactive);

/* From any thread.  False: too many wait, and it will not be answered. */
bool pgs_reactive_ask(struct pgs_reactive *reactive, struct pgs_reactive_question *question)
    __attribute__((warn_unused_result));

#endif

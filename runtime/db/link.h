/* SPDX-License-Identifier: MIT */
/*
 * A thread of its own with one connection of libpq, which may block: for what PostgreSQL tells by
 * itself.  The thread connects, and connects again; ending it breaks whatever it waits for
 * but connecting, which ends by itself within 5 s a host.
 */
#ifndef PGS_DB_LINK_H
#define PGS_DB_LINK_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>

#include "db/hosts.h"

struct pgs__link {
    pthread_t thread;
    int wake_fd;           /* an eventfd: pgs__link_wake() */
    pthread_mutex_t mutex; /* over socket_fd, so that none is shut down that another has by now */
    int socket_fd;         /* of the connection while it may block; -1: none */
    _Atomic bool is_ending;

    /* of the thread */
    const char *conninfo;
    struct pgs__hosts hosts; /* the one first that it was connected to */
    PGconn *pg;
    int failures;    /* in a row */
    const char *why; /* constant: what is wrong, where the connection does not say; or NULL */
};

/* What the connection is, beside its address; NULL: as the address has it. */
struct pgs__link_words {
    const char *name;
    const char *target; /* target_session_attrs */
    const char *replication;
    const char *options;
};

/* Starts the thread, whose `run` begins with pgs__link_begin.  `conninfo` outlives it.  False: out
 * of resources. */
bool pgs__link_open(struct pgs__link *link, const char *conninfo, void *(*run)(void *), void *arg)
    __attribute__((warn_unused_result));

/* Ends the thread, whose `run` returns once is_ending is set. */
void pgs__link_close(struct pgs__link *link);

void pgs__link_wake(struct pgs__link *link);

/* On the thread: */
void pgs__link_begin(void);

/* Waits for input from `fd` (-1: none), for pgs__link_wake(), or for the time. */
void pgs__link_wait(const struct pgs__link *link, int fd, int timeout_ms);

/* False: not connected, or to a pooler, or told to end; pgs__link_disconnect follows in either
 * case.
 */
bool pgs__link_connect(struct pgs__link *link, const struct pgs__link_words *words)
    __attribute__((warn_unused_result));
void pgs__link_disconnect(struct pgs__link *link);

/* The result of one statement, for PQclear(); its values are texts.  NULL: none came in time, and
 * the connection is of no use.  Without `values` it also goes over a connection for replication. */
PGresult *pgs__link_ask(struct pgs__link *link, const char *sql, int n, const char *const *values,
                        int timeout_ms) __attribute__((warn_unused_result));

/* The same of what has been sent. */
PGresult *pgs__link_take(struct pgs__link *link, int timeout_ms)
    __attribute__((warn_unused_result));

/* What pgs__link_connect asks. */
extern const char pgs__link_pid_sql[];

/* Says why, once until it works again; `event` is a constant word. */
void pgs__link_log_failure(const struct pgs__link *link, const char *event);

/* Before the next try. */
int pgs__link_backoff_ms(const struct pgs__link *link);

#endif

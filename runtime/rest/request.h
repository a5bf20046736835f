/* SPDX-License-Identifier: MIT */
/*
 * One request under /rest/v1/, from its route to its answer.
 *
 * The struct lives in the h2o request's pool.  When the client goes, the pool's destructor detaches
 * the transaction, which goes on without us.
 */
#ifndef PGS_REST_REQUEST_H
#define PGS_REST_REQUEST_H

#include "codec/query_string.h"
#include "http/reply.h"
#include "pgs/handler.h"
#include "rest/prefer.h"
#include "rest/rest.h"
#include "rest/sql.h"

/* A column of the answer. */
struct pgs_output {
    const char *name; /* alias or column name; NULL: a bare value */
    size_t name_len;
    const struct pgs_type *type;
};

/* How the rows of a transaction become the answer. */
typedef void pgs_respond(struct pgs_request *rq, struct pgs_txn *txn);

#define PGS_MAX_STATEMENTS 2 /* the rows, and their count */

struct pgs_request {
    h2o_req_t *req;
    struct pgs_thread *thread;
    const struct pgs_route *route;
    struct pgs_identity who;
    struct pgs_memory memory; /* the request's pool */

    struct pgs_query_string query;
    struct pgs_prefer prefer;
    bool single;   /* Accept: application/vnd.pgrst.object+json */
    int64_t limit; /* rows asked for, after all bounds; -1: none */
    int64_t offset;

    struct pgs_sql statements[PGS_MAX_STATEMENTS];
    size_t n_statements;
    const struct pgs_output *outputs;
    size_t n_outputs;
    bool slow;       /* may take long: not among the quick ones */
    bool idempotent; /* may be sent again when the connection is lost */
    bool retried;
    struct pgs_txn *txn; /* in flight; NULL: none */
    pgs_respond *respond;
};

/* Sends the statements; `respond` is called when they are committed, errors are answered here. */
void pgs__send(struct pgs_request *rq, pgs_respond *respond);

/* Answers with an error in PostgREST's form; `format` makes the message. */
void pgs__fail(struct pgs_request *rq, int status, const char *code, const char *details,
               const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* 42501 as PostgreSQL would say it: 401 for anon, 403 for everybody else. */
void pgs__fail_denied(struct pgs_request *rq, const char *relation);

/* The next statement to build; at most PGS_MAX_STATEMENTS. */
struct pgs_sql *pgs__statement(struct pgs_request *rq);

#endif

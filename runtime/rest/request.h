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

/* Why a statement cannot be built. */
struct pgs_refusal {
    int status;
    const char *code;
    const char *hint;
    const char *message;
};

#define PGS_MAX_STATEMENTS 2

struct pgs_request {
    h2o_req_t *req;
    struct pgs_thread *thread;
    const struct pgs_route *route;
    struct pgs_identity who;
    struct pgs_memory memory; /* until the answer has left */

    /* What is asked. */
    struct pgs_query_string query;
    struct pgs_prefer prefer;
    bool single;   /* Accept: application/vnd.pgrst.object+json: exactly one row */
    int64_t limit; /* rows, after all bounds; -1: none */
    int64_t offset;

    /* What is sent. */
    struct pgs_memory scratch; /* bodies and parameters: until PostgreSQL has them */
    h2o_mem_pool_t scratch_pool;
    struct pgs_sql statements[PGS_MAX_STATEMENTS];
    int n_statements;
    int rows_from; /* the statement whose rows are the answer */
    const struct pgs_output *outputs;
    size_t n_outputs;
    struct pgs_refusal refusal; /* why nothing is sent */
    bool slow;                  /* may take long: not among the quick ones */
    bool leaves_traces;         /* in the session, for all that is known */
    bool is_followed;           /* what it writes is told by live queries */
    bool idempotent;            /* may be sent again when the connection is lost */
    bool retried;
    struct pgs_txn *txn;      /* in flight; NULL: none */
    h2o_timeout_entry_t look; /* after its client, meanwhile */

    /* What is answered. */
    bool object; /* one object, or null: no array */
    pgs_respond *respond;
    struct {
        struct pgs_buf body;
        int status;
        bool has_body;
    } kept; /* an answer, while its Pgstack-Lsn is asked for */
};

/* Reads the URL's query and the Range header.  `arguments` are those of a call in the URL; NULL:
 * there are none.  False: answered. */
bool pgs__read_query(struct pgs_request *rq, const struct pgs_shape *arguments);

/* The next statement to build; at most PGS_MAX_STATEMENTS. */
struct pgs_sql *pgs__statement(struct pgs_request *rq);

/* Sends what was built, when `built`, and else answers with the refusal.  `respond` is called when
 * the statements are committed; errors are answered here. */
void pgs__send(struct pgs_request *rq, bool built, pgs_respond *respond);

/* The request ends before its answer. */
void pgs__forsake(struct pgs_request *rq);

#endif

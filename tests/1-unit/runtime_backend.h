/* SPDX-License-Identifier: MIT */
/*
 * A connection of the pool whose PostgreSQL is a piece of memory: what it "says" is put where a
 * socket would have put it, in pieces as the test likes.  What comes of the transactions is written
 * down as text.
 */
#ifndef TESTS_RUNTIME_BACKEND_H
#define TESTS_RUNTIME_BACKEND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/pool_private.h"

struct backend {
    struct pgs_pool *pool;
    struct pgs__conn conn;
    struct pgs_buf heard; /* what the requesters were told */
};

static inline void
backend_note(struct backend *backend, const char *text)
{
    pgs_buf_add_str(&backend->heard, text);
}

static inline void
backend_note_rows(struct backend *backend, struct pgs_txn *txn, int statement)
{
    for (int row = 0; row < pgs_txn_row_count(txn, statement); row++) {
        backend_note(backend, " (");
        for (int i = 0; i < pgs_txn_column_count(txn, statement); i++) {
            size_t len;
            const char *value = pgs_txn_value(txn, statement, row, i, &len);

            backend_note(backend, i > 0 ? "," : "");
            pgs_buf_add(&backend->heard, value != NULL ? value : "null", value != NULL ? len : 4);
        }
        backend_note(backend, ")");
    }
    backend_note(backend, " ");
    pgs_buf_add_int(&backend->heard, pgs_txn_affected(txn, statement));
}

static inline void
backend_on_done(struct pgs_txn *txn, void *owner)
{
    static const char *const names[] = {
        [PGS_TXN_OK] = "ok",
        [PGS_TXN_FAILED] = "failed",
        [PGS_TXN_LOST] = "lost",
        [PGS_TXN_UNAVAILABLE] = "unavailable",
        [PGS_TXN_BUSY] = "busy",
        [PGS_TXN_UNWANTED] = "unwanted",
        [PGS_TXN_READ_ONLY] = "read only",
    };
    struct backend *backend = owner;
    enum pgs_txn_state state = pgs_txn_state(txn);

    backend_note(backend, names[state]);
    if (state == PGS_TXN_FAILED) {
        struct pgs_db_error error = pgs_txn_error(txn);

        backend_note(backend, " ");
        backend_note(backend, error.sqlstate);
        backend_note(backend, " ");
        backend_note(backend, error.message);
        backend_note(backend, error.detail);
        backend_note(backend, error.hint);
    }
    for (int i = 0; state == PGS_TXN_OK && i < txn->n_steps - 1; i++)
        backend_note_rows(backend, txn, i);
    backend_note(backend, "; ");
}

/* The connection is ready, and nothing was sent over it. */
static inline void
backend_open(struct backend *backend)
{
    static h2o_loop_t *loop;
    const struct pgs_pool_config config = {
        .conninfo = "host=/nowhere",
        .session_sql = "select set_config('role', $1, true)",
        .n_session = 1,
        .connections = 1, /* it never comes: the one that is tried is beside it */
        .max_in_flight = 64,
        .max_waiting = 64,
        .max_statements = 64,
        .statement_timeout_ms = 1000,
        .wait_timeout_ms = 1000,
    };

    if (loop == NULL)
        loop = h2o_evloop_create();
    *backend = (struct backend){.pool = pgs_pool_open(loop, &config)};
    pgs_buf_init(&backend->heard, 0);
    pgs__conn_init(&backend->conn, backend->pool, false);
    pgs_buf_init(&backend->conn.stream.out, 0);
    backend->conn.pg = PQconnectStart("host=/nowhere");
    backend->conn.state = PGS__CONN_READY;
}

static inline void
backend_close(struct backend *backend)
{
    pgs__conn_close(&backend->conn);
    pgs_pool_close(backend->pool);
    pgs_pool_free(backend->pool);
    pgs_buf_clear(&backend->heard);
}

/* Sends a transaction of these statements. */
static inline void
backend_ask(struct backend *backend, const char *const *statements, int n)
{
    const struct pgs_text role = {"anon", 4};
    struct pgs_txn *txn = pgs_txn_new(backend->pool, &role);

    for (int i = 0; i < n; i++)
        pgs_txn_statement(txn, statements[i], strlen(statements[i]));
    txn->done = backend_on_done;
    txn->owner = backend;
    pgs__conn_send(&backend->conn, txn);
}

/* Takes in some bytes, in memory that ends where they do.  False: they make no sense. */
static inline bool
backend_say(struct backend *backend, const char *bytes, size_t len)
{
    struct pgs__stream *stream = &backend->conn.stream;
    size_t rest = stream->in_len - stream->in_done;
    char *in = malloc(rest + len > 0 ? rest + len : 1);

    if (in == NULL)
        abort();
    if (rest > 0)
        memcpy(in, stream->in + stream->in_done, rest);
    memcpy(in + rest, bytes, len);
    free(stream->in);
    stream->in = in;
    stream->in_len = rest + len;
    stream->in_done = 0;
    return pgs__conn_read(&backend->conn);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "health.h"

#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "http/info.h"
#include "http/reply.h"

static const char json_type[] = "application/json; charset=utf-8";
const char pgs_ready_sql[] = "select fingerprint from pgstack.state";

/* A question in flight; it lives in the request's pool. */
struct ready {
    h2o_req_t *req;
    struct pgs_thread *thread;
    struct pgs_txn *txn;
};

static void
reply_text(h2o_req_t *req, int status, const char *text)
{
    struct pgs_buf body;

    pgs_buf_init(&body, 0);
    pgs_buf_add_str(&body, text);
    pgs_reply(req, status, json_type, &body);
}

static void
reply_health(struct pgs_thread *thread, h2o_req_t *req)
{
    if (pgs_pool_is_answering(thread->pool))
        reply_text(req, 200, "{\"status\":\"ok\",\"pg_connected\":true}");
    else
        reply_text(req, 503, "{\"status\":\"unavailable\",\"pg_connected\":false}");
}

/* Fingerprints are hexadecimal: they need no escaping. */
static void
reply_ready(const struct ready *ready, bool connected, const char *database)
{
    const char *compiled = ready->thread->app->fingerprint;
    bool same = strcmp(compiled, database) == 0;
    struct pgs_buf body;

    pgs_buf_init(&body, 0);
    pgs_buf_add_str(&body, same ? "{\"status\":\"ready\"" : "{\"status\":\"not ready\"");
    pgs_buf_add_str(&body, connected ? ",\"pg_connected\":true" : ",\"pg_connected\":false");
    pgs_buf_add_str(&body, ",\"compiled\":\"");
    pgs_buf_add_str(&body, compiled);
    pgs_buf_add_str(&body, "\",\"database\":\"");
    pgs_buf_add_str(&body, database);
    pgs_buf_add_str(&body, "\"}");
    pgs_reply(ready->req, same ? 200 : 503, json_type, &body);
}

#define FINGERPRINT_MAX 128

/* What the database says it is; "" where that is no fingerprint. */
static void
read_fingerprint(struct pgs_txn *txn, char text[FINGERPRINT_MAX + 1])
{
    size_t len;
    const char *value = pgs_txn_value(txn, 0, 0, 0, &len);

    text[0] = '\0';
    if (value == NULL || len > FINGERPRINT_MAX)
        return;
    memcpy(text, value, len);
    text[len] = '\0';
    if (text[strspn(text, "0123456789abcdef")] != '\0')
        text[0] = '\0';
}

/* Once, until they are the same again: /ready is asked every few seconds. */
static void
log_mismatch(struct pgs_thread *thread, const char *database)
{
    bool differs = strcmp(thread->app->fingerprint, database) != 0;

    if (differs && !thread->is_mismatched)
        PGS_LOG(PGS_LOG_WARN, "fingerprints_differ",
                PGS_LOG_STR("compiled", thread->app->fingerprint),
                PGS_LOG_STR("database", database), PGS_LOG_STR("hint", "have the migrations run?"));
    thread->is_mismatched = differs;
}

static void
on_state(struct pgs_txn *txn, void *owner)
{
    struct ready *ready = owner;
    bool connected = pgs_txn_state(txn) <= PGS_TXN_FAILED;
    char database[FINGERPRINT_MAX + 1] = "";

    ready->txn = NULL;
    if (pgs_txn_state(txn) == PGS_TXN_OK && pgs_txn_row_count(txn, 0) == 1)
        read_fingerprint(txn, database);
    if (connected)
        log_mismatch(ready->thread, database);
    reply_ready(ready, connected, database);
}

static void
on_request_end(void *cell)
{
    struct ready *ready = *(struct ready **)cell;

    if (ready->txn != NULL)
        pgs_txn_detach(ready->txn);
}

static const char *const words[] = {
    [PGS_HEALTH_STARTING] = "{\"status\":\"starting\"}",
    [PGS_HEALTH_DRAINING] = "{\"status\":\"draining\"}",
};

static _Atomic(enum pgs_health_phase) current_phase;

void
pgs_health_enter(enum pgs_health_phase phase)
{
    atomic_store(&current_phase, phase);
}

static void
ask_state(struct pgs_thread *thread, h2o_req_t *req)
{
    size_t n = 2 + (size_t)thread->app->reads_jwt + thread->app->n_claims;
    struct pgs_text *session = h2o_mem_alloc_pool(&req->pool, n * sizeof(*session));
    struct ready *ready = h2o_mem_alloc_pool(&req->pool, sizeof(*ready));
    struct ready **cell = h2o_mem_alloc_shared(&req->pool, sizeof(ready), on_request_end);

    *ready = (struct ready){req, thread, NULL};
    *cell = ready;
    for (size_t i = 0; i < n; i++)
        session[i] = (struct pgs_text){"", 0};
    session[0] = (struct pgs_text){"none", 4}; /* the login role itself */
    ready->txn = pgs_txn_new(thread->pool, session);
    if (ready->txn == NULL) {
        reply_ready(ready, false, "");
        return;
    }
    pgs_txn_statement(ready->txn, pgs_ready_sql, strlen(pgs_ready_sql));
    pgs_txn_send(ready->txn, false, on_state, ready);
}

static void
reply_readiness(struct pgs_thread *thread, h2o_req_t *req)
{
    enum pgs_health_phase phase = atomic_load(&current_phase);

    if (phase == PGS_HEALTH_SERVING)
        ask_state(thread, req);
    else
        reply_text(req, 503, words[phase]);
}

bool
pgs_health_on_request(struct pgs_thread *thread, h2o_req_t *req)
{
    h2o_iovec_t path = req->path_normalized;
    bool health = h2o_memis(path.base, path.len, H2O_STRLIT("/health"));

    if (!health && !h2o_memis(path.base, path.len, H2O_STRLIT("/ready")))
        return false;
    if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) &&
        !h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"))) {
        pgs_reply_header(req, "allow", "GET, HEAD", strlen("GET, HEAD"));
        pgs_reply_empty(req, 405);
        return true;
    }
    pgs_request_info(req)->route = health ? "/health" : "/ready";
    if (health)
        reply_health(thread, req);
    else
        reply_readiness(thread, req);
    return true;
}

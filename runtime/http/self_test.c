/* SPDX-License-Identifier: MIT */
/*
 * The guards, tried on pairs of sockets before anything listens.  A libh2o that does not call our
 * wrappers (linked with -Bsymbolic, or with LTO) would let every flood through without a sign.
 */
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limit.h"
#include "http/guard.h"
#include "http/worker.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define UNKNOWN "\0\0\0\x7f\0\0\0\0\0"
#define PING "\0\0\x08\6\0\0\0\0\0pgstack!"
#define HEADERS_OPEN "\0\0\1\1\0\0\0\0\1\x82" /* :method GET, and more is to come */
#define EMPTY_CONTINUATION "\0\0\0\x09\0\0\0\0\1"
#define DATA_OF_NOTHING "\0\0\1\0\0\0\0\0\0x"
#define HEADERS_OF_200 "\0\0\xc8\1\5\0\0\0\1"
#define ONE_FIELD "\x90"
#define HEADERS_OF_A_BODY "\0\0\6\1\4\0\0\0\1\x83\x87\x84\x41\1x" /* POST https://x/ */
#define NO_WINDOW "\0\0\4\x08\0\0\0\0\1\0\0\0\0"                  /* which is answered by a reset */
#define CHUNKED "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1"

#define BYTES(text) text, sizeof(text) - 1

struct trial {
    const char *bytes;
    size_t len;
    const char *more; /* so many times; NULL: none */
    size_t more_len;
    int times;
    uint64_t frames; /* that the guard must count; 0: any */
    unsigned resets; /* of streams that were open */
    bool is_dead;
};

struct pair {
    struct pgs__connection *connection;
    h2o_socket_t *socket;
    int peer;
};

static bool
has_worked(const struct pgs__connection *connection, const struct trial *trial)
{
    return (trial->frames == 0 || connection->h2.frames == trial->frames) &&
           connection->h2.resets == trial->resets && connection->h2.is_dead == trial->is_dead;
}

/* False: out of descriptors, or memory. */
static bool
open_pair(h2o_accept_ctx_t *accept, struct pair *pair)
{
    int fds[2];

    pair->connection = calloc(1, sizeof(*pair->connection));
    if (pair->connection == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) {
        free(pair->connection);
        return false;
    }
    pair->peer = fds[1];
    pair->socket =
        h2o_evloop_socket_create(accept->ctx->loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    pgs__connection_guard(pair->connection, pair->socket);
    return true;
}

/* In one piece: a socket has room for few small ones. */
static bool
say(const struct pair *pair, const struct trial *trial)
{
    char bytes[8192];
    size_t len = trial->len;

    memcpy(bytes, trial->bytes, trial->len);
    for (int i = 0; i < trial->times; i++, len += trial->more_len)
        memcpy(bytes + len, trial->more, trial->more_len);
    return write(pair->peer, bytes, len) == (ssize_t)len;
}

/* True if libh2o has let go of its side. */
static bool
close_pair(h2o_accept_ctx_t *accept, struct pair *pair)
{
    bool is_closed;

    (void)close(pair->peer);
    for (int i = 0; i < 100 && pair->connection->socket != NULL; i++)
        (void)h2o_evloop_run(accept->ctx->loop, 10);
    is_closed = pair->connection->socket == NULL;
    free(pair->connection);
    return is_closed;
}

/* What libh2o makes of the bytes; nothing of it may reach a handler. */
static bool
try_h2(h2o_accept_ctx_t *accept, const struct trial *trial, __typeof__(&h2o_http2_accept) begin)
{
    struct pair pair;
    bool works;

    if (!open_pair(accept, &pair))
        return false;
    works = say(&pair, trial);
    begin(accept, pair.socket, (struct timeval){.tv_sec = 0});
    for (int i = 0; i < 4 && !has_worked(pair.connection, trial); i++)
        (void)h2o_evloop_run(accept->ctx->loop, 10);
    works = works && has_worked(pair.connection, trial);
    return close_pair(accept, &pair) && works;
}

static bool
try_h1(h2o_accept_ctx_t *accept)
{
    const struct trial trial = {.bytes = CHUNKED, .len = sizeof(CHUNKED) - 1};
    unsigned before = pgs__h1_guard_count();
    struct pair pair;
    bool works;

    if (!open_pair(accept, &pair))
        return false;
    works = say(&pair, &trial);
    h2o_http1_accept(accept, pair.socket, (struct timeval){.tv_sec = 0});
    for (int i = 0; i < 4 && pgs__h1_guard_count() - before < 2; i++)
        (void)h2o_evloop_run(accept->ctx->loop, 10);
    works = works && pgs__h1_guard_count() - before == 2; /* the head, and the body */
    return close_pair(accept, &pair) && works;
}

/* libh2o cannot free a loop: it stays, once a process. */
static h2o_accept_ctx_t *
open_loop(void)
{
    static h2o_globalconf_t global;
    static h2o_context_t context;
    static h2o_accept_ctx_t accept;

    if (accept.ctx != NULL)
        return &accept;
    h2o_config_init(&global);
    (void)h2o_config_register_host(&global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_context_init(&context, h2o_evloop_create(), &global);
    accept.ctx = &context;
    accept.hosts = global.hosts;
    return &accept;
}

bool
pgs_server_http1_works(void)
{
    bool works;

    pgs__h1_guard_open();
    works = try_h1(open_loop());
    pgs_limits_forget();
    return works;
}

bool
pgs_server_http2_works(void)
{
    static const struct trial trials[] = {
        {BYTES(PREFACE SETTINGS UNKNOWN PING), NULL, 0, 0, 3, 0, false},
        {BYTES(PREFACE SETTINGS HEADERS_OPEN EMPTY_CONTINUATION), NULL, 0, 0, 3, 0, true},
        {BYTES(PREFACE SETTINGS DATA_OF_NOTHING), NULL, 0, 0, 2, 0, true},
        {BYTES(PREFACE SETTINGS HEADERS_OF_200), BYTES(ONE_FIELD), 200, 2, 0, true},
        {BYTES(PREFACE SETTINGS HEADERS_OF_A_BODY NO_WINDOW), NULL, 0, 0, 3, 1, false},
        {BYTES(PREFACE SETTINGS), BYTES(NO_WINDOW), 400, 0, 0, true},
    };
    /* libh2o begins HTTP/2 by itself here; in the others it is begun for it */
    bool works = try_h2(open_loop(), &trials[0], h2o_http1_accept);

    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
        works = try_h2(open_loop(), &trials[i], h2o_http2_accept) && works;
    pgs_limits_forget();
    return works;
}

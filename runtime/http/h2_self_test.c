/* SPDX-License-Identifier: MIT */
/*
 * The guard, tried on pairs of sockets before anything listens.  A libh2o that does not call our
 * wrappers (linked with -Bsymbolic, or with LTO) would let every flood through without a sign.
 */
#include <h2o.h>
#include <h2o/http2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limit.h"
#include "http/worker.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define UNKNOWN "\0\0\0\x7f\0\0\0\0\0"
#define PING "\0\0\x08\6\0\0\0\0\0pgstack!"
#define HEADERS_OPEN "\0\0\1\1\0\0\0\0\1\x82" /* :method GET, and more is to come */
#define EMPTY_CONTINUATION "\0\0\0\x09\0\0\0\0\1"

struct trial {
    const char *bytes;
    size_t len;
    uint64_t frames; /* that the guard must count */
    bool is_dead;
};

static bool
has_worked(const struct pgs__connection *connection, const struct trial *trial)
{
    return connection->h2.frames == trial->frames && connection->h2.is_dead == trial->is_dead;
}

/* What libh2o makes of the bytes; nothing of it may reach a handler. */
static bool
try(h2o_accept_ctx_t *accept, const struct trial *trial)
{
    struct pgs__connection *connection = calloc(1, sizeof(*connection));
    int fds[2];
    bool works;
    h2o_socket_t *socket;

    if (connection == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return false;
    socket =
        h2o_evloop_socket_create(accept->ctx->loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    pgs__connection_guard(connection, socket);
    works = write(fds[1], trial->bytes, trial->len) == (ssize_t)trial->len;
    h2o_http2_accept(accept, socket, (struct timeval){.tv_sec = 0});
    for (int i = 0; i < 4 && !has_worked(connection, trial); i++)
        (void)h2o_evloop_run(accept->ctx->loop, 10);
    works = works && has_worked(connection, trial);
    (void)close(fds[1]);
    for (int i = 0; i < 100 && connection->socket != NULL; i++)
        (void)h2o_evloop_run(accept->ctx->loop, 10);
    works = works && connection->socket == NULL;
    free(connection);
    return works;
}

bool
pgs__h2_guard_works(h2o_globalconf_t *globalconf)
{
    static const struct trial trials[] = {
        {PREFACE SETTINGS UNKNOWN PING, sizeof(PREFACE SETTINGS UNKNOWN PING) - 1, 3, false},
        {PREFACE SETTINGS HEADERS_OPEN EMPTY_CONTINUATION,
         sizeof(PREFACE SETTINGS HEADERS_OPEN EMPTY_CONTINUATION) - 1, 3, true},
    };
    /* libh2o cannot free a loop: these stay, once a process. */
    static h2o_context_t context;
    static h2o_accept_ctx_t accept;
    bool works = true;

    h2o_context_init(&context, h2o_evloop_create(), globalconf);
    accept.ctx = &context;
    accept.hosts = globalconf->hosts;
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
        works = try(&accept, &trials[i]) && works;
    pgs_limits_forget();
    return works;
}

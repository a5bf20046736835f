/* SPDX-License-Identifier: MIT */
/*
 * A client over a WebSocket (live/websocket.h): the handshake, refused with a status before
 * anything is upgraded, then a session's frames and messages.
 */
#include <stdlib.h>
#include <string.h>

#include <h2o/websocket.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/text.h"
#include "http/budget.h"
#include "http/cors.h"
#include "http/info.h"
#include "http/reply.h"
#include "live/relayed.h"
#include "live/single.h"
#include "live/thread.h"
#include "live/url.h"
#include "live/websocket.h"

#define MAX_QUEUED_MESSAGES 1000
#define MAX_CLOSE_MS 5000 /* for the client to read what waits, and to close */

struct socket {
    struct pgs__session *session;
    struct pgs__websocket websocket;
    int64_t heard_ms, end_ms;
    bool is_open; /* it is answered with an upgrade */
    struct pgs__bucket controls;
    bool is_pinged;
};

/* ---- out ---- */

static void
send_frame(void *at, const struct pgs_buf *frame)
{
    struct socket *socket = at;

    if (!socket->is_open)
        return; /* what it asked for is refused by a status */
    if (frame->failed) {
        socket->session->transport->end(socket, 1011, "out of memory");
        return;
    }
    pgs__websocket_send(&socket->websocket, WSLAY_TEXT_FRAME, frame->at, frame->len);
}

static size_t
queued_bytes(void *at)
{
    const struct socket *socket = at;

    return pgs__websocket_waiting_bytes(&socket->websocket);
}

static void
end(void *at, int code, const char *reason)
{
    struct socket *socket = at;

    if (socket->session->is_ending)
        return;
    socket->session->is_ending = true;
    socket->end_ms = pgs_clock_ms();
    pgs__websocket_end(&socket->websocket, (uint16_t)code, reason);
}

/* Once, then the connection is given up; so is one whose client takes no notice of its end. */
static void
ping(void *at)
{
    struct socket *socket = at;
    int64_t silent_ms = pgs_clock_ms() - socket->heard_ms;
    int idle_ms = socket->session->thread->config.idle_ms;

    if (!socket->is_open)
        return; /* it is still to be seen whether it will be */
    if (socket->session->is_ending) {
        if (pgs_clock_ms() - socket->end_ms > MAX_CLOSE_MS)
            pgs__websocket_cut(&socket->websocket);
    } else if (silent_ms > idle_ms) {
        pgs_limit_hit(PGS_LIMIT_LIVE_IDLE);
        end(socket, 1001, "no answer to a ping");
    } else if (silent_ms > idle_ms / 2 && !socket->is_pinged) {
        socket->is_pinged = true;
        pgs__websocket_send(&socket->websocket, WSLAY_PING, NULL, 0);
    }
}

/* A client that goes on asking and reads no answer: what it asks for is small, what waits for it
 * would grow. */
static bool
is_flooding(const struct socket *socket)
{
    return pgs__websocket_waiting_frames(&socket->websocket) > MAX_QUEUED_MESSAGES;
}

/* A client that pings without end: each is answered.  Or sends messages in crumbs: those of nothing
 * make none longer. */
static bool
may_control(struct socket *socket)
{
    static const struct pgs__bucket_size size = {100, 10, PGS_LIMIT_LIVE_CONTROLS};

    return pgs__bucket_spend(&socket->controls, &size, pgs_clock_ms());
}

/* At once: a close frame would only wait behind the others. */
static void
cut(struct socket *socket)
{
    socket->session->is_ending = true;
    pgs__websocket_cut(&socket->websocket);
}

static const struct pgs__transport transport = {send_frame, queued_bytes, end, ping};

/* ---- in ---- */

static void
free_socket(struct socket *socket)
{
    bool has_left = pgs__websocket_has_goodbye(&socket->websocket);

    if (socket->session != NULL)
        pgs__session_close(socket->session, socket->is_open && !has_left);
    pgs__websocket_clear(&socket->websocket);
    free(socket);
}

static void
on_end(struct pgs__websocket *websocket)
{
    free_socket(H2O_STRUCT_FROM_MEMBER(struct socket, websocket, websocket));
}

static void
on_message(struct pgs__websocket *websocket, uint8_t opcode, const char *bytes, size_t len)
{
    struct socket *socket = H2O_STRUCT_FROM_MEMBER(struct socket, websocket, websocket);

    socket->heard_ms = pgs_clock_ms();
    socket->is_pinged = false;
    if (wslay_is_ctrl_frame(opcode) && !may_control(socket)) {
        cut(socket);
    } else if (is_flooding(socket)) {
        pgs_limit_hit(PGS_LIMIT_LIVE_QUEUE);
        cut(socket);
    } else if (socket->session->is_ending)
        return;
    else if (opcode == WSLAY_TEXT_FRAME && socket->session->single == NULL)
        pgs__session_receive(socket->session, NULL, bytes, len);
    else if (opcode == WSLAY_BINARY_FRAME)
        end(socket, 1003, "text frames only");
}

/* It is not heard from before its message is whole. */
static void
on_crumb(struct pgs__websocket *websocket)
{
    struct socket *socket = H2O_STRUCT_FROM_MEMBER(struct socket, websocket, websocket);

    if (!may_control(socket))
        cut(socket);
}

/* ---- the handshake ---- */

static void
refuse(h2o_req_t *req, int status, const char *code, const char *message, const char *hint)
{
    pgs_reply_problem(req, &(struct pgs_problem){status, code, message, NULL, hint});
}

/* NULL: answered with a refusal. */
static const char *
check_handshake(struct pgs_live_thread *thread, h2o_req_t *req)
{
    h2o_iovec_t version = pgs_request_header(req, "sec-websocket-version");
    const char *key = NULL;

    if (req->version >= 0x200) {
        refuse(req, 400, "PGRST100", "WebSockets are spoken over HTTP/1.1 only",
               "open a connection of its own, without HTTP/2");
        return NULL;
    }
    if (h2o_is_websocket_handshake(req, &key) != 0 || key == NULL) {
        pgs_reply_header(req, "upgrade", "websocket", 9);
        refuse(req, 426, "PGRST100", "This path is for WebSockets", NULL);
        return NULL;
    }
    if (!h2o_memis(version.base, version.len, H2O_STRLIT("13"))) {
        pgs_reply_header(req, "sec-websocket-version", "13", 2);
        refuse(req, 426, "PGRST100", "This version of WebSockets is not spoken", NULL);
        return NULL;
    }
    if (!pgs_cors_admits_socket(req, thread->config.app->cors)) {
        refuse(req, 403, "42501", "Pages of this origin may not connect",
               "name it in `cors app` or ALLOWED_ORIGINS");
        return NULL;
    }
    return key;
}

/* A client that offers subprotocols wants one of them back. */
static void
choose_protocol(h2o_req_t *req)
{
    static const char name[] = "pgstack.live.v1";
    h2o_iovec_t offered = pgs_request_header(req, "sec-websocket-protocol");

    if (offered.base != NULL &&
        h2o_strstr(offered.base, offered.len, name, sizeof(name) - 1) != SIZE_MAX)
        h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("sec-websocket-protocol"),
                              0, NULL, name, sizeof(name) - 1);
}

/* NULL: answered with a refusal. */
static struct socket *
make_socket(struct pgs_live_thread *thread, h2o_req_t *req, struct pgs__live_url *url)
{
    struct socket *socket = NULL;
    const char *why = NULL;

    if (!pgs__live_url_read(req, url, &why)) {
        refuse(req, 400, "PGRST100", why, NULL);
        return NULL;
    }
    socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        refuse(req, 503, "PGRST003", "Out of memory", NULL);
        return NULL;
    }
    socket->heard_ms = pgs_clock_ms();
    socket->session =
        pgs__session_open(thread, &transport, socket, pgs__live_credential(req, url), &why);
    if (socket->session != NULL && pgs__session_is_admitted(socket->session))
        return socket;
    if (socket->session == NULL)
        refuse(req, 401, "PGRST301", why, NULL);
    else
        refuse(req, 403, "42501", "Live queries are for users who have signed in", NULL);
    free_socket(socket);
    return NULL;
}

/* How PostgreSQL is, and what there is, is told to those alone who have been let in. */
static void
turn_away(struct socket *socket, h2o_req_t *req, const struct pgs_problem *problem)
{
    pgs_reply_problem(req, problem);
    free_socket(socket);
}

static void
upgrade(struct socket *socket, h2o_req_t *req, const char *key)
{
    static const struct pgs__websocket_owner owner = {PGS_LIVE_MAX_MESSAGE_BYTES, on_message,
                                                      on_crumb, on_end};
    struct pgs__session *session = socket->session;

    pgs_request_info(req)->role = session->thread->config.app->roles[session->who.role].name;
    choose_protocol(req);
    socket->is_open = true;
    pgs__websocket_init(&socket->websocket, &owner, &session->thread->now_timeout);
    pgs__websocket_upgrade(&socket->websocket, req, key);
}

void
pgs__socket_accept(struct pgs_live_thread *thread, h2o_req_t *req)
{
    const char *key = check_handshake(thread, req);
    struct pgs__live_url url;
    struct socket *socket = key != NULL ? make_socket(thread, req, &url) : NULL;
    const struct pgs_problem *problem = pgs__thread_problem(thread);

    if (socket != NULL && problem != NULL)
        turn_away(socket, req, problem);
    else if (socket != NULL)
        upgrade(socket, req, key);
}

static const struct pgs_problem unknown = {404, "PGRST202", "There is no such live query", NULL,
                                           NULL};
static const struct pgs_problem unfollowed = {
    503, "PGRST001", "Changes cannot be followed at the moment", NULL, NULL};

static const struct pgs_problem *
find_problem(const struct pgs__session *session, const struct pgs_live *live)
{
    static const struct pgs_problem forbidden = {403, "42501",
                                                 "This role may not follow that query", NULL, NULL};
    const struct pgs_problem *problem = pgs__thread_problem(session->thread);

    if (!pgs__session_may_subscribe(session, live))
        return &forbidden;
    if (problem == NULL && session->thread->feed == PGS__FEED_LOST)
        return &unfollowed;
    return problem;
}

/* Asks for the query.  False: answered with a refusal. */
static bool
subscribe_single(struct socket *socket, h2o_req_t *req, const struct pgs_live *live,
                 struct pgs__live_url *url)
{
    struct pgs__session *session = socket->session;
    const struct pgs_problem *problem = find_problem(session, live);
    char refusal[PGS_SINGLE_REFUSAL_BYTES] = "";

    if (problem != NULL) {
        pgs_reply_problem(req, problem);
        return false;
    }
    session->single = live->name;
    session->refusal = refusal;
    url->query = pgs_text_of(live->name);
    pgs__live_url_subscribe(session, url);
    session->refusal = NULL;
    if (session->n_subscriptions == 1)
        return true;
    refuse(req, 400, "PGRST100", h2o_strdup(&req->pool, refusal, SIZE_MAX).base, NULL);
    return false;
}

void
pgs__socket_accept_single(struct pgs_live_thread *thread, h2o_req_t *req, h2o_iovec_t query)
{
    const char *key = check_handshake(thread, req);
    const struct pgs_live *live =
        pgs__live_find(thread->config.app, (struct pgs_text){query.base, query.len});
    struct pgs__live_url url;
    struct socket *socket = NULL;

    if (key != NULL)
        socket = make_socket(thread, req, &url);
    if (socket == NULL)
        return;
    if (live == NULL) {
        turn_away(socket, req, &unknown);
    } else if (subscribe_single(socket, req, live, &url)) {
        upgrade(socket, req, key);
        pgs__single_begin(socket->session);
    } else {
        free_socket(socket);
    }
}

/* ---- a subscription of pg_reactive: who may follow it is asked first ---- */

/* In the request's pool, which may go before the answer comes. */
struct pending {
    h2o_req_t *req;
    const char *key;
    struct socket *socket; /* NULL: it is in use, or has been freed */
    struct pgs__question *question;
};

static void
on_dispose(void *at)
{
    struct pending *pending = at;

    if (pending->question != NULL)
        pending->question->owner = NULL;
    if (pending->socket != NULL)
        free_socket(pending->socket);
}

static const struct pgs_problem *
problem_of(enum pgs_reactive_verdict verdict)
{
    static const struct pgs_problem refused = {403, "42501",
                                               "This caller may not follow that query", NULL, NULL};

    if (verdict == PGS_REACTIVE_UNKNOWN)
        return &unknown;
    return verdict == PGS_REACTIVE_REFUSED ? &refused : &unfollowed;
}

static void
ask(struct pgs_live_thread *thread, h2o_req_t *req, const char *key, h2o_iovec_t id,
    struct socket *socket)
{
    struct pending *pending = h2o_mem_alloc_shared(&req->pool, sizeof(*pending), on_dispose);

    *pending = (struct pending){req, key, socket, NULL};
    pending->question = pgs__relayed_ask(thread, (struct pgs_text){id.base, id.len},
                                         socket->session->who.claims, pending);
    if (pending->question == NULL)
        pgs_reply_problem(req, &unfollowed);
}

void
pgs__socket_accept_relayed(struct pgs_live_thread *thread, h2o_req_t *req, h2o_iovec_t id)
{
    const char *key = check_handshake(thread, req);
    enum pgs_reactive_state state = pgs__relay_state(thread->config.relay);
    struct pgs__live_url url;
    struct socket *socket;

    if (key == NULL)
        return;
    socket = make_socket(thread, req, &url);
    if (socket == NULL)
        return;
    socket->session->is_relayed = true;
    if (!pgs__notice_is_id((struct pgs_text){id.base, id.len}) || state == PGS_REACTIVE_ABSENT)
        turn_away(socket, req, &unknown);
    else if (state == PGS_REACTIVE_LOST)
        turn_away(socket, req, &unfollowed);
    else
        ask(thread, req, key, id, socket);
}

/* Meanwhile its token may have expired, or the server be stopping. */
void
pgs__socket_judge(const struct pgs__question *question)
{
    struct pending *pending = question->owner;
    struct socket *socket;

    if (pending == NULL)
        return;
    pending->question = NULL;
    socket = pending->socket;
    if (question->super.verdict != PGS_REACTIVE_ADMITTED || socket->session->is_ending) {
        pgs_reply_problem(pending->req, socket->session->is_ending
                                            ? &unfollowed
                                            : problem_of(question->super.verdict));
        return;
    }
    pending->socket = NULL;
    upgrade(socket, pending->req, pending->key);
    pgs__relayed_follow(socket->session, question->super.id, question->super.generation);
}

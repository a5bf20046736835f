/* SPDX-License-Identifier: MIT */
/*
 * A client's connection: who it is, what it asked for.  An error of one subscription ends that one
 * alone; only a bad token ends them all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "base/random.h"
#include "base/text.h"
#include "codec/json_write.h"
#include "codec/literal.h"
#include "live/message.h"
#include "live/relayed.h"
#include "live/single.h"
#include "live/thread.h"

#define CLOSE_TOKEN 4401 /* RFC 6455 leaves 4000 to 4999 to applications */
#define CLOSE_REPLACED 4409

/* ---- to the client ---- */

static void
begin(struct pgs_buf *frame, const char *type, const char *id)
{
    pgs_buf_init(frame, 0);
    pgs_buf_add_str(frame, "{\"type\":\"");
    pgs_buf_add_str(frame, type);
    pgs_buf_add_char(frame, '"');
    if (id == NULL)
        return;
    pgs_buf_add_str(frame, ",\"id\":");
    pgs_json_string(frame, id, strlen(id));
}

void
pgs__session_send(struct pgs__session *session, const struct pgs_buf *frame)
{
    session->n_frames++; /* of one that is not sent too: its client has not read it */
    if (session->is_ending)
        return;
    session->transport->send(session->at, frame);
}

static void
end(struct pgs__session *session, struct pgs_buf *frame)
{
    pgs_buf_add_char(frame, '}');
    pgs__session_send(session, frame);
    pgs_buf_clear(frame);
}

static void
tell(struct pgs__session *session, const char *type, const char *id)
{
    struct pgs_buf frame;

    begin(&frame, type, id);
    end(session, &frame);
}

void
pgs__session_fail(struct pgs__session *session, const char *id, const char *code,
                  const char *message)
{
    struct pgs_buf frame;

    if (session->single != NULL) {
        pgs__single_fail(session, code, message);
        return;
    }
    begin(&frame, "error", id);
    pgs_buf_add_str(&frame, ",\"code\":");
    pgs_json_string(&frame, code, strlen(code));
    pgs_buf_add_str(&frame, ",\"message\":");
    pgs_json_string(&frame, message, strlen(message));
    end(session, &frame);
}

bool
pgs__session_is_full(const struct pgs__session *session)
{
    return session->transport->queued_bytes(session->at) > PGS_LIVE_MAX_QUEUED_BYTES;
}

/* As JSON has them: whole numbers that every reader of it keeps exactly. */
void
pgs__session_renew(struct pgs__session *session)
{
    pgs__shelf_forget(session->shelf, session);
    do {
        pgs_random(&session->gen, sizeof(session->gen));
        session->gen &= ((uint64_t)1 << 53) - 1;
    } while (session->gen == 0);
    pgs__shelf_know(session->shelf, session);
    if (session->single != NULL)
        pgs__single_renew(session);
}

bool
pgs__session_is_admitted(const struct pgs__session *session)
{
    return session->who.role != 0 || !session->thread->config.refuses_anon;
}

void
pgs__session_expire(struct pgs__session *session)
{
    if (session->single == NULL)
        pgs__session_fail(session, NULL, "token", "The token has expired");
    session->transport->end(session->at, CLOSE_TOKEN, "token expired");
}

/* ---- subscribing ---- */

static struct pgs__subscription *
find_subscription(struct pgs__session *session, const char *id)
{
    for (h2o_linklist_t *link = session->subscriptions.next; link != &session->subscriptions;
         link = link->next) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, link);

        if (strcmp(subscription->id, id) == 0)
            return subscription;
    }
    return NULL;
}

const struct pgs_live *
pgs__live_find(const struct pgs_app *app, struct pgs_text name)
{
    for (size_t i = 0; app->lives[i] != NULL; i++)
        if (pgs_text_is(name, app->lives[i]->name))
            return app->lives[i];
    return NULL;
}

bool
pgs__session_may_subscribe(const struct pgs__session *session, const struct pgs_live *live)
{
    return (live->roles >> session->who.role & 1) != 0;
}

/* A client who may not use it is not told that it exists. */
static const struct pgs_live *
choose_live(struct pgs__session *session, const struct pgs__message *message)
{
    const struct pgs_live *live = message->query.at != NULL
                                      ? pgs__live_find(session->thread->config.app, message->query)
                                      : NULL;

    if (live != NULL && pgs__session_may_subscribe(session, live))
        return live;
    pgs__session_fail(session, message->id.at, "unknown_query",
                      message->query.at == NULL ? "\"query\" is missing"
                                                : "There is no such live query for this role");
    return NULL;
}

/* The first argument that is neither given nor has a default. */
static const char *
missing_argument(const struct pgs_shape *shape, const unsigned char *row)
{
    for (size_t i = 0; i < shape->n_fields; i++)
        if (shape->fields[i].required && row[i] == PGS_ABSENT)
            return shape->fields[i].column->name;
    return NULL;
}

static bool
fail_argument(struct pgs__session *session, const char *id, const char *field, const char *message)
{
    struct pgs_buf text;

    pgs_buf_init(&text, 0);
    pgs_buf_add_str(&text, field);
    pgs_buf_add_str(&text, field[0] != '\0' ? ": " : "");
    pgs_buf_add_str(&text, message);
    pgs_buf_add_char(&text, '\0');
    pgs__session_fail(session, id, "bad_params", text.failed ? message : text.at);
    pgs_buf_clear(&text);
    return false;
}

/* `*row` is the struct of the shape.  False: the client was told. */
static bool
read_arguments(struct pgs__session *session, const struct pgs_live *live,
               const struct pgs__message *message, struct pgs_memory memory, void **row)
{
    struct pgs_text params = message->params.at != NULL ? message->params : pgs_text_of("{}");
    struct pgs_read_error error = {.field = ""};
    struct pgs_shape shape = *live->arguments;
    const char *missing;
    bool was_array;
    size_t n;

    shape.partial = true; /* what is missing is looked for below, so that defaults are left out */
    if (shape.n_fields == 0) {
        *row = NULL;
        return message->params.at == NULL || params.len == 2 ||
               fail_argument(session, message->id.at, "", "This query takes no arguments");
    }
    if (!pgs_json_read(&shape, params.at, params.len, 1, memory, row, &n, &was_array, &error))
        return fail_argument(session, message->id.at, error.field, error.message);
    missing = missing_argument(live->arguments, *row);
    return missing == NULL ||
           fail_argument(session, message->id.at, missing, "this argument is missing");
}

/* As the texts that PostgreSQL reads. */
static const struct pgs_text *
argument_texts(const struct pgs_live *live, const void *row, struct pgs_memory memory)
{
    size_t n = live->arguments->n_fields;
    struct pgs_text *texts = memory.alloc(memory.pool, (n + 1) * sizeof(*texts));

    for (size_t i = 0; i < n; i++) {
        char *room = memory.alloc(memory.pool, PGS_FIELD_ROOM);

        texts[i] = pgs__field_text(live->arguments, i, row, room);
    }
    return texts;
}

/* False: the client was told. */
static bool
check_id(struct pgs__session *session, const struct pgs__message *message)
{
    const char *why = NULL;

    if (message->id.at == NULL || message->id.len == 0 || message->id.len > PGS_LIVE_MAX_ID_BYTES ||
        strlen(message->id.at) != message->id.len)
        why = "\"id\" must be a string of 1 to 64 bytes";
    else if (find_subscription(session, message->id.at) != NULL)
        why = "\"id\" is in use";
    if (why != NULL)
        pgs__session_fail(session, NULL, "bad_message", why);
    return why == NULL;
}

static void
subscribe(struct pgs__session *session, const struct pgs__message *message,
          struct pgs_memory memory)
{
    const struct pgs_live *live;
    void *row;

    if (!check_id(session, message) || (live = choose_live(session, message)) == NULL ||
        !read_arguments(session, live, message, memory, &row))
        return;
    if (session->n_subscriptions >= PGS_LIVE_MAX_SUBSCRIPTIONS) {
        pgs_limit_hit(PGS_LIMIT_LIVE_SUBSCRIPTIONS);
        pgs__session_fail(session, message->id.at, "too_many",
                          "This connection has too many subscriptions");
        return;
    }
    pgs__subscription_begin(
        &(struct pgs__wanted){session, message->id.at, live, argument_texts(live, row, memory)},
        message->resume.gen != 0 ? &message->resume : &session->mark);
    pgs__subscriptions_pump(session->thread);
}

static void
unsubscribe(struct pgs__session *session, const struct pgs__message *message)
{
    struct pgs__subscription *subscription =
        message->id.at != NULL ? find_subscription(session, message->id.at) : NULL;

    if (subscription == NULL) {
        pgs__session_fail(session, NULL, "bad_message", "\"id\" is of no subscription");
        return;
    }
    pgs__subscription_close(subscription);
    tell(session, "unsubscribed", message->id.at);
}

/* ---- a fresh token ---- */

/* What the new role may not follow ends; the rest is asked for as whoever it is now. */
static void
restart_all(struct pgs__session *session)
{
    h2o_linklist_t *link = session->subscriptions.next;

    while (link != &session->subscriptions) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, link);

        link = link->next;
        if (pgs__session_may_subscribe(session, subscription->live)) {
            /* What the caller before was told is not sent again to this one. */
            pgs__sent_begin(&subscription->sent, session->shelf, subscription->seq,
                            session->n_frames);
            pgs__subscription_restart(subscription);
            continue;
        }
        pgs__session_fail(session, subscription->id, "unknown_query",
                          "There is no such live query for this role");
        pgs__subscription_close(subscription);
    }
    pgs__subscriptions_pump(session->thread);
}

/* Why not; NULL: `session->who` is the one that the credential is of. */
static const char *
identify(struct pgs__session *session, h2o_iovec_t credential)
{
    const char *why = NULL;
    struct pgs_identity who, copy;
    h2o_mem_pool_t pool;
    void *block;
    /* Before: a key that goes meanwhile is looked for once more. */
    unsigned generation = pgs_authn_keys_generation(session->thread->config.authn);

    h2o_mem_init_pool(&pool);
    if (!pgs_authenticate_credential(session->thread->config.authn, credential, &pool, &who,
                                     &why)) {
        why = why != NULL ? why : "Out of memory";
    } else if (who.is_service) {
        why = "The service key does not go with live queries";
    } else if ((block = pgs_identity_copy(&who, &copy)) == NULL) {
        why = "Out of memory";
    } else {
        free(session->who_block);
        session->who_block = block;
        session->who = copy;
        session->keys_generation = generation;
        why = NULL;
    }
    h2o_mem_clear_pool(&pool);
    return why;
}

static void
change_token(struct pgs__session *session, const struct pgs__message *message)
{
    const char *why = "\"token\" is missing";

    if (message->token.at != NULL)
        why = identify(session, h2o_iovec_init(message->token.at, message->token.len));
    if (why == NULL && !pgs__session_is_admitted(session))
        why = "Live queries are for users who have signed in";
    if (why == NULL) {
        tell(session, "token", NULL);
        restart_all(session);
        return;
    }
    pgs__session_fail(session, NULL, "token", why);
    session->transport->end(session->at, CLOSE_TOKEN, "bad token");
}

/* ---- from the client ---- */

static void *
pool_alloc(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

struct pgs_memory
pgs__live_memory(h2o_mem_pool_t *pool)
{
    return (struct pgs_memory){pool_alloc, pool};
}

/* What is sent back is small, because who pings may not read. */
static void
answer_ping(struct pgs__session *session, const struct pgs__message *message)
{
    if (message->id.len <= PGS_LIVE_MAX_ID_BYTES)
        tell(session, "pong", message->id.at);
    else
        pgs__session_fail(session, NULL, "bad_message", "\"id\" has more than 64 bytes");
}

static void
act(struct pgs__session *session, const struct pgs__message *message, struct pgs_memory memory)
{
    if (pgs_text_is(message->type, "subscribe"))
        subscribe(session, message, memory);
    else if (pgs_text_is(message->type, "unsubscribe"))
        unsubscribe(session, message);
    else if (pgs_text_is(message->type, "token"))
        change_token(session, message);
    else if (pgs_text_is(message->type, "ping"))
        answer_ping(session, message);
    else
        pgs__session_fail(session, NULL, "bad_message",
                          "\"type\" must be subscribe, unsubscribe, token or ping");
}

void
pgs__session_receive(struct pgs__session *session, const char *type, const char *text, size_t len)
{
    h2o_mem_pool_t pool;
    struct pgs_memory memory = pgs__live_memory(&pool);
    struct pgs__message message;
    const char *why;

    if (session->is_ending)
        return;
    h2o_mem_init_pool(&pool);
    if (pgs__message_read(type, text, len, memory, &message, &why))
        act(session, &message, memory);
    else
        pgs__session_fail(session, NULL, "bad_message", why);
    h2o_mem_clear_pool(&pool);
}

/* ---- opening and closing ---- */

struct pgs__session *
pgs__session_open(struct pgs_live_thread *thread, const struct pgs__transport *transport, void *at,
                  h2o_iovec_t credential, const char **why)
{
    struct pgs__session *session = calloc(1, sizeof(*session));

    *why = "Out of memory";
    if (session == NULL)
        return NULL;
    session->thread = thread;
    session->transport = transport;
    session->at = at;
    session->shelf = thread->config.hub != NULL ? pgs__hub_shelf(thread->config.hub) : NULL;
    h2o_linklist_init_anchor(&session->subscriptions);
    pgs__places_init(&session->places);
    *why = identify(session, credential);
    if (*why != NULL) {
        free(session);
        return NULL;
    }
    pgs__session_renew(session);
    h2o_linklist_insert(&thread->sessions, &session->link);
    return session;
}

static void
put_away(struct pgs__session *session, struct pgs__subscription *subscription)
{
    pgs__subscription_suspend(subscription);
    pgs__shelf_put(session->shelf, session, subscription, session->thread->config.kept_ms);
}

static bool
may_come_back(const struct pgs__session *session)
{
    return session->single == NULL && session->thread->config.kept_ms > 0 &&
           !session->thread->is_stopping;
}

static void
close_all(struct pgs__session *session, bool may_return)
{
    while (!h2o_linklist_is_empty(&session->subscriptions)) {
        struct pgs__subscription *subscription =
            H2O_STRUCT_FROM_MEMBER(struct pgs__subscription, link, session->subscriptions.next);

        if (may_return && subscription->has_result)
            put_away(session, subscription);
        else
            pgs__subscription_close(subscription);
    }
}

void
pgs__session_give_up(struct pgs__session *session)
{
    if (session->is_ending || !may_come_back(session))
        return;
    close_all(session, true);
    session->transport->end(session->at, CLOSE_REPLACED, "it goes on over another connection");
}

void
pgs__session_close(struct pgs__session *session, bool may_return)
{
    close_all(session, may_return && may_come_back(session));
    pgs__shelf_forget(session->shelf, session);
    pgs__places_leave(&session->places);
    if (session->relayed != NULL)
        pgs__relayed_leave(session);
    h2o_linklist_unlink(&session->link);
    free(session->who_block);
    free(session);
}

/* SPDX-License-Identifier: MIT */
/*
 * A message is read once and goes to every thread, which knows whose it is.  A thread that does not
 * take what is there is not waited for: it misses messages, and is told so.
 */
#include "live/relay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"

struct pgs_relay {
    struct pgs_reactive *reactive;
    pthread_mutex_t mutex; /* over what follows */
    struct pgs__earpiece *earpieces;
    enum pgs_reactive_state state;
};

/* ---- words ---- */

static void
release(struct pgs__telling *telling)
{
    if (telling != NULL && atomic_fetch_sub(&telling->holders, 1) == 1)
        free(telling);
}

void
pgs__word_free(struct pgs__earpiece *earpiece, struct pgs__word *word)
{
    if (word->telling != NULL)
        (void)atomic_fetch_sub(&earpiece->waiting_bytes, word->telling->len);
    release(word->telling);
    free(word);
}

static void
say(struct pgs__earpiece *earpiece, const struct pgs__word *word)
{
    struct pgs__word *copy = h2o_mem_alloc(sizeof(*copy));

    *copy = *word;
    earpiece->is_behind = word->kind == PGS__WORD_ANEW;
    h2o_multithread_send_message(&earpiece->receiver, &copy->super);
}

/* One message that is missed is as good as a thousand. */
static void
say_message(struct pgs__earpiece *earpiece, struct pgs__telling *telling)
{
    if (atomic_load(&earpiece->followers) == 0)
        return;
    if (atomic_load(&earpiece->waiting_bytes) + telling->len <= PGS_RELAY_MAX_BYTES) {
        (void)atomic_fetch_add(&earpiece->waiting_bytes, telling->len);
        (void)atomic_fetch_add(&telling->holders, 1);
        say(earpiece, &(struct pgs__word){.kind = PGS__WORD_MESSAGE, .telling = telling});
        return;
    }
    pgs_limit_hit(PGS_LIMIT_REACTIVE_BACKLOG);
    if (!earpiece->is_behind)
        say(earpiece, &(struct pgs__word){.kind = PGS__WORD_ANEW});
}

/* ---- from the thread that listens ---- */

void
pgs__relay_tell(struct pgs_relay *relay, struct pgs_text message)
{
    struct pgs__telling *telling = h2o_mem_alloc(sizeof(*telling) + message.len);

    atomic_init(&telling->holders, 1);
    telling->len = message.len;
    memcpy(telling->text, message.at, message.len);
    if (pgs__notice_read(message, &telling->notice)) {
        pthread_mutex_lock(&relay->mutex);
        for (struct pgs__earpiece *at = relay->earpieces; at != NULL; at = at->next)
            say_message(at, telling);
        pthread_mutex_unlock(&relay->mutex);
    }
    release(telling);
}

static void
on_message(void *arg, struct pgs_text message)
{
    pgs__relay_tell(arg, message);
}

static void
on_state(void *arg, enum pgs_reactive_state state)
{
    struct pgs_relay *relay = arg;

    pthread_mutex_lock(&relay->mutex);
    relay->state = state;
    for (struct pgs__earpiece *at = relay->earpieces; at != NULL; at = at->next)
        if (state == PGS_REACTIVE_CONNECTED)
            say(at, &(struct pgs__word){.kind = PGS__WORD_ANEW});
    pthread_mutex_unlock(&relay->mutex);
}

/* Its asker may have ended. */
static void
on_answer(void *arg, struct pgs_reactive_question *super)
{
    struct pgs_relay *relay = arg;
    struct pgs__question *question = (struct pgs__question *)super;
    struct pgs__earpiece *at;

    pthread_mutex_lock(&relay->mutex);
    at = relay->earpieces;
    while (at != NULL && at != question->earpiece)
        at = at->next;
    if (at != NULL)
        say(at, &(struct pgs__word){.kind = PGS__WORD_ANSWER, .question = question});
    else
        free(question);
    pthread_mutex_unlock(&relay->mutex);
}

/* ---- from the threads that serve ---- */

void
pgs__relay_join(struct pgs_relay *relay, struct pgs__earpiece *earpiece)
{
    pthread_mutex_lock(&relay->mutex);
    earpiece->next = relay->earpieces;
    relay->earpieces = earpiece;
    pthread_mutex_unlock(&relay->mutex);
}

void
pgs__relay_leave(struct pgs_relay *relay, struct pgs__earpiece *earpiece)
{
    struct pgs__earpiece **at = &relay->earpieces;

    pthread_mutex_lock(&relay->mutex);
    while (*at != earpiece)
        at = &(*at)->next;
    *at = earpiece->next;
    pthread_mutex_unlock(&relay->mutex);
}

enum pgs_reactive_state
pgs__relay_state(struct pgs_relay *relay)
{
    enum pgs_reactive_state state;

    pthread_mutex_lock(&relay->mutex);
    state = relay->state;
    pthread_mutex_unlock(&relay->mutex);
    return state;
}

static char *
copy_text(char *to, struct pgs_text from)
{
    if (from.len > 0)
        memcpy(to, from.at, from.len);
    to[from.len] = '\0';
    return to;
}

struct pgs__question *
pgs__relay_ask(struct pgs_relay *relay, struct pgs__earpiece *earpiece, struct pgs_text id,
               struct pgs_text claims, void *owner)
{
    struct pgs__question *question = calloc(1, sizeof(*question) + id.len + claims.len + 2);
    char *texts = (char *)(question + 1);

    if (question == NULL)
        return NULL;
    question->earpiece = earpiece;
    question->owner = owner;
    question->super.id = copy_text(texts, id);
    question->super.claims = copy_text(texts + id.len + 1, claims);
    if (pgs_reactive_ask(relay->reactive, &question->super))
        return question;
    free(question);
    return NULL;
}

/* ---- opening and closing ---- */

struct pgs_relay *
pgs_relay_open(const char *conninfo)
{
    struct pgs_relay *relay = calloc(1, sizeof(*relay));
    struct pgs_reactive_config config = {
        .conninfo = conninfo,
        .on_state = on_state,
        .on_message = on_message,
        .on_answer = on_answer,
        .arg = relay,
    };

    if (relay == NULL)
        return NULL;
    pthread_mutex_init(&relay->mutex, NULL);
    relay->reactive = pgs_reactive_open(&config);
    if (relay->reactive != NULL)
        return relay;
    pthread_mutex_destroy(&relay->mutex);
    free(relay);
    return NULL;
}

void
pgs_relay_close(struct pgs_relay *relay)
{
    pgs_reactive_close(relay->reactive);
    pthread_mutex_destroy(&relay->mutex);
    free(relay);
}

/* SPDX-License-Identifier: MIT */
#include "live/relayed.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limit.h"
#include "base/metric.h"
#include "base/random.h"
#include "live/shelf.h"
#include "live/single.h"

#define BUCKETS 1024 /* a power of two */

/* A session's place. */
struct pgs__relayed {
    h2o_linklist_t link;
    struct pgs__session *session;
    char id[PGS_REACTIVE_ID_BYTES + 1];
};

struct pgs__relayed_table {
    struct pgs__earpiece earpiece;
    uint64_t seed; /* who chooses ids cannot fill one list on purpose */
    h2o_linklist_t lists[BUCKETS];
};

static h2o_linklist_t *
list_of(struct pgs__relayed_table *table, const char *id)
{
    return &table->lists[pgs_hash(table->seed, id, strlen(id)) & (BUCKETS - 1)];
}

/* ---- messages ---- */

static void
deliver(struct pgs__session *session, const struct pgs__telling *telling)
{
    const struct pgs__notice *notice = &telling->notice;
    struct pgs_buf frame = {.at = (char *)(uintptr_t)telling->text, .len = telling->len};
    int64_t gen = (int64_t)session->gen;

    if (session->is_ending ||
        (notice->is_renewal ? notice->generation <= gen : notice->generation != gen))
        return;
    if (pgs__session_is_full(session)) {
        pgs_limit_hit(PGS_LIMIT_LIVE_QUEUE);
        pgs__single_fail(session, "too_large", "More waits than this client reads");
        return;
    }
    pgs__session_send(session, &frame);
    if (notice->is_renewal)
        session->transport->end(session->at, 1012, "subscribe again");
    else if (notice->is_last)
        session->transport->end(session->at, 1011, "invalidated");
}

static void
take_message(struct pgs__relayed_table *table, const struct pgs__telling *telling)
{
    h2o_linklist_t *list = list_of(table, telling->notice.id);

    for (h2o_linklist_t *link = list->next; link != list; link = link->next) {
        struct pgs__relayed *relayed = H2O_STRUCT_FROM_MEMBER(struct pgs__relayed, link, link);

        if (strcmp(relayed->id, telling->notice.id) == 0)
            deliver(relayed->session, telling);
    }
}

static void
renew_all(struct pgs__relayed_table *table)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (h2o_linklist_t *link = table->lists[i].next; link != &table->lists[i];
             link = link->next)
            pgs__single_renew(H2O_STRUCT_FROM_MEMBER(struct pgs__relayed, link, link)->session);
}

static void
on_words(h2o_multithread_receiver_t *receiver, h2o_linklist_t *words)
{
    struct pgs__relayed_table *table =
        H2O_STRUCT_FROM_MEMBER(struct pgs__relayed_table, earpiece.receiver, receiver);

    while (!h2o_linklist_is_empty(words)) {
        struct pgs__word *word = H2O_STRUCT_FROM_MEMBER(struct pgs__word, super.link, words->next);

        h2o_linklist_unlink(&word->super.link);
        switch (word->kind) {
        case PGS__WORD_MESSAGE:
            take_message(table, word->telling);
            break;
        case PGS__WORD_ANSWER:
            pgs__socket_judge(word->question);
            free(word->question);
            (void)atomic_fetch_sub(&table->earpiece.followers, 1);
            break;
        case PGS__WORD_ANEW:
            renew_all(table);
            break;
        }
        pgs__word_free(&table->earpiece, word);
    }
}

/* ---- who follows ---- */

/* From here on messages are for this thread: those behind the answer must not be missed. */
struct pgs__question *
pgs__relayed_ask(struct pgs_live_thread *thread, struct pgs_text id, struct pgs_text claims,
                 void *owner)
{
    struct pgs__earpiece *earpiece = &thread->relayed->earpiece;
    struct pgs__question *question;

    (void)atomic_fetch_add(&earpiece->followers, 1);
    question = pgs__relay_ask(thread->config.relay, earpiece, id, claims, owner);
    if (question == NULL)
        (void)atomic_fetch_sub(&earpiece->followers, 1);
    return question;
}

void
pgs__relayed_follow(struct pgs__session *session, const char *id, int64_t generation)
{
    struct pgs__relayed_table *table = session->thread->relayed;
    struct pgs__relayed *relayed = h2o_mem_alloc(sizeof(*relayed));

    *relayed = (struct pgs__relayed){.session = session};
    memcpy(relayed->id, id, strlen(id));
    h2o_linklist_insert(list_of(table, id), &relayed->link);
    (void)atomic_fetch_add(&table->earpiece.followers, 1);
    pgs_gauge_add(PGS_CELL_REACTIVE_SOCKETS, 1);
    session->relayed = relayed;
    session->single = relayed->id;
    pgs__shelf_forget(session->shelf, session); /* its gen is the subscription's from now on */
    session->gen = (uint64_t)generation;
    pgs__single_begin(session);
}

void
pgs__relayed_leave(struct pgs__session *session)
{
    struct pgs__relayed *relayed = session->relayed;

    (void)atomic_fetch_sub(&session->thread->relayed->earpiece.followers, 1);
    pgs_gauge_add(PGS_CELL_REACTIVE_SOCKETS, -1);
    h2o_linklist_unlink(&relayed->link);
    session->relayed = NULL;
    free(relayed);
}

/* ---- opening and closing ---- */

void
pgs__relayed_open(struct pgs_live_thread *thread)
{
    struct pgs__relayed_table *table = h2o_mem_alloc(sizeof(*table));

    memset(table, 0, sizeof(*table));
    pgs_random(&table->seed, sizeof(table->seed));
    for (size_t i = 0; i < BUCKETS; i++)
        h2o_linklist_init_anchor(&table->lists[i]);
    thread->relayed = table;
    h2o_multithread_register_receiver(thread->queue, &table->earpiece.receiver, on_words);
    pgs__relay_join(thread->config.relay, &table->earpiece);
}

/* Requests that waited for an answer have ended by now. */
void
pgs__relayed_close(struct pgs_live_thread *thread)
{
    struct pgs__relayed_table *table = thread->relayed;
    h2o_linklist_t *words = &table->earpiece.receiver._messages;

    pgs__relay_leave(thread->config.relay, &table->earpiece);
    while (!h2o_linklist_is_empty(words)) {
        struct pgs__word *word = H2O_STRUCT_FROM_MEMBER(struct pgs__word, super.link, words->next);

        h2o_linklist_unlink(&word->super.link);
        free(word->question);
        pgs__word_free(&table->earpiece, word);
    }
    h2o_multithread_unregister_receiver(thread->queue, &table->earpiece.receiver);
    free(table);
    thread->relayed = NULL;
}

/* SPDX-License-Identifier: MIT */
/* From the thread that follows pg_reactive to those that serve. */
#ifndef PGS_LIVE_RELAY_H
#define PGS_LIVE_RELAY_H

#include <h2o.h>
#include <stdatomic.h>

#include "db/reactive.h"
#include "live/live.h"
#include "live/notice.h"

enum {
    PGS_RELAY_MAX_BYTES = 16777216, /* of messages that a thread has not taken */
};

/* Shared by the threads that it goes to. */
struct pgs__telling {
    atomic_int holders;
    struct pgs__notice notice;
    size_t len;
    char text[]; /* the message as it came */
};

struct pgs__word {
    h2o_multithread_message_t super;
    enum {
        PGS__WORD_MESSAGE,
        PGS__WORD_ANSWER,
        PGS__WORD_ANEW, /* messages may have been missed */
    } kind;
    struct pgs__telling *telling;   /* of a message */
    struct pgs__question *question; /* of an answer */
};

/* A thread's place in the relay. */
struct pgs__earpiece {
    h2o_multithread_receiver_t receiver; /* gets struct pgs__word, for pgs__word_free */
    struct pgs__earpiece *next;
    atomic_size_t waiting_bytes;
    atomic_int followers; /* counted by the thread, before it asks; 0: messages are not for it */
    bool is_behind;       /* the last word is that messages were missed */
};

/* Asked by a thread, which gets it back as an answer and frees it with free(). */
struct pgs__question {
    struct pgs_reactive_question super;
    struct pgs__earpiece *earpiece;
    void *owner; /* the asker's; NULL: it has gone */
};

/* Counts it as taken. */
void pgs__word_free(struct pgs__earpiece *earpiece, struct pgs__word *word);

/* To all threads that have followers. */
void pgs__relay_tell(struct pgs_relay *relay, struct pgs_text message);

void pgs__relay_join(struct pgs_relay *relay, struct pgs__earpiece *earpiece);

/* Nothing comes any more; questions that were not answered are freed. */
void pgs__relay_leave(struct pgs_relay *relay, struct pgs__earpiece *earpiece);

/* Whether there is somebody to ask. */
enum pgs_reactive_state pgs__relay_state(struct pgs_relay *relay);

/* Copies both texts.  NULL: it cannot be asked now. */
struct pgs__question *pgs__relay_ask(struct pgs_relay *relay, struct pgs__earpiece *earpiece,
                                     struct pgs_text id, struct pgs_text claims, void *owner);

#endif

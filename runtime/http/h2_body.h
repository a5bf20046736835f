/* SPDX-License-Identifier: MIT */
/*
 * Bodies of HTTP/2 that are over the limit.  libh2o 2.2.5 refuses their stream in a way that tells
 * clients to try again, then answers each frame that was on its way with a reset: an honest client
 * would use up its budget of resets.  Here the answer is 413, and what still comes is passed over.
 */
#ifndef PGS_HTTP_H2_BODY_H
#define PGS_HTTP_H2_BODY_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

struct pgs__h2_body {
    uint32_t stream_id; /* 0: none */
    int32_t left;       /* bytes that its client may have sent before it knows */
    bool is_answered;   /* whole; the stream is closed */
    bool is_told;       /* that nothing more is wanted */
};

/* Of one connection: the last few that were refused. */
struct pgs__h2_bodies {
    struct pgs__h2_body refused[4];
    unsigned n;
    struct pgs__h2_body *current; /* the frame that libh2o looks at is of it; NULL: of none */
};

/* What libh2o is told of a head whose content-length is over the limit: the same text is its
 * answer's, by which that is known. */
extern const char pgs__h2_too_large[];

/* Of a request with a head like that; its answer will come the usual way. */
void pgs__h2_body_refuse(struct pgs__h2_bodies *bodies, uint32_t stream_id, h2o_req_t *req);

/* In place of a reset of a stream whose body has grown over the limit: a whole answer, without a
 * body because its length would have to be counted in windows that are libh2o's. */
void pgs__h2_body_answer(struct pgs__h2_bodies *bodies, uint32_t stream_id, h2o_buffer_t **out);

/* A DATA frame comes.  It is of a refused body and within what may have been on its way: the frame
 * is the current one. */
void pgs__h2_body_look(struct pgs__h2_bodies *bodies, uint32_t stream_id, uint32_t len);

/* In place of the reset of its stream: once it is answered, the client is told to stop, once.
 * True if that needs a reset: with NO_ERROR. */
bool pgs__h2_body_tells(struct pgs__h2_bodies *bodies) __attribute__((warn_unused_result));

#endif

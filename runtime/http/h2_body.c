/* SPDX-License-Identifier: MIT */
#include "http/h2_body.h"

#include <string.h>

#define WINDOW 16777216 /* of a stream: as much may be on its way */
#define LEAST 1024      /* that a frame counts for, so that small ones are no flood */

const char pgs__h2_too_large[] = "request entity is too large";

/* Knows its place by the stream, as others may have taken it. */
struct answer {
    struct pgs__h2_bodies *bodies;
    uint32_t stream_id;
};

static struct pgs__h2_body *
find(struct pgs__h2_bodies *bodies, uint32_t stream_id)
{
    for (size_t i = 0; i < sizeof(bodies->refused) / sizeof(bodies->refused[0]); i++)
        if (bodies->refused[i].stream_id == stream_id)
            return &bodies->refused[i];
    return NULL;
}

/* Takes the place of the oldest. */
static struct pgs__h2_body *
add(struct pgs__h2_bodies *bodies, uint32_t stream_id)
{
    struct pgs__h2_body *body =
        &bodies->refused[bodies->n++ % (sizeof(bodies->refused) / sizeof(bodies->refused[0]))];

    *body = (struct pgs__h2_body){.stream_id = stream_id, .left = WINDOW};
    return body;
}

static void
on_answered(void *cell)
{
    const struct answer *answer = cell;
    struct pgs__h2_body *body = find(answer->bodies, answer->stream_id);

    if (body != NULL)
        body->is_answered = true;
}

void
pgs__h2_body_refuse(struct pgs__h2_bodies *bodies, uint32_t stream_id, h2o_req_t *req)
{
    struct answer *answer = h2o_mem_alloc_shared(&req->pool, sizeof(*answer), on_answered);

    *answer = (struct answer){bodies, stream_id};
    (void)add(bodies, stream_id);
}

void
pgs__h2_body_answer(struct pgs__h2_bodies *bodies, uint32_t stream_id, h2o_buffer_t **out)
{
    /* HEADERS with END_HEADERS and END_STREAM; `:status: 413` as a literal, which no table keeps.
     */
    uint8_t frame[] = {0, 0, 5, 1, 5, 0, 0, 0, 0, 0x08, 3, '4', '1', '3'};
    struct pgs__h2_body *body = add(bodies, stream_id);

    for (int i = 0; i < 4; i++)
        frame[5 + i] = (uint8_t)(stream_id >> (24 - 8 * i));
    memcpy(h2o_buffer_reserve(out, sizeof(frame)).base, frame, sizeof(frame));
    (*out)->size += sizeof(frame);
    body->is_answered = body->is_told = true;
}

void
pgs__h2_body_look(struct pgs__h2_bodies *bodies, uint32_t stream_id, uint32_t len)
{
    bodies->current = stream_id != 0 ? find(bodies, stream_id) : NULL;
    if (bodies->current == NULL)
        return;
    bodies->current->left -= (int32_t)(len > LEAST ? len : LEAST);
    if (bodies->current->left < 0)
        bodies->current = NULL;
}

bool
pgs__h2_body_tells(struct pgs__h2_bodies *bodies)
{
    bool tells = bodies->current->is_answered && !bodies->current->is_told;

    bodies->current->is_told = bodies->current->is_told || tells;
    return tells;
}

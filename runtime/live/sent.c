/* SPDX-License-Identifier: MIT */
#include "live/sent.h"

bool
pgs__sent_next(const struct pgs__sent *sent, size_t *place, struct pgs__sent_frame *frame)
{
    if (*place == sent->bytes.len)
        return false;
    memcpy(frame, sent->bytes.at + *place, sizeof(*frame));
    frame->at = sent->bytes.at + *place + sizeof(*frame);
    *place += sizeof(*frame) + frame->len;
    return true;
}

void
pgs__sent_clear(struct pgs__sent *sent, struct pgs__shelf *shelf)
{
    pgs__shelf_give_back(shelf, sent->bytes.len);
    pgs_buf_clear(&sent->bytes);
}

void
pgs__sent_begin(struct pgs__sent *sent, struct pgs__shelf *shelf, int64_t seq, uint64_t event)
{
    pgs__sent_clear(sent, shelf);
    sent->seq = seq;
    sent->event = event;
}

static void
drop_first(struct pgs__sent *sent, struct pgs__shelf *shelf)
{
    struct pgs__sent_frame frame;
    size_t place = 0;

    if (!pgs__sent_next(sent, &place, &frame))
        return;
    sent->seq = frame.seq;
    sent->event = frame.event;
    sent->bytes.len -= place;
    memmove(sent->bytes.at, sent->bytes.at + place, sent->bytes.len);
    pgs__shelf_give_back(shelf, place);
}

void
pgs__sent_add(struct pgs__sent *sent, struct pgs__shelf *shelf, const struct pgs__sent_frame *frame)
{
    size_t size = sizeof(*frame) + frame->len;

    while (sent->bytes.len > 0 && sent->bytes.len + size > PGS_SENT_MAX_BYTES)
        drop_first(sent, shelf);
    if (size > PGS_SENT_MAX_BYTES || !pgs__shelf_take(shelf, size)) {
        pgs__sent_begin(sent, shelf, frame->seq, frame->event);
        return;
    }
    if (pgs_buf_reserve(&sent->bytes, size) == NULL) {
        pgs__shelf_give_back(shelf, size);
        pgs__sent_begin(sent, shelf, frame->seq, frame->event);
        return;
    }
    pgs_buf_add(&sent->bytes, frame, sizeof(*frame));
    pgs_buf_add(&sent->bytes, frame->at, frame->len);
}

/* The client has read the frame that is this one. */
static bool
has_read(const struct pgs__mark *mark, int64_t seq, uint64_t event)
{
    return mark->by_seq ? seq <= mark->seq : event <= mark->event;
}

bool
pgs__sent_holds(const struct pgs__sent *sent, const struct pgs__mark *mark)
{
    struct pgs__sent_frame frame = {.seq = sent->seq};

    for (size_t place = 0; pgs__sent_next(sent, &place, &frame);)
        ;
    return has_read(mark, sent->seq, sent->event) && mark->seq <= frame.seq;
}

int64_t
pgs__sent_forget(struct pgs__sent *sent, struct pgs__shelf *shelf, const struct pgs__mark *mark)
{
    struct pgs__sent_frame frame;

    for (size_t place = 0; pgs__sent_next(sent, &place, &frame); place = 0) {
        if (!has_read(mark, frame.seq, frame.event))
            break;
        drop_first(sent, shelf);
    }
    return sent->seq;
}

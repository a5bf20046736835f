/* SPDX-License-Identifier: MIT */
#include "live/frame.h"

#include <inttypes.h>
#include <stdio.h>

#include "codec/json_write.h"
#include "live/row.h"

static void
begin_frame(struct pgs__subscription *subscription, const char *type, struct pgs_buf *frame)
{
    uint64_t lsn = subscription->lsn;
    char text[40];

    pgs_buf_init(frame, 0);
    pgs_buf_add_str(frame, "{\"type\":\"");
    pgs_buf_add_str(frame, type);
    pgs_buf_add_str(frame, "\",\"id\":");
    pgs_json_string(frame, subscription->id, strlen(subscription->id));
    pgs_buf_add_str(frame, ",\"seq\":");
    pgs_buf_add_int(frame, ++subscription->seq);
    if (lsn > 0) {
        (void)snprintf(text, sizeof(text), ",\"lsn\":\"%" PRIX64 "/%" PRIX64 "\"", lsn >> 32,
                       lsn & UINT32_MAX);
        pgs_buf_add_str(frame, text);
    }
    pgs_buf_add_char(frame, ',');
}

static void
send_frame(struct pgs__subscription *subscription, struct pgs_buf *frame)
{
    struct pgs__session *session = subscription->session;

    pgs_buf_add_char(frame, '}');
    session->transport->send(session->at, frame);
    pgs_buf_clear(frame);
}

void
pgs__frame_snapshot(struct pgs__subscription *subscription, const struct pgs__held *held)
{
    struct pgs_buf frame;

    begin_frame(subscription, "snapshot", &frame);
    pgs__row_write_key_names(subscription->live, &frame);
    pgs_buf_add_str(&frame, ",\"rows\":[");
    for (size_t i = 0; i < held->n; i++) {
        const struct pgs__touch *touch = held->rows[i]->mark;

        if (i > 0)
            pgs_buf_add_char(&frame, ',');
        pgs_buf_add(&frame, touch->text.at, touch->text.len);
    }
    pgs_buf_add_char(&frame, ']');
    send_frame(subscription, &frame);
}

void
pgs__frame_delta(struct pgs__subscription *subscription, const struct pgs__delta *delta)
{
    struct pgs_buf frame;

    if (pgs__delta_is_empty(delta))
        return;
    begin_frame(subscription, "delta", &frame);
    pgs__delta_write(delta, subscription->live->ordered, &frame);
    send_frame(subscription, &frame);
}

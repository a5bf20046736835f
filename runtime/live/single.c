/* SPDX-License-Identifier: MIT */
#include "live/single.h"

#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "codec/json_write.h"

static void
add_text(struct pgs_buf *frame, const char *name, const char *text)
{
    pgs_buf_add_char(frame, ',');
    pgs_json_string(frame, name, strlen(name));
    pgs_buf_add_char(frame, ':');
    pgs_json_string(frame, text, strlen(text));
}

/* `type` NULL: a delta, which has none. */
static void
begin(const struct pgs__session *session, const char *type, struct pgs_buf *frame)
{
    pgs_buf_init(frame, 0);
    pgs_buf_add_str(frame, "{\"query_id\":");
    pgs_json_string(frame, session->single, strlen(session->single));
    if (type != NULL)
        add_text(frame, "type", type);
    pgs_buf_add_str(frame, ",\"gen\":");
    pgs_buf_add_int(frame, (int64_t)session->gen);
}

static void
begin_rows(struct pgs__subscription *subscription, enum pgs_live_frame counts_as,
           struct pgs_buf *frame)
{
    pgs_count(PGS_CELL_LIVE_FRAMES + (int)counts_as, 1);
    begin(subscription->session, NULL, frame);
    pgs_buf_add_str(frame, ",\"seq\":");
    pgs_buf_add_int(frame, ++subscription->seq);
}

static void
end(struct pgs__session *session, struct pgs_buf *frame)
{
    pgs_buf_add_char(frame, '}');
    pgs__session_send(session, frame);
    pgs_buf_clear(frame);
}

void
pgs__single_begin(struct pgs__session *session)
{
    struct pgs_buf frame;

    begin(session, "subscribed", &frame);
    end(session, &frame);
}

void
pgs__single_snapshot(struct pgs__subscription *subscription, const struct pgs__held *held)
{
    struct pgs_buf frame;

    begin_rows(subscription, PGS_FRAME_SNAPSHOT, &frame);
    pgs_buf_add_str(&frame, ",\"inserted\":[");
    for (size_t i = 0; i < held->n; i++) {
        const struct pgs__touch *touch = held->rows[i]->mark;

        if (i > 0)
            pgs_buf_add_char(&frame, ',');
        pgs_buf_add(&frame, touch->text.at, touch->text.len);
    }
    pgs_buf_add_str(&frame, "],\"deleted\":[]");
    end(subscription->session, &frame);
}

static void
add_rows(struct pgs_buf *frame, const struct pgs__delta_list *list, bool keys)
{
    for (size_t i = 0; i < list->n; i++) {
        struct pgs_text text = keys ? list->rows[i].key : list->rows[i].text;

        if (frame->at != NULL && frame->len > 0 && frame->at[frame->len - 1] != '[')
            pgs_buf_add_char(frame, ',');
        pgs_buf_add(frame, text.at, text.len);
    }
}

void
pgs__single_delta(struct pgs__subscription *subscription, const struct pgs__delta *delta)
{
    struct pgs_buf frame;

    if (pgs__delta_is_empty(delta))
        return;
    begin_rows(subscription, PGS_FRAME_DELTA, &frame);
    pgs_buf_add_str(&frame, ",\"inserted\":[");
    add_rows(&frame, &delta->inserted, false);
    add_rows(&frame, &delta->updated, false);
    pgs_buf_add_str(&frame, "],\"deleted\":[");
    add_rows(&frame, &delta->deleted, true);
    add_rows(&frame, &delta->updated, true);
    pgs_buf_add_char(&frame, ']');
    end(subscription->session, &frame);
}

/* A result that is too large may be smaller later, and changes be followed again; what else there
 * is does not pass by itself. */
void
pgs__single_fail(struct pgs__session *session, const char *code, const char *message)
{
    bool is_overflow = strcmp(code, "too_large") == 0;
    bool passes = is_overflow || strcmp(code, "unavailable") == 0;
    struct pgs_buf frame;

    if (session->refusal != NULL) {
        (void)snprintf(session->refusal, PGS_SINGLE_REFUSAL_BYTES, "%s", message);
        return;
    }
    begin(session, is_overflow ? "overflow" : "invalidated", &frame);
    pgs_buf_add_str(&frame, is_overflow ? ",\"overflow\":true" : ",\"invalidated\":true");
    add_text(&frame, "code", code);
    add_text(&frame, "message", message);
    end(session, &frame);
    session->transport->end(session->at, passes ? 1013 : 1011,
                            is_overflow ? "overflow" : "invalidated");
}

void
pgs__single_renew(struct pgs__session *session)
{
    struct pgs_buf frame;

    begin(session, "resubscribed", &frame);
    end(session, &frame);
    session->transport->end(session->at, 1012, "subscribe again");
}

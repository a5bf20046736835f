/* SPDX-License-Identifier: MIT */
#include "live/frame.h"

#include "base/digits.h"
#include "base/metric.h"
#include "codec/json_write.h"
#include "live/row.h"
#include "live/single.h"

static const char *const types[PGS_LABELS_FRAMES] = {"snapshot", "delta", "reset", "resumed"};

/* Up to the generation: what another connection would begin it with is its own. */
static void
begin(const struct pgs__subscription *subscription, enum pgs_live_frame type, struct pgs_buf *frame)
{
    pgs_count(PGS_CELL_LIVE_FRAMES + (int)type, 1);
    pgs_buf_init(frame, 0);
    pgs_buf_add_str(frame, "{\"type\":\"");
    pgs_buf_add_str(frame, types[type]);
    pgs_buf_add_str(frame, "\",\"id\":");
    pgs_json_string(frame, subscription->id, strlen(subscription->id));
    pgs_buf_add_str(frame, ",\"gen\":");
    pgs_buf_add_int(frame, (int64_t)subscription->session->gen);
}

/* As PostgreSQL writes it, in two halves. */
static void
add_lsn(struct pgs_buf *frame, uint64_t lsn)
{
    char text[2 * PGS_HEX_MAX + 1], *end = pgs_write_hex(text, lsn >> 32);

    *end++ = '/';
    end = pgs_write_hex(end, lsn & UINT32_MAX);
    pgs_buf_add_str(frame, ",\"lsn\":\"");
    pgs_buf_add(frame, text, (size_t)(end - text));
    pgs_buf_add_char(frame, '"');
}

static void
add_place(struct pgs_buf *frame, int64_t seq, uint64_t lsn)
{
    pgs_buf_add_str(frame, ",\"seq\":");
    pgs_buf_add_int(frame, seq);
    if (lsn > 0)
        add_lsn(frame, lsn);
    pgs_buf_add_char(frame, ',');
}

static uint64_t
lsn_of(const struct pgs__subscription *subscription)
{
    return pgs__recent_lsn(&subscription->session->thread->recent, subscription->told);
}

static void
begin_rows(struct pgs__subscription *subscription, enum pgs_live_frame type, struct pgs_buf *frame)
{
    begin(subscription, type, frame);
    add_place(frame, ++subscription->seq, lsn_of(subscription));
}

static void
end(struct pgs__subscription *subscription, struct pgs_buf *frame)
{
    pgs_buf_add_char(frame, '}');
    pgs__session_send(subscription->session, frame);
}

void
pgs__frame_snapshot(struct pgs__subscription *subscription, const struct pgs__held *held)
{
    struct pgs__session *session = subscription->session;
    struct pgs_buf frame;

    if (session->single != NULL) {
        pgs__single_snapshot(subscription, held);
        return;
    }
    begin_rows(subscription, PGS_FRAME_SNAPSHOT, &frame);
    pgs__row_write_key_names(subscription->live, &frame);
    pgs_buf_add_str(&frame, ",\"rows\":[");
    for (size_t i = 0; i < held->n; i++) {
        const struct pgs__touch *touch = held->rows[i]->mark;

        if (i > 0)
            pgs_buf_add_char(&frame, ',');
        pgs_buf_add(&frame, touch->text.at, touch->text.len);
    }
    pgs_buf_add_char(&frame, ']');
    end(subscription, &frame);
    pgs_buf_clear(&frame);
    pgs__sent_begin(&subscription->sent, session->shelf, subscription->seq, session->n_frames);
}

/* Of the frame that was sent just now. */
static void
keep(struct pgs__subscription *subscription, const char *rows, size_t len)
{
    struct pgs__session *session = subscription->session;

    pgs__sent_add(&subscription->sent, session->shelf,
                  &(struct pgs__sent_frame){.seq = subscription->seq,
                                            .event = session->n_frames,
                                            .commit = subscription->told,
                                            .lsn = lsn_of(subscription),
                                            .len = len,
                                            .at = rows});
}

void
pgs__frame_delta(struct pgs__subscription *subscription, const struct pgs__delta *delta)
{
    struct pgs_buf frame;
    size_t rows;

    if (pgs__delta_is_empty(delta))
        return;
    if (subscription->session->single != NULL) {
        pgs__single_delta(subscription, delta);
        return;
    }
    begin_rows(subscription, PGS_FRAME_DELTA, &frame);
    rows = frame.len;
    pgs__delta_write(delta, subscription->live->ordered, &frame);
    end(subscription, &frame);
    if (!frame.failed)
        keep(subscription, frame.at + rows, frame.len - rows);
    pgs_buf_clear(&frame);
}

void
pgs__frame_reset(struct pgs__subscription *subscription)
{
    struct pgs_buf frame;

    begin(subscription, PGS_FRAME_RESET, &frame);
    end(subscription, &frame);
    pgs_buf_clear(&frame);
}

static void
send_resumed(struct pgs__subscription *subscription, int64_t seq)
{
    struct pgs_buf frame;

    begin(subscription, PGS_FRAME_RESUMED, &frame);
    pgs_buf_add_str(&frame, ",\"seq\":");
    pgs_buf_add_int(&frame, seq);
    end(subscription, &frame);
    pgs_buf_clear(&frame);
}

/* A place of a log that was lost since is none of this generation. */
static void
send_again(struct pgs__subscription *subscription, const struct pgs__sent_frame *missed)
{
    const struct pgs__recent *recent = &subscription->session->thread->recent;
    struct pgs_buf frame;

    begin(subscription, PGS_FRAME_DELTA, &frame);
    add_place(&frame, missed->seq, pgs__recent_lsn_kept(recent, missed->commit, missed->lsn));
    pgs_buf_add(&frame, missed->at, missed->len);
    pgs__session_send(subscription->session, &frame);
    pgs_buf_clear(&frame);
}

void
pgs__frame_resume(struct pgs__subscription *subscription, const struct pgs__mark *mark)
{
    struct pgs__session *session = subscription->session;
    struct pgs__sent missed;
    struct pgs__sent_frame frame;
    int64_t seq = pgs__sent_forget(&subscription->sent, session->shelf, mark);

    send_resumed(subscription, seq);
    /* Sent under other numbers now, and kept under these. */
    missed = subscription->sent;
    memset(&subscription->sent, 0, sizeof(subscription->sent));
    pgs__sent_begin(&subscription->sent, session->shelf, seq, session->n_frames);
    for (size_t place = 0; pgs__sent_next(&missed, &place, &frame);) {
        send_again(subscription, &frame);
        frame.event = session->n_frames;
        pgs__sent_add(&subscription->sent, session->shelf, &frame);
    }
    pgs__sent_clear(&missed, session->shelf);
}

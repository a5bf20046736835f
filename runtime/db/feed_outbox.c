/* SPDX-License-Identifier: MIT */
/*
 * The outbox: triggers on watched tables write into pgstack_live.outbox what a statement did, with
 * the number of its transaction, while `pgstack_live.listening` is a time to come.  It is a
 * sequence, so that a trigger sees it as it is, whatever snapshot its transaction has.
 *
 * What is read is what the snapshot of this reading sees and that of the last one did not: whole
 * transactions, whatever the order in which their rows were numbered.  A reader that was held up
 * for so long that triggers may have stopped, or others may have deleted what it has not read,
 * begins anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "db/feed_private.h"
#include "db/feed_sql.h"

#define LISTEN_MS 3000 /* until it is said again; triggers go on for 10 s */
#define LATE_MS 8000   /* less than that */
#define KEEP_MS 12000  /* more than LATE_MS: then everybody has read it, or is late */
#define IDLE_MS 10000

static const char read_name[] = "read";
static const char empty_snapshot[] = "1:1:";

struct outbox {
    struct pgs_feed *feed;
    bool is_listening;
    char *seen;                   /* a snapshot: what it sees has been handed on */
    char *unended;                /* "{7,9}": may have written before we listened; "{}": none */
    int64_t until_ms;             /* triggers write, by PostgreSQL's clock */
    int64_t listened_ms, read_ms; /* when it was last asked for */
    bool has_found;               /* something, when it was last read */
    int pause_ms;                 /* until it is read again */
    char *marked;                 /* what was seen at marked_ms */
    int64_t marked_ms;
    char *passed;  /* what everybody has seen; NULL: nothing is to be deleted */
    char *deleted; /* what of that is deleted, and */
    char *reached; /* all transactions before this one */
};

/* ---- asking ---- */

/* NULL: it failed. */
static PGresult *
expect(PGresult *result, ExecStatusType wanted)
{
    if (PQresultStatus(result) == wanted)
        return result;
    PQclear(result);
    return NULL;
}

static PGresult *
ask(struct pgs_feed *feed, const char *sql, int n, const char *const *values, ExecStatusType wanted)
{
    return expect(pgs__link_ask(&feed->link, sql, n, values, PGS__FEED_ASK_MS), wanted);
}

static PGresult *
take(struct pgs_feed *feed, ExecStatusType wanted)
{
    return expect(pgs__link_take(&feed->link, PGS__FEED_ASK_MS), wanted);
}

/* What it gives is of no use. */
static bool
tell(struct pgs_feed *feed, const char *sql)
{
    PGresult *result = ask(feed, sql, 0, NULL, PGRES_COMMAND_OK);
    bool good = result != NULL;

    PQclear(result);
    return good;
}

static char *
keep(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

static void
replace(char **text, char *by)
{
    free(*text);
    *text = by;
}

/* ---- listening ---- */

static bool
is_late(const struct outbox *outbox, int64_t now_ms)
{
    int64_t ms = pgs_clock_ms();

    return now_ms > outbox->until_ms || ms - outbox->listened_ms > LATE_MS ||
           ms - outbox->read_ms > LATE_MS;
}

static bool
fail_late(struct outbox *outbox)
{
    outbox->feed->link.why = "the outbox was not read for too long: changes may have been missed";
    return false;
}

/* Has triggers write for a while.  Where they have been told before, they must not have stopped. */
static bool
listen_longer(struct outbox *outbox)
{
    int64_t asked_ms = pgs_clock_ms(), told_ms;
    PGresult *result = ask(outbox->feed, PGS_OUTBOX_LISTEN_SQL, 0, NULL, PGRES_TUPLES_OK);

    if (result == NULL)
        return false;
    told_ms = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    if (outbox->is_listening && is_late(outbox, told_ms)) {
        PQclear(result);
        return fail_late(outbox);
    }
    outbox->until_ms = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    outbox->listened_ms = asked_ms;
    PQclear(result);
    return true;
}

/*
 * Whoever has asked before this transaction asks again after it.  What those under way have written
 * before their triggers looked is not known: each counts as having changed everything when it ends.
 */
static bool
begin_listening(struct outbox *outbox)
{
    struct pgs_feed *feed = outbox->feed;
    PGresult *result;

    if (!listen_longer(outbox))
        return false;
    result = ask(feed, PGS_OUTBOX_NOW_SQL, 0, NULL, PGRES_TUPLES_OK);
    if (result == NULL)
        return false;
    outbox->is_listening = true;
    replace(&outbox->seen, keep(PQgetvalue(result, 0, 0)));
    replace(&outbox->unended, keep(PQgetvalue(result, 0, 2)));
    replace(&outbox->marked, keep(outbox->seen));
    replace(&outbox->passed, NULL);
    replace(&outbox->deleted, keep(empty_snapshot));
    outbox->read_ms = outbox->marked_ms = outbox->listened_ms;
    pgs__records_hand_on_all(feed, PQgetvalue(result, 0, 1));
    PQclear(result);
    return tell(feed, PGS_OUTBOX_FORGET_SQL);
}

/* ---- reading ---- */

/* Hands on those that were under way when we began to listen, and are not now. */
static bool
read_ended(struct outbox *outbox)
{
    const char *values[] = {outbox->unended};
    PGresult *result;
    size_t len = 0;
    char *left;

    if (strcmp(outbox->unended, "{}") == 0)
        return true;
    result = ask(outbox->feed, PGS_OUTBOX_ENDED_SQL, 1, values, PGRES_TUPLES_OK);
    if (result == NULL)
        return false;
    left = keep(outbox->unended); /* what is left is no longer */
    left[len++] = '{';
    for (int row = 0; row < PQntuples(result); row++) {
        const char *xid = PQgetvalue(result, row, 0);

        if (strcmp(PQgetvalue(result, row, 1), "true") == 0) {
            pgs__records_hand_on_all(outbox->feed, xid);
            continue;
        }
        if (len > 1)
            left[len++] = ',';
        memcpy(left + len, xid, strlen(xid));
        len += strlen(xid);
    }
    left[len++] = '}';
    left[len] = '\0';
    replace(&outbox->unended, left);
    PQclear(result);
    return true;
}

/* False: there is more than one reading may take. */
static bool
is_bounded(struct outbox *outbox, const PGresult *result)
{
    if (PQntuples(result) <= atoi(PGS_OUTBOX_MAX_RECORDS))
        return true;
    pgs_limit_hit(PGS_LIMIT_LIVE_OUTBOX);
    outbox->feed->link.why = "more statements wait in the outbox than are read at once";
    return false;
}

static bool
read_changes(struct outbox *outbox)
{
    int64_t asked_ms = pgs_clock_ms();
    const char *value = outbox->seen;
    PGresult *result;
    bool good;

    if (PQsendQueryPrepared(outbox->feed->link.pg, read_name, 1, &value, NULL, NULL, 1) != 1)
        return false;
    result = take(outbox->feed, PGRES_TUPLES_OK);
    if (result == NULL)
        return false;
    good = is_bounded(outbox, result);
    if (good && is_late(outbox, strtoll(PQgetvalue(result, 0, PGS__READ_NOW), NULL, 10)))
        good = fail_late(outbox);
    if (good && (good = read_ended(outbox))) {
        outbox->read_ms = asked_ms;
        outbox->has_found = !PQgetisnull(result, 0, PGS__READ_XID);
        if (outbox->has_found)
            pgs__records_hand_on(outbox->feed, result);
        replace(&outbox->seen, keep(PQgetvalue(result, 0, PGS__READ_SNAPSHOT)));
    }
    PQclear(result);
    return good;
}

/* ---- deleting ---- */

static bool
delete_passed(struct outbox *outbox)
{
    PGresult *result;

    if (outbox->passed == NULL && pgs_clock_ms() - outbox->marked_ms > KEEP_MS) {
        replace(&outbox->passed, outbox->marked);
        replace(&outbox->reached, keep("0"));
        outbox->marked = keep(outbox->seen);
        outbox->marked_ms = pgs_clock_ms();
    }
    if (outbox->passed == NULL)
        return true;
    result =
        ask(outbox->feed, PGS_OUTBOX_DELETE_SQL, 3,
            (const char *[]){outbox->passed, outbox->deleted, outbox->reached}, PGRES_TUPLES_OK);
    if (result == NULL)
        return false;
    if (atoi(PQgetvalue(result, 0, 0)) < atoi(PGS_OUTBOX_MAX_DELETED)) {
        replace(&outbox->deleted, outbox->passed);
        outbox->passed = NULL;
    } else
        replace(&outbox->reached, keep(PQgetvalue(result, 0, 1)));
    PQclear(result);
    return true;
}

/* ---- from beginning to end ---- */

bool
pgs__outbox_begin(struct pgs_feed *feed)
{
    PGresult *result;
    bool good;

    if (PQsendPrepare(feed->link.pg, read_name, PGS_OUTBOX_READ_SQL, 0, NULL) != 1)
        return false;
    result = take(feed, PGRES_COMMAND_OK);
    good = result != NULL;
    PQclear(result);
    return good;
}

/* One time around.  False: the connection is lost, or changes may have been. */
static bool
go_on(struct outbox *outbox)
{
    struct pgs_feed *feed = outbox->feed;
    int64_t begun_us;
    bool good;

    if (!outbox->is_listening && !begin_listening(outbox))
        return false;
    if (pgs_clock_ms() - outbox->listened_ms > LISTEN_MS && !listen_longer(outbox))
        return false;
    begun_us = pgs_clock_us();
    good = read_changes(outbox);
    feed->config.on_pause(feed->config.arg);
    outbox->pause_ms = pgs__pace_wait_ms(outbox->pause_ms, feed->config.poll_ms, outbox->has_found,
                                         pgs_clock_us() - begun_us);
    return good && delete_passed(outbox);
}

void
pgs__outbox_follow(struct pgs_feed *feed)
{
    struct outbox outbox = {.feed = feed};

    while (go_on(&outbox) && !pgs__feed_is_ended_within(feed, -1, outbox.pause_ms) &&
           !pgs__feed_may_rest(feed))
        ;
    free(outbox.seen);
    free(outbox.unended);
    free(outbox.marked);
    free(outbox.passed);
    free(outbox.deleted);
    free(outbox.reached);
}

bool
pgs__outbox_rest(struct pgs_feed *feed)
{
    while (!pgs__feed_is_wanted(feed)) {
        if (PQconsumeInput(feed->link.pg) != 1 || !tell(feed, PGS_OUTBOX_SWEEP_SQL))
            return false;
        if (pgs__feed_is_ended_within(feed, PQsocket(feed->link.pg), IDLE_MS))
            break;
    }
    return true;
}

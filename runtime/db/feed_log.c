/* SPDX-License-Identifier: MIT */
/*
 * The log: streaming replication protocol over libpq's COPY BOTH (PostgreSQL's documentation,
 * Streaming Replication Protocol).  Everything blocks but the waits for a slot and for more,
 * which close() ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "db/feed_private.h"
#include "db/feed_sql.h"

#define STATUS_MS 5000 /* wal_sender_timeout is 60 s unless it is set */
#define SILENCE_MS 60000
#define SLOW_SLOT_MS 5000
#define POLL_MS 10
#define SLOW_POLL_MS 500
#define MUCH_BYTES 8192 /* read at once: there may be more */

/* ---- a transaction ---- */

static struct pgs_changes_relation *
find_relation(struct pgs_feed *feed, uint32_t oid)
{
    for (size_t i = 0; i < feed->log.n_relations; i++)
        if (feed->log.relations[i].oid == oid)
            return &feed->log.relations[i];
    return NULL;
}

static bool
add_relation(struct pgs_feed *feed, const struct pgs_pgoutput *message)
{
    struct pgs_changes_relation *relation = find_relation(feed, message->relation);
    int watched = pgs__feed_find_watched(feed, message->schema, message->table);

    if (relation == NULL && feed->log.n_relations == PGS__LOG_MAX_RELATIONS)
        return false;
    if (relation == NULL)
        relation = &feed->log.relations[feed->log.n_relations++];
    else
        pgs_changes_relation_clear(relation);
    *relation = (struct pgs_changes_relation){.oid = message->relation, .watched = watched};
    return watched < 0 ||
           pgs_changes_relation_read(relation, message, &feed->config.watched[watched]);
}

static bool
add_change(struct pgs_feed *feed, const struct pgs_pgoutput *message)
{
    const struct pgs_changes_relation *relation = find_relation(feed, message->relation);

    if (relation == NULL)
        return false;
    return relation->watched < 0 ||
           pgs_changes_add(&feed->maker, relation, message,
                           feed->config.wants_rows(feed->config.arg, (unsigned)relation->watched));
}

static bool
truncate_all(struct pgs_feed *feed, const struct pgs_pgoutput *message)
{
    for (uint32_t i = 0; i < message->n_relations; i++) {
        const struct pgs_changes_relation *relation =
            find_relation(feed, pgs_pgoutput_relation(message, i));

        if (relation == NULL)
            return false;
        pgs_changes_add_unread(&feed->maker, relation->watched);
    }
    return true;
}

static void
hand_on(struct pgs_feed *feed, uint64_t end_lsn)
{
    struct pgs_changes *changes = pgs_changes_finish(&feed->maker, feed->log.xid, end_lsn);

    feed->log.lsn = end_lsn;
    if (changes == NULL)
        return;
    pgs_count(PGS_CELL_LIVE_COMMITS, 1);
    pgs_observe(PGS_CELL_LIVE_LAG, 0, pgs_clock_wall_ms() * 1000 - feed->log.committed_us);
    feed->log.n_commits++;
    feed->config.on_changes(feed->config.arg, changes);
}

/* False: it makes no sense. */
static bool
read_message(struct pgs_feed *feed, const uint8_t *at, size_t len)
{
    struct pgs_pgoutput message;

    if (!pgs_pgoutput_read(at, len, &message))
        return false;
    switch (message.kind) {
    case PGS_PGOUTPUT_BEGIN:
        feed->log.xid = message.xid;
        feed->log.committed_us = message.committed_us;
        return true;
    case PGS_PGOUTPUT_COMMIT:
        hand_on(feed, message.lsn);
        return true;
    case PGS_PGOUTPUT_RELATION:
        return add_relation(feed, &message);
    case PGS_PGOUTPUT_CHANGE:
        return add_change(feed, &message);
    case PGS_PGOUTPUT_TRUNCATE:
        return truncate_all(feed, &message);
    case PGS_PGOUTPUT_OTHER:
        return true;
    }
    return false;
}

/* ---- the stream ---- */

static void
put_int64(char *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (char)(value >> (56 - 8 * i));
}

/* Tells PostgreSQL how far we are, so that it keeps no more of the log than is needed. */
static bool
send_status(struct pgs_feed *feed, bool wants_answer)
{
    char message[1 + 8 * 4 + 1] = {'r'};

    put_int64(message + 1, feed->log.lsn);
    put_int64(message + 9, feed->log.lsn);
    put_int64(message + 17, feed->log.lsn);
    message[33] = (char)wants_answer;
    feed->log.told_ms = pgs_clock_ms();
    return PQputCopyData(feed->link.pg, message, sizeof(message)) == 1 &&
           PQflush(feed->link.pg) == 0;
}

static uint64_t
get_int64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

/* XLogData, or a keepalive: how far PostgreSQL has read the log, and whether an answer is wanted.
 */
static bool
read_copy(struct pgs_feed *feed, const uint8_t *at, size_t len)
{
    const size_t head = 1 + 8 + 8 + 8;

    if (len >= head && at[0] == 'w')
        return read_message(feed, at + head, len - head);
    if (len < 1 + 8 + 8 + 1 || at[0] != 'k')
        return false;
    if (feed->maker.changes == NULL && get_int64(at + 1) > feed->log.lsn)
        feed->log.lsn = get_int64(at + 1);
    return at[17] == 0 || send_status(feed, false);
}

/* All that has come.  False: the stream has ended, or makes no sense. */
static bool
read_all(struct pgs_feed *feed)
{
    char *copy;
    int len;

    feed->log.n_commits = 0;
    feed->log.n_bytes = 0;
    if (PQconsumeInput(feed->link.pg) != 1)
        return false;
    while ((len = PQgetCopyData(feed->link.pg, &copy, 1)) > 0) {
        bool good = read_copy(feed, (const uint8_t *)copy, (size_t)len);

        PQfreemem(copy);
        if (!good)
            return false;
        feed->log.n_bytes += (size_t)len;
    }
    if (len == -1)
        PQclear(PQgetResult(feed->link.pg)); /* what PostgreSQL ended it with, for the log */
    if (feed->log.n_bytes > 0)
        feed->log.heard_ms = pgs_clock_ms();
    feed->config.on_pause(feed->config.arg);
    return len == 0;
}

/* ---- from beginning to end ---- */

static bool
is_status(struct pgs_feed *feed, const char *command, ExecStatusType wanted)
{
    PGresult *result = PQexec(feed->link.pg, command);
    bool good = PQresultStatus(result) == wanted;

    PQclear(result);
    return good;
}

/* It may take long: whoever waits for changes is told, and the operator why. */
struct slowness {
    int64_t since_ms;
    bool was_said;
};

static void
say_slow(struct pgs_feed *feed, struct slowness *slowness)
{
    if (slowness->was_said || pgs_clock_ms() - slowness->since_ms < SLOW_SLOT_MS)
        return;
    slowness->was_said = true;
    pgs_count(PGS_CELL_LIVE_WAITS, 1);
    feed->config.on_state(feed->config.arg, false);
    PGS_LOG(PGS_LOG_WARN, "live_feed_waits",
            PGS_LOG_STR("why", "a transaction that writes is open"),
            PGS_LOG_STR("hint", "look at backend_xid in pg_stat_activity, and at "
                                "pg_prepared_xacts"));
}

/* PostgreSQL makes a slot when all transactions that write at this moment have ended, in whatever
 * database of its.  False: told to end, or nobody waits for it any more. */
static bool
wait_for_slot(struct pgs_feed *feed, struct slowness *slowness)
{
    while (PQisBusy(feed->link.pg) != 0) {
        if (pgs__feed_is_ended_within(feed, PQsocket(feed->link.pg), SLOW_SLOT_MS))
            return false;
        if (PQconsumeInput(feed->link.pg) != 1)
            return true;
        if (pgs__feed_may_rest(feed))
            return false;
        say_slow(feed, slowness);
    }
    return true;
}

static bool
make_slot(struct pgs_feed *feed, const char *slot, struct slowness *slowness)
{
    char command[256];
    PGresult *result;
    bool good = true;

    (void)snprintf(command, sizeof(command),
                   "CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
                   slot);
    if (PQsendQuery(feed->link.pg, command) != 1 || !wait_for_slot(feed, slowness))
        return false;
    while ((result = PQgetResult(feed->link.pg)) != NULL) {
        good = good && PQresultStatus(result) == PGRES_TUPLES_OK;
        PQclear(result);
    }
    return good && PQstatus(feed->link.pg) == CONNECTION_OK;
}

static bool
ask_number(struct pgs_feed *feed, const char *sql, uint64_t *number)
{
    PGresult *result = pgs__link_ask(&feed->link, sql, 0, NULL, PGS__FEED_ASK_MS);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

    if (good)
        *number = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return good;
}

/* A commit that stands in the log before the slot's place is not told, and is seen only when its
 * transaction has ended: where a standby is waited for, that is a while later.  False as above. */
static bool
wait_for_untold(struct pgs_feed *feed, struct slowness *slowness)
{
    char command[256], number[24];
    uint64_t xid, have_ended = 0;

    if (!ask_number(feed, PGS_LOG_BEGINS_SQL, &xid))
        return false;
    (void)snprintf(number, sizeof(number), "%" PRIu64, xid);
    (void)snprintf(command, sizeof(command), PGS_LOG_ALL_ENDED_FORMAT, number);
    while (ask_number(feed, command, &have_ended) && have_ended == 0) {
        say_slow(feed, slowness);
        if (pgs__feed_is_ended_within(feed, -1, slowness->was_said ? SLOW_POLL_MS : POLL_MS) ||
            pgs__feed_may_rest(feed))
            return false;
    }
    return have_ended == 1;
}

/* What is made is not wanted any more.  PostgreSQL would not notice that we have gone before it is
 * made, and keep its log until then. */
static void
give_up_slot(struct pgs_feed *feed, const char *slot)
{
    char command[256];
    PGresult *result = NULL;

    (void)snprintf(command, sizeof(command), PGS_LOG_GIVE_UP_FORMAT, slot);
    pgs__link_disconnect(&feed->link);
    if (pgs__feed_connect(feed, NULL) ||
        (feed->link.is_ending && PQstatus(feed->link.pg) == CONNECTION_OK))
        result = pgs__link_ask(&feed->link, command, 0, NULL, PGS__FEED_ASK_MS);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        PGS_LOG(PGS_LOG_WARN, "live_slot_left", PGS_LOG_STR("slot", slot),
                PGS_LOG_STR("why", PQerrorMessage(feed->link.pg)));
    PQclear(result);
}

/* "" where PostgreSQL does not say. */
static void
ask_setting(struct pgs_feed *feed, const char *command, char *value, size_t size)
{
    PGresult *result = pgs__link_ask(&feed->link, command, 0, NULL, PGS__FEED_ASK_MS);

    value[0] = '\0';
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        (void)snprintf(value, size, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
}

void
pgs__log_look_at_bounds(struct pgs_feed *feed)
{
    char most[32], timeout[32];

    ask_setting(feed, "SHOW max_slot_wal_keep_size", most, sizeof(most));
    if (strcmp(most, "-1") != 0 || feed->is_unbounded)
        return;
    feed->is_unbounded = true;
    ask_setting(feed, "SHOW wal_sender_timeout", timeout, sizeof(timeout));
    PGS_LOG(PGS_LOG_WARN, "live_log_unbounded",
            PGS_LOG_STR("why", "max_slot_wal_keep_size is -1: while this server does not read, "
                               "PostgreSQL keeps its log, until wal_sender_timeout"),
            PGS_LOG_STR("wal_sender_timeout", timeout),
            PGS_LOG_STR("hint", "set max_slot_wal_keep_size to what its disk can spare"));
}

bool
pgs__log_is_there(struct pgs_feed *feed)
{
    char command[512];
    PGresult *result;
    bool good;

    (void)snprintf(command, sizeof(command), PGS_LOG_LOOK_FORMAT, feed->config.publication);
    result = pgs__link_ask(&feed->link, command, 0, NULL, PGS__FEED_ASK_MS);
    good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (good && strcmp(PQgetvalue(result, 0, 0), "t") != 0)
        feed->link.why = "there is no publication pgstack_live: have the migrations run?";
    else if (good && strcmp(PQgetvalue(result, 0, 1), "t") != 0)
        feed->link.why = "no replication slot is free (max_replication_slots)";
    PQclear(result);
    return good && feed->link.why == NULL;
}

/* A name of its own: several servers, and two generations of one, may follow one database. */
bool
pgs__log_begin(struct pgs_feed *feed)
{
    struct slowness slowness = {.since_ms = pgs_clock_ms()};
    char command[256], slot[64];

    (void)snprintf(slot, sizeof(slot), "pgstack_live_%d_%d", (int)getpid(),
                   PQbackendPID(feed->link.pg));
    if (!make_slot(feed, slot, &slowness)) {
        if (feed->is_resting || feed->link.is_ending)
            give_up_slot(feed, slot);
        return false;
    }
    if (!wait_for_untold(feed, &slowness))
        return false;
    (void)snprintf(command, sizeof(command),
                   "START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1',"
                   " publication_names '%s')",
                   slot, feed->config.publication);
    return is_status(feed, command, PGRES_COPY_BOTH);
}

/* Where much was read at once there may be more already. */
static bool
is_ended_after_pause(struct pgs_feed *feed)
{
    struct pgs__log *log = &feed->log;

    return pgs__pace_count(&log->pace, log->n_commits, pgs_clock_ms()) &&
           log->n_bytes < MUCH_BYTES && pgs__feed_is_ended_within(feed, -1, PGS_PACE_PAUSE_MS);
}

void
pgs__log_follow(struct pgs_feed *feed)
{
    feed->log.heard_ms = pgs_clock_ms();
    while (!pgs__feed_is_ended_within(feed, PQsocket(feed->link.pg), STATUS_MS / 2)) {
        if (!read_all(feed) || pgs_clock_ms() - feed->log.heard_ms > SILENCE_MS)
            return;
        if (pgs_clock_ms() - feed->log.told_ms > STATUS_MS && !send_status(feed, true))
            return;
        if (pgs__feed_may_rest(feed) || is_ended_after_pause(feed))
            return;
    }
}

void
pgs__log_forget(struct pgs_feed *feed)
{
    while (feed->log.n_relations > 0)
        pgs_changes_relation_clear(&feed->log.relations[--feed->log.n_relations]);
}

/* SPDX-License-Identifier: MIT */
/* The connection: chosen for what PostgreSQL has, made when it is wanted, lost and made again. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "db/feed_private.h"

#define REST_MS 60000 /* somebody wakes it */

/* ---- for the parts ---- */

int
pgs__feed_find_watched(const struct pgs_feed *feed, const char *schema, const char *table)
{
    for (size_t i = 0; i < feed->n_watched; i++)
        if (strcmp(feed->config.watched[i].schema, schema) == 0 &&
            strcmp(feed->config.watched[i].table, table) == 0)
            return (int)i;
    return -1;
}

bool
pgs__feed_is_ended_within(struct pgs_feed *feed, int fd, int timeout_ms)
{
    if (!feed->link.is_ending)
        pgs__link_wait(&feed->link, fd, timeout_ms);
    return feed->link.is_ending;
}

bool
pgs__feed_is_wanted(const struct pgs_feed *feed)
{
    bool is_wanted = feed->config.wants_changes(feed->config.arg);

    pgs_gauge_set(PGS_CELL_LIVE_WANTED, is_wanted);
    return is_wanted;
}

bool
pgs__feed_may_rest(struct pgs_feed *feed)
{
    feed->is_resting = !pgs__feed_is_wanted(feed) && feed->config.on_rest(feed->config.arg);
    return feed->is_resting;
}

/* ---- the connection ---- */

/* Values are written as those of the serving connections are (db/connect.c); each statement has a
 * snapshot of its own, and a plan that is made once, while the outbox is empty, serves when it is
 * full: by its index, and in the order of that. */
static const char session[] =
    "-c datestyle=iso,ymd -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex"
    " -c extra_float_digits=1 -c default_transaction_isolation=read\\ committed"
    " -c enable_seqscan=off -c enable_sort=off -c plan_cache_mode=force_generic_plan -c jit=off";

/* A standby would be of no use: it takes no writes, and before PostgreSQL 16 its log is not
 * decoded. */
bool
pgs__feed_connect(struct pgs_feed *feed, const char *replication)
{
    return pgs__link_connect(&feed->link, &(struct pgs__link_words){.name = "pgstack-live",
                                                                    .target = "primary",
                                                                    .replication = replication,
                                                                    .options = session});
}

enum source {
    NOTHING,
    THE_LOG,
    THE_OUTBOX,
};

/* Of a connection of either kind.  False: it cannot be asked. */
static bool
ask_wal_level(struct pgs_feed *feed, bool *is_logical)
{
    PGresult *result = pgs__link_ask(&feed->link, "SHOW wal_level", 0, NULL, PGS__FEED_ASK_MS);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

    *is_logical = good && strcmp(PQgetvalue(result, 0, 0), "logical") == 0;
    PQclear(result);
    return good;
}

static bool
begin_log(struct pgs_feed *feed)
{
    pgs__log_look_at_bounds(feed);
    if (!pgs__log_is_there(feed))
        return false;
    feed->is_begun = pgs__feed_is_wanted(feed);
    return !feed->is_begun || pgs__log_begin(feed);
}

static bool
begin_outbox(struct pgs_feed *feed)
{
    feed->is_begun = pgs__feed_is_wanted(feed);
    return pgs__outbox_begin(feed);
}

static enum source
choose_log(struct pgs_feed *feed)
{
    bool is_logical;

    if (!pgs__feed_connect(feed, "database") || !ask_wal_level(feed, &is_logical))
        return NOTHING;
    if (!is_logical) {
        feed->link.why = "PostgreSQL runs without wal_level=logical, and the application was built "
                         "without `live outbox;`";
        feed->config.on_impossible(feed->config.arg);
        return NOTHING;
    }
    return begin_log(feed) ? THE_LOG : NOTHING;
}

/* Once, until the log is there for us. */
static void
say_refused(struct pgs_feed *feed)
{
    if (!feed->is_refused)
        PGS_LOG(PGS_LOG_WARN, "live_log_refused",
                PGS_LOG_STR("why", feed->link.why != NULL ? feed->link.why
                                                          : PQerrorMessage(feed->link.pg)));
    feed->is_refused = true;
}

/* The log may be there, and not for us: the role may not replicate, or there is no slot left. */
static enum source
choose(struct pgs_feed *feed)
{
    bool is_logical;

    if (!feed->config.has_outbox)
        return choose_log(feed);
    if (!pgs__feed_connect(feed, NULL) || !ask_wal_level(feed, &is_logical))
        return NOTHING;
    if (is_logical) {
        pgs__link_disconnect(&feed->link);
        if (pgs__feed_connect(feed, "database") && begin_log(feed))
            return THE_LOG;
        if (feed->is_resting)
            return NOTHING;
        say_refused(feed);
        pgs__link_disconnect(&feed->link);
        if (feed->link.is_ending || !pgs__feed_connect(feed, NULL))
            return NOTHING;
    }
    return begin_outbox(feed) ? THE_OUTBOX : NOTHING;
}

static const char *
source_name(enum source source)
{
    return source == THE_OUTBOX ? "outbox" : "log";
}

/* Once, until it is not so. */
static void
note_found(struct pgs_feed *feed, enum source source)
{
    if (!feed->is_found)
        PGS_LOG(PGS_LOG_INFO, "live_feed_ready", PGS_LOG_STR("source", source_name(source)));
    feed->is_found = true;
    feed->link.failures = 0;
    feed->is_refused = feed->is_refused && source != THE_LOG;
}

static void
follow(struct pgs_feed *feed, enum source source)
{
    PGS_LOG(PGS_LOG_INFO, "live_feed_connected", PGS_LOG_INT("tables", feed->n_watched),
            PGS_LOG_STR("source", source_name(source)));
    pgs_gauge_set(PGS_CELL_LIVE_FEED, 1);
    feed->config.on_state(feed->config.arg, true);
    if (source == THE_LOG)
        pgs__log_follow(feed);
    else
        pgs__outbox_follow(feed);
    pgs_gauge_set(PGS_CELL_LIVE_FEED, 0);
}

static void
fail(struct pgs_feed *feed, const char *event)
{
    if (!feed->link.is_ending)
        pgs__link_log_failure(&feed->link, event);
    if (feed->is_found)
        feed->config.on_state(feed->config.arg, false);
    feed->is_found = false;
    feed->link.failures++;
}

static void
leave(struct pgs_feed *feed)
{
    pgs__link_disconnect(&feed->link);
    pgs__log_forget(feed);
    pgs_changes_maker_reset(&feed->maker);
}

/* Until somebody wants changes.  For the log nothing is left in PostgreSQL meanwhile.  False: the
 * connection is lost. */
static bool
rest(struct pgs_feed *feed, enum source source)
{
    if (feed->is_begun)
        PGS_LOG(PGS_LOG_INFO, "live_feed_rests", PGS_LOG_STR("source", source_name(source)));
    if (source == THE_OUTBOX)
        return pgs__outbox_rest(feed);
    leave(feed);
    while (!pgs__feed_is_wanted(feed) && !pgs__feed_is_ended_within(feed, -1, REST_MS))
        ;
    return true;
}

/* False: the connection is lost, unless it rests.  Where somebody has come to want changes since it
 * was chosen it is chosen again. */
static bool
stay(struct pgs_feed *feed, enum source source)
{
    note_found(feed, source);
    if (!feed->is_begun)
        return !pgs__feed_may_rest(feed);
    follow(feed, source);
    return false;
}

/* One connection's life, and what comes after it. */
static void
run_once(struct pgs_feed *feed)
{
    enum source source;
    bool is_good;

    feed->is_resting = feed->is_begun = false;
    (void)pgs__feed_is_wanted(feed); /* there may be no connection for a long time */
    source = choose(feed);
    is_good = source != NOTHING;
    if (is_good)
        is_good = stay(feed, source);
    if (feed->is_resting)
        is_good = rest(feed, source);
    if (!is_good)
        fail(feed, source != NOTHING ? "live_feed_lost" : "live_feed_failed");
    leave(feed);
}

/* However often it is woken: who listens has no say in how often PostgreSQL is tried. */
static bool
is_ended_after(struct pgs_feed *feed, int ms)
{
    int64_t end_ms = pgs_clock_ms() + ms;

    while (ms > 0 && !pgs__feed_is_ended_within(feed, -1, ms))
        ms = (int)(end_ms - pgs_clock_ms());
    return feed->link.is_ending;
}

static void *
run(void *arg)
{
    struct pgs_feed *feed = arg;

    pgs__link_begin();
    do
        run_once(feed);
    while (!is_ended_after(feed, feed->link.failures > 0 ? pgs__link_backoff_ms(&feed->link) : 0));
    return NULL;
}

struct pgs_feed *
pgs_feed_open(const struct pgs_feed_config *config)
{
    struct pgs_feed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL)
        return NULL;
    feed->config = *config;
    while (config->watched[feed->n_watched].schema != NULL)
        feed->n_watched++;
    if (!pgs_changes_maker_init(&feed->maker, feed->n_watched)) {
        free(feed);
        return NULL;
    }
    if (pgs__link_open(&feed->link, config->conninfo, run, feed))
        return feed;
    pgs_changes_maker_clear(&feed->maker);
    free(feed);
    return NULL;
}

void
pgs_feed_wake(struct pgs_feed *feed)
{
    pgs__link_wake(&feed->link);
}

void
pgs_feed_close(struct pgs_feed *feed)
{
    pgs__link_close(&feed->link);
    pgs_changes_maker_clear(&feed->maker);
    free(feed);
}

/* SPDX-License-Identifier: MIT */
/*
 * libpq, one statement at a time, each with a deadline: a PostgreSQL that does not answer is lost.
 *
 * Every role that can connect can send on the channel, so a message counts only when it comes from
 * the process that pgr.sender() names.  Where another process has become that one, messages of the
 * last one may have been taken for strangers', and all followers are told to begin anew.
 */
#include "db/reactive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/metric.h"
#include "db/link.h"

#define ANSWER_MS 10000 /* for PostgreSQL to answer; a statement ends by itself before that */
#define PROBE_MS 10000  /* between two looks at who sends, and whether anybody is there */
#define STRANGER_MS 1000
#define ANYBODY (-1) /* writers send themselves */

struct pgs_reactive {
    struct pgs_reactive_config config;
    struct pgs__link link; /* woken by questions too */

    pthread_mutex_t mutex; /* over what follows */
    struct pgs_reactive_question *first, **last;
    int n_waiting;

    /* of the thread */
    char channel[64];
    int sender;
    int stranger; /* the last one that was not the sender, and when that was asked */
    int64_t stranger_ms, probed_ms;
};

/* ---- asking ---- */

static PGresult *
ask(struct pgs_reactive *reactive, const char *sql, int n, const char *const *values)
{
    return pgs__link_ask(&reactive->link, sql, n, values, ANSWER_MS);
}

static bool
is_timeout(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate != NULL && strcmp(sqlstate, "57014") == 0;
}

static void
judge(struct pgs_reactive_question *question, const PGresult *result)
{
    question->verdict = PGS_REACTIVE_FAILED;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return;
    question->verdict = PGS_REACTIVE_UNKNOWN;
    if (PQntuples(result) != 1)
        return;
    question->verdict = PGS_REACTIVE_REFUSED;
    if (strcmp(PQgetvalue(result, 0, 1), "t") != 0)
        return;
    question->verdict = PGS_REACTIVE_ADMITTED;
    question->generation = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
}

/* True: another process has become the one that sends. */
static bool
note_sender(struct pgs_reactive *reactive, int sender)
{
    int before = reactive->sender;

    reactive->sender = sender;
    return before != 0 && before != sender;
}

/* Who begins now is not to be told later that the sender is another one. */
static void
look_at_answer(struct pgs_reactive *reactive, const PGresult *result)
{
    if (PQntuples(result) == 1 && note_sender(reactive, atoi(PQgetvalue(result, 0, 2))))
        reactive->config.on_state(reactive->config.arg, PGS_REACTIVE_CONNECTED);
}

/* False: the connection is lost; it has been answered all the same. */
static bool
answer(struct pgs_reactive *reactive, struct pgs_reactive_question *question, bool *timed_out)
{
    const char *const values[] = {question->id, question->claims};
    PGresult *result = ask(reactive, PGS_REACTIVE_QUESTION_SQL, 2, values);
    bool good = result != NULL && PQstatus(reactive->link.pg) == CONNECTION_OK;

    *timed_out = is_timeout(result);
    judge(question, result);
    look_at_answer(reactive, result);
    PQclear(result);
    reactive->config.on_answer(reactive->config.arg, question);
    return good;
}

/* ---- who sends ---- */

enum probe {
    PROBE_GOOD,
    PROBE_CHANGED, /* another process sends from now on */
    PROBE_LOST,
};

/* Another channel is another connection. */
static enum probe
probe(struct pgs_reactive *reactive)
{
    PGresult *result = ask(reactive, PGS_REACTIVE_PROBE_SQL, 0, NULL);
    enum probe probe = PROBE_LOST;

    if (PQresultStatus(result) == PGRES_TUPLES_OK &&
        strcmp(PQgetvalue(result, 0, 0), reactive->channel) == 0) {
        reactive->probed_ms = pgs_clock_ms();
        probe = note_sender(reactive, atoi(PQgetvalue(result, 0, 1))) ? PROBE_CHANGED : PROBE_GOOD;
    }
    PQclear(result);
    return probe;
}

/* False: the connection is lost. */
static bool
look_who_sends(struct pgs_reactive *reactive)
{
    enum probe found = probe(reactive);

    if (found == PROBE_CHANGED)
        reactive->config.on_state(reactive->config.arg, PGS_REACTIVE_CONNECTED);
    return found != PROBE_LOST;
}

static bool
is_from_sender(const struct pgs_reactive *reactive, const PGnotify *notice)
{
    return reactive->sender == ANYBODY || notice->be_pid == reactive->sender;
}

/* It may have become the sender; but who only says much is not asked about each time. */
static bool
look_at_stranger(struct pgs_reactive *reactive, const PGnotify *notice)
{
    int64_t now_ms = pgs_clock_ms();

    if (notice->be_pid == reactive->stranger && now_ms - reactive->stranger_ms < STRANGER_MS)
        return true;
    reactive->stranger = notice->be_pid;
    reactive->stranger_ms = now_ms;
    return look_who_sends(reactive);
}

/* False: the connection is lost. */
static bool
tell(struct pgs_reactive *reactive, const PGnotify *notice)
{
    if (!is_from_sender(reactive, notice) && !look_at_stranger(reactive, notice))
        return false;
    if (is_from_sender(reactive, notice)) {
        pgs_count(PGS_CELL_REACTIVE_MESSAGES, 1);
        reactive->config.on_message(reactive->config.arg,
                                    (struct pgs_text){notice->extra, strlen(notice->extra)});
    } else {
        pgs_count(PGS_CELL_REACTIVE_STRANGERS, 1);
    }
    return true;
}

static bool
tell_all(struct pgs_reactive *reactive)
{
    PGnotify *notice;
    bool good = true;

    while (good && (notice = PQnotifies(reactive->link.pg)) != NULL) {
        good = tell(reactive, notice);
        PQfreemem(notice);
    }
    return good;
}

/* ---- questions ---- */

bool
pgs_reactive_ask(struct pgs_reactive *reactive, struct pgs_reactive_question *question)
{
    bool has_room;

    question->next = NULL;
    pthread_mutex_lock(&reactive->mutex);
    has_room = reactive->n_waiting < PGS_REACTIVE_MAX_WAITING;
    if (has_room) {
        *reactive->last = question;
        reactive->last = &question->next;
        reactive->n_waiting++;
    }
    pthread_mutex_unlock(&reactive->mutex);
    if (has_room)
        pgs__link_wake(&reactive->link);
    else
        pgs_limit_hit(PGS_LIMIT_REACTIVE_WAITING);
    return has_room;
}

static struct pgs_reactive_question *
take_question(struct pgs_reactive *reactive)
{
    struct pgs_reactive_question *question;

    pthread_mutex_lock(&reactive->mutex);
    question = reactive->first;
    if (question != NULL) {
        reactive->first = question->next;
        reactive->n_waiting--;
        if (reactive->first == NULL)
            reactive->last = &reactive->first;
    }
    pthread_mutex_unlock(&reactive->mutex);
    return question;
}

/* With nobody to ask. */
static void
refuse_all(struct pgs_reactive *reactive)
{
    struct pgs_reactive_question *question;

    while ((question = take_question(reactive)) != NULL) {
        question->verdict = PGS_REACTIVE_FAILED;
        reactive->config.on_answer(reactive->config.arg, question);
    }
}

/* False: the connection is lost. */
static bool
answer_all(struct pgs_reactive *reactive)
{
    struct pgs_reactive_question *question;

    while ((question = take_question(reactive)) != NULL) {
        bool timed_out = false;

        if (!answer(reactive, question, &timed_out) || !tell_all(reactive))
            return false;
        if (timed_out)
            refuse_all(reactive); /* the next would wait as long, and messages with it */
    }
    return true;
}

/* ---- the connection ---- */

/* Until the connection is lost, or it is time to end. */
static void
follow(struct pgs_reactive *reactive)
{
    while (tell_all(reactive) && answer_all(reactive) && !reactive->link.is_ending) {
        pgs__link_wait(&reactive->link, PQsocket(reactive->link.pg), PROBE_MS / 2);
        if (PQconsumeInput(reactive->link.pg) != 1)
            return;
        if (pgs_clock_ms() - reactive->probed_ms > PROBE_MS && !look_who_sends(reactive))
            return;
    }
}

static bool
connect_reactive(struct pgs_reactive *reactive)
{
    return pgs__link_connect(&reactive->link,
                             &(struct pgs__link_words){
                                 .name = "pgstack-reactive",
                                 .target = "primary",
                                 .options = "-c search_path=pg_catalog -c statement_timeout=4000"});
}

/* There is no schema pgr, or no function in it: the answer to who sends, asked before listening. */
static bool
is_absent(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state != NULL && (strcmp(state, "3F000") == 0 || strcmp(state, "42883") == 0);
}

static bool
find_channel(struct pgs_reactive *reactive, bool *absent)
{
    PGresult *result = ask(reactive, PGS_REACTIVE_PROBE_SQL, 0, NULL);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK;

    *absent = is_absent(result);
    if (good)
        (void)snprintf(reactive->channel, sizeof(reactive->channel), "%s",
                       PQgetvalue(result, 0, 0));
    PQclear(result);
    return good;
}

static bool
listen_to_channel(struct pgs_reactive *reactive)
{
    char *name =
        PQescapeIdentifier(reactive->link.pg, reactive->channel, strlen(reactive->channel));
    char command[256];
    PGresult *result;
    bool good;

    if (name == NULL)
        return false;
    (void)snprintf(command, sizeof(command), "listen %s", name);
    PQfreemem(name);
    result = ask(reactive, command, 0, NULL);
    good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    reactive->sender = 0;
    return good && probe(reactive) != PROBE_LOST;
}

/* One connection's life. */
static void
run_once(struct pgs_reactive *reactive)
{
    bool absent = false;
    bool connected = connect_reactive(reactive) && find_channel(reactive, &absent) &&
                     listen_to_channel(reactive);

    if (connected) {
        PGS_LOG(PGS_LOG_INFO, "reactive_connected", PGS_LOG_STR("channel", reactive->channel));
        reactive->link.failures = 0;
        pgs_gauge_set(PGS_CELL_REACTIVE_CONNECTED, 1);
        reactive->config.on_state(reactive->config.arg, PGS_REACTIVE_CONNECTED);
        follow(reactive);
        pgs_gauge_set(PGS_CELL_REACTIVE_CONNECTED, 0);
    }
    if (!reactive->link.is_ending)
        pgs__link_log_failure(&reactive->link, connected ? "reactive_lost" : "reactive_failed");
    reactive->config.on_state(reactive->config.arg,
                              absent ? PGS_REACTIVE_ABSENT : PGS_REACTIVE_LOST);
    pgs__link_disconnect(&reactive->link);
    reactive->link.failures++;
}

/* Questions do not wait for the next connection. */
static void
pause_and_refuse(struct pgs_reactive *reactive)
{
    int64_t end_ms = pgs_clock_ms() + pgs__link_backoff_ms(&reactive->link), left_ms;

    refuse_all(reactive);
    while (!reactive->link.is_ending && (left_ms = end_ms - pgs_clock_ms()) > 0) {
        pgs__link_wait(&reactive->link, -1, (int)left_ms);
        refuse_all(reactive);
    }
}

static void *
run(void *arg)
{
    struct pgs_reactive *reactive = arg;

    pgs__link_begin();
    while (!reactive->link.is_ending) {
        run_once(reactive);
        pause_and_refuse(reactive);
    }
    refuse_all(reactive);
    return NULL;
}

struct pgs_reactive *
pgs_reactive_open(const struct pgs_reactive_config *config)
{
    struct pgs_reactive *reactive = calloc(1, sizeof(*reactive));

    if (reactive == NULL)
        return NULL;
    reactive->config = *config;
    reactive->last = &reactive->first;
    pthread_mutex_init(&reactive->mutex, NULL);
    if (pgs__link_open(&reactive->link, config->conninfo, run, reactive))
        return reactive;
    pthread_mutex_destroy(&reactive->mutex);
    free(reactive);
    return NULL;
}

void
pgs_reactive_close(struct pgs_reactive *reactive)
{
    pgs__link_close(&reactive->link);
    pthread_mutex_destroy(&reactive->mutex);
    free(reactive);
}

/* SPDX-License-Identifier: MIT */
#include "base/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limit.h"

#define PIECE 4096 /* PIPE_BUF on Linux */

struct pgs_sink {
    int fd;
    size_t max_bytes;
    struct timespec gather;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* something to write, or the end */
    pthread_cond_t written; /* nothing to write any more */
    bool is_closing;
    bool is_writing;
    char *filling;
    size_t len;
    atomic_uint_fast64_t dropped; /* lines */
    /* of the thread alone */
    char *writing;
    bool is_torn; /* the last that was written is a part of a line */
};

/* Whole lines at the start, as many as a pipe takes in one piece: another process may write to it,
 * too, as the generations of a server do. */
static size_t
next_piece(const char *at, size_t len)
{
    size_t n = len < PIECE ? len : PIECE;

    while (n > 0 && at[n - 1] != '\n')
        n--;
    return n > 0 ? n : len < PIECE ? len : PIECE;
}

/* How much of it is written: all, or what the descriptor took before it refused. */
static size_t
write_all(int fd, const char *at, size_t len)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(fd, at + done, next_piece(at + done, len - done));

        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            (void)poll(&ready, 1, -1);
        else if (n == 0 || errno != EINTR)
            break;
    }
    return done;
}

static void
count_dropped(struct pgs_sink *sink, const char *lines, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lines[i] == '\n') {
            pgs_limit_hit(PGS_LIMIT_LOG_BUFFER);
            atomic_fetch_add_explicit(&sink->dropped, 1, memory_order_relaxed);
        }
}

/* What is refused now is lost; what comes later may be taken again, on a line of its own. */
static void
write_lines(struct pgs_sink *sink, size_t len)
{
    size_t done = 0;

    if (sink->is_torn && write_all(sink->fd, "\n", 1) == 1)
        sink->is_torn = false;
    if (!sink->is_torn)
        done = write_all(sink->fd, sink->writing, len);
    if (done > 0)
        sink->is_torn = sink->writing[done - 1] != '\n';
    count_dropped(sink, sink->writing + done, len - done);
}

/* Waits for lines; 0: the end. */
static size_t
take(struct pgs_sink *sink)
{
    char *filled;
    size_t len;

    (void)pthread_mutex_lock(&sink->mutex);
    sink->is_writing = false;
    (void)pthread_cond_broadcast(&sink->written);
    while (sink->len == 0 && !sink->is_closing)
        (void)pthread_cond_wait(&sink->changed, &sink->mutex);
    if (sink->gather.tv_nsec > 0 && !sink->is_closing) {
        (void)pthread_mutex_unlock(&sink->mutex);
        (void)nanosleep(&sink->gather, NULL);
        (void)pthread_mutex_lock(&sink->mutex);
    }
    filled = sink->filling;
    len = sink->len;
    sink->filling = sink->writing;
    sink->len = 0;
    sink->is_writing = len > 0;
    (void)pthread_mutex_unlock(&sink->mutex);
    sink->writing = filled;
    return len;
}

static void *
run(void *arg)
{
    struct pgs_sink *sink = arg;
    size_t len;

    while ((len = take(sink)) > 0)
        write_lines(sink, len);
    return NULL;
}

/* Signals are for others. */
static bool
start(struct pgs_sink *sink)
{
    sigset_t all, before;
    pthread_t thread;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread, NULL, run, sink);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        (void)pthread_detach(thread);
    return failed == 0;
}

struct pgs_sink *
pgs_sink_open(int fd, size_t max_bytes, int gather_ms)
{
    struct pgs_sink *sink = calloc(1, sizeof(*sink));

    if (sink == NULL)
        abort();
    sink->fd = fd;
    sink->max_bytes = max_bytes;
    sink->gather.tv_nsec = gather_ms * 1000000L;
    sink->filling = malloc(max_bytes);
    sink->writing = malloc(max_bytes);
    (void)pthread_mutex_init(&sink->mutex, NULL);
    (void)pthread_cond_init(&sink->changed, NULL);
    (void)pthread_cond_init(&sink->written, NULL);
    if (sink->filling == NULL || sink->writing == NULL || !start(sink))
        abort();
    return sink;
}

void
pgs_sink_add(struct pgs_sink *sink, const char *lines, size_t len)
{
    bool fits, was_empty;

    (void)pthread_mutex_lock(&sink->mutex);
    fits = len <= sink->max_bytes - sink->len;
    was_empty = sink->len == 0;
    if (fits) {
        memcpy(sink->filling + sink->len, lines, len);
        sink->len += len;
    }
    (void)pthread_mutex_unlock(&sink->mutex);
    if (fits && was_empty)
        (void)pthread_cond_signal(&sink->changed);
    if (!fits)
        count_dropped(sink, lines, len);
}

uint64_t
pgs_sink_dropped(struct pgs_sink *sink)
{
    if (atomic_load_explicit(&sink->dropped, memory_order_relaxed) == 0)
        return 0;
    return atomic_exchange_explicit(&sink->dropped, 0, memory_order_relaxed);
}

void
pgs_sink_wait(struct pgs_sink *sink, int deadline_s)
{
    struct timespec until;
    int failed = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += deadline_s;
    (void)pthread_mutex_lock(&sink->mutex);
    while ((sink->len > 0 || sink->is_writing) && failed == 0)
        failed = pthread_cond_timedwait(&sink->written, &sink->mutex, &until);
    (void)pthread_mutex_unlock(&sink->mutex);
}

void
pgs_sink_close(struct pgs_sink *sink, int deadline_s)
{
    (void)pthread_mutex_lock(&sink->mutex);
    sink->is_closing = true;
    (void)pthread_cond_signal(&sink->changed);
    (void)pthread_mutex_unlock(&sink->mutex);
    pgs_sink_wait(sink, deadline_s);
}

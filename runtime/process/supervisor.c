/* SPDX-License-Identifier: MIT */
/*
 * A generation is `next` until it says that it is ready, then `current`, and `retiring` when
 * another one is.  Signals are blocked and taken one by one.
 */
#include "process/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "process/generation.h"
#include "process/notify.h"

enum {
    MAX_RETIRING = 4, /* each holds connections to PostgreSQL */
    START_DEADLINE_MS = 60000,
    CALM_MS = 10000, /* served so long, a crash is not one of a series */
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000,
    KILL_MARGIN_MS = 1000, /* a generation keeps its deadline by itself */
    IDLE_MS = 3600000,
};

struct supervisor {
    const struct pgs_supervised *what;
    struct pgs__generation current, next, retiring[MAX_RETIRING];
    int last_number;
    int program;        /* of the last generation that was ready; -1: none was */
    bool is_wanted;     /* a next generation, of the path as it is then */
    int crashes;        /* in a row */
    int64_t restart_at; /* 0: nothing to restart */
    bool is_stopping;
    int status;
};

/* ---- starting ---- */

static bool
start(struct supervisor *self, int program)
{
    int64_t now_ms = pgs_clock_ms();

    self->next = (struct pgs__generation){
        .number = ++self->last_number,
        .program = program,
        .since_ms = now_ms,
        .deadline_ms = now_ms + START_DEADLINE_MS,
    };
    self->next.pid = pgs__generation_start(self->what, self->next.number, program);
    if (self->next.pid != 0) {
        PGS_LOG(PGS_LOG_INFO, "generation_started", PGS_LOG_INT("generation", self->next.number),
                PGS_LOG_INT("pid", self->next.pid));
        return true;
    }
    PGS_LOG(PGS_LOG_ERROR, "generation_not_started", PGS_LOG_STR("error", strerror(errno)));
    self->next = (struct pgs__generation){0};
    return false;
}

static bool
has_room(const struct supervisor *self)
{
    for (int i = 0; i < MAX_RETIRING; i++)
        if (self->retiring[i].pid == 0)
            return true;
    return false;
}

/* The path of the program, as it is now. */
static void
start_wanted(struct supervisor *self)
{
    int program = pgs__generation_open_program(self->what->program);

    self->is_wanted = false;
    if (program < 0) {
        PGS_LOG(PGS_LOG_ERROR, "generation_not_started",
                PGS_LOG_STR("program", self->what->program), PGS_LOG_STR("error", strerror(errno)));
        return;
    }
    self->restart_at = 0;
    pgs_notify("RELOADING=1");
    if (!start(self, program)) {
        (void)close(program);
        pgs_notify("READY=1");
    }
}

static void
restart_later(struct supervisor *self)
{
    int64_t delay_ms = 0;

    if (self->crashes > 0)
        delay_ms = BACKOFF_MIN_MS;
    for (int i = 1; i < self->crashes && delay_ms < BACKOFF_MAX_MS; i++)
        delay_ms *= 2;
    if (delay_ms > BACKOFF_MAX_MS)
        delay_ms = BACKOFF_MAX_MS;
    self->crashes++;
    self->restart_at = pgs_clock_ms() + delay_ms;
    PGS_LOG(PGS_LOG_WARN, "generation_restarts", PGS_LOG_INT("in_ms", delay_ms));
}

/* ---- the ways of a generation ---- */

static void
retire(struct supervisor *self, struct pgs__generation *generation)
{
    struct pgs__generation *place = self->retiring;

    if (generation->pid == 0)
        return;
    while (place->pid != 0)
        place++;
    *place = *generation;
    place->since_ms = pgs_clock_ms();
    place->deadline_ms = place->since_ms + self->what->retire_ms + KILL_MARGIN_MS;
    pgs__generation_signal(place, PGS_SIGNAL_RETIRE);
}

static void
on_ready(struct supervisor *self)
{
    int64_t now_ms = pgs_clock_ms();

    PGS_LOG(PGS_LOG_INFO, "generation_ready", PGS_LOG_INT("generation", self->next.number),
            PGS_LOG_INT("pid", self->next.pid),
            PGS_LOG_INT("after_ms", now_ms - self->next.since_ms),
            PGS_LOG_INT("replaces", self->current.number));
    retire(self, &self->current);
    if (self->program >= 0 && self->program != self->next.program)
        (void)close(self->program);
    self->program = self->next.program;
    self->current = self->next;
    self->current.since_ms = now_ms;
    self->current.deadline_ms = 0;
    self->next = (struct pgs__generation){0};
    pgs_notify("READY=1");
}

static void
log_end(const struct pgs__generation *generation, const char *event, enum pgs_log_level level,
        int status)
{
    bool killed = WIFSIGNALED(status);

    PGS_LOG(level, event, PGS_LOG_INT("generation", generation->number),
            PGS_LOG_INT("pid", generation->pid),
            killed ? PGS_LOG_INT("signal", WTERMSIG(status))
                   : PGS_LOG_INT("exit_status", WEXITSTATUS(status)),
            PGS_LOG_INT("after_ms", pgs_clock_ms() - generation->since_ms));
}

/* Its start failed.  Whoever serves goes on; where none ever did, this is the end. */
static void
on_next_end(struct supervisor *self, int status)
{
    log_end(&self->next, "generation_failed", PGS_LOG_ERROR, status);
    if (self->next.program != self->program)
        (void)close(self->next.program);
    self->next = (struct pgs__generation){0};
    if (self->is_stopping)
        return;
    if (self->program < 0) {
        self->is_stopping = true;
        self->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    } else if (self->current.pid == 0) {
        restart_later(self);
    } else {
        PGS_LOG(PGS_LOG_WARN, "generation_stays", PGS_LOG_INT("generation", self->current.number));
        pgs_notify("READY=1");
    }
}

static void
on_current_end(struct supervisor *self, int status)
{
    bool in_order = self->is_stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0;

    log_end(&self->current, self->is_stopping ? "generation_ended" : "generation_crashed",
            in_order ? PGS_LOG_INFO : PGS_LOG_ERROR, status);
    if (pgs_clock_ms() - self->current.since_ms > CALM_MS)
        self->crashes = 0;
    self->current.pid = 0;
    if (self->is_stopping) {
        if (!in_order)
            self->status = 1;
    } else if (self->next.pid == 0) {
        restart_later(self);
    }
}

static void
on_retiring_end(struct supervisor *self, struct pgs__generation *generation, int status)
{
    bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    log_end(generation, "generation_ended", in_order ? PGS_LOG_INFO : PGS_LOG_WARN, status);
    generation->pid = 0;
    if (self->is_stopping && !in_order)
        self->status = 1;
}

/* Also children that are not ours: as process 1 we inherit those of others. */
static void
reap(struct supervisor *self)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == self->next.pid)
            on_next_end(self, status);
        else if (pid == self->current.pid)
            on_current_end(self, status);
        for (int i = 0; i < MAX_RETIRING; i++)
            if (pid == self->retiring[i].pid)
                on_retiring_end(self, &self->retiring[i], status);
    }
}

/* ---- the end ---- */

static void
signal_all(const struct supervisor *self, int signal)
{
    pgs__generation_signal(&self->current, signal);
    for (int i = 0; i < MAX_RETIRING; i++)
        pgs__generation_signal(&self->retiring[i], signal);
}

/* The generation has copies of the sockets, and takes who waits in them before it closes them. */
static void
close_listeners(const struct supervisor *self)
{
    for (int i = 0; i < self->what->handover.n_fds; i++)
        (void)close(self->what->handover.fds[i]);
    if (self->what->handover.admin_fd >= 0)
        (void)close(self->what->handover.admin_fd);
}

static void
stop(struct supervisor *self, int signal)
{
    PGS_LOG(PGS_LOG_INFO, "stopping", PGS_LOG_INT("signal", signal));
    if (self->is_stopping) { /* asked twice: at once */
        signal_all(self, SIGKILL);
        return;
    }
    self->is_stopping = true;
    pgs_notify("STOPPING=1");
    pgs__generation_signal(&self->next, SIGKILL); /* it has no clients */
    signal_all(self, SIGTERM);
    close_listeners(self);
    self->current.deadline_ms = pgs_clock_ms() + self->what->stop_ms + KILL_MARGIN_MS;
    for (int i = 0; i < MAX_RETIRING; i++)
        self->retiring[i].deadline_ms = self->current.deadline_ms;
}

static bool
is_over(const struct supervisor *self)
{
    for (int i = 0; i < MAX_RETIRING; i++)
        if (self->retiring[i].pid != 0)
            return false;
    return self->is_stopping && self->current.pid == 0 && self->next.pid == 0;
}

/* ---- time and signals ---- */

static void
sooner(int64_t *first, int64_t deadline_ms)
{
    if (deadline_ms > 0 && deadline_ms < *first)
        *first = deadline_ms;
}

/* Of one that has ended the deadline may be long past. */
static void
sooner_end(int64_t *first, const struct pgs__generation *generation)
{
    if (generation->pid != 0)
        sooner(first, generation->deadline_ms);
}

static void
kill_late(struct pgs__generation *generation, int64_t now_ms)
{
    if (generation->pid == 0 || generation->deadline_ms == 0 || now_ms < generation->deadline_ms)
        return;
    PGS_LOG(PGS_LOG_ERROR, "generation_killed", PGS_LOG_INT("generation", generation->number),
            PGS_LOG_INT("pid", generation->pid));
    pgs__generation_signal(generation, SIGKILL);
    generation->deadline_ms = 0;
}

/* Does what is due; returns when the next thing is. */
static int64_t
on_time(struct supervisor *self)
{
    int64_t now_ms = pgs_clock_ms(), next_ms = now_ms + IDLE_MS;

    kill_late(&self->next, now_ms);
    kill_late(&self->current, now_ms);
    for (int i = 0; i < MAX_RETIRING; i++)
        kill_late(&self->retiring[i], now_ms);
    if (!self->is_stopping && self->next.pid == 0) {
        if (self->is_wanted && has_room(self)) {
            start_wanted(self);
        } else if (self->restart_at > 0 && now_ms >= self->restart_at) {
            self->restart_at = 0;
            if (!start(self, self->program))
                restart_later(self);
        }
        sooner(&next_ms, self->restart_at);
    }
    sooner_end(&next_ms, &self->next);
    sooner_end(&next_ms, &self->current);
    for (int i = 0; i < MAX_RETIRING; i++)
        sooner_end(&next_ms, &self->retiring[i]);
    return next_ms;
}

static void
on_signal(struct supervisor *self, const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGUSR1:
        if (self->next.pid != 0 && info->si_pid == self->next.pid)
            on_ready(self);
        break;
    case SIGHUP:
        self->is_wanted = true;
        break;
    case SIGTERM:
    case SIGINT:
        stop(self, info->si_signo);
        break;
    default: /* SIGCHLD */
        break;
    }
}

static void
block_signals(sigset_t *set)
{
    (void)signal(SIGCHLD, SIG_DFL);
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGUSR1);
    sigaddset(set, PGS_SIGNAL_RETIRE);
    (void)sigprocmask(SIG_BLOCK, set, NULL);
    sigdelset(set, PGS_SIGNAL_RETIRE);
}

static int
watch(struct supervisor *self, const sigset_t *set)
{
    while (!is_over(self)) {
        int64_t wait_ms = on_time(self) - pgs_clock_ms();
        struct timespec patience = {0};
        siginfo_t info;

        if (wait_ms > 0)
            patience = (struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000};
        if (sigtimedwait(set, &info, &patience) > 0)
            on_signal(self, &info);
        reap(self);
    }
    return self->status;
}

int
pgs_supervise(struct pgs_supervised *what)
{
    struct supervisor self = {.what = what, .program = -1};
    sigset_t set;

    block_signals(&set);
    self.last_number = 1;
    self.next = (struct pgs__generation){
        .number = 1,
        .program = pgs__generation_open_program("/proc/self/exe"),
        .since_ms = pgs_clock_ms(),
        .deadline_ms = pgs_clock_ms() + START_DEADLINE_MS,
    };
    self.next.pid = pgs__generation_fork();
    if (self.next.pid == 0) {
        what->handover.generation = 1;
        what->handover.supervisor = getppid();
        return PGS_IS_GENERATION;
    }
    if (self.next.pid < 0 || self.next.program < 0) {
        PGS_LOG(PGS_LOG_ERROR, "generation_not_started", PGS_LOG_STR("error", strerror(errno)));
        return 1;
    }
    return watch(&self, &set);
}

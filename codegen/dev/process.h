/* SPDX-License-Identifier: MIT */
/*
 * Programs that `pgstack dev` starts.  Each gets a process group of its own, so that Ctrl-C
 * reaches only us and things stop in order, and dies with us when we are killed.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <pwd.h>
#include <stdbool.h>
#include <sys/types.h>

struct process {
    const char *const *argv; /* argv[0] is the path; NULL-terminated */
    const char *const *env;  /* "NAME=value", added to ours, or "NAME", taken away; NULL-terminated,
                              * or NULL */
    const char *log;         /* file for stdout and stderr, emptied first; NULL: ours */
    const struct passwd *user; /* NULL: ours */
    int death_signal;          /* sent to it when we die */
};

/* The pid, or -1: printed. */
pid_t process_start(const struct process *process);

/* Waits for the end; true when it was exit status 0. */
bool process_wait(pid_t pid);

/* False once it has ended; then `*pid` is 0. */
bool process_is_running(pid_t *pid);

/* Sends `signal`, waits, and after `seconds` kills.  Nothing where `*pid` is 0. */
void process_stop(pid_t *pid, int signal, int seconds);

/* The last lines of a log file, to stderr. */
void process_print_log(const char *path, int lines);

#endif

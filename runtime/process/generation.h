/* SPDX-License-Identifier: MIT */
/*
 * A child process of the supervisor that serves, or is about to.
 */
#ifndef PGS_PROCESS_GENERATION_H
#define PGS_PROCESS_GENERATION_H

#include <stdint.h>

#include "process/supervisor.h"

struct pgs__generation {
    pid_t pid; /* 0: there is none */
    int number;
    int program;         /* the executable file; its owner closes it */
    int64_t since_ms;    /* in its present state */
    int64_t deadline_ms; /* killed then; 0: no deadline */
};

/* Starts the file `program` anew.  pid 0: `errno` says why not. */
pid_t pgs__generation_start(const struct pgs_supervised *what, int number, int program);

/* The same without exec: 0 in the child, which goes on with what it has in memory. */
pid_t pgs__generation_fork(void);

/* -1: errno says why not. */
int pgs__generation_open_program(const char *path);

/* Sends a signal; nothing where there is none. */
void pgs__generation_signal(const struct pgs__generation *generation, int signal);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The parent of the processes that serve.  It holds the listening sockets, starts a generation of
 * the server, another one when that crashes, and on SIGHUP the next one, which takes over when it
 * is ready.  It reads nothing from anybody and has one thread: what it does not do cannot crash.
 */
#ifndef PGS_PROCESS_SUPERVISOR_H
#define PGS_PROCESS_SUPERVISOR_H

#include "process/handover.h"

struct pgs_supervised {
    const char *program; /* path, executed anew for each next generation */
    char *const *argv;
    char *const *env; /* before anything was added to it */
    struct pgs_handover handover;
    int stop_ms;   /* for a generation to end: on SIGTERM */
    int retire_ms; /* when another has taken over */
};

#define PGS_IS_GENERATION (-1)

/*
 * Serves until SIGTERM or SIGINT; returns the exit status.  It returns a second time, in the first
 * generation: PGS_IS_GENERATION, and `what->handover` is filled in.
 */
int pgs_supervise(struct pgs_supervised *what);

#endif

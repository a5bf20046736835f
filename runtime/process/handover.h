/* SPDX-License-Identifier: MIT */
/*
 * What a supervisor gives to a generation of the server, and what comes back.  The two may be of
 * different versions of the program: a change here needs another PGS_HANDOVER_VERSION.
 */
#ifndef PGS_PROCESS_HANDOVER_H
#define PGS_PROCESS_HANDOVER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#define PGS_HANDOVER_VERSION 1

/* To a generation: another one has taken over; end when your clients have their answers. */
#define PGS_SIGNAL_RETIRE SIGUSR2

struct pgs_handover {
    int generation;   /* counted from 1; 0: there is no supervisor */
    pid_t supervisor; /* 0: none */

    /* Listening sockets, and what they were opened for: `host port admin_port` as configured. */
    const char *address;
    int sets;
    int n_fds;
    const int *fds;
    int admin_fd; /* -1: none */
};

/* "NAME=value" for the environment of a generation, for free(). */
char *pgs_handover_write(const struct pgs_handover *handover);

/*
 * Takes what the environment has.  `generation` is 0 where we were not started by a supervisor.
 * False: it is from another version, or makes no sense.
 */
bool pgs_handover_read(struct pgs_handover *handover) __attribute__((warn_unused_result));

/* Tells the supervisor, or without one the service manager, that requests are answered. */
void pgs_handover_tell_ready(const struct pgs_handover *handover);

#endif

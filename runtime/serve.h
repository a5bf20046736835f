/* SPDX-License-Identifier: MIT */
/*
 * From settings to a running server.
 */
#ifndef PGS_SERVE_H
#define PGS_SERVE_H

#include "config/config.h"
#include "process/handover.h"

/* Serves pgs_app on the sockets of `handover` until it is to end; returns the exit status, or ends
 * the process with it where threads of its are still at work.  Call once. */
int pgs_serve(const struct pgs_config *config, const struct pgs_handover *handover);

/* How long a generation may take to end when another one has taken over. */
int pgs_serve_retire_ms(const struct pgs_config *config);

#endif

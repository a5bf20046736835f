/* SPDX-License-Identifier: MIT */
/*
 * From settings to a running server.
 */
#ifndef PGS_SERVE_H
#define PGS_SERVE_H

#include "config/config.h"

/* Serves pgs_app until SIGTERM or SIGINT; returns the exit status.  Call once. */
int pgs_serve(const struct pgs_config *config);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What systemd is told of a unit of Type=notify: sd_notify(3) without its library.
 */
#ifndef PGS_PROCESS_NOTIFY_H
#define PGS_PROCESS_NOTIFY_H

/* Sends `state` ("READY=1") to NOTIFY_SOCKET; nothing where that is unset or nobody listens. */
void pgs_notify(const char *state);

#endif

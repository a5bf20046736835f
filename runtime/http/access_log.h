/* SPDX-License-Identifier: MIT */
/*
 * One JSON line a request: what was asked, what came of it, how long it took.  Never the query
 * string, a header or a body: they may hold secrets.
 *
 * Lines gather in memory of the thread and leave together after each turn of the loop.  A reader
 * that stops must not stop the server: what does not fit is dropped and counted.
 */
#ifndef PGS_HTTP_ACCESS_LOG_H
#define PGS_HTTP_ACCESS_LOG_H

#include <h2o.h>

#include "http/info.h"

struct pgs_access_log;

/* For one thread; writes to `fd`, which stays the caller's. */
struct pgs_access_log *pgs_access_log_open(int fd);
void pgs_access_log_close(struct pgs_access_log *log);

/* Adds a line for a request that has ended, at `now_us` of pgs_clock_us. */
void pgs_access_log_add(struct pgs_access_log *log, const h2o_req_t *req,
                        const struct pgs_request_info *info, int64_t now_us);

/* Writes what has gathered, as far as the reader takes it. */
void pgs_access_log_flush(struct pgs_access_log *log);

#endif

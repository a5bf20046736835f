/* SPDX-License-Identifier: MIT */
/*
 * One JSON line a request: what was asked, what came of it, how long it took.  Never the query
 * string, a header or a body: they may hold secrets.
 *
 * Lines gather in memory of the thread and leave together after each turn of the loop, through a
 * sink that drops and counts what its reader does not take.
 */
#ifndef PGS_HTTP_ACCESS_LOG_H
#define PGS_HTTP_ACCESS_LOG_H

#include <h2o.h>

#include "base/sink.h"
#include "http/info.h"

struct pgs_access_log;

/* For one thread; the sink stays the caller's. */
struct pgs_access_log *pgs_access_log_open(struct pgs_sink *sink);
void pgs_access_log_close(struct pgs_access_log *log);

/* Adds a line for a request that has ended, at `now_us` of pgs_clock_us. */
void pgs_access_log_add(struct pgs_access_log *log, const h2o_req_t *req,
                        const struct pgs_request_info *info, int64_t now_us);

/* The event of a request that took longer than it should. */
void pgs__log_slow(const h2o_req_t *req, const struct pgs_request_info *info, int64_t now_us);

/* Hands over what has gathered. */
void pgs_access_log_flush(struct pgs_access_log *log);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * /demo: the pages of a folder, for `pgstack dev`.  There is none unless DEMO_DIR is set, which
 * production refuses.
 */
#ifndef PGS_DEMO_H
#define PGS_DEMO_H

#include <h2o.h>
#include <stdbool.h>

/* Answers when the path is one of them; false: it is not, or `folder` is NULL. */
bool pgs_demo_on_request(const char *folder, h2o_req_t *req);

#endif

/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <string.h>

#include "base/limit.h"
#include "http/reply.h"
#include "pgs/app.h"

static void
add_head(struct pgs_buf *out, const char *name, const char *type, const char *help)
{
    pgs_buf_add_str(out, "# HELP ");
    pgs_buf_add_str(out, name);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, help);
    pgs_buf_add_str(out, "\n# TYPE ");
    pgs_buf_add_str(out, name);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, type);
    pgs_buf_add_char(out, '\n');
}

static void
add_build(struct pgs_buf *out)
{
    add_head(out, "pgstack_build_info", "gauge", "What is running.");
    pgs_buf_add_str(out, "pgstack_build_info{app=\"");
    pgs_buf_add_str(out, pgs_app.name);
    pgs_buf_add_str(out, "\",version=\"");
    pgs_buf_add_str(out, pgs_app.version);
    pgs_buf_add_str(out, "\",schema=\"");
    pgs_buf_add_str(out, pgs_app.fingerprint);
    pgs_buf_add_str(out, "\"} 1\n");
}

static void
add_limits(struct pgs_buf *out)
{
    add_head(out, "pgstack_limit_hits_total", "counter",
             "How often each limit was reached; --show-limits explains them.");
    for (int i = 0; i < PGS_LIMITS; i++) {
        pgs_buf_add_str(out, "pgstack_limit_hits_total{limit=\"");
        pgs_buf_add_str(out, pgs_limit_name((enum pgs_limit)i));
        pgs_buf_add_str(out, "\"} ");
        pgs_buf_add_int(out, (int64_t)pgs_limit_hits((enum pgs_limit)i));
        pgs_buf_add_char(out, '\n');
    }
}

bool
pgs_metrics_on_request(h2o_req_t *req)
{
    struct pgs_buf out;

    if (!h2o_memis(req->path_normalized.base, req->path_normalized.len, H2O_STRLIT("/metrics")))
        return false;
    pgs_buf_init(&out, 0);
    add_build(&out);
    add_limits(&out);
    pgs_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
    return true;
}

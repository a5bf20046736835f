/* SPDX-License-Identifier: MIT */
#include "metrics/page.h"

#include "base/limit.h"
#include "http/reply.h"
#include "metrics/text.h"
#include "pgs/app.h"

static void
add_build(struct pgs_buf *out)
{
    pgs__metrics_head(out, "pgstack_build_info", "gauge", "What is running.");
    pgs_buf_add_str(out, "pgstack_build_info{");
    pgs__metrics_label(out, "app", pgs_app.name);
    pgs_buf_add_char(out, ',');
    pgs__metrics_label(out, "version", pgs_app.version);
    pgs_buf_add_char(out, ',');
    pgs__metrics_label(out, "schema", pgs_app.fingerprint);
    pgs_buf_add_str(out, "} 1\n");
}

static void
add_limits(struct pgs_buf *out)
{
    static const char name[] = "pgstack_limit_hits_total";

    pgs__metrics_head(out, name, "counter",
                      "How often each limit was reached; --show-limits explains them.");
    for (int i = 0; i < PGS_LIMITS; i++) {
        pgs_buf_add_str(out, name);
        pgs_buf_add_char(out, '{');
        pgs__metrics_label(out, "limit", pgs_limit_name((enum pgs_limit)i));
        pgs__metrics_sample(out, "}", "", (int64_t)pgs_limit_hits((enum pgs_limit)i));
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
    pgs__metrics_traffic(&out);
    pgs__metrics_cells(&out);
    add_limits(&out);
    pgs__metrics_process(&out);
    pgs_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
    return true;
}

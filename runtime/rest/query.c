/* SPDX-License-Identifier: MIT */
/*
 * The URL's query and the Range header to what is asked.  Range and `limit=` with `offset=` each
 * name a stretch of the same rows; what both name is the page.
 */
#include <string.h>

#include "http/reply.h"
#include "rest/fail.h"

static bool
read_url(struct pgs_request *rq, const struct pgs_shape *arguments)
{
    const h2o_req_t *req = rq->req;
    struct pgs_read_error error = {0};
    const char *text = "";
    size_t len = 0;

    if (req->query_at != SIZE_MAX) {
        text = req->path.base + req->query_at + 1;
        len = req->path.len - req->query_at - 1;
    }
    if (pgs_query_string_read(text, len, arguments, rq->memory, &rq->query, &error))
        return true;
    pgs__fail(rq, strcmp(error.code, "PGRST103") == 0 ? 416 : 400, error.code,
              error.details[0] != '\0' ? error.details : NULL, NULL, "%s", error.message);
    return false;
}

static bool
fail_range(struct pgs_request *rq, const char *details)
{
    pgs__fail(rq, 416, "PGRST103", details, NULL, "Requested range not satisfiable");
    return false;
}

/* The number of the row behind the page of `limit=` and `offset=`. */
static int64_t
end_of_page(const struct pgs_request *rq)
{
    return rq->limit < 0 || rq->limit > INT64_MAX - rq->offset ? INT64_MAX : rq->offset + rq->limit;
}

/* Range is for GET alone, HEAD left out (RFC 9110, section 14.2).  No rows are no rows. */
static bool
read_range(struct pgs_request *rq)
{
    h2o_iovec_t range = pgs_request_header(rq->req, "range");
    int64_t first, last, end = end_of_page(rq);

    if (range.base == NULL || rq->limit == 0 ||
        !h2o_memis(rq->req->method.base, rq->req->method.len, H2O_STRLIT("GET")) ||
        !pgs_range_read(range.base, range.len, &first, &last))
        return true;
    if (last >= 0 && last < first)
        return fail_range(rq, "The lower boundary must be lower than or equal to the upper "
                              "boundary in the Range header.");
    if (first > rq->offset)
        rq->offset = first;
    if (last >= 0 && last < end)
        end = last + 1;
    if (rq->offset >= end)
        return fail_range(rq, "The Range header lies outside limit= and offset=.");
    if (end != INT64_MAX)
        rq->limit = end - rq->offset;
    return true;
}

bool
pgs__read_query(struct pgs_request *rq, const struct pgs_shape *arguments)
{
    if (!read_url(rq, arguments))
        return false;
    rq->limit = rq->query.limit;
    rq->offset = rq->query.offset;
    return read_range(rq);
}

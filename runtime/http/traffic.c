/* SPDX-License-Identifier: MIT */
/*
 * Rows are found by the addresses of their names, which are constant.  Who reads sees a row whole
 * or not at all: it is linked when it is complete, and never unlinked.
 */
#include "http/traffic.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256 /* a power of two */

struct pgs_traffic {
    struct pgs_traffic *next;
    _Atomic(struct pgs_traffic_row *) rows;
    struct pgs_traffic_row *buckets[BUCKETS];
};

const char pgs_route_other[] = "other";

static _Atomic(struct pgs_traffic *) threads;

struct pgs_traffic *
pgs__traffic_open(void)
{
    struct pgs_traffic *traffic = calloc(1, sizeof(*traffic));

    if (traffic == NULL)
        abort();
    traffic->next = atomic_load(&threads);
    while (!atomic_compare_exchange_weak(&threads, &traffic->next, traffic))
        ;
    return traffic;
}

static const char *
method_of(const h2o_req_t *req)
{
    static const char *const words[] = {"GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (h2o_memis(req->input.method.base, req->input.method.len, words[i], strlen(words[i])))
            return words[i];
    return "other";
}

static size_t
bucket_of(const char *route, const char *method)
{
    uint64_t h = ((uint64_t)(uintptr_t)route ^ (uint64_t)(uintptr_t)method << 20) *
                 UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(h >> 40) & (BUCKETS - 1);
}

/* NULL: no memory, and not counted. */
static struct pgs_traffic_row *
find_row(struct pgs_traffic *traffic, const char *route, const char *method)
{
    struct pgs_traffic_row **bucket = &traffic->buckets[bucket_of(route, method)];
    struct pgs_traffic_row *row = *bucket;

    while (row != NULL && (row->route != route || row->method != method))
        row = row->in_bucket;
    if (row != NULL || (row = calloc(1, sizeof(*row))) == NULL)
        return row;
    row->route = route;
    row->method = method;
    row->in_bucket = *bucket;
    *bucket = row;
    atomic_store(&row->next, atomic_load(&traffic->rows));
    atomic_store(&traffic->rows, row);
    return row;
}

static struct pgs_answered *
find_answered(struct pgs_traffic_row *row, const char *role, int status)
{
    struct pgs_answered *first = atomic_load_explicit(&row->answered, memory_order_relaxed);
    struct pgs_answered *answered = first;

    while (answered != NULL && (answered->role != role || answered->status != status))
        answered = atomic_load_explicit(&answered->next, memory_order_relaxed);
    if (answered != NULL || (answered = calloc(1, sizeof(*answered))) == NULL)
        return answered;
    answered->role = role;
    answered->status = status;
    atomic_store(&answered->next, first);
    atomic_store(&row->answered, answered);
    return answered;
}

void
pgs__traffic_add(struct pgs_traffic *traffic, const h2o_req_t *req,
                 const struct pgs_request_info *info, int64_t now_us)
{
    const char *route = info->route != NULL ? info->route : pgs_route_other;
    struct pgs_traffic_row *row = find_row(traffic, route, method_of(req));
    struct pgs_answered *answered;

    if (row == NULL || (answered = find_answered(row, info->role, req->res.status)) == NULL)
        return;
    pgs_cell_add(&answered->n, 1);
    pgs_histogram_add(row->histogram, now_us - info->start_us);
    pgs_count(PGS_CELL_REQUEST_BYTES, req->entity.len);
    pgs_count(PGS_CELL_RESPONSE_BYTES, req->bytes_sent);
}

void
pgs_traffic_each(void (*on_row)(const struct pgs_traffic_row *row, void *arg), void *arg)
{
    for (struct pgs_traffic *thread = atomic_load(&threads); thread != NULL; thread = thread->next)
        for (struct pgs_traffic_row *row = atomic_load(&thread->rows); row != NULL;
             row = atomic_load(&row->next))
            on_row(row, arg);
}

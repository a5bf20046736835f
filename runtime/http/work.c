/* SPDX-License-Identifier: MIT */
#include "http/work.h"

#include <string.h>

#include "base/limit.h"
#include "http/info.h"
#include "http/worker.h"

/* A cell of h2o's counted memory. */
struct work {
    struct pgs__connection *connection;
    struct pgs__place *place;
};

static void
on_work_end(void *cell)
{
    struct work *work = cell;

    pgs__address_finish(work->place);
    pgs__connection_drop_work(work->connection);
}

bool
pgs__work_begin(h2o_req_t *req, const struct pgs_address *client)
{
    struct pgs__connection *connection = pgs__connection_of(req);
    const struct pgs_server_config *config = connection->worker->config;
    struct pgs__place *place = NULL;
    struct work *work;

    if (connection->n_works >= config->max_requests) {
        pgs_limit_hit(PGS_LIMIT_CONNECTION_REQUESTS);
        return false;
    }
    if (memcmp(client, &connection->peer, sizeof(*client)) == 0)
        place = connection->place;
    if (!pgs__address_begin(config->addresses, client, &place))
        return false;
    connection->n_works++;
    work = h2o_mem_alloc_shared(&req->pool, sizeof(*work), on_work_end);
    *work = (struct work){connection, place};
    pgs_request_info(req)->work = work;
    return true;
}

void *
pgs_work_hold(const h2o_req_t *req)
{
    void *work = pgs_request_info(req)->work;

    if (work != NULL)
        h2o_mem_addref_shared(work);
    return work;
}

/* SPDX-License-Identifier: MIT */
/* What stands in the URL of a live connection, and who asks. */
#ifndef PGS_LIVE_URL_H
#define PGS_LIVE_URL_H

#include <h2o.h>

#include "live/thread.h"

struct pgs__live_url {
    struct pgs_text token, apikey;                         /* at NULL: not given, of all of them */
    struct pgs_text query, params;                         /* of one subscription */
    struct pgs_text subscribe[PGS_LIVE_MAX_SUBSCRIPTIONS]; /* messages */
    size_t n_subscribe;
};

/* Texts live as long as the request.  False: `*why` is a constant sentence. */
bool pgs__live_url_read(h2o_req_t *req, struct pgs__live_url *url, const char **why)
    __attribute__((warn_unused_result));

/* `?query=NAME&params={}` is one subscription, whose id is the name. */
void pgs__live_url_subscribe(struct pgs__session *session, const struct pgs__live_url *url);

/* What came first of: the header Authorization, the WebSocket subprotocol `bearer.TOKEN`, `token`
 * in the URL, the header apikey, `apikey` in the URL.  `base` NULL: none. */
h2o_iovec_t pgs__live_credential(const h2o_req_t *req, const struct pgs__live_url *url);

#endif

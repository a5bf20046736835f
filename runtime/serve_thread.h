/* SPDX-License-Identifier: MIT */
/* What the threads of a server are made from, and what each of them owns: pools, tokens,
 * subscribers. */
#ifndef PGS_SERVE_THREAD_H
#define PGS_SERVE_THREAD_H

#include "auth/authn.h"
#include "config/config.h"
#include "config/shares.h"
#include "http/server.h"
#include "live/live.h"
#include "process/handover.h"
#include "rest/rest.h"

/* What all threads are made from. */
struct pgs__program {
    struct pgs_config config;
    struct pgs_login login, admin_login;
    struct pgs_handover handover;
    struct pgs_keys keys;
    struct pgs_router *router;
    struct pgs_shares shares;
    struct pgs_tls *tls; /* NULL: none */
    struct pgs_addresses *addresses;
    struct pgs_rates *rates;
    struct pgs_sink *access_log; /* NULL: none */
    struct pgs_hub *hub;         /* NULL: no live queries */
    struct pgs_relay *relay;     /* NULL: none of pg_reactive */
    bool is_admin;               /* the listener of ADMIN_PORT: health alone */
};

/* Fills the callbacks of a server whose threads are made from `program`. */
void pgs__serve_threads(struct pgs__program *program, struct pgs_server_config *config);

/* True once a login role was refused, which has been told then. */
bool pgs__serve_was_refused(void);

#endif

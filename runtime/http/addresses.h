/* SPDX-License-Identifier: MIT */
/*
 * What each client address has open and under way, over all threads: connections, requests, and how
 * often its connections were ended for a flood.
 *
 * The table has a fixed size.  An address that does nothing makes room for another one.  Where all
 * that a place can hold are busy, a further one goes uncounted: the bounds of the whole server hold
 * for it still, and nobody pays for the addresses of an attacker.
 */
#ifndef PGS_HTTP_ADDRESSES_H
#define PGS_HTTP_ADDRESSES_H

#include "base/address.h"

struct pgs_addresses_config {
    const struct pgs_networks *trusted; /* proxies that tell whom they ask for; NULL: none */
    int max_connections;                /* of one address; trusted proxies may have more */
    int max_requests;                   /* of one client under way */
    int max_floods;                     /* within a minute; 0: none is shut out */
    int room;                           /* addresses that are remembered */
};

struct pgs_addresses;
struct pgs_addresses *pgs_addresses_open(const struct pgs_addresses_config *config);
void pgs_addresses_close(struct pgs_addresses *addresses);

/* One address as it is counted; NULL stands for one that is not. */
struct pgs__place;

/* NULL: none. */
const struct pgs_networks *pgs__addresses_trusted(const struct pgs_addresses *addresses);

/* A new connection.  False: it is refused, and counted so.  Else `*place` is to be left. */
bool pgs__address_connect(struct pgs_addresses *addresses, const struct pgs_address *address,
                          int64_t now_ms, struct pgs__place **place)
    __attribute__((warn_unused_result));
void pgs__address_leave(struct pgs__place *place);

/* The connection was ended for a flood. */
void pgs__address_flooded(struct pgs_addresses *addresses, struct pgs__place *place,
                          int64_t now_ms);

/* A new request; `*place` is the client's where that is known, or NULL.  False: it is refused, and
 * counted so.  Else `*place` is to be finished. */
bool pgs__address_begin(struct pgs_addresses *addresses, const struct pgs_address *address,
                        struct pgs__place **place) __attribute__((warn_unused_result));
void pgs__address_finish(struct pgs__place *place);

#endif

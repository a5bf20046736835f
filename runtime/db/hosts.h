/* SPDX-License-Identifier: MIT */
/*
 * The servers that a connection string names.  libpq tries them in their order, and stays with one
 * that lets connect and says nothing: whoever gives up after a while asks for another order.
 */
#ifndef PGS_DB_HOSTS_H
#define PGS_DB_HOSTS_H

#include <stdbool.h>

enum {
    PGS__HOST_NAMES,
    PGS__HOST_ADDRESSES,
    PGS__HOST_PORTS,
    PGS__HOST_LISTS,
};

struct pgs__hosts {
    char *lists[PGS__HOST_LISTS]; /* libpq's, comma-separated; NULL: not said */
    bool are_several;
    unsigned turn; /* how often the order was changed */
};

/* Of a connection string or URI; one that libpq refuses has none. */
void pgs__hosts_init(struct pgs__hosts *hosts, const char *conninfo);
void pgs__hosts_clear(struct pgs__hosts *hosts);

/* Puts the first one last, unless that was done since `turn`. */
void pgs__hosts_turn(struct pgs__hosts *hosts, unsigned turn);

/* Puts the one first that a connection is to (PQhost, PQport); what is not named changes nothing.
 */
void pgs__hosts_prefer(struct pgs__hosts *hosts, const char *host, const char *port);

#endif

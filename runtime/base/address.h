/* SPDX-License-Identifier: MIT */
/*
 * IP addresses, and lists of networks.  IPv4 is kept as IPv6 maps it (::ffff:192.0.2.1), so that a
 * client is the same one whether its connection came by a socket of IPv4 or of IPv6.
 */
#ifndef PGS_BASE_ADDRESS_H
#define PGS_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct pgs_address {
    uint8_t bytes[16]; /* all zero: not known */
};

#define PGS_ADDRESS_TEXT 46 /* the longest, with its NUL */

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; no port, no zone. */
bool pgs_address_read(const char *text, size_t len, struct pgs_address *address)
    __attribute__((warn_unused_result));

/* Of a socket's peer; not known where the family is another one. */
struct pgs_address pgs_address_of(const struct sockaddr *peer);

void pgs_address_write(const struct pgs_address *address, char text[PGS_ADDRESS_TEXT]);

/*
 * What is counted as one client: an IPv4 address, or the /64 of an IPv6 address, since whoever has
 * one address of it has them all.
 */
struct pgs_address pgs_address_client(const struct pgs_address *address);

struct pgs_network {
    struct pgs_address first;
    int bits; /* of 128 that an address must share with `first` */
};

struct pgs_networks {
    size_t n;
    struct pgs_network at[];
};

/*
 * Addresses and networks ("10.0.0.0/8", "2001:db8::/32"), separated by commas or spaces.  NULL: one
 * of them is none, or has bits set behind its prefix.  The caller frees the list.
 */
struct pgs_networks *pgs_networks_read(const char *text);

/* True if one of them is wider than any that somebody runs proxies in: less than eight bits. */
bool pgs_networks_are_too_wide(const struct pgs_networks *networks);

/* True if one of them holds the address; `networks` may be NULL. */
bool pgs_networks_hold(const struct pgs_networks *networks, const struct pgs_address *address);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * X-Forwarded-For: each proxy adds, at the right, the address that it was asked from.  So the list
 * is read from the right, for as long as the one who wrote an entry is trusted; what is left of
 * that anybody may have written.
 */
#ifndef PGS_CODEC_FORWARDED_H
#define PGS_CODEC_FORWARDED_H

#include "base/address.h"
#include "pgs/types.h"

/*
 * Who asks, when `peer` is connected to us: the first address from the right that is not among
 * `trusted`, or the leftmost one when all are.  `values` are the header's fields in their order.
 * Where an entry on that way is no address, it is the peer.
 */
struct pgs_address pgs_forwarded_client(struct pgs_address peer, const struct pgs_networks *trusted,
                                        const struct pgs_text *values, size_t n);

#endif

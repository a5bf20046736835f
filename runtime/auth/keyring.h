/* SPDX-License-Identifier: MIT */
/*
 * The keys of JWT_KEYS_FILE, shared by all threads and read anew when the file changes.
 *
 * A file that cannot be read while the server runs leaves the keys as they are, and says so once in
 * the log.  A key that is gone from the file is gone for the next request: threads compare
 * generations, and drop what they remember.
 */
#ifndef PGS_AUTH_KEYRING_H
#define PGS_AUTH_KEYRING_H

#include "codec/jwt_key.h"

struct pgs_keyring;

/* NULL: `why` says what is wrong with the file.  `path` must outlive the ring. */
struct pgs_keyring *pgs_keyring_open(const char *path, char why[256]);
void pgs_keyring_close(struct pgs_keyring *ring);

/* Reads the file if it is not the one that was read last.  For one thread. */
void pgs_keyring_refresh(struct pgs_keyring *ring);

/* Counts the readings; cheap enough for each request. */
unsigned pgs_keyring_generation(struct pgs_keyring *ring);

/* The newest keys, and their generation; held until they are released. */
const struct pgs_jwt_keys *pgs_keyring_hold(struct pgs_keyring *ring, unsigned *generation);
void pgs_keyring_release(struct pgs_keyring *ring, const struct pgs_jwt_keys *keys);

#endif

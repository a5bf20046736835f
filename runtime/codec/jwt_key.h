/* SPDX-License-Identifier: MIT */
/*
 * The keys that user tokens are signed with: a secret for HS256, public keys for RS256, ES256 and
 * EdDSA, from PEM or a JSON Web Key Set (RFC 7517, RFC 8037).
 *
 * A key knows its one algorithm.  A signature is tried with the keys whose signatures have its
 * length, so that nothing a client writes chooses an algorithm, and nothing unsigned is parsed.
 */
#ifndef PGS_CODEC_JWT_KEY_H
#define PGS_CODEC_JWT_KEY_H

#include "pgs/types.h"

#define PGS_JWT_MAX_KEYS 16
#define PGS_JWT_MAX_KID 128
#define PGS_JWT_MIN_SECRET 32 /* bytes of an HS256 key in a set (RFC 7518 section 3.2) */

enum pgs_jwt_alg {
    PGS_JWT_HS256,
    PGS_JWT_RS256, /* RSA of 2048 bits and more */
    PGS_JWT_ES256, /* P-256 */
    PGS_JWT_EDDSA, /* Ed25519 */
};

struct pgs_jwt_key {
    enum pgs_jwt_alg alg;
    char kid[PGS_JWT_MAX_KID + 1]; /* "": it has none */
    uint8_t *secret;               /* of HS256 */
    size_t secret_len;
    struct evp_pkey_st *public_key; /* of the others */
    size_t signature_len;
};

struct pgs_jwt_keys {
    size_t n;
    struct pgs_jwt_key at[PGS_JWT_MAX_KEYS];
};

/*
 * Reads a text that ends with NUL: PEM blocks (PUBLIC KEY or CERTIFICATE) or a JWKS.  Private keys,
 * other algorithms, short keys, and a `kid` that two keys have are refused.  False: `why` says
 * which key and what, without any part of a key; `*keys` is empty then.
 */
bool pgs_jwt_keys_read(const char *text, size_t len, struct pgs_jwt_keys *keys, char why[160])
    __attribute__((warn_unused_result));
void pgs_jwt_keys_free(struct pgs_jwt_keys *keys);

/* "HS256", ... */
const char *pgs_jwt_alg_name(enum pgs_jwt_alg alg);

/* True if `signature` is this key's of the message. */
bool pgs_jwt_key_signed(const struct pgs_jwt_key *key, const void *message, size_t len,
                        const uint8_t *signature, size_t signature_len)
    __attribute__((warn_unused_result));

#endif

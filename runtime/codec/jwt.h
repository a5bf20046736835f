/* SPDX-License-Identifier: MIT */
/*
 * JSON Web Tokens (RFC 7519, RFC 7515, RFC 8725), from a token and keys to claims.
 *
 * The signature is verified before anything is parsed.  Refused is what is not exactly a compact
 * token of one of the keys: another `alg` or `kid` than the key's, `crit`, padding, other
 * alphabets, duplicate or non-object claims, a `sub` or `role` of another type than string.
 */
#ifndef PGS_CODEC_JWT_H
#define PGS_CODEC_JWT_H

#include "codec/json_read.h"
#include "codec/jwt_key.h"
#include "pgs/types.h"

#define PGS_JWT_MAX_BYTES 8192

struct pgs_jwt_rules {
    const uint8_t *secret; /* of HS256; NULL: none */
    size_t secret_len;
    const struct pgs_jwt_keys *keys; /* besides the secret; NULL: none */
    const char *audience;            /* NULL: `aud` is not looked at */
    const char *issuer;              /* NULL: `iss` is not looked at */
    int leeway_s;
};

/* What a verified token says.  Texts live in `memory` of the call. */
struct pgs_jwt {
    struct pgs_text payload; /* the JSON object, as signed */
    struct pgs_text sub;     /* empty: absent */
    struct pgs_text role;
    struct pgs_text email;
    struct pgs_text kid; /* of the key that signed it; empty: it has none */
    int64_t exp;         /* seconds since 1970; `exp` is required */
};

/* False: `*why` is a constant sentence ("JWT expired", ...) without any part of the token. */
bool pgs_jwt_read(const struct pgs_jwt_rules *rules, const char *token, size_t len, int64_t now_s,
                  struct pgs_memory memory, struct pgs_jwt *jwt, const char **why)
    __attribute__((warn_unused_result));

/*
 * The value at a dotted path of a verified payload: strings unquoted, numbers and booleans as
 * their text, objects and arrays as JSON.  False: there is none (or null).
 */
bool pgs_jwt_claim(const struct pgs_jwt *jwt, const char *path, struct pgs_memory memory,
                   struct pgs_text *value) __attribute__((warn_unused_result));

/* A claim that is a JSON array, as PostgreSQL's literal; what is none stays as it is. */
struct pgs_text pgs_jwt_array(struct pgs_text json, const struct pgs_type *type,
                              struct pgs_memory memory);

#endif

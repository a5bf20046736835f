/* SPDX-License-Identifier: MIT */
/*
 * A request's credentials to a role and claims.  Fails closed: on any doubt the answer is no.
 *
 * `Authorization: Bearer` decides where both it and `apikey` are present.  The anon and service
 * keys are opaque and compared in constant time; anything else must be a valid user token.  A bad
 * credential is never treated as none.
 */
#ifndef PGS_AUTH_AUTHN_H
#define PGS_AUTH_AUTHN_H

#include <h2o.h>

#include "auth/keyring.h"
#include "codec/jwt.h"
#include "pgs/app.h"

struct pgs_keys {
    const char *anon_key;        /* NULL: no such key */
    const char *service_key;     /* NULL: no such key */
    struct pgs_jwt_rules jwt;    /* `keys` is NULL here: they come from the ring */
    struct pgs_keyring *keyring; /* NULL: none; without it and jwt.secret user tokens are refused */
};

struct pgs_identity {
    int role;            /* index into pgs_app.roles */
    bool is_service;     /* goes to the admin pool */
    struct pgs_text key; /* that let it in, by name: of a token `kid` of the one that signed it */
    struct pgs_text *session; /* values for pgs_app.session_sql, in request memory */
    size_t n_session;
    struct pgs_text claims; /* all of them, as JSON; not of the service key */
    int64_t exp_s;          /* when the token is not good any more, leeway included; 0: never */
};

/* Each thread has one: it remembers tokens already verified, until they expire. */
struct pgs_authn;
struct pgs_authn *pgs_authn_open(const struct pgs_app *app, const struct pgs_keys *keys);
void pgs_authn_close(struct pgs_authn *authn);

/* False: `*why` is a constant sentence for the 401 body, free of any part of the credential. */
bool pgs_authenticate(struct pgs_authn *authn, h2o_req_t *req, struct pgs_identity *who,
                      const char **why) __attribute__((warn_unused_result));

/* The same of a credential that came by another way than a header; `base` NULL: there is none.
 * What `who` holds lives as long as `pool`. */
bool pgs_authenticate_credential(struct pgs_authn *authn, h2o_iovec_t credential,
                                 h2o_mem_pool_t *pool, struct pgs_identity *who, const char **why)
    __attribute__((warn_unused_result));

/* Counts the readings of JWT_KEYS_FILE: who was let in before the last one may not be any more. */
unsigned pgs_authn_keys_generation(const struct pgs_authn *authn);

/* A copy that lives on its own, in one block for free().  NULL: out of memory. */
void *pgs_identity_copy(const struct pgs_identity *who, struct pgs_identity *copy)
    __attribute__((warn_unused_result));

#endif

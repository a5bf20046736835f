/* SPDX-License-Identifier: MIT */
/*
 * Verifying.  OpenSSL wants ECDSA signatures in DER; JWS has the two numbers side by side (RFC 7518
 * section 3.4).
 */
#include "codec/jwt_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAC_BYTES 32
#define ES256_NUMBER 32
#define ES256_DER_MAX 72

const char *
pgs_jwt_alg_name(enum pgs_jwt_alg alg)
{
    static const char *const names[] = {"HS256", "RS256", "ES256", "EdDSA"};

    return names[alg];
}

void
pgs_jwt_keys_free(struct pgs_jwt_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        EVP_PKEY_free(keys->at[i].public_key);
        if (keys->at[i].secret != NULL)
            OPENSSL_cleanse(keys->at[i].secret, keys->at[i].secret_len);
        free(keys->at[i].secret);
    }
    *keys = (struct pgs_jwt_keys){.n = 0};
}

/* NULL: no memory. */
static EVP_MAC_CTX *
make_hs256(void)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac);
    if (context != NULL && EVP_MAC_CTX_set_params(context, params))
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

/* Looking an algorithm up costs OpenSSL 3 more than the MAC itself: one context, made once, is
 * copied for each token.  Where it could not be made, the next token tries again. */
static EVP_MAC_CTX *
copy_hs256(void)
{
    static _Atomic(EVP_MAC_CTX *) made;
    EVP_MAC_CTX *context = atomic_load(&made), *none = NULL;

    if (context == NULL) {
        context = make_hs256();
        if (context != NULL && !atomic_compare_exchange_strong(&made, &none, context)) {
            EVP_MAC_CTX_free(context); /* another thread was quicker */
            context = none;
        }
    }
    return context != NULL ? EVP_MAC_CTX_dup(context) : NULL;
}

static bool
compute_mac(const struct pgs_jwt_key *key, const void *message, size_t len, uint8_t mac[MAC_BYTES])
{
    EVP_MAC_CTX *context = copy_hs256();
    size_t mac_len = 0;
    bool computed;

    if (context == NULL)
        return false;
    computed = EVP_MAC_init(context, key->secret, key->secret_len, NULL) &&
               EVP_MAC_update(context, message, len) &&
               EVP_MAC_final(context, mac, &mac_len, MAC_BYTES) && mac_len == MAC_BYTES;
    EVP_MAC_CTX_free(context);
    return computed;
}

/* Zero bytes of DER: it could not be made. */
static size_t
es256_to_der(const uint8_t *signature, uint8_t der[ES256_DER_MAX])
{
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, ES256_NUMBER, NULL);
    BIGNUM *s = BN_bin2bn(signature + ES256_NUMBER, ES256_NUMBER, NULL);
    int len = 0;

    if (both == NULL || r == NULL || s == NULL || !ECDSA_SIG_set0(both, r, s)) {
        BN_free(r);
        BN_free(s);
    } else if (i2d_ECDSA_SIG(both, NULL) <= ES256_DER_MAX) {
        len = i2d_ECDSA_SIG(both, &der);
    }
    ECDSA_SIG_free(both);
    return len > 0 ? (size_t)len : 0;
}

static bool
verify_public(const struct pgs_jwt_key *key, const void *message, size_t len,
              const uint8_t *signature, size_t signature_len)
{
    const EVP_MD *digest = key->alg == PGS_JWT_EDDSA ? NULL : EVP_sha256();
    EVP_MD_CTX *context;
    uint8_t der[ES256_DER_MAX];
    bool valid;

    if (key->alg == PGS_JWT_ES256) {
        signature_len = es256_to_der(signature, der);
        signature = der;
    }
    context = EVP_MD_CTX_new();
    valid = context != NULL && signature_len > 0 &&
            EVP_DigestVerifyInit(context, NULL, digest, NULL, key->public_key) == 1 &&
            EVP_DigestVerify(context, signature, signature_len, message, len) == 1;
    EVP_MD_CTX_free(context);
    return valid;
}

bool
pgs_jwt_key_signed(const struct pgs_jwt_key *key, const void *message, size_t len,
                   const uint8_t *signature, size_t signature_len)
{
    uint8_t mac[MAC_BYTES];

    if (signature_len != key->signature_len)
        return false;
    if (key->alg != PGS_JWT_HS256)
        return verify_public(key, message, len, signature, signature_len);
    if (key->secret == NULL || key->secret_len == 0)
        return false; /* an empty key would let everybody sign */
    return compute_mac(key, message, len, mac) && CRYPTO_memcmp(mac, signature, MAC_BYTES) == 0;
}

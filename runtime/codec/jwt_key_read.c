/* SPDX-License-Identifier: MIT */
/*
 * A file of keys to a key set.  A file that begins with `{` is a JWKS, anything else is PEM.  One
 * bad key refuses the whole file: half a set would lock users out without a word.
 */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64url.h"
#include "codec/json.h"
#include "codec/jwt_key.h"

#define WHY_SIZE 160
#define MEMBER_MAX                                                                                 \
    2048 /* characters of one member of a JWK: an RSA modulus of 8192 bits has 1366 */
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192

/* The members of one JWK, as texts. */
enum member {
    KTY,
    ALG,
    USE,
    KID,
    CRV,
    N,
    E,
    X,
    Y,
    K,
    MEMBERS
};
static const char *const member_names[MEMBERS] = {"kty", "alg", "use", "kid", "crv",
                                                  "n",   "e",   "x",   "y",   "k"};

struct jwk {
    char text[MEMBERS][MEMBER_MAX + 1];
    bool given[MEMBERS];
    bool is_private;
};

struct reader {
    struct pgs_jwt_keys *keys;
    char *why;
    struct jwk *jwk;
    int member;   /* of `jwk`, whose value comes next; MEMBERS: one that does not matter */
    bool in_keys; /* within the array `keys` */
};

static bool refuse(char *why, size_t number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool
refuse(char *why, size_t number, const char *format, ...)
{
    int used = snprintf(why, WHY_SIZE, "key %zu: ", number);
    va_list args;

    va_start(args, format);
    vsnprintf(why + used, WHY_SIZE - (size_t)used, format, args);
    va_end(args);
    return false;
}

static bool
is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t len;

    return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                          &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* Adds a public key, which it then owns whatever happens, as the one algorithm it is for. */
static bool
add_public(struct pgs_jwt_keys *keys, EVP_PKEY *public_key, const char *kid, char *why)
{
    struct pgs_jwt_key key = {.public_key = public_key};
    int bits = EVP_PKEY_get_bits(public_key);

    if (EVP_PKEY_is_a(public_key, "RSA") && bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS) {
        key.alg = PGS_JWT_RS256;
        key.signature_len = (size_t)EVP_PKEY_get_size(public_key);
    } else if (EVP_PKEY_is_a(public_key, "EC") && is_p256(public_key)) {
        key.alg = PGS_JWT_ES256;
        key.signature_len = 64;
    } else if (EVP_PKEY_is_a(public_key, "ED25519")) {
        key.alg = PGS_JWT_EDDSA;
        key.signature_len = 64;
    } else {
        EVP_PKEY_free(public_key);
        return refuse(why, keys->n + 1, "expected RSA of %d to %d bits, EC P-256 or Ed25519",
                      RSA_MIN_BITS, RSA_MAX_BITS);
    }
    snprintf(key.kid, sizeof(key.kid), "%.*s", PGS_JWT_MAX_KID, kid);
    keys->at[keys->n++] = key;
    return true;
}

/* ---- PEM ---- */

static EVP_PKEY *
key_of_block(const char *name, const unsigned char *data, long len)
{
    EVP_PKEY *key = NULL;
    X509 *certificate;

    if (strcmp(name, PEM_STRING_PUBLIC) == 0)
        return d2i_PUBKEY(NULL, &data, len);
    if (strcmp(name, PEM_STRING_X509) != 0)
        return NULL;
    certificate = d2i_X509(NULL, &data, len);
    if (certificate != NULL)
        key = X509_get_pubkey(certificate);
    X509_free(certificate);
    return key;
}

static bool
read_block(struct pgs_jwt_keys *keys, const char *name, const unsigned char *data, long len,
           char *why)
{
    EVP_PKEY *key;

    if (strstr(name, "PRIVATE") != NULL)
        return refuse(why, keys->n + 1, "is private; the server needs the public key alone");
    if (keys->n == PGS_JWT_MAX_KEYS)
        return refuse(why, keys->n + 1, "%d keys are the most", PGS_JWT_MAX_KEYS);
    key = key_of_block(name, data, len);
    if (key == NULL)
        return refuse(why, keys->n + 1, "expected a block PUBLIC KEY or CERTIFICATE");
    return add_public(keys, key, "", why);
}

static bool
read_pem(const char *text, size_t len, struct pgs_jwt_keys *keys, char *why)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    bool ok = bio != NULL;

    while (ok) {
        char *name, *header;
        unsigned char *data;
        long data_len;

        if (!PEM_read_bio(bio, &name, &header, &data, &data_len)) {
            unsigned long error = ERR_peek_last_error();

            if (ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
                ok = refuse(why, keys->n + 1, "is a damaged PEM block");
            ERR_clear_error();
            break;
        }
        ok = read_block(keys, name, data, data_len, why);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(bio);
    return ok;
}

/* ---- JWKS ---- */

static bool
is(const struct jwk *jwk, enum member member, const char *word)
{
    return jwk->given[member] && strcmp(jwk->text[member], word) == 0;
}

static BIGNUM *
number_of(const struct jwk *jwk, enum member member)
{
    uint8_t bytes[MEMBER_MAX];
    size_t len;

    if (!pgs_base64url_decode(jwk->text[member], strlen(jwk->text[member]), bytes, &len) ||
        len == 0)
        return NULL;
    return BN_bin2bn(bytes, (int)len, NULL);
}

static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *
rsa_key(const struct jwk *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = number_of(jwk, N), *e = number_of(jwk, E);
    EVP_PKEY *key = NULL;

    if (build != NULL && n != NULL && e != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
        key = key_from("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

/* The point uncompressed: 4, x, y (SEC 1 section 2.3.3). */
static EVP_PKEY *
ec_key(const struct jwk *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    uint8_t point[1 + 2 * MEMBER_MAX] = {4};
    size_t x_len, y_len;
    EVP_PKEY *key = NULL;

    if (build != NULL && is(jwk, CRV, "P-256") &&
        pgs_base64url_decode(jwk->text[X], strlen(jwk->text[X]), point + 1, &x_len) &&
        x_len == 32 &&
        pgs_base64url_decode(jwk->text[Y], strlen(jwk->text[Y]), point + 33, &y_len) &&
        y_len == 32 &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 65))
        key = key_from("EC", build);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *
okp_key(const struct jwk *jwk)
{
    uint8_t x[MEMBER_MAX];
    size_t len;

    if (!is(jwk, CRV, "Ed25519") ||
        !pgs_base64url_decode(jwk->text[X], strlen(jwk->text[X]), x, &len) || len != 32)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len);
}

static bool
add_secret(struct pgs_jwt_keys *keys, const struct jwk *jwk, char *why)
{
    uint8_t *secret = malloc(MEMBER_MAX);
    size_t len;

    if (secret == NULL)
        return refuse(why, keys->n + 1, "out of memory");
    if (!pgs_base64url_decode(jwk->text[K], strlen(jwk->text[K]), secret, &len) ||
        len < PGS_JWT_MIN_SECRET) {
        free(secret);
        return refuse(why, keys->n + 1, "its k must be base64url of %d bytes or more",
                      PGS_JWT_MIN_SECRET);
    }
    keys->at[keys->n] = (struct pgs_jwt_key){
        .alg = PGS_JWT_HS256, .secret = secret, .secret_len = len, .signature_len = 32};
    snprintf(keys->at[keys->n].kid, sizeof(keys->at[0].kid), "%.*s", PGS_JWT_MAX_KID,
             jwk->text[KID]);
    keys->n++;
    return true;
}

static bool
add_asymmetric(struct pgs_jwt_keys *keys, const struct jwk *jwk, char *why)
{
    EVP_PKEY *key = is(jwk, KTY, "RSA")   ? rsa_key(jwk)
                    : is(jwk, KTY, "EC")  ? ec_key(jwk)
                    : is(jwk, KTY, "OKP") ? okp_key(jwk)
                                          : NULL;

    if (key == NULL)
        return refuse(why, keys->n + 1,
                      "expected RSA (n, e), EC P-256 (x, y), OKP Ed25519 (x) or oct");
    return add_public(keys, key, jwk->text[KID], why);
}

static bool
has_kid(const struct pgs_jwt_keys *keys, const char *kid)
{
    for (size_t i = 0; i < keys->n; i++)
        if (kid[0] != '\0' && strcmp(keys->at[i].kid, kid) == 0)
            return true;
    return false;
}

static bool
add_jwk(struct pgs_jwt_keys *keys, const struct jwk *jwk, char *why)
{
    size_t number = keys->n + 1;

    if (keys->n == PGS_JWT_MAX_KEYS)
        return refuse(why, number, "%d keys are the most", PGS_JWT_MAX_KEYS);
    if (jwk->is_private)
        return refuse(why, number, "is private; the server needs the public key alone");
    if (jwk->given[USE] && !is(jwk, USE, "sig"))
        return refuse(why, number, "its use is not sig");
    if (strlen(jwk->text[KID]) > PGS_JWT_MAX_KID)
        return refuse(why, number, "its kid is longer than %d", PGS_JWT_MAX_KID);
    if (has_kid(keys, jwk->text[KID]))
        return refuse(why, number, "another key has the same kid");
    if (!(is(jwk, KTY, "oct") ? add_secret : add_asymmetric)(keys, jwk, why))
        return false;
    if (jwk->given[ALG] && !is(jwk, ALG, pgs_jwt_alg_name(keys->at[keys->n - 1].alg)))
        return refuse(why, number, "its alg does not fit its type; %s does",
                      pgs_jwt_alg_name(keys->at[keys->n - 1].alg));
    return true;
}

static bool
note_member(struct reader *reader, const struct pgs__json_event *event)
{
    reader->member = MEMBERS;
    for (int i = 0; i < MEMBERS; i++)
        if (event->text.len == strlen(member_names[i]) &&
            memcmp(event->text.at, member_names[i], event->text.len) == 0)
            reader->member = i;
    if (event->text.len == 1 && event->text.at[0] == 'd')
        reader->jwk->is_private = true;
    if (reader->member < MEMBERS && reader->jwk->given[reader->member])
        return refuse(reader->why, reader->keys->n + 1, "has a member twice");
    return true;
}

static bool
note_value(struct reader *reader, const struct pgs__json_event *event)
{
    int member = reader->member;

    if (member == MEMBERS)
        return true;
    if (event->token != PGS_JSON_STRING || event->text.len > MEMBER_MAX)
        return refuse(reader->why, reader->keys->n + 1, "its %s is no text, or too long",
                      member_names[member]);
    memcpy(reader->jwk->text[member], event->text.at, event->text.len);
    reader->jwk->given[member] = true;
    return true;
}

/* {"keys": [{...}, ...]}: depth 1 is the object, 2 the array, 3 the members of a key. */
static bool
on_event(void *owner, const struct pgs__json_event *event)
{
    struct reader *reader = owner;

    if (event->depth == 1 && event->token == PGS_JSON_KEY) {
        reader->in_keys = event->text.len == 4 && memcmp(event->text.at, "keys", 4) == 0;
        return true;
    }
    if (!reader->in_keys || event->depth < 2)
        return true;
    if (event->depth == 2 && event->token == PGS_JSON_OPEN_OBJECT) {
        memset(reader->jwk, 0, sizeof(*reader->jwk));
        return true;
    }
    if (event->depth == 2 && event->token == PGS_JSON_CLOSE_OBJECT)
        return add_jwk(reader->keys, reader->jwk, reader->why);
    if (event->depth == 2)
        return refuse(reader->why, reader->keys->n + 1, "is not an object");
    if (event->depth > 3)
        return true;
    return event->token == PGS_JSON_KEY ? note_member(reader, event) : note_value(reader, event);
}

static bool
read_jwks(const char *text, size_t len, struct pgs_jwt_keys *keys, char *why)
{
    struct jwk *jwk = calloc(1, sizeof(*jwk));
    struct reader reader = {.keys = keys, .why = why, .jwk = jwk};
    struct pgs__json_fault fault;
    bool ok = jwk != NULL && pgs__json_parse(text, len, on_event, &reader, &fault);

    if (jwk != NULL && !ok && !fault.by_owner)
        snprintf(why, WHY_SIZE, "is not valid JSON");
    if (jwk != NULL)
        OPENSSL_cleanse(jwk, sizeof(*jwk));
    free(jwk);
    return ok;
}

bool
pgs_jwt_keys_read(const char *text, size_t len, struct pgs_jwt_keys *keys, char why[WHY_SIZE])
{
    size_t blank = strspn(text, " \t\r\n");
    bool ok;

    *keys = (struct pgs_jwt_keys){.n = 0};
    snprintf(why, WHY_SIZE,
             "holds no key: expected PEM (PUBLIC KEY) or a JWKS ({\"keys\": [...]})");
    ok = blank < len && text[blank] == '{' ? read_jwks(text, len, keys, why)
                                           : read_pem(text, len, keys, why);
    if (ok && keys->n > 0)
        return true;
    pgs_jwt_keys_free(keys);
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Ticket keys are ours, not OpenSSL's: they must survive a new certificate, be the same for all
 * threads, and grow old.  A ticket is taken with the key before the newest one, too, and then made
 * anew.
 */
#include "http/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define TICKET_KEY_MS (INT64_C(6) * 3600 * 1000) /* a ticket lives up to twice as long */

struct ticket_key {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
    int64_t made_ms;
};

/* The process has one set, whatever certificates come and go. */
static pthread_mutex_t ticket_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ticket_key ticket_keys[2]; /* newest first */

struct pgs_tls {
    const char *cert_file, *key_file;
    bool http2;
    struct pgs_file_stamp cert_stamp, key_stamp;
    pthread_mutex_t lock;
    SSL_CTX *newest;            /* under the lock */
    _Atomic(SSL_CTX *) current; /* the same, to compare with */
};

/* With the lock held.  False: no randomness. */
static bool
renew_ticket_keys(int64_t now_ms)
{
    struct ticket_key *key = &ticket_keys[0];

    if (key->made_ms != 0 && now_ms - key->made_ms < TICKET_KEY_MS)
        return true;
    ticket_keys[1] = *key;
    if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
        RAND_bytes(key->cipher, sizeof(key->cipher)) != 1 ||
        RAND_bytes(key->mac, sizeof(key->mac)) != 1)
        return false;
    key->made_ms = now_ms;
    return true;
}

/* The key to make a ticket with, or that of this name; false: too old, or not ours. */
static bool
find_ticket_key(const unsigned char *name, struct ticket_key *found, bool *is_old)
{
    int64_t now_ms = pgs_clock_ms();
    bool ok;

    (void)pthread_mutex_lock(&ticket_lock);
    ok = renew_ticket_keys(now_ms);
    *found = ticket_keys[0];
    *is_old = name != NULL && memcmp(name, found->name, sizeof(found->name)) != 0;
    if (*is_old) {
        *found = ticket_keys[1];
        ok = ok && found->made_ms != 0 && now_ms - found->made_ms < 2 * TICKET_KEY_MS &&
             memcmp(name, found->name, sizeof(found->name)) == 0;
    }
    (void)pthread_mutex_unlock(&ticket_lock);
    return ok;
}

/* See SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 0 is "no ticket", 2 "take it, and make a new one".
 */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
          EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    struct ticket_key key;
    bool is_old, ok;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof(key.mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    (void)ssl;
    if (!find_ticket_key(encrypt ? NULL : name, &key, &is_old))
        return 0;
    if (encrypt) {
        memcpy(name, key.name, sizeof(key.name));
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    }
    ok = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, encrypt) == 1 &&
         EVP_MAC_CTX_set_params(mac, params) == 1;
    OPENSSL_cleanse(&key, sizeof(key));
    return !ok ? -1 : is_old ? 2 : 1;
}

/* The server's choice: h2 where it is offered, else HTTP/1.1; a client with neither is refused. */
static int
on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
        const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    const struct pgs_tls *tls = arg;
    const unsigned skip = tls->http2 ? 0 : 3;

    (void)ssl;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, chosen_len, ours + skip,
                              (unsigned)sizeof(ours) - 1 - skip, offered,
                              offered_len) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void
configure(SSL_CTX *context, struct pgs_tls *tls)
{
    static const unsigned char id[] = "pgstack";

    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, tls);
}

static void
say_openssl(const char *what, char why[256])
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);

    snprintf(why, 256, "%s: %s", what, reason != NULL ? reason : "unknown error");
    ERR_clear_error();
}

/* NULL: `why`. */
static SSL_CTX *
read_files(struct pgs_tls *tls, char why[256])
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    tls->cert_stamp = pgs_file_stamp(tls->cert_file);
    tls->key_stamp = pgs_file_stamp(tls->key_file);
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        say_openssl("OpenSSL", why);
    else if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
        say_openssl("TLS_CERT_FILE", why);
    else if (SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1)
        say_openssl("TLS_KEY_FILE", why);
    else if (SSL_CTX_check_private_key(context) != 1)
        say_openssl("TLS_KEY_FILE is not the key of TLS_CERT_FILE", why);
    else {
        configure(context, tls);
        return context;
    }
    SSL_CTX_free(context);
    return NULL;
}

struct pgs_tls *
pgs_tls_open(const char *cert_file, const char *key_file, bool http2, char why[256])
{
    struct pgs_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL)
        return NULL;
    tls->cert_file = cert_file;
    tls->key_file = key_file;
    tls->http2 = http2;
    tls->newest = read_files(tls, why);
    if (tls->newest == NULL) {
        free(tls);
        return NULL;
    }
    atomic_store(&tls->current, tls->newest);
    (void)pthread_mutex_init(&tls->lock, NULL);
    return tls;
}

void
pgs_tls_refresh(struct pgs_tls *tls)
{
    struct pgs_file_stamp cert = pgs_file_stamp(tls->cert_file);
    struct pgs_file_stamp key = pgs_file_stamp(tls->key_file);
    SSL_CTX *fresh, *old;
    char why[256];

    if (pgs_file_stamp_same(&cert, &tls->cert_stamp) && pgs_file_stamp_same(&key, &tls->key_stamp))
        return;
    fresh = read_files(tls, why);
    if (fresh == NULL) {
        PGS_LOG(PGS_LOG_ERROR, "certificate not taken, the old one stays", PGS_LOG_STR("why", why));
        return;
    }
    (void)pthread_mutex_lock(&tls->lock);
    old = tls->newest;
    tls->newest = fresh;
    atomic_store(&tls->current, fresh);
    (void)pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    PGS_LOG(PGS_LOG_INFO, "certificate read", PGS_LOG_STR("file", tls->cert_file));
}

SSL_CTX *
pgs_tls_context(struct pgs_tls *tls, SSL_CTX *held)
{
    SSL_CTX *newest;

    if (held != NULL && atomic_load_explicit(&tls->current, memory_order_relaxed) == held)
        return held;
    (void)pthread_mutex_lock(&tls->lock);
    newest = tls->newest;
    (void)SSL_CTX_up_ref(newest);
    (void)pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(held);
    return newest;
}

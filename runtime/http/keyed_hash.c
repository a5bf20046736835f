/* SPDX-License-Identifier: MIT */
#include "http/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t contexts; /* one a thread, freed with it */
static EVP_MAC *siphash;
static unsigned char key[16];

static void
free_context(void *context)
{
    EVP_MAC_CTX_free(context);
}

static void
open_hash(void)
{
    siphash = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    if (siphash == NULL || RAND_bytes(key, sizeof(key)) != 1 ||
        pthread_key_create(&contexts, free_context) != 0)
        abort();
}

static EVP_MAC_CTX *
context(void)
{
    EVP_MAC_CTX *mine;
    size_t size = sizeof(uint64_t);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                           OSSL_PARAM_construct_end()};

    (void)pthread_once(&once, open_hash);
    mine = pthread_getspecific(contexts);
    if (mine != NULL)
        return mine;
    mine = EVP_MAC_CTX_new(siphash);
    if (mine == NULL || EVP_MAC_CTX_set_params(mine, params) != 1 ||
        pthread_setspecific(contexts, mine) != 0)
        abort();
    return mine;
}

void
pgs__keyed_hash_open(void)
{
    (void)context();
}

uint64_t
pgs__keyed_hash(const void *bytes, size_t len)
{
    EVP_MAC_CTX *mac = context();
    uint64_t hash = 0;
    size_t size;

    if (EVP_MAC_init(mac, key, sizeof(key), NULL) != 1 || EVP_MAC_update(mac, bytes, len) != 1 ||
        EVP_MAC_final(mac, (unsigned char *)&hash, &size, sizeof(hash)) != 1)
        abort();
    return hash;
}

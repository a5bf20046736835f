/* SPDX-License-Identifier: MIT */
#include "db/hmac.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef int init(HMAC_CTX *context, const void *key, int key_len, const EVP_MD *digest,
                 ENGINE *engine);

__attribute__((visibility("default"))) init HMAC_Init_ex;

static pthread_once_t found = PTHREAD_ONCE_INIT, looked_up = PTHREAD_ONCE_INIT;
static init *openssl_init;
static _Atomic(const EVP_MD *) provided; /* until the process ends; NULL: not looked up */

static void
find_openssl(void)
{
    void *at = dlsym(RTLD_NEXT, "HMAC_Init_ex");

    if (at == NULL)
        abort();
    memcpy(&openssl_init, &at, sizeof(at)); /* POSIX has it that it may be a function */
}

static void
look_up(void)
{
    atomic_store(&provided, EVP_MD_fetch(NULL, "SHA256", NULL));
}

void
pgs__hmac_open(void)
{
    (void)pthread_once(&found, find_openssl);
    (void)pthread_once(&looked_up, look_up);
}

/* OpenSSL may call it, too, from anywhere: nothing of it is looked up in here. */
int
HMAC_Init_ex(HMAC_CTX *context, const void *key, int key_len, const EVP_MD *digest, ENGINE *engine)
{
    const EVP_MD *sha256 = atomic_load_explicit(&provided, memory_order_acquire);

    (void)pthread_once(&found, find_openssl);
    if (sha256 != NULL && engine == NULL && digest == EVP_sha256())
        digest = sha256;
    return openssl_init(context, key, key_len, digest, engine);
}

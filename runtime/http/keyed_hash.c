/* SPDX-License-Identifier: MIT */
#include "http/keyed_hash.h"

#include <pthread.h>

#include "base/random.h"
#include "base/siphash.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct pgs_siphash_key key;

static void
make_key(void)
{
    pgs_random(&key, sizeof(key));
}

uint64_t
pgs__keyed_hash(const void *bytes, size_t len)
{
    (void)pthread_once(&once, make_key);
    return pgs_siphash(&key, bytes, len);
}

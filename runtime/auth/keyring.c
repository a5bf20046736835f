/* SPDX-License-Identifier: MIT */
#include "auth/keyring.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"

#define FILE_MAX_BYTES (256 * 1024)

struct held {
    struct pgs_jwt_keys keys;
    unsigned users; /* under the ring's lock; the ring itself is one */
};

struct pgs_keyring {
    const char *path;
    struct pgs_file_stamp stamp;
    pthread_mutex_t lock;
    struct held *newest; /* under the lock */
    atomic_uint generation;
};

static struct held *
read_keys(const char *path, char why[256])
{
    struct held *held = calloc(1, sizeof(*held));
    size_t len;
    char *text = held == NULL ? NULL : pgs_file_read(path, FILE_MAX_BYTES, &len, why);
    bool ok = text != NULL && pgs_jwt_keys_read(text, len, &held->keys, why);

    if (text != NULL)
        OPENSSL_cleanse(text, len);
    free(text);
    if (!ok) {
        free(held);
        return NULL;
    }
    held->users = 1;
    return held;
}

static void
drop(struct held *held)
{
    if (--held->users > 0)
        return;
    pgs_jwt_keys_free(&held->keys);
    free(held);
}

struct pgs_keyring *
pgs_keyring_open(const char *path, char why[256])
{
    struct pgs_keyring *ring = calloc(1, sizeof(*ring));

    if (ring == NULL)
        return NULL;
    ring->path = path;
    ring->stamp = pgs_file_stamp(path);
    ring->newest = read_keys(path, why);
    if (ring->newest == NULL) {
        free(ring);
        return NULL;
    }
    pthread_mutex_init(&ring->lock, NULL);
    return ring;
}

void
pgs_keyring_close(struct pgs_keyring *ring)
{
    drop(ring->newest);
    pthread_mutex_destroy(&ring->lock);
    free(ring);
}

void
pgs_keyring_refresh(struct pgs_keyring *ring)
{
    struct pgs_file_stamp stamp = pgs_file_stamp(ring->path);
    struct held *fresh, *old;
    char why[256] = "out of memory";

    if (pgs_file_stamp_same(&stamp, &ring->stamp))
        return;
    ring->stamp = stamp;
    fresh = read_keys(ring->path, why);
    if (fresh == NULL) {
        PGS_LOG(PGS_LOG_ERROR, "JWT_KEYS_FILE not taken, the keys stay", PGS_LOG_STR("why", why));
        return;
    }
    pthread_mutex_lock(&ring->lock);
    old = ring->newest;
    ring->newest = fresh;
    drop(old);
    pthread_mutex_unlock(&ring->lock);
    atomic_fetch_add_explicit(&ring->generation, 1, memory_order_release);
    PGS_LOG(PGS_LOG_INFO, "JWT_KEYS_FILE read", PGS_LOG_INT("keys", (long)fresh->keys.n));
}

unsigned
pgs_keyring_generation(struct pgs_keyring *ring)
{
    return atomic_load_explicit(&ring->generation, memory_order_acquire);
}

const struct pgs_jwt_keys *
pgs_keyring_hold(struct pgs_keyring *ring, unsigned *generation)
{
    struct held *held;

    *generation = pgs_keyring_generation(ring); /* before the keys: at worst they are newer */
    pthread_mutex_lock(&ring->lock);
    held = ring->newest;
    held->users++;
    pthread_mutex_unlock(&ring->lock);
    return &held->keys;
}

void
pgs_keyring_release(struct pgs_keyring *ring, const struct pgs_jwt_keys *keys)
{
    pthread_mutex_lock(&ring->lock);
    drop((struct held *)((uintptr_t)keys - offsetof(struct held, keys)));
    pthread_mutex_unlock(&ring->lock);
}

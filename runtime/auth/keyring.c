/* SPDX-License-Identifier: MIT */
#include "auth/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define FILE_MAX_BYTES (256 * 1024)

struct held {
    struct pgs_jwt_keys keys;
    unsigned users; /* under the ring's lock; the ring itself is one */
};

/* Which state of the file was read. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct pgs_keyring {
    const char *path;
    struct stamp stamp;
    pthread_mutex_t lock;
    struct held *newest; /* under the lock */
    atomic_uint generation;
};

static struct stamp
stamp_of(const struct stat *file)
{
    struct stamp stamp;

    memset(&stamp, 0, sizeof(stamp)); /* compared as bytes */
    stamp.device = file->st_dev;
    stamp.inode = file->st_ino;
    stamp.size = file->st_size;
    stamp.changed = file->st_ctim;
    return stamp;
}

/* The file's text, NUL-terminated, for free(); NULL: `why`. */
static char *
read_file(const char *path, size_t *len, struct stamp *stamp, char why[256])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = malloc(FILE_MAX_BYTES + 1);
    struct stat file;
    ssize_t n = -1;

    if (fd >= 0 && text != NULL && fstat(fd, &file) == 0) {
        *stamp = stamp_of(&file);
        n = read(fd, text, FILE_MAX_BYTES + 1);
    }
    if (n < 0)
        snprintf(why, 256, "cannot be read: %s", strerror(errno));
    else if (n > FILE_MAX_BYTES)
        snprintf(why, 256, "is larger than %d bytes", FILE_MAX_BYTES);
    if (fd >= 0)
        close(fd);
    if (n < 0 || n > FILE_MAX_BYTES) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *len = (size_t)n;
    return text;
}

static struct held *
read_keys(const char *path, struct stamp *stamp, char why[256])
{
    struct held *held = calloc(1, sizeof(*held));
    size_t len;
    char *text = held == NULL ? NULL : read_file(path, &len, stamp, why);
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
    ring->newest = read_keys(path, &ring->stamp, why);
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
    struct stat file;
    struct stamp stamp = ring->stamp;
    struct held *fresh, *old;
    char why[256] = "is gone";

    if (stat(ring->path, &file) == 0) {
        stamp = stamp_of(&file);
        if (memcmp(&stamp, &ring->stamp, sizeof(stamp)) == 0)
            return;
    } else if (ring->stamp.inode == 0) {
        return; /* said already */
    } else {
        memset(&stamp, 0, sizeof(stamp));
    }
    ring->stamp = stamp;
    fresh = stamp.inode == 0 ? NULL : read_keys(ring->path, &ring->stamp, why);
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

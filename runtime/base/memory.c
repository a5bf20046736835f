/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    OWN_MAPPING = 1 << 20, /* blocks of this size, and larger ones */
    KEPT_AT_END = 4 << 20, /* of each thread's arena */
    LOOKS_AT_END = 1 << 17 /* to free so much makes glibc look at the end of the arena */
};

/* Unless told so, glibc learns from the first large answer to keep such blocks, up to 32 MiB in
 * each thread. */
void
pgs_memory_open(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_AT_END);
}

/* malloc_trim(3) finds free pages between blocks; the end of an arena that is not the main thread's
 * it leaves alone. */
static void
give_back_end(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    void *volatile block;

    (void)pthread_mutex_lock(&mutex);
    (void)mallopt(M_TRIM_THRESHOLD, 0);
    block = malloc(LOOKS_AT_END);
    free(block);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_AT_END);
    (void)pthread_mutex_unlock(&mutex);
}

void
pgs_memory_give_back(void)
{
    give_back_end();
    (void)malloc_trim(0);
}

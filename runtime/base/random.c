/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <stdlib.h>
#include <sys/random.h>

void
pgs_random(void *bytes, size_t n)
{
    char *at = bytes;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0) /* interrupted: only before the kernel has begun to have any */
            abort();
        at += got;
        n -= (size_t)got;
    }
}

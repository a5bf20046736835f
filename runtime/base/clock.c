/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t
system_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
system_monotonic_us(void)
{
    return system_us(CLOCK_MONOTONIC);
}

static int64_t
system_wall_us(void)
{
    return system_us(CLOCK_REALTIME);
}

static struct pgs_clock source = {system_monotonic_us, system_wall_us};

void
pgs_clock_replace(const struct pgs_clock *clock)
{
    source.monotonic_us =
        clock != NULL && clock->monotonic_us != NULL ? clock->monotonic_us : system_monotonic_us;
    source.wall_us = clock != NULL && clock->wall_us != NULL ? clock->wall_us : system_wall_us;
}

int64_t
pgs_clock_us(void)
{
    return source.monotonic_us();
}

int64_t
pgs_clock_ms(void)
{
    return source.monotonic_us() / 1000;
}

int64_t
pgs_clock_wall_s(void)
{
    return source.wall_us() / 1000000;
}

int64_t
pgs_clock_wall_ms(void)
{
    return source.wall_us() / 1000;
}

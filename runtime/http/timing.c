/* SPDX-License-Identifier: MIT */
#include "http/timing.h"

#include <stdio.h>

#include "http/info.h"

static size_t
add(char value[PGS_TIMING_MAX], size_t len, const char *part, int64_t us)
{
    int n = snprintf(value + len, PGS_TIMING_MAX - len, "%s%s;dur=%lld.%03d", len > 0 ? ", " : "",
                     part, (long long)(us / 1000), (int)(us % 1000));

    return n > 0 && (size_t)n < PGS_TIMING_MAX - len ? len + (size_t)n : len;
}

size_t
pgs__timing_write(const struct pgs_request_info *info, int64_t now_us, char value[PGS_TIMING_MAX])
{
    size_t len = add(value, 0, "auth", info->auth_us);

    if (info->answered_us > 0) {
        len = add(value, len, "queue", info->wait_us);
        len = add(value, len, "db", info->db_us);
        len = add(value, len, "encode", now_us - info->answered_us);
    }
    return add(value, len, "total", now_us - info->start_us);
}

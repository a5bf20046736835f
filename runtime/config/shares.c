/* SPDX-License-Identifier: MIT */
#include "config/shares.h"

#define MAX_THREADS 256 /* as settings.def has it */

static int
wanted_threads(const struct pgs_config *config, long cores)
{
    long threads = config->threads > 0 ? config->threads : cores;

    if (threads < 1)
        return 1;
    return threads < MAX_THREADS ? (int)threads : MAX_THREADS;
}

struct pgs_shares
pgs_shares_of(const struct pgs_config *config, long cores)
{
    bool admin = config->admin_database_url != NULL;
    int planes = admin ? 2 : 1;
    int all = config->pool_max - (config->admin_port != 0); /* /ready there has its own */
    int threads = wanted_threads(config, cores), each;

    /* A thread without a slow connection waits for its slowest request: rather have fewer. */
    while (threads > 1 && all / threads < 2 * planes)
        threads--;
    each = all / threads;
    return (struct pgs_shares){
        .threads = threads,
        .quick = each >= 4 + 2 * admin ? 2 : 1,
        .slow = each >= 4 + 2 * admin ? 2 : each > planes,
        .admin_quick = admin,
        .admin_slow = admin && each >= 4,
    };
}

/* SPDX-License-Identifier: MIT */
#include "live/recent.h"

#include <stdlib.h>

static const struct pgs__commit *
commit_at(const struct pgs__recent *recent, uint64_t number)
{
    return &recent->commits[number % PGS_RECENT_SIZE];
}

void
pgs__recent_add(struct pgs__recent *recent, const struct pgs__commit *commit)
{
    recent->last++;
    recent->commits[recent->last % PGS_RECENT_SIZE] = *commit;
    if (recent->last - recent->floor > PGS_RECENT_SIZE)
        recent->floor = recent->last - PGS_RECENT_SIZE;
}

bool
pgs__snapshot_read(const char *text, struct pgs__snapshot *snapshot)
{
    char *end;

    snapshot->xmin = strtoull(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    snapshot->xmax = strtoull(text, &end, 10);
    snapshot->xips = end + 1;
    return end != text && *end == ':';
}

/* The full number next to `xmax`: no transaction is two thousand million older than another. */
static uint64_t
widen(uint32_t xid, uint64_t xmax)
{
    uint64_t full = (xmax & ~(uint64_t)UINT32_MAX) | xid;

    if (full > xmax + INT32_MAX && full > UINT32_MAX)
        return full - UINT32_MAX - 1;
    if (full + INT32_MAX < xmax)
        return full + UINT32_MAX + 1;
    return full;
}

bool
pgs__snapshot_sees(const struct pgs__snapshot *snapshot, uint32_t xid)
{
    uint64_t full = widen(xid, snapshot->xmax);
    const char *at = snapshot->xips;

    if (full < snapshot->xmin)
        return true;
    if (full >= snapshot->xmax)
        return false;
    while (*at != '\0') {
        char *end;

        if (strtoull(at, &end, 10) == full)
            return false;
        at = *end == ',' ? end + 1 : end;
        if (*end != ',')
            break;
    }
    return true;
}

uint64_t
pgs__recent_seen(const struct pgs__recent *recent, const struct pgs__snapshot *snapshot,
                 pgs_watched_set tables, uint64_t from)
{
    uint64_t number = from;

    if (recent->last - number > PGS_RECENT_SIZE)
        number = recent->last - PGS_RECENT_SIZE;
    for (; number < recent->last; number++) {
        const struct pgs__commit *commit = commit_at(recent, number + 1);

        if ((commit->tables & tables) != 0 && !pgs__snapshot_sees(snapshot, commit->xid))
            break;
    }
    return number;
}

void
pgs__recent_settle(struct pgs__recent *recent, const struct pgs__snapshot *snapshot)
{
    while (recent->floor < recent->last &&
           pgs__snapshot_sees(snapshot, commit_at(recent, recent->floor + 1)->xid))
        recent->floor++;
}

uint64_t
pgs__recent_lsn(const struct pgs__recent *recent, uint64_t number)
{
    if (number == 0 || number > recent->last || recent->last - number >= PGS_RECENT_SIZE)
        return 0;
    return commit_at(recent, number)->lsn;
}

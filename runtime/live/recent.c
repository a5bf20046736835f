/* SPDX-License-Identifier: MIT */
#include "live/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define MAX_AGE_MS 3600000

static struct pgs__commit *
slot(struct pgs__recent *recent, uint64_t number)
{
    return &recent->commits[number % PGS_RECENT_SIZE];
}

const struct pgs__commit *
pgs__recent_at(const struct pgs__recent *recent, uint64_t number)
{
    return &recent->commits[number % PGS_RECENT_SIZE];
}

uint64_t
pgs__recent_after(const struct pgs__recent *recent, uint64_t number)
{
    return recent->last - number > PGS_RECENT_SIZE ? recent->last - PGS_RECENT_SIZE + 1
                                                   : number + 1;
}

/* Of the oldest that has them. */
static void
drop_rows(struct pgs__recent *recent)
{
    struct pgs__commit *commit = slot(recent, ++recent->bare);

    recent->bytes -= commit->changes->bytes;
    pgs_changes_release(commit->changes);
    commit->changes = NULL;
}

static void
settle_old(struct pgs__recent *recent, int64_t now_ms)
{
    while (recent->floor < recent->last &&
           slot(recent, recent->floor + 1)->heard_ms < now_ms - MAX_AGE_MS)
        recent->floor++;
}

void
pgs__recent_add(struct pgs__recent *recent, struct pgs_changes *changes)
{
    int64_t now_ms = pgs_clock_ms();

    *slot(recent, ++recent->last) =
        (struct pgs__commit){changes->xid, changes->lsn, now_ms, changes};
    recent->bytes += changes->bytes;
    if (recent->last - recent->floor > PGS_RECENT_SIZE)
        recent->floor = recent->last - PGS_RECENT_SIZE;
    settle_old(recent, now_ms);
    while (recent->last - recent->bare > PGS_RECENT_ROWS ||
           (recent->bytes > PGS_RECENT_BYTES && recent->bare + 1 < recent->last))
        drop_rows(recent);
}

void
pgs__recent_clear(struct pgs__recent *recent)
{
    while (recent->bare < recent->last)
        drop_rows(recent);
    recent->floor = recent->last;
}

void
pgs__recent_copy(struct pgs__recent *to, const struct pgs__recent *from)
{
    pgs__recent_clear(to);
    *to = *from;
    for (uint64_t number = to->bare + 1; number <= to->last; number++)
        pgs_changes_keep(slot(to, number)->changes);
    settle_old(to, pgs_clock_ms());
}

/* Two hexadecimal halves, "16/B374D848". */
static uint64_t
read_lsn(struct pgs_text lsn)
{
    char text[sizeof("FFFFFFFF/FFFFFFFF")], *end;
    uint64_t high;

    if (lsn.at == NULL || lsn.len >= sizeof(text))
        return 0;
    memcpy(text, lsn.at, lsn.len);
    text[lsn.len] = '\0';
    high = strtoull(text, &end, 16);
    return *end == '/' ? high << 32 | strtoull(end + 1, NULL, 16) : 0;
}

bool
pgs__snapshot_read(const char *text, struct pgs_text lsn, struct pgs__snapshot *snapshot)
{
    char *end;

    snapshot->lsn = read_lsn(lsn);
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

bool
pgs__snapshot_is_before(const struct pgs__snapshot *snapshot, const struct pgs__commit *commit)
{
    return snapshot->lsn != 0 && commit->lsn > snapshot->lsn;
}

void
pgs__seen_clear(struct pgs__seen *seen)
{
    free((char *)(uintptr_t)seen->snapshot.xips);
    seen->snapshot.xips = NULL;
}

void
pgs__seen_keep(struct pgs__seen *seen, const struct pgs__snapshot *snapshot)
{
    size_t len = strspn(snapshot->xips, "0123456789,");
    char *xips = malloc(len + 1);

    pgs__seen_clear(seen);
    seen->is_lost = xips == NULL;
    if (xips == NULL)
        return;
    memcpy(xips, snapshot->xips, len);
    xips[len] = '\0';
    seen->snapshot = *snapshot;
    seen->snapshot.xips = xips;
    seen->since_ms = pgs_clock_ms();
}

bool
pgs__seen_holds(struct pgs__seen *seen, const struct pgs__commit *commit)
{
    const struct pgs__snapshot *snapshot = &seen->snapshot;

    if (snapshot->xips == NULL)
        return false;
    if (pgs__snapshot_is_before(snapshot, commit)) {
        pgs__seen_clear(seen);
        return false;
    }
    seen->is_lost = commit->heard_ms - seen->since_ms > MAX_AGE_MS;
    if (seen->is_lost)
        pgs__seen_clear(seen);
    return !seen->is_lost && pgs__snapshot_sees(snapshot, commit->xid);
}

bool
pgs__seen_is_over(const struct pgs__seen *seen)
{
    return seen->snapshot.xips == NULL && !seen->is_lost;
}

void
pgs__recent_raise(struct pgs__recent *recent, uint64_t number)
{
    if (number > recent->last)
        number = recent->last;
    if (recent->floor < number)
        recent->floor = number;
}

void
pgs__recent_part(struct pgs__recent *recent, uint64_t number)
{
    pgs__recent_raise(recent, number);
    recent->apart = number < recent->last ? number : recent->last;
}

void
pgs__recent_settle(struct pgs__recent *recent, const struct pgs__snapshot *snapshot)
{
    while (recent->floor < recent->last &&
           pgs__snapshot_sees(snapshot, pgs__recent_at(recent, recent->floor + 1)->xid))
        recent->floor++;
}

uint64_t
pgs__recent_lsn(const struct pgs__recent *recent, uint64_t number)
{
    if (number > recent->last || recent->last - number >= PGS_RECENT_SIZE)
        return 0;
    return pgs__recent_lsn_kept(recent, number, pgs__recent_at(recent, number)->lsn);
}

uint64_t
pgs__recent_lsn_kept(const struct pgs__recent *recent, uint64_t number, uint64_t lsn)
{
    return number > recent->apart ? lsn : 0;
}

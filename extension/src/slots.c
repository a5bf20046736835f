/* SPDX-License-Identifier: MIT */
#include "postgres.h"

#include "utils/timestamp.h"

#include "shared.h"

static int
find_slot(Oid database, const char *query_id)
{
    for (int i = 0; i < pgr_max_subscriptions; i++)
        if (pgr_shared->slots[i].database == database &&
            strcmp(pgr_shared->slots[i].query_id, query_id) == 0)
            return i;
    return -1;
}

static void
begin_slot(struct pgr_slot *slot, Oid database, const char *query_id)
{
    slot->generation = 0;
    slot->table_count = 0;
    slot->row_count = slot->invalidation_count = slot->recompute_count = 0;
    slot->recompute_ms = 0;
    slot->failing[0] = '\0';
    strlcpy(slot->query_id, query_id, sizeof(slot->query_id));
    pg_atomic_write_u64(&slot->last_used, (uint64)GetCurrentTimestamp());
    slot->database = database;
}

int
pgr_slot_take(Oid database, const char *query_id)
{
    int taken = -1;

    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    for (int i = 0; i < pgr_max_subscriptions && taken < 0; i++)
        if (pgr_shared->slots[i].database == InvalidOid) {
            begin_slot(&pgr_shared->slots[i], database, query_id);
            taken = i;
        }
    LWLockRelease(pgr_shared->lock);
    return taken;
}

void
pgr_slot_fail(int slot, int sqlstate)
{
    char *failing = pgr_shared->slots[slot].failing;

    strlcpy(failing, unpack_sql_state(sqlstate), sizeof(pgr_shared->slots[slot].failing));
}

void
pgr_slot_free(int slot)
{
    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    pgr_shared->slots[slot].database = InvalidOid;
    LWLockRelease(pgr_shared->lock);
}

int
pgr_slot_oldest(Oid database)
{
    int oldest = -1;
    uint64 since = 0;

    LWLockAcquire(pgr_shared->lock, LW_SHARED);
    for (int i = 0; i < pgr_max_subscriptions; i++) {
        uint64 used = pg_atomic_read_u64(&pgr_shared->slots[i].last_used);

        if (pgr_shared->slots[i].database != database)
            continue;
        if (oldest < 0 || used < since) {
            oldest = i;
            since = used;
        }
    }
    LWLockRelease(pgr_shared->lock);
    return oldest;
}

void
pgr_slots_free_all(Oid database)
{
    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    for (int i = 0; i < pgr_max_subscriptions; i++)
        if (pgr_shared->slots[i].database == database)
            pgr_shared->slots[i].database = InvalidOid;
    LWLockRelease(pgr_shared->lock);
}

bool
pgr_slot_use(Oid database, const char *query_id)
{
    int found;

    if (pgr_shared == NULL)
        return false;
    LWLockAcquire(pgr_shared->lock, LW_SHARED);
    found = find_slot(database, query_id);
    if (found >= 0)
        pg_atomic_write_u64(&pgr_shared->slots[found].last_used, (uint64)GetCurrentTimestamp());
    LWLockRelease(pgr_shared->lock);
    return found >= 0;
}

int
pgr_slots_count(Oid database)
{
    int count = 0;

    LWLockAcquire(pgr_shared->lock, LW_SHARED);
    for (int i = 0; i < pgr_max_subscriptions; i++)
        count += pgr_shared->slots[i].database == database;
    LWLockRelease(pgr_shared->lock);
    return count;
}

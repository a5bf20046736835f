/* SPDX-License-Identifier: MIT */
/*
 * How values are read and printed is a matter of settings.  A result has those of the worker,
 * whoever computes it: otherwise each row would be another one.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "shared.h"

static const char *const names[] = {
#define X(name) #name,
    PGR_SETTINGS(X)
#undef X
};

void
pgr_settings_keep(struct pgr_database *database)
{
    LWLockAcquire(pgr_shared->lock, LW_EXCLUSIVE);
    for (int i = 0; i < PGR_SETTING_COUNT; i++) {
        const char *value = GetConfigOption(names[i], true, false);
        bool fits = value != NULL && strlen(value) < PGR_SETTING_BYTES;

        strlcpy(database->settings[i], fits ? value : "", PGR_SETTING_BYTES);
    }
    database->has_settings = true;
    LWLockRelease(pgr_shared->lock);
}

static bool
copy_settings(struct pgr_database *database, char copy[][PGR_SETTING_BYTES])
{
    bool known;

    LWLockAcquire(pgr_shared->lock, LW_SHARED);
    known = database->has_settings;
    memcpy(copy, database->settings, sizeof(database->settings));
    LWLockRelease(pgr_shared->lock);
    return known;
}

static void
set(const char *name, const char *value)
{
    const char *now = GetConfigOption(name, true, false);

    if (now != NULL && *value != '\0' && strcmp(now, value) != 0)
        (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                                false);
}

bool
pgr_settings_enter(struct pgr_database *database, int *level)
{
    char copy[PGR_SETTING_COUNT][PGR_SETTING_BYTES];

    if (database == NULL || !copy_settings(database, copy))
        return false;
    *level = NewGUCNestLevel();
    for (int i = 0; i < PGR_SETTING_COUNT; i++)
        set(names[i], copy[i]);
    return true;
}

void
pgr_settings_leave(int level)
{
    AtEOXact_GUC(false, level);
}

/* SPDX-License-Identifier: MIT */
/* Settings, and what is registered when the server starts. */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/guc.h"

#include "shared.h"
#include "worker.h"

PG_MODULE_MAGIC;

void _PG_init(void);

bool pgr_async_recompute = true;
bool pgr_batch_invalidation = true;
int pgr_max_subscriptions = 1024;
char *pgr_databases = NULL;
char *pgr_notify_channel = NULL;
int pgr_tick_interval_ms = 100;
int pgr_query_timeout_ms = 5000;

static bool
check_channel(char **value, void **extra, GucSource source)
{
    if (**value != '\0' && strlen(*value) < NAMEDATALEN)
        return true;
    GUC_check_errdetail("A channel is a name of 1 to %d bytes.", NAMEDATALEN - 1);
    return false;
}

static void
define_modes(void)
{
    DefineCustomBoolVariable("pg_reactive.async_recompute",
                             "The worker asks queries again; off: the writer, in its transaction.",
                             NULL, &pgr_async_recompute, true, PGC_POSTMASTER, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("pg_reactive.batch_invalidation",
                             "A writer that asks again does so once, before its commit; off: after "
                             "each statement.",
                             NULL, &pgr_batch_invalidation, true, PGC_SUSET, 0, NULL, NULL, NULL);
}

static void
define_settings(void)
{
    DefineCustomIntVariable("pg_reactive.max_subscriptions",
                            "Subscriptions that workers hold at a time; the least recently used "
                            "makes room for a new one.",
                            NULL, &pgr_max_subscriptions, 1024, 1, 1000000, PGC_POSTMASTER, 0, NULL,
                            NULL, NULL);
    DefineCustomStringVariable("pg_reactive.database",
                               "Databases to serve, separated by commas; empty: all that have the "
                               "extension.",
                               NULL, &pgr_databases, "", PGC_POSTMASTER, 0, NULL, NULL, NULL);
    DefineCustomStringVariable("pg_reactive.notify_channel", "Channel of the messages.", NULL,
                               &pgr_notify_channel, "pgr", PGC_SIGHUP, 0, check_channel, NULL,
                               NULL);
    DefineCustomIntVariable(
        "pg_reactive.tick_interval", "Least time between two looks at what was written.", NULL,
        &pgr_tick_interval_ms, 100, 0, 60000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
    DefineCustomIntVariable("pg_reactive.query_timeout",
                            "Longest run of one subscription's query in the worker; 0 is none.",
                            NULL, &pgr_query_timeout_ms, 5000, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS,
                            NULL, NULL, NULL);
}

void
_PG_init(void)
{
    if (!process_shared_preload_libraries_in_progress)
        return; /* nothing is shared: the functions say so, the triggers do nothing */
    define_settings();
    define_modes();
    MarkGUCPrefixReserved(PGR_EXTENSION);
    if (IsBinaryUpgrade)
        return; /* pg_upgrade wants nobody else to connect and write */
    pgr_shared_init();
    pgr_marks_init();
    pgr_launcher_register();
}

/* SPDX-License-Identifier: MIT */
/*
 * `check --database`.  The private PostgreSQL is asked where `pgstack dev` runs it; else it is
 * started for the moment, as dev would.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "dev/dev.h"
#include "dev/settings.h"
#include "dev/trial.h"
#include "emit/emit.h"

/* Of the one that runs; NULL: none does. */
static const char *
running_url(void)
{
    const struct source *env = source_read(".", DEV_ENV);

    return env == NULL ? NULL : setting_in(env->text, "MIGRATION_DATABASE_URL");
}

static bool
ask_private(struct trial *trial)
{
    struct dev dev = {0};
    bool ok;

    dev_forget_libpq_variables();
    if (running_url() != NULL)
        return trial_run(running_url(), trial);
    if (!dev_open(&dev))
        return false;
    ok = dev_postgres_start(&dev) &&
         trial_run(arena_printf("postgres://postgres:%s@127.0.0.1:%d/postgres",
                                dev.superuser_password, dev.postgres_port),
                   trial);
    dev_postgres_stop(&dev);
    return ok;
}

bool
cmd_ask_database(const struct model *model, const char *url)
{
    struct trial trial = {.model = model, .migration = emit_migration_source(plan_make(model))};
    bool ok = url != NULL ? trial_run(url, &trial) : ask_private(&trial);

    if (trial_signal() != 0) {
        signal(trial_signal(), SIG_DFL);
        raise(trial_signal());
    }
    if (ok && trial.version != NULL)
        fprintf(stderr, "asked PostgreSQL %s%s\n", trial.version,
                trial.checked_bodies ? " with plpgsql_check" : "");
    return ok;
}

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/snapshot.h"
#include "migrate/migration.h"
#include "dev/settings.h"

static const char help[] =
    "Usage: pgstack migration run|status [-C DIR] [--database URL]\n"
    "       pgstack migration snapshot [-C DIR]\n"
    "\n"
    "run       applies the files of migrations/ that the database does not have yet, in order\n"
    "status    lists them; exit status 0 when the database is up to date\n"
    "snapshot  writes migrations/current.schema: the model as it is released, against which later\n"
    "          changes are checked; needs no database\n"
    "\n"
    "The database is --database, else MIGRATION_DATABASE_URL, else DATABASE_URL, each from the\n"
    "environment or from .env.  It needs a role that may create schemas and roles: never the one\n"
    "that the server uses.\n";

static const char *
database_url(const char *given)
{
    if (given == NULL)
        given = setting_get("MIGRATION_DATABASE_URL");
    if (given == NULL)
        given = setting_get("DATABASE_URL");
    return given;
}

static int
run(PGconn *conn)
{
    struct migrations migrations;
    size_t applied;

    if (!migration_lock(conn) || !migrations_read(conn, &migrations) ||
        !migrations_run(conn, &migrations, &applied))
        return CMD_FAILED;
    if (applied == 0)
        puts("nothing to apply: the database is up to date");
    else
        printf("applied %zu migration%s\n", applied, applied == 1 ? "" : "s");
    return CMD_OK;
}

static int
print_status(PGconn *conn)
{
    static const char *const words[] = {"pending", "applied", "CHANGED", "MISSING"};
    struct migrations migrations;

    if (!migrations_read(conn, &migrations))
        return CMD_FAILED;
    for (size_t i = 0; i < migrations.list.n; i++) {
        const struct migration *m = &migrations.list.at[i];

        printf("%-8s %s_%s", words[m->state], m->version, m->name);
        if (m->applied_at != NULL)
            printf("  %s", m->applied_at);
        putchar('\n');
    }
    printf("%zu applied, %zu pending", migrations.count[MIGRATION_APPLIED],
           migrations.count[MIGRATION_PENDING]);
    if (migrations.count[MIGRATION_CHANGED] > 0)
        printf(", %zu changed after they were applied", migrations.count[MIGRATION_CHANGED]);
    if (migrations.count[MIGRATION_MISSING] > 0)
        printf(", %zu applied without a file here", migrations.count[MIGRATION_MISSING]);
    putchar('\n');
    return migrations.list.n == migrations.count[MIGRATION_APPLIED] ? CMD_OK : CMD_FAILED;
}

int
cmd_migration(int argc, char **argv)
{
    const char *url = NULL;
    const struct cmd_option options[] = {{.name = "--database", .value = &url}, {0}};
    struct cmd_args args;
    PGconn *conn;
    int status;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n == 1 && strcmp(args.at[0], "snapshot") == 0)
        return cmd_snapshot();
    if (args.n != 1 || (strcmp(args.at[0], "run") != 0 && strcmp(args.at[0], "status") != 0))
        return cmd_usage("migration", "`run`, `status` or `snapshot`?");
    url = database_url(url);
    if (url == NULL)
        return cmd_usage("migration", "no database: give --database or set "
                                      "MIGRATION_DATABASE_URL");
    conn = migration_connect(url);
    if (conn == NULL)
        return CMD_FAILED;
    status = strcmp(args.at[0], "run") == 0 ? run(conn) : print_status(conn);
    PQfinish(conn);
    return status;
}

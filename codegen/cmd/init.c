/* SPDX-License-Identifier: MIT */
/* A new project: small enough to read at once, and whole enough to run. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "emit/out.h"

static const char help[] =
    "Usage: pgstack init DIR\n"
    "\n"
    "Makes a new project in DIR, which is new or empty: a schema of notes, each seen by its\n"
    "owner alone.  `pgstack dev -C DIR` runs it.\n";

/* clang-format off */
static const char schema[] =
    "-- What there is.  `pgstack check` reads this folder and policies/.\n"
    "\n"
    "pgstack 1;\n"
    "app @app@;\n"
    "\n"
    "table note (\n"
    "  id          bigint primary key generated always as identity,\n"
    "  owner_id    uuid not null default auth.uid(),\n"
    "  title       text not null check (length(title) between 1 and 200),\n"
    "  body        text not null default '',\n"
    "  created_at  timestamptz not null default now(),\n"
    "\n"
    "  index (owner_id, created_at desc),\n"
    ");\n";

static const char policies[] =
    "-- Who may do what, and where it is served.\n"
    "\n"
    "grant select, insert (title, body), update (title, body), delete on note to authenticated;\n"
    "\n"
    "policy own_notes on note for select, insert, update, delete to authenticated\n"
    "  using (owner_id = auth.uid())\n"
    "  with check (owner_id = auth.uid());\n"
    "\n"
    "endpoint note;\n";

static const char demo[] =
    "-- `pgstack dev` loads this into a new database, and gives you a token of the first user.\n"
    "\n"
    "insert into pgstack.users (id, email) values\n"
    "  ('00000000-0000-4000-8000-000000000001', 'ada@example.com'),\n"
    "  ('00000000-0000-4000-8000-000000000002', 'grace@example.com')\n"
    "on conflict do nothing;\n"
    "\n"
    "insert into public.note (owner_id, title, body) values\n"
    "  ('00000000-0000-4000-8000-000000000001', 'Buy milk', 'Two litres.'),\n"
    "  ('00000000-0000-4000-8000-000000000001', 'Call Grace', ''),\n"
    "  ('00000000-0000-4000-8000-000000000002', 'A note that Ada never sees', '');\n";

static const char readme[] =
    "# @app@\n"
    "\n"
    "An API in front of PostgreSQL, compiled from `schema/` and `policies/` by pgstack.\n"
    "\n"
    "    pgstack dev          # a private PostgreSQL, the migrations, the server; prints what to try\n"
    "    pgstack check        # what is wrong with the schema\n"
    "    pgstack generate     # generated/ and migrations/: commit both\n"
    "    pgstack build        # build/server/@app@, the program to deploy\n"
    "\n"
    "While `pgstack dev` runs, in another terminal:\n"
    "\n"
    "    . build/dev/env\n"
    "    curl http://127.0.0.1:$PORT/rest/v1/note -H \"Authorization: Bearer $DEMO_TOKEN\"\n"
    "    curl http://127.0.0.1:$PORT/rest/v1/note -H \"Authorization: Bearer $DEMO_TOKEN\" \\\n"
    "      -H 'Content-Type: application/json' -d '{\"title\": \"Hello\"}'\n"
    "\n"
    "Next: add a column to `schema/notes.schema`, run `pgstack dev` again, and read\n"
    "`generated/access.txt`: it says who may do what.  A changed schema gets a new database, with\n"
    "`demo/data.sql` in it; the old one is kept under another name.\n"
    "\n"
    "To deploy: apply the migrations with `pgstack migration run --database URL` as a role that may\n"
    "create roles, give the logins `authenticator` and `authenticator_admin` a password\n"
    "(`alter role authenticator password '...'`), set what `.env.example` lists and\n"
    "`PGSTACK_ENV=production`, and start `build/server/@app@`; `--check` only tries the settings.\n";

static const char env_example[] =
    "# Copy to .env, or set these in the environment.  `pgstack dev` needs none of them.\n"
    "\n"
    "# The server's logins; never a superuser or an owner of tables.\n"
    "DATABASE_URL=postgres://authenticator:PASSWORD@127.0.0.1:5432/app\n"
    "ADMIN_DATABASE_URL=postgres://authenticator_admin:PASSWORD@127.0.0.1:5432/app\n"
    "\n"
    "# What live queries are fed from; PostgreSQL needs wal_level=logical.\n"
    "#LIVE_DATABASE_URL=postgres://pgstack_replicator:PASSWORD@127.0.0.1:5432/app\n"
    "\n"
    "# For `pgstack migration run` alone; keep it away from the server.\n"
    "#MIGRATION_DATABASE_URL=postgres://postgres:PASSWORD@127.0.0.1:5432/app\n"
    "\n"
    "# Each from `openssl rand -hex 32`.\n"
    "JWT_SECRET=\n"
    "ANON_KEY=\n"
    "SERVICE_ROLE_KEY=\n"
    "\n"
    "PORT=8080\n";

static const char gitignore[] =
    "build/\n"
    ".env\n";
/* clang-format on */

static const struct first_file {
    const char *path;
    const char *text;
    bool has_holes; /* @app@; elsewhere an @ is an @ */
} first_files[] = {
    {"schema/notes.schema", schema, true}, {"policies/notes.schema", policies, false},
    {"demo/data.sql", demo, false},        {"README.md", readme, true},
    {".env.example", env_example, false},  {".gitignore", gitignore, false},
};

/* A folder that git has just made counts as empty. */
static bool
enter_new_folder(const char *path)
{
    const struct dirent *entry;
    bool empty = true;
    DIR *dir;

    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return cmd_fail("%s: %s", path, strerror(errno)), false;
    if (chdir(path) != 0 || (dir = opendir(".")) == NULL)
        return cmd_fail("%s: %s", path, strerror(errno)), false;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, ".git") != 0)
            empty = false;
    closedir(dir);
    if (!empty)
        return cmd_fail("%s is not empty: `init` makes a new project only", path), false;
    return true;
}

/* The folder's name as a name of the language; `pgstack init .` works too. */
static const char *
app_name(void)
{
    char path[4096];
    const char *from;
    char *name;
    size_t n = 0;

    if (getcwd(path, sizeof(path)) == NULL)
        return "app";
    from = strrchr(path, '/') + 1;
    name = arena_copy(from, strlen(from));
    for (; *from != '\0' && n < 40; from++) {
        char lower = (char)(*from >= 'A' && *from <= 'Z' ? *from | 0x20 : *from);

        if ((lower >= 'a' && lower <= 'z') || (n > 0 && lower >= '0' && lower <= '9'))
            name[n++] = lower;
        else if (n > 0 && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n > 0 && name[n - 1] == '_')
        n--;
    name[n] = '\0';
    return n == 0 ? "app" : name;
}

int
cmd_init(int argc, char **argv)
{
    struct cmd_args args;
    const char *app;
    size_t n_written;
    int status;

    if (!cmd_parse(argc, argv, help, NULL, &args, &status))
        return status;
    if (args.n != 1)
        return cmd_usage("init", "which folder?");
    if (!enter_new_folder(args.at[0]))
        return CMD_FAILED;
    app = app_name();
    for (size_t i = 0; i < sizeof(first_files) / sizeof(first_files[0]); i++) {
        struct out *out = out_file(first_files[i].path);

        if (first_files[i].has_holes)
            out_fill(out, first_files[i].text, "app", app, NULL);
        else
            out_add(out, first_files[i].text);
    }
    if (!out_save("generated", &n_written))
        return CMD_FAILED;
    printf("%s is a new project.  Next:\n\n  pgstack dev -C %s\n", app, args.at[0]);
    return CMD_OK;
}

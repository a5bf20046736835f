/* SPDX-License-Identifier: MIT */
/*
 * Signals are blocked from the first child on and taken one by one, so that a stop never comes in
 * the middle of a step; before that, Ctrl-C ends us as it ends any program.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "dev/dev.h"
#include "dev/process.h"
#include "dev/settings.h"

static const char help[] =
    "Usage: pgstack dev [-C DIR] [--port N] [--no-demo] [--reset]\n"
    "\n"
    "Builds the project, starts a private PostgreSQL in build/dev, applies the migrations, loads\n"
    "demo/data.sql into a new database, and serves on 127.0.0.1.  Ctrl-C stops what it started.\n"
    "\n"
    "--port N   instead of PORT, or 8080; 0 takes any free one\n"
    "--no-demo  leave demo/data.sql out\n"
    "--reset    begin with an empty database; the present one is kept under another name\n"
    "\n"
    "A schema that has changed gets a new database; the present one is kept under another name.\n"
    "Keys and settings come from the environment and .env, as the server's do; what is not there\n"
    "is made once.  The database is always the private one.  build/dev/env has the port, keys and\n"
    "addresses, for scripts.\n";

static bool
read_port(const char *text, int *port)
{
    char *end;
    long n = strtol(text, &end, 10);

    *port = (int)n;
    return *text != '\0' && *end == '\0' && n >= 0 && n <= 65535;
}

static bool
choose_ports(struct dev *dev, const char *given)
{
    const char *port = given != NULL ? given : setting_get("PORT");
    const char *admin_port = setting_get("ADMIN_PORT");

    if (!read_port(port != NULL ? port : "8080", &dev->port))
        return cmd_usage("dev", "\"%s\" is no port", port), false;
    if (!read_port(admin_port != NULL ? admin_port : "0", &dev->admin_port))
        return cmd_usage("dev", "\"%s\" is no port", admin_port), false;
    if (dev->port == 0)
        dev->port = dev_free_port();
    if (dev->admin_port == 0)
        dev->admin_port = dev_other_port(dev);
    if (!dev_port_is_free(dev->port))
        return cmd_fail("port %d is taken by another program; stop that, or choose another: "
                        "PORT=%d make run, or pgstack dev --port %d",
                        dev->port, dev->port + 1, dev->port + 1),
               false;
    return true;
}

static void
signals_we_take(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCHLD);
}

static bool
stop_was_asked(const sigset_t *set)
{
    const struct timespec now = {0};
    int signal;

    while ((signal = sigtimedwait(set, NULL, &now)) > 0)
        if (signal != SIGCHLD)
            return true;
    return false;
}

/* Until someone asks to stop (true), or a child ends by itself (false: printed). */
static bool
wait_for_end(struct dev *dev, const sigset_t *set)
{
    for (;;) {
        if (sigwaitinfo(set, NULL) != SIGCHLD)
            return true;
        if (!process_is_running(&dev->server)) {
            process_print_log(DEV_SERVER_LOG, 10);
            return cmd_fail("the server has ended by itself; its log is " DEV_SERVER_LOG), false;
        }
        if (!process_is_running(&dev->postgres))
            return cmd_fail("PostgreSQL has ended by itself; its log is %s/postgres.log",
                            dev->home),
                   false;
    }
}

/* True: it ran and was stopped. */
static bool
run(struct dev *dev, const char *program, const struct model *model,
    const struct dev_database_options *options)
{
    sigset_t set;

    signals_we_take(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (!dev_postgres_start(dev))
        return false;
    if (stop_was_asked(&set))
        return true;
    if (!dev_database_prepare(dev, options))
        return false;
    if (stop_was_asked(&set))
        return true;
    if (!dev_server_start(dev, program) || !dev_write_env(dev))
        return false;
    dev_greet(dev, model);
    return wait_for_end(dev, &set);
}

int
cmd_dev(int argc, char **argv)
{
    const char *port = NULL;
    struct dev_database_options database = {0};
    const struct cmd_option options[] = {{.name = "--port", .value = &port},
                                         {.name = "--no-demo", .flag = &database.no_demo},
                                         {.name = "--reset", .flag = &database.reset},
                                         {0}};
    struct cmd_args args;
    struct dev dev = {0};
    const struct model *model;
    const char *program;
    int status;
    bool ok;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("dev", "unexpected \"%s\"", args.at[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    dev_forget_libpq_variables();
    if (!dev_open(&dev) || !choose_ports(&dev, port) || !cmd_make_server(&program) ||
        (model = cmd_load()) == NULL)
        return CMD_FAILED;
    ok = run(&dev, program, model, &database);
    dev_forget_env();
    dev_server_stop(&dev);
    dev_postgres_stop(&dev);
    if (ok)
        puts("stopped");
    return ok ? CMD_OK : CMD_FAILED;
}

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
    "demo/data.sql into a new database, and serves on 127.0.0.1.  When a file of schema/ or "
    "policies/\n"
    "changes, or .env, it builds again, and the server is exchanged without a failed request; "
    "with\n"
    "errors in the schema it goes on as it was.  Ctrl-C stops what it started.\n"
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

struct watch {
    const char *program;
    bool no_demo;
    uint64_t built, seen; /* stamps of the sources */
};

/* In a process of its own: what we know of the sources is from our start.  False: printed. */
static bool
build_again(const char *program)
{
    const char *self = arena_printf("%s/pgstack", cmd_program_dir());
    const struct source *log;
    pid_t pid = process_start(&(struct process){
        .argv = (const char *const[]){self, "build", NULL},
        .log = DEV_BUILD_LOG,
        .death_signal = SIGTERM,
    });
    bool ok = process_wait(pid);
    const char *last;

    log = source_read(".", DEV_BUILD_LOG);
    last = log == NULL ? NULL : strstr(log->text, arena_printf("%s\n", program));
    if (log != NULL)
        fwrite(log->text, 1, last == NULL ? log->len : (size_t)(last - log->text), stderr);
    if (ok && last == NULL)
        cmd_fail("the name of the application has changed: stop dev and start it again");
    return ok && last != NULL;
}

/* False: printed, and the server goes on as it was. */
static bool
exchange(struct dev *dev, const struct watch *watch)
{
    const struct dev_database_options options = {.no_demo = watch->no_demo, .beside = true};
    const char *old = dev->database;

    if (!build_again(watch->program))
        return false;
    if (dev_database_prepare(dev, &options) && dev_server_swap(dev))
        return true;
    dev_database_abandon(dev, old);
    (void)dev_server_write_settings(dev);
    return false;
}

/* Looks at the sources; takes a change in when they have been at rest for one look. */
static bool
watch_sources(struct dev *dev, struct watch *watch)
{
    uint64_t now = dev_sources_stamp();
    bool rests = now == watch->seen;

    watch->seen = now;
    if (now == watch->built || !rests)
        return true;
    watch->built = now;
    puts("the sources have changed");
    if (!exchange(dev, watch)) {
        puts("the server goes on as it was");
        return true;
    }
    puts("the server has been exchanged");
    return dev_database_remember(dev) && dev_write_env(dev);
}

/* Until someone asks to stop (true), or a child ends by itself (false: printed). */
static bool
wait_for_end(struct dev *dev, struct watch *watch, const sigset_t *set)
{
    const struct timespec look = {.tv_nsec = 200 * 1000 * 1000};

    for (;;) {
        int signal = sigtimedwait(set, NULL, &look);

        if (signal > 0 && signal != SIGCHLD)
            return true;
        if (!watch_sources(dev, watch))
            return false;
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
run(struct dev *dev, struct watch *watch, const struct model *model,
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
    if (!dev_server_start(dev, watch->program) || !dev_write_env(dev))
        return false;
    dev_greet(dev, model);
    return wait_for_end(dev, watch, &set);
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
    struct watch watch;
    int status;
    bool ok;

    if (!cmd_parse(argc, argv, help, options, &args, &status))
        return status;
    if (args.n > 0)
        return cmd_usage("dev", "unexpected \"%s\"", args.at[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    dev_forget_libpq_variables();
    watch = (struct watch){.no_demo = database.no_demo, .built = dev_sources_stamp()};
    if (!dev_open(&dev) || !choose_ports(&dev, port) || !cmd_make_server(&watch.program) ||
        (model = cmd_load()) == NULL)
        return CMD_FAILED;
    ok = run(&dev, &watch, model, &database);
    dev_forget_env();
    dev_server_stop(&dev);
    dev_postgres_stop(&dev);
    if (ok)
        puts("stopped");
    return ok ? CMD_OK : CMD_FAILED;
}

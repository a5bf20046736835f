/* SPDX-License-Identifier: MIT */
/*
 * The command line of a compiled application.  In order: settings, listening sockets; here the
 * supervisor stays behind, and a generation goes on: login roles, then serving.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/memory.h"
#include "config/shares.h"
#include "dump/dump.h"
#include "http/listen.h"
#include "logins.h"
#include "pgs/app.h"
#include "process/supervisor.h"
#include "serve.h"

extern char **environ;

/* Files as many as allowed, no core dumps (they would hold keys), no end by a closed socket. */
static void
set_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    limit = (struct rlimit){0, 0};
    (void)setrlimit(RLIMIT_CORE, &limit);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void
print_help(const char *program)
{
    printf("usage: %s [--check] [--dump-sql] [--show-limits] [--env-file FILE] [--version] "
           "[--help]\n\n"
           "Serves the API of %s.  Settings come from the environment and from .env\n"
           "(or FILE); the environment wins.\n\n"
           "  --check        look at the settings and the login roles, then exit\n"
           "  --dump-sql     print every statement that can be sent to PostgreSQL, then exit\n"
           "  --show-limits  print what clients can run into, and which setting moves it\n\n",
           program, pgs_app.name);
    for (size_t i = 0; i < pgs_n_settings; i++) {
        const struct pgs_setting *setting = &pgs_settings[i];

        printf("  %-22s %s", setting->name, setting->meaning);
        if (setting->fallback != NULL)
            printf(" [%s]", setting->fallback);
        printf("\n");
    }
}

/* Reads the command line: 0 go on, 1 exit well, 2 exit badly. */
static int
read_arguments(int argc, char **argv, const char **env_file, bool *check)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(argv[0]);
            return 1;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s, by pgstack %s, schema %s\n", pgs_app.name, pgs_app.version,
                   pgs_app.fingerprint);
            return 1;
        }
        if (strcmp(argv[i], "--dump-sql") == 0) {
            pgs_dump_sql(stdout, &pgs_app);
            return 1;
        }
        if (strcmp(argv[i], "--show-limits") == 0) {
            pgs_limits_print(stdout);
            return 1;
        }
        if (strcmp(argv[i], "--check") == 0) {
            *check = true;
        } else if (strcmp(argv[i], "--env-file") == 0 && i + 1 < argc) {
            *env_file = argv[++i];
        } else {
            fprintf(stderr, "%s: unknown argument \"%s\"; try --help\n", argv[0], argv[i]);
            return 2;
        }
    }
    return 0;
}

static bool
listen_on(const char *setting, const char *host, int port, int sets,
          struct pgs_listeners *listeners)
{
    char why[256];

    if (pgs_listen(host, (uint16_t)port, sets, listeners, why))
        return true;
    fprintf(stderr, "%s: %s\n", setting, why);
    return false;
}

/* False: told why. */
static bool
open_listeners(const struct pgs_config *config, struct pgs_handover *handover)
{
    int threads = pgs_shares_of(config, sysconf(_SC_NPROCESSORS_ONLN)).threads;
    struct pgs_listeners listeners, admin;

    if (!listen_on("PORT", config->host, config->port, threads, &listeners))
        return false;
    handover->sets = listeners.sets;
    handover->n_fds = pgs_listeners_count(&listeners);
    handover->fds = listeners.fds;
    if (config->admin_port == 0)
        return true;
    if (!listen_on("ADMIN_PORT", "127.0.0.1", config->admin_port, 1, &admin))
        return false;
    handover->admin_fd = admin.fds[0];
    free(admin.fds);
    return true;
}

/* `host port admin_port`, as configured. */
static const char *
address_of(const struct pgs_config *config)
{
    static char address[300];

    (void)snprintf(address, sizeof(address), "%s %d %d", config->host, config->port,
                   config->admin_port);
    return address;
}

/* The sockets are those of the supervisor, as it was started. */
static bool
listens_where_configured(const struct pgs_config *config, const struct pgs_handover *handover)
{
    if (strcmp(address_of(config), handover->address) == 0)
        return true;
    fprintf(stderr, "config: HOST, PORT, ADMIN_PORT: changed; stop the server and start it\n");
    return false;
}

/* The path by which we were started: another file may be there when it is executed again. */
static const char *
program_path(const char *name)
{
    static char path[4096];
    ssize_t len;

    if (strchr(name, '/') != NULL)
        return name;
    len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    return path;
}

static int
supervise(const struct pgs_config *config, char **argv, char **env, struct pgs_handover *handover)
{
    struct pgs_supervised what = {
        .program = program_path(argv[0]),
        .argv = argv,
        .env = env,
        .handover = *handover,
        .stop_ms = config->stop_timeout_ms,
        .retire_ms = pgs_serve_retire_ms(config),
    };
    int status = pgs_supervise(&what);

    *handover = what.handover;
    return status;
}

static int
serve(const struct pgs_config *config, const struct pgs_handover *handover)
{
    if (handover->supervisor == 0)
        (void)signal(SIGCHLD, SIG_IGN); /* as process 1 we inherit children */
    (void)prctl(PR_SET_NAME, pgs_app.name);
    return pgs_serve(config, handover);
}

/* Before settings are read into it. */
static char **
copy_environment(void)
{
    size_t n = 0;
    char **copy;

    while (environ[n] != NULL)
        n++;
    copy = calloc(n + 1, sizeof(*copy));
    if (copy == NULL)
        abort();
    memcpy(copy, environ, n * sizeof(*copy));
    return copy;
}

int
main(int argc, char **argv)
{
    static char **env;                   /* the environment points into it */
    static struct pgs_handover handover; /* they live until the process ends, as what they hold */
    static struct pgs_config config;
    const char *env_file = ".env";
    bool check = false;
    int status = read_arguments(argc, argv, &env_file, &check);

    if (status != 0)
        return status == 1 ? 0 : 2;
    if (!pgs_handover_read(&handover)) {
        fprintf(stderr, "%s: the supervisor is of another version; stop it and start it\n", *argv);
        return 1;
    }
    env = copy_environment();
    if (!pgs_env_file_read(env_file, stderr) || !pgs_config_read(&config, stderr))
        return 1;
    set_limits();
    pgs_memory_open();
    pgs_log_open(STDERR_FILENO, config.log_level);
    if (check) {
        if (!pgs_logins_check(&config))
            return 1;
        printf("settings and login roles are fine\n");
        return 0;
    }
    if (handover.supervisor != 0)
        return listens_where_configured(&config, &handover) ? serve(&config, &handover) : 1;
    handover.address = address_of(&config);
    if (!open_listeners(&config, &handover))
        return 1;
    status = config.supervise ? supervise(&config, argv, env, &handover) : PGS_IS_GENERATION;
    return status == PGS_IS_GENERATION ? serve(&config, &handover) : status;
}

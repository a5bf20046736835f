/* SPDX-License-Identifier: MIT */
/*
 * The command line of a compiled application.  In order: settings, login roles, then serving.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/limit.h"
#include "config/config.h"
#include "db/login.h"
#include "dump/dump.h"
#include "pgs/app.h"
#include "serve.h"

enum {
    CONNECT_TRIES = 20, /* half a second apart */
};

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

static const char *const *
relation_names(void)
{
    const char **names;
    size_t n = 0;

    while (pgs_app.relations[n] != NULL)
        n++;
    names = calloc(n + 1, sizeof(*names));
    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = pgs_app.relations[i]->sql;
    return names;
}

/* The roles that requests may take over this connection. */
static const char *const *
role_names(bool admin)
{
    const char **names = calloc(pgs_app.n_roles + 1, sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; names != NULL && i < pgs_app.n_roles; i++)
        if ((i == 2) == admin)
            names[n++] = pgs_app.roles[i].name;
    return names;
}

static bool
check_login(const char *variable, const char *url, bool admin)
{
    static const struct timespec pause = {0, 500000000};
    struct pgs_login_rules rules = {relation_names(), role_names(admin),
                                    admin ? NULL : pgs_app.roles[2].name};
    enum pgs_login_result result = PGS_LOGIN_UNREACHABLE;
    char why[512] = "out of memory";

    for (int i = 0; i < CONNECT_TRIES && result == PGS_LOGIN_UNREACHABLE; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        if (rules.relations != NULL && rules.roles != NULL)
            result = pgs_login_check(url, &rules, why, sizeof(why));
    }
    free((void *)rules.relations);
    free((void *)rules.roles);
    if (result == PGS_LOGIN_OK)
        return true;
    fprintf(stderr, "%s: %s\n", variable, why);
    return false;
}

static bool
check_logins(const struct pgs_config *config)
{
    return check_login("DATABASE_URL", config->database_url, false) &&
           (config->admin_database_url == NULL ||
            check_login("ADMIN_DATABASE_URL", config->admin_database_url, true));
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

int
main(int argc, char **argv)
{
    struct pgs_config config;
    const char *env_file = ".env";
    bool check = false;
    int arguments = read_arguments(argc, argv, &env_file, &check);

    if (arguments != 0)
        return arguments == 1 ? 0 : 2;
    if (!pgs_env_file_read(env_file, stderr) || !pgs_config_read(&config, stderr))
        return 1;
    set_limits();
    pgs_log_open(STDERR_FILENO, config.log_level);
    if (!check_logins(&config))
        return 1;
    if (check) {
        printf("settings and login roles are fine\n");
        return 0;
    }
    return pgs_serve(&config);
}

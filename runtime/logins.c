/* SPDX-License-Identifier: MIT */
#include "logins.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pgs/app.h"

enum {
    CONNECT_TRIES = 20,
    PAUSE_MS = 500, /* between them */
};

static const char *const *
relation_names(void)
{
    const char **names;
    size_t n = 0;

    while (pgs_app.relations[n] != NULL)
        n++;
    names = calloc(n + 1, sizeof(*names));
    if (names == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        names[i] = pgs_app.relations[i]->sql;
    return names;
}

static void
say_unreachable(const char *variable, const char *why)
{
    fprintf(stderr, "%s: %s; trying again for %d s\n", variable, why,
            CONNECT_TRIES * PAUSE_MS / 1000);
}

/* The roles that requests may take over this connection. */
static const char *const *
role_names(bool admin)
{
    const char **names = calloc(pgs_app.n_roles + 1, sizeof(*names));
    size_t n = 0;

    if (names == NULL)
        abort();
    for (size_t i = 0; i < pgs_app.n_roles; i++)
        if ((i == 2) == admin)
            names[n++] = pgs_app.roles[i].name;
    return names;
}

static struct pgs_login_rules
make_rules(bool admin)
{
    return (struct pgs_login_rules){relation_names(), role_names(admin),
                                    admin ? NULL : pgs_app.roles[2].name};
}

static void
free_rules(struct pgs_login_rules *rules)
{
    free((void *)rules->relations);
    free((void *)rules->roles);
}

struct pgs_login
pgs_logins_get(bool admin)
{
    struct pgs_login_rules rules = make_rules(admin);
    struct pgs_login login = pgs_login_of(&rules);

    free_rules(&rules);
    return login;
}

static bool
can_try(const char *variable, const char *url)
{
    char why[512];

    if (pgs_login_can_try(url, why, sizeof(why)))
        return true;
    fprintf(stderr, "%s: %s\n", variable, why);
    return false;
}

bool
pgs_logins_can_try(const struct pgs_config *config)
{
    return can_try("DATABASE_URL", config->database_url) &&
           (config->admin_database_url == NULL ||
            can_try("ADMIN_DATABASE_URL", config->admin_database_url));
}

static bool
check_login(const char *variable, const char *url, bool admin)
{
    static const struct timespec pause = {0, PAUSE_MS * 1000000L};
    struct pgs_login_rules rules = make_rules(admin);
    enum pgs_login_result result = PGS_LOGIN_UNREACHABLE;
    char why[512];

    for (int i = 0; i < CONNECT_TRIES && result == PGS_LOGIN_UNREACHABLE; i++) {
        if (i == 1)
            say_unreachable(variable, why);
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        result = pgs_login_check(url, &rules, why, sizeof(why));
    }
    free_rules(&rules);
    if (result == PGS_LOGIN_OK)
        return true;
    fprintf(stderr, "%s: %s\n", variable, why);
    return false;
}

bool
pgs_logins_check(const struct pgs_config *config)
{
    return check_login("DATABASE_URL", config->database_url, false) &&
           (config->admin_database_url == NULL ||
            check_login("ADMIN_DATABASE_URL", config->admin_database_url, true));
}

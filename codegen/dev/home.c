/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL refuses to run as root.  For root it runs as the user of Debian's packages, and its
 * files are where that user can reach them: in the project, or, where a folder above it is closed
 * to others (a clone in /root), under /var/lib.
 */
#include "dev/dev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "dev/settings.h"
#include "dev/token.h"

extern char **environ;

static bool
make_folders(const char *path, mode_t mode)
{
    char *copy = arena_copy(path, strlen(path));

    for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            return fail_print("%s: %s", copy, strerror(errno)), false;
        if (slash == NULL)
            return true;
        *slash = '/';
    }
}

/* All folders on the way may be entered by the user. */
static bool
can_reach(const char *path, const struct passwd *user)
{
    char *copy = arena_copy(path, strlen(path));

    for (char *end = copy + strlen(copy); end > copy; end = strrchr(copy, '/')) {
        struct stat st;
        mode_t needed;

        *end = '\0';
        if (stat(*copy == '\0' ? "/" : copy, &st) != 0)
            return false;
        needed = st.st_uid == user->pw_uid   ? S_IXUSR
                 : st.st_gid == user->pw_gid ? S_IXGRP
                                             : S_IXOTH;
        if ((st.st_mode & needed) == 0)
            return false;
        if (*copy == '\0')
            break;
    }
    return true;
}

/* The same folder for the same project, and no two projects in one. */
static const char *
folder_under_var(const char *path)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (const char *at = path; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    return arena_printf("/var/lib/pgstack-dev/%016llx", (unsigned long long)hash);
}

static bool
choose_home(struct dev *dev)
{
    char project[PATH_MAX];
    const char *path;

    if (getcwd(project, sizeof(project)) == NULL)
        return fail_print("this folder: %s", strerror(errno)), false;
    path = dev->home = arena_printf("%s/" DEV_DIR, project);
    if (geteuid() != 0)
        return true;
    dev->postgres_user = getpwnam("postgres");
    if (dev->postgres_user == NULL)
        dev->postgres_user = getpwnam("nobody");
    if (dev->postgres_user == NULL)
        return fail_print("PostgreSQL does not run as root, and there is no user \"postgres\""),
               false;
    if (can_reach(path, dev->postgres_user))
        return true;
    dev->home = folder_under_var(path);
    return make_folders(dev->home, 0755);
}

/* Held until we exit; a child does not inherit it. */
static bool
lock(void)
{
    int fd = open(DEV_DIR "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char pid[32] = "";

    if (fd < 0)
        return fail_print(DEV_DIR "/lock: %s", strerror(errno)), false;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(fd, pid, sizeof(pid) - 1);

        pid[n > 0 ? n : 0] = '\0';
        return fail_print("this project runs already (process %d); stop that one first", atoi(pid)),
               false;
    }
    snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, pid, strlen(pid)) < 0)
        return fail_print(DEV_DIR "/lock: %s", strerror(errno)), false;
    return true;
}

bool
dev_write_private(const char *path, const char *text)
{
    const char *temporary = arena_printf("%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (!ok || rename(temporary, path) != 0)
        return fail_print("%s: %s", path, strerror(errno)), false;
    return true;
}

/* What is kept in home/secrets, and whether the developer's own setting goes before it. */
static const struct secret {
    const char *name;
    size_t offset; /* of the const char * in struct dev */
    bool settable;
} secrets[] = {
    {"POSTGRES_PASSWORD", offsetof(struct dev, superuser_password), false},
    {"AUTHENTICATOR_PASSWORD", offsetof(struct dev, authenticator_password), false},
    {"AUTHENTICATOR_ADMIN_PASSWORD", offsetof(struct dev, admin_password), false},
    {"REPLICATOR_PASSWORD", offsetof(struct dev, replicator_password), false},
    {"JWT_SECRET", offsetof(struct dev, jwt_secret), true},
    {"ANON_KEY", offsetof(struct dev, anon_key), true},
    {"SERVICE_ROLE_KEY", offsetof(struct dev, service_role_key), true},
};

/* They are as old as the data folder, whose passwords they are; what is new is written. */
static bool
read_secrets(struct dev *dev)
{
    const struct source *file = source_read(dev->home, "secrets");
    const char *text = "";
    bool changed = false;

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const struct secret *secret = &secrets[i];
        const char *kept = file == NULL ? NULL : setting_in(file->text, secret->name);
        const char *own = secret->settable ? setting_get(secret->name) : NULL;

        if (kept == NULL || *kept == '\0') {
            kept = token_random();
            changed = true;
        }
        text = arena_printf("%s%s=%s\n", text, secret->name, kept);
        memcpy((char *)dev + secret->offset, own != NULL ? &own : &kept, sizeof(own));
    }
    return !changed || dev_write_private(arena_printf("%s/secrets", dev->home), text);
}

static bool
loopback_socket(int port, int *fd, struct sockaddr_in *address)
{
    const int yes = 1;

    *address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return *fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
           bind(*fd, (struct sockaddr *)address, sizeof(*address)) == 0;
}

bool
dev_port_is_free(int port)
{
    struct sockaddr_in address;
    int fd;
    bool ok = loopback_socket(port, &fd, &address);

    close(fd);
    return ok;
}

int
dev_free_port(void)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int fd;
    bool ok = loopback_socket(0, &fd, &address) &&
              getsockname(fd, (struct sockaddr *)&address, &len) == 0;

    close(fd);
    return ok ? ntohs(address.sin_port) : 0;
}

int
dev_other_port(const struct dev *dev)
{
    int port;

    do
        port = dev_free_port();
    while (port != 0 && (port == dev->port || port == dev->admin_port));
    return port;
}

const char *
dev_url(const struct dev *dev, const char *user, const char *password)
{
    return arena_printf("postgres://%s:%s@127.0.0.1:%d/%s", user, password, dev->postgres_port,
                        dev->database);
}

bool
dev_write_env(const struct dev *dev)
{
    return dev_write_private(
        DEV_ENV,
        arena_printf("PORT=%d\nADMIN_PORT=%d\nANON_KEY=%s\nSERVICE_ROLE_KEY=%s\nJWT_SECRET=%s\n"
                     "DATABASE_URL=%s\nADMIN_DATABASE_URL=%s\nMIGRATION_DATABASE_URL=%s\n"
                     "LIVE_DATABASE_URL=%s\n"
                     "DEMO_TOKEN=%s\n",
                     dev->port, dev->admin_port, dev->anon_key, dev->service_role_key,
                     dev->jwt_secret, dev_url(dev, "authenticator", dev->authenticator_password),
                     dev_url(dev, "authenticator_admin", dev->admin_password),
                     dev_url(dev, "postgres", dev->superuser_password),
                     dev_url(dev, "pgstack_replicator", dev->replicator_password),
                     dev->demo_token));
}

void
dev_forget_env(void)
{
    unlink(DEV_ENV);
}

void
dev_forget_libpq_variables(void)
{
    for (size_t i = 0; environ[i] != NULL;) {
        const char *equals = strchr(environ[i], '=');

        if (equals != NULL && strncmp(environ[i], "PG", 2) == 0 &&
            strncmp(environ[i], "PGSTACK_", 8) != 0)
            unsetenv(arena_copy(environ[i], (size_t)(equals - environ[i])));
        else
            i++;
    }
}

static void
read_database(struct dev *dev)
{
    const struct source *file = source_read(dev->home, "database");

    dev->database = file != NULL && strcmp(file->text, DEV_OTHER_DATABASE) == 0 ? DEV_OTHER_DATABASE
                                                                                : DEV_DATABASE;
}

bool
dev_open(struct dev *dev)
{
    if (!make_folders(DEV_DIR, 0755) || !lock() || !choose_home(dev) || !read_secrets(dev))
        return false;
    read_database(dev);
    dev_forget_env();
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The private PostgreSQL.  We start `postgres` itself, as a child, not pg_ctl's daemon: when it
 * ends we know, and when we end it does.
 *
 * A PostgreSQL that is left over in our data folder (we were killed with no time to stop it) is
 * stopped first; it can be nobody else's, since we hold the project's lock.
 */
#include "dev/dev.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/fail.h"
#include "dev/process.h"

#define OLDEST_VERSION 15
#define START_SECONDS 120 /* after a crash it replays its log first */
#define SOCKET_PATH_MAX 107

static void
pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};

    nanosleep(&pause, NULL);
}

static const char *
data_folder(const struct dev *dev)
{
    return arena_printf("%s/postgres", dev->home);
}

static const char *
log_file(const struct dev *dev)
{
    return arena_printf("%s/postgres.log", dev->home);
}

/* The major version that the data folder was made by; 0: there is none yet. */
static int
data_version(const struct dev *dev)
{
    const struct source *file = source_read(data_folder(dev), "PG_VERSION");

    return file == NULL ? 0 : atoi(file->text);
}

/* The programs of `version` (0: the newest), where Debian puts them; NULL: none. */
static const char *
find_programs(int version)
{
    DIR *dir = opendir("/usr/lib/postgresql");
    const struct dirent *entry;
    int best = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int found = atoi(entry->d_name);
        const char *initdb = arena_printf("/usr/lib/postgresql/%d/bin/initdb", found);

        if (found >= OLDEST_VERSION && found > best && (version == 0 || version == found) &&
            access(initdb, X_OK) == 0)
            best = found;
    }
    if (dir != NULL)
        closedir(dir);
    return best == 0 ? NULL : arena_printf("/usr/lib/postgresql/%d/bin", best);
}

static bool
make_folder(const struct dev *dev, const char *path)
{
    const struct passwd *user = dev->postgres_user;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_print("%s: %s", path, strerror(errno)), false;
    if (user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0)
        return fail_print("%s: %s", path, strerror(errno)), false;
    return true;
}

/* initdb reads the superuser's password from a file; it is there for that moment only. */
static const char *
write_password_file(const struct dev *dev, const char *folder)
{
    const char *path = arena_printf("%s/password", folder);

    if (!dev_write_private(path, arena_printf("%s\n", dev->superuser_password)))
        return NULL;
    if (dev->postgres_user != NULL &&
        chown(path, dev->postgres_user->pw_uid, dev->postgres_user->pw_gid) != 0)
        return fail_print("%s: %s", path, strerror(errno)), NULL;
    return path;
}

/* In a folder beside the final one, which appears when all is well. */
static bool
make_cluster(const struct dev *dev, const char *programs)
{
    const char *making = arena_printf("%s/postgres.new", dev->home);
    const char *data = arena_printf("%s/data", making);
    const char *password;
    bool ok;

    fprintf(stderr, "making a private PostgreSQL in %s (once)\n", data_folder(dev));
    process_wait(process_start(&(struct process){
        .argv = (const char *const[]){"/bin/rm", "-rf", making, NULL}, .death_signal = SIGTERM}));
    if (!make_folder(dev, making) || (password = write_password_file(dev, making)) == NULL)
        return false;
    ok = process_wait(process_start(&(struct process){
        .argv = (const char *const[]){arena_printf("%s/initdb", programs), "-D", data, "-U",
                                      "postgres", "-A", "scram-sha-256", "--pwfile", password, "-E",
                                      "UTF8", "--locale", "C.UTF-8", "--no-sync", NULL},
        .log = log_file(dev),
        .user = dev->postgres_user,
        .death_signal = SIGTERM,
    }));
    unlink(password);
    if (!ok) {
        process_print_log(log_file(dev), 10);
        return fail_print("initdb failed; its output is in %s", log_file(dev)), false;
    }
    if (rename(data, data_folder(dev)) != 0)
        return fail_print("%s: %s", data, strerror(errno)), false;
    rmdir(making);
    return true;
}

/* The process works in our data folder: it is our PostgreSQL, and no other with its number. */
static bool
works_in(pid_t pid, const char *folder)
{
    char path[PATH_MAX];
    ssize_t n = readlink(arena_printf("/proc/%ld/cwd", (long)pid), path, sizeof(path) - 1);

    if (n < 0)
        return false;
    path[n] = '\0';
    return strcmp(path, folder) == 0;
}

static bool
clear_leftover(const struct dev *dev)
{
    const char *data = data_folder(dev);
    const struct source *file = source_read(data, "postmaster.pid");
    pid_t pid = file == NULL ? 0 : (pid_t)atol(file->text);

    if (file == NULL)
        return true;
    if (pid > 0 && works_in(pid, data)) {
        fputs("stopping the PostgreSQL that an earlier run left behind\n", stderr);
        kill(pid, SIGINT);
        for (int i = 0; i < 3000 && works_in(pid, data); i++)
            pause_ms(10);
        if (works_in(pid, data))
            return fail_print("process %ld does not stop", (long)pid), false;
    }
    unlink(arena_printf("%s/postmaster.pid", data));
    return true;
}

/* The port of last time if it is free, so that open database tools stay connected. */
static bool
choose_port(struct dev *dev)
{
    const char *path = arena_printf("%s/port", dev->home);
    const struct source *file = source_read(dev->home, "port");

    dev->postgres_port = file == NULL ? 0 : atoi(file->text);
    if (dev->postgres_port > 0 && dev->postgres_port != dev->port &&
        dev->postgres_port != dev->admin_port && dev_port_is_free(dev->postgres_port))
        return true;
    dev->postgres_port = dev_other_port(dev);
    return dev_write_private(path, arena_printf("%d\n", dev->postgres_port));
}

/* The kernel's limit on socket paths is short; without a socket there is still TCP. */
static const char *
socket_setting(const struct dev *dev)
{
    const char *folder = arena_printf("%s/socket", dev->home);

    if (strlen(folder) + strlen("/.s.PGSQL.65535.lock") > SOCKET_PATH_MAX ||
        !make_folder(dev, folder))
        return "unix_socket_directories=";
    return arena_printf("unix_socket_directories=%s", folder);
}

static bool
wait_until_ready(struct dev *dev)
{
    const char *url = arena_printf("postgres://postgres@127.0.0.1:%d/postgres?connect_timeout=2",
                                   dev->postgres_port);

    for (int i = 0; i < START_SECONDS * 100; i++) {
        if (!process_is_running(&dev->postgres))
            break;
        if (PQping(url) == PQPING_OK)
            return true;
        if (i == 300)
            fputs("waiting for PostgreSQL to recover\n", stderr);
        pause_ms(10);
    }
    process_print_log(log_file(dev), 10);
    return fail_print("PostgreSQL did not start; its log is %s", log_file(dev)), false;
}

bool
dev_postgres_start(struct dev *dev)
{
    int version = data_version(dev);
    const char *programs = find_programs(version);

    if (programs == NULL && version > 0)
        return fail_print("%s was made by PostgreSQL %d, which is not installed", data_folder(dev),
                          version),
               false;
    if (programs == NULL)
        return fail_print("there is no PostgreSQL %d or newer in /usr/lib/postgresql",
                          OLDEST_VERSION),
               false;
    if ((version == 0 && !make_cluster(dev, programs)) || !clear_leftover(dev) || !choose_port(dev))
        return false;
    dev->postgres = process_start(&(struct process){
        .argv =
            (const char *const[]){arena_printf("%s/postgres", programs), "-D", data_folder(dev),
                                  "-c", "listen_addresses=127.0.0.1", "-c",
                                  arena_printf("port=%d", dev->postgres_port), "-c",
                                  socket_setting(dev), "-c", "wal_level=logical", "-c",
                                  "max_slot_wal_keep_size=1GB", "-c", "cluster_name=pgstack-dev",
                                  "-c", "log_line_prefix=%m [%p] %u ", NULL},
        .log = log_file(dev),
        .user = dev->postgres_user,
        .death_signal = SIGINT,
    });
    return dev->postgres > 0 && wait_until_ready(dev);
}

void
dev_postgres_stop(struct dev *dev)
{
    process_stop(&dev->postgres, SIGINT, 30);
}

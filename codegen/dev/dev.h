/* SPDX-License-Identifier: MIT */
/*
 * What `pgstack dev` runs: a private PostgreSQL, one database in it, the server in front of it.
 * Everything that it keeps is in build/dev of the project, or, for PostgreSQL's own files, in
 * `home`; deleting those leaves nothing behind.
 */
#ifndef DEV_H
#define DEV_H

#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/model.h"

#define DEV_DIR "build/dev"
#define DEV_ENV DEV_DIR "/env"
#define DEV_SERVER_LOG DEV_DIR "/server.log"
#define DEV_BUILD_LOG DEV_DIR "/build.log"
#define DEV_SERVER_ENV DEV_DIR "/server.env"
#define DEV_PAGE "demo/page"
#define DEV_DATABASE "app"
#define DEV_OTHER_DATABASE                                                                         \
    "app_2" /* while the server runs, a new one cannot take the same name                          \
             */
#define DEV_USER_ID "00000000-0000-4000-8000-000000000001"

struct dev {
    const char *home; /* absolute: data folder, socket, secrets, PostgreSQL's log */
    const struct passwd *postgres_user; /* NULL: ours */
    int port, admin_port, postgres_port;
    const char *database; /* that is served */

    /* Kept in home/secrets. */
    const char *superuser_password;
    const char *authenticator_password;
    const char *admin_password;
    const char *replicator_password;
    const char *jwt_secret;
    const char *anon_key;
    const char *service_role_key;

    const char *demo_email; /* NULL: there is no such user */
    const char *demo_token;

    pid_t postgres, server; /* 0: not running */
};

/* dev_home.c: folders, secrets, ports; refuses to be the second.  False: printed. */
bool dev_open(struct dev *dev);
bool dev_port_is_free(int port);
int dev_free_port(void);
/* One that the server does not want. */
int dev_other_port(const struct dev *dev);
const char *dev_url(const struct dev *dev, const char *user, const char *password);
bool dev_write_private(const char *path, const char *text);

/* build/dev/env is there exactly while all is up. */
bool dev_write_env(const struct dev *dev);
void dev_forget_env(void);

/* libpq would take PGHOST and its like for our own connections too. */
void dev_forget_libpq_variables(void);

/* dev_postgres.c: the private PostgreSQL.  False: printed. */
bool dev_postgres_start(struct dev *dev);
void dev_postgres_stop(struct dev *dev);

struct dev_database_options {
    bool reset;   /* put the database aside, begin with an empty one */
    bool no_demo; /* leave demo/data.sql out */
    bool beside;  /* a server runs: a new database gets the other name */
};

/* dev_database.c: makes or migrates the database, sets the logins' passwords, loads the demo data,
 * signs the demo user's token.  False: printed. */
bool dev_database_prepare(struct dev *dev, const struct dev_database_options *options);

/* The server keeps, or has again, database `old`; another one that was made is dropped. */
void dev_database_abandon(struct dev *dev, const char *old);

/* The next start finds the same database. */
bool dev_database_remember(const struct dev *dev);

/* The project has a page of its own, which is at /demo. */
bool dev_has_page(void);

/* dev_server.c: the application's server.  False: printed. */
bool dev_server_start(struct dev *dev, const char *program);

/* The server's next generation, of the program and the database as they are now, takes over.
 * False: printed, and the old one stays. */
bool dev_server_swap(const struct dev *dev);

/* What can change while the server runs, for its next generation: the database, and the developer's
 * own settings.  False: printed. */
bool dev_server_write_settings(const struct dev *dev);

void dev_server_stop(struct dev *dev);

/* dev_watch.c: another number when a file of the sources, or `.env`, has changed. */
uint64_t dev_sources_stamp(void);

/* dev_greeting.c: what to try. */
void dev_greet(const struct dev *dev, const struct model *model);

#endif

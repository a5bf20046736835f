/* SPDX-License-Identifier: MIT */
/*
 * The environment, and `.env`, to settings.  Everything is checked before anything listens, and
 * every problem is reported at once, by name: a value is never printed.
 */
#ifndef PGS_CONFIG_CONFIG_H
#define PGS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/log.h"

/* Whose answers have a Server-Timing header. */
enum pgs_timing {
    PGS_TIMING_OFF,
    PGS_TIMING_SERVICE,
    PGS_TIMING_ALL,
};

struct pgs_config {
    bool production; /* PGSTACK_ENV=production */

    const char *host;
    int port;
    int admin_port; /* 0: none */
    bool supervise;
    int stop_timeout_ms;
    int threads; /* 0: one a core */
    int read_timeout_ms;
    int write_timeout_ms;
    bool tls;
    const char *tls_cert_file; /* set where `tls` is */
    const char *tls_key_file;
    bool http2;
    int max_body_bytes;
    int max_answer_bytes;
    int max_connections;
    int max_connections_per_address;
    int max_requests_per_address;
    int max_requests_per_connection;
    int max_floods_per_address; /* 0: none is shut out */
    int max_addresses;
    int max_rate_callers;
    struct pgs_networks *trusted_proxies; /* NULL: none; lives as long as the program */
    int gzip_level;
    const char *const *allowed_origins; /* NULL: the policy's */
    bool permissive_cors;
    const char *demo_dir;

    const char *database_url;
    const char *admin_database_url; /* NULL: no admin plane */
    int live_idle_ms, live_kept_ms, live_poll_ms;
    bool live_refuses_anon;
    const char *live_database_url;     /* NULL: no live queries */
    const char *reactive_database_url; /* NULL: pg_reactive is not followed */
    int pool_max;
    int max_waiting;
    int statement_timeout_ms;
    int lock_timeout_ms; /* 0: none */
    int slow_after_ms;   /* 0: nothing is found slow */

    const char *jwt_secret; /* these may be NULL: not set */
    const char *jwt_keys_file;
    const char *jwt_audience;
    const char *jwt_issuer;
    int jwt_leeway_s;
    const char *anon_key;
    const char *service_role_key;

    enum pgs_log_level log_level;
    bool access_log;
    enum pgs_timing server_timing;
    int slow_request_ms; /* 0: none is */
};

/* What one setting is, for --help and docs. */
struct pgs_setting {
    const char *name;
    const char *fallback; /* its default, as text; NULL: unset */
    const char *meaning;
};
extern const struct pgs_setting pgs_settings[];
extern const size_t pgs_n_settings;

/* Adds the pairs of a file (`NAME=value`, quotes, `#` comments) to the environment where the name
 * is not set yet.  A missing file is fine; false: it is broken, and `out` was told where. */
bool pgs_env_file_read(const char *path, FILE *out);

/* False: `out` was told of every problem.  Outside production some are warnings. */
bool pgs_config_read(struct pgs_config *config, FILE *out);

#endif

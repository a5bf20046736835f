/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What a setting's text must be. */
enum form {
    TEXT,
    NUMBER,   /* between min and max */
    DURATION, /* `30s`, `500ms`, `2m`, or seconds; kept in milliseconds between min and max */
    BOOLEAN,  /* true or false */
    ORIGINS,  /* separated by commas */
    NETWORKS, /* likewise */
    LEVEL,
    ENVIRONMENT,
    TLS,
    TIMING,
};

static const struct form_of {
    enum form form;
    size_t offset;
    int min, max;
} forms[] = {
#define FIELD(member) offsetof(struct pgs_config, member)
#define PGS_SETTING(name, form, member, min, max, fallback, meaning)                               \
    {form, FIELD(member), min, max},
#include "config/settings.def"
#undef PGS_SETTING
};

const struct pgs_setting pgs_settings[] = {
#define PGS_SETTING(name, form, member, min, max, fallback, meaning) {name, fallback, meaning},
#include "config/settings.def"
#undef PGS_SETTING
};

const size_t pgs_n_settings = sizeof(pgs_settings) / sizeof(pgs_settings[0]);

static bool
read_whole(const char *text, const char **end, long *value)
{
    char *stop;

    errno = 0;
    *value = strtol(text, &stop, 10);
    *end = stop;
    return stop != text && errno == 0 && *text != '-' && *text != '+' && *text != ' ';
}

static bool
read_number(const char *text, const struct form_of *form, int *value)
{
    const char *end;
    long number;

    if (!read_whole(text, &end, &number) || *end != '\0' || number < form->min ||
        number > form->max)
        return false;
    *value = (int)number;
    return true;
}

static bool
read_duration(const char *text, const struct form_of *form, int *value)
{
    const char *end;
    long number, unit;

    if (!read_whole(text, &end, &number) || number > INT_MAX)
        return false;
    if (strcmp(end, "ms") == 0)
        unit = 1;
    else if (*end == '\0' || strcmp(end, "s") == 0)
        unit = 1000;
    else if (strcmp(end, "m") == 0)
        unit = 60000;
    else
        return false;
    if (number > form->max / unit || number * unit < form->min)
        return false;
    *value = (int)(number * unit);
    return true;
}

static bool
read_boolean(const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *value || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool
is_origin(const char *text)
{
    const char *host = strstr(text, "://");

    return host != NULL && host != text && host[3] != '\0' && strpbrk(host + 3, "/*?# ") == NULL;
}

/* The list and its texts, in one piece, live as long as the program. */
static bool
read_origins(const char *text, const char *const **value)
{
    size_t size = strlen(text) + 1, room = size / 2 + 2;
    const char **list = calloc(1, room * sizeof(*list) + size);
    char *rest = list != NULL ? memcpy(list + room, text, size) : NULL;
    bool ok = list != NULL;
    size_t n = 0;

    for (char *item; ok && (item = strtok_r(rest, ", ", &rest)) != NULL;) {
        ok = is_origin(item);
        list[n++] = item;
    }
    if (ok && n > 0) {
        *value = list;
        return true;
    }
    free(list);
    return ok;
}

static bool
read_environment(const char *text, bool *production)
{
    *production = strcmp(text, "production") == 0;
    return *production || strcmp(text, "development") == 0 || strcmp(text, "test") == 0;
}

static bool
read_tls(const char *text, bool *on)
{
    *on = strcmp(text, "manual") == 0;
    return *on || strcmp(text, "off") == 0;
}

static bool
read_timing(const char *text, enum pgs_timing *timing)
{
    static const char *const words[] = {"off", "service", "all"};

    for (int i = 0; i < 3; i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *timing = (enum pgs_timing)i;
        return true;
    }
    return false;
}

static bool
read_setting(const struct form_of *form, const char *text, struct pgs_config *config)
{
    void *at = (char *)config + form->offset;

    switch (form->form) {
    case TEXT:
        *(const char **)at = text;
        return true;
    case NUMBER:
        return read_number(text, form, at);
    case DURATION:
        return read_duration(text, form, at);
    case BOOLEAN:
        return read_boolean(text, at);
    case ORIGINS:
        return read_origins(text, at);
    case NETWORKS:
        return (*(struct pgs_networks **)at = pgs_networks_read(text)) != NULL;
    case LEVEL:
        return pgs_log_level_read(text, at);
    case ENVIRONMENT:
        return read_environment(text, at);
    case TLS:
        return read_tls(text, at);
    case TIMING:
        return read_timing(text, at);
    }
    return false;
}

static void
complain(FILE *out, const char *name, const struct form_of *form)
{
    fprintf(out, "config: %s: ", name);
    switch (form->form) {
    case TEXT:
        fprintf(out, "expected text\n");
        break;
    case NUMBER:
        fprintf(out, "expected a whole number from %d to %d\n", form->min, form->max);
        break;
    case DURATION:
        fprintf(out, "expected a duration such as 30s, 500ms or 2m, from %d to %d ms\n", form->min,
                form->max);
        break;
    case BOOLEAN:
        fprintf(out, "expected true or false\n");
        break;
    case ORIGINS:
        fprintf(out, "expected origins such as https://app.example.com, separated by commas\n");
        break;
    case NETWORKS:
        fprintf(out, "expected addresses and networks such as 10.0.0.0/8, separated by commas\n");
        break;
    case LEVEL:
        fprintf(out, "expected debug, info, warn, error or off\n");
        break;
    case ENVIRONMENT:
        fprintf(out, "expected production, development or test\n");
        break;
    case TLS:
        fprintf(out, "expected off or manual\n");
        break;
    case TIMING:
        fprintf(out, "expected off, service or all\n");
        break;
    }
}

/* A rule about settings together.  `fatal`: in production it stops the start. */
static bool
rule(const struct pgs_config *config, FILE *out, bool broken, const char *name, const char *why)
{
    if (!broken)
        return true;
    fprintf(out, "config: %s%s: %s\n", config->production ? "" : "warning: ", name, why);
    return !config->production;
}

static bool
same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
is_default(const char *secret)
{
    return secret != NULL && strstr(secret, "dev-only") != NULL;
}

static bool
is_short(const char *secret, size_t least)
{
    return secret == NULL || strlen(secret) < least;
}

/* The lines of the production checklist that can be known before the first request. */
static bool
check_rules(const struct pgs_config *c, FILE *out)
{
    const char *jwt = c->jwt_secret, *anon = c->anon_key, *service = c->service_role_key;
    bool ok = true;

    ok &= rule(c, out, is_short(jwt, 32) && (jwt != NULL || c->jwt_keys_file == NULL), "JWT_SECRET",
               "must be set, with 32 characters or more, unless JWT_KEYS_FILE is");
    ok &= rule(c, out, is_short(anon, 20), "ANON_KEY", "must be set, with 20 characters or more");
    ok &= rule(c, out, service != NULL && is_short(service, 20), "SERVICE_ROLE_KEY",
               "must have 20 characters or more");
    ok &= rule(c, out, is_default(jwt), "JWT_SECRET", "is a development default (dev-only)");
    ok &= rule(c, out, is_default(anon), "ANON_KEY", "is a development default (dev-only)");
    ok &= rule(c, out, is_default(service), "SERVICE_ROLE_KEY",
               "is a development default (dev-only)");
    ok &= rule(c, out, same(jwt, anon) || same(jwt, service) || same(anon, service),
               "JWT_SECRET, ANON_KEY, SERVICE_ROLE_KEY", "must differ from each other");
    ok &= rule(c, out, pgs_networks_are_too_wide(c->trusted_proxies), "TRUSTED_PROXIES",
               "lets every client say which address it has");
    ok &= rule(c, out, c->permissive_cors, "ALLOW_PERMISSIVE_CORS", "lets every site read answers");
    ok &= rule(c, out, c->demo_dir != NULL, "DEMO_DIR", "serves pages that are for development");
    ok &= rule(c, out, service != NULL && c->admin_database_url == NULL, "ADMIN_DATABASE_URL",
               "must be set for SERVICE_ROLE_KEY to reach the database");
    return ok;
}

bool
pgs_config_read(struct pgs_config *config, FILE *out)
{
    bool ok = true;

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < pgs_n_settings; i++) {
        const char *text = getenv(pgs_settings[i].name);

        if (text == NULL || text[0] == '\0')
            text = pgs_settings[i].fallback;
        if (text == NULL || read_setting(&forms[i], text, config))
            continue;
        complain(out, pgs_settings[i].name, &forms[i]);
        ok = false;
    }
    if (config->database_url == NULL) {
        fprintf(out, "config: DATABASE_URL: must be set\n");
        ok = false;
    }
    if (config->tls && (config->tls_cert_file == NULL || config->tls_key_file == NULL)) {
        fprintf(out, "config: TLS_CERT_FILE, TLS_KEY_FILE: must be set with TLS_MODE=manual\n");
        ok = false;
    }
    return check_rules(config, out) && ok;
}

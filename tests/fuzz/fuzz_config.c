/* SPDX-License-Identifier: MIT */
/*
 * The bytes as a `.env`, read into an environment of our own and from there into settings.  What
 * is said of them may name a setting, but not show a value.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/shares.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_VARIABLES 256

static struct variable {
    char *name, *value;
} variables[MAX_VARIABLES];
static size_t n_variables;

/* The linker gives us these instead of libc's, whose environment keeps all that it ever had. */
char *__wrap_getenv(const char *name);
int __wrap_setenv(const char *name, const char *value, int overwrite);

char *
__wrap_getenv(const char *name)
{
    for (size_t i = 0; i < n_variables; i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}

int
__wrap_setenv(const char *name, const char *value, int overwrite)
{
    (void)overwrite;
    if (__wrap_getenv(name) != NULL)
        return 0;
    if (n_variables == MAX_VARIABLES)
        return -1;
    variables[n_variables++] = (struct variable){strdup(name), strdup(value)};
    return 0;
}

static void
forget_variables(void)
{
    while (n_variables > 0) {
        n_variables--;
        free(variables[n_variables].name);
        free(variables[n_variables].value);
    }
}

static void
require(bool holds)
{
    if (!holds)
        abort();
}

/* No message of ours has a `^`. */
static void
check_silent(const char *report)
{
    for (size_t i = 0; i < n_variables; i++)
        require(strchr(variables[i].value, '^') == NULL ||
                strstr(report, variables[i].value) == NULL);
}

static void
check_settings(const struct pgs_config *config)
{
    struct pgs_shares shares = pgs_shares_of(config, 8);

    require(config->database_url != NULL && config->port >= 0 && config->port <= 65535);
    require(!config->tls || (config->tls_cert_file != NULL && config->tls_key_file != NULL));
    require(config->jwt_leeway_s >= 0 && config->jwt_leeway_s <= 300);
    require(!config->production || !config->permissive_cors);
    require(shares.threads >= 1 && shares.quick >= 1);
    require(shares.threads *
                (shares.quick + shares.slow + shares.admin_quick + shares.admin_slow) <=
            config->pool_max);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("env", MFD_CLOEXEC);
    struct pgs_config config;
    char path[64], *report = NULL;
    size_t report_len;
    FILE *out = open_memstream(&report, &report_len);
    bool ok;

    if (fd < 0 || out == NULL || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ok = pgs_env_file_read(path, out);
    ok = pgs_config_read(&config, out) && ok;
    (void)fclose(out);
    if (ok)
        check_settings(&config);
    else
        require(report_len > 0);
    check_silent(report);
    free((void *)(uintptr_t)config.allowed_origins);
    free(config.trusted_proxies);
    free(report);
    forget_variables();
    (void)close(fd);
    return 0;
}

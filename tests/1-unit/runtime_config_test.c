/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/shares.h"

#define STRONG "0123456789abcdef0123456789abcdef"

static char report[4096];

static bool
read_config(struct pgs_config *config)
{
    FILE *out = fmemopen(report, sizeof(report), "w");
    bool ok;

    assert_non_null(out);
    memset(report, 0, sizeof(report));
    ok = pgs_config_read(config, out);
    fclose(out);
    return ok;
}

/* Each test starts from settings that are fine in production. */
static int
set_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < pgs_n_settings; i++)
        unsetenv(pgs_settings[i].name);
    setenv("PGSTACK_ENV", "production", 1);
    setenv("DATABASE_URL", "postgres://authenticator@db/app", 1);
    setenv("JWT_SECRET", STRONG, 1);
    setenv("ANON_KEY", "anon-" STRONG, 1);
    return 0;
}

static void
test_defaults(void **state)
{
    struct pgs_config config;

    (void)state;
    assert_true(read_config(&config));
    assert_string_equal(report, "");
    assert_true(config.production);
    assert_string_equal(config.host, "127.0.0.1");
    assert_int_equal(config.port, 8080);
    assert_int_equal(config.read_timeout_ms, 30000);
    assert_int_equal(config.gzip_level, 5);
    assert_null(config.admin_database_url);
    assert_null(config.allowed_origins);
}

static void
test_durations_and_origins(void **state)
{
    static struct pgs_config config; /* keeps the list of origins in reach */

    (void)state;
    setenv("READ_TIMEOUT", "2m", 1);
    setenv("STATEMENT_TIMEOUT", "1500ms", 1);
    setenv("LOCK_TIMEOUT", "0", 1);
    setenv("ALLOWED_ORIGINS", "https://a.example, http://localhost:5173", 1);
    assert_true(read_config(&config));
    assert_int_equal(config.read_timeout_ms, 120000);
    assert_int_equal(config.statement_timeout_ms, 1500);
    assert_int_equal(config.lock_timeout_ms, 0);
    assert_string_equal(config.allowed_origins[0], "https://a.example");
    assert_string_equal(config.allowed_origins[1], "http://localhost:5173");
    assert_null(config.allowed_origins[2]);
}

static void
test_trusted_proxies(void **state)
{
    static struct pgs_config config; /* keeps the list in reach */

    (void)state;
    assert_true(read_config(&config));
    assert_null(config.trusted_proxies);
    setenv("TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::7", 1);
    assert_true(read_config(&config));
    assert_int_equal(config.trusted_proxies->n, 2);
}

static void
test_server_timing(void **state)
{
    static const char *const words[] = {"off", "service", "all"};
    struct pgs_config config;

    (void)state;
    for (int i = 0; i < 3; i++) {
        setenv("SERVER_TIMING", words[i], 1);
        assert_true(read_config(&config));
        assert_int_equal(config.server_timing, i);
    }
    setenv("SERVER_TIMING", "on", 1);
    assert_false(read_config(&config));
    assert_non_null(strstr(report, "SERVER_TIMING:"));
}

/* `--show-limits` prints the limits' own list: its settings are those that there are. */
static void
test_limits_name_settings_and_their_defaults(void **state)
{
    static const struct {
        const char *setting, *value;
    } limits[] = {
#define PGS_LIMIT(id, name, setting, value, meaning) {setting, value},
#include "base/limits.def"
#undef PGS_LIMIT
    };

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        size_t n = 0;

        if (limits[i].setting[0] == '\0')
            continue;
        while (n < pgs_n_settings && strcmp(pgs_settings[n].name, limits[i].setting) != 0)
            n++;
        assert_true(n < pgs_n_settings);
        assert_non_null(pgs_settings[n].fallback);
        assert_string_equal(pgs_settings[n].fallback, limits[i].value);
    }
}

static void
test_every_problem_is_named_at_once(void **state)
{
    struct pgs_config config;

    (void)state;
    setenv("PORT", "80 80", 1);
    setenv("GZIP_LEVEL", "10", 1);
    setenv("READ_TIMEOUT", "soon", 1);
    setenv("ALLOWED_ORIGINS", "*", 1);
    setenv("TRUSTED_PROXIES", "10.0.0.0/8, proxy", 1);
    unsetenv("DATABASE_URL");
    assert_false(read_config(&config));
    assert_non_null(strstr(report, "PORT:"));
    assert_non_null(strstr(report, "GZIP_LEVEL:"));
    assert_non_null(strstr(report, "READ_TIMEOUT:"));
    assert_non_null(strstr(report, "ALLOWED_ORIGINS:"));
    assert_non_null(strstr(report, "TRUSTED_PROXIES:"));
    assert_non_null(strstr(report, "DATABASE_URL:"));
}

/* One bad setting at a time: production refuses, development warns; the value is never shown. */
static void
test_production_rules(void **state)
{
    static const struct {
        const char *name, *value, *expected;
    } cases[] = {
        {"JWT_SECRET", "short", "JWT_SECRET:"},
        {"JWT_SECRET", "dev-only-" STRONG, "development default"},
        {"ANON_KEY", "", "ANON_KEY:"},
        {"ANON_KEY", STRONG, "differ"},
        {"ANON_KEY", "dev-only-" STRONG, "development default"},
        {"SERVICE_ROLE_KEY", "service-" STRONG, "ADMIN_DATABASE_URL:"},
        {"SERVICE_ROLE_KEY", "tiny", "SERVICE_ROLE_KEY:"},
        {"TRUSTED_PROXIES", "0.0.0.0/0", "TRUSTED_PROXIES:"},
        {"ALLOW_PERMISSIVE_CORS", "true", "ALLOW_PERMISSIVE_CORS:"},
        {"DEMO_DIR", "/anywhere", "DEMO_DIR:"},
    };
    struct pgs_config config;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_good(state);
        setenv(cases[i].name, cases[i].value, 1);
        assert_false(read_config(&config));
        assert_non_null(strstr(report, cases[i].expected));
        assert_null(strstr(report, STRONG));
        free(config.trusted_proxies);
        setenv("PGSTACK_ENV", "development", 1);
        assert_true(read_config(&config));
        assert_non_null(strstr(report, "warning"));
        free(config.trusted_proxies);
    }
}

static void
write_file(char path[32], const char *text)
{
    int fd;

    strcpy(path, "/tmp/pgs_env_XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
test_env_file(void **state)
{
    char path[32];

    (void)state;
    setenv("PGS_TEST_SET", "outside", 1);
    write_file(path, "# comment\n\nexport PGS_TEST_A=plain # behind\nPGS_TEST_B=\"a\\\"b\\nc\"\n"
                     "PGS_TEST_C='x # y'\nPGS_TEST_D=a#b\nPGS_TEST_SET=file\n");
    assert_true(pgs_env_file_read(path, stderr));
    unlink(path);
    assert_string_equal(getenv("PGS_TEST_A"), "plain");
    assert_string_equal(getenv("PGS_TEST_B"), "a\"b\nc");
    assert_string_equal(getenv("PGS_TEST_C"), "x # y");
    assert_string_equal(getenv("PGS_TEST_D"), "a#b");
    assert_string_equal(getenv("PGS_TEST_SET"), "outside");
    assert_true(pgs_env_file_read("/nonexistent/.env", stderr));
}

static void
test_broken_env_file(void **state)
{
    FILE *out = fmemopen(report, sizeof(report), "w");
    char path[32];

    (void)state;
    memset(report, 0, sizeof(report));
    write_file(path, "PGS_TEST_OK=1\nno pair\nBAD NAME=1\nPGS_TEST_Q=\"open\n"
                     "PGS_TEST_R='a'b\nPGS_TEST_S='a' # b\n");
    assert_false(pgs_env_file_read(path, out));
    fclose(out);
    unlink(path);
    assert_non_null(strstr(report, ":2: expected NAME=value"));
    assert_non_null(strstr(report, ":3: a name"));
    assert_non_null(strstr(report, ":4: the quote"));
    assert_non_null(strstr(report, ":5: only a comment"));
    assert_null(strstr(report, ":6:"));
    assert_null(strstr(report, "open"));
}

/* A file that cannot be read to its end is not an empty one. */
static void
test_unreadable_env_file(void **state)
{
    FILE *out = fmemopen(report, sizeof(report), "w");

    (void)state;
    memset(report, 0, sizeof(report));
    assert_false(pgs_env_file_read("/tmp", out));
    fclose(out);
    assert_non_null(strstr(report, "/tmp: "));
}

/* A value that was cut would be another secret. */
static void
test_long_line_in_env_file(void **state)
{
    FILE *out = fmemopen(report, sizeof(report), "w");
    static char text[40000];
    char path[32];

    (void)state;
    memset(report, 0, sizeof(report));
    strcpy(text, "PGS_TEST_LONG=");
    memset(text + strlen(text), 'x', 30000);
    strcat(text, "\nPGS_TEST_NEXT=1\n");
    write_file(path, text);
    assert_false(pgs_env_file_read(path, out));
    fclose(out);
    unlink(path);
    assert_non_null(strstr(report, ":1: the line is too long"));
    assert_null(strstr(report, ":2:"));
    assert_null(getenv("PGS_TEST_LONG"));
    assert_string_equal(getenv("PGS_TEST_NEXT"), "1");
}

static int
connections(const struct pgs_shares *shares)
{
    return shares->threads *
           (shares->quick + shares->slow + shares->admin_quick + shares->admin_slow);
}

/* PG_POOL_MAX_CONNS holds whatever else is set, and every thread can reach each plane. */
static void
test_shares_hold(void **state)
{
    (void)state;
    for (int max = 3; max < 120; max++)
        for (int threads = 0; threads < 20; threads++)
            for (int form = 0; form < 4; form++) {
                struct pgs_config config = {.pool_max = max,
                                            .threads = threads,
                                            .admin_port = form & 1,
                                            .admin_database_url = form & 2 ? "x" : NULL};
                struct pgs_shares shares = pgs_shares_of(&config, 8);

                assert_in_range(shares.threads, 1, threads > 0 ? threads : 8);
                assert_true(shares.quick >= 1 && shares.admin_quick == (form & 2) / 2);
                assert_true(connections(&shares) + (form & 1) <= max);
            }
}

static void
test_shares(void **state)
{
    static const struct {
        struct pgs_config config;
        struct pgs_shares shares;
    } cases[] = {
        {{.pool_max = 50, .admin_database_url = "x", .admin_port = 1}, {2, 2, 2, 1, 1}},
        {{.pool_max = 50}, {2, 2, 2, 0, 0}},
        {{.pool_max = 8, .admin_database_url = "x"}, {2, 1, 1, 1, 1}},
        {{.pool_max = 4, .admin_database_url = "x", .admin_port = 1}, {1, 1, 1, 1, 0}},
        {{.pool_max = 3, .admin_database_url = "x", .admin_port = 1}, {1, 1, 0, 1, 0}},
        {{.pool_max = 3, .threads = 8}, {1, 1, 1, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pgs_shares shares = pgs_shares_of(&cases[i].config, 2);

        assert_memory_equal(&shares, &cases[i].shares, sizeof(shares));
    }
    assert_int_equal(pgs_shares_of(&cases[0].config, -1).threads, 1);
}

/* The line of a table that begins with the setting's name; NULL: there is none. */
static char *
find_line(char *text, const char *name)
{
    char start[64];

    (void)snprintf(start, sizeof(start), "\n| `%s` |", name);
    return strstr(text, start);
}

static char docs[32768];

static void
read_docs(void)
{
    FILE *file = fopen("docs/configuration.md", "r");
    size_t len;

    if (file == NULL)
        fail_msg("docs/configuration.md: the tests run in the root of the checkout");
    len = fread(docs, 1, sizeof(docs) - 1, file);
    docs[len] = '\0';
    fclose(file);
}

/* Every setting stands in the documentation, with its default. */
static void
test_documented(void **state)
{
    (void)state;
    read_docs();
    for (size_t i = 0; i < pgs_n_settings; i++) {
        const struct pgs_setting *setting = &pgs_settings[i];
        char *line = find_line(docs, setting->name), fallback[64];

        if (line == NULL)
            fail_msg("docs/configuration.md has no line for %s", setting->name);
        if (setting->fallback == NULL)
            continue;
        *strchr(line + 1, '\n') = '\0';
        (void)snprintf(fallback, sizeof(fallback), "| `%s` |", setting->fallback);
        if (strstr(line + strlen(setting->name) + 5, fallback) == NULL)
            fail_msg("docs/configuration.md: the default of %s is `%s`, not%s", setting->name,
                     setting->fallback, line);
        line[strlen(line)] = '\n';
    }
}

/* And every name in its tables is a setting. */
static void
test_documented_alone(void **state)
{
    char name[64];

    (void)state;
    read_docs();
    for (char *at = docs; (at = strstr(at, "\n| `")) != NULL; at++) {
        bool known = false;

        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 4, "`"), at + 4);
        for (size_t i = 0; i < pgs_n_settings; i++)
            known = known || strcmp(pgs_settings[i].name, name) == 0;
        if (!known && name[0] != '/')
            fail_msg("docs/configuration.md names %s, which is no setting", name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, set_good),
        cmocka_unit_test_setup(test_durations_and_origins, set_good),
        cmocka_unit_test_setup(test_trusted_proxies, set_good),
        cmocka_unit_test_setup(test_server_timing, set_good),
        cmocka_unit_test(test_limits_name_settings_and_their_defaults),
        cmocka_unit_test_setup(test_every_problem_is_named_at_once, set_good),
        cmocka_unit_test_setup(test_production_rules, set_good),
        cmocka_unit_test(test_env_file),
        cmocka_unit_test(test_broken_env_file),
        cmocka_unit_test(test_unreadable_env_file),
        cmocka_unit_test(test_long_line_in_env_file),
        cmocka_unit_test(test_shares_hold),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_documented_alone),
    };

    return cmocka_run_group_tests_name("runtime_config", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Each call that can fail fails in turn: settings, keys, credentials, requests.  No crash, no
 * leak, and no error ever lets somebody in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/authn.h"
#include "base/log.h"
#include "config/config.h"
#include "lib/loopback.h"
#include "lib/torture.h"

#define SECRET "a-secret-of-more-than-thirty-two-bytes"
#define ES256_HEADER "{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define HS256_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define PAYLOAD                                                                                    \
    "{\"sub\":\"00000000-0000-4000-8000-000000000001\",\"role\":\"authenticated\","                \
    "\"exp\":99999999999,\"app_metadata\":{\"plan\":\"pro\"}}"

static char folder[] = "/tmp/pgstack-torture-XXXXXX";
static char env_path[64], keys_path[64];
static char hs256_token[1024], es256_token[1024], forged_token[1024];
static struct pgs_keyring *ring;

static void
write_file(char path[64], const char *name, const char *text)
{
    FILE *file;

    (void)snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

/* ---- settings ---- */

static const char env[] = "PGSTACK_ENV=production\n"
                          "DATABASE_URL=postgres://authenticator@db/app\n"
                          "JWT_SECRET='0123456789abcdef0123456789abcdef'\n"
                          "ANON_KEY=anon-0123456789abcdef0123456789abcdef\n"
                          "ALLOWED_ORIGINS=https://a.example,https://b.example\n"
                          "TRUSTED_PROXIES=10.0.0.1\n"
                          "JWT_LEEWAY=0\n";

/* What is taken is the whole file: half of one could be a laxer server. */
static bool
read_settings(void)
{
    struct pgs_config config = {.port = 0};
    FILE *out = fopen("/dev/null", "w");
    bool ok;

    torture_begin();
    ok = pgs_env_file_read(env_path, out);
    ok = ok && pgs_config_read(&config, out);
    torture_end();
    (void)fclose(out);
    if (ok) {
        torture_require(config.production && config.jwt_leeway_s == 0, "half the settings");
        torture_require(config.jwt_secret != NULL && config.anon_key != NULL, "no keys");
        torture_require(config.allowed_origins != NULL && config.allowed_origins[1] != NULL &&
                            config.allowed_origins[2] == NULL,
                        "other origins");
        torture_require(config.trusted_proxies != NULL, "no proxies");
    }
    free((void *)(uintptr_t)config.allowed_origins);
    free(config.trusted_proxies);
    return ok;
}

static void
test_settings(void **state)
{
    (void)state;
    assert_true(torture("settings", read_settings) > 0);
}

/* ---- keys ---- */

static bool
open_ring(void)
{
    char why[256] = "";
    struct pgs_keyring *opened;

    torture_begin();
    opened = pgs_keyring_open(keys_path, why);
    torture_end();
    if (opened == NULL)
        return false;
    pgs_keyring_close(opened);
    return true;
}

static void
test_keys(void **state)
{
    (void)state;
    assert_true(torture("key file", open_ring) > 0);
}

/* ---- credentials ---- */

static bool
ask(struct pgs_authn *authn, const char *token)
{
    struct pgs_identity who;
    const char *why = NULL;
    h2o_iovec_t value;
    h2o_req_t req;
    bool ok;

    memset(&req, 0, sizeof(req));
    h2o_mem_init_pool(&req.pool);
    value.base = h2o_mem_alloc_pool(&req.pool, strlen(token) + 8);
    value.len = (size_t)sprintf(value.base, "Bearer %s", token);
    h2o_add_header_by_str(&req.pool, &req.headers, "authorization", 13, 0, "authorization",
                          value.base, value.len);
    torture_begin();
    ok = pgs_authenticate(authn, &req, &who, &why);
    torture_end();
    torture_require(ok || why != NULL, "refused without a reason");
    torture_require(!ok || who.role == 1, "another role");
    torture_require(!ok || who.session[1].len == 36, "no user");
    h2o_mem_clear_pool(&req.pool);
    return ok;
}

/* A good token, which may be refused; then a forged one, which must; then the good one, all calls
 * working again: a failure may not stay. */
static bool
authenticate(const char *token)
{
    const struct pgs_keys keys = {
        .jwt = {.secret = (const uint8_t *)SECRET, .secret_len = sizeof(SECRET) - 1},
        .keyring = ring,
    };
    struct pgs_authn *authn = pgs_authn_open(&pgs_app, &keys);
    bool ok = ask(authn, token);

    torture_require(!ask(authn, forged_token), "a forged token is let in");
    torture_stop();
    torture_require(ask(authn, token), "a good token stays refused");
    pgs_authn_close(authn);
    return ok;
}

static bool
authenticate_hs256(void)
{
    return authenticate(hs256_token);
}

static bool
authenticate_es256(void)
{
    return authenticate(es256_token);
}

static void
test_credentials(void **state)
{
    (void)state;
    assert_true(torture("HS256 token", authenticate_hs256) > 0);
    assert_true(torture("ES256 token", authenticate_es256) > 0);
}

/* ---- requests ---- */

static struct loopback_output
exchange(const char *line, const char *fields, const char *body)
{
    char bytes[4096];
    int len = snprintf(bytes, sizeof(bytes),
                       "%s HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       line, fields, strlen(body), body);
    struct loopback_output output = {"", 0, true};

    torture_begin();
    if (loopback_connect(false)) {
        loopback_send(bytes, (size_t)len);
        torture_end();
        output = loopback_end();
    }
    torture_end();
    return output;
}

static bool
has_status(const struct loopback_output *output, const char *status)
{
    return output->len > 12 && strncmp(output->at + 9, status, 3) == 0;
}

/* Without a database, who is let in gets 503 and this. */
static bool
reaches_database(const struct loopback_output *output)
{
    return strstr(output->at, "Database connection error") != NULL;
}

static bool
request(void)
{
    static const char list[] = "GET /rest/v1/ticket?select=id,t:title&state=in.(open,pending)&or="
                               "(id.eq.1,priority.eq.high)&order=id.desc&limit=5";
    static const char call[] = "POST /rest/v1/rpc/search_tickets?order=id";
    static const char key[] = "apikey: " LOOPBACK_SERVICE_KEY "\r\n";
    struct loopback_output output = exchange(list, "", "");
    bool ok;

    torture_require(!reaches_database(&output), "let in without a credential");
    output = exchange(list, "apikey: " LOOPBACK_SERVICE_KEY "s\r\n", "");
    torture_require(!reaches_database(&output), "let in with a bad credential");
    output = exchange(list, key, "");
    ok = reaches_database(&output);
    output = exchange(call, key, "{\"q\": \"\\u0041b\"}");
    ok = reaches_database(&output) && ok;
    torture_require(!has_status(&output, "200"), "answered without a database");
    torture_stop();
    output = exchange(list, key, "");
    torture_require(reaches_database(&output), "a good request stays refused");
    return ok;
}

static void
test_requests(void **state)
{
    (void)state;
    loopback_open();
    assert_true(torture("requests", request) > 0);
}

/* ---- */

static void
add_base64url(char *out, const void *bytes, size_t len)
{
    char *to = out + strlen(out);
    int n = EVP_EncodeBlock((unsigned char *)to, bytes, (int)len);

    while (n > 0 && to[n - 1] == '=')
        to[--n] = '\0';
    for (char *c = to; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

static void
begin_token(char *out, const char *header)
{
    out[0] = '\0';
    add_base64url(out, header, strlen(header));
    strcat(out, ".");
    add_base64url(out, PAYLOAD, strlen(PAYLOAD));
}

static void
make_hs256(char *out, const char *secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len;

    begin_token(out, HS256_HEADER);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)out, strlen(out), mac,
         &len);
    strcat(out, ".");
    add_base64url(out, mac, len);
}

/* The signature as JWS has it: both numbers side by side. */
static void
make_es256(char *out, EVP_PKEY *key)
{
    unsigned char der[128], numbers[64];
    const unsigned char *at = der;
    size_t len = sizeof(der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *both;

    begin_token(out, ES256_HEADER);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &len, (const unsigned char *)out, strlen(out)),
                     1);
    both = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), numbers, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), numbers + 32, 32), 32);
    strcat(out, ".");
    add_base64url(out, numbers, sizeof(numbers));
    ECDSA_SIG_free(both);
    EVP_MD_CTX_free(context);
}

/* One P-256 key as PEM; `why` of the ring is looked at by its own tests. */
static int
set_up(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char why[256];
    FILE *file;

    (void)state;
    pgs_log_open(STDERR_FILENO, PGS_LOG_OFF);
    if (mkdtemp(folder) == NULL || key == NULL)
        return -1;
    write_file(env_path, "env", env);
    write_file(keys_path, "keys", "");
    file = fopen(keys_path, "w");
    (void)PEM_write_PUBKEY(file, key);
    (void)fclose(file);
    make_hs256(hs256_token, SECRET);
    make_hs256(forged_token, "another-secret-of-more-than-32-bytes");
    make_es256(es256_token, key);
    EVP_PKEY_free(key);
    ring = pgs_keyring_open(keys_path, why);
    return ring != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    pgs_keyring_close(ring);
    (void)unlink(env_path);
    (void)unlink(keys_path);
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_requests),
    };

    torture_init();
    return cmocka_run_group_tests_name("runtime_torture", tests, set_up, tear_down);
}

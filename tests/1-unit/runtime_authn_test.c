/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth/authn.h"
#include "base/clock.h"

#define SECRET "a-secret-of-more-than-thirty-two-bytes"
#define ANON_KEY "anon-key-of-some-length"
#define SERVICE_KEY "service-key-of-some-length"
#define USER "00000000-0000-4000-8000-000000000001"

static const struct pgs_role roles[] = {
    {"anon", NULL, NULL},
    {"authenticated", NULL, NULL},
    {"service_role", NULL, NULL},
    {"support", "role", "support"},
    {"paying", "app_metadata.plan", "pro"},
};
static const struct pgs_claim claims[] = {
    {"app_metadata.plan", "pgstack.claim_plan", {.kind = PGS_TEXT, .sql = "text"}},
    {"level", "pgstack.claim_level", {.kind = PGS_INT4, .sql = "integer"}},
    {"teams", "pgstack.claim_teams", {.kind = PGS_UUID, .sql = "uuid", .array = true}},
};
static const struct pgs_app app = {
    .name = "test",
    .roles = roles,
    .n_roles = PGS_COUNT(roles),
    .claims = claims,
    .n_claims = PGS_COUNT(claims),
    .reads_jwt = true,
};

static struct pgs_authn *authn;
static h2o_req_t req;
static int64_t now_s;

static int64_t
test_wall_us(void)
{
    return now_s * 1000000;
}

static const struct pgs_keys keys = {
    .anon_key = ANON_KEY,
    .service_key = SERVICE_KEY,
    .jwt = {.secret = (const uint8_t *)SECRET, .secret_len = sizeof(SECRET) - 1, .leeway_s = 5},
};

static int
set_up(void **state)
{
    static const struct pgs_clock clock = {NULL, test_wall_us};

    (void)state;
    now_s = 1800000000;
    pgs_clock_replace(&clock);
    memset(&req, 0, sizeof(req));
    h2o_mem_init_pool(&req.pool);
    authn = pgs_authn_open(&app, &keys);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    h2o_mem_clear_pool(&req.pool);
    pgs_authn_close(authn);
    pgs_clock_replace(NULL);
    return 0;
}

static void
add_header(const char *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req.pool, value, SIZE_MAX);

    h2o_add_header_by_str(&req.pool, &req.headers, name, strlen(name), 0, name, copy.base,
                          copy.len);
}

static void
base64url(char *to, const unsigned char *bytes, size_t len)
{
    int n = EVP_EncodeBlock((unsigned char *)to, bytes, (int)len);

    while (n > 0 && to[n - 1] == '=')
        to[--n] = '\0';
    for (char *c = to; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

/* "Bearer " and a token of that payload. */
static const char *
bearer(const char *payload)
{
    static char value[2048];
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[32];
    char part[1024];
    unsigned int mac_len = 0;

    strcpy(value, "Bearer ");
    base64url(part, (const unsigned char *)header, strlen(header));
    strcat(strcat(value, part), ".");
    base64url(part, (const unsigned char *)payload, strlen(payload));
    strcat(value, part);
    HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), (const unsigned char *)value + 7,
         strlen(value + 7), mac, &mac_len);
    base64url(part, mac, mac_len);
    return strcat(strcat(value, "."), part);
}

static bool
ask(struct pgs_identity *who)
{
    const char *why = NULL;
    bool ok = pgs_authenticate(authn, &req, who, &why);

    if (!ok)
        assert_non_null(why);
    return ok;
}

static void
assert_text(struct pgs_text text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.at, expected, text.len);
}

static void
test_keys(void **state)
{
    struct pgs_identity who;

    (void)state;
    assert_false(ask(&who));
    add_header("apikey", ANON_KEY);
    assert_true(ask(&who));
    assert_int_equal(who.role, 0);
    assert_false(who.is_service);
    assert_text(who.session[0], "anon");
    assert_text(who.session[1], "");
    req.headers.size = 0;
    add_header("authorization", "bearer " SERVICE_KEY);
    assert_true(ask(&who));
    assert_int_equal(who.role, 2);
    assert_true(who.is_service);
}

static void
test_authorization_decides(void **state)
{
    struct pgs_identity who;

    (void)state;
    add_header("apikey", SERVICE_KEY);
    add_header("authorization", "Bearer " ANON_KEY);
    assert_true(ask(&who));
    assert_int_equal(who.role, 0);
    req.headers.size = 0;
    add_header("apikey", ANON_KEY);
    add_header("authorization", "Bearer nonsense");
    assert_false(ask(&who));
}

static void
test_refused(void **state)
{
    static const char *const values[] = {
        "Bearer ",           "Bearer", "Basic " ANON_KEY, ANON_KEY, "Bearer " ANON_KEY "x",
        "Bearer  " ANON_KEY,
    };
    struct pgs_identity who;

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(values); i++) {
        req.headers.size = 0;
        add_header("authorization", values[i]);
        assert_false(ask(&who));
    }
    req.headers.size = 0;
    add_header("authorization", "Bearer " ANON_KEY);
    add_header("authorization", "Bearer " ANON_KEY);
    assert_false(ask(&who));
}

static void
test_roles_of_tokens(void **state)
{
    static const struct {
        const char *payload;
        int role; /* -1: refused */
    } cases[] = {
        {"{\"sub\":\"" USER "\",\"role\":\"authenticated\",\"exp\":1800000100}", 1},
        {"{\"sub\":\"" USER "\",\"role\":\"support\",\"exp\":1800000100}", 3},
        {"{\"role\":\"authenticated\",\"app_metadata\":{\"plan\":\"pro\"},\"exp\":1800000100}", 4},
        {"{\"sub\":\"" USER "\",\"role\":\"service_role\",\"exp\":1800000100}", -1},
        {"{\"sub\":\"" USER "\",\"role\":\"anon\",\"exp\":1800000100}", -1},
        {"{\"sub\":\"" USER "\",\"role\":\"postgres\",\"exp\":1800000100}", -1},
        {"{\"sub\":\"" USER "\",\"exp\":1800000100}", -1},
        {"{\"sub\":\"not a uuid\",\"role\":\"authenticated\",\"exp\":1800000100}", -1},
        {"{\"sub\":\"" USER "\",\"role\":\"authenticated\",\"exp\":1799999900}", -1},
    };
    struct pgs_identity who;

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        req.headers.size = 0;
        add_header("authorization", bearer(cases[i].payload));
        assert_int_equal(ask(&who), cases[i].role >= 0);
        if (cases[i].role >= 0)
            assert_int_equal(who.role, cases[i].role);
    }
}

static void
test_types_of_claims(void **state)
{
    static const struct {
        const char *claims;
        bool ok;
    } cases[] = {
        {"\"level\":3", true},
        {"\"level\":\"3\"", true},
        {"\"level\":-2147483648", true},
        {"\"level\":null", true},
        {"\"level\":\"\"", true},
        {"\"level\":2147483648", false},
        {"\"level\":3.5", false},
        {"\"level\":\"3 or true\"", false},
        {"\"level\":true", false},
        {"\"level\":[3]", false},
        {"\"level\":{\"a\":3}", false},
        {"\"teams\":[]", true},
        {"\"teams\":[\"" USER "\",null]", true},
        {"\"teams\":\"" USER "\"", false},
        {"\"teams\":[\"a\"]", false},
        {"\"teams\":[[\"" USER "\"]]", false},
        {"\"teams\":{\"a\":\"" USER "\"}", false},
        {"\"teams\":7", false},
    };
    struct pgs_identity who;
    char payload[400];

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        snprintf(payload, sizeof(payload), "{\"role\":\"authenticated\",\"exp\":1800000100,%s}",
                 cases[i].claims);
        req.headers.size = 0;
        add_header("authorization", bearer(payload));
        if (ask(&who) != cases[i].ok)
            fail_msg("%s", cases[i].claims);
    }
}

static void
test_session_values(void **state)
{
    static const char payload[] = "{\"sub\":\"" USER "\",\"role\":\"authenticated\","
                                  "\"app_metadata\":{\"plan\":\"free\"},\"exp\":1800000100}";
    struct pgs_identity who;

    (void)state;
    add_header("authorization", bearer(payload));
    assert_true(ask(&who));
    assert_int_equal(who.n_session, 6);
    assert_text(who.session[0], "authenticated");
    assert_text(who.session[1], USER);
    assert_text(who.session[2], payload);
    assert_text(who.session[3], "free");
}

/* All claims are there, whether the application reads them or not, and go along with a copy. */
static void
test_claims(void **state)
{
    static const char payload[] =
        "{\"sub\":\"" USER "\",\"role\":\"authenticated\",\"exp\":1800000100,\"more\":[1]}";
    struct pgs_app apps[] = {app, app};
    struct pgs_authn *both[PGS_COUNT(apps)];
    struct pgs_identity who, copy;

    (void)state;
    apps[1].reads_jwt = false;
    for (size_t i = 0; i < PGS_COUNT(apps); i++) {
        void *block;

        both[i] = pgs_authn_open(&apps[i], &keys);
        for (int times = 0; times < 2; times++) {
            const char *why, *token = strchr(bearer(payload), ' ') + 1;

            assert_true(pgs_authenticate_credential(both[i], h2o_iovec_init(token, strlen(token)),
                                                    &req.pool, &who, &why));
            assert_text(who.claims, payload);
            assert_non_null(block = pgs_identity_copy(&who, &copy));
            assert_text(copy.claims, payload);
            assert_text(copy.session[copy.n_session - 1], "");
            free(block);
            assert_true(pgs_authenticate_credential(
                both[i], h2o_iovec_init(ANON_KEY, strlen(ANON_KEY)), &req.pool, &who, &why));
            assert_text(who.claims, "{\"role\":\"anon\"}");
        }
    }
    h2o_mem_clear_pool(&req.pool);
    for (size_t i = 0; i < PGS_COUNT(apps); i++)
        pgs_authn_close(both[i]);
}

static void
test_a_remembered_token_still_expires(void **state)
{
    struct pgs_identity who;

    (void)state;
    add_header("authorization",
               bearer("{\"sub\":\"" USER "\",\"role\":\"authenticated\",\"exp\":1800000010}"));
    assert_true(ask(&who));
    now_s += 10;
    assert_true(ask(&who)); /* within the leeway */
    now_s += 10;
    assert_false(ask(&who));
}

/* More tokens than are remembered: each still leads to its own user, first and second time. */
static void
test_many_tokens(void **state)
{
    struct pgs_identity who;
    char payload[160], user[37];

    (void)state;
    for (int i = 0; i < 2 * 2000; i++) {
        (void)snprintf(user, sizeof(user), "00000000-0000-4000-8000-%012d", i / 2);
        (void)snprintf(payload, sizeof(payload),
                       "{\"sub\":\"%s\",\"role\":\"authenticated\",\"exp\":1800001000}", user);
        req.headers.size = 0;
        add_header("authorization", bearer(payload));
        assert_true(ask(&who));
        assert_text(who.session[1], user);
    }
}

/* The wall clock jumps: what has expired comes back with it, and nothing lives longer. */
static void
test_clock_jumps(void **state)
{
    struct pgs_identity who;

    (void)state;
    add_header("authorization",
               bearer("{\"sub\":\"" USER "\",\"role\":\"authenticated\",\"nbf\":1800000000,"
                      "\"exp\":1800000010}"));
    assert_true(ask(&who));
    now_s += 86400;
    assert_false(ask(&who));
    now_s -= 86400;
    assert_true(ask(&who));
    pgs_authn_close(authn);
    now_s -= 3600; /* a server that starts now has not seen it */
    authn = pgs_authn_open(&app, &keys);
    assert_false(ask(&who));
    now_s += 3600;
    assert_true(ask(&who));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_authorization_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_roles_of_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_claims, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_types_of_claims, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_jumps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_remembered_token_still_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_tokens, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("runtime_authn", tests, NULL, NULL);
}

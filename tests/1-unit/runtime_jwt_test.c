/* SPDX-License-Identifier: MIT */
/*
 * Tokens are made here with OpenSSL's one-shot HMAC and its padded base64, which share nothing
 * with the reader but the key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "codec/jwt.h"
#include "runtime_heap.h"

#define NOW INT64_C(1700000000)
#define GOOD_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static const char secret[] = "a secret that is long enough to be one";

static struct pgs_jwt_rules
rules(void)
{
    return (struct pgs_jwt_rules){.secret = (const uint8_t *)secret,
                                  .secret_len = sizeof(secret) - 1};
}

static void
add_base64url(struct pgs_buf *out, const void *bytes, size_t len)
{
    unsigned char *text = heap_alloc(NULL, len / 3 * 4 + 5);
    int n = EVP_EncodeBlock(text, bytes, (int)len);

    for (int i = 0; i < n && text[i] != '='; i++)
        pgs_buf_add_char(out, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
}

static void
add_signature(struct pgs_buf *out, const EVP_MD *digest, const char *key, size_t key_len)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len;

    HMAC(digest, key, (int)key_len, (const unsigned char *)out->at, out->len, mac, &mac_len);
    pgs_buf_add_char(out, '.');
    add_base64url(out, mac, mac_len);
}

static void
make_unsigned(struct pgs_buf *out, const char *header, const void *payload, size_t len)
{
    pgs_buf_init(out, 0);
    add_base64url(out, header, strlen(header));
    pgs_buf_add_char(out, '.');
    add_base64url(out, payload, len);
}

static void
make(struct pgs_buf *out, const char *header, const char *payload)
{
    make_unsigned(out, header, payload, strlen(payload));
    add_signature(out, EVP_sha256(), secret, sizeof(secret) - 1);
}

/* NULL: taken; else why not. */
static const char *
judge_with(const struct pgs_jwt_rules *by, const struct pgs_buf *token)
{
    struct pgs_jwt jwt;
    const char *why = "no reason given";
    char *copy = memcpy(heap_alloc(NULL, token->len), token->at, token->len);
    bool taken = pgs_jwt_read(by, copy, token->len, NOW, heap, &jwt, &why);

    return taken ? NULL : why;
}

static const char *
judge(const struct pgs_buf *token)
{
    struct pgs_jwt_rules by = rules();

    return judge_with(&by, token);
}

static void
expect(const char *found, const char *expected, const char *what)
{
    if (found == NULL ? expected != NULL : expected == NULL || strcmp(found, expected) != 0)
        fail_msg("%s: %s", what, found == NULL ? "taken" : found);
}

static int
clean(void **state)
{
    (void)state;
    heap_free_all();
    return 0;
}

static void
test_claims(void **state)
{
    static const char payload[] =
        "{\"sub\":\"u-1\",\"role\":\"auth\\u0065nticated\",\"email\":\"a@b.c\","
        "\"exp\":1700000001.9,\"iat\":1699999999,\"nbf\":1700000000,\"aud\":\"x\",\"iss\":\"y\","
        "\"app_metadata\":{\"plan\":\"pro\",\"seats\":5,\"on\":true,\"list\":[1, {\"a\":2}],"
        "\"none\":null,\"deep\":{\"er\":{\"x\":\"\\u00e4\"}}},\"plan\":\"top\"}";
    static const struct {
        const char *path;
        const char *value;
    } cases[] = {
        {"sub", "u-1"},
        {"plan", "top"},
        {"app_metadata.plan", "pro"},
        {"app_metadata.seats", "5"},
        {"app_metadata.on", "true"},
        {"app_metadata.list", "[1, {\"a\":2}]"},
        {"app_metadata.deep.er.x", "\xC3\xA4"},
        {"app_metadata.deep", "{\"er\":{\"x\":\"\\u00e4\"}}"},
        {"exp", "1700000001.9"},
        {"app_metadata.none", NULL},
        {"app_metadata.nope", NULL},
        {"app_metadata.plan.x", NULL},
        {"app_metadata.list.a", NULL},
        {"deep", NULL},
        {"er.x", NULL},
        {"", NULL},
        {".", NULL},
    };
    struct pgs_jwt_rules by = rules();
    struct pgs_buf token;
    struct pgs_jwt jwt;
    const char *why;

    (void)state;
    make(&token, GOOD_HEADER, payload);
    assert_true(pgs_jwt_read(&by, token.at, token.len, NOW, heap, &jwt, &why));
    pgs_buf_clear(&token);
    assert_int_equal(jwt.exp, NOW + 1);
    assert_int_equal(jwt.payload.len, strlen(payload));
    assert_memory_equal(jwt.payload.at, payload, strlen(payload));
    assert_int_equal(jwt.sub.len, 3);
    assert_memory_equal(jwt.role.at, "authenticated", jwt.role.len);
    assert_int_equal(jwt.role.len, 13);
    assert_memory_equal(jwt.email.at, "a@b.c", 5);
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_text value = {"", 0};
        bool found = pgs_jwt_claim(&jwt, cases[i].path, heap, &value);

        assert_int_equal(found, cases[i].value != NULL);
        if (!found)
            continue;
        assert_int_equal(value.len, strlen(cases[i].value));
        assert_memory_equal(value.at, cases[i].value, value.len);
    }
}

#define MALFORMED "JWT is malformed"
#define UNSIGNED "JWT signature is invalid"

/* Signed with our key, each of them: what is wrong is what the header says. */
static void
test_headers(void **state)
{
    static const struct {
        const char *header;
        const char *why;
    } cases[] = {
        {GOOD_HEADER, NULL},
        {"{\"alg\":\"HS256\"}", NULL},
        {"{\"typ\":\"jwt\",\"alg\":\"HS256\",\"kid\":\"../../etc/passwd' or 1=1\"}", NULL},
        {"{\"alg\":\"none\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"None\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"nOnE\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"hs256\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"HS384\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"HS512\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"RS256\"}", "JWT algorithm is not that of its key"},
        {"{\"alg\":[\"HS256\"]}", "JWT algorithm is not that of its key"},
        {"{\"alg\":256}", "JWT algorithm is not that of its key"},
        {"{\"alg\":\"HS256\\u0000\"}", "JWT is not valid JSON"},
        {"{}", "JWT has no alg"},
        {"{\"x\":{\"alg\":\"HS256\"}}", "JWT has no alg"},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "JWT has a member twice"},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"crit\":[]}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"jku\":\"http://x/\"}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"x5u\":\"http://x/\"}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"jwk\":{\"k\":\"x\"}}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"b64\":false}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "JWT header is not supported"},
        {"{\"alg\":\"HS256\",\"typ\":\"refresh\"}", "JWT type is not JWT"},
        {"{\"alg\":\"HS256\",\"typ\":1}", "JWT type is not JWT"},
        {"[\"HS256\"]", "JWT is not an object"},
        {"HS256", "JWT is not valid JSON"},
        {"\xEF\xBB\xBF{\"alg\":\"HS256\"}", "JWT is not valid JSON"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf token;

        make(&token, cases[i].header, "{\"exp\":1800000000}");
        expect(judge(&token), cases[i].why, cases[i].header);
        pgs_buf_clear(&token);
    }
}

static void
test_payloads(void **state)
{
    static const struct {
        const char *payload;
        const char *why;
    } cases[] = {
        {"{\"exp\":1700000001}", NULL},
        {"{\"exp\":1700000000}", "JWT expired"},
        {"{\"exp\":1700000000.9}", "JWT expired"},
        {"{\"exp\":-1}", "JWT expired"},
        {"{\"exp\":0}", "JWT expired"},
        {"{}", "JWT has no exp"},
        {"{\"x\":{\"exp\":1800000000}}", "JWT has no exp"},
        {"{\"exp\":\"1800000000\"}", "JWT claim exp is not a date"},
        {"{\"exp\":1e400}", "JWT claim exp is not a date"},
        {"{\"exp\":1.8e9}", "JWT claim exp is not a date"},
        {"{\"exp\":9999999999999999}", "JWT claim exp is not a date"},
        {"{\"exp\":999999999999999}", NULL},
        {"{\"exp\":null}", "JWT claim exp is not a date"},
        {"{\"exp\":true}", "JWT claim exp is not a date"},
        {"{\"exp\":[1800000000]}", "JWT claim exp is not a date"},
        {"{\"exp\":{}}", "JWT claim exp is not a date"},
        {"{\"exp\":1800000000,\"nbf\":1700000001}", "JWT not yet valid"},
        {"{\"exp\":1800000000,\"nbf\":\"0\"}", "JWT claim nbf or iat is not a date"},
        {"{\"exp\":1800000000,\"iat\":1700000001}", "JWT issued in the future"},
        {"{\"exp\":1800000000,\"iat\":{}}", "JWT claim nbf or iat is not a date"},
        {"{\"exp\":1800000000,\"role\":\"a\",\"role\":\"b\"}", "JWT has a member twice"},
        {"{\"exp\":1800000000,\"role\":\"a\",\"r\\u006fle\":\"b\"}", "JWT has a member twice"},
        {"{\"exp\":1800000000,\"exp\":1800000000}", "JWT has a member twice"},
        {"{\"exp\":1800000000,\"m\":{\"a\":1,\"a\":2}}", "JWT has a member twice"},
        {"{\"exp\":1800000000,\"m\":[{\"a\":1},{\"a\":2}],\"a\":{\"a\":{\"a\":1}}}", NULL},
        {"{\"exp\":1800000000,\"role\":7}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"role\":[\"service_role\"]}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"role\":null}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"sub\":1}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"sub\":{}}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"email\":false}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"iss\":1}", "JWT claim is not a string"},
        {"{\"exp\":1800000000,\"aud\":1}", "JWT claim aud is not a string"},
        {"{\"exp\":1800000000,\"aud\":[\"a\",1]}", "JWT claim aud is not a string"},
        {"{\"exp\":1800000000,\"aud\":[[\"a\"]]}", "JWT claim aud is not a string"},
        {"{\"exp\":1800000000,\"aud\":{}}", "JWT claim aud is not a string"},
        {"{\"exp\":1800000000,\"sub\":\"a\\u0000b\"}", "JWT is not valid JSON"},
        {"{\"exp\":1800000000,\"sub\":\"\xFF\"}", "JWT is not valid JSON"},
        {"{\"exp\":1800000000,\"sub\":\"\\ud800\"}", "JWT is not valid JSON"},
        {"{\"exp\":1800000000", "JWT is not valid JSON"},
        {"{\"exp\":1800000000} x", "JWT is not valid JSON"},
        {"{\"exp\":1800000000} \"x", "JWT is not valid JSON"},
        {"not json", "JWT is not valid JSON"},
        {"[{\"exp\":1800000000}]", "JWT is not an object"},
        {"1800000000", "JWT is not an object"},
        {"\"exp\"", "JWT is not an object"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf token;

        make(&token, GOOD_HEADER, cases[i].payload);
        expect(judge(&token), cases[i].why, cases[i].payload);
        pgs_buf_clear(&token);
    }
}

static void
test_configured_rules(void **state)
{
    static const struct {
        const char *audience, *issuer;
        int leeway_s;
        const char *payload;
        const char *why;
    } cases[] = {
        {"app", NULL, 0, "{\"exp\":1800000000,\"aud\":\"app\"}", NULL},
        {"app", NULL, 0, "{\"exp\":1800000000,\"aud\":[\"other\",\"app\"]}", NULL},
        {"app", NULL, 0, "{\"exp\":1800000000,\"aud\":[]}", "JWT not in audience"},
        {"app", NULL, 0, "{\"exp\":1800000000,\"aud\":\"apps\"}", "JWT not in audience"},
        {"app", NULL, 0, "{\"exp\":1800000000}", "JWT not in audience"},
        {"app", NULL, 0, "{\"exp\":1800000000,\"x\":{\"aud\":\"app\"}}", "JWT not in audience"},
        {NULL, "us", 0, "{\"exp\":1800000000,\"iss\":\"us\"}", NULL},
        {NULL, "us", 0, "{\"exp\":1800000000,\"iss\":\"them\"}", "JWT is of another issuer"},
        {NULL, "us", 0, "{\"exp\":1800000000}", "JWT is of another issuer"},
        {NULL, NULL, 30, "{\"exp\":1699999971}", NULL},
        {NULL, NULL, 30, "{\"exp\":1699999970}", "JWT expired"},
        {NULL, NULL, 30, "{\"exp\":1800000000,\"nbf\":1700000030,\"iat\":1700000030}", NULL},
        {NULL, NULL, 30, "{\"exp\":1800000000,\"nbf\":1700000031}", "JWT not yet valid"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_jwt_rules by = rules();
        struct pgs_buf token;

        by.audience = cases[i].audience;
        by.issuer = cases[i].issuer;
        by.leeway_s = cases[i].leeway_s;
        make(&token, GOOD_HEADER, cases[i].payload);
        expect(judge_with(&by, &token), cases[i].why, cases[i].payload);
        pgs_buf_clear(&token);
    }
}

static void
test_signatures(void **state)
{
    static const char payload[] = "{\"exp\":1800000000,\"role\":\"service_role\"}";
    struct pgs_jwt_rules by = rules();
    struct pgs_buf token;

    (void)state;
    make_unsigned(&token, "{\"alg\":\"none\"}", payload, strlen(payload));
    pgs_buf_add_char(&token, '.');
    expect(judge(&token), MALFORMED, "no signature");
    pgs_buf_clear(&token);

    make_unsigned(&token, GOOD_HEADER, payload, strlen(payload));
    add_signature(&token, EVP_sha256(), "", 0);
    expect(judge(&token), UNSIGNED, "signed with an empty key");
    by.secret_len = 0;
    expect(judge_with(&by, &token), UNSIGNED, "judged with an empty key");
    by.secret = NULL;
    expect(judge_with(&by, &token), UNSIGNED, "judged without a key");
    pgs_buf_clear(&token);

    make_unsigned(&token, "{\"alg\":\"HS512\"}", payload, strlen(payload));
    add_signature(&token, EVP_sha512(), secret, sizeof(secret) - 1);
    expect(judge(&token), UNSIGNED, "a longer MAC");
    pgs_buf_clear(&token);

    make_unsigned(&token, GOOD_HEADER, payload, strlen(payload));
    add_signature(&token, EVP_sha256(), "another secret that is long enough", 34);
    expect(judge(&token), UNSIGNED, "another key");
    pgs_buf_clear(&token);
}

/* No bit of a token may change. */
static void
test_every_bit_counts(void **state)
{
    struct pgs_buf token;

    (void)state;
    make(&token, GOOD_HEADER, "{\"exp\":1800000000}");
    expect(judge(&token), NULL, "the token itself");
    for (size_t i = 0; i < token.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            token.at[i] = (char)(token.at[i] ^ (1 << bit));
            assert_non_null(judge(&token));
            token.at[i] = (char)(token.at[i] ^ (1 << bit));
        }
        heap_free_all();
    }
    for (size_t len = token.len; len-- > 0;) {
        struct pgs_buf shorter = token;

        shorter.len = len;
        assert_non_null(judge(&shorter));
    }
    pgs_buf_clear(&token);
}

static void
test_forms(void **state)
{
    static const struct {
        const char *token;
        const char *why;
    } cases[] = {
        {"", MALFORMED},
        {".", MALFORMED},
        {"..", MALFORMED},
        {"a.b", MALFORMED},
        {"a.b.c", UNSIGNED},
        {"a.b.c.d", MALFORMED},
        {"a.b.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", UNSIGNED},
        {".b.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
        {"a..AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED},
        {"a.b.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", UNSIGNED},
        {"a.b.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+", UNSIGNED},
        {"a.b.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", UNSIGNED},
    };
    struct pgs_buf long_token;

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf token;

        pgs_buf_init(&token, 0);
        pgs_buf_add(&token, cases[i].token, strlen(cases[i].token) + 1);
        token.len--;
        expect(judge(&token), cases[i].why, cases[i].token);
        pgs_buf_clear(&token);
    }
    pgs_buf_init(&long_token, 0);
    for (int i = 0; i < 65536; i++)
        pgs_buf_add_char(&long_token, i % 30000 == 100 ? '.' : 'a');
    expect(judge(&long_token), "JWT is too long", "64 KiB");
    pgs_buf_clear(&long_token);
}

/* The alphabet with padding, or other bits at the end, signed as it stands. */
static void
test_encodings(void **state)
{
    static const struct {
        const char *header, *payload;
        const char *why;
    } cases[] = {
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDB9", NULL},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDAgfQ", NULL},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDAgfQ==", "JWT is not base64url"},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDAgfR", "JWT is not base64url"},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDB9\n", "JWT is not base64url"},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDB9A", "JWT is not base64url"},
        {"eyJhbGciOiJIUzI1NiJ9=", "eyJleHAiOjE4MDAwMDAwMDB9", "JWT is not base64url"},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDAsIngiOiI-Pz8_In0", NULL},
        {"eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjE4MDAwMDAwMDAsIngiOiI+Pz8/In0", "JWT is not base64url"},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        struct pgs_buf token;

        pgs_buf_init(&token, 0);
        pgs_buf_add_str(&token, cases[i].header);
        pgs_buf_add_char(&token, '.');
        pgs_buf_add_str(&token, cases[i].payload);
        add_signature(&token, EVP_sha256(), secret, sizeof(secret) - 1);
        expect(judge(&token), cases[i].why, cases[i].payload);
        pgs_buf_clear(&token);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_claims, clean),
        cmocka_unit_test_teardown(test_headers, clean),
        cmocka_unit_test_teardown(test_payloads, clean),
        cmocka_unit_test_teardown(test_configured_rules, clean),
        cmocka_unit_test_teardown(test_signatures, clean),
        cmocka_unit_test_teardown(test_every_bit_counts, clean),
        cmocka_unit_test_teardown(test_forms, clean),
        cmocka_unit_test_teardown(test_encodings, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* HMAC as libpq asks for it: ours is what it reaches, names the provider, and hashes as ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#define OPENSSL_SUPPRESS_DEPRECATED /* libpq uses it */
#include <openssl/hmac.h>

#include "db/hmac.h"

/* RFC 4231 and RFC 2202, test case 2. */
static const char key[] = "Jefe", data[] = "what do ya want for nothing?";
static const unsigned char of_sha256[] = {
    0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
    0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
static const unsigned char of_sha1[] = {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                        0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79};

/* Twice, as SCRAM does, with the key again.  True: its digest names its provider. */
static bool
hashes(const EVP_MD *digest, const unsigned char *expected, unsigned expected_len)
{
    HMAC_CTX *context = HMAC_CTX_new();
    bool is_provided;

    for (int i = 0; i < 2; i++) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned len;

        assert_int_equal(HMAC_Init_ex(context, key, sizeof(key) - 1, digest, NULL), 1);
        assert_int_equal(HMAC_Update(context, (const unsigned char *)data, sizeof(data) - 1), 1);
        assert_int_equal(HMAC_Final(context, mac, &len), 1);
        assert_int_equal(len, expected_len);
        assert_memory_equal(mac, expected, expected_len);
    }
    is_provided = EVP_MD_get0_provider(HMAC_CTX_get_md(context)) != NULL;
    HMAC_CTX_free(context);
    return is_provided;
}

static void
test_before_it_is_looked_up(void **state)
{
    (void)state;
    assert_false(hashes(EVP_sha256(), of_sha256, sizeof(of_sha256)));
}

static void
test_sha256_names_its_provider(void **state)
{
    (void)state;
    pgs__hmac_open();
    assert_true(hashes(EVP_sha256(), of_sha256, sizeof(of_sha256)));
}

static void
test_other_digests_are_left_alone(void **state)
{
    (void)state;
    pgs__hmac_open();
    assert_false(hashes(EVP_sha1(), of_sha1, sizeof(of_sha1)));
}

/* The first in the order in which the dynamic linker looks. */
static void
test_libraries_reach_ours(void **state)
{
    int (*ours)(HMAC_CTX *, const void *, int, const EVP_MD *, ENGINE *) = HMAC_Init_ex;
    void *program = dlopen(NULL, RTLD_NOW), *found = dlsym(program, "HMAC_Init_ex");

    (void)state;
    assert_memory_equal(&found, &ours, sizeof(found));
    (void)dlclose(program);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_it_is_looked_up),
        cmocka_unit_test(test_sha256_names_its_provider),
        cmocka_unit_test(test_other_digests_are_left_alone),
        cmocka_unit_test(test_libraries_reach_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Lines of .env files, and tokens that others can verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/settings.h"
#include "dev/token.h"

static void
values(void **state)
{
    static const char text[] = "# A=comment\n"
                               "A=1\n"
                               "  export B = no\n"
                               "export B=two words # comment\r\n"
                               "C='#quoted' # comment\n"
                               "D=\"a=b\"\n"
                               "E=\n"
                               "URL=postgres://u:p#w@h/d?x=1\n"
                               "A=2";

    (void)state;
    assert_string_equal(setting_in(text, "A"), "2"); /* the last one holds */
    assert_string_equal(setting_in(text, "B"), "two words");
    assert_string_equal(setting_in(text, "C"), "#quoted");
    assert_string_equal(setting_in(text, "D"), "a=b");
    assert_string_equal(setting_in(text, "E"), "");
    assert_string_equal(setting_in(text, "URL"), "postgres://u:p#w@h/d?x=1");
    assert_null(setting_in(text, "UR"));
    assert_null(setting_in("", "A"));
}

/* The example of RFC 7515, appendix A.1, has blanks in its header; this is the plain form, whose
 * signature `openssl dgst -sha256 -hmac` gives as well. */
static void
token(void **state)
{
    (void)state;
    assert_string_equal(token_sign("{\"sub\":\"x\"}", "secret"),
                        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0."
                        "TKECX_pF_bzlcgrzGibhwL3tklDD4LdEEzXVQCw00qY");
}

static void
random_keys_differ(void **state)
{
    const char *one = token_random();

    (void)state;
    assert_int_equal(strlen(one), 48);
    assert_string_not_equal(one, token_random());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(token),
        cmocka_unit_test(random_keys_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

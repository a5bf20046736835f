/* SPDX-License-Identifier: MIT */
/*
 * Addresses, networks, X-Forwarded-For, and the table of what each address does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limit.h"
#include "codec/forwarded.h"
#include "http/addresses.h"

static struct pgs_address
address(const char *text)
{
    struct pgs_address read;

    assert_true(pgs_address_read(text, strlen(text), &read));
    return read;
}

static void
test_addresses_have_one_form(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::", "::"},
    };
    static const char *const none[] = {"",
                                       "192.0.2",
                                       "192.0.2.256",
                                       "192.0.2.1 ",
                                       "0x7f.1",
                                       "1",
                                       "2001:db8::1%eth0",
                                       "[::1]",
                                       "::1/64",
                                       "localhost",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
    struct pgs_address read;
    char text[PGS_ADDRESS_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        read = address(pairs[i][0]);
        pgs_address_write(&read, text);
        assert_string_equal(text, pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(pgs_address_read(none[i], strlen(none[i]), &read));
    assert_false(pgs_address_read("::1\0", 4, &read));
}

static void
test_ipv6_counts_by_its_64(void **state)
{
    struct pgs_address a = address("2001:db8:1:2:3::4"), b = address("2001:db8:1:2:ffff::");
    struct pgs_address c = address("2001:db8:1:3::4"), d = address("192.0.2.1");
    struct pgs_address of_a = pgs_address_client(&a), of_b = pgs_address_client(&b);
    struct pgs_address of_c = pgs_address_client(&c), of_d = pgs_address_client(&d);

    (void)state;
    assert_memory_equal(&of_a, &of_b, sizeof(of_a));
    assert_memory_not_equal(&of_a, &of_c, sizeof(of_a));
    assert_memory_equal(&of_d, &d, sizeof(d));
}

static void
test_networks(void **state)
{
    struct pgs_networks *networks =
        pgs_networks_read("10.0.0.0/8, 192.0.2.7 2001:db8::/33,::ffff:198.51.100.0/120");
    static const char *const within[] = {"10.255.0.1", "192.0.2.7", "2001:db8:7fff::1",
                                         "::ffff:10.0.0.1", "198.51.100.200"};
    static const char *const without[] = {"11.0.0.1",    "192.0.2.8",    "2001:db8:8000::1",
                                          "2001:db7::1", "198.51.101.1", "::10.0.0.1"};
    static const char *const none[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1",
                                       "10.0.0.0/",  "10.0.0.0/8x", "2001:db8::/129",
                                       "proxy",      "10.0.0.0/ 8", "2001:db8::1/64"};

    (void)state;
    assert_non_null(networks);
    for (size_t i = 0; i < sizeof(within) / sizeof(within[0]); i++) {
        struct pgs_address one = address(within[i]);

        assert_true(pgs_networks_hold(networks, &one));
    }
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        struct pgs_address one = address(without[i]);

        assert_false(pgs_networks_hold(networks, &one));
    }
    free(networks);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_null(pgs_networks_read(none[i]));
}

static void
test_networks_that_are_too_wide(void **state)
{
    static const char *const wide[] = {"0.0.0.0/0", "10.0.0.1 ::/0", "128.0.0.0/1", "2000::/3",
                                       "::ffff:0.0.0.0/96"};
    struct pgs_networks *networks;

    (void)state;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        networks = pgs_networks_read(wide[i]);
        assert_true(pgs_networks_are_too_wide(networks));
        free(networks);
    }
    networks = pgs_networks_read("10.0.0.0/8, fd00::/8");
    assert_false(pgs_networks_are_too_wide(networks));
    free(networks);
    assert_false(pgs_networks_are_too_wide(NULL));
}

/* The rest is tried over HTTP, by tests/4-api/client.test.mjs. */
static void
test_forwarded(void **state)
{
    struct pgs_networks *trusted = pgs_networks_read("10.0.0.0/8");
    static const struct {
        const char *value, *client;
    } cases[] = {
        {"198.51.100.7", "198.51.100.7"},
        {" ,198.51.100.7 ,\t10.0.0.2,, ", "198.51.100.7"},
        {"[198.51.100.7]", "10.0.0.1"},
        {"[2001:db8::1", "10.0.0.1"},
        {"[2001:db8::1]80", "10.0.0.1"},
        {"198.51.100.7:", "10.0.0.1"},
        {"198.51.100.7:80:81", "10.0.0.1"},
        {"198.51.100.7:1234567", "10.0.0.1"},
        {"198.51.100.7 198.51.100.8", "10.0.0.1"},
        {"\"198.51.100.7\"", "10.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pgs_text value = {cases[i].value, strlen(cases[i].value)};
        struct pgs_address client = pgs_forwarded_client(address("10.0.0.1"), trusted, &value, 1);
        struct pgs_address wanted = address(cases[i].client);

        assert_memory_equal(&client, &wanted, sizeof(client));
    }
    free(trusted);
}

/* ---- the table ---- */

static const struct pgs_addresses_config small = {
    .max_connections = 2, .max_requests = 1, .max_floods = 2, .room = 64};

static void
test_each_address_has_its_own_counts(void **state)
{
    struct pgs_addresses *addresses = pgs_addresses_open(&small);
    struct pgs_address a = address("192.0.2.1"), b = address("192.0.2.2");
    struct pgs__place *places[4], *request = NULL, *again = NULL;

    (void)state;
    assert_true(pgs__address_connect(addresses, &a, 0, &places[0]));
    assert_true(pgs__address_connect(addresses, &a, 0, &places[1]));
    assert_false(pgs__address_connect(addresses, &a, 0, &places[2]));
    assert_true(pgs__address_connect(addresses, &b, 0, &places[2]));
    pgs__address_leave(places[0]);
    assert_true(pgs__address_connect(addresses, &a, 0, &places[3]));
    assert_true(pgs__address_begin(addresses, &a, &request));
    assert_false(pgs__address_begin(addresses, &a, &again));
    pgs__address_finish(request);
    request = places[3];
    assert_true(pgs__address_begin(addresses, &a, &request));
    pgs_addresses_close(addresses);
}

static void
test_floods_shut_out_for_a_minute(void **state)
{
    struct pgs_addresses *addresses = pgs_addresses_open(&small);
    struct pgs_address a = address("2001:db8::1"), near = address("2001:db8::2");
    struct pgs__place *place;
    const int64_t begin_ms = 1000000;

    (void)state;
    assert_true(pgs__address_connect(addresses, &a, begin_ms, &place));
    pgs__address_flooded(addresses, place, begin_ms);
    pgs__address_flooded(addresses, place, begin_ms + 60001); /* of another minute */
    pgs__address_leave(place);
    assert_true(pgs__address_connect(addresses, &a, begin_ms + 60002, &place));
    pgs__address_flooded(addresses, place, begin_ms + 60003);
    pgs__address_leave(place);
    assert_false(pgs__address_connect(addresses, &near, begin_ms + 60004, &place));
    assert_false(pgs__address_connect(addresses, &a, begin_ms + 120002, &place));
    assert_true(pgs__address_connect(addresses, &a, begin_ms + 120003, &place));
    pgs_addresses_close(addresses);
}

/* More addresses than there is room for: nobody is refused, and who is shut out stays so. */
static void
test_a_full_table_refuses_nobody(void **state)
{
    struct pgs_addresses *addresses = pgs_addresses_open(&small);
    struct pgs_address bad = address("192.0.2.1");
    struct pgs__place *place, *places[1000];
    uint64_t before = pgs_limit_hits(PGS_LIMIT_ADDRESSES);

    (void)state;
    assert_true(pgs__address_connect(addresses, &bad, 0, &place));
    pgs__address_flooded(addresses, place, 1);
    pgs__address_flooded(addresses, place, 1);
    pgs__address_leave(place);
    for (int i = 0; i < 1000; i++) { /* come and go */
        char text[PGS_ADDRESS_TEXT];
        struct pgs_address one;

        (void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
        one = address(text);
        assert_true(pgs__address_connect(addresses, &one, 2, &place));
        pgs__address_leave(place);
        places[i] = NULL;
    }
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_ADDRESSES), before);
    assert_false(pgs__address_connect(addresses, &bad, 2, &place));
    for (int i = 0; i < 1000; i++) { /* come and stay */
        char text[PGS_ADDRESS_TEXT];
        struct pgs_address one;

        (void)snprintf(text, sizeof(text), "10.1.%d.%d", i / 250, i % 250);
        one = address(text);
        assert_true(pgs__address_connect(addresses, &one, 2, &places[i]));
    }
    assert_true(pgs_limit_hits(PGS_LIMIT_ADDRESSES) >= before + 1000 - 64);
    for (int i = 0; i < 1000; i++)
        pgs__address_leave(places[i]);
    pgs_addresses_close(addresses);
}

static void
test_trusted_proxies_are_not_bound(void **state)
{
    struct pgs_networks *trusted = pgs_networks_read("192.0.2.1");
    struct pgs_addresses_config config = small;
    struct pgs_addresses *addresses;
    struct pgs_address proxy = address("192.0.2.1");
    struct pgs__place *place = NULL;

    (void)state;
    config.trusted = trusted;
    addresses = pgs_addresses_open(&config);
    for (int i = 0; i < 10; i++) {
        assert_true(pgs__address_connect(addresses, &proxy, 1, &place));
        pgs__address_flooded(addresses, place, 1);
    }
    pgs_addresses_close(addresses);
    free(trusted);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_have_one_form),
        cmocka_unit_test(test_ipv6_counts_by_its_64),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_networks_that_are_too_wide),
        cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_each_address_has_its_own_counts),
        cmocka_unit_test(test_floods_shut_out_for_a_minute),
        cmocka_unit_test(test_a_full_table_refuses_nobody),
        cmocka_unit_test(test_trusted_proxies_are_not_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

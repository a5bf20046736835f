/* SPDX-License-Identifier: MIT */
/* Which of the hosts of a connection string is asked first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/hosts.h"

struct a_case {
    const char *conninfo, *host, *port;
    const char *lists[PGS__HOST_LISTS];
};

static void
test_the_one_that_is_preferred_is_first(void **state)
{
    static const struct a_case cases[] = {
        {"host=a,b,c port=1,2,3", "c", "3", {"c,a,b", NULL, "3,1,2"}},
        {"host=a,b,c port=1,2,3", "a", "1", {"a,b,c", NULL, "1,2,3"}},
        {"host=a,a port=1,2", "a", "2", {"a,a", NULL, "2,1"}},
        {"host=a,ab,b port=1", "b", "1", {"b,a,ab", NULL, "1"}},
        {"host=a,b hostaddr=10.0.0.1,10.0.0.2", "b", "5432", {"b,a", "10.0.0.2,10.0.0.1", NULL}},
        {"hostaddr=10.0.0.1,10.0.0.2", "10.0.0.2", "5432", {NULL, "10.0.0.2,10.0.0.1", NULL}},
        {"host=a,b port=1,2", "c", "1", {"a,b", NULL, "1,2"}}, /* it is not named */
        {"host=a,b port=1,2", "a", "2", {"a,b", NULL, "1,2"}},
        {"host=a port=1", "b", "1", {"a", NULL, "1"}},
        {"dbname=d", "/run", "5432", {NULL, NULL, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pgs__hosts hosts;

        pgs__hosts_init(&hosts, cases[i].conninfo);
        pgs__hosts_prefer(&hosts, cases[i].host, cases[i].port);
        for (int list = 0; list < PGS__HOST_LISTS; list++)
            if (cases[i].lists[list] == NULL)
                assert_null(hosts.lists[list]);
            else
                assert_string_equal(hosts.lists[list], cases[i].lists[list]);
        pgs__hosts_clear(&hosts);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_one_that_is_preferred_is_first)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

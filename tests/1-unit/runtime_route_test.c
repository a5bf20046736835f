/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/cors.h"
#include "http/route.h"

static const struct pgs_route tickets[] = {
    {.method = PGS_GET, .path = "/rest/v1/ticket"},
    {.method = PGS_POST, .path = "/rest/v1/ticket"},
    PGS_ROUTES_END,
};
static const struct pgs_route calls[] = {
    {.method = PGS_POST, .path = "/rest/v1/rpc/find"},
    PGS_ROUTES_END,
};
static const struct pgs_route *const tables[] = {tickets, calls, NULL};

static const struct pgs_path *
find(const struct pgs_router *router, const char *path)
{
    return pgs_router_find(router, path, strlen(path));
}

static void
test_routes(void **state)
{
    const struct pgs_app app = {.routes = tables};
    struct pgs_router *router = pgs_router_open(&app);
    const struct pgs_path *path = find(router, "/rest/v1/ticket");

    (void)state;
    assert_non_null(path);
    assert_ptr_equal(path->by_method[PGS_GET], &tickets[0]);
    assert_ptr_equal(path->by_method[PGS_POST], &tickets[1]);
    assert_null(path->by_method[PGS_DELETE]);
    assert_ptr_equal(find(router, "/rest/v1/rpc/find")->by_method[PGS_POST], &calls[0]);
    assert_null(find(router, "/rest/v1/ticke"));
    assert_null(find(router, "/rest/v1/ticket/"));
    assert_null(find(router, "/rest/v1/Ticket"));
    assert_null(find(router, ""));
    assert_null(pgs_router_find(router, "/rest/v1/ticket\0", strlen("/rest/v1/ticket") + 1));
    pgs_router_close(router);
}

#define MANY 1000

static void
test_many_routes(void **state)
{
    static struct pgs_route routes[MANY + 1];
    static char paths[MANY][32];
    const struct pgs_route *const table[] = {routes, NULL};
    const struct pgs_app app = {.routes = table};
    struct pgs_router *router;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/rest/v1/t%d", i);
        routes[i] = (struct pgs_route){.method = PGS_GET, .path = paths[i]};
    }
    router = pgs_router_open(&app);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(find(router, paths[i])->by_method[PGS_GET], &routes[i]);
    assert_null(find(router, "/rest/v1/t1000"));
    pgs_router_close(router);
}

static void
test_no_routes(void **state)
{
    const struct pgs_route *const none[] = {NULL};
    const struct pgs_app app = {.routes = none};
    struct pgs_router *router = pgs_router_open(&app);

    (void)state;
    assert_null(find(router, "/"));
    pgs_router_close(router);
}

static bool
allows(const struct pgs_cors *cors, const char *origin)
{
    return pgs_cors_allows(cors, origin, strlen(origin));
}

static void
test_origins(void **state)
{
    static const char *const origins[] = {"https://desk.example.com", "http://localhost:3000",
                                          NULL};
    static const struct pgs_cors cors = {.origins = origins};
    static const char *const strangers[] = {
        "null",
        "https://desk.example.com.",
        "https://desk.example.com:443",
        "https://desk.example.com.evil.example",
        "https://evil-desk.example.com",
        "http://desk.example.com",
        "https://DESK.example.com",
        "https://desk.example.co",
        "https://desk.example.com/",
        "",
    };

    (void)state;
    assert_true(allows(&cors, "https://desk.example.com"));
    assert_true(allows(&cors, "http://localhost:3000"));
    for (size_t i = 0; i < PGS_COUNT(strangers); i++)
        assert_false(allows(&cors, strangers[i]));
    assert_false(allows(NULL, "https://desk.example.com"));
}

static void
test_starred_origins(void **state)
{
    static const char *const origins[] = {"https://*.example.com", NULL};
    static const struct pgs_cors cors = {.origins = origins};
    static const char *const strangers[] = {
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "http://a.example.com",
        "https://a.example.com:444",
        "https://evil.test/.example.com",
        "https://a@b.example.com",
        "https://a.example.com.evil.test",
        "https://evil.test#.example.com",
    };

    (void)state;
    assert_true(allows(&cors, "https://a.example.com"));
    assert_true(allows(&cors, "https://pr-7.preview.example.com"));
    for (size_t i = 0; i < PGS_COUNT(strangers); i++)
        assert_false(allows(&cors, strangers[i]));
}

static void
test_configured_origins(void **state)
{
    static const char *const policy[] = {"https://a.example", NULL};
    static const char *const operator_s[] = {"https://b.example", NULL};
    static const struct pgs_cors cors = {.origins = policy};

    (void)state;
    pgs_cors_configure(operator_s, false);
    assert_false(allows(&cors, "https://a.example"));
    assert_true(allows(&cors, "https://b.example"));
    assert_true(allows(NULL, "https://b.example"));
    pgs_cors_configure(NULL, true);
    assert_true(allows(&cors, "https://c.example"));
    pgs_cors_configure(NULL, false);
    assert_true(allows(&cors, "https://a.example"));
    assert_false(allows(&cors, "https://b.example"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),          cmocka_unit_test(test_many_routes),
        cmocka_unit_test(test_no_routes),       cmocka_unit_test(test_origins),
        cmocka_unit_test(test_starred_origins), cmocka_unit_test(test_configured_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

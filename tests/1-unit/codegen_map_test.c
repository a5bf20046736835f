/* SPDX-License-Identifier: MIT */
/* The map from texts to pointers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"

static void
an_empty_map_has_nothing(void **state)
{
    struct map map = {0};

    (void)state;
    assert_null(map_get(&map, ""));
    assert_null(map_get(&map, "a"));
}

static void
what_was_put_is_found_after_it_grew(void **state)
{
    struct map map = {0};
    static const char values[5000];

    (void)state;
    for (int i = 0; i < 5000; i++)
        map_put(&map, arena_printf("name%d", i), &values[i]);
    assert_int_equal(map.n, 5000);
    for (int i = 0; i < 5000; i++)
        assert_ptr_equal(map_get(&map, arena_printf("name%d", i)), &values[i]);
    assert_null(map_get(&map, "name5000"));
    assert_null(map_get(&map, "name"));
}

static void
the_first_value_stays(void **state)
{
    struct map map = {0};

    (void)state;
    map_put(&map, "", "one");
    map_put(&map, "", "two");
    assert_string_equal(map_get(&map, ""), "one");
    assert_int_equal(map.n, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(what_was_put_is_found_after_it_grew),
        cmocka_unit_test(the_first_value_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Memory that a crowd has left goes back to the system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    BLOCKS = 3072,
    BLOCK = 1024, /* 3 MiB in all: less than glibc gives back by itself */
};

static long
resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

struct crowd {
    int stays; /* of so many one, to the end; 0: none */
    long given_back;
};

/* As a thread of the server: its arena is not the main thread's. */
static void *
come_and_go(void *arg)
{
    static char *blocks[BLOCKS];
    struct crowd *crowd = arg;
    long before;

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (crowd->stays == 0 || i % crowd->stays != 0) {
            free(blocks[i]);
            blocks[i] = NULL;
        }
    before = resident_bytes();
    pgs_memory_give_back();
    crowd->given_back = before - resident_bytes();
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return NULL;
}

static void
check_crowd(int stays)
{
    struct crowd crowd = {.stays = stays};
    pthread_t thread;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* it has a heap of its own */
#endif
    pgs_memory_open();
    assert_int_equal(pthread_create(&thread, NULL, come_and_go, &crowd), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(crowd.given_back > BLOCKS * BLOCK / 2);
}

static void
test_a_crowd_of_blocks(void **state)
{
    (void)state;
    check_crowd(0);
}

static void
test_a_crowd_of_which_some_stay(void **state)
{
    (void)state;
    check_crowd(64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crowd_of_blocks),
        cmocka_unit_test(test_a_crowd_of_which_some_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

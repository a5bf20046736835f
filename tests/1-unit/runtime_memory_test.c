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

/* As a thread of the server: its arena is not the main thread's. */
static void *
come_and_go(void *arg)
{
    static char *blocks[BLOCKS];
    long *given_back = arg, before;

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK);
    }
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    before = resident_bytes();
    pgs_memory_give_back();
    *given_back = before - resident_bytes();
    return NULL;
}

static void
test_a_crowd_of_blocks(void **state)
{
    long given_back = 0;
    pthread_t thread;

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* it has a heap of its own */
#endif
    pgs_memory_open();
    assert_int_equal(pthread_create(&thread, NULL, come_and_go, &given_back), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(given_back > BLOCKS * BLOCK / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_crowd_of_blocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

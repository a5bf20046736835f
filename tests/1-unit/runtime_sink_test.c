/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/sink.h"

static void
set_largest_file(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* To a file that has no more room, as on a full disk, and has it again. */
static void
test_what_is_refused_is_counted(void **state)
{
    char path[] = "/tmp/pgstack-sink-XXXXXX", text[128] = "";
    int fd = mkstemp(path);
    static struct pgs_sink *sink; /* lives as long as the process */

    (void)state;
    assert_true(fd >= 0);
    sink = pgs_sink_open(fd, 4096, 0);
    assert_int_equal(unlink(path), 0);
    pgs_limits_forget();
    set_largest_file(10);
    pgs_sink_add(sink, "one\ntwo\nthree\n", 14);
    pgs_sink_wait(sink, 60);
    pgs_sink_add(sink, "four\n", 5);
    pgs_sink_wait(sink, 60);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LOG_BUFFER), 2);
    assert_int_equal(pgs_sink_dropped(sink), 2);
    assert_int_equal(pgs_sink_dropped(sink), 0);

    set_largest_file(RLIM_INFINITY);
    pgs_sink_add(sink, "five\n", 5);
    pgs_sink_close(sink, 60);
    assert_int_equal(pgs_limit_hits(PGS_LIMIT_LOG_BUFFER), 2);
    assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
    assert_string_equal(text, "one\ntwo\nth\nfive\n");
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused_is_counted),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

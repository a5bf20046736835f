/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/handover.h"
#include "process/notify.h"

static int fds[3];

static int
open_fds(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    return 0;
}

static int
close_fds(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return 0;
}

/* Reads what stands in `variable`, "NAME=value". */
static bool
read_back(const char *variable, struct pgs_handover *handover)
{
    char *copy = strdup(variable), *equals = strchr(copy, '=');
    bool ok;

    *equals = '\0';
    setenv(copy, equals + 1, 1);
    ok = pgs_handover_read(handover);
    assert_null(getenv(copy));
    free(copy);
    return ok;
}

static struct pgs_handover
sample(void)
{
    return (struct pgs_handover){
        .generation = 7,
        .supervisor = getppid(),
        .address = "::1 8080 0",
        .sets = 1,
        .n_fds = 2,
        .fds = fds,
        .admin_fd = fds[2],
    };
}

static void
test_handover_there_and_back(void **state)
{
    struct pgs_handover given = sample(), taken;
    char *variable = pgs_handover_write(&given);

    (void)state;
    assert_true(read_back(variable, &taken));
    assert_int_equal(taken.generation, 7);
    assert_int_equal(taken.supervisor, getppid());
    assert_string_equal(taken.address, "::1 8080 0");
    assert_int_equal(taken.n_fds, 2);
    assert_memory_equal(taken.fds, fds, 2 * sizeof(*fds));
    assert_int_equal(taken.admin_fd, fds[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
    free((void *)(uintptr_t)taken.fds);
    free((char *)(uintptr_t)taken.address);
    free(variable);
}

static void
test_handover_without_supervisor(void **state)
{
    struct pgs_handover taken;

    (void)state;
    assert_true(pgs_handover_read(&taken));
    assert_int_equal(taken.generation, 0);
    assert_int_equal(taken.supervisor, 0);
    assert_int_equal(taken.admin_fd, -1);
}

static void
test_handover_refuses(void **state)
{
    struct pgs_handover given = sample(), taken;
    char text[256];
    static const char *const broken[] = {
        "2 7 %d 1 -1 1 0 x",                             /* another version */
        "1 7 1 1 -1 1 0 x",                              /* another supervisor */
        "1 0 %d 1 -1 1 0 x",                             /* no generation */
        "1 7 %d 2 -1 1 0 x",                             /* sockets that do not fit the sets */
        "1 7 %d 1 -1 2 0 99x",   "1 7 %d 1 -1 1 9999 x", /* not open */
        "1 7 %d 1 -1 99999 0 x", "1 7 %d 1 9999 1 0 x",  "", "hello",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        int len = snprintf(text, sizeof(text), "PGSTACK_HANDOVER=");

        snprintf(text + len, sizeof(text) - (size_t)len, broken[i], (int)given.supervisor);
        assert_false(read_back(text, &taken));
        free((void *)(uintptr_t)taken.fds);
        free((char *)(uintptr_t)taken.address);
    }
}

static void
test_notify(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[64], got[64] = "";
    int len = snprintf(path, sizeof(path), "@pgstack-test-notify-%d", (int)getpid());
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    (void)state;
    memcpy(address.sun_path + 1, path + 1, (size_t)len - 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    pgs_notify("READY=0"); /* nobody asked */
    setenv("NOTIFY_SOCKET", path, 1);
    pgs_notify("READY=1");
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
    assert_string_equal(got, "READY=1");
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    close(fd);
    pgs_notify("READY=1"); /* nobody listens */
    unsetenv("NOTIFY_SOCKET");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handover_there_and_back, open_fds, close_fds),
        cmocka_unit_test(test_handover_without_supervisor),
        cmocka_unit_test_setup_teardown(test_handover_refuses, open_fds, close_fds),
        cmocka_unit_test(test_notify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

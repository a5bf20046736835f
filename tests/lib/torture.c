/* SPDX-License-Identifier: MIT */
#include "torture.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKED = 0,
    FAILED = 10,  /* as it should */
    GAVE_UP = 11, /* libh2o has no memory */
    BROKEN = 12,  /* something that must hold does not */
};

static long samples = 400; /* without LONG=1 */
static bool is_armed;
static bool fails_on; /* also the calls behind it */
static long n_calls;
static bool stream_failed;
static long failing; /* counted from 1; 0: none */

static bool
is_to_fail(void)
{
    if (!is_armed)
        return false;
    n_calls++;
    return failing > 0 && (fails_on ? n_calls >= failing : n_calls == failing);
}

void
torture_begin(void)
{
    is_armed = true;
}

void
torture_end(void)
{
    is_armed = false;
}

void
torture_stop(void)
{
    failing = 0;
    stream_failed = false;
}

void
torture_require(bool holds, const char *what)
{
    if (holds)
        return;
    is_armed = false;
    fprintf(stderr, "    %s\n", what);
    _exit(BROKEN);
}

/* ---- what the linker puts in place of libc's (--wrap) ---- */

#define WRAP(type, name, parameters, arguments, none, error)                                       \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (!is_to_fail())                                                                         \
            return __real_##name arguments;                                                        \
        errno = (error);                                                                           \
        return none;                                                                               \
    }

WRAP(void *, malloc, (size_t size), (size), NULL, ENOMEM)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM)
WRAP(void *, realloc, (void *at, size_t size), (at, size), NULL, ENOMEM)
WRAP(char *, strdup, (const char *text), (text), NULL, ENOMEM)
WRAP(int, setenv, (const char *name, const char *value, int over), (name, value, over), -1, ENOMEM)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
WRAP(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size), -1, EIO)
WRAP(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags), -1,
     ECONNRESET)
WRAP(ssize_t, send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), -1,
     EPIPE)
WRAP(int, dup, (int fd), (fd), -1, EMFILE)
WRAP(int, eventfd, (unsigned n, int flags), (n, flags), -1, EMFILE)
WRAP(int, RAND_bytes, (unsigned char *to, int n), (to, n), 0, 0)

char *__real_fgets(char *to, int size, FILE *file);
char *__wrap_fgets(char *to, int size, FILE *file);
char *
__wrap_fgets(char *to, int size, FILE *file)
{
    if (!is_to_fail())
        return __real_fgets(to, size, file);
    stream_failed = true;
    errno = EIO;
    return NULL;
}

int __real_ferror(FILE *file);
int __wrap_ferror(FILE *file);
int
__wrap_ferror(FILE *file)
{
    return stream_failed ? 1 : __real_ferror(file);
}

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int
__wrap_open(const char *path, int flags, ...)
{
    if (!is_to_fail())
        return __real_open(path, flags);
    errno = EMFILE;
    return -1;
}

void __wrap_h2o__fatal(const char *why);
void
__wrap_h2o__fatal(const char *why)
{
    (void)why;
    _exit(GAVE_UP);
}

/* ---- OpenSSL's ---- */

static void *
openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_to_fail() ? NULL : __real_malloc(size);
}

static void *
openssl_realloc(void *at, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_to_fail() ? NULL : __real_realloc(at, size);
}

static void
openssl_free(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    free(at);
}

void
torture_init(void)
{
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        abort(); /* OpenSSL has begun already */
}

/* ---- the counting ---- */

void
torture_sample(long calls)
{
    samples = calls;
}

/* In a process of its own; the pipe brings the number of calls back. */
static int
try(bool (*work)(void), long call, bool all, long *count)
{
    int pipe_fds[2], status = 0;
    pid_t child;

    (void)fflush(NULL);
    if (pipe(pipe_fds) != 0 || (child = fork()) < 0)
        return BROKEN;
    if (child == 0) {
        bool worked;

        failing = call;
        fails_on = all;
        n_calls = 0;
        worked = work();
        is_armed = false;
        if (write(pipe_fds[1], &n_calls, sizeof(n_calls)) != sizeof(n_calls))
            _exit(BROKEN);
        exit(worked ? WORKED : FAILED); /* a sanitizer looks for leaks now */
    }
    (void)close(pipe_fds[1]);
    *count = 0;
    (void)!__real_read(pipe_fds[0], count, sizeof(*count));
    (void)close(pipe_fds[0]);
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool
survives(const char *name, bool (*work)(void), long call, bool all, long *gave_up)
{
    long count;
    int status = try(work, call, all, &count);

    *gave_up += status == GAVE_UP;
    if (status == WORKED || status == FAILED || status == GAVE_UP)
        return true;
    fprintf(stderr, "    %s, call %ld failing%s: ended with %d\n", name, call,
            all ? ", and all behind it" : "", status);
    return false;
}

long
torture(const char *name, bool (*work)(void))
{
    bool is_long = getenv("LONG") != NULL, ok = true;
    long calls = 0, gave_up = 0, step;

    if (try(work, 0, false, &calls) != WORKED || calls == 0) {
        fprintf(stderr, "    %s: does not work when nothing fails\n", name);
        return 0;
    }
    step = is_long || calls <= samples ? 1 : (calls + samples - 1) / samples;
    for (long call = 1; call <= calls; call += step) {
        ok = survives(name, work, call, false, &gave_up) && ok;
        ok = survives(name, work, call, true, &gave_up) && ok;
    }
    printf("# %s: %ld calls, each %ldth failed in turn; libh2o gave up %ld times\n", name, calls,
           step, gave_up);
    return ok ? calls : 0;
}

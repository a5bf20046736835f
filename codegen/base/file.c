/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* realpath, also where nothing is fortified */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fail.h"
#include "base/str.h"

static bool
fail_path(const char *path)
{
    fail_print("%s: %s", path, strerror(errno));
    return false;
}

/* What is there now: how its lines end and how it begins. */
static const char *
read_old(const char *path, const struct stat *st)
{
    FILE *file = fopen(path, "rb");
    char *text = arena_alloc((size_t)st->st_size + 1);

    if (file == NULL)
        return NULL;
    text[fread(text, 1, (size_t)st->st_size, file)] = '\0';
    fclose(file);
    return text;
}

static const char *
as_before(const char *old, const char *text, size_t *len)
{
    bool returns = strstr(old, "\r\n") != NULL;
    struct str out = {0};

    str_puts(&out, strncmp(old, "\xef\xbb\xbf", 3) == 0 ? "\xef\xbb\xbf" : "");
    for (; *text; text++) {
        if (returns && *text == '\n')
            str_putc(&out, '\r');
        str_putc(&out, *text);
    }
    *len = out.n;
    return out.at;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Beside the file, so that a rename puts it in place. */
static bool
write_beside(const char *path, const struct stat *st, const char *bytes, size_t len)
{
    char *beside = arena_printf("%s.XXXXXX", path);
    int fd = mkstemp(beside);
    bool done;

    if (fd < 0)
        return false;
    done = fchmod(fd, st->st_mode & 07777) == 0 && write_all(fd, bytes, len) && fsync(fd) == 0;
    done = close(fd) == 0 && done && rename(beside, path) == 0;
    if (!done)
        unlink(beside);
    return done;
}

bool
file_replace(const char *path, const char *text)
{
    char *real = realpath(path, NULL);
    struct stat st;
    const char *old = NULL;
    size_t len;
    bool done;

    if (real == NULL || stat(real, &st) != 0 || (old = read_old(real, &st)) == NULL) {
        free(real);
        return fail_path(path);
    }
    text = as_before(old, text, &len);
    done = write_beside(real, &st, text, len);
    free(real);
    return done || fail_path(path);
}

/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pgs_file_stamp
pgs_file_stamp(const char *path)
{
    struct pgs_file_stamp stamp;
    struct stat file;

    memset(&stamp, 0, sizeof(stamp));
    if (stat(path, &file) != 0)
        return stamp;
    stamp.device = file.st_dev;
    stamp.inode = file.st_ino;
    stamp.size = file.st_size;
    stamp.changed = file.st_ctim;
    return stamp;
}

bool
pgs_file_stamp_same(const struct pgs_file_stamp *a, const struct pgs_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* As many bytes as there are, up to `size`; -1 with errno. */
static ssize_t
read_all(int fd, char *to, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while (len < size && (n = read(fd, to + len, size - len)) != 0) {
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            len += (size_t)n;
    }
    return (ssize_t)len;
}

char *
pgs_file_read(const char *path, size_t max_bytes, size_t *len, char why[256])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = malloc(max_bytes + 2);
    ssize_t n = fd >= 0 && text != NULL ? read_all(fd, text, max_bytes + 1) : -1;

    if (n < 0)
        snprintf(why, 256, "cannot be read: %s", strerror(errno));
    else if ((size_t)n > max_bytes)
        snprintf(why, 256, "is larger than %zu bytes", max_bytes);
    if (fd >= 0)
        close(fd);
    if (n < 0 || (size_t)n > max_bytes) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *len = (size_t)n;
    return text;
}

/* SPDX-License-Identifier: MIT */
/*
 * Small files that are read whole, and again when they change: keys, certificates.
 */
#ifndef PGS_BASE_FILE_H
#define PGS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Which state of a file was read; zero-filled: none. */
struct pgs_file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* The state that the file is in now; zero-filled where it is gone. */
struct pgs_file_stamp pgs_file_stamp(const char *path);
bool pgs_file_stamp_same(const struct pgs_file_stamp *a, const struct pgs_file_stamp *b);

/* Its bytes and a NUL behind them, for free(); NULL: `why` says why not. */
char *pgs_file_read(const char *path, size_t max_bytes, size_t *len, char why[256]);

#endif

/* SPDX-License-Identifier: MIT */
/* Source files that a command writes anew. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Puts `text` in the place of a file that is there, in one step; its rights stay, a link is
 * followed. What the file had and a source does not, a byte order mark and lines that end in \r\n,
 * it keeps. False: printed, and the file is as it was.
 */
bool file_replace(const char *path, const char *text);

#endif

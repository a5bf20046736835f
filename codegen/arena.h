/* SPDX-License-Identifier: MIT */
/*
 * The compiler's memory: one arena that lives until exit.  Nothing is freed.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

/* Zeroed memory, aligned for any type; ends the program when there is none. */
void *arena_alloc(size_t size);

/* Copies into the arena, NUL-terminated. */
char *arena_copy(const char *bytes, size_t len);
char *arena_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The compiler's memory: one arena that lives until exit.  Nothing in it is freed by itself.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

/* Zeroed memory, aligned for any type; ends the program when there is none. */
void *arena_alloc(size_t size);

/* Copies into the arena, NUL-terminated. */
char *arena_copy(const char *bytes, size_t len);
char *arena_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Frees all of it, for a process that compiles millions of times: a fuzzer.  Everything that was
 * made by any part of the compiler dangles.
 */
void arena_reset(void);

/* How much of it is in use. */
size_t arena_bytes(void);

#endif

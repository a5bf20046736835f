/* SPDX-License-Identifier: MIT */
/*
 * The C compiler as a program: which one, where our headers and library are, what must be compiled
 * again, two files at a time.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the compiler, the runtime's headers and libpgs.a.  False: printed, with what to do. */
bool compile_open(void);

/*
 * Compiles each *.c of `folder` whose object in `objects` is missing or older than a file that it
 * came from.  `*n_compiled`: how many.  False: the compiler has said why.
 */
bool compile_folder(const char *folder, const char *objects, size_t *n_compiled);

/* Links the objects with libpgs.a; does nothing when `program` is newer than all of them. */
bool compile_link(const char *program);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_MATRIX_H
#define CMD_MATRIX_H

#include "review/matrix.h"

/* Of the project in the working directory.  False: printed. */
bool cmd_matrix_here(struct matrix *matrix);

/*
 * `from` is a project's folder, an access.txt, or REV: for the generated/access.txt that git has
 * there (REV:PATH for another one).  False: printed.
 */
bool cmd_matrix_of(const char *from, struct matrix *matrix);

#endif

/* SPDX-License-Identifier: MIT */
/* --dump-sql: every statement that the program can send to PostgreSQL. */
#ifndef PGS_DUMP_H
#define PGS_DUMP_H

#include <stdio.h>

#include "pgs/app.h"

/*
 * Prints the statements as a grammar.  Those that the URL decides are joined from constant
 * fragments at run time: they are families, and the set of fragments is closed.
 */
void pgs_dump_sql(FILE *out, const struct pgs_app *app);

#endif

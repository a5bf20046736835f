/* SPDX-License-Identifier: MIT */
/* What goes wrong outside of the schema: files that cannot be written and their like. */
#ifndef FAIL_H
#define FAIL_H

#include <stdarg.h>

/* "pgstack: MESSAGE" on stderr. */
void fail_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fail_vprint(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

#endif

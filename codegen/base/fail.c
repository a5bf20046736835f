/* SPDX-License-Identifier: MIT */
#include "base/fail.h"

#include <stdio.h>

void
fail_vprint(const char *format, va_list ap)
{
    fputs("pgstack: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
}

void
fail_print(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fail_vprint(format, ap);
    va_end(ap);
}

/* SPDX-License-Identifier: MIT */
/*
 * The compiler with one of its findings switched off.  Linked with --wrap=diag_at, so that each
 * call of diag_at() comes here first; the address it returns to and the code are the finding's
 * identity.
 *
 *   MUTANT_LOG=FILE        appends "ADDRESS CODE" for each finding made
 *   MUTANT_OFF=ADDRESS:CODE makes no finding of this code at this address
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/diag.h"

#define TEXT_MAX 8192

struct diag *__real_diag_at(struct span span, enum diag_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct diag *__wrap_diag_at(struct span span, enum diag_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a finding that was not made is written to: notes and hints may follow. */
static struct diag *
nowhere(void)
{
    return calloc(1, TEXT_MAX);
}

static void
record(const char *finding)
{
    const char *path = getenv("MUTANT_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;

    if (!log)
        return;
    fprintf(log, "%s\n", finding);
    fclose(log);
}

static bool
is_off(const char *finding)
{
    const char *off = getenv("MUTANT_OFF");

    return off && strcmp(off, finding) == 0;
}

struct diag *
__wrap_diag_at(struct span span, enum diag_code code, const char *format, ...)
{
    uintptr_t address = (uintptr_t)__builtin_return_address(0);
    char text[TEXT_MAX], finding[64];
    va_list args;

    snprintf(finding, sizeof(finding), "%jx:%04d", (uintmax_t)address, (int)code);
    record(finding);
    if (is_off(finding))
        return nowhere();
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return __real_diag_at(span, code, "%s", text);
}

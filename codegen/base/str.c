/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

static void
make_room(struct str *str, size_t len)
{
    size_t need = str->n + len + 1;
    char *grown;

    if (need <= str->room)
        return;
    str->room = need < 32 ? 64 : need * 2;
    grown = arena_alloc(str->room);
    if (str->n)
        memcpy(grown, str->at, str->n);
    str->at = grown;
}

void
str_add(struct str *str, const char *bytes, size_t len)
{
    make_room(str, len);
    if (len)
        memcpy(str->at + str->n, bytes, len);
    str->n += len;
    str->at[str->n] = '\0';
}

void
str_puts(struct str *str, const char *text)
{
    str_add(str, text, strlen(text));
}

void
str_putc(struct str *str, char c)
{
    str_add(str, &c, 1);
}

void
str_printf(struct str *str, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len > 0) {
        make_room(str, (size_t)len);
        vsnprintf(str->at + str->n, (size_t)len + 1, format, again);
        str->n += (size_t)len;
    }
    va_end(again);
}

bool
str_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

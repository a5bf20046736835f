/* SPDX-License-Identifier: MIT */
/*
 * Text that is being put together, in the arena.  `struct str s = {0}; str_puts(&s, "a"); s.at`.
 * It is NUL-terminated after every call; before the first one `at` is NULL.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>

struct str {
    char *at;
    size_t n; /* without the NUL */
    size_t room;
};

void str_add(struct str *str, const char *bytes, size_t len);
void str_puts(struct str *str, const char *text);
void str_putc(struct str *str, char c);
void str_printf(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Both may be NULL; two NULLs are equal. */
bool str_equal(const char *a, const char *b);

#endif

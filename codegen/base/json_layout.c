/* SPDX-License-Identifier: MIT */
#include "base/json_layout.h"

#include <string.h>

/* Behind the value at `at`: a string, a number, or all between brackets. */
static const char *
skip_value(const char *at)
{
    int open = 0;

    do {
        if (*at == '"')
            for (at++; *at != '"'; at++)
                at += *at == '\\';
        open += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    } while (*at != '\0' && (open > 0 || (*at != ',' && *at != '}' && *at != ']' && *at != ':')));
    return at;
}

/* As long as it is with a blank behind each comma and colon: no more than a few too long. */
static bool
fits(const char *from, const char *to, size_t room)
{
    return (size_t)(to - from) + (size_t)(to - from) / 12 <= room;
}

static void
add_on_one_line(struct str *out, const char *from, const char *to)
{
    while (from < to) {
        const char *end = *from == '"' ? skip_value(from) : from + 1;

        str_add(out, from, (size_t)(end - from));
        if (end[-1] == ',' || (end[-1] == ':' && *from != '"'))
            str_putc(out, ' ');
        from = end;
    }
}

static void
add_value(struct str *out, const char *at, size_t indent, size_t columns)
{
    const char *end = skip_value(at);
    size_t used = out->n;

    while (used > 0 && out->at[used - 1] != '\n')
        used--;
    used = out->n - used;
    if ((*at != '{' && *at != '[') || at[1] == '}' || at[1] == ']' ||
        fits(at, end, columns > used ? columns - used : 0)) {
        add_on_one_line(out, at, end);
        return;
    }
    str_printf(out, "%c\n", *at);
    for (at++; at < end; at++) {
        const char *next = skip_value(at);

        str_printf(out, "%*s", (int)indent + 2, "");
        if (*next == ':') {
            str_add(out, at, (size_t)(next - at));
            str_puts(out, ": ");
            at = next + 1;
            next = skip_value(at);
        }
        add_value(out, at, indent + 2, columns);
        str_puts(out, *next == ',' ? ",\n" : "\n");
        at = next;
        if (*next != ',')
            break;
    }
    str_printf(out, "%*s%c", (int)indent, "", end[-1]);
}

void
json_layout(struct str *out, const char *json, size_t columns)
{
    add_value(out, json, 0, columns);
    str_putc(out, '\n');
}

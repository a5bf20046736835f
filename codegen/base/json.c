/* SPDX-License-Identifier: MIT */
#include "base/json.h"

void
json_comma(struct str *out)
{
    if (out->n > 0 && out->at[out->n - 1] != '{' && out->at[out->n - 1] != '[' &&
        out->at[out->n - 1] != ':')
        str_putc(out, ',');
}

void
json_string(struct str *out, const char *text)
{
    str_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            str_putc(out, '\\');
            str_putc(out, *text);
        } else if (*text == '\n') {
            str_puts(out, "\\n");
        } else if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            str_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        } else {
            str_putc(out, *text);
        }
    }
    str_putc(out, '"');
}

void
json_key(struct str *out, const char *name)
{
    json_comma(out);
    json_string(out, name);
    str_putc(out, ':');
}

void
json_key_string(struct str *out, const char *name, const char *text)
{
    json_key(out, name);
    json_string(out, text);
}

void
json_key_number(struct str *out, const char *name, size_t number)
{
    json_key(out, name);
    str_printf(out, "%zu", number);
}

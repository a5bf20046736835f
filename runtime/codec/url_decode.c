/* SPDX-License-Identifier: MIT */
#include "codec/url_decode.h"

#include <string.h>

#include "base/utf8.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *
pgs_url_decode(const char *at, const char *end, char *to, struct pgs_text *text)
{
    char *start = to;

    for (; at < end; at++) {
        int high, low;

        if (*at != '%') {
            *to++ = *at == '+' ? ' ' : *at;
            continue;
        }
        high = end - at > 2 ? hex_digit(at[1]) : -1;
        low = end - at > 2 ? hex_digit(at[2]) : -1;
        if (high < 0 || low < 0)
            return "invalid percent-escape in the URL";
        *to++ = (char)(high << 4 | low);
        at += 2;
    }
    *text = (struct pgs_text){start, (size_t)(to - start)};
    if (pgs_utf8_check(text->at, text->len) < text->len)
        return "the URL is not valid UTF-8";
    if (memchr(text->at, '\0', text->len) != NULL)
        return "U+0000 in the URL";
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The grammar of RFC 8259, written down once more and for its own sake: what the server takes for
 * JSON, or gives out as JSON, must be JSON here too.
 */
#ifndef TESTS_FUZZ_JSON_H
#define TESTS_FUZZ_JSON_H

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

struct json_cursor {
    const char *at;
    const char *end;
};

static inline bool
json_takes(struct json_cursor *json, const char *any_of)
{
    if (json->at == json->end || *json->at == '\0' || strchr(any_of, *json->at) == NULL)
        return false;
    json->at++;
    return true;
}

static inline void
json_blanks(struct json_cursor *json)
{
    while (json_takes(json, " \t\r\n"))
        continue;
}

static inline bool
json_word(struct json_cursor *json, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len) != 0)
        return false;
    json->at += len;
    return true;
}

static inline bool
json_digits(struct json_cursor *json)
{
    bool any = false;

    while (json_takes(json, "0123456789"))
        any = true;
    return any;
}

static inline bool
json_number(struct json_cursor *json)
{
    json_takes(json, "-");
    if (!json_takes(json, "0") && !json_digits(json))
        return false;
    if (json_takes(json, ".") && !json_digits(json))
        return false;
    if (!json_takes(json, "eE"))
        return true;
    json_takes(json, "+-");
    return json_digits(json);
}

static inline bool
json_string(struct json_cursor *json)
{
    if (!json_takes(json, "\""))
        return false;
    while (json->at < json->end && *json->at != '"') {
        if ((unsigned char)*json->at < 0x20)
            return false;
        if (!json_takes(json, "\\")) {
            json->at++;
            continue;
        }
        if (json_takes(json, "\"\\/bfnrt"))
            continue;
        if (!json_takes(json, "u"))
            return false;
        for (int i = 0; i < 4; i++)
            if (!json_takes(json, "0123456789abcdefABCDEF"))
                return false;
    }
    return json_takes(json, "\"");
}

static inline bool json_value(struct json_cursor *json);

/* Members of an object, or items of an array, up to `close`. */
static inline bool
json_items(struct json_cursor *json, bool keys, const char *close)
{
    json_blanks(json);
    if (json_takes(json, close))
        return true;
    do {
        json_blanks(json);
        if (keys) {
            if (!json_string(json))
                return false;
            json_blanks(json);
            if (!json_takes(json, ":"))
                return false;
        }
        if (!json_value(json))
            return false;
        json_blanks(json);
    } while (json_takes(json, ","));
    return json_takes(json, close);
}

static inline bool
json_value(struct json_cursor *json)
{
    json_blanks(json);
    if (json_takes(json, "{"))
        return json_items(json, true, "}");
    if (json_takes(json, "["))
        return json_items(json, false, "]");
    if (json->at < json->end && *json->at == '"')
        return json_string(json);
    return json_word(json, "true") || json_word(json, "false") || json_word(json, "null") ||
           json_number(json);
}

static inline bool
is_json(const char *text, size_t len)
{
    struct json_cursor json = {text, text + len};

    if (pgs_utf8_check(text, len) < len || !json_value(&json))
        return false;
    json_blanks(&json);
    return json.at == json.end;
}

#endif

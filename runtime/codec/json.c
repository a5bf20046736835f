/* SPDX-License-Identifier: MIT */
/*
 * The whole input is given to yajl at once.  Then its numbers and unescaped strings point into the
 * input, and the bytes consumed, at each callback, are the end of the token: between two tokens
 * there is nothing but blanks, commas and colons, and so the start of each is known as well.
 */
#include "codec/json.h"

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/utf8.h"

struct parser {
    const char *json;
    size_t len;
    size_t end; /* of the last token */
    int depth;
    bool completing; /* yajl counts no more */
    yajl_handle yajl;
    pgs__json_on_event *on_event;
    void *owner;
    struct pgs__json_fault *fault;
};

static const char *const token_names[] = {
    [PGS_JSON_NULL] = "null",
    [PGS_JSON_FALSE] = "a boolean",
    [PGS_JSON_TRUE] = "a boolean",
    [PGS_JSON_NUMBER] = "a number",
    [PGS_JSON_STRING] = "a string",
    [PGS_JSON_KEY] = "a key",
    [PGS_JSON_OPEN_OBJECT] = "an object",
    [PGS_JSON_CLOSE_OBJECT] = "the end of an object",
    [PGS_JSON_OPEN_ARRAY] = "an array",
    [PGS_JSON_CLOSE_ARRAY] = "the end of an array",
};

const char *
pgs__json_token_name(enum pgs__json_token token)
{
    return token_names[token];
}

static bool
fail(struct parser *parser, size_t offset, const char *code, const char *message,
     const char *reason)
{
    size_t line = 1, start = 0;

    for (size_t i = 0; i < offset; i++) {
        if (parser->json[i] != '\n')
            continue;
        line++;
        start = i + 1;
    }
    parser->fault->by_owner = false;
    parser->fault->code = code;
    parser->fault->message = message;
    snprintf(parser->fault->place, sizeof(parser->fault->place), "line %zu, column %zu: %s", line,
             offset - start + 1, reason);
    return false;
}

static bool
fail_syntax(struct parser *parser, size_t offset, const char *reason)
{
    return fail(parser, offset, "PGRST102", "Empty or invalid json", reason);
}

/* The four digits of \uXXXX, which yajl has already looked at. */
static unsigned
hex4(const char *at)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)at[i];

        code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

static bool
is_low_escape(const char *at, const char *end)
{
    return end - at >= 6 && at[0] == '\\' && at[1] == 'u' && (hex4(at + 2) & 0xFC00) == 0xDC00;
}

/* yajl would turn a lone surrogate into `?`, and PostgreSQL has no U+0000. */
static bool
check_escapes(struct parser *parser, struct pgs_text raw)
{
    const char *end = raw.at + raw.len;

    for (const char *at = raw.at; at < end; at++) {
        size_t offset = (size_t)(at - parser->json);
        unsigned code;

        if (*at != '\\')
            continue;
        if (*++at != 'u')
            continue;
        code = hex4(at + 1);
        at += 4;
        if (code == 0)
            return fail(parser, offset, "22P05", "unsupported Unicode escape sequence",
                        "\\u0000 cannot be converted to text");
        if ((code & 0xF800) != 0xD800)
            continue;
        if ((code & 0x0400) != 0 || !is_low_escape(at + 1, end))
            return fail(parser, offset, "22P02", "invalid Unicode surrogate pair",
                        "half of a surrogate pair");
        at += 6;
    }
    return true;
}

/* Outside of strings yajl takes ASCII alone, so that this sees every other byte. */
static bool
check_string(struct parser *parser, struct pgs_text raw, size_t unescaped_len)
{
    size_t valid = pgs_utf8_check(raw.at, raw.len);

    if (valid < raw.len)
        return fail(parser, (size_t)(raw.at - parser->json) + valid, "22021",
                    "invalid byte sequence for encoding \"UTF8\"", "not valid UTF-8");
    return raw.len == unescaped_len + 2 || check_escapes(parser, raw);
}

/* yajl takes vertical tabs and form feeds for blanks; JSON does not. */
static const char not_blank[] = "lexical error: invalid char in json text.";

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct pgs_text
raw_token(struct parser *parser)
{
    size_t start = parser->end;

    parser->end = parser->completing ? parser->len : yajl_get_bytes_consumed(parser->yajl);
    while (start < parser->end && (is_blank(parser->json[start]) || parser->json[start] == ',' ||
                                   parser->json[start] == ':'))
        start++;
    return (struct pgs_text){parser->json + start, parser->end - start};
}

static int
send(struct parser *parser, enum pgs__json_token token, const unsigned char *text, size_t len)
{
    struct pgs__json_event event = {
        token, {(const char *)text, len}, raw_token(parser), parser->depth};

    if (*event.raw.at == '\v' || *event.raw.at == '\f')
        return fail_syntax(parser, (size_t)(event.raw.at - parser->json), not_blank);
    if (text != NULL && token != PGS_JSON_NUMBER && !check_string(parser, event.raw, len))
        return 0;
    if (parser->on_event(parser->owner, &event))
        return 1;
    parser->fault->by_owner = true;
    return 0;
}

static int
open_container(struct parser *parser, enum pgs__json_token token)
{
    int go_on;

    if (parser->depth >= PGS_JSON_MAX_DEPTH)
        return fail(parser, yajl_get_bytes_consumed(parser->yajl) - 1, "PGRST102",
                    "the JSON is nested too deeply", "at most 64 levels");
    go_on = send(parser, token, NULL, 0);
    parser->depth++;
    return go_on;
}

static int
close_container(struct parser *parser, enum pgs__json_token token)
{
    parser->depth--;
    return send(parser, token, NULL, 0);
}

static int
on_null(void *parser)
{
    return send(parser, PGS_JSON_NULL, NULL, 0);
}

static int
on_boolean(void *parser, int truth)
{
    return send(parser, truth ? PGS_JSON_TRUE : PGS_JSON_FALSE, NULL, 0);
}

static int
on_number(void *parser, const char *text, size_t len)
{
    return send(parser, PGS_JSON_NUMBER, (const unsigned char *)text, len);
}

static int
on_string(void *parser, const unsigned char *text, size_t len)
{
    return send(parser, PGS_JSON_STRING, text, len);
}

static int
on_key(void *parser, const unsigned char *text, size_t len)
{
    return send(parser, PGS_JSON_KEY, text, len);
}

static int
on_open_object(void *parser)
{
    return open_container(parser, PGS_JSON_OPEN_OBJECT);
}

static int
on_close_object(void *parser)
{
    return close_container(parser, PGS_JSON_CLOSE_OBJECT);
}

static int
on_open_array(void *parser)
{
    return open_container(parser, PGS_JSON_OPEN_ARRAY);
}

static int
on_close_array(void *parser)
{
    return close_container(parser, PGS_JSON_CLOSE_ARRAY);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number, /* as text: nothing is rounded and nothing overflows */
    .yajl_string = on_string,
    .yajl_start_map = on_open_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close_object,
    .yajl_start_array = on_open_array,
    .yajl_end_array = on_close_array,
};

/* yajl's sentence, for the place. */
static bool
fail_as_yajl(struct parser *parser, size_t offset)
{
    unsigned char *reason = yajl_get_error(parser->yajl, 0, NULL, 0);
    char text[96];

    snprintf(text, sizeof(text), "%s", reason == NULL ? "" : (const char *)reason);
    text[strcspn(text, "\n")] = '\0';
    if (reason != NULL)
        yajl_free_error(parser->yajl, reason);
    return fail_syntax(parser, offset, text);
}

/* A number that ends the input has its event here, for until now it might have gone on. */
static yajl_status
complete(struct parser *parser)
{
    parser->completing = true;
    return yajl_complete_parse(parser->yajl);
}

/* yajl takes a token that is never finished, `"...`, for the end of the input. */
static bool
check_end(struct parser *parser)
{
    size_t end = parser->end;

    while (end < parser->len && is_blank(parser->json[end]))
        end++;
    return end == parser->len || fail_syntax(parser, end, "parse error: trailing garbage");
}

static bool
parse(struct parser *parser)
{
    yajl_handle yajl = parser->yajl;
    yajl_status status;

    yajl_config(yajl, yajl_dont_validate_strings, 1); /* check_string does */
    status = yajl_parse(yajl, (const unsigned char *)parser->json, parser->len);
    if (status == yajl_status_error)
        return fail_as_yajl(parser, yajl_get_bytes_consumed(yajl));
    if (status == yajl_status_ok)
        status = complete(parser);
    if (status == yajl_status_error)
        return fail_as_yajl(parser, parser->len);
    return status == yajl_status_ok && check_end(parser);
}

bool
pgs__json_parse(const char *json, size_t len, pgs__json_on_event *on_event, void *owner,
                struct pgs__json_fault *fault)
{
    struct parser parser = {
        .json = json, .len = len, .on_event = on_event, .owner = owner, .fault = fault};
    bool parsed;

    *fault = (struct pgs__json_fault){.code = "PGRST102", .message = ""};
    if (len >= 3 && memcmp(json, "\xEF\xBB\xBF", 3) == 0)
        return fail_syntax(&parser, 0, "a byte order mark");
    parser.yajl = yajl_alloc(&callbacks, NULL, &parser);
    if (parser.yajl == NULL)
        return fail(&parser, 0, "53200", "out of memory", "");
    parsed = parse(&parser);
    yajl_free(parser.yajl);
    return parsed;
}

/* SPDX-License-Identifier: MIT */
/*
 * Reads line by line.  h2o has lower-cased the names in place and parsed the head already, so this
 * refuses only; it decides nothing else.
 */
#include "http/guard.h"

#include <string.h>
#include <strings.h>

struct head {
    int hosts;
    int lengths;
    int encodings;
    bool is_1_1;
};

struct line {
    const char *at;
    size_t len;
};

/* Takes the next line, without its CRLF, off `*rest`; false: none ends properly. */
static bool
next_line(struct line *rest, struct line *line)
{
    const char *lf = memchr(rest->at, '\n', rest->len);

    if (lf == NULL || lf == rest->at || lf[-1] != '\r')
        return false;
    line->at = rest->at;
    line->len = (size_t)(lf - 1 - rest->at);
    rest->len -= (size_t)(lf + 1 - rest->at);
    rest->at = lf + 1;
    return memchr(line->at, '\r', line->len) == NULL && memchr(line->at, '\0', line->len) == NULL;
}

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_among(char c, const char *others)
{
    return c != '\0' && strchr(others, c) != NULL;
}

/* RFC 9110, section 5.6.2.  The dash is in every other name. */
static bool
is_token(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_letter_or_digit(at[i]) && at[i] != '-' && !is_among(at[i], "!#$%&'*+.^_`|~"))
            return false;
    return len > 0;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at `*at`, percent-encoded or not; -1: neither. */
static int
next_byte(const char **at, const char *end, bool *is_encoded)
{
    int high, low;

    *is_encoded = **at == '%';
    if (!*is_encoded)
        return (unsigned char)*(*at)++;
    if (end - *at < 3 || (high = hex_digit((*at)[1])) < 0 || (low = hex_digit((*at)[2])) < 0)
        return -1;
    *at += 3;
    return high * 16 + low;
}

/*
 * A path has one spelling but for its percent-encoding.  What libh2o would resolve or decode to
 * another number of segments could pass a proxy's rules as one path and be served as another.
 */
static const char *
check_path(const char *at, const char *end)
{
    bool is_encoded, only_dots = true;
    int n = 0; /* of this segment */

    while (at < end) {
        int c = next_byte(&at, end, &is_encoded);

        if (c < 0)
            return "malformed percent-encoding";
        if (is_encoded ? c == '/' || c == '\0' : c == '\\' || c == '#')
            return "a character that cannot be in a path";
        if (c != '/') {
            only_dots = only_dots && c == '.';
            n++;
        }
        if ((c == '/' || at == end) && only_dots && (n == 1 || n == 2))
            return "a path of dots";
        if (c == '/') {
            only_dots = true;
            n = 0;
        }
    }
    return NULL;
}

static const char *
check_target(const char *at, size_t len)
{
    const char *query = len > 0 ? memchr(at, '?', len) : NULL, *end = at + len;

    if (len == 1 && *at == '*')
        return NULL;
    if (len == 0 || *at != '/')
        return "the request target must be a path";
    if (query != NULL && memchr(query, '#', (size_t)(end - query)) != NULL)
        return "a fragment in the request target";
    return check_path(at, query != NULL ? query : end);
}

/* `METHOD SP /target SP HTTP/1.1`, one space each. */
static const char *
check_request_line(struct line line, struct head *head)
{
    static const size_t version_len = sizeof(" HTTP/1.1") - 1;
    const char *space = memchr(line.at, ' ', line.len), *version;

    if (space == NULL || !is_token(line.at, (size_t)(space - line.at)) || line.len < version_len)
        return "malformed request line";
    version = line.at + line.len - version_len;
    if (version <= space || memchr(space + 1, ' ', (size_t)(version - space - 1)) != NULL)
        return "malformed request line";
    head->is_1_1 = memcmp(version, " HTTP/1.1", version_len) == 0;
    if (!head->is_1_1 && memcmp(version, " HTTP/1.0", version_len) != 0)
        return "unknown HTTP version";
    return check_target(space + 1, (size_t)(version - space - 1));
}

static bool
is_length(struct line value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
    return value.len > 0 && value.len <= 18;
}

/* A name or an address with an optional port; no list, no user. */
static bool
is_host(struct line value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];

        if (!is_letter_or_digit(c) && c != '.' && !is_among(c, "-_~:[]%"))
            return false;
    }
    return value.len > 0 && value.len <= 255 + 6;
}

static bool
is_word(struct line text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static struct line
trim(const char *at, size_t len)
{
    while (len > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        len--;
    }
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    return (struct line){at, len};
}

static const char *
check_field(struct line line, struct head *head)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct line name, value;

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return "folded header line";
    if (colon == NULL || !is_token(line.at, (size_t)(colon - line.at)))
        return "malformed header line";
    name = (struct line){line.at, (size_t)(colon - line.at)};
    value = trim(colon + 1, line.len - name.len - 1);
    if (is_word(name, "host")) {
        head->hosts++;
        return is_host(value) ? NULL : "malformed Host";
    }
    if (is_word(name, "content-length")) {
        head->lengths++;
        return is_length(value) ? NULL : "malformed Content-Length";
    }
    if (is_word(name, "transfer-encoding")) {
        head->encodings++;
        return is_word(value, "chunked") ? NULL : "unknown Transfer-Encoding";
    }
    return NULL;
}

static const char *
check_framing(const struct head *head)
{
    if (head->hosts > 1 || (head->hosts == 0 && head->is_1_1))
        return "exactly one Host is needed";
    if (head->lengths > 1)
        return "more than one Content-Length";
    if (head->encodings > 1)
        return "more than one Transfer-Encoding";
    if (head->encodings == 1 && (head->lengths == 1 || !head->is_1_1))
        return "Transfer-Encoding cannot be here";
    return NULL;
}

static int
refuse(int status, const char *reason, const char **why)
{
    *why = reason;
    return status;
}

/* The header lines, to the empty one. */
static int
check_fields(struct line rest, size_t len, struct head *head, const char **why)
{
    struct line line;

    for (int n = 0; next_line(&rest, &line); n++) {
        if (line.len == 0)
            return (*why = check_framing(head)) != NULL ? 400 : 0;
        if (n == PGS_MAX_HEADERS)
            return refuse(431, "too many header fields", why);
        *why = check_field(line, head);
        if (*why != NULL)
            return 400;
    }
    if (len > PGS_GUARD_MAX_HEAD)
        return refuse(431, "the head is too large", why);
    return refuse(400, "malformed line ending", why);
}

int
pgs_guard_check(const char *bytes, size_t len, const char **why)
{
    struct line rest = {bytes, len < PGS_GUARD_MAX_HEAD ? len : PGS_GUARD_MAX_HEAD};
    struct line line;
    struct head head = {0};

    *why = NULL;
    /* One empty line before a request is a habit of old clients (RFC 9112, section 2.2). */
    if (rest.len >= 2 && memcmp(rest.at, "\r\n", 2) == 0) {
        rest.at += 2;
        rest.len -= 2;
    }
    if (memchr(rest.at, '\n', rest.len < PGS_GUARD_MAX_LINE ? rest.len : PGS_GUARD_MAX_LINE) ==
            NULL &&
        rest.len >= PGS_GUARD_MAX_LINE)
        return refuse(414, "the request line is too long", why);
    if (!next_line(&rest, &line))
        return refuse(400, "malformed request line", why);
    *why = check_request_line(line, &head);
    return *why != NULL ? 400 : check_fields(rest, len, &head, why);
}

int
pgs_guard_check_h2(const char *method, size_t method_len, const char *target, size_t target_len,
                   size_t len, const char **why)
{
    if (target_len > PGS_GUARD_MAX_LINE)
        return refuse(414, "the request line is too long", why);
    if (len > PGS_GUARD_MAX_HEAD)
        return refuse(431, "the head is too large", why);
    *why =
        is_token(method, method_len) ? check_target(target, target_len) : "malformed request line";
    return *why != NULL ? 400 : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The order matters: the form, then the signature by each key that it could be of, whatever the
 * header says, and only then the JSON of header and payload, whose `alg` and `kid` must agree with
 * the key.  What none of our keys signed is never parsed, and a key has one algorithm: there is no
 * other to be talked into.
 */
#include "codec/jwt.h"

#include <string.h>
#include <strings.h>

#include "codec/base64url.h"
#include "codec/json.h"

#define MAC_BYTES 32

struct part {
    const char *at;
    size_t len;
};

static bool
refuse(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

static bool
decode(struct part part, uint8_t *to, size_t *len)
{
    return pgs_base64url_decode(part.at, part.len, to, len);
}

/* header.payload.signature */
static bool
split(const char *token, size_t len, struct part parts[3])
{
    const char *end = token + len;
    const char *first = memchr(token, '.', len);
    const char *second = first == NULL ? NULL : memchr(first + 1, '.', (size_t)(end - first - 1));

    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
        return false;
    parts[0] = (struct part){token, (size_t)(first - token)};
    parts[1] = (struct part){first + 1, (size_t)(second - first - 1)};
    parts[2] = (struct part){second + 1, (size_t)(end - second - 1)};
    return parts[0].len > 0 && parts[1].len > 0 && parts[2].len > 0;
}

/* The secret of the rules, and the keys of their set, in this order; NULL behind the last. */
static const struct pgs_jwt_key *
key_number(const struct pgs_jwt_rules *rules, struct pgs_jwt_key *secret, size_t i)
{
    *secret = (struct pgs_jwt_key){.alg = PGS_JWT_HS256,
                                   .secret = (uint8_t *)(uintptr_t)rules->secret,
                                   .secret_len = rules->secret_len,
                                   .signature_len = MAC_BYTES};
    if (rules->secret != NULL && i-- == 0)
        return secret;
    return rules->keys != NULL && i < rules->keys->n ? &rules->keys->at[i] : NULL;
}

/* The key that made the signature, copied to `*by`; false: none of ours did. */
static bool
is_signed(const struct pgs_jwt_rules *rules, const char *token, const struct part parts[3],
          uint8_t *signature, struct pgs_jwt_key *by)
{
    const struct pgs_jwt_key *key;
    struct pgs_jwt_key secret;
    size_t len, signed_len = parts[0].len + 1 + parts[1].len;

    if (!decode(parts[2], signature, &len))
        return false;
    for (size_t i = 0; (key = key_number(rules, &secret, i)) != NULL; i++)
        if (pgs_jwt_key_signed(key, token, signed_len, signature, len)) {
            *by = *key;
            return true;
        }
    return false;
}

/* A key of an object that is open, to find it given twice. */
struct seen {
    int depth;
    struct pgs_text key;
};

/* Header and payload are read by the same reader, each with a function for its members. */
struct object_reader {
    struct pgs_memory memory;
    struct seen *seen;
    size_t n_seen;
    struct pgs_text member; /* of the outermost object, whose value comes next */
    bool (*on_member)(struct object_reader *reader, const struct pgs__json_event *event);
    const struct pgs_jwt_rules *rules;
    const struct pgs_jwt_key *key; /* that signed it */
    int64_t now_s;
    struct pgs_jwt *jwt;
    bool has_alg, has_exp, has_aud, has_iss;
    bool aud_found; /* ours is among those of `aud` */
    const char **why;
};

static bool
is_text(struct pgs_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

static struct pgs_text
keep(struct pgs_memory memory, struct pgs_text text)
{
    char *copy = memory.alloc(memory.pool, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return (struct pgs_text){copy, text.len};
}

/* Two members of one name: two readers may disagree about which one holds. */
static bool
note_key(struct object_reader *reader, const struct pgs__json_event *event)
{
    struct pgs_text key = keep(reader->memory, event->text);

    for (size_t i = reader->n_seen; i > 0 && reader->seen[i - 1].depth == event->depth; i--)
        if (reader->seen[i - 1].key.len == key.len &&
            memcmp(reader->seen[i - 1].key.at, key.at, key.len) == 0)
            return refuse(reader->why, "JWT has a member twice");
    reader->seen[reader->n_seen++] = (struct seen){event->depth, key};
    if (event->depth == 1)
        reader->member = key;
    return true;
}

static void
forget_keys(struct object_reader *reader, int depth)
{
    while (reader->n_seen > 0 && reader->seen[reader->n_seen - 1].depth > depth)
        reader->n_seen--;
}

static bool
on_object_event(void *owner, const struct pgs__json_event *event)
{
    struct object_reader *reader = owner;

    if (event->token == PGS_JSON_CLOSE_OBJECT)
        forget_keys(reader, event->depth);
    if (event->token == PGS_JSON_KEY)
        return note_key(reader, event);
    if (event->depth > 0)
        return reader->on_member(reader, event);
    if (event->token == PGS_JSON_OPEN_OBJECT || event->token == PGS_JSON_CLOSE_OBJECT)
        return true;
    return refuse(reader->why, "JWT is not an object");
}

static bool
read_object(struct object_reader *reader, struct pgs_text json)
{
    struct pgs__json_fault fault;

    /* Room for all: even of `{"":{"":{"":`, cut short, each key takes four bytes. */
    reader->n_seen = 0;
    reader->seen =
        reader->memory.alloc(reader->memory.pool, (json.len / 4 + 1) * sizeof(*reader->seen));
    *reader->why = "JWT is not valid JSON";
    return pgs__json_parse(json.at, json.len, on_object_event, reader, &fault);
}

static bool
on_header_member(struct object_reader *reader, const struct pgs__json_event *event)
{
    static const char *const refused[] = {"crit", "b64", "zip", "cty", "jku", "jwk", "x5u", "x5c"};

    if (event->depth > 1)
        return true;
    for (size_t i = 0; i < PGS_COUNT(refused); i++)
        if (is_text(reader->member, refused[i]))
            return refuse(reader->why, "JWT header is not supported");
    if (is_text(reader->member, "alg")) {
        reader->has_alg = event->token == PGS_JSON_STRING &&
                          is_text(event->text, pgs_jwt_alg_name(reader->key->alg));
        return reader->has_alg || refuse(reader->why, "JWT algorithm is not that of its key");
    }
    if (is_text(reader->member, "kid") && reader->key->kid[0] != '\0' &&
        (event->token != PGS_JSON_STRING || !is_text(event->text, reader->key->kid)))
        return refuse(reader->why, "JWT kid is not that of its key");
    if (is_text(reader->member, "typ") &&
        (event->token != PGS_JSON_STRING || event->text.len != 3 ||
         strncasecmp(event->text.at, "JWT", 3) != 0))
        return refuse(reader->why, "JWT type is not JWT");
    return true;
}

/* Seconds since 1970 (RFC 7519, NumericDate); a fraction is cut, an exponent is not a date. */
static bool
read_date(const struct pgs__json_event *event, int64_t *seconds)
{
    bool negative;
    const char *at = event->raw.at, *end = at + event->raw.len;
    int64_t n = 0;

    if (event->token != PGS_JSON_NUMBER)
        return false;
    negative = *at == '-';
    for (at += negative; at < end && *at >= '0' && *at <= '9'; at++) {
        if (n > INT64_C(99999999999999)) /* fifteen digits are a few million years */
            return false;
        n = n * 10 + (*at - '0');
    }
    if (at < end && *at == '.')
        for (at++; at < end && *at >= '0' && *at <= '9';)
            at++;
    *seconds = negative ? -n : n;
    return at == end;
}

static bool
read_text(struct object_reader *reader, const struct pgs__json_event *event, struct pgs_text *text)
{
    if (event->token != PGS_JSON_STRING)
        return refuse(reader->why, "JWT claim is not a string");
    *text = keep(reader->memory, event->text);
    return true;
}

static bool
read_expiry(struct object_reader *reader, const struct pgs__json_event *event)
{
    if (!read_date(event, &reader->jwt->exp))
        return refuse(reader->why, "JWT claim exp is not a date");
    reader->has_exp = true;
    if (reader->now_s >= reader->jwt->exp + reader->rules->leeway_s)
        return refuse(reader->why, "JWT expired");
    return true;
}

/* `nbf` and `iat`: neither may lie ahead. */
static bool
read_start(struct object_reader *reader, const struct pgs__json_event *event, const char *too_early)
{
    int64_t start;

    if (!read_date(event, &start))
        return refuse(reader->why, "JWT claim nbf or iat is not a date");
    if (start > reader->now_s + reader->rules->leeway_s)
        return refuse(reader->why, too_early);
    return true;
}

static bool
read_issuer(struct object_reader *reader, const struct pgs__json_event *event)
{
    const char *issuer = reader->rules->issuer;

    reader->has_iss = true;
    if (event->token != PGS_JSON_STRING)
        return refuse(reader->why, "JWT claim is not a string");
    if (issuer != NULL && !is_text(event->text, issuer))
        return refuse(reader->why, "JWT is of another issuer");
    return true;
}

/* A string, or an array of strings. */
static bool
read_audience(struct object_reader *reader, const struct pgs__json_event *event)
{
    const char *audience = reader->rules->audience;

    if (event->depth == 1 &&
        (event->token == PGS_JSON_OPEN_ARRAY || event->token == PGS_JSON_CLOSE_ARRAY))
        return true;
    if (event->token != PGS_JSON_STRING)
        return refuse(reader->why, "JWT claim aud is not a string");
    if (audience != NULL && is_text(event->text, audience))
        reader->aud_found = true;
    return true;
}

static bool
on_claim(struct object_reader *reader, const struct pgs__json_event *event)
{
    struct pgs_text name = reader->member;

    if (is_text(name, "aud"))
        return read_audience(reader, event);
    if (event->depth > 1)
        return true; /* within a claim of the application */
    if (is_text(name, "exp"))
        return read_expiry(reader, event);
    if (is_text(name, "nbf"))
        return read_start(reader, event, "JWT not yet valid");
    if (is_text(name, "iat"))
        return read_start(reader, event, "JWT issued in the future");
    if (is_text(name, "iss"))
        return read_issuer(reader, event);
    if (is_text(name, "sub"))
        return read_text(reader, event, &reader->jwt->sub);
    if (is_text(name, "role"))
        return read_text(reader, event, &reader->jwt->role);
    if (is_text(name, "email"))
        return read_text(reader, event, &reader->jwt->email);
    return true;
}

static bool
read_header(struct object_reader *reader, struct part part)
{
    uint8_t *bytes = reader->memory.alloc(reader->memory.pool, part.len);
    size_t len;

    if (!decode(part, bytes, &len))
        return refuse(reader->why, "JWT is not base64url");
    reader->on_member = on_header_member;
    if (!read_object(reader, (struct pgs_text){(const char *)bytes, len}))
        return false;
    return reader->has_alg || refuse(reader->why, "JWT has no alg");
}

static bool
read_payload(struct object_reader *reader, struct part part)
{
    uint8_t *bytes = reader->memory.alloc(reader->memory.pool, part.len);
    size_t len;

    if (!decode(part, bytes, &len))
        return refuse(reader->why, "JWT is not base64url");
    reader->jwt->payload = (struct pgs_text){(const char *)bytes, len};
    reader->on_member = on_claim;
    if (!read_object(reader, reader->jwt->payload))
        return false;
    if (!reader->has_exp)
        return refuse(reader->why, "JWT has no exp");
    if (reader->rules->issuer != NULL && !reader->has_iss)
        return refuse(reader->why, "JWT is of another issuer");
    if (reader->rules->audience != NULL && !reader->aud_found)
        return refuse(reader->why, "JWT not in audience");
    return true;
}

static struct pgs_text
copy_text(const char *text, struct pgs_memory memory)
{
    size_t len = strlen(text);

    return (struct pgs_text){memcpy(memory.alloc(memory.pool, len + 1), text, len + 1), len};
}

bool
pgs_jwt_read(const struct pgs_jwt_rules *rules, const char *token, size_t len, int64_t now_s,
             struct pgs_memory memory, struct pgs_jwt *jwt, const char **why)
{
    struct pgs_jwt_key key;
    struct object_reader reader = {
        .memory = memory, .rules = rules, .key = &key, .now_s = now_s, .jwt = jwt, .why = why};
    struct part parts[3];

    *jwt = (struct pgs_jwt){.exp = 0};
    if (len > PGS_JWT_MAX_BYTES)
        return refuse(why, "JWT is too long");
    if (!split(token, len, parts))
        return refuse(why, "JWT is malformed");
    if (!is_signed(rules, token, parts, memory.alloc(memory.pool, parts[2].len), &key))
        return refuse(why, "JWT signature is invalid");
    jwt->kid = copy_text(key.kid, memory);
    return read_header(&reader, parts[0]) && read_payload(&reader, parts[1]);
}

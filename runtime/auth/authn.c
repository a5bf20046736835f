/* SPDX-License-Identifier: MIT */
/*
 * A verified token is remembered with the session values made of it, so that a hot request costs
 * no HMAC and no JSON.  An entry is shared with the requests that use it (h2o's counted memory) and
 * may leave the table while they still run.
 */
#include "auth/authn.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/metric.h"
#include "base/secret.h"
#include "base/text.h"
#include "codec/value.h"

enum {
    ANON = 0,
    AUTHENTICATED = 1,
    SERVICE = 2,
    TABLE_SETS = 256, /* a power of two */
    TABLE_WAYS = 4,   /* tokens of one set; so many, times the sets, are remembered */
};

/* One verified token, and what it stands for. */
struct entry {
    uint64_t hash;
    uint64_t used; /* when, by the count of lookups */
    size_t token_len;
    int64_t exp;
    int role;
    size_t n_session;
    struct pgs_text *session; /* behind the struct, then the token, then the texts */
    char *token;
    struct pgs_text kid;
    struct pgs_text claims;
};

struct pgs_authn {
    const struct pgs_app *app;
    struct pgs_keys keys;
    size_t n_session;
    struct pgs_text *anon_session;
    struct pgs_text *service_session;
    unsigned generation; /* of keys.jwt.keys */
    uint64_t seed;       /* of the table's hash: nobody outside can fill a set on purpose */
    uint64_t lookups;
    struct entry *table[TABLE_SETS][TABLE_WAYS];
};

static const char anon_claims[] = "{\"role\":\"anon\"}";

static size_t
count_session(const struct pgs_app *app)
{
    return 2 + (size_t)app->reads_jwt + app->n_claims;
}

/* Role, no user, the bare claims. */
static struct pgs_text *
key_session(const struct pgs_app *app, int role, const char *claims)
{
    struct pgs_text *session = h2o_mem_alloc(count_session(app) * sizeof(*session));

    for (size_t i = 0; i < count_session(app); i++)
        session[i] = (struct pgs_text){"", 0};
    session[0] = pgs_text_of(app->roles[role].name);
    if (app->reads_jwt)
        session[2] = pgs_text_of(claims);
    return session;
}

struct pgs_authn *
pgs_authn_open(const struct pgs_app *app, const struct pgs_keys *keys)
{
    struct pgs_authn *authn = h2o_mem_alloc(sizeof(*authn));

    memset(authn, 0, sizeof(*authn));
    authn->app = app;
    authn->keys = *keys;
    authn->n_session = count_session(app);
    authn->anon_session = key_session(app, ANON, anon_claims);
    authn->service_session = key_session(app, SERVICE, "{\"role\":\"service_role\"}");
    if (RAND_bytes((unsigned char *)&authn->seed, sizeof(authn->seed)) != 1)
        abort();
    if (keys->keyring != NULL)
        authn->keys.jwt.keys = pgs_keyring_hold(keys->keyring, &authn->generation);
    return authn;
}

static void
forget_tokens(struct pgs_authn *authn)
{
    for (size_t i = 0; i < TABLE_SETS; i++)
        for (size_t j = 0; j < TABLE_WAYS; j++)
            if (authn->table[i][j] != NULL)
                h2o_mem_release_shared(authn->table[i][j]);
    memset(authn->table, 0, sizeof(authn->table));
}

/* Where the keys have changed, a token that was good may not be so any more. */
static void
renew_keys(struct pgs_authn *authn)
{
    struct pgs_keyring *ring = authn->keys.keyring;

    if (ring == NULL || pgs_keyring_generation(ring) == authn->generation)
        return;
    pgs_keyring_release(ring, authn->keys.jwt.keys);
    authn->keys.jwt.keys = pgs_keyring_hold(ring, &authn->generation);
    forget_tokens(authn);
}

unsigned
pgs_authn_keys_generation(const struct pgs_authn *authn)
{
    return authn->keys.keyring != NULL ? pgs_keyring_generation(authn->keys.keyring) : 0;
}

void
pgs_authn_close(struct pgs_authn *authn)
{
    forget_tokens(authn);
    if (authn->keys.keyring != NULL)
        pgs_keyring_release(authn->keys.keyring, authn->keys.jwt.keys);
    free(authn->anon_session);
    free(authn->service_session);
    free(authn);
}

static uint64_t
hash_token(const struct pgs_authn *authn, h2o_iovec_t token)
{
    return pgs_hash(authn->seed, token.base, token.len);
}

static struct entry **
set_of(struct pgs_authn *authn, uint64_t hash)
{
    return authn->table[hash & (TABLE_SETS - 1)];
}

/* Where a new entry goes: a free place, or that of the token not seen for longest. */
static struct entry **
place_for(struct pgs_authn *authn, uint64_t hash)
{
    struct entry **set = set_of(authn, hash), **place = set;

    for (size_t i = 0; i < TABLE_WAYS; i++) {
        if (set[i] == NULL)
            return &set[i];
        if (set[i]->used < (*place)->used)
            place = &set[i];
    }
    return place;
}

static bool
same_secret(h2o_iovec_t given, const char *secret)
{
    return secret != NULL && strlen(secret) == given.len && given.len > 0 &&
           pgs_secret_is(secret, given.base, given.len);
}

static void *
pool_alloc(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

static bool
is_uuid(struct pgs_text text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* The declared rules in order, then `authenticated`; -1: the token leads to no role. */
static int
choose_role(const struct pgs_app *app, const struct pgs_jwt *jwt, struct pgs_memory memory)
{
    struct pgs_text value;

    for (size_t i = SERVICE + 1; i < app->n_roles; i++) {
        const struct pgs_role *role = &app->roles[i];

        if (role->claim_path != NULL && pgs_jwt_claim(jwt, role->claim_path, memory, &value) &&
            pgs_text_is(value, role->claim_value))
            return (int)i;
    }
    return pgs_text_is(jwt->role, app->roles[AUTHENTICATED].name) ? AUTHENTICATED : -1;
}

static struct entry *
make_entry(struct pgs_authn *authn, h2o_iovec_t token, const struct pgs_text *session, int role,
           const struct pgs_jwt *jwt)
{
    size_t head = sizeof(struct entry) + authn->n_session * sizeof(struct pgs_text);
    size_t size = head + token.len + jwt->kid.len;
    struct entry *entry;
    char *at;

    for (size_t i = 0; i < authn->n_session; i++)
        size += session[i].len;
    size += authn->app->reads_jwt ? 0 : jwt->payload.len;
    entry = h2o_mem_alloc_shared(NULL, size, NULL);
    *entry = (struct entry){.hash = hash_token(authn, token),
                            .used = authn->lookups,
                            .token_len = token.len,
                            .exp = jwt->exp,
                            .role = role,
                            .n_session = authn->n_session};
    entry->session = (struct pgs_text *)(entry + 1);
    entry->token = at = (char *)entry + head;
    memcpy(at, token.base, token.len);
    at += token.len;
    entry->kid = (struct pgs_text){memcpy(at, jwt->kid.at, jwt->kid.len), jwt->kid.len};
    at += jwt->kid.len;
    for (size_t i = 0; i < authn->n_session; i++) {
        if (session[i].len > 0)
            memcpy(at, session[i].at, session[i].len);
        entry->session[i] = (struct pgs_text){at, session[i].len};
        at += session[i].len;
    }
    entry->claims =
        authn->app->reads_jwt
            ? entry->session[2]
            : (struct pgs_text){memcpy(at, jwt->payload.at, jwt->payload.len), jwt->payload.len};
    return entry;
}

/* A claim as its setting's text, "" where there is none; false: it is of another type. */
static bool
read_claim(const struct pgs_claim *claim, const struct pgs_jwt *jwt, struct pgs_memory memory,
           struct pgs_text *value)
{
    struct pgs_read_error error;
    union pgs__member member;

    if (!pgs_jwt_claim(jwt, claim->path, memory, value))
        *value = (struct pgs_text){"", 0};
    if (value->len == 0)
        return true;
    if (!claim->type.array)
        return pgs__value_read(&claim->type, *value, memory, &member, &error);
    *value = pgs_jwt_array(*value, &claim->type, memory);
    return pgs__array_check(&claim->type, *value, memory, &error);
}

/* Session values in the order of pgs_app.session_sql; NULL: a claim is not of its type. */
static struct pgs_text *
token_session(const struct pgs_authn *authn, const struct pgs_jwt *jwt, int role,
              struct pgs_memory memory)
{
    const struct pgs_app *app = authn->app;
    struct pgs_text *session = memory.alloc(memory.pool, authn->n_session * sizeof(*session));
    size_t n = 0;

    session[n++] = pgs_text_of(app->roles[role].name);
    session[n++] = jwt->sub;
    if (app->reads_jwt)
        session[n++] = jwt->payload;
    for (size_t i = 0; i < app->n_claims; i++, n++)
        if (!read_claim(&app->claims[i], jwt, memory, &session[n]))
            return NULL;
    return session;
}

static bool
takes_tokens(const struct pgs_keys *keys)
{
    return keys->jwt.secret != NULL || keys->keyring != NULL;
}

/* Verifies a token and remembers it; NULL with `*why`. */
static struct entry *
verify(struct pgs_authn *authn, h2o_iovec_t token, h2o_mem_pool_t *pool, const char **why)
{
    struct pgs_memory memory = {pool_alloc, pool};
    struct entry *entry, **place;
    struct pgs_text *session;
    struct pgs_jwt jwt;
    int role;

    if (!takes_tokens(&authn->keys)) {
        *why = "User tokens are not accepted: JWT_SECRET and JWT_KEYS_FILE are not set";
        return NULL;
    }
    if (!pgs_jwt_read(&authn->keys.jwt, token.base, token.len, pgs_clock_wall_s(), memory, &jwt,
                      why))
        return NULL;
    if (jwt.sub.len > 0 && !is_uuid(jwt.sub)) {
        *why = "The sub claim of the JWT is not a uuid";
        return NULL;
    }
    role = choose_role(authn->app, &jwt, memory);
    if (role < 0) {
        *why = "The role claim of the JWT leads to no declared role";
        return NULL;
    }
    session = token_session(authn, &jwt, role, memory);
    if (session == NULL) {
        *why = "A claim of the JWT is not of its declared type";
        return NULL;
    }
    entry = make_entry(authn, token, session, role, &jwt);
    place = place_for(authn, entry->hash);
    if (*place != NULL)
        h2o_mem_release_shared(*place);
    *place = entry;
    return entry;
}

static bool
is_entry(const struct entry *entry, uint64_t hash, h2o_iovec_t token)
{
    return entry != NULL && entry->hash == hash && entry->token_len == token.len &&
           pgs_secret_is(entry->token, token.base, token.len);
}

/* An entry that has expired goes: the token is refused from now on, and needs no place. */
static struct entry *
recall(struct pgs_authn *authn, h2o_iovec_t token)
{
    uint64_t hash = hash_token(authn, token);
    struct entry **place = set_of(authn, hash), **end = place + TABLE_WAYS;

    authn->lookups++;
    while (place < end && !is_entry(*place, hash, token))
        place++;
    if (place == end)
        return NULL;
    if (pgs_clock_wall_s() < (*place)->exp + authn->keys.jwt.leeway_s) {
        (*place)->used = authn->lookups;
        return *place;
    }
    h2o_mem_release_shared(*place);
    *place = NULL;
    return NULL;
}

/* The one header of that name; false: it came twice. */
static bool
only_header(const h2o_req_t *req, const char *name, h2o_iovec_t *value)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);

    *value = (h2o_iovec_t){NULL, 0};
    if (at == -1)
        return true;
    *value = req->headers.entries[at].value;
    return h2o_find_header_by_str(&req->headers, name, strlen(name), at) == -1;
}

/* The credential to judge; `base` NULL: there is none.  False: not one that we know. */
static bool
read_credential(const h2o_req_t *req, h2o_iovec_t *credential, const char **why)
{
    h2o_iovec_t bearer, apikey;

    *why = "Send one credential: `Authorization: Bearer` or `apikey`";
    if (!only_header(req, "authorization", &bearer) || !only_header(req, "apikey", &apikey))
        return false;
    *credential = apikey;
    if (bearer.base == NULL)
        return true;
    if (bearer.len <= 7 || !h2o_lcstris(bearer.base, 7, H2O_STRLIT("bearer ")))
        return false;
    *credential = h2o_iovec_init(bearer.base + 7, bearer.len - 7);
    return true;
}

static bool
is_open(const struct pgs_keys *keys)
{
    return keys->anon_key == NULL && !takes_tokens(keys);
}

bool
pgs_authenticate_credential(struct pgs_authn *authn, h2o_iovec_t credential, h2o_mem_pool_t *pool,
                            struct pgs_identity *who, const char **why)
{
    struct entry *entry;

    *who = (struct pgs_identity){.role = ANON,
                                 .key = pgs_text_of("anon"),
                                 .session = authn->anon_session,
                                 .claims = pgs_text_of(anon_claims),
                                 .n_session = authn->n_session};
    renew_keys(authn);
    if (credential.base == NULL) {
        *why = "No credential: send the anon key or a user token";
        return is_open(&authn->keys);
    }
    if (same_secret(credential, authn->keys.anon_key))
        return true;
    if (same_secret(credential, authn->keys.service_key)) {
        who->role = SERVICE;
        who->key = pgs_text_of("service_role");
        who->is_service = true;
        who->claims = (struct pgs_text){"", 0};
        who->session = authn->service_session;
        return true;
    }
    entry = recall(authn, credential);
    if (entry != NULL) {
        pgs_count(PGS_CELL_TOKENS + PGS_TOKEN_REMEMBERED, 1);
    } else {
        entry = verify(authn, credential, pool, why);
        pgs_count(PGS_CELL_TOKENS + (entry != NULL ? PGS_TOKEN_VERIFIED : PGS_TOKEN_REFUSED), 1);
        if (entry == NULL)
            return false;
    }
    h2o_mem_link_shared(pool, entry);
    who->role = entry->role;
    who->key = entry->kid;
    who->session = entry->session;
    who->claims = entry->claims;
    who->exp_s = entry->exp + authn->keys.jwt.leeway_s;
    return true;
}

bool
pgs_authenticate(struct pgs_authn *authn, h2o_req_t *req, struct pgs_identity *who,
                 const char **why)
{
    h2o_iovec_t credential;

    return read_credential(req, &credential, why) &&
           pgs_authenticate_credential(authn, credential, &req->pool, who, why);
}

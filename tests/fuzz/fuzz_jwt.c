/* SPDX-License-Identifier: MIT */
/*
 * The bytes as a token; and, since no fuzzer finds a signature, the bytes as header and payload
 * (split at the first line break) of a token that is signed.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "codec/jwt.h"
#include "fuzz_heap.h"
#include "fuzz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "a secret that is long enough to be one";

static void
add_base64url(struct pgs_buf *out, const uint8_t *bytes, size_t len)
{
    unsigned char *text = heap_alloc(NULL, len / 3 * 4 + 5);
    int n = EVP_EncodeBlock(text, bytes, (int)len);

    for (int i = 0; i < n && text[i] != '='; i++)
        pgs_buf_add_char(out, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
}

static void
sign(struct pgs_buf *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len;

    HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (const unsigned char *)out->at, out->len, mac,
         &len);
    pgs_buf_add_char(out, '.');
    add_base64url(out, mac, len);
}

static void
check_text(struct pgs_text text)
{
    require(text.len == 0 || pgs_utf8_check(text.at, text.len) == text.len);
    require(text.len == 0 || memchr(text.at, '\0', text.len) == NULL);
}

static void
read_token(const char *token, size_t len)
{
    static const char *const paths[] = {"sub", "a.b.c", "app_metadata.plan", "a", ""};
    struct pgs_jwt_rules rules = {.secret = (const uint8_t *)secret,
                                  .secret_len = sizeof(secret) - 1};
    struct pgs_text value;
    struct pgs_jwt jwt;
    const char *why = NULL;

    if (!pgs_jwt_read(&rules, token, len, 1700000000, heap, &jwt, &why)) {
        require(why != NULL);
        return;
    }
    require(jwt.exp > 1700000000);
    require(is_json(jwt.payload.at, jwt.payload.len));
    check_text(jwt.sub);
    check_text(jwt.role);
    check_text(jwt.email);
    for (size_t i = 0; i < PGS_COUNT(paths); i++)
        if (pgs_jwt_claim(&jwt, paths[i], heap, &value))
            check_text(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    struct pgs_buf token;

    read_token(heap_copy(data, size), size);
    if (line != NULL) {
        pgs_buf_init(&token, 0);
        add_base64url(&token, data, (size_t)(line - data));
        pgs_buf_add_char(&token, '.');
        add_base64url(&token, line + 1, size - (size_t)(line - data) - 1);
        sign(&token);
        read_token(heap_copy(token.at, token.len), token.len);
        pgs_buf_clear(&token);
    }
    heap_free_all();
    return 0;
}

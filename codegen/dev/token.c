/* SPDX-License-Identifier: MIT */
#include "dev/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"

/* RFC 4648 section 5: `-` and `_`, and no padding. */
static const char *
base64url(const void *bytes, size_t len)
{
    unsigned char *text = arena_alloc((len + 2) / 3 * 4 + 1);
    int n = EVP_EncodeBlock(text, bytes, (int)len);

    while (n > 0 && text[n - 1] == '=')
        text[--n] = '\0';
    for (int i = 0; i < n; i++) {
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    }
    return (const char *)text;
}

const char *
token_sign(const char *payload, const char *secret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    const char *signed_part = arena_printf("%s.%s", base64url(header, strlen(header)),
                                           base64url(payload, strlen(payload)));

    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signed_part,
         strlen(signed_part), digest, &len);
    return arena_printf("%s.%s", signed_part, base64url(digest, len));
}

const char *
token_random(void)
{
    unsigned char bytes[24];
    char *text = arena_alloc(2 * sizeof(bytes) + 1);

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        perror("getrandom");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

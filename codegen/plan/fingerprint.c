/* SPDX-License-Identifier: MIT */
#include "plan/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/arena.h"

const char *
fingerprint_sql(const char *sql)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *hex;

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    while (*sql != '\0') {
        size_t line = strcspn(sql, "\n");

        line += sql[line] == '\n';
        if (strncmp(sql, "--", 2) != 0)
            EVP_DigestUpdate(context, sql, line);
        sql += line;
    }
    EVP_DigestFinal_ex(context, digest, &len);
    EVP_MD_CTX_free(context);
    hex = arena_alloc(2 * (size_t)len + 1);
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    return hex;
}

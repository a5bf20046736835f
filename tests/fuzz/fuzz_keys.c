/* SPDX-License-Identifier: MIT */
/*
 * The bytes as a file of keys: JWKS or PEM.  What is taken must be whole; what is refused has a
 * reason without a byte of the file that is not plain text.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/jwt_key.h"
#include "fuzz_heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct pgs_jwt_keys *keys)
{
    require(keys->n > 0 && keys->n <= PGS_JWT_MAX_KEYS);
    for (size_t i = 0; i < keys->n; i++) {
        const struct pgs_jwt_key *key = &keys->at[i];

        require((key->public_key != NULL) != (key->secret != NULL));
        require(key->secret == NULL || key->secret_len >= PGS_JWT_MIN_SECRET);
        require(key->signature_len >= 32);
        require(memchr(key->kid, '\0', sizeof(key->kid)) != NULL);
        require(!pgs_jwt_key_signed(key, "a", 1, (const uint8_t *)"b", 1));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pgs_jwt_keys keys = {.n = 0};
    char why[256] = "", *text = heap_alloc(NULL, size + 1);

    memcpy(text, data, size);
    text[size] = '\0'; /* as pgs_file_read gives it */
    if (pgs_jwt_keys_read(text, size, &keys, why)) {
        check(&keys);
        pgs_jwt_keys_free(&keys);
    } else {
        require(why[0] != '\0' && memchr(why, '\0', sizeof(why)) != NULL);
    }
    heap_free_all();
    return 0;
}

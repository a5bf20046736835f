/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as X-Forwarded-For, in one field or, cut at line ends, in several.  One field says what
 * the same entries say in several; where nobody is trusted it is the peer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/forwarded.h"

#define MAX_FIELDS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* At most MAX_FIELDS lines; what is behind them is left out. */
static size_t
cut(char *bytes, size_t size, struct pgs_text fields[MAX_FIELDS])
{
    size_t n = 0, from = 0;

    for (size_t i = 0; i <= size && n < MAX_FIELDS; i++) {
        if (i < size && bytes[i] != '\n')
            continue;
        fields[n++] = (struct pgs_text){bytes + from, i - from};
        from = i + 1;
    }
    return n;
}

static void
expect_same(const struct pgs_address *a, const struct pgs_address *b)
{
    if (memcmp(a, b, sizeof(*a)) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pgs_networks *trusted;
    struct pgs_text fields[MAX_FIELDS], whole;
    struct pgs_address peer, client, same;
    char *bytes = malloc(size + 1);
    size_t n;

    if (trusted == NULL)
        trusted = pgs_networks_read("10.0.0.0/8, 2001:db8::/32, ::1");
    if (bytes == NULL || trusted == NULL || !pgs_address_read("10.0.0.1", 8, &peer))
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    n = cut(bytes, size, fields);
    client = pgs_forwarded_client(peer, trusted, fields, n);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '\n')
            bytes[i] = ',';
    whole = (struct pgs_text){bytes, size};
    same = pgs_forwarded_client(peer, trusted, &whole, 1);
    if (n < MAX_FIELDS)
        expect_same(&client, &same);
    same = pgs_forwarded_client(peer, NULL, &whole, 1);
    expect_same(&same, &peer);
    free(bytes);
    return 0;
}

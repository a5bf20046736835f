/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

enum {
    MAPPED_BITS = 96,
    ALL_BITS = 128
};

static bool
is_ipv4(const struct pgs_address *address)
{
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

bool
pgs_address_read(const char *text, size_t len, struct pgs_address *address)
{
    char copy[PGS_ADDRESS_TEXT];

    if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET6, copy, address->bytes) == 1)
        return true;
    memcpy(address->bytes, mapped, sizeof(mapped));
    return inet_pton(AF_INET, copy, address->bytes + sizeof(mapped)) == 1;
}

struct pgs_address
pgs_address_of(const struct sockaddr *peer)
{
    struct pgs_address address = {{0}};

    if (peer->sa_family == AF_INET6) {
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
    } else if (peer->sa_family == AF_INET) {
        memcpy(address.bytes, mapped, sizeof(mapped));
        memcpy(address.bytes + sizeof(mapped),
               &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
    }
    return address;
}

void
pgs_address_write(const struct pgs_address *address, char text[PGS_ADDRESS_TEXT])
{
    bool ipv4 = is_ipv4(address);

    (void)inet_ntop(ipv4 ? AF_INET : AF_INET6, address->bytes + (ipv4 ? sizeof(mapped) : 0), text,
                    PGS_ADDRESS_TEXT);
}

struct pgs_address
pgs_address_client(const struct pgs_address *address)
{
    struct pgs_address client = *address;

    if (!is_ipv4(address))
        memset(client.bytes + 8, 0, 8);
    return client;
}

/* ---- networks ---- */

static bool
shares_bits(const struct pgs_address *a, const struct pgs_address *b, int bits)
{
    size_t whole = (size_t)bits / 8;
    int rest = bits % 8;

    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

static bool
ends_with_prefix(const struct pgs_network *network)
{
    for (int bit = network->bits; bit < ALL_BITS; bit++)
        if ((network->first.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return false;
    return true;
}

/* Of the family within the mapped form. */
static int
bits_before(const struct pgs_address *address)
{
    return is_ipv4(address) ? MAPPED_BITS : 0;
}

/* "/24", behind the address `text`, whose notation decides what is counted. */
static bool
read_prefix(const char *text, const char *slash, struct pgs_network *network)
{
    int before = strchr(text, ':') != NULL ? 0 : MAPPED_BITS;
    char *end;
    long bits;

    if (slash[1] < '0' || slash[1] > '9')
        return false;
    bits = strtol(slash + 1, &end, 10);
    if (*end != '\0' || bits > ALL_BITS - before)
        return false;
    network->bits = before + (int)bits;
    return true;
}

static bool
read_network(const char *text, struct pgs_network *network)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

    network->bits = ALL_BITS;
    return pgs_address_read(text, len, &network->first) &&
           (slash == NULL || read_prefix(text, slash, network)) && ends_with_prefix(network);
}

struct pgs_networks *
pgs_networks_read(const char *text)
{
    size_t room = strlen(text) / 2 + 1; /* "::" is the shortest, and takes a comma */
    struct pgs_networks *networks = calloc(1, sizeof(*networks) + room * sizeof(networks->at[0]));
    char *copy = strdup(text), *rest = copy;
    bool ok = networks != NULL && copy != NULL;

    for (char *item; ok && (item = strtok_r(rest, ", ", &rest)) != NULL;)
        ok = read_network(item, &networks->at[networks->n++]);
    free(copy);
    if (ok)
        return networks;
    free(networks);
    return NULL;
}

bool
pgs_networks_are_too_wide(const struct pgs_networks *networks)
{
    for (size_t i = 0; networks != NULL && i < networks->n; i++)
        if (networks->at[i].bits - bits_before(&networks->at[i].first) < 8)
            return true;
    return false;
}

bool
pgs_networks_hold(const struct pgs_networks *networks, const struct pgs_address *address)
{
    for (size_t i = 0; networks != NULL && i < networks->n; i++)
        if (shares_bits(&networks->at[i].first, address, networks->at[i].bits))
            return true;
    return false;
}

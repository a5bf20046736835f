/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

struct state {
    uint64_t a, b, c, d;
};

static uint64_t
turn(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void
stir(struct state *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = turn(s->b, 13) ^ s->a;
    s->d = turn(s->d, 16) ^ s->c;
    s->a = turn(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = turn(s->b, 17) ^ s->c;
    s->d = turn(s->d, 21) ^ s->a;
    s->c = turn(s->c, 32);
}

static void
take_word(struct state *s, uint64_t word)
{
    s->d ^= word;
    stir(s);
    stir(s);
    s->a ^= word;
}

/* Little-endian; compilers make one load of it. */
static uint64_t
read_word(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

/* What is left, fewer than eight bytes, under the length. */
static uint64_t
read_rest(const uint8_t *at, size_t len)
{
    uint64_t word = (uint64_t)len << 56;

    for (size_t i = 0; i < (len & 7); i++)
        word |= (uint64_t)at[i] << 8 * i;
    return word;
}

uint64_t
pgs_siphash(const struct pgs_siphash_key *key, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    struct state s = {key->low ^ 0x736f6d6570736575u, key->high ^ 0x646f72616e646f6du,
                      key->low ^ 0x6c7967656e657261u, key->high ^ 0x7465646279746573u};

    for (size_t left = len; left >= 8; left -= 8, at += 8)
        take_word(&s, read_word(at));
    take_word(&s, read_rest(at, len));
    s.c ^= 0xff;
    for (int i = 0; i < 4; i++)
        stir(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

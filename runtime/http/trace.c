/* SPDX-License-Identifier: MIT */
#include "http/trace.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FLAGS_PASSED_ON 3 /* sampled, and that the id is random */

/* Lower-case digits alone, as the standard wants them. */
static bool
read_hex(const char *text, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < 2 * n; i++) {
        char c = text[i];
        unsigned digit;

        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a' + 10);
        else
            return false;
        bytes[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
    }
    return true;
}

static bool
is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* `VERSION-TRACE-PARENT-FLAGS`; a later version than 00 may go on behind another dash. */
static bool
read_parent(struct pgs_trace *trace, const char *text, size_t len)
{
    uint8_t version;

    if (len < PGS_TRACE_LEN || !read_hex(text, &version, 1) || version == 0xff)
        return false;
    if (len > PGS_TRACE_LEN && (version == 0 || text[PGS_TRACE_LEN] != '-'))
        return false;
    return text[2] == '-' && text[35] == '-' && text[52] == '-' &&
           read_hex(text + 3, trace->id, sizeof(trace->id)) && !is_zero(trace->id, 16) &&
           read_hex(text + 36, trace->parent, sizeof(trace->parent)) &&
           !is_zero(trace->parent, 8) && read_hex(text + 53, &trace->flags, 1);
}

/* Unique, not secret: SplitMix64 from a random start of each thread.  Never 0. */
static uint64_t
next_random(void)
{
    static __thread uint64_t state;
    uint64_t z;

    if (state == 0 && RAND_bytes((unsigned char *)&state, sizeof(state)) != 1)
        state = (uint64_t)pgs_clock_us() ^ (uint64_t)(uintptr_t)&state; /* no memory */
    z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return z != 0 ? z : 1;
}

static void
fill_random(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word = next_random();

        memcpy(bytes + i, &word, sizeof(word));
    }
}

void
pgs_trace_begin(struct pgs_trace *trace, const char *traceparent, size_t len)
{
    if (traceparent == NULL || !read_parent(trace, traceparent, len)) {
        memset(trace, 0, sizeof(*trace));
        fill_random(trace->id, sizeof(trace->id));
    }
    trace->flags &= FLAGS_PASSED_ON;
    fill_random(trace->span, sizeof(trace->span));
}

void
pgs_hex_write(char *at, const uint8_t *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
}

void
pgs_trace_write(const struct pgs_trace *trace, char *at)
{
    memcpy(at, "00-", 3);
    pgs_hex_write(at + 3, trace->id, sizeof(trace->id));
    at[35] = '-';
    pgs_hex_write(at + 36, trace->span, sizeof(trace->span));
    at[52] = '-';
    pgs_hex_write(at + 53, &trace->flags, 1);
}

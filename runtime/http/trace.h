/* SPDX-License-Identifier: MIT */
/*
 * Trace ids as W3C Trace Context has them (`traceparent`), so that a request can be found in the
 * logs of all that it went through.
 */
#ifndef PGS_HTTP_TRACE_H
#define PGS_HTTP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgs_trace {
    uint8_t id[16];
    uint8_t span[8];   /* of this request, here */
    uint8_t parent[8]; /* the caller's; zeros: there is none */
    uint8_t flags;
};

#define PGS_TRACE_LEN 55 /* of a traceparent */

/* Continues the trace of a traceparent; NULL or an invalid one: begins a new trace. */
void pgs_trace_begin(struct pgs_trace *trace, const char *traceparent, size_t len);

/* Writes `00-...`, PGS_TRACE_LEN bytes, with this request as the parent. */
void pgs_trace_write(const struct pgs_trace *trace, char *at);

/* Writes 2 * `n` hexadecimal digits. */
void pgs_hex_write(char *at, const uint8_t *bytes, size_t n);

#endif

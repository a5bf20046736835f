/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what PostgreSQL says on a connection with work under way, in two pieces; the first
 * byte of the input says where it is cut.  Each transaction ends once, whatever was said.
 */
#include <stdint.h>

#include "../1-unit/runtime_backend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_ASKED 4

static size_t
count(const struct pgs_buf *heard)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < heard->len; i++)
        n += heard->at[i] == ';' && heard->at[i + 1] == ' ';
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const statements[] = {"select 1", "select 2"};
    const char *bytes = (const char *)data + 1;
    struct backend backend;
    size_t cut;

    if (size == 0)
        return 0;
    cut = data[0] % size;
    backend_open(&backend);
    backend.pool->is_closing = true; /* nothing is tried again, or logged */
    for (int i = 0; i < N_ASKED; i++)
        backend_ask(&backend, statements, i % 2 + 1);
    if (backend_say(&backend, bytes, cut) && backend.conn.pg != NULL)
        (void)backend_say(&backend, bytes + cut, size - 1 - cut);
    pgs__conn_close(&backend.conn);
    /* Values may hold the mark between two of them. */
    if (count(&backend.heard) < N_ASKED || backend.conn.n_in_flight != 0)
        abort();
    backend_close(&backend);
    return 0;
}

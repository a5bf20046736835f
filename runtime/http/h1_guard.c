/* SPDX-License-Identifier: MIT */
/*
 * Wrappers for HTTP/1, put in libh2o's place as those of h2_guard.c are.  Where libh2o would answer
 * with a line of its own, or wait for more of a head that is too long already, it is handed a
 * request that the guard then refuses in our words; its errors become ours, too.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "http/chunked.h"
#include "http/guard.h"
#include "http/reply.h"

#define EXPORT __attribute__((visibility("default")))
#define PARSED_MAX 512 /* fields: beyond, libh2o itself says 400 */

/* Of picohttpparser, which is part of libh2o and has no header in Debian. */
struct field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

EXPORT int phr_parse_request(const char *bytes, size_t len, const char **method, size_t *method_len,
                             const char **path, size_t *path_len, int *minor, struct field *fields,
                             size_t *n_fields, size_t last_len);
EXPORT ssize_t phr_decode_chunked(struct pgs__chunked *chunked, char *bytes, size_t *len);

static __typeof__(&phr_parse_request) parse_request;
static __thread unsigned calls;

void
pgs__h1_guard_open(void)
{
    void *found = dlsym(RTLD_NEXT, "phr_parse_request");

    if (found == NULL)
        abort(); /* another libh2o than the one that we were built for */
    memcpy(&parse_request, &found, sizeof(found));
}

unsigned
pgs__h1_guard_count(void)
{
    return calls;
}

int
phr_parse_request(const char *bytes, size_t len, const char **method, size_t *method_len,
                  const char **path, size_t *path_len, int *minor, struct field *fields,
                  size_t *n_fields, size_t last_len)
{
    struct field many[PARSED_MAX];
    size_t n = PARSED_MAX, room = *n_fields;
    int used =
        parse_request(bytes, len, method, method_len, path, path_len, minor, many, &n, last_len);

    calls++;
    if (used == -2 && len > PGS_GUARD_MAX_HEAD) { /* the guard says 431 or 414 */
        *method = "GET";
        *method_len = 3;
        *path = "/";
        *path_len = 1;
        *minor = 1;
        *n_fields = 0;
        return (int)len;
    }
    if (used < 0)
        return used;
    *n_fields = n <= room ? n : 0; /* the guard counts them, and says 431 */
    memcpy(fields, many, *n_fields * sizeof(*fields));
    return used;
}

ssize_t
phr_decode_chunked(struct pgs__chunked *chunked, char *bytes, size_t *len)
{
    ssize_t result = pgs__chunked_read(chunked, bytes, len);

    calls++;
    if (result == -1)
        pgs_limit_hit(PGS_LIMIT_MALFORMED);
    return result;
}

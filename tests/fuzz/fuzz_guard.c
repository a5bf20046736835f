/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the head of a request.  What passes has one Host at most, and not both a length and
 * an encoding, however they are spelt.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of the head that begin with `name`, by the plainest of readings. */
static int
count(const char *head, const char *name)
{
    int n = 0;

    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line + 1, '\n'))
        if (strncasecmp(line + 1, name, strlen(name)) == 0)
            n++;
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *head = malloc(size + 1), *end;
    const char *why;

    if (head == NULL)
        return 0;
    if (size > 0)
        memcpy(head, data, size);
    head[size] = '\0';
    if (pgs_guard_check((const char *)data, size, &why) == 0) {
        end = strstr(head + 2, "\r\n\r\n");
        if (end == NULL)
            abort();
        *end = '\0';
        if (count(head, "host:") > 1 || count(head, "content-length:") > 1 ||
            count(head, "content-length:") + count(head, "transfer-encoding:") > 1)
            abort();
    }
    free(head);
    return 0;
}

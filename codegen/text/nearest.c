/* SPDX-License-Identifier: MIT */
/* "Did you mean": the fewest slips of the finger between two names. */
#include <stdint.h>
#include <string.h>

#include "text/diag.h"

#define NEAR_MAX 64

static size_t
min3(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;

    return low < c ? low : c;
}

/* Insertions, deletions, replacements, and neighbours swapped, each one step. */
static size_t
distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][NEAR_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *next = before;

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min3(row[j], before[j - 2] + 1, SIZE_MAX);
        }
        before = last;
        last = row;
        row = next;
    }
    return last[m];
}

static const char *
find_nearest(const char *name, const char *const *known, size_t n, bool *several)
{
    size_t len = strlen(name);
    size_t best = len <= 3 ? 2 : len / 3 + 2; /* one more than is still near */
    const char *found = NULL;

    if (len > NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(known[i]), d;

        if (other > NEAR_MAX || strcmp(name, known[i]) == 0)
            continue;
        d = distance(name, len, known[i], other);
        if (d >= len || d > best || (d == best && (!found || strcmp(found, known[i]) == 0)))
            continue;
        *several = d == best;
        if (d < best)
            found = known[i];
        best = d;
    }
    return found;
}

const char *
diag_nearest(const char *name, const char *const *known, size_t n)
{
    bool several = false;

    return find_nearest(name, known, n, &several);
}

const char *
diag_nearest_alone(const char *name, const char *const *known, size_t n)
{
    bool several = false;
    const char *nearest = find_nearest(name, known, n, &several);

    return several ? NULL : nearest;
}

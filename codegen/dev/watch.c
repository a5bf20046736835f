/* SPDX-License-Identifier: MIT */
#include "dev/dev.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 16

/* FNV-1a */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * 1099511628211u;
    return hash;
}

/* Without order: a folder is not read in the same one each time. */
static uint64_t
stamp(const char *path, int depth)
{
    struct stat st;
    struct dirent *entry;
    uint64_t sum;
    DIR *dir;

    if (stat(path, &st) != 0)
        return 0;
    sum = mix(14695981039346656037u, path, strlen(path));
    if (!S_ISDIR(st.st_mode)) {
        sum = mix(sum, &st.st_mtim, sizeof(st.st_mtim));
        sum = mix(sum, &st.st_ino, sizeof(st.st_ino));
        return mix(sum, &st.st_size, sizeof(st.st_size));
    }
    dir = depth < MAX_DEPTH ? opendir(path) : NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') {
            char inner[4096];

            if (snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) < (int)sizeof(inner))
                sum += stamp(inner, depth + 1);
        }
    if (dir != NULL)
        closedir(dir);
    return sum;
}

uint64_t
dev_sources_stamp(void)
{
    return stamp("schema", 0) + stamp("policies", 0) + stamp(".env", 0);
}

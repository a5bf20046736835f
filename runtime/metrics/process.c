/* SPDX-License-Identifier: MIT */
/*
 * What every exporter says of its process, under the names that dashboards know.  A number that the
 * system does not give is left out.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics/text.h"

static void
add(struct pgs_buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    pgs__metrics_head(out, name, type, help);
    pgs__metrics_sample(out, name, "", value);
}

static void
add_cpu(struct pgs_buf *out)
{
    struct rusage usage;
    static const char name[] = "process_cpu_seconds_total";

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    pgs__metrics_head(out, name, "counter", "User and system CPU time.");
    pgs_buf_add_str(out, name);
    pgs_buf_add_char(out, ' ');
    pgs__metrics_seconds(out, (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    pgs_buf_add_char(out, '\n');
}

static void
add_memory(struct pgs_buf *out)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long virtual_pages = 0, resident_pages = 0;
    long page = sysconf(_SC_PAGESIZE);

    if (file == NULL)
        return;
    if (fscanf(file, "%lld %lld", &virtual_pages, &resident_pages) == 2) {
        add(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", virtual_pages * page);
        add(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
            resident_pages * page);
    }
    (void)fclose(file);
}

static void
add_descriptors(struct pgs_buf *out)
{
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit;
    int64_t n = -3; /* ".", ".." and the folder itself */

    if (folder != NULL) {
        while (readdir(folder) != NULL)
            n++;
        (void)closedir(folder);
        add(out, "process_open_fds", "gauge", "Open file descriptors.", n);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        add(out, "process_max_fds", "gauge", "File descriptors at most.", (int64_t)limit.rlim_cur);
}

/* Seconds since 1970 at which the machine started; 0: not known. */
static long long
boot_s(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char line[256];
    long long s = 0;

    while (file != NULL && s == 0 && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "btime %lld", &s) != 1)
            s = 0;
    if (file != NULL)
        (void)fclose(file);
    return s;
}

/* Field 22 of /proc/self/stat, in ticks since the boot; the name, field 2, may hold anything. */
static long long
start_ticks(void)
{
    FILE *file = fopen("/proc/self/stat", "re");
    char text[1024];
    const char *at;
    long long ticks = 0;
    size_t len;

    if (file == NULL)
        return 0;
    len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    at = strrchr(text, ')');
    if (at == NULL ||
        sscanf(at + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld",
               &ticks) != 1)
        return 0;
    return ticks;
}

static void
add_start(struct pgs_buf *out)
{
    long long boot = boot_s(), ticks = start_ticks();
    long per_s = sysconf(_SC_CLK_TCK);

    if (boot > 0 && ticks > 0 && per_s > 0)
        add(out, "process_start_time_seconds", "gauge", "When it started, in seconds since 1970.",
            boot + ticks / per_s);
}

void
pgs__metrics_process(struct pgs_buf *out)
{
    add_cpu(out);
    add_memory(out);
    add_descriptors(out);
    add_start(out);
}

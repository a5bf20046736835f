/* SPDX-License-Identifier: MIT */
/*
 * What is up to date is decided by time: an object is newer than all files that the compiler named
 * in its .d file, and than the file that holds the compiler's arguments.
 */
#include "cmd/compile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "emit/layout.h"
#include "dev/process.h"

#define MAX_JOBS 32
#define PARENTS 3 /* from build/pgstack or build/san/pgstack up to the sources */

static const char *cc;
static const char *include_dir;
static const char *library;
static struct words objects;

static const char *const compile_flags[] = {
    "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-g", "-O2",
    "-fPIE",    "-fstack-protector-strong",
};

static const char *const link_flags[] = {
    "-pie",
    "-pthread",
    "-Wl,-z,relro,-z,now",
    "-Wl,--as-needed",
    "-lh2o-evloop",
    "-lpq",
    "-lyajl",
    "-lssl",
    "-lcrypto",
    "-lwslay",
    "-lm",
};

/* The library was built as this program was. */
static const char *const sanitizer_flags[] = {
#if defined(__SANITIZE_ADDRESS__)
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
#elif defined(__SANITIZE_THREAD__)
    "-fsanitize=thread",
#endif
    NULL,
};

static bool
exists(const char *path)
{
    return access(path, R_OK) == 0;
}

static const char *
find_in_path(const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? name : NULL;
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        const char *file = arena_printf("%.*s/%s", (int)len, path, name);

        if (access(file, X_OK) == 0)
            return file;
        path += len + (path[len] == ':');
    }
    return NULL;
}

static const char *
find_headers(void)
{
    const char *up = cmd_program_dir();

    for (int i = 0; i < PARENTS; i++) {
        const char *dir;

        up = arena_printf("%s/..", up);
        dir = arena_printf("%s/runtime/include", up);
        if (exists(arena_printf("%s/pgs/abi.h", dir)))
            return dir;
    }
    return NULL;
}

bool
compile_open(void)
{
    const char *name = getenv("CC");

    if (name == NULL || *name == '\0')
        name = "cc";
    cc = find_in_path(name);
    include_dir = find_headers();
    library = arena_printf("%s/libpgs.a", cmd_program_dir());
    if (cc == NULL)
        cmd_fail("there is no C compiler \"%s\"; install gcc, or name another in CC", name);
    else if (include_dir == NULL)
        cmd_fail("the runtime's headers are not beside %s: expected ../runtime/include/pgs",
                 cmd_program_dir());
    else if (!exists(library))
        cmd_fail("%s is missing; build it with `make`", library);
    else
        return true;
    return false;
}

/* False: there is no such file. */
static bool
time_of(const char *path, struct timespec *time)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    *time = st.st_mtim;
    return true;
}

static bool
is_newer(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* "x.o: x.c x.h \\\n ../y.h": all of them exist and are older than `made`. */
static bool
sources_are_older(const char *deps, struct timespec made)
{
    struct source *source = source_read(".", deps);
    const char *at = source != NULL ? strchr(source->text, ':') : NULL;

    if (at == NULL)
        return false;
    at++;
    for (;;) {
        struct timespec time;
        size_t len;

        at += strspn(at, " \\\n");
        len = strcspn(at, " \n");
        if (len == 0)
            return true;
        if (!time_of(arena_copy(at, len), &time) || is_newer(time, made))
            return false;
        at += len;
    }
}

static const char *
flags_text(void)
{
    struct out *out = out_scratch();

    out_printf(out, "%s -I%s", cc, include_dir);
    for (size_t i = 0; i < sizeof(compile_flags) / sizeof(compile_flags[0]); i++)
        out_printf(out, " %s", compile_flags[i]);
    for (size_t i = 0; sanitizer_flags[i] != NULL; i++)
        out_printf(out, " %s", sanitizer_flags[i]);
    out_add(out, "\n");
    return out_text(out);
}

/* Keeps the arguments in a file, so that other ones make everything old. */
static bool
keep_flags(const char *path)
{
    struct source *old = source_read(".", path);
    const char *text = flags_text();
    FILE *file;

    if (old != NULL && strcmp(old->text, text) == 0)
        return true;
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        cmd_fail("%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static pid_t
run(const struct words *words)
{
    const char **argv = arena_alloc((words->list.n + 1) * sizeof(*argv));

    memcpy(argv, words->list.at, words->list.n * sizeof(*argv));
    return process_start(&(struct process){.argv = argv, .death_signal = SIGTERM});
}

static pid_t
compile_file(const char *source, const char *object)
{
    struct words words = {0};

    words_add(&words, cc);
    for (size_t i = 0; i < sizeof(compile_flags) / sizeof(compile_flags[0]); i++)
        words_add(&words, compile_flags[i]);
    for (size_t i = 0; sanitizer_flags[i] != NULL; i++)
        words_add(&words, sanitizer_flags[i]);
    words_add(&words, arena_printf("-I%s", include_dir));
    words_add(&words, "-MMD");
    words_add(&words, "-c");
    words_add(&words, "-o");
    words_add(&words, object);
    words_add(&words, source);
    return run(&words);
}

static bool
is_c_file(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > 2 && strcmp(name + len - 2, ".c") == 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that messages come in the same order each time. */
static bool
list_folder(const char *folder, struct words *names)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (dir == NULL) {
        cmd_fail("%s: %s", folder, strerror(errno));
        return false;
    }
    while ((entry = readdir(dir)) != NULL)
        if (is_c_file(entry->d_name))
            words_add(names, arena_copy(entry->d_name, strlen(entry->d_name)));
    closedir(dir);
    if (names->list.n > 1)
        qsort(names->list.at, names->list.n, sizeof(*names->list.at), by_name);
    return true;
}

static bool
is_up_to_date(const char *object, const char *deps, const char *flags)
{
    struct timespec made, kept;

    return time_of(object, &made) && time_of(flags, &kept) && !is_newer(kept, made) &&
           sources_are_older(deps, made);
}

/* A compiler for each processor. */
static size_t
count_jobs(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MAX_JOBS ? MAX_JOBS : (size_t)n;
}

bool
compile_folder(const char *folder, const char *object_dir, size_t *n_compiled)
{
    const char *flags = arena_printf("%s/flags", object_dir);
    struct words names = {0};
    pid_t running[MAX_JOBS] = {0};
    size_t n_jobs = count_jobs();
    bool ok = true;

    *n_compiled = 0;
    if (!keep_flags(flags) || !list_folder(folder, &names))
        return false;
    for (size_t i = 0; i < names.list.n; i++) {
        const char *name = names.list.at[i];
        const char *stem = arena_printf("%s/%.*s", object_dir, (int)strlen(name) - 2, name);
        const char *object = arena_printf("%s.o", stem);
        pid_t *slot = &running[*n_compiled % n_jobs];

        words_add(&objects, object);
        if (is_up_to_date(object, arena_printf("%s.d", stem), flags))
            continue;
        if (*slot > 0 && !process_wait(*slot))
            ok = false;
        *slot = compile_file(arena_printf("%s/%s", folder, name), object);
        ++*n_compiled;
    }
    for (size_t i = 0; i < n_jobs; i++)
        if (running[i] != 0 && !process_wait(running[i]))
            ok = false;
    return ok;
}

static bool
is_linked(const char *program)
{
    struct timespec made, time;

    if (!time_of(program, &made) || !time_of(library, &time) || is_newer(time, made))
        return false;
    for (size_t i = 0; i < objects.list.n; i++)
        if (!time_of(objects.list.at[i], &time) || is_newer(time, made))
            return false;
    return true;
}

bool
compile_link(const char *program)
{
    const char *temporary = arena_printf("%s.tmp", program);
    struct words words = {0};

    if (is_linked(program))
        return true;
    words_add(&words, cc);
    words_add(&words, "-o");
    words_add(&words, temporary);
    for (size_t i = 0; i < objects.list.n; i++)
        words_add(&words, objects.list.at[i]);
    words_add(&words, library);
    for (size_t i = 0; sanitizer_flags[i] != NULL; i++)
        words_add(&words, sanitizer_flags[i]);
    for (size_t i = 0; i < sizeof(link_flags) / sizeof(link_flags[0]); i++)
        words_add(&words, link_flags[i]);
    if (!process_wait(run(&words)))
        return false;
    if (rename(temporary, program) == 0)
        return true;
    cmd_fail("%s: %s", program, strerror(errno));
    return false;
}

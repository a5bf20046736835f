/* SPDX-License-Identifier: MIT */
#include "cmd/matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "emit/emit.h"
#include "text/diag.h"

#define MAX_BYTES ((size_t)64 * 1024 * 1024)

static bool
read_matrix(const char *from, const char *text, struct matrix *matrix)
{
    if (matrix_read(text, matrix))
        return true;
    fail_print("%s: this is no access matrix: `pgstack generate` writes generated/access.txt",
               from);
    return false;
}

static bool
matrix_of_model(const char *from, const struct model *model, struct matrix *matrix)
{
    return model != NULL && read_matrix(from, emit_access_text(plan_make(model)), matrix);
}

bool
cmd_matrix_here(struct matrix *matrix)
{
    return matrix_of_model(".", cmd_load(), matrix);
}

/* Comes back to where it was; findings are of that folder. */
static bool
matrix_of_folder(const char *from, struct matrix *matrix)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct model *model;
    bool ok;

    if (here < 0 || chdir(from) != 0) {
        fail_print("%s: %s", from, strerror(errno));
        return false;
    }
    model = cmd_check_sources();
    if (model == NULL) {
        diag_print(stderr, isatty(STDERR_FILENO));
        fail_print("%s: not compared, because of its errors", from);
    }
    ok = matrix_of_model(from, model, matrix);
    if (fchdir(here) != 0)
        ok = false;
    close(here);
    return ok;
}

static bool
read_all(int fd, struct str *text)
{
    char bytes[65536];
    ssize_t n;

    str_puts(text, "");
    while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || text->n > MAX_BYTES)
            return false;
        str_add(text, bytes, (size_t)n);
    }
    return strlen(text->at) == text->n;
}

static bool
matrix_of_file(const char *from, struct matrix *matrix)
{
    struct str text = {0};
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read_all(fd, &text);

    if (!ok)
        fail_print("%s: %s", from, fd < 0 ? strerror(errno) : "it cannot be read");
    if (fd >= 0)
        close(fd);
    return ok && read_matrix(from, text.at, matrix);
}

/* ---- git ---- */

static _Noreturn void
run_git(const char *object, int out)
{
    dup2(out, STDOUT_FILENO);
    execlp("git", "git", "show", "--end-of-options", object, (char *)NULL);
    fail_print("git: %s", strerror(errno));
    _exit(127);
}

static bool
ended_well(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What git wrote is on stderr already when it failed. */
static bool
matrix_of_revision(const char *from, struct matrix *matrix)
{
    bool whole = from[strlen(from) - 1] == ':';
    const char *object = arena_printf("%s%s", from, whole ? "./generated/access.txt" : "");
    struct str text = {0};
    int ends[2];
    bool ok;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0) {
        fail_print("git: %s", strerror(errno));
        return false;
    }
    if (pid == 0)
        run_git(object, ends[1]);
    close(ends[1]);
    ok = read_all(ends[0], &text);
    close(ends[0]);
    if (!ended_well(pid) || !ok) {
        fail_print("%s: git has no access matrix there", from);
        return false;
    }
    return read_matrix(from, text.at, matrix);
}

bool
cmd_matrix_of(const char *from, struct matrix *matrix)
{
    struct stat st;

    if (stat(from, &st) == 0)
        return S_ISDIR(st.st_mode) ? matrix_of_folder(from, matrix) : matrix_of_file(from, matrix);
    if (strchr(from, ':') != NULL)
        return matrix_of_revision(from, matrix);
    fail_print("%s: %s", from, strerror(errno));
    return false;
}

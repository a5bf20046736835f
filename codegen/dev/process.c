/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* initgroups */
#include "dev/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"

static void
pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* In the child.  False: errno says why. */
static bool
redirect(const char *log)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out =
        log == NULL ? STDOUT_FILENO : open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0)
        return false;
    return log == NULL || (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0);
}

/* In the child.  The working directory may be one that the user cannot enter. */
static bool
become(const struct passwd *user)
{
    if (user == NULL)
        return true;
    return initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
           setuid(user->pw_uid) == 0 && chdir("/") == 0;
}

static _Noreturn void
run_child(const struct process *process, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    for (const char *const *env = process->env; env != NULL && *env != NULL; env++)
        putenv((char *)(uintptr_t)*env);
    /* The kernel forgets the death signal when the user changes: it comes last. */
    if (redirect(process->log) && become(process->user) &&
        prctl(PR_SET_PDEATHSIG, process->death_signal) == 0 && getppid() == parent)
        execv(process->argv[0], (char *const *)(uintptr_t)process->argv);
    fprintf(stderr, "pgstack: %s: %s\n", process->argv[0], strerror(errno));
    _exit(127);
}

pid_t
process_start(const struct process *process)
{
    pid_t parent = getpid();
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_child(process, parent);
    if (pid < 0)
        fail_print("fork: %s", strerror(errno));
    return pid;
}

bool
process_wait(pid_t pid)
{
    int status;

    if (pid <= 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
process_is_running(pid_t *pid)
{
    int status;

    if (*pid > 0 && waitpid(*pid, &status, WNOHANG) != 0)
        *pid = 0;
    return *pid > 0;
}

void
process_stop(pid_t *pid, int signal, int seconds)
{
    if (!process_is_running(pid))
        return;
    kill(*pid, signal);
    for (int i = 0; i < seconds * 100; i++) {
        if (!process_is_running(pid))
            return;
        pause_ms(10);
    }
    kill(*pid, SIGKILL);
    process_wait(*pid);
    *pid = 0;
}

void
process_print_log(const char *path, int lines)
{
    FILE *file = fopen(path, "r");
    char text[4096];
    size_t n, start;

    if (file == NULL)
        return;
    if (fseek(file, -(long)(sizeof(text) - 1), SEEK_END) != 0)
        rewind(file);
    n = start = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    while (start > 0 && (text[start - 1] != '\n' || start == n || lines-- > 1))
        start--;
    fwrite(text + start, 1, n - start, stderr);
}

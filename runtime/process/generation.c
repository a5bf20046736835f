/* SPDX-License-Identifier: MIT */
#include "process/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

#define EXIT_NOT_STARTED 127

pid_t
pgs__generation_fork(void)
{
    pid_t supervisor = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    /* Who is left alone serves its clients and ends, so that the port is free again. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != supervisor)
        _exit(EXIT_NOT_STARTED);
    return 0;
}

int
pgs__generation_open_program(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void
keep_open(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, 0);
}

/* The supervisor's own environment as it was before settings were read, and one pair more: so the
 * generation reads `.env` as it is now. */
static char **
make_environment(const struct pgs_supervised *what, char *handover)
{
    size_t n = 0;
    char **env;

    while (what->env[n] != NULL)
        n++;
    env = calloc(n + 2, sizeof(*env));
    if (env == NULL)
        abort();
    memcpy(env, what->env, n * sizeof(*env));
    env[n] = handover;
    return env;
}

static _Noreturn void
become(const struct pgs_supervised *what, int program, char **env)
{
    for (int i = 0; i < what->handover.n_fds; i++)
        keep_open(what->handover.fds[i]);
    keep_open(what->handover.admin_fd);
    (void)fexecve(program, what->argv, env);
    PGS_LOG(PGS_LOG_ERROR, "generation_not_executable", PGS_LOG_STR("program", what->program),
            PGS_LOG_STR("error", strerror(errno)));
    _exit(EXIT_NOT_STARTED);
}

pid_t
pgs__generation_start(const struct pgs_supervised *what, int number, int program)
{
    struct pgs_handover handover = what->handover;
    char *variable, **env;
    pid_t pid;

    handover.generation = number;
    handover.supervisor = getpid();
    variable = pgs_handover_write(&handover);
    env = make_environment(what, variable);
    pid = pgs__generation_fork();
    if (pid == 0)
        become(what, program, env);
    free(env);
    free(variable);
    return pid < 0 ? 0 : pid;
}

void
pgs__generation_signal(const struct pgs__generation *generation, int signal)
{
    if (generation->pid > 0)
        (void)kill(generation->pid, signal);
}

/* SPDX-License-Identifier: MIT */
#include "process/handover.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "process/notify.h"

#define VARIABLE "PGSTACK_HANDOVER"
#define MAX_FDS 4096

static void
add_number(struct pgs_buf *text, long number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%ld ", number);
    pgs_buf_add_str(text, digits);
}

char *
pgs_handover_write(const struct pgs_handover *handover)
{
    struct pgs_buf text;

    pgs_buf_init(&text, 0);
    pgs_buf_add_str(&text, VARIABLE "=");
    add_number(&text, PGS_HANDOVER_VERSION);
    add_number(&text, handover->generation);
    add_number(&text, handover->supervisor);
    add_number(&text, handover->sets);
    add_number(&text, handover->admin_fd);
    add_number(&text, handover->n_fds);
    for (int i = 0; i < handover->n_fds; i++)
        add_number(&text, handover->fds[i]);
    pgs_buf_add(&text, handover->address, strlen(handover->address) + 1);
    if (text.failed)
        abort();
    return text.at;
}

static bool
read_number(const char **text, long min, long max, int *number)
{
    char *end;
    long value = strtol(*text, &end, 10);

    if (end == *text || *end != ' ' || value < min || value > max)
        return false;
    *text = end + 1;
    *number = (int)value;
    return true;
}

/* An open descriptor, which no further program inherits. */
static bool
read_fd(const char **text, int *fd)
{
    return read_number(text, 0, INT_MAX, fd) && fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
read_all(const char *text, struct pgs_handover *handover)
{
    int version, *fds;

    if (!read_number(&text, PGS_HANDOVER_VERSION, PGS_HANDOVER_VERSION, &version) ||
        !read_number(&text, 1, INT_MAX, &handover->generation) ||
        !read_number(&text, 1, INT_MAX, &handover->supervisor) ||
        !read_number(&text, 1, MAX_FDS, &handover->sets) ||
        !read_number(&text, -1, INT_MAX, &handover->admin_fd) ||
        !read_number(&text, 1, MAX_FDS, &handover->n_fds))
        return false;
    fds = calloc((size_t)handover->n_fds, sizeof(*fds));
    if (fds == NULL)
        abort();
    handover->fds = fds;
    for (int i = 0; i < handover->n_fds; i++)
        if (!read_fd(&text, &fds[i]))
            return false;
    handover->address = strdup(text);
    return handover->address != NULL && handover->n_fds % handover->sets == 0 &&
           (handover->admin_fd < 0 || fcntl(handover->admin_fd, F_SETFD, FD_CLOEXEC) == 0);
}

bool
pgs_handover_read(struct pgs_handover *handover)
{
    const char *text = getenv(VARIABLE);
    bool ok;

    *handover = (struct pgs_handover){.admin_fd = -1};
    if (text == NULL)
        return true;
    ok = read_all(text, handover);
    (void)unsetenv(VARIABLE);
    return ok && handover->supervisor == getppid();
}

void
pgs_handover_tell_ready(const struct pgs_handover *handover)
{
    if (handover->supervisor == 0)
        pgs_notify("READY=1");
    else if (getppid() == handover->supervisor)
        (void)kill(handover->supervisor, SIGUSR1);
}

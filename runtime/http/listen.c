/* SPDX-License-Identifier: MIT */
/*
 * SO_REUSEPORT lets each thread accept from a queue of its own.  It would also let a second server
 * of the same user take half of our connections unseen; so the port is tried without it first.
 */
#include "http/listen.h"

#include <asm/socket.h> /* what POSIX does not have */
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define MAX_ADDRESSES 4 /* of one name */

static void
set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons(port);
}

uint16_t
pgs_listeners_port(const struct pgs_listeners *listeners)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(listeners->fds[0], (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int
bind_one(const struct sockaddr_storage *address, socklen_t len, bool shared)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
        (address->ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
        bind(fd, (const struct sockaddr *)address, len) != 0 ||
        (shared && listen(fd, BACKLOG) != 0)) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* The port is free: nobody else listens there.  We do not listen to find out: who came then would
 * be lost. */
static bool
is_free(const struct sockaddr_storage *address, socklen_t len)
{
    int fd = bind_one(address, len, false);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

/* One socket for each set; false: errno says why, and what was opened is in `listeners`. */
static bool
bind_sets(struct pgs_listeners *listeners, struct sockaddr_storage *address, socklen_t len,
          uint16_t *port)
{
    int n = listeners->addresses++;

    set_port(address, *port);
    if (!is_free(address, len))
        return false;
    for (int set = 0; set < listeners->sets; set++) {
        int *fd = &listeners->fds[n * listeners->sets + set];

        *fd = bind_one(address, len, true);
        if (*fd < 0)
            return false;
        if (*port == 0) {
            *port = pgs_listeners_port(listeners);
            set_port(address, *port);
        }
    }
    return true;
}

bool
pgs_listen(const char *host, uint16_t port, int sets, struct pgs_listeners *listeners,
           char why[256])
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &found);

    if (failed != 0) {
        (void)snprintf(why, 256, "cannot find the address of %s: %s", host, gai_strerror(failed));
        return false;
    }
    *listeners = (struct pgs_listeners){.sets = sets};
    listeners->fds = malloc((size_t)(sets * MAX_ADDRESSES) * sizeof(*listeners->fds));
    if (listeners->fds == NULL)
        abort();
    for (int i = 0; i < sets * MAX_ADDRESSES; i++)
        listeners->fds[i] = -1;
    for (struct addrinfo *ai = found; ai != NULL && listeners->addresses < MAX_ADDRESSES;
         ai = ai->ai_next) {
        struct sockaddr_storage address = {0};

        memcpy(&address, ai->ai_addr, ai->ai_addrlen);
        if (bind_sets(listeners, &address, ai->ai_addrlen, &port))
            continue;
        (void)snprintf(why, 256, "cannot listen on %s port %d: %s", host, (int)port,
                       strerror(errno));
        pgs_listeners_close(listeners);
        break;
    }
    freeaddrinfo(found);
    return listeners->fds != NULL;
}

int
pgs_listeners_count(const struct pgs_listeners *listeners)
{
    return listeners->sets * listeners->addresses;
}

void
pgs_listeners_refuse(const struct pgs_listeners *listeners)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &nothing};

    for (int i = 0; i < pgs_listeners_count(listeners); i++)
        (void)setsockopt(listeners->fds[i], SOL_SOCKET, SO_ATTACH_FILTER, &program,
                         sizeof(program));
}

void
pgs_listeners_close(struct pgs_listeners *listeners)
{
    for (int i = 0; i < pgs_listeners_count(listeners); i++)
        if (listeners->fds[i] >= 0)
            (void)close(listeners->fds[i]);
    free(listeners->fds);
    *listeners = (struct pgs_listeners){0};
}

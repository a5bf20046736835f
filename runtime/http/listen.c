/* SPDX-License-Identifier: MIT */
/*
 * SO_REUSEPORT lets each thread accept from a queue of its own.  It would also let a second server
 * of the same user take half of our connections unseen; so the port is tried without it first.
 */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_REUSEPORT
#define SO_REUSEPORT 15
#endif

#define BACKLOG 4096

static void
set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons(port);
}

static uint16_t
get_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
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
        bind(fd, (const struct sockaddr *)address, len) != 0 || listen(fd, BACKLOG) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* The port is free: nobody else listens there. */
static bool
is_free(const struct sockaddr_storage *address, socklen_t len)
{
    int fd = bind_one(address, len, false);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

/* One socket for each set; false: errno says why, and what was opened is in `fds`. */
static bool
bind_sets(struct sockaddr_storage *address, socklen_t len, uint16_t *port, int sets,
          int (*fds)[PGS_LISTEN_MAX], int n)
{
    set_port(address, *port);
    if (!is_free(address, len))
        return false;
    for (int set = 0; set < sets; set++) {
        fds[set][n] = bind_one(address, len, true);
        if (fds[set][n] < 0)
            return false;
        if (*port == 0) {
            *port = get_port(fds[set][n]);
            set_port(address, *port);
        }
    }
    return true;
}

static void
close_all(int sets, int (*fds)[PGS_LISTEN_MAX], int n)
{
    for (int set = 0; set < sets; set++)
        for (int i = 0; i < n; i++)
            if (fds[set][i] >= 0)
                (void)close(fds[set][i]);
}

int
pgs_listen(const char *host, uint16_t *port, int sets, int (*fds)[PGS_LISTEN_MAX], char why[256])
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int n = 0, failed;

    failed = getaddrinfo(host, NULL, &hints, &found);
    if (failed != 0) {
        (void)snprintf(why, 256, "cannot find the address of %s: %s", host, gai_strerror(failed));
        return 0;
    }
    for (int set = 0; set < sets; set++)
        for (int i = 0; i < PGS_LISTEN_MAX; i++)
            fds[set][i] = -1;
    for (struct addrinfo *ai = found; ai != NULL && n < PGS_LISTEN_MAX; ai = ai->ai_next) {
        struct sockaddr_storage address = {0};

        memcpy(&address, ai->ai_addr, ai->ai_addrlen);
        if (bind_sets(&address, ai->ai_addrlen, port, sets, fds, n++))
            continue;
        (void)snprintf(why, 256, "cannot listen on %s port %d: %s", host, (int)*port,
                       strerror(errno));
        close_all(sets, fds, n);
        n = 0;
        break;
    }
    freeaddrinfo(found);
    return n;
}

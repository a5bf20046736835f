/* SPDX-License-Identifier: MIT */
/*
 * Many subscribers, as light as they can be: `sockets PORT N < tokens` opens N WebSockets, one a
 * token, subscribes number i to room i, says `ready` when each has its snapshot, and from then on
 * counts frames.  A line on standard input after the tokens asks for what was counted since the
 * last one, as JSON; the end of input ends it.
 *
 * A message whose body begins with `p` and microseconds since 1970 tells how long it was under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROBES 1000000
#define MAX_TOKEN 1024

struct client {
    int fd;
    int room;
    bool is_open; /* the handshake is over */
    bool is_ready;
    char *in;
    size_t len, size;
};

static struct {
    long frames, bytes;
    size_t n_probes;
    int32_t *probes_us;
} counted;

static int n_ready, n_clients;

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- out ---- */

static void
send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            die("send");
        bytes += n;
        len -= (size_t)n;
    }
}

/* RFC 6455 wants a mask; one of zeros changes nothing. */
static void
send_frame(int fd, int opcode, const char *payload, size_t len)
{
    char frame[256] = {(char)(0x80 | opcode), (char)(0x80 | len)};

    memcpy(frame + 6, payload, len);
    send_all(fd, frame, 6 + len);
}

static void
subscribe(const struct client *client)
{
    char text[120];
    int len = snprintf(
        text, sizeof(text),
        "{\"type\":\"subscribe\",\"id\":\"r\",\"query\":\"room\",\"params\":{\"room\":%d}}",
        client->room);

    send_frame(client->fd, 1, text, (size_t)len);
}

/* ---- in ---- */

static void
count_probe(const char *text, size_t len)
{
    static const char mark[] = "\"body\":\"p1";
    const char *at = memmem(text, len, mark, sizeof(mark) - 1);

    if (at != NULL && counted.n_probes < MAX_PROBES)
        counted.probes_us[counted.n_probes++] =
            (int32_t)(now_us() - strtoll(at + sizeof(mark) - 2, NULL, 10));
}

static void
take_message(struct client *client, int opcode, const char *text, size_t len)
{
    if (opcode == 9) {
        send_frame(client->fd, 10, text, len);
        return;
    }
    if (opcode != 1 || (len > 16 && memcmp(text, "{\"type\":\"error\"", 15) == 0)) {
        fprintf(stderr, "room %d: %.*s\n", client->room, (int)len, text);
        exit(1);
    }
    if (!client->is_ready) {
        client->is_ready = true;
        n_ready++;
        return;
    }
    counted.frames++;
    counted.bytes += (long)len;
    count_probe(text, len);
}

/* Bytes of the first frame, or 0 where it is not whole. */
static size_t
take_frame(struct client *client)
{
    const unsigned char *in = (const unsigned char *)client->in;
    size_t head = 2, len;

    if (client->len < 2)
        return 0;
    len = in[1] & 0x7f;
    head += len == 126 ? 2 : len == 127 ? 8 : 0;
    if (client->len < head)
        return 0;
    if (head > 2) {
        len = 0;
        for (size_t i = 2; i < head; i++)
            len = len << 8 | in[i];
    }
    if (client->len < head + len)
        return 0;
    take_message(client, in[0] & 0x0f, client->in + head, len);
    return head + len;
}

static size_t
take_handshake(struct client *client)
{
    const char *end = memmem(client->in, client->len, "\r\n\r\n", 4);

    if (end == NULL)
        return 0;
    if (memcmp(client->in, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "%.*s\n", (int)client->len, client->in);
        exit(1);
    }
    client->is_open = true;
    subscribe(client);
    return (size_t)(end - client->in) + 4;
}

static void
take_input(struct client *client)
{
    size_t taken, from = 0;
    ssize_t n;

    if (client->size - client->len < 4096) {
        client->size = client->size > 0 ? 2 * client->size : 8192;
        client->in = realloc(client->in, client->size);
        if (client->in == NULL)
            die("realloc");
    }
    n = recv(client->fd, client->in + client->len, client->size - client->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        die("the server has closed a connection");
    client->len += (size_t)n;
    for (;;) {
        struct client rest = *client;

        rest.in += from;
        rest.len -= from;
        taken = client->is_open ? take_frame(&rest) : take_handshake(&rest);
        client->is_open = rest.is_open;
        client->is_ready = rest.is_ready;
        if (taken == 0)
            break;
        from += taken;
    }
    memmove(client->in, client->in + from, client->len - from);
    client->len -= from;
}

/* ---- opening ---- */

static void
open_client(struct client *client, int port, const char *token)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char head[MAX_TOKEN + 256];
    int one = 1;
    int len = snprintf(head, sizeof(head),
                       "GET /live/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                       "Authorization: Bearer %s\r\n\r\n",
                       token);

    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    send_all(client->fd, head, (size_t)len);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

/* ---- telling ---- */

static int
by_size(const void *a, const void *b)
{
    int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;

    return one < other ? -1 : one > other;
}

static int32_t
percentile(double share)
{
    return counted.n_probes == 0
               ? 0
               : counted.probes_us[(size_t)((double)(counted.n_probes - 1) * share)];
}

static void
tell(void)
{
    qsort(counted.probes_us, counted.n_probes, sizeof(*counted.probes_us), by_size);
    printf("{\"frames\":%ld,\"bytes\":%ld,\"probes\":%zu,\"p50_us\":%d,\"p99_us\":%d}\n",
           counted.frames, counted.bytes, counted.n_probes, percentile(0.5), percentile(0.99));
    fflush(stdout);
    counted.frames = counted.bytes = 0;
    counted.n_probes = 0;
}

/* False: the input has ended. */
static bool
take_command(void)
{
    char text[64];
    ssize_t n = read(STDIN_FILENO, text, sizeof(text));

    if (n > 0)
        tell();
    return n > 0;
}

static void
watch(int epoll, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = what}};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

static void
follow(int epoll)
{
    struct epoll_event events[256];
    bool has_said = false;

    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr != NULL)
                take_input(events[i].data.ptr);
            else if (!take_command())
                return;
        if (n_ready == n_clients && !has_said) {
            has_said = true;
            printf("ready\n");
            fflush(stdout);
        }
    }
}

/* Byte by byte, so that what follows the tokens is left for later. */
static void
read_token(char *token)
{
    size_t len = 0;

    while (len < MAX_TOKEN - 1 && read(STDIN_FILENO, &token[len], 1) == 1 && token[len] != '\n')
        len++;
    token[len] = '\0';
}

int
main(int argc, char **argv)
{
    struct rlimit files;
    struct client *clients;
    char token[MAX_TOKEN];
    int epoll = epoll_create1(0);

    if (argc != 3 || (n_clients = atoi(argv[2])) < 1) {
        fputs("sockets PORT N\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    clients = calloc((size_t)n_clients, sizeof(*clients));
    counted.probes_us = calloc(MAX_PROBES, sizeof(*counted.probes_us));
    if (epoll < 0 || clients == NULL || counted.probes_us == NULL)
        die("start");
    for (int i = 0; i < n_clients; i++) {
        read_token(token);
        clients[i].room = i + 1;
        open_client(&clients[i], atoi(argv[1]), token);
        watch(epoll, clients[i].fd, &clients[i]);
    }
    watch(epoll, STDIN_FILENO, NULL);
    follow(epoll);
    return 0;
}

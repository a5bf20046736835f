/* SPDX-License-Identifier: MIT */
#include "dev/dev.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "dev/process.h"
#include "dev/settings.h"

#define START_SECONDS 20
#define STEPS_A_SECOND 50
#define STOP_SECONDS 15

/* The status of GET `path`, or 0: no answer.  `answer` gets what came, headers too. */
static int
http_get(int port, const char *path, char *answer, size_t room)
{
    const struct timeval patience = {.tv_sec = 2};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const char *request = arena_printf(
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", path, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;

    answer[0] = '\0';
    if (fd < 0)
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request)) {
        ssize_t got;

        while (n + 1 < room && (got = recv(fd, answer + n, room - 1 - n, 0)) > 0)
            n += (size_t)got;
    }
    close(fd);
    answer[n] = '\0';
    return strncmp(answer, "HTTP/1.", 7) == 0 && strlen(answer) > 9 ? atoi(answer + 9) : 0;
}

static void
wait_a_step(void)
{
    const struct timespec pause = {.tv_nsec = 1000000000L / STEPS_A_SECOND};

    nanosleep(&pause, NULL);
}

static bool
wait_until_ready(struct dev *dev)
{
    char answer[2048];
    const char *body;

    for (int i = 0; i < START_SECONDS * STEPS_A_SECOND; i++) {
        if (!process_is_running(&dev->server)) {
            process_print_log(DEV_SERVER_LOG, 10);
            return fail_print("the server has ended; its log is " DEV_SERVER_LOG), false;
        }
        if (http_get(dev->port, "/ready", answer, sizeof(answer)) == 200)
            return true;
        wait_a_step();
    }
    process_print_log(DEV_SERVER_LOG, 10);
    body = strstr(answer, "\r\n\r\n");
    return fail_print("the server does not become ready: %s",
                      body == NULL ? "no answer" : body + 4),
           false;
}

bool
dev_server_write_settings(const struct dev *dev)
{
    const struct source *own = source_read(".", ".env");

    return dev_write_private(
        DEV_SERVER_ENV, arena_printf("DATABASE_URL=%s\nADMIN_DATABASE_URL=%s\n"
                                     "LIVE_DATABASE_URL=%s\n%s",
                                     dev_url(dev, "authenticator", dev->authenticator_password),
                                     dev_url(dev, "authenticator_admin", dev->admin_password),
                                     dev_url(dev, "pgstack_replicator", dev->replicator_password),
                                     own == NULL ? "" : own->text));
}

/* Of the server's log we read what a generation came to. */
static const char *
log_level(void)
{
    const char *own = setting_get("LOG_LEVEL");

    return own != NULL && strcmp(own, "debug") == 0 ? "LOG_LEVEL=debug" : "LOG_LEVEL=info";
}

/* A server that is told to be one of production would refuse it. */
bool
dev_has_page(void)
{
    const char *environment = setting_get("PGSTACK_ENV");

    return (environment == NULL || strcmp(environment, "production") != 0) &&
           access(DEV_PAGE "/index.html", R_OK) == 0;
}

bool
dev_server_start(struct dev *dev, const char *program)
{
    const char *const env[] = {
        "DATABASE_URL", /* these are in the file */
        "ADMIN_DATABASE_URL",
        "LIVE_DATABASE_URL",
        "SUPERVISE=true",
        log_level(),
        dev_has_page() ? "DEMO_DIR=" DEV_PAGE : "DEMO_DIR",
        "HOST=127.0.0.1",
        arena_printf("PORT=%d", dev->port),
        arena_printf("ADMIN_PORT=%d", dev->admin_port),
        arena_printf("JWT_SECRET=%s", dev->jwt_secret),
        arena_printf("ANON_KEY=%s", dev->anon_key),
        arena_printf("SERVICE_ROLE_KEY=%s", dev->service_role_key),
        NULL,
    };

    if (!dev_server_write_settings(dev))
        return false;
    dev->server = process_start(&(struct process){
        .argv = (const char *const[]){program, "--env-file", DEV_SERVER_ENV, NULL},
        .env = env,
        .log = DEV_SERVER_LOG,
        .death_signal = SIGTERM,
    });
    return dev->server > 0 && wait_until_ready(dev);
}

enum outcome {
    NOT_KNOWN,
    TAKES_OVER,
    STAYS,
};

/* What the log says, behind byte `from`, of a generation that starts; `print`: all of that, but not
 * the requests that the old one goes on to answer. */
static enum outcome
read_outcome(long from, bool print)
{
    FILE *log = fopen(DEV_SERVER_LOG, "r");
    enum outcome outcome = NOT_KNOWN;
    char line[8192];

    if (log == NULL)
        return NOT_KNOWN;
    if (fseek(log, from, SEEK_SET) == 0)
        while (outcome == NOT_KNOWN && fgets(line, sizeof(line), log) != NULL) {
            if (print && strstr(line, "\"event\":\"request\"") == NULL)
                fputs(line, stderr);
            if (strstr(line, "\"event\":\"generation_ready\"") != NULL)
                outcome = TAKES_OVER;
            else if (strstr(line, "\"event\":\"generation_stays\"") != NULL ||
                     strstr(line, "\"event\":\"generation_not_started\"") != NULL)
                outcome = STAYS;
        }
    fclose(log);
    return outcome;
}

bool
dev_server_swap(const struct dev *dev)
{
    enum outcome outcome = NOT_KNOWN;
    struct stat log;

    if (!dev_server_write_settings(dev) || stat(DEV_SERVER_LOG, &log) != 0 ||
        kill(dev->server, SIGHUP) != 0)
        return false;
    for (int i = 0; i < START_SECONDS * STEPS_A_SECOND && outcome == NOT_KNOWN; i++) {
        wait_a_step();
        outcome = read_outcome((long)log.st_size, false);
    }
    if (outcome != TAKES_OVER)
        (void)read_outcome((long)log.st_size, true);
    return outcome == TAKES_OVER;
}

void
dev_server_stop(struct dev *dev)
{
    process_stop(&dev->server, SIGTERM, STOP_SECONDS);
}

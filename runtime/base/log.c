/* SPDX-License-Identifier: MIT */
/*
 * Every addition is all or nothing and leaves room for the end of the line, so that a line that
 * had to be cut is still one whole JSON object.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/sink.h"
#include "base/utf8.h"

#define SINK_BYTES 65536
#define LINE_END ",\"cut\":true}\n"

struct line {
    char at[PGS_LOG_MAX];
    size_t len;
    bool cut;
};

static const char *const level_words[] = {
#define PGS_LOG_LEVEL(name, word) [PGS_LOG_##name] = word,
    PGS_LOG_LEVELS(PGS_LOG_LEVEL)
#undef PGS_LOG_LEVEL
};

static int log_fd = STDERR_FILENO;
static enum pgs_log_level log_lowest = PGS_LOG_INFO;
static struct pgs_sink *log_sink; /* NULL: lines are written by who logs */

void
pgs_log_open(int fd, enum pgs_log_level lowest)
{
    log_fd = fd;
    log_lowest = lowest;
}

void
pgs_log_start(void)
{
    log_sink = pgs_sink_open(log_fd, SINK_BYTES, 0);
}

void
pgs_log_wait(void)
{
    if (log_sink != NULL)
        pgs_sink_wait(log_sink, 1);
}

void
pgs_log_stop(void)
{
    if (log_sink != NULL)
        pgs_sink_close(log_sink, 1);
}

bool
pgs_log_level_read(const char *word, enum pgs_log_level *level)
{
    for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
        if (strcmp(level_words[i], word) != 0)
            continue;
        *level = (enum pgs_log_level)i;
        return true;
    }
    return false;
}

bool
pgs_log_wants(enum pgs_log_level level)
{
    return level >= log_lowest && log_lowest != PGS_LOG_OFF;
}

static bool
add(struct line *line, const char *bytes, size_t n)
{
    if (n > sizeof(line->at) - sizeof(LINE_END) - line->len)
        return false;
    memcpy(line->at + line->len, bytes, n);
    line->len += n;
    return true;
}

static bool
add_str(struct line *line, const char *str)
{
    return add(line, str, strlen(str));
}

/* At least `width` digits. */
static bool
add_int(struct line *line, int64_t value, size_t width)
{
    char digits[24];
    size_t n = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    while (rest > 0 || n + width > sizeof(digits)) {
        digits[--n] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (value < 0)
        digits[--n] = '-';
    return add(line, digits + n, sizeof(digits) - n);
}

/* An ASCII byte, or a code point below U+00A0. */
static bool
add_escaped(struct line *line, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char unicode[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    char quoted[2] = {'\\', (char)c};

    if (c == '\n')
        return add_str(line, "\\n");
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
        return add(line, unicode, sizeof(unicode));
    if (c == '"' || c == '\\')
        return add(line, quoted, sizeof(quoted));
    return add(line, (const char *)&c, 1);
}

/* U+0080 to U+009F: a terminal that shows the log would obey them. */
static bool
is_control(const char *sequence)
{
    return (unsigned char)sequence[0] == 0xC2 && (unsigned char)sequence[1] < 0xA0;
}

static bool
add_text(struct line *line, const char *text, size_t len)
{
    size_t end = len < PGS_LOG_MAX_TEXT ? len : PGS_LOG_MAX_TEXT;
    bool fits = add_str(line, "\"");

    for (size_t i = 0; i < end && fits;) {
        size_t n = pgs_utf8_sequence(text + i, len - i);

        if (n == 1)
            fits = add_escaped(line, (unsigned char)text[i]);
        else if (n == 2 && is_control(text + i))
            fits = add_escaped(line, (unsigned char)text[i + 1]);
        else
            fits = n == 0 ? add_str(line, "\xEF\xBF\xBD") : add(line, text + i, n);
        i += n == 0 ? 1 : n;
    }
    if (fits && end < len) {
        line->cut = true;
        fits = add_str(line, "\xE2\x80\xA6");
    }
    return fits && add_str(line, "\"");
}

static bool
add_value(struct line *line, const struct pgs_log_pair *pair)
{
    switch (pair->form) {
    case PGS_LOG_IS_INT:
        return add_int(line, pair->number, 1);
    case PGS_LOG_IS_BOOL:
        return add_str(line, pair->number != 0 ? "true" : "false");
    case PGS_LOG_IS_TEXT:
        break;
    }
    return pair->text == NULL ? add_str(line, "null") : add_text(line, pair->text, pair->len);
}

static void
add_pair(struct line *line, const struct pgs_log_pair *pair)
{
    size_t before = line->len;

    if (add_str(line, ",\"") && add_str(line, pair->key) && add_str(line, "\":") &&
        add_value(line, pair))
        return;
    line->len = before;
    line->cut = true;
}

/* The civil date of a day since 1970-01-01, by Howard Hinnant's days-to-civil; gmtime() takes a
 * lock and reads the time zone. */
static void
add_date(struct line *line, int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day = shifted - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t in_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;

    add_int(line, era * 400 + year + (month >= 10), 4);
    add_str(line, "-");
    add_int(line, month < 10 ? month + 3 : month - 9, 2);
    add_str(line, "-");
    add_int(line, in_year - (153 * month + 2) / 5 + 1, 2);
}

static void
add_time(struct line *line, int64_t ms)
{
    int64_t s = ms / 1000;

    add_date(line, s / 86400);
    add_str(line, "T");
    add_int(line, s / 3600 % 24, 2);
    add_str(line, ":");
    add_int(line, s / 60 % 60, 2);
    add_str(line, ":");
    add_int(line, s % 60, 2);
    add_str(line, ".");
    add_int(line, ms % 1000, 3);
    add_str(line, "Z");
}

/* Without a thread for it: a pipe that poll(2) calls writable takes a whole line, unless another
 * process was quicker.  A full one loses the line. */
static void
write_line(const struct line *line)
{
    struct pollfd ready = {.fd = log_fd, .events = POLLOUT};
    ssize_t sent;

    if (poll(&ready, 1, 0) != 1) {
        pgs_limit_hit(PGS_LIMIT_LOG_BUFFER);
        return;
    }
    do
        sent = write(log_fd, line->at, line->len);
    while (sent < 0 && errno == EINTR);
}

static void
send_line(struct line *line)
{
    const char *end = line->cut ? LINE_END : "}\n";

    memcpy(line->at + line->len, end, strlen(end));
    line->len += strlen(end);
    if (log_sink == NULL)
        write_line(line);
    else
        pgs_sink_add(log_sink, line->at, line->len);
}

void
pgs_log(enum pgs_log_level level, const char *event, const struct pgs_log_pair *pairs,
        size_t n_pairs)
{
    int saved = errno;
    struct line line;

    if (!pgs_log_wants(level) || level >= PGS_LOG_OFF)
        return;
    line.len = 0;
    line.cut = false;
    add_str(&line, "{\"time\":\"");
    add_time(&line, pgs_clock_wall_ms());
    add_str(&line, "\",\"level\":\"");
    add_str(&line, level_words[level]);
    add_str(&line, "\",\"event\":");
    add_text(&line, event, strlen(event));
    for (size_t i = 0; i < n_pairs; i++)
        add_pair(&line, &pairs[i]);
    send_line(&line);
    errno = saved;
}

struct pgs_log_pair
pgs_log_str(const char *key, const char *str)
{
    return PGS_LOG_TEXT(key, str, str == NULL ? 0 : strlen(str));
}

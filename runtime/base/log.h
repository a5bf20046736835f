/* SPDX-License-Identifier: MIT */
/*
 * One JSON object a line: `{"time":"...","level":"info","event":"request","status":200}`.
 *
 * A line is built on the stack and leaves in one piece, so that threads do not mix and logging
 * cannot fail for want of memory.  A line has at most PGS_LOG_MAX bytes: long texts are cut, pairs
 * that no longer fit are left out and the line says `"cut":true`.  Bytes that are not UTF-8 become
 * U+FFFD.  The caller keeps secrets out; nothing here knows what a secret is.
 *
 *     PGS_LOG(PGS_LOG_INFO, "request", PGS_LOG_TEXT("path", path, len), PGS_LOG_INT("status",
 * 200));
 */
#ifndef PGS_BASE_LOG_H
#define PGS_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below what a pipe takes in one piece (PIPE_BUF). */
#define PGS_LOG_MAX 4096
#define PGS_LOG_MAX_TEXT 1024

/* X(NAME, word in the line) */
#define PGS_LOG_LEVELS(X)                                                                          \
    X(DEBUG, "debug")                                                                              \
    X(INFO, "info")                                                                                \
    X(WARN, "warn")                                                                                \
    X(ERROR, "error")                                                                              \
    X(OFF, "off")

enum pgs_log_level {
#define PGS_LOG_LEVEL(name, word) PGS_LOG_##name,
    PGS_LOG_LEVELS(PGS_LOG_LEVEL)
#undef PGS_LOG_LEVEL
};

struct pgs_log_pair {
    const char *key; /* constant, plain ASCII */
    enum {
        PGS_LOG_IS_TEXT,
        PGS_LOG_IS_INT,
        PGS_LOG_IS_BOOL,
    } form;
    const char *text; /* NULL: null */
    size_t len;
    int64_t number;
};

#define PGS_LOG_TEXT(key_, at_, len_)                                                              \
    ((struct pgs_log_pair){.key = (key_), .form = PGS_LOG_IS_TEXT, .text = (at_), .len = (len_)})
/* A C string; NULL writes null. */
#define PGS_LOG_STR(key_, str_) pgs_log_str((key_), (str_))
#define PGS_LOG_INT(key_, n_)                                                                      \
    ((struct pgs_log_pair){.key = (key_), .form = PGS_LOG_IS_INT, .number = (int64_t)(n_)})
#define PGS_LOG_BOOL(key_, b_)                                                                     \
    ((struct pgs_log_pair){.key = (key_), .form = PGS_LOG_IS_BOOL, .number = (b_) ? 1 : 0})

/* Writes an event with pairs; `event` is a constant word.  Costs nothing below the level. */
#define PGS_LOG(level, event, ...)                                                                 \
    pgs_log((level), (event), (const struct pgs_log_pair[]){__VA_ARGS__},                          \
            sizeof((const struct pgs_log_pair[]){__VA_ARGS__}) / sizeof(struct pgs_log_pair))

/* Sets where lines go (2 at first) and the lowest level that is written (info at first).  Before
 * the threads start. */
void pgs_log_open(int fd, enum pgs_log_level lowest);

/* From here on a thread of its own writes, so that no other waits for the reader of the log; lines
 * that come faster than they are read are dropped.  The others wait until all is written, a second
 * at most. */
void pgs_log_start(void);
void pgs_log_wait(void);
void pgs_log_stop(void);

/* "debug", "info", ... to a level; false: no such word. */
bool pgs_log_level_read(const char *word, enum pgs_log_level *level)
    __attribute__((warn_unused_result));

bool pgs_log_wants(enum pgs_log_level level);

void pgs_log(enum pgs_log_level level, const char *event, const struct pgs_log_pair *pairs,
             size_t n_pairs);

struct pgs_log_pair pgs_log_str(const char *key, const char *str);

#endif

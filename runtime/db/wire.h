/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's protocol, version 3, as far as a connection in use needs it: the extended query's
 * messages into bytes, and a backend's bytes into messages and rows.  No I/O.
 *
 * libpq connects and authenticates; then its socket is ours (db/stream.h).  libpq 15 would send
 * each transaction by itself and copy every row; here a turn's transactions leave together, and
 * values are read where they have come in.
 */
#ifndef PGS_DB_WIRE_H
#define PGS_DB_WIRE_H

#include "base/buf.h"
#include "pgs/types.h"

/* ---- to PostgreSQL: each appends one message; `out->failed` when there is no memory ---- */

void pgs__wire_parse(struct pgs_buf *out, const char *name, struct pgs_text sql);

/* Parameters and results in text form.  A value whose `at` is NULL is null. */
void pgs__wire_bind(struct pgs_buf *out, const char *name, const struct pgs_text *values, int n);
void pgs__wire_execute(struct pgs_buf *out);
void pgs__wire_sync(struct pgs_buf *out);

/* ---- from PostgreSQL ---- */

enum pgs__message_type {
    PGS__MESSAGE_PARSED = '1',
    PGS__MESSAGE_BOUND = '2',
    PGS__MESSAGE_NOTIFICATION = 'A',
    PGS__MESSAGE_COMPLETE = 'C',
    PGS__MESSAGE_ROW = 'D',
    PGS__MESSAGE_ERROR = 'E',
    PGS__MESSAGE_EMPTY = 'I',
    PGS__MESSAGE_NOTICE = 'N',
    PGS__MESSAGE_PARAMETER = 'S',
    PGS__MESSAGE_READY = 'Z',
};

struct pgs__message {
    char type; /* any byte: an unknown one is the caller's to refuse */
    const char *at;
    size_t len;
};

enum pgs__wire_state {
    PGS__WIRE_MORE, /* is needed */
    PGS__WIRE_MESSAGE,
    PGS__WIRE_BAD, /* no length of a message */
};

/* The first message of `len` bytes; with its head it takes message->len + PGS__MESSAGE_HEAD. */
enum pgs__wire_state pgs__wire_next(const char *bytes, size_t len, struct pgs__message *message);

#define PGS__MESSAGE_HEAD 5

/* How many columns a row has; -1: it is no row.  pgs__row_value may be asked for a row that has
 * passed. */
int pgs__row_columns(const struct pgs__message *row);

/* The value at `*at` in a row, and moves on to the next.  `at` NULL: null. */
struct pgs_text pgs__row_next(const char **at);

/* Where the values of a row begin. */
const char *pgs__row_values(const char *row);

/* A field of an error or a notice, NUL-terminated; "" where it has none.  `which` is the
 * protocol's letter. */
const char *pgs__error_field(struct pgs_text error, char which);

/* The body ends each field, and itself, as it must. */
bool pgs__error_is_sound(struct pgs_text error);

/* The number of rows that a command tag ends with; 0: it has none. */
int64_t pgs__tag_rows(struct pgs_text tag);

/* The name and value of a parameter's status; false: it is none. */
bool pgs__parameter_read(const struct pgs__message *message, const char **name, const char **value);

#endif

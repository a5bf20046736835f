/* SPDX-License-Identifier: MIT */
/*
 * One value, from its text to the member of a generated struct, checked as PostgreSQL would check
 * it.  What PostgreSQL would take but change (an overlong text cut, a number rounded) is refused.
 */
#ifndef PGS_CODEC_VALUE_H
#define PGS_CODEC_VALUE_H

#include "codec/json_read.h"
#include "pgs/types.h"

/* Room for any member. */
union pgs__member {
    bool truth;
    int64_t whole;
    double real;
    struct pgs_uuid uuid;
    struct pgs_text text;
};

/*
 * Reads `text` as the scalar `type` (its element, of an array) into `member`.  A text member keeps
 * `text` as it is.  False: `error` has code and message, not the field.
 */
bool pgs__value_read(const struct pgs_type *type, struct pgs_text text, struct pgs_memory memory,
                     void *member, struct pgs_read_error *error)
    __attribute__((warn_unused_result));

/* Checks an array literal and each of its items. */
bool pgs__array_check(const struct pgs_type *type, struct pgs_text text, struct pgs_memory memory,
                      struct pgs_read_error *error) __attribute__((warn_unused_result));

/* "an integer", "a date as YYYY-MM-DD", ...: what a value of the type is. */
const char *pgs__kind_name(enum pgs_kind kind);

/* Sets code and message; false. */
bool pgs__value_fault(struct pgs_read_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum pgs__datetime {
    PGS_DATETIME_GOOD,
    PGS_DATETIME_SYNTAX, /* 22007 */
    PGS_DATETIME_RANGE,  /* 22008 */
    PGS_DATETIME_ZONE,   /* 22009 */
};

/* A date, time or timestamp in ISO 8601 as PostgreSQL prints and takes it. */
enum pgs__datetime pgs__datetime_check(enum pgs_kind kind, const char *text, size_t len);

#endif

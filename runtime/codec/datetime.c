/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL takes far more ("now", "tomorrow", "January 8", "1/8/1999"): words whose meaning
 * depends on the moment or the session are refused here, for a body must say what it means.
 */
#include <string.h>
#include <strings.h>

#include "codec/value.h"

#define MAX_YEAR_OF_DATE 5874897
#define MAX_YEAR_OF_TIMESTAMP 294276
#define MAX_YEAR_BC 4714
#define MAX_ZONE_HOURS 15

struct cursor {
    const char *at;
    const char *end;
};

static bool
takes(struct cursor *cursor, const char *any_of)
{
    if (cursor->at == cursor->end || *cursor->at == '\0' || strchr(any_of, *cursor->at) == NULL)
        return false;
    cursor->at++;
    return true;
}

/* A number of `min` to `max` digits, no more behind it. */
static bool
takes_number(struct cursor *cursor, int min, int max, int *number)
{
    int n = 0;

    *number = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        if (++n > max)
            return false;
        *number = *number * 10 + (*cursor->at++ - '0');
    }
    return n >= min;
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Takes " BC" from the end. */
static bool
takes_bc(struct cursor *cursor)
{
    if (cursor->end - cursor->at < 3 || strncasecmp(cursor->end - 3, " BC", 3) != 0)
        return false;
    cursor->end -= 3;
    return true;
}

static enum pgs__datetime
read_date(struct cursor *cursor, int max_year, bool bc)
{
    int year, month, day;

    if (!takes_number(cursor, 4, 7, &year) || !takes(cursor, "-") ||
        !takes_number(cursor, 2, 2, &month) || !takes(cursor, "-") ||
        !takes_number(cursor, 2, 2, &day))
        return PGS_DATETIME_SYNTAX;
    if (year < 1 || year > (bc ? MAX_YEAR_BC : max_year) || month < 1 || month > 12)
        return PGS_DATETIME_RANGE;
    if (day < 1 || day > days_of_month(bc ? 1 - year : year, month))
        return PGS_DATETIME_RANGE;
    return PGS_DATETIME_GOOD;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.fraction; 24:00:00 and a leap second as PostgreSQL takes them. */
static enum pgs__datetime
read_time(struct cursor *cursor)
{
    int hour, minute, second = 0;
    bool fraction = false;

    if (!takes_number(cursor, 2, 2, &hour) || !takes(cursor, ":") ||
        !takes_number(cursor, 2, 2, &minute))
        return PGS_DATETIME_SYNTAX;
    if (takes(cursor, ":")) {
        if (!takes_number(cursor, 2, 2, &second))
            return PGS_DATETIME_SYNTAX;
        if (takes(cursor, ".")) {
            if (!takes(cursor, "0123456789"))
                return PGS_DATETIME_SYNTAX;
            fraction = cursor->at[-1] != '0';
            while (takes(cursor, "0123456789"))
                fraction = fraction || cursor->at[-1] != '0';
        }
    }
    if (hour > 24 || minute > 59 || second > 60 ||
        (hour == 24 && (minute > 0 || second > 0 || fraction)))
        return PGS_DATETIME_RANGE;
    return PGS_DATETIME_GOOD;
}

/* Z, +HH, +HHMM, +HH:MM or +HH:MM:SS, or nothing. */
static enum pgs__datetime
read_zone(struct cursor *cursor)
{
    int hour, minute = 0, second = 0;

    if (takes(cursor, "Zz") || !takes(cursor, "+-"))
        return PGS_DATETIME_GOOD;
    if (cursor->end - cursor->at == 4 && memchr(cursor->at, ':', 4) == NULL) {
        if (!takes_number(cursor, 4, 4, &hour))
            return PGS_DATETIME_SYNTAX;
        minute = hour % 100;
        hour /= 100;
    } else {
        if (!takes_number(cursor, 2, 2, &hour) ||
            (takes(cursor, ":") && !takes_number(cursor, 2, 2, &minute)) ||
            (takes(cursor, ":") && !takes_number(cursor, 2, 2, &second)))
            return PGS_DATETIME_SYNTAX;
    }
    if (hour > MAX_ZONE_HOURS || minute > 59 || second > 59)
        return PGS_DATETIME_ZONE;
    return PGS_DATETIME_GOOD;
}

static bool
is_infinity(struct cursor cursor)
{
    takes(&cursor, "-");
    return cursor.end - cursor.at == 8 && strncasecmp(cursor.at, "infinity", 8) == 0;
}

static enum pgs__datetime
read_timestamp(struct cursor *cursor)
{
    enum pgs__datetime result = read_date(cursor, MAX_YEAR_OF_TIMESTAMP, takes_bc(cursor));

    if (result != PGS_DATETIME_GOOD || cursor->at == cursor->end)
        return result;
    if (!takes(cursor, "Tt "))
        return PGS_DATETIME_SYNTAX;
    result = read_time(cursor);
    return result == PGS_DATETIME_GOOD ? read_zone(cursor) : result;
}

enum pgs__datetime
pgs__datetime_check(enum pgs_kind kind, const char *text, size_t len)
{
    struct cursor cursor = {text, text + len};
    enum pgs__datetime result;

    bool is_time = kind == PGS_TIME || kind == PGS_TIMETZ;

    if (!is_time && is_infinity(cursor))
        return PGS_DATETIME_GOOD;
    if (is_time)
        result = read_time(&cursor);
    else if (kind == PGS_DATE)
        result = read_date(&cursor, MAX_YEAR_OF_DATE, takes_bc(&cursor));
    else
        result = read_timestamp(&cursor);
    if (kind == PGS_TIMETZ && result == PGS_DATETIME_GOOD)
        result = read_zone(&cursor);
    if (result == PGS_DATETIME_GOOD && cursor.at < cursor.end)
        return PGS_DATETIME_SYNTAX;
    return result;
}

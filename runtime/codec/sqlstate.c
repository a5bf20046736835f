/* SPDX-License-Identifier: MIT */
/*
 * The table is searched from the top: whole states stand before their classes.  57014 (statement
 * timeout) is 504, where PostgREST says 500: a proxy in front should see it as a timeout.
 */
#include "codec/sqlstate.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *prefix;
    int status;
} table[] = {
    {"08", 503},    {"09", 500},    {"0L", 403}, {"0P", 403},    {"23503", 409}, {"23505", 409},
    {"23P01", 409}, {"25006", 405}, {"25", 500}, {"28", 403},    {"2D", 500},    {"38", 500},
    {"39", 500},    {"3B", 500},    {"40", 500}, {"42883", 404}, {"42P01", 404}, {"42P17", 500},
    {"53400", 500}, {"53", 503},    {"54", 500}, {"55P03", 503}, {"55", 500},    {"57014", 504},
    {"57P", 503},   {"57", 500},    {"58", 500}, {"F0", 500},    {"HV", 500},    {"P0001", 400},
    {"P0", 500},    {"XX", 500},
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int
pgs_sqlstate_status(const char *sqlstate, bool anonymous)
{
    if (strcmp(sqlstate, "42501") == 0)
        return anonymous ? 401 : 403;
    /* A function may choose its status: `raise ... using errcode = 'PT402'`. */
    if (strncmp(sqlstate, "PT", 2) == 0 && sqlstate[2] >= '4' && sqlstate[2] <= '5' &&
        is_digit(sqlstate[3]) && is_digit(sqlstate[4]))
        return (sqlstate[2] - '0') * 100 + (sqlstate[3] - '0') * 10 + (sqlstate[4] - '0');
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].status;
    return 400;
}

/* Statement and lock timeouts, cancelled statements, and statuses that functions choose. */
static bool
is_for_the_client(const char *sqlstate)
{
    return strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0 ||
           strncmp(sqlstate, "PT", 2) == 0;
}

const char *
pgs_sqlstate_message(const char *sqlstate, int status, const char *message)
{
    return status < 500 || is_for_the_client(sqlstate)
               ? message
               : "The database could not answer this request";
}

bool
pgs_sqlstate_is_passing(const char *sqlstate)
{
    static const char *const classes[] = {"40", "53", "55", "57"};

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
            return true;
    return false;
}

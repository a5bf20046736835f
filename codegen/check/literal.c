/* SPDX-License-Identifier: MIT */
/*
 * Whether a literal in quotes is a value of its type.  Only what PostgreSQL is sure to refuse is
 * reported: its date input takes many forms, so a date is wrong here only when it has the ISO form
 * and no such day exists, or has no digit at all and is none of the words.
 */
#include "check/checker.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/types.h"

static bool
is_one_of(const char *value, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}

static const char *
boolean_fault(const char *value)
{
    static const char *const words[] = {"true", "false", "t",  "f",   "yes", "no",
                                        "y",    "n",     "on", "off", "1",   "0"};

    return is_one_of(value, words, sizeof(words) / sizeof(words[0])) ? NULL : "write true or false";
}

static const char *
uuid_fault(const char *value)
{
    static const char hint[] = "write it as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t digits = 0;

    for (const char *p = value; *p; p++)
        if (isxdigit((unsigned char)*p))
            digits++;
        else if (*p != '-' && *p != '{' && *p != '}')
            return hint;
    return digits == 32 ? NULL : hint;
}

static const char *
integer_fault(enum type_kind kind, const char *value)
{
    long long least = kind == TYPE_INT2   ? INT16_MIN
                      : kind == TYPE_INT4 ? INT32_MIN
                                          : (long long)INT64_MIN;
    long long most = kind == TYPE_INT2   ? INT16_MAX
                     : kind == TYPE_INT4 ? INT32_MAX
                                         : (long long)INT64_MAX;
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    while (isspace((unsigned char)*end))
        end++;
    if (*end || end == value)
        return "write a whole number";
    return errno || number < least || number > most ? "the number is out of the type's range"
                                                    : NULL;
}

static const char *
number_fault(const char *value)
{
    static const char *const words[] = {"nan", "infinity", "-infinity", "inf", "-inf"};
    char *end;

    if (is_one_of(value, words, sizeof(words) / sizeof(words[0])))
        return NULL;
    strtod(value, &end);
    while (isspace((unsigned char)*end))
        end++;
    return *end || end == value || strpbrk(value, "xX") ? "write a number" : NULL;
}

/* "2026-02-30" has the ISO form and is no day. */
static bool
is_no_day(const char *value)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, read = 0;

    if (sscanf(value, "%4d-%2d-%2d%n", &year, &month, &day, &read) != 3 || read < 10)
        return false;
    if (month < 1 || month > 12 || day < 1)
        return true;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day > days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static const char *
time_fault(const char *value)
{
    static const char *const words[] = {"now",      "today",    "tomorrow",  "yesterday",
                                        "infinity", "allballs", "-infinity", "epoch"};

    if (is_one_of(value, words, sizeof(words) / sizeof(words[0])))
        return NULL;
    if (!strpbrk(value, "0123456789"))
        return "write it as 2026-01-31 or 2026-01-31 12:00:00+00";
    return is_no_day(value) ? "there is no such day" : NULL;
}

const char *
check_label_fault(const struct enumeration *type, const char *value)
{
    struct str hint = {0};
    const char *nearest = diag_nearest(value, type->labels.at, type->labels.n);

    for (size_t i = 0; i < type->labels.n; i++)
        if (strcmp(type->labels.at[i], value) == 0)
            return NULL;
    if (nearest)
        str_printf(&hint, "did you mean '%s'? ", nearest);
    str_puts(&hint, "values: ");
    for (size_t i = 0; i < type->labels.n; i++)
        str_printf(&hint, "%s%s", i ? ", " : "", type->labels.at[i]);
    return hint.at;
}

static const char *
json_fault(const char *value)
{
    static const char *const words[] = {"true", "false", "null"};

    while (isspace((unsigned char)*value))
        value++;
    if (*value && (strchr("{[\"-", *value) || isdigit((unsigned char)*value)))
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(value, words[i]) == 0)
            return NULL;
    return "write JSON: '{}', '[]', '\"text\"', '1', 'true' or 'null'";
}

const char *
check_literal_fault(struct type type, const char *value)
{
    size_t len = strlen(value);

    if (type.array)
        return len >= 2 && (value[0] == '{' || value[0] == '[') && value[len - 1] == '}'
                   ? NULL
                   : "an array is written '{}' or '{a,b}', or as array[...]";
    switch (type.kind) {
    case TYPE_BOOL:
        return boolean_fault(value);
    case TYPE_UUID:
        return uuid_fault(value);
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
        return integer_fault(type.kind, value);
    case TYPE_NUMERIC:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
        return number_fault(value);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return time_fault(value);
    case TYPE_CATALOG: /* `composite = '(...)'` compares records of no type */
        return strcmp(type_text(type), "record") == 0
                   ? "say of which type it is: `'(...)'::name`, or `row(...)::name`"
                   : NULL;
    case TYPE_ENUM:
        return check_label_fault(type.enumeration, value);
    case TYPE_JSON:
    case TYPE_JSONB:
        return json_fault(value);
    case TYPE_INTERVAL:
        return strpbrk(value, "0123456789") ? NULL : "write it as '1 day' or '2 hours'";
    default:
        return NULL;
    }
}

bool
check_literal(struct span span, struct type type, const char *value)
{
    const char *fault = check_literal_fault(type, value);
    struct diag *diag;

    if (!fault)
        return true;
    if (type.kind == TYPE_ENUM && !type.array)
        diag = diag_at(span, PGS2028_UNKNOWN_LABEL, "'%s' is not a value of %s", value,
                       type_text(type));
    else
        diag = diag_at(span, PGS2027_BAD_LITERAL, "'%s' is no value of type %s", value,
                       type_text(type));
    diag_hint(diag, "%s", fault);
    return false;
}

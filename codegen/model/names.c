/* SPDX-License-Identifier: MIT */
/*
 * The rules for object names are those of PostgreSQL's makeObjectName and ChooseIndexNameAddition,
 * so that a constraint without a name gets the one that PostgreSQL would have given it.
 */
#include "model/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/vec.h"

/* Sorted: searched by halves. */
static const char *const c_keywords[] = {
    "_Bool",    "auto",     "bool",    "break", "case",     "char",   "const",    "continue",
    "default",  "do",       "double",  "else",  "enum",     "errno",  "extern",   "false",
    "float",    "for",      "goto",    "if",    "inline",   "int",    "long",     "main",
    "register", "restrict", "return",  "short", "signed",   "sizeof", "static",   "struct",
    "switch",   "true",     "typedef", "union", "unsigned", "void",   "volatile", "while",
};

/*
 * PostgreSQL's words that a column or table cannot have without quotes: reserved, and those that
 * only may name functions, types or columns.  From pg_get_keywords(); sorted.
 */
/* clang-format off: a word a line would be 164 lines */
static const char *const sql_keywords[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
};
/* clang-format on */

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool
is_in(const char *word, const char *const *list, size_t n)
{
    return bsearch(word, list, n, sizeof(*list), compare) != NULL;
}

const char *
name_c(const char *name)
{
    size_t len = strlen(name);
    char *c = arena_alloc(len + 3), *p = c;

    if (len == 0 || isdigit((unsigned char)name[0]))
        *p++ = '_';
    for (size_t i = 0; i < len; i++)
        *p++ = isalnum((unsigned char)name[i]) ? name[i] : '_';
    if (is_in(c, c_keywords, sizeof(c_keywords) / sizeof(c_keywords[0])))
        *p = '_';
    return c;
}

const char *
name_c_upper(const char *name)
{
    char *upper = arena_copy(name, strlen(name));

    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return name_c(upper);
}

bool
name_is_sql_keyword(const char *name)
{
    return is_in(name, sql_keywords, sizeof(sql_keywords) / sizeof(sql_keywords[0]));
}

static bool
is_plain(const char *name)
{
    if (!islower((unsigned char)name[0]) && name[0] != '_')
        return false;
    for (const char *p = name; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_')
            return false;
    return true;
}

const char *
name_sql(const char *name)
{
    char *quoted, *p;

    if (is_plain(name) && !name_is_sql_keyword(name))
        return name;
    p = quoted = arena_alloc(2 * strlen(name) + 3);
    *p++ = '"';
    for (; *name; name++) {
        if (*name == '"')
            *p++ = '"';
        *p++ = *name;
    }
    *p = '"';
    return quoted;
}

const char *
name_literal(const char *text)
{
    bool escape = strchr(text, '\\') != NULL;
    char *quoted = arena_alloc(2 * strlen(text) + 4), *p = quoted;

    if (escape)
        *p++ = 'E';
    *p++ = '\'';
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            *p++ = *text;
        *p++ = *text;
    }
    *p = '\'';
    return quoted;
}

/* The length at most `max` that cuts no UTF-8 character in two. */
static size_t
clip(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

const char *
name_cut(const char *name)
{
    return arena_copy(name, clip(name, strlen(name), NAME_MAX_BYTES));
}

const char *
name_object(const char *table, const char *columns, const char *label)
{
    size_t n1 = strlen(table), n2 = columns ? strlen(columns) : 0;
    size_t overhead = strlen(label) + 1 + (columns ? 1 : 0);
    size_t room = overhead < NAME_MAX_BYTES ? NAME_MAX_BYTES - overhead : 0;

    /* The longer of the two loses a byte until they fit. */
    while (n1 + n2 > room)
        if (n1 > n2)
            n1--;
        else
            n2--;
    n1 = clip(table, strlen(table), n1);
    if (!columns)
        return arena_printf("%.*s_%s", (int)n1, table, label);
    n2 = clip(columns, strlen(columns), n2);
    return arena_printf("%.*s_%.*s_%s", (int)n1, table, (int)n2, columns, label);
}

const char *
name_join(const char *const *names, size_t n)
{
    const char *joined = "";

    for (size_t i = 0; i < n; i++)
        joined = i == 0 ? names[0] : arena_printf("%s_%s", joined, names[i]);
    return joined;
}

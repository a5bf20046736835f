/* SPDX-License-Identifier: MIT */
/*
 * Casts follow PostgreSQL's pg_cast for the types that we know; a literal in quotes and NULL are
 * "open": they take the type of what they meet, as PostgreSQL's unknown does.
 */
#include "model/types.h"

#include <string.h>

static const struct type_info infos[] = {
#define PGS_TYPE(kind, sql, ctype, oid, array_oid, json)                                           \
    [TYPE_##kind] = {#kind, sql, #ctype, oid, array_oid, JSON_FORM_##json},
#include "pgs/types.def"
#undef PGS_TYPE
};

/* Every spelling, the one that messages use first. */
static const struct {
    const char *spelling;
    enum type_kind kind;
} spellings[] = {
    {"boolean", TYPE_BOOL},
    {"smallint", TYPE_INT2},
    {"integer", TYPE_INT4},
    {"bigint", TYPE_INT8},
    {"real", TYPE_FLOAT4},
    {"double precision", TYPE_FLOAT8},
    {"numeric", TYPE_NUMERIC},
    {"text", TYPE_TEXT},
    {"varchar", TYPE_VARCHAR},
    {"uuid", TYPE_UUID},
    {"bytea", TYPE_BYTEA},
    {"date", TYPE_DATE},
    {"time", TYPE_TIME},
    {"timestamp", TYPE_TIMESTAMP},
    {"timestamptz", TYPE_TIMESTAMPTZ},
    {"json", TYPE_JSON},
    {"jsonb", TYPE_JSONB},
    {"char", TYPE_BPCHAR},
    {"timetz", TYPE_TIMETZ},
    {"interval", TYPE_INTERVAL},
    {"money", TYPE_MONEY},
    {"bit", TYPE_BIT},
    {"bit varying", TYPE_VARBIT},
    {"inet", TYPE_INET},
    {"cidr", TYPE_CIDR},
    {"macaddr", TYPE_MACADDR},
    {"macaddr8", TYPE_MACADDR8},
    {"tsvector", TYPE_TSVECTOR},
    {"tsquery", TYPE_TSQUERY},
    {"xml", TYPE_XML},
    {"jsonpath", TYPE_JSONPATH},
    {"int4range", TYPE_INT4RANGE},
    {"int8range", TYPE_INT8RANGE},
    {"numrange", TYPE_NUMRANGE},
    {"tsrange", TYPE_TSRANGE},
    {"tstzrange", TYPE_TSTZRANGE},
    {"daterange", TYPE_DATERANGE},
    {"int4multirange", TYPE_INT4MULTIRANGE},
    {"int8multirange", TYPE_INT8MULTIRANGE},
    {"nummultirange", TYPE_NUMMULTIRANGE},
    {"tsmultirange", TYPE_TSMULTIRANGE},
    {"tstzmultirange", TYPE_TSTZMULTIRANGE},
    {"datemultirange", TYPE_DATEMULTIRANGE},
    {"point", TYPE_POINT},
    {"line", TYPE_LINE},
    {"lseg", TYPE_LSEG},
    {"box", TYPE_BOX},
    {"path", TYPE_PATH},
    {"polygon", TYPE_POLYGON},
    {"circle", TYPE_CIRCLE},
    {"void", TYPE_VOID},
    {"bool", TYPE_BOOL},
    {"int2", TYPE_INT2},
    {"int", TYPE_INT4},
    {"int4", TYPE_INT4},
    {"int8", TYPE_INT8},
    {"float4", TYPE_FLOAT4},
    {"float8", TYPE_FLOAT8},
    {"float", TYPE_FLOAT8},
    {"decimal", TYPE_NUMERIC},
    {"character varying", TYPE_VARCHAR},
    {"character", TYPE_BPCHAR},
    {"bpchar", TYPE_BPCHAR},
    {"varbit", TYPE_VARBIT},
    {"time with time zone", TYPE_TIMETZ},
    {"time without time zone", TYPE_TIME},
    {"timestamp without time zone", TYPE_TIMESTAMP},
    {"timestamp with time zone", TYPE_TIMESTAMPTZ},
};

#define SPELLINGS (sizeof(spellings) / sizeof(spellings[0]))

const struct type_info *
type_info(enum type_kind kind)
{
    size_t n = sizeof(infos) / sizeof(infos[0]);

    return (size_t)kind < n ? &infos[kind] : NULL;
}

struct type
type_scalar(enum type_kind kind)
{
    return (struct type){.kind = kind};
}

struct type
type_array_of(struct type element)
{
    element.array = true;
    return element;
}

struct type
type_element(struct type array)
{
    array.array = false;
    return array;
}

bool
type_find(const char *spelling, struct type *out)
{
    for (size_t i = 0; i < SPELLINGS; i++)
        if (strcmp(spellings[i].spelling, spelling) == 0) {
            *out = type_scalar(spellings[i].kind);
            return true;
        }
    return false;
}

const char *const *
type_spellings(size_t *n)
{
    static const char *all[SPELLINGS];

    for (size_t i = 0; i < SPELLINGS; i++)
        all[i] = spellings[i].spelling;
    *n = SPELLINGS;
    return all;
}

static const char *
kind_text(struct type type)
{
    switch (type.kind) {
    case TYPE_ENUM:
        return type.enumeration->name;
    case TYPE_NULL:
        return "null";
    case TYPE_UNKNOWN:
        return "a literal";
    case TYPE_ANY:
        return "unchecked";
    default:
        break;
    }
    for (size_t i = 0; i < SPELLINGS; i++)
        if (spellings[i].kind == type.kind)
            return spellings[i].spelling;
    return "?";
}

const char *
type_text(struct type type)
{
    const char *text = kind_text(type);

    if (type.length > 0)
        text = arena_printf("%s(%d)", text, type.length);
    if (type.has_digits)
        text = arena_printf("%s(%d)", text, type.digits);
    if (type.kind == TYPE_NUMERIC && type.precision > 0)
        text = arena_printf("%s(%d, %d)", text, type.precision, type.scale);
    return type.array ? arena_printf("%s[]", text) : text;
}

bool
type_same(struct type a, struct type b)
{
    return a.kind == b.kind && a.array == b.array &&
           (a.kind != TYPE_ENUM || a.enumeration == b.enumeration);
}

/* Position in PostgreSQL's implicit order of numbers; -1: not a number. */
static int
number_rank(enum type_kind kind)
{
    static const enum type_kind order[] = {TYPE_INT2,    TYPE_INT4,   TYPE_INT8,
                                           TYPE_NUMERIC, TYPE_FLOAT4, TYPE_FLOAT8};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i] == kind)
            return (int)i;
    return -1;
}

static bool
is_text_kind(enum type_kind kind)
{
    return kind == TYPE_TEXT || kind == TYPE_VARCHAR || kind == TYPE_BPCHAR;
}

static const struct {
    enum type_kind from, to;
    enum type_cast cast;
} casts[] = {
    {TYPE_DATE, TYPE_TIMESTAMP, CAST_IMPLICIT},
    {TYPE_DATE, TYPE_TIMESTAMPTZ, CAST_IMPLICIT},
    {TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, CAST_IMPLICIT},
    {TYPE_TIMESTAMP, TYPE_DATE, CAST_ASSIGNMENT},
    {TYPE_TIMESTAMP, TYPE_TIME, CAST_ASSIGNMENT},
    {TYPE_TIMESTAMPTZ, TYPE_DATE, CAST_ASSIGNMENT},
    {TYPE_TIMESTAMPTZ, TYPE_TIME, CAST_ASSIGNMENT},
    {TYPE_TIMESTAMPTZ, TYPE_TIMESTAMP, CAST_ASSIGNMENT},
    {TYPE_TIMESTAMPTZ, TYPE_TIMETZ, CAST_ASSIGNMENT},
    {TYPE_TIME, TYPE_TIMETZ, CAST_IMPLICIT},
    {TYPE_TIMETZ, TYPE_TIME, CAST_ASSIGNMENT},
    {TYPE_TIME, TYPE_INTERVAL, CAST_IMPLICIT},
    {TYPE_INTERVAL, TYPE_TIME, CAST_ASSIGNMENT},
    {TYPE_JSON, TYPE_JSONB, CAST_ASSIGNMENT},
    {TYPE_JSONB, TYPE_JSON, CAST_ASSIGNMENT},
    {TYPE_JSONB, TYPE_BOOL, CAST_EXPLICIT},
    {TYPE_BOOL, TYPE_INT4, CAST_EXPLICIT},
    {TYPE_INT4, TYPE_BOOL, CAST_EXPLICIT},
    {TYPE_INT4, TYPE_MONEY, CAST_ASSIGNMENT},
    {TYPE_INT8, TYPE_MONEY, CAST_ASSIGNMENT},
    {TYPE_NUMERIC, TYPE_MONEY, CAST_ASSIGNMENT},
    {TYPE_MONEY, TYPE_NUMERIC, CAST_ASSIGNMENT},
    {TYPE_BIT, TYPE_VARBIT, CAST_IMPLICIT},
    {TYPE_VARBIT, TYPE_BIT, CAST_IMPLICIT},
    {TYPE_BIT, TYPE_INT4, CAST_EXPLICIT},
    {TYPE_BIT, TYPE_INT8, CAST_EXPLICIT},
    {TYPE_INT4, TYPE_BIT, CAST_EXPLICIT},
    {TYPE_INT8, TYPE_BIT, CAST_EXPLICIT},
    {TYPE_CIDR, TYPE_INET, CAST_IMPLICIT},
    {TYPE_INET, TYPE_CIDR, CAST_ASSIGNMENT},
    {TYPE_MACADDR, TYPE_MACADDR8, CAST_IMPLICIT},
    {TYPE_MACADDR8, TYPE_MACADDR, CAST_IMPLICIT},
    {TYPE_INT4RANGE, TYPE_INT4MULTIRANGE, CAST_EXPLICIT},
    {TYPE_INT8RANGE, TYPE_INT8MULTIRANGE, CAST_EXPLICIT},
    {TYPE_NUMRANGE, TYPE_NUMMULTIRANGE, CAST_EXPLICIT},
    {TYPE_TSRANGE, TYPE_TSMULTIRANGE, CAST_EXPLICIT},
    {TYPE_TSTZRANGE, TYPE_TSTZMULTIRANGE, CAST_EXPLICIT},
    {TYPE_DATERANGE, TYPE_DATEMULTIRANGE, CAST_EXPLICIT},
    {TYPE_POINT, TYPE_BOX, CAST_ASSIGNMENT},
    {TYPE_LSEG, TYPE_POINT, CAST_EXPLICIT},
    {TYPE_PATH, TYPE_POLYGON, CAST_ASSIGNMENT},
    {TYPE_BOX, TYPE_POINT, CAST_EXPLICIT},
    {TYPE_BOX, TYPE_LSEG, CAST_EXPLICIT},
    {TYPE_BOX, TYPE_POLYGON, CAST_ASSIGNMENT},
    {TYPE_BOX, TYPE_CIRCLE, CAST_EXPLICIT},
    {TYPE_POLYGON, TYPE_POINT, CAST_EXPLICIT},
    {TYPE_POLYGON, TYPE_PATH, CAST_ASSIGNMENT},
    {TYPE_POLYGON, TYPE_BOX, CAST_EXPLICIT},
    {TYPE_POLYGON, TYPE_CIRCLE, CAST_EXPLICIT},
    {TYPE_CIRCLE, TYPE_POINT, CAST_EXPLICIT},
    {TYPE_CIRCLE, TYPE_BOX, CAST_EXPLICIT},
    {TYPE_CIRCLE, TYPE_POLYGON, CAST_EXPLICIT},
};

static enum type_cast
scalar_cast(struct type from, struct type to)
{
    int from_rank = number_rank(from.kind), to_rank = number_rank(to.kind);

    if (from_rank >= 0 && to_rank >= 0)
        return to_rank > from_rank ? CAST_IMPLICIT : CAST_ASSIGNMENT;
    if (is_text_kind(from.kind) && is_text_kind(to.kind))
        return CAST_IMPLICIT;
    if (from.kind == TYPE_JSONB && to_rank >= 0)
        return CAST_EXPLICIT;
    for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++)
        if (casts[i].from == from.kind && casts[i].to == to.kind)
            return casts[i].cast;
    if (is_text_kind(to.kind))
        return CAST_ASSIGNMENT;
    if (is_text_kind(from.kind))
        return CAST_EXPLICIT;
    return CAST_NONE;
}

enum type_cast
type_cast_kind(struct type from, struct type to)
{
    if (type_same(from, to) || type_is_open(from) || type_is_open(to))
        return CAST_IMPLICIT;
    if (from.kind == TYPE_VOID || to.kind == TYPE_VOID)
        return CAST_NONE;
    if (from.array && to.array)
        return scalar_cast(type_element(from), type_element(to));
    if (from.array)
        return is_text_kind(to.kind) ? CAST_ASSIGNMENT : CAST_NONE;
    if (to.array)
        return is_text_kind(from.kind) ? CAST_EXPLICIT : CAST_NONE;
    return scalar_cast(from, to);
}

bool
type_is_number(struct type type)
{
    return !type.array && number_rank(type.kind) >= 0;
}

bool
type_is_integer(struct type type)
{
    return !type.array &&
           (type.kind == TYPE_INT2 || type.kind == TYPE_INT4 || type.kind == TYPE_INT8);
}

bool
type_is_text(struct type type)
{
    return !type.array && is_text_kind(type.kind);
}

bool
type_is_bool(struct type type)
{
    return !type.array && (type.kind == TYPE_BOOL || type_is_open(type));
}

bool
type_is_open(struct type type)
{
    return type.kind == TYPE_NULL || type.kind == TYPE_UNKNOWN || type.kind == TYPE_ANY;
}

bool
type_is_storable(struct type type)
{
    return type.kind == TYPE_ENUM || type_info(type.kind) != NULL;
}

bool
type_is_comparable(struct type type)
{
    switch (type.kind) {
    case TYPE_JSON:
    case TYPE_XML:
    case TYPE_JSONPATH:
    case TYPE_POINT:
    case TYPE_LINE:
    case TYPE_LSEG:
    case TYPE_BOX:
    case TYPE_PATH:
    case TYPE_POLYGON:
    case TYPE_CIRCLE:
    case TYPE_VOID:
        return false;
    default:
        return true;
    }
}

bool
type_is_range(struct type type)
{
    return !type.array && type.kind >= TYPE_INT4RANGE && type.kind <= TYPE_DATEMULTIRANGE;
}

bool
type_common(struct type a, struct type b, struct type *out)
{
    if (type_is_open(a) || type_same(a, b)) {
        bool open = type_is_open(a);
        *out = open && !(b.kind == TYPE_NULL && a.kind == TYPE_UNKNOWN) ? b : a;
        return true;
    }
    if (type_cast_kind(b, a) == CAST_IMPLICIT && !(type_is_text(a) && type_is_text(b))) {
        *out = a;
        return true;
    }
    if (type_cast_kind(a, b) == CAST_IMPLICIT) {
        *out = is_text_kind(b.kind) ? (struct type){.kind = TYPE_TEXT, .array = b.array} : b;
        return true;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Spellings of types, and what can be said of one; casts.c has what two of them are to each other.
 */
#include "model/types.h"

#include <string.h>

#include "model/catalog.h"

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
    if (array.domain && array.domain->type.array)
        return type_element(array.domain->type);
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

bool
type_find_for_cast(const char *spelling, struct type *out)
{
    const struct catalog_type *row = catalog_type_named(spelling);

    if (type_find(spelling, out))
        return true;
    if (!row || row->extension || row->category == 'P' || strcmp(spelling, "char") == 0)
        return false;
    *out = catalog_type_get(row);
    return true;
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
    if (type.domain)
        return type.domain->name;
    switch (type.kind) {
    case TYPE_ENUM:
        return type.enumeration->name;
    case TYPE_COMPOSITE:
        return type.composite->name;
    case TYPE_RANGE:
        return type.range->name;
    case TYPE_MULTIRANGE:
        return type.range->multirange;
    case TYPE_NULL:
        return "null";
    case TYPE_UNKNOWN:
        return "a literal";
    case TYPE_ANY:
        return "unchecked";
    case TYPE_CATALOG:
        return type.catalog->name;
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

    if (type.domain)
        return type_is_array_of_domain(type) ? arena_printf("%s[]", text) : text;
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
    /* A domain is its base type; an array of it is a type of its own. */
    if ((type_is_array_of_domain(a) || type_is_array_of_domain(b)) && a.domain != b.domain)
        return false;
    return a.kind == b.kind && a.array == b.array &&
           (a.kind != TYPE_ENUM || a.enumeration == b.enumeration) &&
           (a.kind != TYPE_COMPOSITE || a.composite == b.composite) &&
           ((a.kind != TYPE_RANGE && a.kind != TYPE_MULTIRANGE) || a.range == b.range) &&
           (a.kind != TYPE_CATALOG || a.catalog == b.catalog);
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
    return !type.array &&
           (is_text_kind(type.kind) || (type.extension && type.catalog->category == 'S'));
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
type_is_row(struct type type)
{
    return type.kind == TYPE_COMPOSITE && type.composite->row_of && !type.array;
}

bool
type_is_storable(struct type type)
{
    return type.kind == TYPE_ENUM || type.kind == TYPE_COMPOSITE || type.kind == TYPE_RANGE ||
           type.kind == TYPE_MULTIRANGE || type.extension || type_info(type.kind) != NULL;
}

static bool
fields_are_comparable(const struct composite *composite)
{
    for (size_t i = 0; i < composite->fields.n; i++)
        if (!type_is_comparable(composite->fields.at[i]->type))
            return false;
    return true;
}

bool
type_is_comparable(struct type type)
{
    switch (type.kind) {
    case TYPE_COMPOSITE:
        return fields_are_comparable(type.composite);
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

struct type
type_plain(struct type type)
{
    return (struct type){.kind = type.kind,
                         .array = type.array,
                         .enumeration = type.enumeration,
                         .composite = type.composite,
                         .range = type.range,
                         .domain = type_is_array_of_domain(type) ? type.domain : NULL,
                         .catalog = type.catalog,
                         .extension = type.extension};
}

struct type
type_base(struct type type)
{
    while (type_is_domain(type))
        type = type.domain->type;
    return type;
}

bool
type_is_domain(struct type type)
{
    return type.domain && !type_is_array_of_domain(type);
}

bool
type_is_array_of_domain(struct type type)
{
    return type.array && type.domain && !type.domain->type.array;
}

bool
type_has_default(struct type type)
{
    const struct domain *domain = type_is_domain(type) ? type.domain : NULL;

    for (; domain; domain = domain->type.domain)
        if (domain->default_expr)
            return true;
    return false;
}

/* ---- ranges ---- */

bool
type_is_range(struct type type)
{
    const struct catalog_type *row = type.array ? NULL : catalog_type_of(type);

    if (type.kind == TYPE_RANGE || type.kind == TYPE_MULTIRANGE)
        return !type.array;
    return row && row->category == 'R';
}

/* What a range is made of, or the range that a multirange is made of. */
static struct type
part_of(struct type type)
{
    if (type.kind == TYPE_MULTIRANGE)
        return (struct type){.kind = TYPE_RANGE, .range = type.range};
    if (type.kind == TYPE_RANGE)
        return type_plain(type.range->subtype);
    return catalog_type_get(catalog_type_named(catalog_type_of(type)->part));
}

bool
type_is_multirange(struct type type)
{
    return type_is_range(type) && type_is_range(part_of(type));
}

struct type
type_subtype(struct type range)
{
    return part_of(range);
}

struct type
type_range_of(struct type multirange)
{
    return part_of(multirange);
}

struct type
type_multirange_of(struct type range)
{
    const char *name;
    size_t stem;

    if (range.kind == TYPE_RANGE)
        return (struct type){.kind = TYPE_MULTIRANGE, .range = range.range};
    name = catalog_type_of(range)->name;
    stem = strlen(name) - strlen("range");
    return catalog_type_get(catalog_type_named(arena_printf("%.*smultirange", (int)stem, name)));
}

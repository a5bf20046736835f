/* SPDX-License-Identifier: MIT */
/*
 * The tables are sorted by name, so a name is found by halving; what extensions bring is merged in.
 * What a row's words mean is read when the row is first asked about.
 */
#include "model/catalog.h"

#include <assert.h>
#include <string.h>

#include "model/types.h"

static const struct catalog_type types[] = {
#define CATALOG_TYPE(oid, array_oid, name, category, preferred, part)                              \
    {oid, array_oid, name, category, preferred, part, NULL},
#include "model/catalog_types.def"
#undef CATALOG_TYPE
#define EXTENSION_TYPE(extension, name, category) {0, 0, name, category, false, "", extension},
#include "model/catalog_extensions.def"
};

static const struct function functions[] = {
#define CATALOG_FUNCTION(name, args, result, kind, defaults, strict, nulls, volatility, releases,  \
                         leakproof)                                                                \
    {name,                                                                                         \
     args,                                                                                         \
     result,                                                                                       \
     kind,                                                                                         \
     defaults,                                                                                     \
     strict,                                                                                       \
     nulls,                                                                                        \
     volatility,                                                                                   \
     releases,                                                                                     \
     leakproof,                                                                                    \
     kind == 'a' || kind == 'o' || kind == 'h',                                                    \
     NULL},
#include "model/catalog_functions.def"
#undef CATALOG_FUNCTION
};

#define EVERYWHERE(letter) letter letter letter letter

static const struct function more_functions[] = {
#define EXTENSION_FUNCTION(extension, name, args, result, kind, strict, nulls, volatility, letter) \
    {name,   args,        result,   kind, 0, strict, nulls, volatility, EVERYWHERE(letter),        \
     "nnnn", kind == 'a', extension},
#include "model/catalog_extensions.def"
};

static const struct function operators[] = {
#define CATALOG_OPERATOR(name, args, result, strict, nulls, volatility, releases, leakproof)       \
    {name, args, result, 'x', 0, strict, nulls, volatility, releases, leakproof, false, NULL},
#include "model/catalog_operators.def"
#undef CATALOG_OPERATOR
};

static const struct function more_operators[] = {
#define EXTENSION_OPERATOR(extension, name, args, result, volatility, letter)                      \
    {name,   args,  result,   'x', 0, true, STRICT, volatility, EVERYWHERE(letter),                \
     "nnnn", false, extension},
#include "model/catalog_extensions.def"
};

#define TYPES (sizeof(types) / sizeof(types[0]))
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
#define OPERATORS (sizeof(operators) / sizeof(operators[0]))
#define MORE_FUNCTIONS (sizeof(more_functions) / sizeof(more_functions[0]))
#define MORE_OPERATORS (sizeof(more_operators) / sizeof(more_operators[0]))

/* Both of each, sorted by name, PostgreSQL's own first. */
static struct function all_functions[FUNCTIONS + MORE_FUNCTIONS];
static struct function all_operators[OPERATORS + MORE_OPERATORS];

/* ---- types ---- */

const struct catalog_type *
catalog_type_named(const char *name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

bool
catalog_has_types_of(const char *extension)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].extension && strcmp(types[i].extension, extension) == 0)
            return true;
    return false;
}

static const struct catalog_type *
type_of_oid(unsigned oid)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].oid == oid)
            return &types[i];
    return NULL;
}

const struct catalog_type *
catalog_type_of(struct type type)
{
    static const struct catalog_type *rows[TYPE_ENUM];

    if (type.kind == TYPE_CATALOG)
        return type.catalog;
    if (type.kind == TYPE_VOID)
        return catalog_type_named("void");
    if (type.kind >= TYPE_ENUM)
        return NULL;
    if (!rows[type.kind])
        rows[type.kind] = type_of_oid(type_info(type.kind)->oid);
    return rows[type.kind];
}

struct type
catalog_type_get(const struct catalog_type *row)
{
    static struct type found[TYPES];
    size_t i = catalog_type_number(row);

    if (found[i].catalog == row)
        return found[i].kind == TYPE_CATALOG ? found[i] : type_scalar(found[i].kind);
    found[i] = (struct type){.kind = TYPE_CATALOG, .catalog = row};
    if (strcmp(row->name, "void") == 0)
        found[i].kind = TYPE_VOID;
    for (enum type_kind kind = 0; kind < TYPE_ENUM; kind++)
        if (type_info(kind)->oid == row->oid)
            found[i].kind = kind;
    return catalog_type_get(row);
}

size_t
catalog_type_number(const struct catalog_type *row)
{
    return (size_t)(row - types);
}

size_t
catalog_type_count(void)
{
    return TYPES;
}

/* ---- functions and operators ---- */

static struct rows
rows_named(const struct function *all, size_t n, const char *name)
{
    size_t low = 0, high = n;
    struct rows rows = {0};

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(all[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    rows.at = &all[low];
    while (low + rows.n < n && strcmp(rows.at[rows.n].name, name) == 0)
        rows.n++;
    return rows;
}

static void
merge(const struct function *a, size_t n_a, const struct function *b, size_t n_b,
      struct function *out)
{
    for (size_t i = 0, j = 0; i + j < n_a + n_b;) {
        bool from_b = i == n_a || (j < n_b && strcmp(b[j].name, a[i].name) < 0);

        out[i + j] = from_b ? b[j] : a[i];
        if (from_b)
            j++;
        else
            i++;
    }
}

struct rows
catalog_functions_named(const char *name)
{
    if (!all_functions[0].name)
        merge(functions, FUNCTIONS, more_functions, MORE_FUNCTIONS, all_functions);
    return rows_named(all_functions, FUNCTIONS + MORE_FUNCTIONS, name);
}

struct rows
catalog_operators_named(const char *symbol)
{
    if (!all_operators[0].name)
        merge(operators, OPERATORS, more_operators, MORE_OPERATORS, all_operators);
    return rows_named(all_operators, OPERATORS + MORE_OPERATORS, symbol);
}

struct rows
catalog_functions(void)
{
    return (struct rows){functions, FUNCTIONS};
}

/* ---- signatures ---- */

static enum generic
generic_named(const char *word)
{
    static const struct {
        const char *word;
        enum generic generic;
    } words[] = {
        {"", GENERIC_ELEMENT},
        {"element", GENERIC_ELEMENT},
        {"nonarray", GENERIC_NONARRAY},
        {"enum", GENERIC_ENUM},
        {"array", GENERIC_ARRAY},
        {"range", GENERIC_RANGE},
        {"multirange", GENERIC_MULTIRANGE},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].generic;
    return GENERIC_NONE;
}

/* Reads one word of a row: "int4", "text[]", "anycompatiblearray". */
static struct slot
slot_read(const char *text, size_t len)
{
    bool array = len > 2 && memcmp(text + len - 2, "[]", 2) == 0;
    const char *word = arena_copy(text, array ? len - 2 : len);
    struct slot slot = {0};

    if (strcmp(word, "any") == 0) {
        slot.generic = GENERIC_ANY;
    } else if (strncmp(word, "anycompatible", 13) == 0) {
        slot.generic = generic_named(word + 13);
        slot.compatible = true;
    } else if (strncmp(word, "any", 3) == 0) {
        slot.generic = generic_named(word + 3);
    } else {
        slot.type = catalog_type_get(catalog_type_named(word));
        slot.type.array = array;
    }
    return slot;
}

/* Outside of the arena, because they hold for every compilation of a process. */
static struct signature of_functions[FUNCTIONS + MORE_FUNCTIONS];
static struct signature of_operators[OPERATORS + MORE_OPERATORS];
static struct slot pool[4 * (FUNCTIONS + MORE_FUNCTIONS + OPERATORS + MORE_OPERATORS)];

static void
signature_read(const struct function *function, struct signature *signature)
{
    static size_t used;
    const char *args = function->args, *result = function->result;
    struct slot *slots = &pool[used];

    for (; *args; args += strcspn(args, ","), args += strspn(args, ", ")) {
        size_t len = strcspn(args, ",");

        assert(used < sizeof(pool) / sizeof(pool[0]));
        signature->variadic = len > 3 && memcmp(args + len - 3, "...", 3) == 0;
        slots[signature->n++] = slot_read(args, signature->variadic ? len - 3 : len);
        used++;
    }
    signature->is_set = strncmp(result, "setof ", 6) == 0;
    result += signature->is_set ? 6 : 0;
    signature->result = slot_read(result, strlen(result));
    signature->slots = slots;
}

const struct signature *
catalog_signature(const struct function *function)
{
    struct signature *signature = function->kind == 'x' ? &of_operators[function - all_operators]
                                                        : &of_functions[function - all_functions];

    if (!signature->slots)
        signature_read(function, signature);
    return signature;
}

const struct slot *
catalog_slot(const struct signature *signature, size_t i)
{
    return &signature->slots[signature->variadic && i >= signature->n ? signature->n - 1 : i];
}

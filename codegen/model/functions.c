/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's overloading, in short: a literal in quotes beside another operand is tried as that
 * operand's type first; then the row wins whose types are most often met exactly; a literal prefers
 * text.  Of equals the first row wins, which functions.def puts in PostgreSQL's order of
 * preference.
 */
#include "model/functions.h"

#include <string.h>

#include "model/types.h"

static const struct function functions[] = {
#define FUNCTION(name, args, result, volatility, nulls)                                            \
    {#name, args, result, volatility, nulls, false},
#define AGGREGATE(name, args, result, nulls) {#name, args, result, IMMUTABLE, nulls, true},
#define OPERATOR(symbol, left, right, result, nulls)
#include "model/functions.def"
#undef FUNCTION
#undef AGGREGATE
#undef OPERATOR
};

struct operator_row {
    const char *left, *right;
    struct function function;
};

static const struct operator_row operators[] = {
#define FUNCTION(name, args, result, volatility, nulls)
#define AGGREGATE(name, args, result, nulls)
#define OPERATOR(symbol, left, right, result, nulls)                                               \
    {left, right, {symbol, "", result, IMMUTABLE, nulls, false}},
#include "model/functions.def"
#undef FUNCTION
#undef AGGREGATE
#undef OPERATOR
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
#define OPERATORS (sizeof(operators) / sizeof(operators[0]))

/* One argument as functions.def writes it. */
struct slot {
    enum {
        SLOT_TYPE,
        SLOT_SAME,
        SLOT_NUMBER,
        SLOT_ANY
    } what;
    bool array;
    struct type type;
};

/* Reads one slot of `text`, which ends at `len`. */
static struct slot
slot_read(const char *text, size_t len)
{
    struct slot slot = {0};
    const char *word;

    if (len >= 2 && memcmp(text + len - 2, "[]", 2) == 0) {
        slot.array = true;
        len -= 2;
    }
    word = arena_copy(text, len);
    if (strcmp(word, "same") == 0)
        slot.what = SLOT_SAME;
    else if (strcmp(word, "number") == 0)
        slot.what = SLOT_NUMBER;
    else if (strcmp(word, "any") == 0)
        slot.what = SLOT_ANY;
    else
        type_find(word, &slot.type);
    slot.type.array = slot.array;
    return slot;
}

/* Lays the slots of a row out for n arguments; false when it cannot take that many. */
static bool
slots_read(const char *args, struct slot *slots, size_t n)
{
    size_t i = 0;

    while (*args) {
        size_t len = strcspn(args, ",");
        bool variadic = len > 3 && memcmp(args + len - 3, "...", 3) == 0;
        struct slot slot = slot_read(args, variadic ? len - 3 : len);

        if (i >= n)
            return false;
        slots[i++] = slot;
        while (variadic && i < n)
            slots[i++] = slot;
        args += len;
        args += strspn(args, ", ");
    }
    return i == n;
}

/* The type that all `same` (or `number`) arguments have in common. */
static bool
find_common(const struct slot *slots, const struct type *args, size_t n, struct type *out)
{
    struct type common = type_scalar(TYPE_NULL);

    for (size_t i = 0; i < n; i++) {
        struct type arg = args[i];

        if (slots[i].what != SLOT_SAME && slots[i].what != SLOT_NUMBER)
            continue;
        if (slots[i].array) {
            if (!arg.array && !type_is_open(arg))
                return false;
            arg = arg.array ? type_element(arg) : type_scalar(TYPE_NULL);
        }
        if (slots[i].what == SLOT_NUMBER && !type_is_number(arg) && !type_is_open(arg))
            return false;
        if (!type_common(common, arg, &common))
            return false;
    }
    *out = common;
    return true;
}

/* Points of one argument in one slot; -1: it cannot stand there.  `want` becomes its type. */
static int
fit(const struct slot *slot, struct type arg, struct type common, struct type *want)
{
    *want = slot->type;
    if (slot->what == SLOT_ANY) {
        *want = arg;
        return 0;
    }
    if (slot->what == SLOT_SAME || slot->what == SLOT_NUMBER) {
        *want = common;
        want->array = slot->array || common.array;
    }
    if (type_is_open(arg))
        return type_is_text(*want) ? 2 : 1;
    if (type_same(arg, *want))
        return 3;
    return type_cast_kind(arg, *want) == CAST_IMPLICIT ? 2 : -1;
}

static int
score(const struct slot *slots, const struct type *args, size_t n, struct resolution *out)
{
    struct type common;
    int sum = 0;

    if (!find_common(slots, args, n, &common))
        return -1;
    for (size_t i = 0; i < n; i++) {
        int points = fit(&slots[i], args[i], common, &out->args[i]);

        if (points < 0)
            return -1;
        sum += points;
    }
    struct slot result = slot_read(out->function->result, strlen(out->function->result));
    out->result = result.type;
    if (result.what != SLOT_TYPE) {
        out->result = common;
        out->result.array = result.array || common.array;
    }
    return sum;
}

const struct function *
function_find(const char *name)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bool
function_resolve(const char *name, const struct type *args, size_t n, struct resolution *out)
{
    int best = -1;

    for (size_t i = 0; i < FUNCTIONS && n <= FUNCTION_MAX_ARGS; i++) {
        struct slot slots[FUNCTION_MAX_ARGS];
        struct resolution candidate = {.function = &functions[i]};
        int points;

        if (strcmp(functions[i].name, name) != 0 || !slots_read(functions[i].args, slots, n))
            continue;
        points = score(slots, args, n, &candidate);
        if (points > best) {
            best = points;
            *out = candidate;
        }
    }
    return best >= 0;
}

static bool
resolve_among(const char *symbol, const struct type *args, size_t n, bool exact,
              struct resolution *out)
{
    int best = exact ? 3 * (int)n - 1 : -1;
    bool found = false;

    for (size_t i = 0; i < OPERATORS; i++) {
        const struct operator_row *row = &operators[i];
        struct resolution candidate = {.function = &row->function};
        struct slot slots[2];
        int points;

        if (strcmp(row->function.name, symbol) != 0 || (n == 1) != (row->left[0] == '\0'))
            continue;
        slots[0] = slot_read(row->left, strlen(row->left));
        slots[n - 1] = slot_read(row->right, strlen(row->right));
        points = score(slots, args, n, &candidate);
        if (points > best) {
            best = points;
            *out = candidate;
            found = true;
        }
    }
    return found;
}

bool
operator_resolve(const char *symbol, const struct type *args, size_t n, struct resolution *out)
{
    if (n == 2 && type_is_open(args[0]) != type_is_open(args[1])) {
        struct type known = type_is_open(args[0]) ? args[1] : args[0];
        struct type both[2] = {known, known};

        if (resolve_among(symbol, both, 2, true, out))
            return true;
    }
    return resolve_among(symbol, args, n, false, out);
}

const char *const *
function_names(size_t *n)
{
    static const char *names[FUNCTIONS];
    size_t count = 0;

    for (size_t i = 0; i < FUNCTIONS; i++)
        if (count == 0 || strcmp(names[count - 1], functions[i].name) != 0)
            names[count++] = functions[i].name;
    *n = count;
    return names;
}

const char *
function_forms(const char *name)
{
    const char *forms = NULL;

    for (size_t i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0)
            forms = forms ? arena_printf("%s; %s(%s)", forms, name, functions[i].args)
                          : arena_printf("%s(%s)", name, functions[i].args);
    return forms;
}

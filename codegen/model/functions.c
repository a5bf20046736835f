/* SPDX-License-Identifier: MIT */
/*
 * Names to rows.  Besides the catalog's there are SQL's own forms that look like calls (coalesce,
 * current_date) and operators that are words (like, similar to).
 */
#include "model/functions.h"

#include <string.h>

#include "model/catalog.h"
#include "model/resolve.h"
#include "model/types.h"

#define EVERYWHERE(letter) letter letter letter letter

static const struct function forms[] = {
#define FORM(name, args, result, nulls, volatility, letter)                                        \
    {                                                                                              \
        name, args, result, 's', 0, false, nulls, volatility, EVERYWHERE(letter), "nnnn", false,   \
            NULL                                                                                   \
    }
    FORM("coalesce", "any...", "anyelement", MAYBE, IMMUTABLE, "i"),
    FORM("greatest", "any...", "anyelement", MAYBE, IMMUTABLE, "i"),
    FORM("least", "any...", "anyelement", MAYBE, IMMUTABLE, "i"),
    FORM("nullif", "anyelement, anyelement", "anyelement", MAYBE, IMMUTABLE, "i"),
    FORM("current_timestamp", "", "timestamptz", NEVER, STABLE, "s"),
    FORM("current_date", "", "date", NEVER, STABLE, "s"),
    FORM("current_time", "", "timetz", NEVER, STABLE, "s"),
    FORM("localtimestamp", "", "timestamp", NEVER, STABLE, "s"),
    FORM("localtime", "", "time", NEVER, STABLE, "s"),
#undef FORM
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* What PostgreSQL calls for a word. */
static const char *const synonyms[][2] = {
    {"trim", "btrim"},
    {"like", "~~"},
    {"not like", "!~~"},
    {"ilike", "~~*"},
    {"not ilike", "!~~*"},
    {"similar to", "~"},
    {"not similar to", "!~"},
    {"is distinct from", "="},
    {"is not distinct from", "="},
};

static const char *
real_name(const char *name)
{
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
        if (strcmp(synonyms[i][0], name) == 0)
            return synonyms[i][1];
    return name;
}

static const struct function *
find_form(const char *name)
{
    for (size_t i = 0; i < FORMS; i++)
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    return NULL;
}

const struct function *
function_find(const char *name)
{
    const struct function *form = find_form(name);
    struct rows rows = catalog_functions_named(real_name(name));

    return form ? form : rows.n > 0 && !rows.at->extension ? rows.at : NULL;
}

const struct function *
function_find_extension(const char *name)
{
    struct rows rows = catalog_functions_named(name);

    return rows.n > 0 && rows.at->extension ? rows.at : NULL;
}

/* ---- SQL's own forms ---- */

static bool
resolve_nullif(const struct type *args, size_t n, struct resolution *out)
{
    if (n != 2 || !operator_resolve("=", args, n, out))
        return false;
    out->result = type_is_open(args[0]) || type_is_open(out->args[0]) ? out->args[0]
                  : type_same(args[0], out->args[0])                  ? args[0]
                                                                      : out->args[0];
    return true;
}

static bool
resolve_form(const struct function *form, const struct type *args, size_t n, struct resolution *out)
{
    bool ok;

    out->is_ambiguous = false;
    out->is_exact = true;
    if (strcmp(form->name, "nullif") == 0) {
        ok = resolve_nullif(args, n, out);
    } else if (form->args[0] == '\0') {
        ok = n == 0;
        out->result = catalog_type_get(catalog_type_named(form->result));
    } else {
        ok = n > 0 && n <= FUNCTION_MAX_ARGS && type_common_of(args, n, &out->result);
        if (ok && type_is_open(out->result) && out->result.kind != TYPE_ANY)
            out->result = type_scalar(TYPE_TEXT);
        for (size_t i = 0; ok && i < n; i++)
            out->args[i] = out->result;
    }
    out->function = form;
    return ok;
}

bool
function_resolve(const char *name, const struct type *args, size_t n, struct resolution *out)
{
    const struct function *form = find_form(name);

    if (form)
        return resolve_form(form, args, n, out);
    return resolve_rows(catalog_functions_named(real_name(name)), args, n, out);
}

/* ---- operators ---- */

/* A literal beside another operand is first taken for the same type. */
bool
operator_resolve(const char *symbol, const struct type *args, size_t n, struct resolution *out)
{
    struct rows rows = catalog_operators_named(real_name(symbol));

    if (n == 2 && type_is_open(args[0]) != type_is_open(args[1])) {
        struct type known = type_is_open(args[0]) ? args[1] : args[0];
        struct type both[2] = {known, known}, base[2] = {type_base(known), type_base(known)};

        if (resolve_exact(rows, both, 2, out) || resolve_exact(rows, base, 2, out)) {
            out->is_ambiguous = false;
            return true;
        }
    }
    return resolve_rows(rows, args, n, out);
}

/* ---- what there is ---- */

const char *const *
function_names(size_t *n)
{
    struct rows all = catalog_functions();
    const char **names = arena_alloc((all.n + FORMS) * sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; i < all.n; i++)
        if (count == 0 || strcmp(names[count - 1], all.at[i].name) != 0)
            names[count++] = all.at[i].name;
    for (size_t i = 0; i < FORMS; i++)
        names[count++] = forms[i].name;
    *n = count;
    return names;
}

/* "text, int4" in the words of the language. */
static const char *
args_text(const char *args)
{
    const char *text = "";

    while (*args) {
        size_t len = strcspn(args, ",");
        size_t bare = strcspn(args, ",[.");
        const char *word = arena_copy(args, bare);
        const struct catalog_type *row = catalog_type_named(word);

        if (row && row->category != 'P')
            word = type_text(catalog_type_get(row));
        text = arena_printf("%s%s%s%s", text, *text ? ", " : "", word,
                            arena_copy(args + bare, len - bare));
        args += len;
        args += strspn(args, ", ");
    }
    return text;
}

#define MAX_FORMS 8 /* more would not be read */

const char *
function_forms(const char *name)
{
    const struct function *form = find_form(name);
    struct rows rows = catalog_functions_named(real_name(name));
    const char *text = form ? arena_printf("%s(%s)", name, form->args) : NULL;

    for (size_t i = 0; i < rows.n && i < MAX_FORMS && rows.at[i].extension == rows.at->extension;
         i++)
        text = arena_printf("%s%s%s(%s)", text ? text : "", text ? "; " : "", name,
                            args_text(rows.at[i].args));
    return rows.n > MAX_FORMS ? arena_printf("%s; ...", text) : text;
}

const char *
operator_forms(const char *symbol, size_t n)
{
    struct rows rows = catalog_operators_named(real_name(symbol));
    const char *text = NULL;
    size_t count = 0;

    for (size_t i = 0; i < rows.n; i++)
        if (catalog_signature(&rows.at[i])->n == n && !rows.at[i].extension && count++ < MAX_FORMS)
            text = arena_printf("%s%s%s", text ? text : "", text ? "; " : "",
                                args_text(rows.at[i].args));
    return count > MAX_FORMS ? arena_printf("%s; ...", text) : text;
}

/* ---- questions ---- */

int
function_since(const struct function *function)
{
    return OLDEST_RELEASE + (int)strspn(function->releases, "-");
}

bool
function_is_set(const struct function *function)
{
    return strncmp(function->result, "setof ", 6) == 0;
}

enum volatility
function_volatility(const struct function *function, int release)
{
    switch (function->releases[release - OLDEST_RELEASE]) {
    case 'i':
        return IMMUTABLE;
    case 's':
        return STABLE;
    default:
        return VOLATILE;
    }
}

bool
function_is_leakproof(const struct function *function)
{
    return strchr(function->leakproof, 'n') == NULL;
}

bool
operator_is_leakproof(const char *symbol, struct type left, struct type right)
{
    struct type args[] = {left, right};
    struct resolution found;

    return operator_resolve(symbol, args, 2, &found) && function_is_leakproof(found.function) &&
           cast_is_leakproof(left, found.args[0]) && cast_is_leakproof(right, found.args[1]);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which row a call means: PostgreSQL's rules in PostgreSQL's order ("Type Conversion" in its
 * manual).  An exact match wins; else, of the rows whose types the arguments become by themselves,
 * those with most exact matches, then those with most preferred types; then what is still a literal
 * decides by category, text first; then it is taken for what the other arguments are.
 */
#include "model/resolve.h"

#include <string.h>

#include "model/catalog.h"
#include "model/types.h"

#define MAX_CANDIDATES 128

struct search {
    const struct type *args;
    size_t n;
    const struct function *candidates[MAX_CANDIDATES];
    size_t n_candidates;
};

static const struct slot *
slot_of(const struct function *function, size_t i)
{
    return catalog_slot(catalog_signature(function), i);
}

/* ---- what a row takes ---- */

static bool
takes_count(const struct function *function, size_t n)
{
    const struct signature *signature = catalog_signature(function);

    return n == signature->n || (signature->variadic && n > signature->n) ||
           (!signature->variadic && n < signature->n &&
            n + (size_t)function->defaults >= signature->n);
}

static bool
is_exact(const struct slot *slot, struct type arg)
{
    return slot->generic == GENERIC_NONE && !type_is_open(arg) && type_same(slot->type, arg);
}

static bool
fits(const struct function *function, const struct type *args, size_t n)
{
    const struct signature *signature = catalog_signature(function);
    bool generic = false;

    for (size_t i = 0; i < n; i++) {
        const struct slot *slot = catalog_slot(signature, i);

        generic = generic || slot->generic > GENERIC_ANY;
        if (slot->generic == GENERIC_NONE && type_cast_kind(args[i], slot->type) != CAST_IMPLICIT)
            return false;
    }
    return !generic || catalog_unify(signature, args, n, NULL);
}

static char
slot_category(const struct slot *slot)
{
    return slot->generic == GENERIC_NONE ? type_category(slot->type) : 'P';
}

static bool
slot_is_preferred(const struct slot *slot)
{
    return slot->generic == GENERIC_NONE && type_is_preferred(slot->type);
}

/* ---- fewer and fewer candidates ---- */

static size_t
count_matches(const struct search *search, const struct function *function, bool preferred_too)
{
    size_t matches = 0;

    for (size_t i = 0; i < search->n; i++) {
        const struct slot *slot = slot_of(function, i);
        struct type arg = type_base(search->args[i]);

        if (type_is_open(arg))
            continue;
        if (is_exact(slot, arg))
            matches++;
        else if (preferred_too && slot_is_preferred(slot) &&
                 slot_category(slot) == type_category(arg))
            matches++;
    }
    return matches;
}

/* Keeps those with the most matches. */
static void
keep_best(struct search *search, bool preferred_too)
{
    size_t best = 0, kept = 0;

    for (size_t i = 0; i < search->n_candidates; i++) {
        size_t matches = count_matches(search, search->candidates[i], preferred_too);

        if (matches > best) {
            best = matches;
            kept = 0;
        }
        if (matches == best)
            search->candidates[kept++] = search->candidates[i];
    }
    search->n_candidates = kept;
}

/* What an open argument has to be, as far as the candidates agree. */
struct wanted {
    char category;
    bool preferred;
};

/* False when the candidates disagree, and none takes text. */
static bool
find_category(const struct search *search, size_t arg, struct wanted *out)
{
    bool conflict = false;

    *out = (struct wanted){0};
    for (size_t i = 0; i < search->n_candidates; i++) {
        const struct slot *slot = slot_of(search->candidates[i], arg);
        char category = slot_category(slot);

        if (out->category == '\0' || (category == 'S' && out->category != 'S'))
            *out = (struct wanted){category, slot_is_preferred(slot)};
        else if (category == out->category)
            out->preferred = out->preferred || slot_is_preferred(slot);
        else
            conflict = true;
    }
    return !conflict || out->category == 'S';
}

static bool
meets(const struct search *search, const struct function *function, const struct wanted *wanted)
{
    for (size_t i = 0; i < search->n; i++) {
        const struct slot *slot = slot_of(function, i);

        if (type_is_open(search->args[i]) && (slot_category(slot) != wanted[i].category ||
                                              (wanted[i].preferred && !slot_is_preferred(slot))))
            return false;
    }
    return true;
}

/* Keeps those that take literals of the wanted categories, unless there are none. */
static void
keep_wanted(struct search *search)
{
    struct wanted wanted[FUNCTION_MAX_ARGS];
    size_t kept = 0;

    for (size_t i = 0; i < search->n; i++)
        if (type_is_open(search->args[i]) && !find_category(search, i, &wanted[i]))
            return;
    for (size_t i = 0; i < search->n_candidates; i++)
        if (meets(search, search->candidates[i], wanted)) {
            const struct function *swap = search->candidates[kept];

            search->candidates[kept++] = search->candidates[i];
            search->candidates[i] = swap;
        }
    if (kept > 0)
        search->n_candidates = kept;
}

/* When all known arguments are of one type, the open ones are taken for it. */
static void
keep_of_one_type(struct search *search)
{
    struct type types[FUNCTION_MAX_ARGS], known = {0};
    const struct function *found = NULL;
    bool any = false;

    for (size_t i = 0; i < search->n; i++) {
        struct type arg = type_base(search->args[i]);

        if (type_is_open(arg))
            continue;
        if (any && !type_same(arg, known))
            return;
        known = arg;
        any = true;
    }
    for (size_t i = 0; i < search->n; i++)
        types[i] = known;
    for (size_t i = 0; any && i < search->n_candidates; i++)
        if (fits(search->candidates[i], types, search->n)) {
            if (found)
                return;
            found = search->candidates[i];
        }
    if (found) {
        search->candidates[0] = found;
        search->n_candidates = 1;
    }
}

static bool
has_open(const struct search *search)
{
    for (size_t i = 0; i < search->n; i++)
        if (type_is_open(search->args[i]))
            return true;
    return false;
}

static void
narrow(struct search *search)
{
    if (search->n_candidates > 1)
        keep_best(search, false);
    if (search->n_candidates > 1)
        keep_best(search, true);
    if (search->n_candidates > 1 && has_open(search)) {
        keep_wanted(search);
        if (search->n_candidates > 1)
            keep_of_one_type(search);
    }
}

/* ---- the whole ---- */

static const struct function *
find_exact(struct rows rows, const struct type *args, size_t n)
{
    for (size_t i = 0; i < rows.n; i++) {
        const struct signature *signature = catalog_signature(&rows.at[i]);
        bool exact = signature->n == n && !signature->variadic;

        for (size_t j = 0; exact && j < n; j++)
            exact = is_exact(&signature->slots[j], args[j]);
        if (exact)
            return &rows.at[i];
    }
    return NULL;
}

/* Raw SQL among the arguments: whatever the candidates agree on. */
static bool
settle_raw(const struct search *search, struct resolution *out)
{
    struct type result = {0};
    bool agreed = true, raw = false;

    for (size_t i = 0; i < search->n; i++)
        raw = raw || search->args[i].kind == TYPE_ANY;
    if (!raw || search->n_candidates == 0)
        return false;
    for (size_t i = 0; i < search->n_candidates; i++) {
        const struct slot *slot = &catalog_signature(search->candidates[i])->result;

        agreed =
            agreed && slot->generic == GENERIC_NONE && (i == 0 || type_same(slot->type, result));
        result = slot->type;
    }
    out->function = search->candidates[0];
    out->result = agreed ? result : type_scalar(TYPE_ANY);
    for (size_t i = 0; i < search->n; i++)
        out->args[i] = search->args[i];
    return true;
}

/* Rows of releases that are not there yet in the oldest one are a second choice. */
static void
collect(struct search *search, struct rows rows, bool newer)
{
    for (size_t i = 0; i < rows.n && search->n_candidates < MAX_CANDIDATES; i++)
        if ((rows.at[i].releases[0] == '-') == newer && takes_count(&rows.at[i], search->n) &&
            fits(&rows.at[i], search->args, search->n))
            search->candidates[search->n_candidates++] = &rows.at[i];
}

bool
resolve_rows(struct rows rows, const struct type *args, size_t n, struct resolution *out)
{
    struct search search = {.args = args, .n = n};

    out->is_ambiguous = false;
    out->is_exact = false;
    if (n > FUNCTION_MAX_ARGS)
        return false;
    collect(&search, rows, false);
    if (search.n_candidates == 0)
        collect(&search, rows, true);
    out->function = find_exact(rows, args, n);
    out->is_exact = out->function && out->function->releases[0] != '-';
    if (!out->is_exact) {
        struct search all = search;

        narrow(&search);
        out->is_ambiguous = search.n_candidates > 1;
        if (search.n_candidates != 1)
            return settle_raw(&all, out);
        out->function = search.candidates[0];
    }
    return catalog_unify(catalog_signature(out->function), args, n, out);
}

bool
resolve_exact(struct rows rows, const struct type *args, size_t n, struct resolution *out)
{
    out->function = find_exact(rows, args, n);
    return out->function && catalog_unify(catalog_signature(out->function), args, n, out);
}

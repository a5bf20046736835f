/* SPDX-License-Identifier: MIT */
/*
 * Generic arguments: anyelement, anyarray, anyrange and so on must all stand for one type;
 * anycompatible and its like for the common type of what is given.
 */
#include "model/catalog.h"

#include "model/types.h"

/* What is known of one of the two families in a call. */
struct family {
    bool used, known, has_array, has_range, has_multirange;
    struct type element, array, range, multirange;
    struct type given[FUNCTION_MAX_ARGS + 1]; /* of anycompatible: whose common type is wanted */
    size_t n_given;
};

/* The first sets it; the others must be the same. */
static bool
agree(bool *known, struct type *place, struct type type)
{
    if (*known)
        return type_same(*place, type);
    *known = true;
    *place = type;
    return true;
}

static bool
take_element(struct family *family, bool compatible, struct type type)
{
    if (!compatible)
        return agree(&family->known, &family->element, type);
    family->given[family->n_given++] = type;
    return true;
}

static bool
take(struct family *family, const struct slot *slot, struct type arg)
{
    struct type base = type_base(arg);

    family->used = true;
    if (type_is_open(arg))
        return true;
    switch (slot->generic) {
    case GENERIC_ARRAY:
        if (slot->compatible)
            return base.array && take_element(family, true, type_element(base));
        return base.array && agree(&family->has_array, &family->array, base);
    case GENERIC_RANGE:
        return type_is_range(base) && !type_is_multirange(base) &&
               agree(&family->has_range, &family->range, base);
    case GENERIC_MULTIRANGE:
        return type_is_multirange(base) &&
               agree(&family->has_multirange, &family->multirange, base);
    default:
        return take_element(family, slot->compatible, arg);
    }
}

/* From arrays and ranges to their elements. */
static bool
combine(struct family *family, bool compatible)
{
    if (family->has_array && !compatible &&
        !agree(&family->known, &family->element, type_element(family->array)))
        return false;
    if (family->has_multirange &&
        !agree(&family->has_range, &family->range, type_range_of(family->multirange)))
        return false;
    if (family->has_range && !take_element(family, compatible, type_subtype(family->range)))
        return false;
    if (!compatible || family->n_given == 0)
        return true;
    family->known = true;
    return type_common_of(family->given, family->n_given, &family->element) &&
           (!family->has_range || type_same(family->element, type_subtype(family->range)));
}

static bool
is_allowed(const struct family *family, const struct slot *slot)
{
    if (!family->known)
        return true;
    if (slot->generic == GENERIC_NONARRAY)
        return !type_base(family->element).array;
    return slot->generic != GENERIC_ENUM || type_category(family->element) == 'E';
}

/* False when the arguments do not say what it stands for. */
static bool
fill(const struct family *family, const struct slot *slot, struct type *out)
{
    switch (slot->generic) {
    case GENERIC_ARRAY:
        *out = type_array_of(family->element);
        return family->known && !type_base(family->element).array;
    case GENERIC_RANGE:
        *out = family->range;
        return family->has_range;
    case GENERIC_MULTIRANGE:
        *out = family->has_range ? type_multirange_of(family->range) : family->multirange;
        return family->has_range;
    default:
        *out = family->element;
        return family->known;
    }
}

static bool
fill_slot(const struct family *families, const struct slot *slot, struct type *out)
{
    if (slot->generic == GENERIC_NONE)
        *out = slot->type;
    if (slot->generic == GENERIC_NONE || slot->generic == GENERIC_ANY)
        return true;
    return fill(&families[slot->compatible], slot, out);
}

/* A row of the catalog does not know in which schema its type is: an argument does. */
static void
place_extension(struct type *type, const struct type *args, size_t n)
{
    for (size_t i = 0; i < n && type->catalog && !type->extension; i++) {
        struct type arg = type_base(args[i]);

        if (arg.catalog == type->catalog)
            type->extension = arg.extension;
    }
}

static bool
fill_all(struct family *families, const struct signature *signature, const struct type *args,
         size_t n, struct resolution *out)
{
    bool raw = false;

    for (size_t i = 0; i < n; i++)
        raw = raw || args[i].kind == TYPE_ANY;
    if (families[1].used && !families[1].known) {
        families[1].known = true;
        families[1].element = type_scalar(raw ? TYPE_ANY : TYPE_TEXT);
    }
    if (raw && !families[0].known) {
        families[0].known = true;
        families[0].element = type_scalar(TYPE_ANY);
    }
    for (size_t i = 0; i < n; i++) {
        out->args[i] = args[i];
        if (!fill_slot(families, catalog_slot(signature, i), &out->args[i]))
            return false;
        place_extension(&out->args[i], args, n);
    }
    if (!fill_slot(families, &signature->result, &out->result))
        return false;
    place_extension(&out->result, args, n);
    return true;
}

bool
catalog_unify(const struct signature *signature, const struct type *args, size_t n,
              struct resolution *out)
{
    struct family families[2] = {0};

    for (size_t i = 0; i < n; i++) {
        const struct slot *slot = catalog_slot(signature, i);

        if (slot->generic > GENERIC_ANY && !take(&families[slot->compatible], slot, args[i]))
            return false;
    }
    if (!combine(&families[0], false) || !combine(&families[1], true))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct slot *slot = catalog_slot(signature, i);

        if (slot->generic > GENERIC_ANY && !is_allowed(&families[slot->compatible], slot))
            return false;
    }
    return !out || fill_all(families, signature, args, n, out);
}

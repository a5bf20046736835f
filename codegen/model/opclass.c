/* SPDX-License-Identifier: MIT */
#include "model/opclass.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "model/types.h"

static const struct opclass classes[] = {
#define OPCLASS(name, method, type, is_default, extension, operators)                              \
    {name, method, type, is_default, extension, operators},
#include "model/opclasses.def"
#undef OPCLASS
};

#define CLASSES (sizeof(classes) / sizeof(classes[0]))

/* ---- types ---- */

static bool
ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

const char *
opclass_type_name(struct type type)
{
    const struct type_info *info = type_info(type.kind);
    char *name;

    if (info == NULL)
        return type_text((struct type){.kind = type.kind,
                                       .enumeration = type.enumeration,
                                       .composite = type.composite,
                                       .range = type.range,
                                       .catalog = type.catalog});
    name = arena_copy(info->kind, strlen(info->kind));
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return name;
}

/* varchar is indexed as the text that it is. */
static bool
takes(const struct opclass *opclass, struct type type)
{
    const char *name = type.kind == TYPE_VARCHAR ? "text" : opclass_type_name(type);

    if (type.array)
        return strcmp(opclass->type, "anyarray") == 0 ||
               (opclass->type[0] == '_' && strcmp(opclass->type + 1, name) == 0);
    if (strcmp(opclass->type, "anyenum") == 0)
        return type.kind == TYPE_ENUM;
    if (strcmp(opclass->type, "anymultirange") == 0)
        return type.kind == TYPE_MULTIRANGE || ends_with(name, "multirange");
    if (strcmp(opclass->type, "anyrange") == 0)
        return type.kind == TYPE_RANGE ||
               (ends_with(name, "range") && !ends_with(name, "multirange"));
    if (strcmp(opclass->type, "inet") == 0 && strcmp(name, "cidr") == 0)
        return true;
    return strcmp(opclass->type, name) == 0;
}

/* ---- look-ups ---- */

const struct opclass *
opclass_find(const char *method, const char *name, struct type type)
{
    for (size_t i = 0; i < CLASSES; i++)
        if (strcmp(classes[i].name, name) == 0 && strcmp(classes[i].method, method) == 0 &&
            takes(&classes[i], type))
            return &classes[i];
    return NULL;
}

const struct opclass *
opclass_named(const char *method, const char *name)
{
    for (size_t i = 0; i < CLASSES; i++)
        if (strcmp(classes[i].name, name) == 0 &&
            (method == NULL || strcmp(classes[i].method, method) == 0))
            return &classes[i];
    return NULL;
}

const struct extension *
opclass_extension(const struct model *model, const struct opclass *opclass)
{
    for (size_t i = 0; opclass->extension != NULL && i < model->extensions.n; i++)
        if (strcmp(model->extensions.at[i]->name, opclass->extension) == 0)
            return model->extensions.at[i];
    return NULL;
}

const struct opclass *
opclass_default(const struct model *model, const char *method, struct type type)
{
    const struct opclass *missing = NULL;

    for (size_t i = 0; i < CLASSES; i++) {
        if (!classes[i].is_default || strcmp(classes[i].method, method) != 0 ||
            !takes(&classes[i], type))
            continue;
        if (classes[i].extension == NULL || opclass_extension(model, &classes[i]) != NULL)
            return &classes[i];
        missing = &classes[i];
    }
    return missing;
}

bool
opclass_knows_extension(const char *extension)
{
    for (size_t i = 0; i < CLASSES; i++)
        if (classes[i].extension != NULL && strcmp(classes[i].extension, extension) == 0)
            return true;
    return false;
}

bool
opclass_has_operator(const struct opclass *opclass, const char *op)
{
    size_t len = strlen(op);

    for (const char *at = opclass->operators; *at != '\0'; at += *at == ' ') {
        size_t word = strcspn(at, " ");

        if (word == len && memcmp(at, op, len) == 0)
            return true;
        at += word;
    }
    return false;
}

const char *const *
opclass_names(const char *method, size_t *n)
{
    static const char *names[CLASSES];

    *n = 0;
    for (size_t i = 0; i < CLASSES; i++)
        if (strcmp(classes[i].method, method) == 0)
            names[(*n)++] = classes[i].name;
    return names;
}

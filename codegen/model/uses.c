/* SPDX-License-Identifier: MIT */
#include "model/uses.h"

#include <stdlib.h>
#include <string.h>

static struct uses uses;
static bool keeps;

void
uses_keep(bool keep)
{
    keeps = keep;
    memset(&uses, 0, sizeof(uses));
}

void
uses_note(struct span span, enum use_kind kind, const void *object)
{
    struct use use = {span, kind, object};

    if (keeps && span.file && object)
        vec_push(&uses, use);
}

void
uses_note_last(struct span span, enum use_kind kind, const void *object, const char *name)
{
    size_t len = strlen(name);

    if (span.file && span.end > span.start && span.file->text[span.end - 1] == '"')
        len += 2;
    if (span.file && span.end - span.start >= len)
        span.start = span.end - len;
    uses_note(span, kind, object);
}

/* ---- what is declared ---- */

static void
note_params(const struct params *params)
{
    for (size_t i = 0; i < params->n; i++) {
        const struct use use = {.kind = USE_PARAM, .object = params->at[i]};

        uses_note(use_declaration(&use), USE_PARAM, params->at[i]);
    }
}

static void
note_table(const struct table *table)
{
    uses_note(table->span, USE_TABLE, table);
    for (size_t i = 0; i < table->columns.n; i++)
        uses_note(table->columns.at[i]->span, USE_COLUMN, table->columns.at[i]);
}

#define NOTE_ALL(list, kind)                                                                       \
    do {                                                                                           \
        for (size_t i = 0; i < (list).n; i++)                                                      \
            uses_note((list).at[i]->span, kind, (list).at[i]);                                     \
    } while (0)

static void
note_declarations(const struct model *model)
{
    for (size_t i = 0; i < model->tables.n; i++)
        note_table(model->tables.at[i]);
    NOTE_ALL(model->roles, USE_ROLE);
    NOTE_ALL(model->claims, USE_CLAIM);
    NOTE_ALL(model->predicates, USE_PREDICATE);
    NOTE_ALL(model->enumerations, USE_TYPE);
    NOTE_ALL(model->cors, USE_CORS);
    NOTE_ALL(model->queries, USE_QUERY);
    for (size_t i = 0; i < model->predicates.n; i++)
        note_params(&model->predicates.at[i]->params);
    for (size_t i = 0; i < model->queries.n; i++)
        note_params(&model->queries.at[i]->params);
}

static int
compare(const void *x, const void *y)
{
    const struct use *a = x, *b = y;
    int by_file = strcmp(a->span.file->path, b->span.file->path);

    if (by_file)
        return by_file;
    if (a->span.start != b->span.start)
        return a->span.start < b->span.start ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* An expression that stands for several policies is checked for each. */
static void
drop_doubles(void)
{
    size_t n = 0;

    for (size_t i = 0; i < uses.n; i++) {
        const struct use *use = &uses.at[i], *last = n ? &uses.at[n - 1] : NULL;

        if (!last || compare(last, use) != 0 || last->object != use->object)
            uses.at[n++] = *use;
    }
    uses.n = n;
}

const struct uses *
uses_of(const struct model *model)
{
    note_declarations(model);
    if (uses.n > 1)
        qsort(uses.at, uses.n, sizeof(uses.at[0]), compare);
    drop_doubles();
    return &uses;
}

/* ---- objects ---- */

/* Each of them begins with its span; the names stand elsewhere. */
struct span
use_declaration(const struct use *use)
{
    struct span span = *(const struct span *)use->object;

    if (use->kind == USE_PARAM && span.file) /* the name alone */
        span.end =
            span.start + strlen(use_name(use)) + (span.file->text[span.start] == '"' ? 2 : 0);
    return span;
}

const char *
use_name(const struct use *use)
{
    switch (use->kind) {
    case USE_TABLE:
        return ((const struct table *)use->object)->name;
    case USE_COLUMN:
        return ((const struct column *)use->object)->name;
    case USE_ROLE:
        return ((const struct role *)use->object)->name;
    case USE_CLAIM:
        return ((const struct claim *)use->object)->name;
    case USE_PREDICATE:
        return ((const struct predicate *)use->object)->name;
    case USE_TYPE:
        return ((const struct enumeration *)use->object)->name;
    case USE_CORS:
        return ((const struct cors *)use->object)->name;
    case USE_QUERY:
        return ((const struct query *)use->object)->name;
    case USE_PARAM:
        return ((const struct param *)use->object)->name;
    }
    return "";
}

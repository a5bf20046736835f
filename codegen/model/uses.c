/* SPDX-License-Identifier: MIT */
#include "model/uses.h"

#include <stddef.h>
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

void
uses_note_type(struct span span, const struct type *type, const char *name)
{
    if (type->domain && strcmp(type->domain->name, name) == 0)
        uses_note_last(span, USE_DOMAIN, type->domain, name);
    else if (type->enumeration && strcmp(type->enumeration->name, name) == 0)
        uses_note_last(span, USE_TYPE, type->enumeration, name);
    else if (type->composite && strcmp(type->composite->name, name) == 0)
        uses_note_last(span, USE_COMPOSITE, type->composite, name);
    else if (type->range && strcmp(type->range->name, name) == 0)
        uses_note_last(span, USE_RANGE_TYPE, type->range, name);
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
note_type(const struct defined_type *type)
{
    if (type->composite) {
        uses_note(type->composite->span, USE_COMPOSITE, type->composite);
        NOTE_ALL(type->composite->fields, USE_COLUMN);
    }
    if (type->range)
        uses_note(type->range->span, USE_RANGE_TYPE, type->range);
    if (type->domain)
        uses_note(type->domain->span, USE_DOMAIN, type->domain);
}

/* What a function that is served shares with its query is noted for the function. */
static void
note_queries(const struct model *model)
{
    for (size_t i = 0; i < model->queries.n; i++) {
        const struct query *query = model->queries.at[i];

        if (query->function)
            continue;
        uses_note(query->span, USE_QUERY, query);
        note_params(&query->params);
    }
}

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
    NOTE_ALL(model->functions, USE_FUNCTION);
    NOTE_ALL(model->schemas, USE_SCHEMA);
    NOTE_ALL(model->triggers, USE_TRIGGER);
    NOTE_ALL(model->lives, USE_LIVE);
    NOTE_ALL(model->webhooks, USE_WEBHOOK);
    NOTE_ALL(model->policies, USE_POLICY);
    note_queries(model);
    for (size_t i = 0; i < model->types.n; i++)
        note_type(&model->types.at[i]);
    for (size_t i = 0; i < model->predicates.n; i++)
        note_params(&model->predicates.at[i]->params);
    for (size_t i = 0; i < model->functions.n; i++)
        note_params(&model->functions.at[i]->params);
    for (size_t i = 0; i < model->lives.n; i++)
        note_params(&model->lives.at[i]->params);
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

/* One declaration of a policy makes one for each command. */
static bool
is_double(const struct use *last, const struct use *use)
{
    return compare(last, use) == 0 && (last->object == use->object || use->kind == USE_POLICY);
}

/* An expression that stands for several policies is checked for each. */
static void
drop_doubles(void)
{
    size_t n = 0;

    for (size_t i = 0; i < uses.n; i++) {
        const struct use *use = &uses.at[i], *last = n ? &uses.at[n - 1] : NULL;

        if (!last || !is_double(last, use))
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

const struct uses *
uses_snapshot(const struct model *model)
{
    struct uses *copy = arena_alloc(sizeof(*copy));

    *copy = *uses_of(model);
    return copy;
}

/* ---- objects ---- */

/* Each of them begins with its span; the names stand elsewhere. */
struct span
use_declaration(const struct use *use)
{
    struct span span = *(const struct span *)use->object;

    if (use->kind == USE_ALIAS)
        return ((const struct range *)use->object)->alias_span;
    if (use->kind == USE_PARAM && span.file) /* the name alone */
        span.end =
            span.start + strlen(use_name(use)) + (span.file->text[span.start] == '"' ? 2 : 0);
    return span;
}

/* Where each kind of object keeps its name. */
static const size_t name_offsets[] = {
    [USE_TABLE] = offsetof(struct table, name),
    [USE_COLUMN] = offsetof(struct column, name),
    [USE_ROLE] = offsetof(struct role, name),
    [USE_CLAIM] = offsetof(struct claim, name),
    [USE_PREDICATE] = offsetof(struct predicate, name),
    [USE_TYPE] = offsetof(struct enumeration, name),
    [USE_CORS] = offsetof(struct cors, name),
    [USE_QUERY] = offsetof(struct query, name),
    [USE_PARAM] = offsetof(struct param, name),
    [USE_FUNCTION] = offsetof(struct declared_function, name),
    [USE_DOMAIN] = offsetof(struct domain, name),
    [USE_COMPOSITE] = offsetof(struct composite, name),
    [USE_RANGE_TYPE] = offsetof(struct range_type, name),
    [USE_SCHEMA] = offsetof(struct schema, name),
    [USE_TRIGGER] = offsetof(struct trigger, name),
    [USE_LIVE] = offsetof(struct live, name),
    [USE_WEBHOOK] = offsetof(struct webhook, name),
    [USE_POLICY] = offsetof(struct policy, name),
    [USE_ALIAS] = offsetof(struct range, alias),
    [USE_WITH] = offsetof(struct with_item, name),
};

const char *
use_name(const struct use *use)
{
    const char *name;

    memcpy(&name, (const char *)use->object + name_offsets[use->kind], sizeof(name));
    return name ? name : "";
}

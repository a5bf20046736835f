/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "change/change.h"

static bool
is_own(const struct table *table)
{
    return !table->builtin;
}

static const struct table *
table_named(const struct model *model, const struct table *like, const char *name)
{
    for (size_t i = 0; i < model->tables.n; i++) {
        const struct table *table = model->tables.at[i];

        if (is_own(table) && strcmp(table->name, name) == 0 &&
            strcmp(table->schema, like->schema) == 0)
            return table;
    }
    return NULL;
}

const struct table *
change_table_now(const struct change *change, const struct table *last)
{
    const struct table *same = table_named(change->now, last, last->name);

    for (size_t i = 0; !same && i < change->now->tables.n; i++) {
        const struct table *table = change->now->tables.at[i];

        if (table->was && strcmp(table->was, last->name) == 0)
            return table;
    }
    return same;
}

const struct table *
change_table_before(const struct change *change, const struct table *now)
{
    const struct table *same = table_named(change->last, now, now->name);

    return !same && now->was ? table_named(change->last, now, now->was) : same;
}

const struct column *
change_column_now(const struct table *now, const struct column *last)
{
    const struct column *same = check_column_named(now, last->name);

    for (size_t i = 0; !same && i < now->columns.n; i++) {
        const struct column *column = now->columns.at[i];

        if (column->was && strcmp(column->was, last->name) == 0)
            return column;
    }
    return same;
}

const struct column *
change_column_before(const struct table *last, const struct column *now)
{
    const struct column *same = check_column_named(last, now->name);

    return !same && now->was ? check_column_named(last, now->was) : same;
}

const struct enumeration *
change_type_now(const struct change *change, const struct enumeration *last)
{
    const struct enumeration *same = check_enumeration_named(change->now, last->name);

    for (size_t i = 0; !same && i < change->now->enumerations.n; i++) {
        const struct enumeration *type = change->now->enumerations.at[i];

        if (type->was && strcmp(type->was, last->name) == 0)
            return type;
    }
    return same;
}

const struct enumeration *
change_type_before(const struct change *change, const struct enumeration *now)
{
    const struct enumeration *same = check_enumeration_named(change->last, now->name);

    return !same && now->was ? check_enumeration_named(change->last, now->was) : same;
}

static bool
has_label(const struct enumeration *type, const char *label)
{
    for (size_t i = 0; label && i < type->labels.n; i++)
        if (strcmp(type->labels.at[i], label) == 0)
            return true;
    return false;
}

bool
change_is_new_label(const struct change *change, const struct enumeration *now, const char *label)
{
    const struct enumeration *last = change_type_before(change, now);

    if (!last || has_label(last, label))
        return false;
    for (size_t i = 0; i < now->labels.n; i++)
        if (strcmp(now->labels.at[i], label) == 0)
            return !has_label(last, now->label_was.at[i]);
    return false;
}

static bool
same_enumeration(const struct change *change, const struct enumeration *last,
                 const struct enumeration *now)
{
    return !last || !now ? last == now : change_type_now(change, last) == now;
}

bool
change_same_type(const struct change *change, struct type last, struct type now)
{
    return last.kind == now.kind && last.array == now.array && last.length == now.length &&
           last.precision == now.precision && last.scale == now.scale &&
           last.has_digits == now.has_digits && last.digits == now.digits &&
           same_enumeration(change, last.enumeration, now.enumeration) &&
           (last.kind != TYPE_CATALOG || strcmp(type_text(last), type_text(now)) == 0);
}

/* ---- words ---- */

/* The next word, number, string or mark: its length; 0 at the end. */
static size_t
next_word(const char **at, const char *end)
{
    const char *p = *at;

    while (p < end && isspace((unsigned char)*p))
        p++;
    *at = p;
    if (p == end)
        return 0;
    if (*p == '\'' || *p == '"') {
        const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));

        return close ? (size_t)(close - p) + 1 : (size_t)(end - p);
    }
    while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
        p++;
    return p == *at ? 1 : (size_t)(p - *at);
}

bool
change_same_words(struct span a, struct span b)
{
    const char *x = a.file->text + a.start, *x_end = a.file->text + a.end;
    const char *y = b.file->text + b.start, *y_end = b.file->text + b.end;

    for (;;) {
        size_t x_len = next_word(&x, x_end), y_len = next_word(&y, y_end);

        if (x_len != y_len || memcmp(x, y, x_len) != 0)
            return false;
        if (x_len == 0)
            return true;
        x += x_len;
        y += y_len;
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Each declaration stands in the migration under a comment with its place, and `$$` stands there as
 * it is written: that is enough to lead from any byte of the migration back to the sources.
 */
#include "dev/trial_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "syntax/grammar.h"
#include "syntax/lexer.h"

/* ---- the sources ---- */

static void
add_raws(struct trial_map *map, const struct source *file)
{
    struct lexer lexer;
    struct token token;

    lex_open(&lexer, file);
    while ((token = lex_next(&lexer)).kind != 0) {
        size_t tag;

        if (token.kind != TOKEN_RAW)
            continue;
        tag = strcspn(file->text + token.span.start + 1, "$") + 2;
        token.span.start += tag;
        token.span.end -= tag;
        if (token.span.end > token.span.start)
            vec_push(&map->raws, token.span);
    }
}

static void
add_file(struct trial_map *map, struct span span)
{
    for (size_t i = 0; i < map->files.n; i++)
        if (map->files.at[i] == span.file)
            return;
    if (span.file == NULL)
        return;
    vec_push(&map->files, span.file);
    add_raws(map, span.file);
}

static void
add_types(struct trial_map *map, const struct model *model)
{
    for (size_t i = 0; i < model->enumerations.n; i++)
        add_file(map, model->enumerations.at[i]->span);
    for (size_t i = 0; i < model->types.n; i++) {
        const struct defined_type *type = &model->types.at[i];

        add_file(map, type->composite != NULL ? type->composite->span
                      : type->range != NULL   ? type->range->span
                                              : type->domain->span);
    }
}

struct trial_map
trial_map_make(const struct trial *trial)
{
    const struct model *model = trial->model;
    struct trial_map map = {.migration = trial->migration};

    for (size_t i = 0; i < model->tables.n; i++)
        add_file(&map, model->tables.at[i]->span);
    add_types(&map, model);
    for (size_t i = 0; i < model->functions.n; i++)
        add_file(&map, model->functions.at[i]->span);
    for (size_t i = 0; i < model->triggers.n; i++)
        add_file(&map, model->triggers.at[i]->span);
    for (size_t i = 0; i < model->queries.n; i++)
        add_file(&map, model->queries.at[i]->span);
    for (size_t i = 0; i < model->predicates.n; i++)
        add_file(&map, model->predicates.at[i]->span);
    for (size_t i = 0; i < model->policies.n; i++)
        add_file(&map, model->policies.at[i]->span);
    for (size_t i = 0; i < model->raw_sqls.n; i++)
        add_file(&map, model->raw_sqls.at[i]->span);
    for (size_t i = 0; i < model->extensions.n; i++)
        add_file(&map, model->extensions.at[i]->span);
    return map;
}

/* ---- words ---- */

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

struct span
trial_word(const struct source *file, size_t at, size_t end)
{
    struct span span = {.file = file, .start = at, .end = at};
    const char *text = file->text;

    if (at < end && (text[at] == '"' || text[at] == '\'')) {
        const char *close = memchr(text + at + 1, text[at], end - at - 1);

        if (close != NULL && memchr(text + at, '\n', (size_t)(close - text) - at) == NULL)
            span.end = (size_t)(close - text) + 1;
    }
    while (span.end == span.start && at < end && is_word(text[at]))
        at++;
    if (span.end == span.start)
        span.end = at;
    if (span.end == span.start && span.end < end)
        span.end++;
    return span;
}

size_t
trial_byte(const struct source *file, size_t start, size_t end, long position)
{
    size_t at = start;

    for (; position > 1 && at < end; position--)
        do
            at++;
        while (at < end && ((unsigned char)file->text[at] & 0xc0) == 0x80);
    return at;
}

/* ---- from the migration to the sources ---- */

/* "schema/desk.schema:12  table ticket", as a comment of the migration. */
static bool
read_place(const struct trial_map *map, const char *comment, struct span *place)
{
    const char *end = comment + strcspn(comment, "\n");

    for (size_t i = 0; i < map->files.n; i++) {
        const struct source *file = map->files.at[i];
        size_t len = strlen(file->path), line;
        char *behind;

        if ((size_t)(end - comment) < len + 2 || memcmp(comment, file->path, len) != 0 ||
            comment[len] != ':')
            continue;
        line = strtoul(comment + len + 1, &behind, 10);
        if (strncmp(behind, "  ", 2) != 0 || line == 0 || line > file->lines.n)
            continue;
        place->file = file;
        place->start = file->lines.at[line - 1];
        place->start += strspn(file->text + place->start, " \t");
        place->end = place->start + strcspn(file->text + place->start, "\r\n");
        return true;
    }
    return false;
}

/* The declaration that byte `at` belongs to: the last place above it; file NULL: none. */
static struct span
declaration_of(const struct trial_map *map, size_t at)
{
    const char *text = map->migration->text;
    struct span place = {0};

    for (;;) {
        while (at > 0 && text[at - 1] != '\n')
            at--;
        if (strncmp(text + at, "-- ", 3) == 0) {
            if (read_place(map, text + at + 3, &place) ||
                strncmp(text + at, "-- migrate:", 11) == 0)
                return place;
        }
        if (at == 0)
            return place;
        at--;
    }
}

/* Where this text stands around byte `at` of the migration; false: it does not. */
static bool
stands_around(const struct source *migration, const char *text, size_t len, size_t at,
              size_t *start)
{
    size_t first = at + 1 > len ? at + 1 - len : 0;

    for (*start = first; *start <= at && *start + len <= migration->len; ++*start)
        if (migration->text[*start] == *text && memcmp(migration->text + *start, text, len) == 0)
            return true;
    return false;
}

/* The views and `sql` lose the blanks around their text. */
static struct span
trimmed(struct span raw)
{
    while (raw.start < raw.end && isspace((unsigned char)raw.file->text[raw.start]))
        raw.start++;
    while (raw.end > raw.start && isspace((unsigned char)raw.file->text[raw.end - 1]))
        raw.end--;
    return raw;
}

/* The better one of two: of the declaration itself, and the first behind its place. */
static bool
is_nearer(struct span a, struct span b, struct span place)
{
    bool a_near = a.file == place.file && a.start >= place.start;
    bool b_near = b.file == place.file && b.start >= place.start;

    if (b.file == NULL || a_near != b_near)
        return b.file == NULL || a_near;
    return a_near && a.start < b.start;
}

/* Byte `at` of the migration in a $$ text of the sources; file NULL: in none. */
static struct span
find_raw(const struct trial_map *map, size_t at, struct span place)
{
    struct span best = {0};
    size_t best_at = 0;

    for (size_t i = 0; i < map->raws.n; i++) {
        struct span raw = map->raws.at[i];
        size_t start;

        if (!stands_around(map->migration, raw.file->text + raw.start, raw.end - raw.start, at,
                           &start)) {
            raw = trimmed(raw);
            if (raw.end == raw.start || !stands_around(map->migration, raw.file->text + raw.start,
                                                       raw.end - raw.start, at, &start))
                continue;
        }
        if (is_nearer(raw, best, place)) {
            best = raw;
            best_at = raw.start + (at - start);
        }
    }
    return best.file == NULL ? best : trial_word(best.file, best_at, best.end);
}

struct span
trial_place(const struct trial_map *map, size_t at)
{
    struct span place = declaration_of(map, at);
    struct span raw = find_raw(map, at, place);

    if (raw.file != NULL)
        return raw;
    return place.file != NULL ? place : trial_word(map->migration, at, map->migration->len);
}

bool
trial_is_declared(const struct trial_map *map, const struct span *statement)
{
    return declaration_of(map, statement->start).file != NULL;
}

struct span
trial_raw_at(const struct trial_map *map, struct span place)
{
    for (size_t i = 0; i < map->raws.n; i++) {
        const struct span raw = map->raws.at[i];

        if (raw.file == place.file && raw.start >= place.start && raw.start <= place.end)
            return raw;
    }
    return (struct span){0};
}

/* ---- names ---- */

/* Behind a word (or a quoted name, or a mark) and the blanks that follow. */
static const char *
next_word(const char *at, size_t *len)
{
    const char *start = at;

    while (is_word(*at) || *at == '.' || *at == '"') {
        if (*at == '"')
            at += strcspn(at + 1, "\"") + 1;
        if (*at != '\0')
            at++;
    }
    if (at == start && *at != '\0')
        at++;
    *len = (size_t)(at - start);
    return at + strspn(at, " \t\r\n");
}

static bool
is_one_of(const char *at, size_t len, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == len && strncasecmp(at, *words, len) == 0)
            return true;
    return false;
}

const char *
trial_made_name(const char *statement)
{
    static const char *const create[] = {"create", NULL};
    static const char *const skipped[] = {
        "or",        "replace",  "unique", "temp",         "temporary",  "unlogged",
        "recursive", "global",   "local",  "aggregate",    "constraint", "materialized",
        "if",        "not",      "exists", "table",        "view",       "function",
        "procedure", "type",     "domain", "schema",       "sequence",   "foreign",
        "collation", "operator", "index",  "concurrently", NULL};
    const char *at = statement + strspn(statement, " \t\r\n"), *next;
    size_t len;

    next = next_word(at, &len);
    if (!is_one_of(at, len, create))
        return NULL;
    do {
        at = next;
        next = next_word(at, &len);
    } while (is_one_of(at, len, skipped));
    return is_word(*at) || *at == '"' ? arena_copy(at, len) : NULL;
}

bool
trial_names(const char *statement, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = statement; (at = strstr(at, name)) != NULL; at++)
        if ((at == statement || !is_word(at[-1])) && !is_word(at[len]))
            return true;
    return false;
}

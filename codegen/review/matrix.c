/* SPDX-License-Identifier: MIT */
/*
 * What a line is stands before its first ": " outside of quotes; lines of a kind that is not known
 * become marks, so that nothing that a matrix says is lost.
 */
#include "review/matrix.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "text/source.h"

/* ---- words outside of quotes ---- */

/* The first of `what` outside of double quotes in [at, end); `end` when there is none. */
static const char *
find_outside(const char *at, const char *end, const char *what)
{
    size_t len = strlen(what);
    bool quoted = false;

    for (; at < end; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (!quoted && (size_t)(end - at) >= len && memcmp(at, what, len) == 0)
            return at;
    }
    return end;
}

static struct words
split(const char *at, const char *end, const char *between)
{
    struct words words = {0};

    while (at < end) {
        const char *stop = find_outside(at, end, between);

        words_add(&words, arena_copy(at, (size_t)(stop - at)));
        at = stop < end ? stop + strlen(between) : end;
    }
    return words;
}

struct words
matrix_names(const char *text)
{
    return split(text, text + strlen(text), ", ");
}

static const char *
word_at(const struct words *words, size_t i)
{
    return i < words->list.n ? words->list.at[i] : "";
}

const char *
matrix_unquoted(const char *name)
{
    struct str str = {0};

    if (*name != '"')
        return name;
    str_puts(&str, "");
    for (name++; *name != '\0' && !(name[0] == '"' && name[1] == '\0'); name++) {
        str_putc(&str, *name);
        if (name[0] == '"' && name[1] == '"')
            name++;
    }
    return str.at;
}

const char *
matrix_quoted(const char *name)
{
    struct str str = {0};

    if (*name != '\0' && !isdigit((unsigned char)*name) &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name))
        return name;
    str_putc(&str, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            str_putc(&str, '"');
        str_putc(&str, *name);
    }
    str_putc(&str, '"');
    return str.at;
}

/* ---- lines ---- */

static bool
is_method(const char *word)
{
    return *word != '\0' && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word);
}

/* `GET /rest/v1/ticket for service_role alone` */
static void
read_route(struct fact *fact, const struct words *words)
{
    fact->kind = FACT_ROUTE;
    fact->name = arena_printf("%s %s", word_at(words, 0), word_at(words, 1));
    fact->service_alone = strcmp(word_at(words, 2), "for") == 0;
    fact->names = matrix_names(fact->text);
}

/* `support may update as authenticated` */
static void
read_may(struct fact *fact, const struct words *words)
{
    fact->kind = FACT_MAY;
    fact->role = word_at(words, 0);
    fact->command = word_at(words, 2);
    if (strcmp(word_at(words, 3), "as") == 0)
        fact->as = word_at(words, 4);
    fact->names = matrix_names(fact->text);
}

/* `support update new row only by own as authenticated`; false: it is something else. */
static bool
read_rows(struct fact *fact, const struct words *words)
{
    bool new_row = strcmp(word_at(words, 2), "new") == 0 && strcmp(word_at(words, 3), "row") == 0;
    size_t next = new_row ? 4 : 3;

    if (!new_row && strcmp(word_at(words, 2), "rows") != 0)
        return false;
    fact->restrictive = strcmp(word_at(words, next), "only") == 0;
    next += fact->restrictive;
    if (strcmp(word_at(words, next), "by") != 0)
        return false;
    fact->kind = new_row ? FACT_NEW_ROW : FACT_ROWS;
    fact->role = word_at(words, 0);
    fact->command = word_at(words, 1);
    fact->policy = word_at(words, next + 1);
    if (strcmp(word_at(words, next + 2), "as") == 0)
        fact->as = word_at(words, next + 3);
    return true;
}

/* Takes the ", unchecked" from the end of what stands before the colon. */
static const char *
without_mark(const char *key, bool *unchecked)
{
    static const char mark[] = ", unchecked";
    size_t len = strlen(key), tail = sizeof(mark) - 1;

    *unchecked = len > tail && strcmp(key + len - tail, mark) == 0;
    return *unchecked ? arena_copy(key, len - tail) : key;
}

static struct fact
read_fact(const char *line)
{
    const char *end = line + strlen(line), *colon = find_outside(line, end, ": ");
    struct fact fact = {.kind = FACT_MARK, .line = line};
    struct words words;

    fact.name = without_mark(arena_copy(line, (size_t)(colon - line)), &fact.unchecked);
    fact.text = colon < end ? colon + 2 : "";
    words = split(fact.name, fact.name + strlen(fact.name), " ");
    if (is_method(word_at(&words, 0)) && *word_at(&words, 1) == '/')
        read_route(&fact, &words);
    else if (strcmp(word_at(&words, 1), "may") == 0 && *word_at(&words, 2) != '\0')
        read_may(&fact, &words);
    else
        read_rows(&fact, &words);
    return fact;
}

/* `table ticket` */
static struct section *
read_heading(const char *line)
{
    const char *end = line + strlen(line), *space = find_outside(line, end, " ");
    const char *next = space;
    struct section *section = arena_alloc(sizeof(*section));

    while (next < end && *(next = find_outside(space + 1, end, " ")) == ' ')
        space = next;
    section->heading = line;
    section->kind = arena_copy(line, (size_t)(space - line));
    section->name = space < end ? space + 1 : "";
    return section;
}

static void
read_line(struct matrix *matrix, const char *line)
{
    const char *end = line + strlen(line);

    if (strncmp(line, "  ", 2) == 0 && matrix->sections.n > 0)
        vec_push(&matrix->sections.at[matrix->sections.n - 1]->facts, read_fact(line + 2));
    else if (find_outside(line, end, ": ") < end)
        vec_push(&matrix->top.facts, read_fact(line));
    else
        vec_push(&matrix->sections, read_heading(line));
}

static bool
is_utf8(const char *text)
{
    size_t len = strlen(text);

    return source_bad_byte(source_from_text("access.txt", text, len)) == len;
}

/* The facts begin behind the head, with the roles. */
static const char *
behind_head(const char *text)
{
    const char *roles = strstr(text, "\n\nrole ");

    return strncmp(text, "Who may do what.", 16) == 0 && roles != NULL ? roles + 2 : NULL;
}

bool
matrix_read(const char *text, struct matrix *matrix)
{
    *matrix = (struct matrix){.top = {.kind = "", .name = "", .heading = ""}};
    text = is_utf8(text) ? behind_head(text) : NULL;
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        size_t seen = len > 0 && text[len - 1] == '\r' ? len - 1 : len;

        if (seen > 0)
            read_line(matrix, arena_copy(text, seen));
        text += len + (text[len] == '\n');
    }
    return text != NULL;
}

/* ---- questions ---- */

const struct section *
matrix_find(const struct matrix *matrix, const char *kind, const char *name)
{
    for (size_t i = 0; i < matrix->sections.n; i++)
        if (strcmp(matrix->sections.at[i]->kind, kind) == 0 &&
            strcmp(matrix->sections.at[i]->name, name) == 0)
            return matrix->sections.at[i];
    return NULL;
}

const char *
matrix_mark(const struct section *section, const char *name)
{
    struct str joined = {0};
    bool any = false;

    str_puts(&joined, "");
    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (fact->kind != FACT_MARK || strcmp(fact->name, name) != 0)
            continue;
        str_puts(&joined, any ? ", " : "");
        str_puts(&joined, fact->text);
        any = true;
    }
    return any ? joined.at : NULL;
}

struct words
matrix_roles(const struct matrix *matrix)
{
    struct words roles = {0};

    for (size_t i = 0; i < matrix->top.facts.n; i++)
        if (strncmp(matrix->top.facts.at[i].name, "role ", 5) == 0)
            words_add(&roles, matrix->top.facts.at[i].name + 5);
    return roles;
}

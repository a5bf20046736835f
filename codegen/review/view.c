/* SPDX-License-Identifier: MIT */
#include "review/view.h"

#include <string.h>

#include "base/json.h"
#include "review/rows.h"

/* What a role may with one command in one section. */
struct right {
    const char *role;
    const char *command;
    struct words own, inherited; /* columns */
    const char *from;            /* of `inherited`; NULL: it inherits nothing of this */
    const char *rows, *new_row;  /* NULL: nothing is said of them */
    bool unchecked;
};

VEC_STRUCT(rights, struct right);

static bool
is_wanted(const char *wanted, const char *name)
{
    return wanted == NULL || strcmp(wanted, name) == 0;
}

static struct right *
find_right(struct rights *rights, const struct fact *fact)
{
    struct right right = {.role = fact->role, .command = fact->command};

    for (size_t i = 0; i < rights->n; i++)
        if (strcmp(rights->at[i].role, fact->role) == 0 &&
            strcmp(rights->at[i].command, fact->command) == 0)
            return &rights->at[i];
    vec_push(rights, right);
    return &rights->at[rights->n - 1];
}

static void
add_columns(struct right *right, const struct fact *fact)
{
    struct words *columns = fact->as != NULL ? &right->inherited : &right->own;

    if (fact->as != NULL && right->from == NULL)
        right->from = fact->as;
    for (size_t i = 0; i < fact->names.list.n; i++)
        if (!words_contain(&right->own, fact->names.list.at[i]) &&
            !words_contain(&right->inherited, fact->names.list.at[i]))
            words_add(columns, fact->names.list.at[i]);
}

static void
add_rows(struct right *right, const struct section *section)
{
    struct rows rows = rows_of(section, right->role, right->command, false);
    struct rows new_row = rows_of(section, right->role, right->command, true);
    bool writes = strcmp(right->command, "insert") == 0 || strcmp(right->command, "update") == 0;

    right->rows = rows.any ? rows.text : NULL;
    if (writes && new_row.any && (!rows.any || strcmp(rows.text, new_row.text) != 0))
        right->new_row = new_row.text;
}

static struct rights
rights_of(const struct section *section, const struct view *view)
{
    struct rights rights = {0};

    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (fact->role == NULL || !is_wanted(view->role, fact->role) ||
            !is_wanted(view->command, fact->command))
            continue;
        if (fact->kind == FACT_MAY)
            add_columns(find_right(&rights, fact), fact);
        else
            find_right(&rights, fact)->unchecked |= fact->unchecked;
    }
    for (size_t i = 0; i < rights.n; i++)
        add_rows(&rights.at[i], section);
    return rights;
}

/* A section is shown for what is asked of it: without a role and command all of it is. */
static bool
is_shown(const struct section *section, const struct view *view, const struct rights *rights)
{
    if (!is_wanted(view->table, section->name))
        return false;
    return rights->n > 0 || view->table != NULL || (view->role == NULL && view->command == NULL);
}

/* ---- text ---- */

static void
add_words(struct str *out, const struct words *words)
{
    for (size_t i = 0; i < words->list.n; i++)
        str_printf(out, "%s%s", i == 0 ? "" : ", ", words->list.at[i]);
}

static void
print_right(struct str *out, const struct right *right)
{
    str_printf(out, "    %s  ", right->command);
    add_words(out, &right->own);
    if (right->from != NULL)
        str_printf(out, "%sas %s%s", right->own.list.n > 0 ? "; " : "", right->from,
                   right->inherited.list.n > 0 ? ": " : "");
    add_words(out, &right->inherited);
    while (out->n > 0 && out->at[out->n - 1] == ' ')
        out->at[--out->n] = '\0';
    str_puts(out, "\n");
    if (right->rows != NULL)
        str_printf(out, "      where %s%s\n", right->rows, right->unchecked ? "  unchecked" : "");
    if (right->new_row != NULL)
        str_printf(out, "      new row: %s%s\n", right->new_row,
                   right->unchecked ? "  unchecked" : "");
}

/* Webhooks and auth tell what leaves, and to whom: no role asks for it. */
static bool
may_have_rights(const struct section *section)
{
    return strcmp(section->kind, "webhook") != 0 && strcmp(section->kind, "auth") != 0;
}

static void
print_section(struct str *out, const struct section *section, const struct rights *rights)
{
    str_printf(out, "\n%s\n", section->heading);
    for (size_t i = 0; i < section->facts.n; i++)
        if (section->facts.at[i].role == NULL)
            str_printf(out, "  %s\n", section->facts.at[i].line);
    if (rights->n == 0 && may_have_rights(section))
        str_puts(out, "  nobody but service_role\n");
    for (size_t i = 0; i < rights->n; i++) {
        if (i == 0 || strcmp(rights->at[i].role, rights->at[i - 1].role) != 0)
            str_printf(out, "  %s\n", rights->at[i].role);
        print_right(out, &rights->at[i]);
    }
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

/* `name` stands in the text as a word of its own. */
static bool
mentions(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
        if ((at == text || !is_letter(at[-1])) && !is_letter(at[len]))
            return true;
    return false;
}

/* "in_team" of "predicate in_team(team)", "plan" of "claim plan"; NULL: neither. */
static const char *
defined_name(const struct fact *fact)
{
    const char *end = strrchr(fact->name, '(');

    if (strncmp(fact->name, "claim ", 6) == 0)
        return fact->name + 6;
    if (strncmp(fact->name, "predicate ", 10) != 0 || end == NULL)
        return NULL;
    return arena_copy(fact->name + 10, (size_t)(end - fact->name) - 10);
}

/* What the names in the conditions mean, once each, those in each other's bodies too. */
static void
print_meanings(struct str *out, const struct matrix *matrix)
{
    VEC(bool) told = {0};
    bool first = true, again = true;

    for (size_t i = 0; i < matrix->top.facts.n; i++)
        vec_push(&told, false);
    while (again) {
        again = false;
        for (size_t i = 0; i < matrix->top.facts.n; i++) {
            const char *name = defined_name(&matrix->top.facts.at[i]);

            if (name == NULL || told.at[i] || !mentions(out->at, name))
                continue;
            told.at[i] = again = true;
            str_printf(out, "%s%s\n", first ? "\n" : "", matrix->top.facts.at[i].line);
            first = false;
        }
    }
}

static void
print_roles(struct str *out, const struct matrix *matrix, const struct view *view)
{
    for (size_t i = 0; i < matrix->top.facts.n; i++) {
        const struct fact *fact = &matrix->top.facts.at[i];

        if (strncmp(fact->name, "role ", 5) == 0 && is_wanted(view->role, fact->name + 5))
            str_printf(out, "%s\n", fact->line);
    }
}

void
view_print_text(struct str *out, const struct matrix *matrix, const struct view *view)
{
    bool any = false;

    str_puts(out, "");
    print_roles(out, matrix, view);
    for (size_t i = 0; i < matrix->sections.n; i++) {
        struct rights rights = rights_of(matrix->sections.at[i], view);

        if (!is_shown(matrix->sections.at[i], view, &rights))
            continue;
        print_section(out, matrix->sections.at[i], &rights);
        any = true;
    }
    if (!any)
        str_puts(out, view->role != NULL && strcmp(view->role, "service_role") == 0
                          ? ""
                          : "\nnothing\n");
    print_meanings(out, matrix);
}

/* ---- JSON ---- */

static void
json_words(struct str *out, const char *name, const struct words *words)
{
    json_key(out, name);
    str_putc(out, '[');
    for (size_t i = 0; i < words->list.n; i++) {
        json_comma(out);
        json_string(out, matrix_unquoted(words->list.at[i]));
    }
    str_putc(out, ']');
}

static void
json_bool(struct str *out, const char *name, bool value)
{
    json_key(out, name);
    str_puts(out, value ? "true" : "false");
}

static void
json_right(struct str *out, const struct right *right)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "role", matrix_unquoted(right->role));
    json_key_string(out, "command", right->command);
    json_words(out, "columns", &right->own);
    if (right->from != NULL) {
        json_key_string(out, "inherited_from", matrix_unquoted(right->from));
        json_words(out, "inherited_columns", &right->inherited);
    }
    if (right->rows != NULL)
        json_key_string(out, "rows", right->rows);
    if (right->new_row != NULL)
        json_key_string(out, "new_row", right->new_row);
    json_bool(out, "unchecked", right->unchecked);
    str_putc(out, '}');
}

static void
json_route(struct str *out, const struct fact *fact)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "route", fact->name);
    json_words(out, "verbs", &fact->names);
    json_bool(out, "service_role_alone", fact->service_alone);
    str_putc(out, '}');
}

static void
json_marks(struct str *out, const char *name, const struct section *section)
{
    json_key(out, name);
    str_putc(out, '[');
    for (size_t i = 0; i < section->facts.n; i++) {
        if (section->facts.at[i].kind != FACT_MARK)
            continue;
        json_comma(out);
        json_string(out, section->facts.at[i].line);
    }
    str_putc(out, ']');
}

static void
json_section(struct str *out, const struct section *section, const struct rights *rights)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "kind", section->kind);
    json_key_string(out, "name", matrix_unquoted(section->name));
    json_key(out, "routes");
    str_putc(out, '[');
    for (size_t i = 0; i < section->facts.n; i++)
        if (section->facts.at[i].kind == FACT_ROUTE)
            json_route(out, &section->facts.at[i]);
    str_putc(out, ']');
    json_marks(out, "marks", section);
    json_key(out, "rights");
    str_putc(out, '[');
    for (size_t i = 0; i < rights->n; i++)
        json_right(out, &rights->at[i]);
    str_puts(out, "]}");
}

void
view_print_json(struct str *out, const struct matrix *matrix, const struct view *view)
{
    str_putc(out, '{');
    json_marks(out, "facts", &matrix->top);
    json_key(out, "objects");
    str_putc(out, '[');
    for (size_t i = 0; i < matrix->sections.n; i++) {
        struct rights rights = rights_of(matrix->sections.at[i], view);

        if (is_shown(matrix->sections.at[i], view, &rights))
            json_section(out, matrix->sections.at[i], &rights);
    }
    str_puts(out, "]}\n");
}

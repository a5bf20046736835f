/* SPDX-License-Identifier: MIT */
/* Changes as text, as JSON, and as a table that a pull request's comment can show. */
#include <string.h>

#include "base/json.h"
#include "review/compare.h"

static const char *const words_of[DIRECTIONS] = {"narrowed", "widened", "changed"};

static const char *
joined(const struct words *words)
{
    struct str str = {0};

    str_puts(&str, "");
    for (size_t i = 0; i < words->list.n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : ", ", words->list.at[i]);
    return str.at;
}

/* "table ticket: support update columns" */
static const char *
subject(const struct change *change)
{
    struct str str = {0};

    str_puts(&str, change->where);
    str_puts(&str, *change->where != '\0' ? ": " : "");
    if (change->role != NULL)
        str_printf(&str, "%s ", change->role);
    if (change->command == NULL)
        str_puts(&str, change->what);
    else if (strcmp(change->what, "command") == 0)
        str_printf(&str, "may %s %s", change->direction == CHANGE_WIDENED ? "now" : "no longer",
                   change->command);
    else
        str_printf(&str, "%s %s", change->command, change->what);
    return str.at;
}

static void
print_line(struct str *out, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        str_printf(out, "  %s  %s\n", name, text);
}

static void
print_summary(struct str *out, const struct changes *changes)
{
    if (changes->list.n == 0) {
        str_puts(out, "nobody gained or lost anything\n");
        return;
    }
    str_printf(out, "%zu widened, %zu narrowed", changes->n[CHANGE_WIDENED],
               changes->n[CHANGE_NARROWED]);
    if (changes->n[CHANGE_CHANGED] > 0)
        str_printf(out, ", %zu changed so that it cannot be said which: counted as widened",
                   changes->n[CHANGE_CHANGED]);
    str_puts(out, "\n");
}

void
changes_print_text(struct str *out, const struct changes *changes)
{
    for (size_t i = 0; i < changes->list.n; i++) {
        const struct change *change = &changes->list.at[i];

        str_printf(out, "%-9s %s\n", words_of[change->direction], subject(change));
        print_line(out, "+   ", joined(&change->gained));
        print_line(out, "-   ", joined(&change->lost));
        print_line(out, "was ", change->was);
        print_line(out, "now ", change->now);
        print_line(out, "by  ", joined(&change->policies));
    }
    print_summary(out, changes);
}

/* ---- JSON ---- */

static void
json_optional(struct str *out, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        json_key_string(out, name, text);
}

static void
json_names(struct str *out, const char *name, const struct words *words)
{
    if (words->list.n == 0)
        return;
    json_key(out, name);
    str_putc(out, '[');
    for (size_t i = 0; i < words->list.n; i++) {
        json_comma(out);
        json_string(out, words->list.at[i]);
    }
    str_putc(out, ']');
}

static void
print_json_change(struct str *out, const struct change *change)
{
    json_comma(out);
    str_putc(out, '{');
    json_key_string(out, "direction", words_of[change->direction]);
    json_optional(out, "where", change->where);
    json_optional(out, "role", change->role);
    json_optional(out, "command", change->command);
    json_key_string(out, "what", change->what);
    json_names(out, "gained", &change->gained);
    json_names(out, "lost", &change->lost);
    json_optional(out, "was", change->was);
    json_optional(out, "now", change->now);
    json_names(out, "policies", &change->policies);
    str_putc(out, '}');
}

void
changes_print_json(struct str *out, const struct changes *changes)
{
    const char *result = changes->list.n == 0     ? "same"
                         : changes_widen(changes) ? "widened"
                                                  : "narrowed";

    str_putc(out, '{');
    json_key_string(out, "result", result);
    for (int i = 0; i < DIRECTIONS; i++)
        json_key_number(out, words_of[i], changes->n[i]);
    json_key(out, "changes");
    str_putc(out, '[');
    for (size_t i = 0; i < changes->list.n; i++)
        print_json_change(out, &changes->list.at[i]);
    str_puts(out, "]}\n");
}

/* ---- Markdown ---- */

/* In a cell of a table, with nothing in it that has a meaning there. */
static void
add_cell(struct str *out, const char *text)
{
    static const char special[] = "|`*_<>[]()#!\\&~$@:";

    for (; *text != '\0'; text++)
        if (strchr(special, *text) != NULL)
            str_printf(out, "&#%d;", *text);
        else
            str_putc(out, *text);
}

static void
add_detail(struct str *out, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    str_printf(out, "%s%s ", out->at[out->n - 1] == ' ' ? "" : "<br>", name);
    add_cell(out, text);
}

void
changes_print_markdown(struct str *out, const struct changes *changes)
{
    static const char *const marks[DIRECTIONS] = {"narrowed", "**widened**",
                                                  "**changed**: cannot say which"};

    str_puts(out, "### Who may do what\n\n");
    if (changes->list.n > 0)
        str_puts(out, "| | where | what changed |\n|---|---|---|\n");
    for (size_t i = 0; i < changes->list.n; i++) {
        const struct change *change = &changes->list.at[i];

        str_printf(out, "| %s | ", marks[change->direction]);
        add_cell(out, subject(change));
        str_puts(out, " | ");
        add_detail(out, "gained", joined(&change->gained));
        add_detail(out, "lost", joined(&change->lost));
        add_detail(out, "was", change->was);
        add_detail(out, "now", change->now);
        add_detail(out, "by", joined(&change->policies));
        str_puts(out, " |\n");
    }
    str_puts(out, changes->list.n > 0 ? "\n" : "");
    print_summary(out, changes);
}

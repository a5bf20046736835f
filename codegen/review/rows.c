/* SPDX-License-Identifier: MIT */
#include "review/rows.h"

#include <string.h>

#include "base/str.h"

static bool
is_about(const struct fact *fact, const char *role, const char *command)
{
    return (fact->kind == FACT_ROWS || fact->kind == FACT_NEW_ROW) &&
           strcmp(fact->role, role) == 0 && strcmp(fact->command, command) == 0;
}

static bool
has_new_row(const struct section *section, const struct fact *of)
{
    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (fact->kind == FACT_NEW_ROW && is_about(fact, of->role, of->command) &&
            strcmp(fact->policy, of->policy) == 0)
            return true;
    }
    return false;
}

bool
rows_is_fact(const struct section *section, const struct fact *fact, const char *role,
             const char *command, bool new_row)
{
    if (!is_about(fact, role, command))
        return false;
    if (!new_row)
        return fact->kind == FACT_ROWS;
    return fact->kind == FACT_NEW_ROW || !has_new_row(section, fact);
}

struct side {
    VEC(const struct condition *) conditions;
    struct words texts;
};

static void
add_side(struct side *side, const struct fact *fact)
{
    vec_push(&side->conditions, condition_read(fact->text));
    if (!words_contain(&side->texts, fact->text))
        words_add(&side->texts, fact->text);
}

/* "(a) or (b)"; alone without parentheses. */
static const char *
joined_text(const struct words *texts, const char *between)
{
    struct str str = {0};

    if (texts->list.n == 1)
        return texts->list.at[0];
    str_puts(&str, "");
    for (size_t i = 0; i < texts->list.n; i++)
        str_printf(&str, "%s(%s)", i == 0 ? "" : between, texts->list.at[i]);
    return str.at;
}

static const char *
rows_text(const struct side *open, const struct side *only)
{
    const char *rows = open->texts.list.n == 0 ? "no row"
                       : words_contain(&open->texts, "every row")
                           ? "every row"
                           : joined_text(&open->texts, " or ");

    if (only->texts.list.n == 0)
        return rows;
    return arena_printf(open->texts.list.n > 1 ? "(%s) and only %s" : "%s and only %s", rows,
                        joined_text(&only->texts, " and "));
}

struct rows
rows_of(const struct section *section, const char *role, const char *command, bool new_row)
{
    struct side open = {0}, only = {0};
    const struct condition *both[2];
    struct rows rows = {0};

    for (size_t i = 0; i < section->facts.n; i++)
        if (rows_is_fact(section, &section->facts.at[i], role, command, new_row))
            add_side(section->facts.at[i].restrictive ? &only : &open, &section->facts.at[i]);
    both[0] = condition_join(open.conditions.at, open.conditions.n, false);
    both[1] = condition_join(only.conditions.at, only.conditions.n, true);
    rows.condition = condition_join(both, only.conditions.n > 0 ? 2 : 1, true);
    rows.text = rows_text(&open, &only);
    rows.any = open.conditions.n + only.conditions.n > 0;
    return rows;
}

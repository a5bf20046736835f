/* SPDX-License-Identifier: MIT */
#include "review/compare_parts.h"

#include <string.h>

#include "review/rows.h"

static const struct section nothing = {.kind = "", .name = "", .heading = ""};

struct change *
compare_add(struct comparing *c, enum direction direction, const char *what)
{
    struct change change = {.direction = direction, .what = what};

    change.where = c->now->heading[0] != '\0' ? c->now->heading : c->was->heading;
    vec_push(&c->changes->list, change);
    c->changes->n[direction]++;
    return &c->changes->list.at[c->changes->list.n - 1];
}

struct words
compare_without(const struct words *a, const struct words *b)
{
    struct words rest = {0};

    for (size_t i = 0; i < a->list.n; i++)
        if (!words_contain(b, a->list.at[i]))
            words_add(&rest, a->list.at[i]);
    return rest;
}

static void
add_new(struct words *words, const char *word)
{
    if (!words_contain(words, word))
        words_add(words, word);
}

/* ---- columns ---- */

/* Own and inherited together; false: the role may not do it at all. */
static bool
columns_of(const struct section *section, const char *role, const char *command,
           struct words *columns)
{
    bool may = false;

    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (fact->kind != FACT_MAY || strcmp(fact->role, role) != 0 ||
            strcmp(fact->command, command) != 0)
            continue;
        may = true;
        for (size_t n = 0; n < fact->names.list.n; n++)
            add_new(columns, fact->names.list.at[n]);
    }
    return may;
}

static struct change *
add_right(struct comparing *c, enum direction direction, const char *role, const char *command,
          const char *what)
{
    struct change *change = compare_add(c, direction, what);

    change->role = role;
    change->command = command;
    return change;
}

static void
compare_columns(struct comparing *c, const char *role, const char *command, const struct words *was,
                const struct words *now)
{
    struct words gained = compare_without(now, was), lost = compare_without(was, now);

    if (gained.list.n > 0)
        add_right(c, CHANGE_WIDENED, role, command, "columns")->gained = gained;
    if (lost.list.n > 0)
        add_right(c, CHANGE_NARROWED, role, command, "columns")->lost = lost;
}

/* ---- rows ---- */

static const struct fact *
find_policy(const struct section *section, const struct fact *of, bool new_row)
{
    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (rows_is_fact(section, fact, of->role, of->command, new_row) &&
            strcmp(fact->policy, of->policy) == 0)
            return fact;
    }
    return NULL;
}

/* The policies of `a` that are not in `b`; with `how` NULL those that are, but differ. */
static void
note_policies(struct change *change, const struct section *a, const struct section *b,
              const char *how)
{
    bool new_row = strcmp(change->what, "new row") == 0;

    for (size_t i = 0; i < a->facts.n; i++) {
        const struct fact *fact = &a->facts.at[i], *other;
        bool differs;

        if (!rows_is_fact(a, fact, change->role, change->command, new_row))
            continue;
        other = find_policy(b, fact, new_row);
        differs = other != NULL &&
                  (strcmp(other->text, fact->text) != 0 || other->restrictive != fact->restrictive);
        if (how != NULL && other == NULL)
            words_add(&change->policies, arena_printf("%s %s", fact->policy, how));
        else if (how == NULL && differs)
            words_add(&change->policies, arena_printf("%s changed", fact->policy));
    }
}

static void
compare_rows(struct comparing *c, const char *role, const char *command, bool new_row)
{
    struct rows was = rows_of(c->was, role, command, new_row);
    struct rows now = rows_of(c->now, role, command, new_row);
    bool narrows, widens;
    struct change *change;

    if (!was.any && !now.any)
        return;
    narrows = condition_implies(now.condition, c->new, was.condition, c->old);
    widens = condition_implies(was.condition, c->old, now.condition, c->new);
    if (narrows && widens)
        return;
    change = add_right(c,
                       narrows  ? CHANGE_NARROWED
                       : widens ? CHANGE_WIDENED
                                : CHANGE_CHANGED,
                       role, command, new_row ? "new row" : "rows");
    change->was = was.text;
    change->now = now.text;
    note_policies(change, c->was, c->now, "removed");
    note_policies(change, c->now, c->was, "added");
    note_policies(change, c->now, c->was, NULL);
}

static bool
says_new_row(const struct section *section, const char *role, const char *command)
{
    for (size_t i = 0; i < section->facts.n; i++)
        if (section->facts.at[i].kind == FACT_NEW_ROW &&
            strcmp(section->facts.at[i].role, role) == 0 &&
            strcmp(section->facts.at[i].command, command) == 0)
            return true;
    return false;
}

static void
compare_right(struct comparing *c, const char *role, const char *command)
{
    struct words was = {0}, now = {0};
    bool could = columns_of(c->was, role, command, &was);
    bool can = columns_of(c->now, role, command, &now);

    if (could && can) {
        compare_columns(c, role, command, &was, &now);
        compare_rows(c, role, command, false);
        if (says_new_row(c->was, role, command) || says_new_row(c->now, role, command))
            compare_rows(c, role, command, true);
    } else if (can) {
        struct rows rows = rows_of(c->now, role, command, strcmp(command, "insert") == 0);
        struct change *change = add_right(c, CHANGE_WIDENED, role, command, "command");

        change->gained = now;
        change->now = rows.any ? rows.text : NULL;
    } else if (could) {
        add_right(c, CHANGE_NARROWED, role, command, "command")->lost = was;
    }
}

/* ---- routes ---- */

static const struct fact *
find_route(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->facts.n; i++)
        if (section->facts.at[i].kind == FACT_ROUTE && strcmp(section->facts.at[i].name, name) == 0)
            return &section->facts.at[i];
    return NULL;
}

/* 0 closed, 1 open for the service key alone, 2 open. */
static int
openness(const struct fact *route)
{
    return route == NULL ? 0 : route->service_alone ? 1 : 2;
}

static const char *
openness_text(int openness)
{
    static const char *const texts[] = {"not served", "for service_role alone", "open"};

    return texts[openness];
}

static void
compare_route(struct comparing *c, const char *name)
{
    static const struct words none = {0};
    const struct fact *was = find_route(c->was, name), *now = find_route(c->now, name);
    int before = openness(was), after = openness(now);
    struct words gained = compare_without(now ? &now->names : &none, was ? &was->names : &none);
    struct words lost = compare_without(was ? &was->names : &none, now ? &now->names : &none);
    struct change *change;

    if (before == after && gained.list.n == 0 && lost.list.n == 0)
        return;
    change = compare_add(c,
                         after > before || (after == before && gained.list.n > 0) ? CHANGE_WIDENED
                                                                                  : CHANGE_NARROWED,
                         arena_printf("route %s", name));
    change->was = before != after ? openness_text(before) : NULL;
    change->now = before != after ? openness_text(after) : NULL;
    change->gained = before == after ? gained : none;
    change->lost = before == after ? lost : none;
}

/* ---- all of it ---- */

/* What either side speaks of, each once, in the order of the texts. */
struct subjects {
    struct words roles, commands, routes, marks;
};

static void
add_subjects(struct subjects *subjects, const struct section *section)
{
    for (size_t i = 0; i < section->facts.n; i++) {
        const struct fact *fact = &section->facts.at[i];

        if (fact->kind == FACT_ROUTE)
            add_new(&subjects->routes, fact->name);
        else if (fact->kind == FACT_MARK)
            add_new(&subjects->marks, fact->name);
        else
            add_new(&subjects->roles, fact->role), add_new(&subjects->commands, fact->command);
    }
}

static void
compare_section(struct comparing *c)
{
    struct subjects subjects = {0};

    add_subjects(&subjects, c->was);
    add_subjects(&subjects, c->now);
    for (size_t i = 0; i < subjects.routes.list.n; i++)
        compare_route(c, subjects.routes.list.at[i]);
    for (size_t i = 0; i < subjects.marks.list.n; i++)
        compare_mark(c, subjects.marks.list.at[i]);
    for (size_t i = 0; i < subjects.roles.list.n; i++)
        for (size_t k = 0; k < subjects.commands.list.n; k++)
            compare_right(c, subjects.roles.list.at[i], subjects.commands.list.at[k]);
}

static void
compare_sections(struct comparing *c, const struct matrix *of)
{
    for (size_t i = 0; i < of->sections.n; i++) {
        const struct section *section = of->sections.at[i];
        const struct section *was = matrix_find(c->old, section->kind, section->name);

        if (of == c->old && matrix_find(c->new, section->kind, section->name) != NULL)
            continue; /* told with those of the new one */
        c->was = of == c->old ? section : was != NULL ? was : &nothing;
        c->now = of == c->old ? &nothing : section;
        c->added = c->was == &nothing;
        c->removed = c->now == &nothing;
        compare_section(c);
    }
}

struct changes
compare_matrices(const struct matrix *old, const struct matrix *new)
{
    struct changes changes = {0};
    struct comparing c = {.old = old, .new = new, .changes = &changes};

    c.was = &old->top;
    c.now = &new->top;
    compare_section(&c);
    compare_sections(&c, new);
    compare_sections(&c, old);
    return changes;
}

bool
changes_widen(const struct changes *changes)
{
    return changes->n[CHANGE_WIDENED] + changes->n[CHANGE_CHANGED] > 0;
}

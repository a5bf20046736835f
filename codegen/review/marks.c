/* SPDX-License-Identifier: MIT */
/* Facts that are no right of one role: what a change of each of them means. */
#include <string.h>

#include "review/compare_parts.h"
#include "review/condition.h"

enum comparison_kind {
    BY_TEXT,
    BY_NAMES,     /* each one more widens */
    BY_EXCEPTION, /* each one more narrows */
    BY_CONDITION, /* of rows: none is every row */
    BY_BODY,      /* of a function: it decides alone where the function has the owner's rights */
    BY_NOTHING,   /* what it means is told elsewhere */
};

#define SILENT DIRECTIONS

struct rule {
    const char *begins;
    const char *holds; /* NULL: whatever else is in the name */
    enum comparison_kind kind;
    enum direction added, removed;
    bool always; /* told of a table, function, ... that is new or gone, too */
};

/* The first that fits. */
static const struct rule rules[] = {
    {"role ", NULL, BY_TEXT, SILENT, SILENT, true},
    {"claim ", NULL, BY_TEXT, SILENT, SILENT, true},
    {"predicate ", ", past the policies", BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"predicate ", ", lists the caller's rows", BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"predicate ", ", unchecked as the owner", BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"predicate ", NULL, BY_NOTHING, SILENT, SILENT, true},
    {"not served", NULL, BY_NOTHING, SILENT, SILENT, true},
    {"never served", NULL, BY_EXCEPTION, CHANGE_NARROWED, CHANGE_WIDENED, false},
    {"never written", NULL, BY_NOTHING, SILENT, SILENT, false},
    {"read past its policies", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, false},
    {"published ", NULL, BY_NOTHING, SILENT, SILENT, false},
    {"private, yet published", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"lists read", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, false},
    {"limited", NULL, BY_EXCEPTION, CHANGE_NARROWED, CHANGE_WIDENED, false},
    {"kept from", NULL, BY_NOTHING, SILENT, SILENT, false},
    {"made of", NULL, BY_TEXT, CHANGE_CHANGED, CHANGE_CHANGED, false},
    {"runs as the owner", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"runs unchecked", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"reads past", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"inserts past", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"updates past", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"deletes past", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"sends past", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"body", NULL, BY_BODY, SILENT, SILENT, false},
    {"after ", NULL, BY_NAMES, CHANGE_WIDENED, CHANGE_NARROWED, false},
    {"when", NULL, BY_CONDITION, CHANGE_NARROWED, CHANGE_WIDENED, false},
    {"rows", NULL, BY_CONDITION, CHANGE_NARROWED, CHANGE_WIDENED, false},
    {"asks for", NULL, BY_EXCEPTION, CHANGE_NARROWED, CHANGE_WIDENED, false},
    {"told ", NULL, BY_NOTHING, SILENT, SILENT, false},
    {"column ", NULL, BY_TEXT, SILENT, SILENT, false},
    {"site", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"redirect ", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"anonymous_sign_in", NULL, BY_TEXT, CHANGE_WIDENED, CHANGE_NARROWED, true},
    {"sql in ", NULL, BY_TEXT, CHANGE_CHANGED, CHANGE_CHANGED, true},
    /* triggers, parents, digests of raw SQL, and what another version may have */
    {"", NULL, BY_TEXT, CHANGE_CHANGED, CHANGE_CHANGED, false},
};

static const struct rule *
rule_of(const char *name)
{
    const struct rule *rule = rules;

    while (strncmp(name, rule->begins, strlen(rule->begins)) != 0 ||
           (rule->holds != NULL && strstr(name, rule->holds) == NULL))
        rule++;
    return rule;
}

/* Of a role: whoever it stands for.  What it inherits is in its rights.  Off is as if unsaid. */
static const char *
essence(const char *name, const char *text)
{
    const char *inherits = text != NULL ? strstr(text, ", and all that ") : NULL;

    if (strcmp(name, "anonymous_sign_in") == 0)
        return text != NULL && strncmp(text, "on", 2) == 0 ? text : NULL;
    if (inherits == NULL || strncmp(name, "role ", 5) != 0)
        return text;
    return arena_copy(text, (size_t)(inherits - text));
}

static void
tell(struct comparing *c, enum direction direction, const char *name, const char *was,
     const char *now)
{
    struct change *change = compare_add(c, direction, name);

    change->was = was != NULL ? was : "not said";
    change->now = now != NULL ? now : "not said";
}

static void
compare_names(struct comparing *c, const struct rule *rule, const char *name, const char *was,
              const char *now)
{
    struct words before = matrix_names(was != NULL ? was : "");
    struct words after = matrix_names(now != NULL ? now : "");
    struct words gained = compare_without(&after, &before);
    struct words lost = compare_without(&before, &after);

    if (gained.list.n > 0)
        compare_add(c, rule->kind == BY_NAMES ? CHANGE_WIDENED : CHANGE_NARROWED, name)->gained =
            gained;
    if (lost.list.n > 0)
        compare_add(c, rule->kind == BY_NAMES ? CHANGE_NARROWED : CHANGE_WIDENED, name)->lost =
            lost;
}

static void
compare_conditions(struct comparing *c, const char *name, const char *was, const char *now)
{
    const struct condition *before = condition_read(was), *after = condition_read(now);
    bool narrows = condition_implies(after, c->new, before, c->old);
    bool widens = condition_implies(before, c->old, after, c->new);

    if (!narrows || !widens)
        tell(c,
             narrows  ? CHANGE_NARROWED
             : widens ? CHANGE_WIDENED
                      : CHANGE_CHANGED,
             name, was, now);
}

static void
compare_both(struct comparing *c, const struct rule *rule, const char *name, const char *was,
             const char *now)
{
    bool owner =
        matrix_mark(c->was, "runs as the owner") && matrix_mark(c->now, "runs as the owner");

    if (rule->kind == BY_CONDITION)
        compare_conditions(c, name, was, now);
    else if (strcmp(was, now) != 0 &&
             (rule->kind == BY_TEXT || (rule->kind == BY_BODY && owner &&
                                        strcmp(condition_words(was), condition_words(now)) != 0)))
        tell(c, CHANGE_CHANGED, name, was, now);
}

void
compare_mark(struct comparing *c, const char *name)
{
    const char *was = essence(name, matrix_mark(c->was, name));
    const char *now = essence(name, matrix_mark(c->now, name));
    const struct rule *rule = rule_of(name);

    if ((c->added || c->removed) && !rule->always)
        return;
    if (rule->kind == BY_NAMES || rule->kind == BY_EXCEPTION)
        compare_names(c, rule, name, was, now);
    else if (was != NULL && now != NULL)
        compare_both(c, rule, name, was, now);
    else if (was == NULL && now != NULL && rule->added != SILENT)
        tell(c, rule->added, name, was, now);
    else if (was != NULL && now == NULL && rule->removed != SILENT)
        tell(c, rule->removed, name, was, now);
}

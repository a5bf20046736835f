/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "review/condition_parts.h"

/* Comparisons of parts with parts; past it nothing is claimed. */
#define MAX_STEPS 100000
#define MAX_DEPTH 32 /* of predicates in predicates */

/* ---- comparing ---- */

struct comparison {
    const struct matrix *of_a, *of_b;
    int *steps;
    int depth;
};

static bool implies(struct comparison *c, const struct condition *a, const struct condition *b);

/*
 * The mark of a predicate; the words before its parameters are `predicate NAME(`.  More behind them
 * is about what it reaches.
 */
static const struct fact *
find_predicate(const struct matrix *matrix, const char *name)
{
    for (size_t i = 0; i < matrix->top.facts.n; i++) {
        const struct fact *fact = &matrix->top.facts.at[i];
        const char *end;

        if (strncmp(fact->name, "predicate ", 10) != 0 || fact->name[strlen(fact->name) - 1] != ')')
            continue;
        end = strrchr(fact->name, '(');
        if (end != NULL &&
            strcmp(matrix_unquoted(arena_copy(fact->name + 10, (size_t)(end - fact->name) - 10)),
                   name) == 0)
            return fact;
    }
    return NULL;
}

/* The claim of that name is the same in both. */
static bool
same_claim(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->of_a->top.facts.n; i++) {
        const struct fact *fact = &c->of_a->top.facts.at[i];
        const char *other;

        if (strncmp(fact->name, "claim ", 6) != 0 ||
            strcmp(matrix_unquoted(fact->name + 6), name) != 0)
            continue;
        other = matrix_mark(&c->of_b->top, fact->name);
        return other != NULL && strcmp(other, fact->text) == 0;
    }
    return true;
}

static bool
meaning_implies(struct comparison *c, const char *predicate)
{
    const struct fact *a = find_predicate(c->of_a, predicate);
    const struct fact *b = find_predicate(c->of_b, predicate);
    struct comparison inside = *c;

    if (a == NULL || b == NULL)
        return a == NULL && b == NULL;
    inside.depth++;
    return strcmp(a->name, b->name) == 0 && inside.depth < MAX_DEPTH &&
           implies(&inside, condition_read(a->text), condition_read(b->text));
}

static bool
same_mark(const struct section *a, const struct section *b, const char *name)
{
    const char *left = matrix_mark(a, name), *right = matrix_mark(b, name);

    if (left == NULL || right == NULL)
        return left == right;
    return strcmp(left, right) == 0 || strcmp(condition_words(left), condition_words(right)) == 0;
}

/* A function of that name says the same in both. */
static bool
same_function(const struct comparison *c, const char *name)
{
    static const char *const marks[] = {"runs as the owner", "body", "unchecked"};
    const char *written = matrix_quoted(name);
    const struct section *a = matrix_find(c->of_a, "function", written);
    const struct section *b = matrix_find(c->of_b, "function", written);

    if (a == NULL || b == NULL)
        return a == b;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (!same_mark(a, b, marks[i]))
            return false;
    return true;
}

/* All that is named in it means the same in both. */
static bool
same_meaning(struct comparison *c, const struct words *names)
{
    for (size_t i = 0; i < names->list.n; i++) {
        struct comparison back = {c->of_b, c->of_a, c->steps, c->depth};
        const char *name = names->list.at[i];

        if (!same_claim(c, name) || !same_function(c, name) || !meaning_implies(c, name) ||
            !meaning_implies(&back, name))
            return false;
    }
    return true;
}

static bool
call_implies(struct comparison *c, const struct condition *a)
{
    struct words others = {0};

    for (size_t i = 0; i < a->names.list.n; i++)
        if (strcmp(a->names.list.at[i], a->call) != 0)
            words_add(&others, a->names.list.at[i]);
    return same_function(c, a->call) && meaning_implies(c, a->call) && same_meaning(c, &others);
}

static bool
part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    if (a->kind != b->kind || strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->values.list.n; i++)
        if (!words_contain(&b->values, a->values.list.at[i]))
            return false;
    if (a->call != NULL)
        return call_implies(c, a);
    return same_meaning(c, &a->names);
}

static bool
some_part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < a->parts.n; i++)
        if (implies(c, a->parts.at[i], b))
            return true;
    return false;
}

static bool
implies_some_part(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < b->parts.n; i++)
        if (implies(c, a, b->parts.at[i]))
            return true;
    return false;
}

static bool
every_part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < a->parts.n; i++)
        if (!implies(c, a->parts.at[i], b))
            return false;
    return true;
}

static bool
implies_every_part(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < b->parts.n; i++)
        if (!implies(c, a, b->parts.at[i]))
            return false;
    return true;
}

/* False < null < true, and `and`, `or` are the least and the greatest: `not` turns it around. */
static bool
implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    if (--*c->steps < 0)
        return false;
    if (a->kind == COND_FALSE || b->kind == COND_TRUE)
        return true;
    if (a->kind == COND_OR)
        return every_part_implies(c, a, b);
    if (b->kind == COND_AND)
        return implies_every_part(c, a, b);
    if (a->kind == COND_NOT && b->kind == COND_NOT) {
        struct comparison back = {c->of_b, c->of_a, c->steps, c->depth};

        if (implies(&back, b->parts.at[0], a->parts.at[0]))
            return true;
    }
    if (a->kind == COND_AND && some_part_implies(c, a, b))
        return true;
    if (b->kind == COND_OR && implies_some_part(c, a, b))
        return true;
    return a->kind >= COND_IN && b->kind >= COND_IN && part_implies(c, a, b);
}

bool
condition_implies(const struct condition *a, const struct matrix *of_a, const struct condition *b,
                  const struct matrix *of_b)
{
    int steps = MAX_STEPS;
    struct comparison c = {of_a, of_b, &steps, 0};

    return implies(&c, a, b);
}

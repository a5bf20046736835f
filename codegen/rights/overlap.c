/* SPDX-License-Identifier: MIT */
/*
 * Permissive policies are joined by OR: one that asks for more than another of the same command
 * changes nothing.  It usually was meant to narrow, while the wide one went on deciding.  Found
 * where every condition of the wide policy, as joined by `and`, is one of the narrow policy's, too.
 */
#include "check/checker.h"

#include <string.h>

#include "model/walk.h"

struct conjunct_search {
    const struct expr *wanted;
    bool found;
};

static void
visit_candidate(const struct expr *expr, void *data)
{
    struct conjunct_search *search = data;

    if (check_same_expr(expr, search->wanted))
        search->found = true;
}

struct inclusion {
    const struct expr *narrow;
    bool holds;
};

static void
visit_wide(const struct expr *expr, void *data)
{
    struct inclusion *inclusion = data;
    struct conjunct_search search = {.wanted = expr};

    walk_conjuncts(inclusion->narrow, visit_candidate, &search);
    inclusion->holds = inclusion->holds && search.found;
}

static void
visit_broken(const struct expr *expr, void *data)
{
    bool *broken = data;

    *broken = *broken || check_is_broken(expr);
}

/* Whatever `narrow` admits, `wide` admits. */
static bool
admits_all(const struct expr *wide, const struct expr *narrow)
{
    struct inclusion inclusion = {.narrow = narrow, .holds = true};
    bool broken = false;

    if (!wide || !narrow)
        return !wide == !narrow;
    if (wide->kind == EXPR_PUBLIC)
        return true;
    walk_expr(wide, visit_broken, &broken);
    if (broken)
        return false;
    walk_conjuncts(wide, visit_wide, &inclusion);
    return inclusion.holds;
}

static const struct expr *
new_rows(const struct policy *policy)
{
    return policy->check_expr ? policy->check_expr : policy->using_expr;
}

static bool
applies_to_all_roles_of(const struct policy *wide, const struct policy *narrow)
{
    for (size_t i = 0; i < narrow->roles.n; i++)
        if (!policy_applies(wide, narrow->roles.at[i], narrow->table, narrow->command))
            return false;
    return narrow->roles.n > 0;
}

static bool
makes_useless(const struct policy *wide, const struct policy *narrow)
{
    bool writes = narrow->command == CMD_INSERT || narrow->command == CMD_UPDATE;

    return !wide->restrictive && !narrow->restrictive && applies_to_all_roles_of(wide, narrow) &&
           admits_all(wide->using_expr, narrow->using_expr) &&
           (!writes || admits_all(new_rows(wide), new_rows(narrow)));
}

static void
report(const struct policy *wide, const struct policy *narrow)
{
    struct diag *diag = diag_at(narrow->span, PGS3029_POLICY_ADDS_NOTHING,
                                "policy \"%s\" on \"%s\" adds nothing: \"%s\" already admits "
                                "every row that it admits",
                                narrow->name, narrow->table->name, wide->name);

    diag_note(diag, wide->span, "\"%s\" is here", wide->name);
    diag_hint(diag, "policies of one role and command are joined by OR: drop one, or write `as "
                    "restrictive` to join by AND");
}

static bool
is_same_declaration(const struct policy *a, const struct policy *b)
{
    return a->table == b->table && strcmp(a->name, b->name) == 0;
}

/* Of two that are the same the later one is useless. */
static const struct policy *
find_wider(const struct policy *narrow)
{
    const struct table *table = narrow->table;
    bool before = true;

    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *wide = table->policies.at[i];

        if (wide == narrow)
            before = false;
        else if (!is_same_declaration(wide, narrow) && makes_useless(wide, narrow) &&
                 (before || !makes_useless(narrow, wide)))
            return wide;
    }
    return NULL;
}

/* A declaration is useless when it is so for each of its commands, which stand side by side. */
void
check_overlap(struct checker *checker)
{
    const struct model *model = checker->model;
    size_t next;

    for (size_t first = 0; first < model->policies.n; first = next) {
        const struct policy *narrow = model->policies.at[first];
        const struct policy *wide = find_wider(narrow);

        for (next = first + 1;
             next < model->policies.n && is_same_declaration(model->policies.at[next], narrow);
             next++)
            wide = wide && find_wider(model->policies.at[next]) ? wide : NULL;
        if (wide) {
            report(wide, narrow);
            vec_push(&checker->overlapping, narrow->table);
        }
    }
}

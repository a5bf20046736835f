/* SPDX-License-Identifier: MIT */
/*
 * Values of enumerations: PostgreSQL adds and renames them, but cannot take one away or move it,
 * and lets nobody use a new one in the transaction that adds it.
 */
#include <string.h>

#include "change/change.h"

/* ---- gone, moved ---- */

/* Its place among the values of today; -1: it is gone. */
static int
label_now(const struct enumeration *now, const char *label)
{
    for (size_t i = 0; i < now->labels.n; i++)
        if (strcmp(now->labels.at[i], label) == 0 ||
            (now->label_was.at[i] && strcmp(now->label_was.at[i], label) == 0))
            return (int)i;
    return -1;
}

static void
report_gone(const struct change *change, const struct enumeration *last,
            const struct enumeration *now, size_t gone)
{
    struct span span = now->span;
    const char *maybe = NULL;
    struct diag *diag;

    for (size_t i = 0; i < now->labels.n && !maybe; i++)
        if (!now->label_was.at[i] && change_is_new_label(change, now, now->labels.at[i])) {
            maybe = now->labels.at[i];
            span = now->label_spans.at[i];
        }
    diag = diag_at(span, PGS4502_LABEL_GONE,
                   "value '%s' of \"%s\" is gone, and PostgreSQL cannot take it away",
                   last->labels.at[gone], now->name);
    diag_note(diag, last->label_spans.at[gone], "it was here");
    if (maybe)
        diag_hint(diag,
                  "write `'%s' was '%s'` to rename it; else keep it, and refuse it by a "
                  "`check` where it may no longer be",
                  maybe, last->labels.at[gone]);
    else
        diag_hint(diag, "keep it, and refuse it by a `check` where it may no longer be");
}

static void
look_at_type(const struct change *change, const struct enumeration *last,
             const struct enumeration *now)
{
    int before = -1;
    bool told = false;

    for (size_t i = 0; i < last->labels.n; i++) {
        int at = label_now(now, last->labels.at[i]);

        if (at < 0) {
            report_gone(change, last, now, i);
        } else if (at < before && !told) {
            struct diag *diag = diag_at(now->label_spans.at[at], PGS4517_LABEL_MOVED,
                                        "value '%s' of \"%s\" stood elsewhere, and PostgreSQL "
                                        "cannot move it",
                                        now->labels.at[at], now->name);

            diag_note(diag, last->label_spans.at[i], "it was here");
            diag_hint(diag, "keep the old order; new values may stand anywhere among them");
            told = true;
        } else {
            before = at;
        }
    }
}

void
change_check_types(const struct change *change)
{
    for (size_t i = 0; i < change->last->enumerations.n; i++) {
        const struct enumeration *last = change->last->enumerations.at[i];
        const struct enumeration *now = change_type_now(change, last);

        if (now && now->label_was.n == now->labels.n)
            look_at_type(change, last, now);
    }
}

/* ---- I55: new, and used ---- */

struct label_use {
    const struct change *change;
    VEC(struct span) told; /* the policies of one declaration share their expressions */
};

static bool
is_told(struct label_use *use, struct span span)
{
    for (size_t i = 0; i < use->told.n; i++)
        if (check_same_place(use->told.at[i], span))
            return true;
    vec_push(&use->told, span);
    return false;
}

static void
look_at(const struct expr *expr, void *data)
{
    struct label_use *use = data;
    struct diag *diag;

    if (expr->kind != EXPR_LITERAL || !expr->value || !expr->type.enumeration ||
        !change_is_new_label(use->change, expr->type.enumeration, expr->value) ||
        is_told(use, expr->span))
        return;
    diag = diag_at(expr->span, PGS4518_NEW_LABEL_USED,
                   "'%s' is new in this change and used in it: two transactions are needed",
                   expr->value);
    diag_hint(diag, "ship two migrations, the first with the value alone: a runner that joins "
                    "them in one transaction fails");
}

static void
look_into(struct label_use *use, const struct expr *expr)
{
    if (expr)
        walk_expr(expr, look_at, use);
}

static void
look_into_table(struct label_use *use, const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        look_into(use, table->columns.at[i]->default_expr);
        look_into(use, table->columns.at[i]->backfill);
        look_into(use, table->columns.at[i]->generated);
    }
    for (size_t i = 0; i < table->constraints.n; i++)
        look_into(use, table->constraints.at[i]->check);
    for (size_t i = 0; i < table->indexes.n; i++)
        look_into(use, table->indexes.at[i]->where);
    if (table->query)
        walk_select(table->query, look_at, use);
}

void
change_check_labels(const struct change *change)
{
    const struct model *now = change->now;
    struct label_use use = {.change = change};

    for (size_t i = 0; i < now->tables.n; i++)
        look_into_table(&use, now->tables.at[i]);
    for (size_t i = 0; i < now->predicates.n; i++)
        look_into(&use, now->predicates.at[i]->body);
    for (size_t i = 0; i < now->policies.n; i++) {
        look_into(&use, now->policies.at[i]->using_expr);
        look_into(&use, now->policies.at[i]->check_expr);
    }
    for (size_t i = 0; i < now->queries.n; i++)
        if (now->queries.at[i]->body)
            walk_select(now->queries.at[i]->body, look_at, &use);
}

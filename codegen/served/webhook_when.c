/* SPDX-License-Identifier: MIT */
/* A webhook's `when`: it becomes the condition of a trigger, which sees one row and nobody's token.
 */
#include <string.h>

#include "rights/fold.h"
#include "served/webhook.h"

struct look {
    const struct webhook *webhook;
    const struct expr *missing; /* old on insert, new on delete */
    const struct expr *outside; /* a sub-select, a claim, an aggregate */
    const struct expr *misses_null;
};

static bool
is_missing(const struct webhook *webhook, const struct expr *expr)
{
    return expr->kind == EXPR_COLUMN &&
           ((expr->range == webhook->old_row && webhook->events[CMD_INSERT]) ||
            (expr->range == webhook->new_row && webhook->events[CMD_DELETE]));
}

/* new.c <> old.c where c may be null: neither true when it comes nor when it goes. */
static bool
misses_null(const struct expr *expr)
{
    const struct expr *a, *b;

    if (expr->kind != EXPR_OP || strcmp(expr->name, "<>") != 0)
        return false;
    a = expr->args.at[0];
    b = expr->args.at[1];
    return a->kind == EXPR_COLUMN && b->kind == EXPR_COLUMN && a->column == b->column &&
           a->range != b->range && !a->column->not_null;
}

static void
visit(const struct expr *expr, void *data)
{
    struct look *look = data;

    if (!look->missing && is_missing(look->webhook, expr))
        look->missing = expr;
    if (!look->outside &&
        (expr->select || expr->is_auth || expr->kind == EXPR_CLAIM || expr->kind == EXPR_PREDICATE))
        look->outside = expr;
    if (!look->misses_null && misses_null(expr))
        look->misses_null = expr;
}

static void
report_missing(const struct webhook *webhook, const struct expr *expr)
{
    bool old = expr->range == webhook->old_row;
    struct diag *diag = diag_at(expr->span, PGS4179_WEBHOOK_ROW_MISSING,
                                "webhook \"%s\" reads `%s.%s`, but %s has no %s row", webhook->name,
                                old ? "old" : "new", expr->column->name,
                                old ? "an insert" : "a delete", old ? "old" : "new");

    diag_hint(diag, "declare two webhooks, one for each event");
}

static void
report_outside(const struct webhook *webhook, const struct expr *expr)
{
    struct diag *diag =
        diag_at(expr->span, PGS4189_WEBHOOK_WHEN,
                "webhook \"%s\" depends on %s: `when` sees the row alone", webhook->name,
                expr->select                   ? "other rows"
                : expr->kind == EXPR_PREDICATE ? "a predicate"
                                               : "who writes");

    diag_hint(diag, "compare columns of `new` and `old`; the receiver can tell the rest");
}

static void
check_constant(const struct webhook *webhook)
{
    struct assumption a = {0};
    struct diag *diag;

    if (check_fold(webhook->when, &a).kind == V_TRUE) {
        diag = diag_at(webhook->when->span, PGS4180_WEBHOOK_ALWAYS,
                       "the condition of webhook \"%s\" is always true", webhook->name);
        diag_hint(diag, "leave `when` out if each change is meant");
    } else if (check_is_never_true(webhook->when, &a)) {
        diag = diag_at(webhook->when->span, PGS4181_WEBHOOK_NEVER,
                       "the condition of webhook \"%s\" is never true", webhook->name);
        diag_hint(diag, "compare with `is null` or `is distinct from` where null is meant");
    }
}

static void
fix_unequal(struct diag *diag, const struct expr *expr)
{
    struct span span = {expr->span.file, expr->args.at[0]->span.end, expr->args.at[1]->span.start};
    const char *text = span.file ? span.file->text : "";

    while (span.start < span.end && text[span.start] == ' ')
        span.start++;
    while (span.start < span.end && text[span.end - 1] == ' ')
        span.end--;
    if (span.end == span.start + 2 &&
        (strncmp(text + span.start, "<>", 2) == 0 || strncmp(text + span.start, "!=", 2) == 0))
        diag_fix(diag, span, "is distinct from");
}

void
check_webhook_when(const struct webhook *webhook)
{
    struct look look = {.webhook = webhook};
    struct diag *diag;

    walk_expr(webhook->when, visit, &look);
    if (look.missing)
        report_missing(webhook, look.missing);
    else if (look.outside)
        report_outside(webhook, look.outside);
    else
        check_constant(webhook);
    if (!look.misses_null || look.missing || look.outside)
        return;
    diag = diag_at(look.misses_null->span, PGS4182_WEBHOOK_MISSES_NULL,
                   "webhook \"%s\" is silent when \"%s\" becomes null, or ceases to be: `<>` is "
                   "then not true",
                   webhook->name, look.misses_null->args.at[0]->column->name);
    diag_hint(diag, "write `is distinct from`");
    fix_unequal(diag, look.misses_null);
}

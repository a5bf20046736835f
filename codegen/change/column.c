/* SPDX-License-Identifier: MIT */
/* Columns that are new in a table that was there, and those that changed. */
#include <string.h>

#include "change/change.h"
#include "model/functions.h"

/* ---- new columns ---- */

static void
find_volatile(const struct expr *expr, void *data)
{
    const struct expr **found = data;
    const struct function *function =
        expr->kind == EXPR_CALL && !expr->is_auth && expr->name ? function_find(expr->name) : NULL;

    if (!*found && function && function->volatility == VOLATILE)
        *found = expr;
}

static bool
is_volatile(const struct expr *expr)
{
    const struct expr *found = NULL;

    walk_expr(expr, find_volatile, &found);
    return found != NULL;
}

static const char *
source_text(struct span span)
{
    return arena_printf("%.*s", (int)(span.end - span.start), span.file->text + span.start);
}

/* I53: each old row gets a value of its own, so that the table is written anew. */
static void
check_rewrite(const struct column *column)
{
    const char *table = column->table->name;
    struct diag *diag;

    if (column->generated) {
        diag = diag_at(column->generated->span, PGS4520_NEW_STORED,
                       "new column %s.%s is computed and stored: adding it rewrites \"%s\" under "
                       "an exclusive lock",
                       table, column->name, table);
        diag_hint(diag, "for a big table fill a plain column by `backfill`, or compute it in a "
                        "view");
    } else if (column->identity != IDENTITY_NONE) {
        diag = diag_at(column->span, PGS4519_NEW_VOLATILE_DEFAULT,
                       "new column %s.%s numbers all old rows: added in one step it rewrites "
                       "\"%s\" under an exclusive lock",
                       table, column->name, table);
        diag_hint(diag, "for a big table make a new one, or do it while nobody writes");
    } else if (column->default_expr && !column->backfill && is_volatile(column->default_expr)) {
        const char *text = source_text(column->default_expr->span);

        diag = diag_at(column->default_expr->span, PGS4519_NEW_VOLATILE_DEFAULT,
                       "new column %s.%s has a volatile default: added in one step it rewrites "
                       "\"%s\" under an exclusive lock",
                       table, column->name, table);
        diag_hint(diag,
                  "say `backfill %s`; the plan adds it nullable, sets the default, fills in "
                  "batches, then makes it not null",
                  text);
    }
}

static bool
fills_itself(const struct column *column)
{
    return column->default_expr || column->backfill || column->generated ||
           column->identity != IDENTITY_NONE;
}

static void
check_filled(const struct column *column)
{
    struct diag *diag;

    if (!column->not_null || fills_itself(column))
        return;
    diag = diag_at(column->span, PGS4510_NEW_NOT_NULL,
                   "new column %s.%s is not null, and old rows have nothing to put there",
                   column->table->name, column->name);
    diag_hint(diag, "say what they get: `backfill ...` for old rows alone, or `default ...`");
}

static bool
is_key_alone(const struct column *column, struct span *where)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        if ((key->kind == CONSTRAINT_UNIQUE || key->kind == CONSTRAINT_PRIMARY_KEY) &&
            key->columns.n == 1 && key->columns.at[0] == column) {
            *where = key->span;
            return true;
        }
    }
    return false;
}

/* Two old rows are enough. */
static void
check_unique_constant(const struct column *column)
{
    const struct expr *value = column->backfill ? column->backfill : column->default_expr;
    struct span where;
    struct diag *diag;

    if (!value || value->kind != EXPR_LITERAL ||
        (value->text && strcmp(value->text, "null") == 0) || !is_key_alone(column, &where))
        return;
    diag = diag_at(where, PGS4525_UNIQUE_CONSTANT,
                   "new column %s.%s is unique, and all old rows get the same value",
                   column->table->name, column->name);
    diag_note(diag, value->span, "this one");
    diag_hint(diag, "let each row have its own: `backfill gen_random_uuid()`, or leave it null");
}

/* ---- columns that were there ---- */

static void
check_becomes_not_null(const struct column *last, const struct column *now)
{
    struct diag *diag;

    if (last->not_null || !now->not_null || now->backfill)
        return;
    diag = diag_at(now->span, PGS4511_BECOMES_NOT_NULL,
                   "%s.%s becomes not null: a null in an old row would stop the migration",
                   now->table->name, now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "say `backfill ...`, what such rows get");
}

static void
check_identity(const struct column *last, const struct column *now)
{
    struct diag *diag;

    if ((last->identity == IDENTITY_NONE) == (now->identity == IDENTITY_NONE))
        return;
    diag = diag_at(now->span, PGS4532_IDENTITY_CHANGED,
                   now->identity != IDENTITY_NONE
                       ? "%s.%s begins to count at 1, where old rows have numbers already"
                       : "%s.%s no longer counts by itself: an insert without it is refused",
                   now->table->name, now->name);
    diag_note(diag, last->span, "it was here");
    if (now->identity != IDENTITY_NONE)
        diag_hint(diag,
                  "move the sequence behind them: `sql $$ select setval(pg_get_serial_"
                  "sequence('%s', '%s'), max(%s)) from %s $$;`",
                  now->table->name, now->name, now->name, now->table->name);
    else
        diag_hint(diag, "give it a default, or let clients send it");
}

static void
check_computed(const struct column *last, const struct column *now)
{
    struct diag *diag;

    if (now->generated && !last->generated) {
        diag = diag_at(now->generated->span, PGS4534_BECOMES_GENERATED,
                       "%s.%s was written and is computed now: the values that it has are lost",
                       now->table->name, now->name);
        diag_note(diag, last->span, "it was here");
        diag_hint(diag,
                  "add a column of another name, and `drop column %s` when nothing needs "
                  "the old values",
                  last->name);
    } else if (now->generated && last->generated &&
               !change_same_words(last->generated->span, now->generated->span)) {
        diag = diag_at(now->generated->span, PGS4520_NEW_STORED,
                       "%s.%s is computed in another way: all of \"%s\" is written anew under an "
                       "exclusive lock",
                       now->table->name, now->name, now->table->name);
        diag_note(diag, last->generated->span, "it was computed so");
        diag_hint(diag, "do it while few write");
    }
}

static void
check_published(const struct column *last, const struct column *now)
{
    struct diag *diag;

    if (!last->is_private || now->is_private)
        return;
    diag = diag_at(now->span, PGS4535_NO_LONGER_PRIVATE,
                   "%s.%s was private: from now on it is served to whoever is granted it",
                   now->table->name, now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "look at the grants of \"%s\"; write `private` again if this was not meant",
              now->table->name);
}

/* ---- all ---- */

static void
check_table(const struct change *change, const struct table *last, const struct table *now)
{
    for (size_t i = 0; i < now->columns.n; i++) {
        const struct column *column = now->columns.at[i];
        const struct column *before = change_column_before(last, column);

        if (change_is_suspect(change, column))
            continue;
        if (!before) {
            check_rewrite(column);
            check_filled(column);
            check_unique_constant(column);
            continue;
        }
        change_check_type_of(change, before, column);
        check_becomes_not_null(before, column);
        check_identity(before, column);
        check_computed(before, column);
        check_published(before, column);
    }
}

void
change_check_columns(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *now = change->now->tables.at[i];
        const struct table *last = now->builtin ? NULL : change_table_before(change, now);

        if (last && !now->is_view && !last->is_view)
            check_table(change, last, now);
    }
}

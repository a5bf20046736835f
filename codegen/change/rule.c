/* SPDX-License-Identifier: MIT */
/* What rows were held to or done to, and no longer are, or in another way. */
#include <string.h>

#include "change/change.h"

/* ---- references ---- */

static bool
columns_are_there(const struct constraint *last, const struct table *now)
{
    for (size_t i = 0; i < last->columns.n; i++)
        if (!change_column_now(now, last->columns.at[i]))
            return false;
    return true;
}

static void
check_action(const struct constraint *last, const struct constraint *now, const struct table *table)
{
    struct diag *diag;

    if (now->on_delete != FK_CASCADE || last->on_delete == FK_CASCADE)
        return;
    diag = diag_at(now->span, PGS4320_REFERENCE_DELETES,
                   "from now on a delete in \"%s\" deletes its rows of \"%s\", too",
                   now->target->name, table->name);
    diag_note(diag, last->span,
              last->on_delete == FK_SET_NULL || last->on_delete == FK_SET_DEFAULT
                  ? "it let go of them before"
                  : "it was refused before");
    diag_hint(diag, "keep it as it was, unless nothing of \"%s\" is wanted any more then",
              table->name);
}

static void
check_kept_reference(const struct change *change, const struct table *now,
                     const struct constraint *last)
{
    const struct table *target = last->target;
    struct diag *diag;

    for (size_t i = 0; i < now->constraints.n; i++) {
        const struct constraint *constraint = now->constraints.at[i];

        if (constraint->kind == CONSTRAINT_FOREIGN_KEY && constraint->target &&
            change_same_reference(change, now, constraint, last)) {
            check_action(last, constraint, now);
            return;
        }
    }
    if (!columns_are_there(last, now) || (!target->builtin && !change_table_now(change, target)))
        return;
    diag = diag_at(change_column_now(now, last->columns.at[0])->span, PGS4321_RULE_GONE,
                   "rows of \"%s\" may refer to nothing from now on: the reference to \"%s\" is "
                   "gone",
                   now->name, target->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "keep it, unless that is meant: what has lost its row is found by nobody");
}

/* ---- checks ---- */

struct reading {
    const struct table *last, *now;
    const struct change *change;
    bool differs; /* a column is gone, or has another name or type */
    bool is_read; /* by another check */
};

static void
note_difference(const struct expr *expr, void *data)
{
    struct reading *reading = data;
    const struct column *now;

    if (expr->kind != EXPR_COLUMN)
        return;
    now = change_column_now(reading->now, expr->column);
    if (!now || strcmp(now->name, expr->column->name) != 0 ||
        !change_same_type(reading->change, expr->column->type, now->type))
        reading->differs = true;
}

static void
note_name(const struct expr *expr, void *data)
{
    const char **name = data;

    if (expr->kind == EXPR_COLUMN && *name && strcmp(expr->column->name, *name) == 0)
        *name = NULL;
}

/* Some check of today that was not there reads one of its columns: it stands in its place. */
static void
note_replaced(const struct expr *expr, void *data)
{
    struct reading *reading = data;

    if (expr->kind != EXPR_COLUMN)
        return;
    for (size_t i = 0; i < reading->now->constraints.n; i++) {
        const struct constraint *other = reading->now->constraints.at[i];
        const char *name = expr->column->name;

        if (other->kind != CONSTRAINT_CHECK || !other->check)
            continue;
        walk_expr(other->check, note_name, &name);
        reading->is_read |= name == NULL;
    }
}

static void
check_check(const struct change *change, const struct table *now, const struct table *last,
            const struct constraint *constraint)
{
    struct reading reading = {.last = last, .now = now, .change = change};
    struct span words = constraint->check ? constraint->check->span : constraint->span;
    struct diag *diag;

    for (size_t i = 0; i < now->constraints.n; i++)
        if (now->constraints.at[i]->kind == CONSTRAINT_CHECK && now->constraints.at[i]->check &&
            constraint->check &&
            change_same_words(now->constraints.at[i]->check->span, constraint->check->span))
            return;
    if (!constraint->check)
        return;
    walk_expr(constraint->check, note_difference, &reading);
    walk_expr(constraint->check, note_replaced, &reading);
    if (reading.differs || reading.is_read)
        return;
    diag = diag_at(now->span, PGS4321_RULE_GONE, "rows of \"%s\" are no longer held to `%.*s`",
                   now->name, (int)(words.end - words.start), words.file->text + words.start);
    diag_note(diag, constraint->span, "it was here");
    diag_hint(diag, "keep the check, unless other values are meant");
}

/* ---- exclusions ---- */

static void
check_new_exclusion(const struct table *last, const struct constraint *now)
{
    struct diag *diag;

    for (size_t i = 0; i < now->columns.n; i++)
        if (!change_column_before(last, now->columns.at[i]))
            return;
    for (size_t i = 0; i < last->constraints.n; i++)
        if (last->constraints.at[i]->kind == CONSTRAINT_EXCLUDE &&
            change_same_words(last->constraints.at[i]->span, now->span))
            return;
    diag = diag_at(now->span, PGS4521_BECOMES_UNIQUE,
                   "this exclusion is new: two rows of \"%s\" that it keeps apart would stop the "
                   "migration",
                   last->name);
    diag_hint(diag, "look for such rows first; its index is built while nobody can write");
}

/* ---- defaults ---- */

/* Told where an insert that is granted can no longer work. */
static bool
is_told(const struct column *column)
{
    for (size_t i = 0; i < column->table->grants.n; i++) {
        const struct grant *grant = column->table->grants.at[i];

        if (grant->command == CMD_INSERT && !access_column(grant->role, column, CMD_INSERT))
            return true;
    }
    return false;
}

static void
check_default(const struct column *last, const struct column *now)
{
    struct diag *diag;

    if (!last->default_expr || !last->not_null || !now->not_null || now->default_expr ||
        now->generated || now->identity != IDENTITY_NONE || now->type.domain || is_told(now))
        return;
    diag = diag_at(now->span, PGS4322_DEFAULT_GONE,
                   "an insert without %s.%s is refused from now on: its default is gone",
                   now->table->name, now->name);
    diag_note(diag, last->default_expr->span, "it was here");
    diag_hint(diag, "keep it until no client of the last release is left");
}

/* ---- triggers ---- */

static bool
has_trigger_like(const struct model *now, const struct table *table, const struct trigger *last)
{
    for (size_t i = 0; i < now->triggers.n; i++) {
        const struct trigger *trigger = now->triggers.at[i];

        if (trigger->table == table && (strcmp(trigger->name, last->name) == 0 ||
                                        strcmp(trigger->function->name, last->function->name) == 0))
            return true;
    }
    return false;
}

/* What the trigger did to rows, or refused, nothing does any more. */
static void
check_trigger(const struct change *change, const struct trigger *last)
{
    const struct table *table = last->table->builtin ? NULL : change_table_now(change, last->table);
    struct diag *diag;

    if (!table || has_trigger_like(change->now, table, last))
        return;
    diag = diag_at(table->span, PGS4560_TRIGGER_GONE,
                   "trigger \"%s\" of \"%s\" is gone: nothing calls %s() for its rows any more",
                   last->name, table->name, last->function->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "keep it, unless what it wrote or refused is no longer wanted");
}

/* ---- all ---- */

static void
check_table(const struct change *change, const struct table *last, const struct table *now)
{
    for (size_t i = 0; i < last->constraints.n; i++) {
        const struct constraint *constraint = last->constraints.at[i];

        if (constraint->kind == CONSTRAINT_FOREIGN_KEY && constraint->target)
            check_kept_reference(change, now, constraint);
        else if (constraint->kind == CONSTRAINT_CHECK)
            check_check(change, now, last, constraint);
    }
    for (size_t i = 0; i < now->constraints.n; i++)
        if (now->constraints.at[i]->kind == CONSTRAINT_EXCLUDE)
            check_new_exclusion(last, now->constraints.at[i]);
    for (size_t i = 0; i < now->columns.n; i++) {
        const struct column *before = change_column_before(last, now->columns.at[i]);

        if (before)
            check_default(before, now->columns.at[i]);
    }
}

void
change_check_rules(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *now = change->now->tables.at[i];
        const struct table *last = now->builtin ? NULL : change_table_before(change, now);

        if (last && !now->is_view && !last->is_view && !now->partition_of == !last->partition_of)
            check_table(change, last, now);
    }
    for (size_t i = 0; i < change->last->triggers.n; i++)
        check_trigger(change, change->last->triggers.at[i]);
}

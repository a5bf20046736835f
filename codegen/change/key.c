/* SPDX-License-Identifier: MIT */
/* Keys, checks and references over rows that were there before them. */
#include <string.h>

#include "change/change.h"

VEC_STRUCT(key_columns, const struct column *);

struct key {
    struct span span;
    const char *what; /* "unique", "primary key" */
    struct key_columns columns;
    bool partial; /* of some rows only, or of expressions */
    bool is_primary;
};
VEC_STRUCT(keys, struct key);

/* ---- all that keeps rows apart ---- */

static void
add_constraint(struct keys *out, const struct constraint *constraint)
{
    struct key key = {.span = constraint->span};

    if (constraint->kind != CONSTRAINT_PRIMARY_KEY && constraint->kind != CONSTRAINT_UNIQUE)
        return;
    key.is_primary = constraint->kind == CONSTRAINT_PRIMARY_KEY;
    key.what = key.is_primary ? "a primary key" : "unique";
    for (size_t i = 0; i < constraint->columns.n; i++)
        vec_push(&key.columns, constraint->columns.at[i]);
    vec_push(out, key);
}

static void
add_index(struct keys *out, const struct index *index)
{
    struct key key = {.span = index->span, .what = "unique", .partial = index->where != NULL};

    if (!index->unique)
        return;
    for (size_t i = 0; i < index->items.n; i++) {
        if (index->items.at[i].column)
            vec_push(&key.columns, index->items.at[i].column);
        else
            key.partial = true;
    }
    vec_push(out, key);
}

static struct keys
keys_of(const struct table *table)
{
    struct keys keys = {0};

    for (size_t i = 0; i < table->constraints.n; i++)
        add_constraint(&keys, table->constraints.at[i]);
    for (size_t i = 0; i < table->indexes.n; i++)
        add_index(&keys, table->indexes.at[i]);
    return keys;
}

static bool
has_column(const struct key *key, const struct column *column)
{
    for (size_t i = 0; i < key->columns.n; i++)
        if (key->columns.at[i] == column)
            return true;
    return false;
}

/* Each column of `last`, as it is called now, is in `now`. */
static bool
covers(const struct key *now, const struct key *last, const struct table *table)
{
    for (size_t i = 0; i < last->columns.n; i++)
        if (!has_column(now, change_column_now(table, last->columns.at[i])))
            return false;
    return true;
}

/* ---- I57: keys that are new ---- */

static bool
is_kept_apart(const struct key *now, const struct keys *last, const struct table *table)
{
    for (size_t i = 0; i < last->n; i++)
        if (!last->at[i].partial && covers(now, &last->at[i], table))
            return true;
    return false;
}

/* The same index, its condition and expressions included, was there. */
static bool
was_there(const struct key *now, const struct keys *last, const struct table *table)
{
    for (size_t i = 0; i < last->n; i++) {
        const struct key *key = &last->at[i];

        if (key->partial == now->partial && key->columns.n == now->columns.n &&
            covers(now, key, table) && (!now->partial || change_same_words(key->span, now->span)))
            return true;
    }
    return false;
}

static bool
all_were_there(const struct key *key, const struct table *last)
{
    for (size_t i = 0; i < key->columns.n; i++)
        if (!change_column_before(last, key->columns.at[i]))
            return false;
    return true;
}

static const char *
column_list(const struct key *key, const char *table)
{
    const char *list = "";

    for (size_t i = 0; i < key->columns.n; i++)
        list = arena_printf("%s%s%s", list, i ? ", " : "", key->columns.at[i]->name);
    if (key->columns.n == 0)
        return arena_printf("\"%s\"", table);
    return key->columns.n == 1 ? arena_printf("%s.%s", table, list)
                               : arena_printf("(%s) of \"%s\"", list, table);
}

static void
check_new_key(const struct key *key, const struct keys *before, const struct table *last,
              const struct table *now)
{
    const char *list = key->columns.n > 0 ? "" : "...";
    struct diag *diag;

    if (!all_were_there(key, last) || is_kept_apart(key, before, now) ||
        was_there(key, before, now))
        return;
    diag = diag_at(key->span, PGS4521_BECOMES_UNIQUE,
                   "%s becomes %s: duplicates in old rows would stop the migration",
                   column_list(key, now->name), key->what);
    for (size_t i = 0; i < before->n; i++)
        if (key->is_primary && before->at[i].is_primary)
            diag_note(diag, before->at[i].span,
                      "it was this one: requests and references that name rows by it would fail");
    for (size_t i = 0; i < key->columns.n; i++)
        list = arena_printf("%s%s%s", list, i ? ", " : "", key->columns.at[i]->name);
    diag_hint(diag, "look first: `select %s, count(*) from %s group by %s having count(*) > 1`",
              list, now->name, list);
}

/* ---- keys that are gone ---- */

static bool
columns_are_there(const struct key *key, const struct table *now)
{
    for (size_t i = 0; i < key->columns.n; i++)
        if (!change_column_now(now, key->columns.at[i]))
            return false;
    return key->columns.n > 0;
}

/* Some key of today is made of columns of `last` alone. */
static bool
still_keeps_apart(const struct key *last, const struct key *now, const struct table *table)
{
    if (now->partial || now->columns.n == 0)
        return false;
    for (size_t i = 0; i < now->columns.n; i++) {
        bool found = false;

        for (size_t j = 0; j < last->columns.n; j++)
            found |= change_column_now(table, last->columns.at[j]) == now->columns.at[i];
        if (!found)
            return false;
    }
    return true;
}

/* Another primary key in place of this one: the new one is told of. */
static bool
is_moved(const struct key *key, const struct keys *now)
{
    for (size_t i = 0; i < now->n; i++)
        if (key->is_primary && now->at[i].is_primary)
            return true;
    return false;
}

static void
check_gone_key(const struct key *key, const struct keys *now, const struct table *table)
{
    struct diag *diag;

    if (key->partial || !columns_are_there(key, table) || is_moved(key, now))
        return;
    for (size_t i = 0; i < now->n; i++)
        if (still_keeps_apart(key, &now->at[i], table))
            return;
    diag = diag_at(table->span, PGS4524_KEY_GONE,
                   "%s is no longer %s: rows that were kept apart may become the same",
                   column_list(key, table->name), key->what);
    diag_note(diag, key->span, "it was here");
    diag_hint(diag, "keep it, unless duplicates are meant: upserts and references that rely on it "
                    "would fail");
}

/* ---- checks and references ---- */

/* x in ('a', 'b') was, x in ('a', 'b', 'c') is: no old row breaks it. */
static bool
is_longer_list(const struct expr *last, const struct expr *now)
{
    if (last->kind != EXPR_IN || now->kind != EXPR_IN || last->negated || now->negated ||
        last->select || now->select ||
        !change_same_words(last->args.at[0]->span, now->args.at[0]->span))
        return false;
    for (size_t i = 1; i < last->args.n; i++) {
        bool found = false;

        for (size_t j = 1; j < now->args.n; j++)
            found |= change_same_words(last->args.at[i]->span, now->args.at[j]->span);
        if (!found)
            return false;
    }
    return true;
}

static bool
had_check(const struct table *last, const struct constraint *constraint)
{
    for (size_t i = 0; i < last->constraints.n; i++) {
        const struct constraint *other = last->constraints.at[i];

        if (other->kind == CONSTRAINT_CHECK && other->check &&
            (change_same_words(other->check->span, constraint->check->span) ||
             is_longer_list(other->check, constraint->check)))
            return true;
    }
    return false;
}

struct look {
    const struct table *last;
    bool is_new;     /* it reads a column that was not there */
    bool is_renamed; /* the words differ though nothing changed */
};

static void
look_at(const struct expr *expr, void *data)
{
    struct look *look = data;
    const struct column *before;

    if (expr->kind != EXPR_COLUMN)
        return;
    before = change_column_before(look->last, expr->column);
    look->is_new |= before == NULL;
    look->is_renamed |= before && strcmp(before->name, expr->column->name) != 0;
}

static void
check_new_check(const struct table *last, const struct table *now,
                const struct constraint *constraint)
{
    struct look look = {.last = last};
    struct diag *diag;

    if (!constraint->check || had_check(last, constraint))
        return;
    walk_expr(constraint->check, look_at, &look);
    if (look.is_new || look.is_renamed)
        return;
    diag = diag_at(constraint->span, PGS4522_NEW_CHECK,
                   "this check is new: a row of \"%s\" that breaks it would stop the migration",
                   now->name);
    diag_hint(diag, "look first: `select count(*) from %s where not (%.*s)`", now->name,
              (int)(constraint->check->span.end - constraint->check->span.start),
              constraint->check->span.file->text + constraint->check->span.start);
}

/* The same columns of the same table, by the names of the last model. */
bool
change_same_reference(const struct change *change, const struct table *now,
                      const struct constraint *a, const struct constraint *b)
{
    if (b->kind != CONSTRAINT_FOREIGN_KEY || a->columns.n != b->columns.n)
        return false;
    if (b->target->builtin ? strcmp(a->target->name, b->target->name) != 0
                           : change_table_now(change, b->target) != a->target)
        return false;
    for (size_t i = 0; i < a->columns.n; i++)
        if (change_column_now(now, b->columns.at[i]) != a->columns.at[i])
            return false;
    return true;
}

static void
check_new_reference(const struct change *change, const struct table *last, const struct table *now,
                    const struct constraint *reference)
{
    struct key key = {0};
    struct diag *diag;

    for (size_t i = 0; i < last->constraints.n; i++)
        if (change_same_reference(change, now, reference, last->constraints.at[i]))
            return;
    for (size_t i = 0; i < reference->columns.n; i++)
        vec_push(&key.columns, reference->columns.at[i]);
    if (!reference->target || !all_were_there(&key, last))
        return;
    diag = diag_at(reference->span, PGS4523_NEW_REFERENCE,
                   "this reference is new: a row of \"%s\" that points at nothing would stop the "
                   "migration",
                   now->name);
    diag_hint(diag, "look first for rows of \"%s\" without their row in \"%s\"", now->name,
              reference->target->name);
}

/* ---- indexes ---- */

static bool
is_same_index(const struct table *table, const struct index *last, const struct index *now)
{
    if (last->items.n != now->items.n || !last->where != !now->where)
        return false;
    for (size_t i = 0; i < now->items.n; i++) {
        const struct index_item *before = &last->items.at[i], *item = &now->items.at[i];

        if (before->column
                ? change_column_now(table, before->column) != item->column
                : !item->expr || !change_same_words(before->expr->span, item->expr->span))
            return false;
    }
    return true;
}

static bool
was_index(const struct table *last, const struct table *table, const struct index *now)
{
    for (size_t i = 0; i < last->indexes.n; i++)
        if (is_same_index(table, last->indexes.at[i], now))
            return true;
    return false;
}

/* Its columns were there: there are rows to read. */
static bool
is_of_old_rows(const struct table *last, const struct index *now)
{
    for (size_t i = 0; i < now->items.n; i++)
        if (now->items.at[i].column && !change_column_before(last, now->items.at[i].column))
            return false;
    return true;
}

static void
check_new_index(const struct table *last, const struct table *table, const struct index *now)
{
    struct diag *diag;

    if (now->unique || was_index(last, table, now) || !is_of_old_rows(last, now))
        return;
    diag =
        diag_at(now->span, PGS4563_NEW_INDEX,
                "this index is new: built in one step it stops all writes to \"%s\" until it has "
                "read every row",
                table->name);
    diag_hint(diag, "for a big table build it first, outside of a migration: `create index "
                    "concurrently`");
}

/* ---- all ---- */

static void
check_table(const struct change *change, const struct table *last, const struct table *now)
{
    struct keys before = keys_of(last), keys = keys_of(now);

    for (size_t i = 0; i < keys.n; i++)
        check_new_key(&keys.at[i], &before, last, now);
    for (size_t i = 0; i < before.n; i++)
        check_gone_key(&before.at[i], &keys, now);
    for (size_t i = 0; i < now->constraints.n; i++) {
        const struct constraint *constraint = now->constraints.at[i];

        if (constraint->kind == CONSTRAINT_CHECK)
            check_new_check(last, now, constraint);
        else if (constraint->kind == CONSTRAINT_FOREIGN_KEY)
            check_new_reference(change, last, now, constraint);
    }
    for (size_t i = 0; i < now->indexes.n; i++)
        check_new_index(last, now, now->indexes.at[i]);
}

void
change_check_keys(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *now = change->now->tables.at[i];
        const struct table *last = now->builtin ? NULL : change_table_before(change, now);

        if (last && !now->is_view && !last->is_view && !now->partition_of == !last->partition_of)
            check_table(change, last, now);
    }
}

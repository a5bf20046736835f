/* SPDX-License-Identifier: MIT */
/* Partitions whose rows would have to move, and types that columns are made of. */
#include <string.h>

#include "change/change.h"

/* ---- partitions ---- */

static bool
same_values(const struct bound_values *a, const struct bound_values *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct bound_value *x = &a->at[i], *y = &b->at[i];

        if (!x->expr != !y->expr || !x->word != !y->word)
            return false;
        if (x->word ? strcmp(x->word, y->word) != 0
                    : x->expr && !change_same_words(x->expr->span, y->expr->span))
            return false;
    }
    return true;
}

static bool
same_bound(const struct partition_bound *a, const struct partition_bound *b)
{
    return a->kind == b->kind && a->modulus == b->modulus && a->remainder == b->remainder &&
           same_values(&a->from, &b->from) && same_values(&a->to, &b->to);
}

static void
check_bound(const struct table *last, const struct table *now)
{
    struct diag *diag;

    if (!last->bound || !now->bound || same_bound(last->bound, now->bound))
        return;
    diag = diag_at(now->span, PGS4323_BOUND_CHANGED,
                   "partition \"%s\" is to hold other rows than before, and PostgreSQL cannot move "
                   "its bound",
                   now->name);
    diag_note(diag, last->span, "it was here");
    diag_hint(diag, "leave it, and add a partition for what it does not hold; or make one of "
                    "another name, move the rows, and `drop table` this one");
}

static const struct table *
default_partition(const struct model *model, const struct table *parent)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->partition_of == parent && model->tables.at[i]->bound &&
            model->tables.at[i]->bound->kind == BOUND_DEFAULT)
            return model->tables.at[i];
    return NULL;
}

/* A new partition takes rows that the default one may have. */
static void
check_beside_default(const struct change *change, const struct table *now)
{
    const struct table *parent = change_table_before(change, now->partition_of);
    const struct table *rest = parent ? default_partition(change->last, parent) : NULL;
    struct diag *diag;

    if (!rest || !now->bound || now->bound->kind == BOUND_DEFAULT)
        return;
    diag = diag_at(now->span, PGS4324_DEFAULT_PARTITION_ROWS,
                   "a row of \"%s\" that belongs to the new partition \"%s\" would stop the "
                   "migration",
                   rest->name, now->name);
    diag_note(diag, rest->span, "it holds what no partition held");
    diag_hint(diag, "move such rows first; PostgreSQL reads all of \"%s\" meanwhile, under a lock",
              rest->name);
}

static void
check_changed_partitions(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++) {
        const struct table *now = change->now->tables.at[i];
        const struct table *last = now->builtin ? NULL : change_table_before(change, now);

        if (!now->partition_of)
            continue;
        if (last)
            check_bound(last, now);
        else
            check_beside_default(change, now);
    }
}

/* ---- composites ---- */

static const struct column *
field_named(const struct composite *type, const char *name)
{
    for (size_t i = 0; i < type->fields.n; i++)
        if (strcmp(type->fields.at[i]->name, name) == 0)
            return type->fields.at[i];
    return NULL;
}

static void
check_composite(const struct change *change, const struct composite *last,
                const struct composite *now)
{
    for (size_t i = 0; i < last->fields.n; i++) {
        const struct column *before = last->fields.at[i];
        const struct column *field = field_named(now, before->name);
        struct diag *diag;

        if (field && change_same_type(change, before->type, field->type))
            continue;
        diag = diag_at(field ? field->span : now->span, PGS4325_FIELD_GONE,
                       field ? "field \"%s\" of \"%s\" has another type: values that are stored "
                               "have the old one"
                             : "field \"%s\" of \"%s\" is gone, and with it what stored values "
                               "have there",
                       before->name, now->name);
        diag_note(diag, before->span, "it was here");
        diag_hint(diag, "keep it, and add a field; or make a type of another name, and a column of "
                        "that with `backfill`");
    }
}

/* ---- domains ---- */

static bool
had_check(const struct domain *last, const struct domain_check *check)
{
    for (size_t i = 0; i < last->checks.n; i++)
        if (last->checks.at[i].check && check->check &&
            change_same_words(last->checks.at[i].check->span, check->check->span))
            return true;
    return false;
}

/* A column of the last release that holds values of it. */
static const struct column *
column_of(const struct model *last, const struct domain *domain)
{
    for (size_t i = 0; i < last->tables.n; i++)
        for (size_t j = 0; j < last->tables.at[i]->columns.n; j++)
            if (last->tables.at[i]->columns.at[j]->type.domain == domain &&
                !last->tables.at[i]->is_view)
                return last->tables.at[i]->columns.at[j];
    return NULL;
}

static void
check_domain(const struct change *change, const struct domain *last, const struct domain *now)
{
    const struct column *column = column_of(change->last, last);
    struct diag *diag;

    if (!column)
        return;
    if (!change_same_type(change, last->type, now->type)) {
        diag = diag_at(now->span, PGS4326_DOMAIN_BASE,
                       "domain \"%s\" was %s and is %s now: PostgreSQL cannot change what it is "
                       "made of",
                       now->name, type_text(last->type), type_text(now->type));
        diag_note(diag, column->span, "values of it are here");
        diag_hint(diag, "make a domain of another name, and give the columns that type");
        return;
    }
    for (size_t i = 0; i < now->checks.n; i++) {
        if (had_check(last, &now->checks.at[i]))
            continue;
        diag = diag_at(now->checks.at[i].span, PGS4522_NEW_CHECK,
                       "this check is new: a value of %s.%s that breaks it would stop the "
                       "migration",
                       column->table->name, column->name);
        diag_hint(diag, "look for such values first, in each column of type \"%s\"", now->name);
    }
}

void
change_check_parts(const struct change *change)
{
    check_changed_partitions(change);
    for (size_t i = 0; i < change->last->types.n; i++)
        for (size_t j = 0; j < change->now->types.n; j++) {
            const struct defined_type *last = &change->last->types.at[i];
            const struct defined_type *now = &change->now->types.at[j];

            if (last->composite && now->composite &&
                strcmp(last->composite->name, now->composite->name) == 0)
                check_composite(change, last->composite, now->composite);
            if (last->domain && now->domain && strcmp(last->domain->name, now->domain->name) == 0)
                check_domain(change, last->domain, now->domain);
        }
}

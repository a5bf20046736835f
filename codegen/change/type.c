/* SPDX-License-Identifier: MIT */
/*
 * Columns of another type than before.  Some changes cut values, some stop at one that does not
 * fit, some have no cast, and most of the others write the table anew under an exclusive lock.
 */
#include <string.h>

#include "change/change.h"

static int
rank(enum type_kind kind)
{
    switch (kind) {
    case TYPE_INT2:
        return 1;
    case TYPE_INT4:
        return 2;
    case TYPE_INT8:
        return 3;
    case TYPE_FLOAT4:
        return 11;
    case TYPE_FLOAT8:
        return 12;
    default:
        return 0;
    }
}

static bool
is_time(enum type_kind kind)
{
    return kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMPTZ;
}

/* Something of the values is gone afterwards; NULL: nothing. */
static const char *
what_is_lost(struct type last, struct type now)
{
    int from = rank(last.kind), to = rank(now.kind);

    if (is_time(last.kind) && now.kind == TYPE_DATE)
        return "the time of day";
    if (is_time(last.kind) && now.kind == TYPE_TIME)
        return "the day";
    if (is_time(last.kind) && is_time(now.kind) && last.kind != now.kind)
        return "the time zone: each value is read in that of the session";
    if ((from > 10 || last.kind == TYPE_NUMERIC) && to > 0 && to < 10)
        return "what stands behind the point";
    if (last.kind == TYPE_NUMERIC && now.kind == TYPE_NUMERIC && now.precision &&
        (!last.precision || now.scale < last.scale))
        return "digits behind the point";
    if (to > 10 && (from == 3 || last.kind == TYPE_NUMERIC || from > to || (from == 2 && to == 11)))
        return "digits: a float keeps 7 or 15 of them";
    if (now.has_digits && (!last.has_digits || now.digits < last.digits))
        return "parts of a second";
    return NULL;
}

/* A value may not fit, and then the migration stops. */
static bool
may_not_fit(struct type last, struct type now)
{
    int from = rank(last.kind), to = rank(now.kind);

    if (from > 0 && to > 0 && from < 10 && to < from)
        return true;
    if (last.kind == TYPE_NUMERIC && now.kind == TYPE_NUMERIC && now.precision)
        return !last.precision || now.precision - now.scale < last.precision - last.scale;
    if (type_is_number(last) && now.kind == TYPE_NUMERIC && now.precision)
        return true;
    return now.length > 0 && (last.length == 0 || now.length < last.length);
}

/* PostgreSQL takes the bytes as they are. */
static bool
is_free(struct type last, struct type now)
{
    bool text = last.kind == TYPE_TEXT || last.kind == TYPE_VARCHAR;

    if (last.array != now.array)
        return false;
    if (text && (now.kind == TYPE_TEXT || now.kind == TYPE_VARCHAR))
        return now.length == 0 || (last.length > 0 && last.length <= now.length);
    if (last.kind == TYPE_NUMERIC && now.kind == TYPE_NUMERIC)
        return !now.precision ||
               (last.precision && last.scale == now.scale && last.precision <= now.precision);
    return last.kind == now.kind && last.kind != TYPE_ENUM && !now.length &&
           (!now.has_digits || (last.has_digits && last.digits <= now.digits));
}

static struct diag *
report(enum diag_code code, const struct column *last, const struct column *now, const char *what)
{
    struct diag *diag =
        diag_at(now->span, code, "%s.%s was %s and becomes %s: %s", now->table->name, now->name,
                type_text(last->type), type_text(now->type), what);

    diag_note(diag, last->span, "it was here");
    return diag;
}

/* A domain that changed is told of where it is declared. */
static bool
same_domain(struct type last, struct type now)
{
    return last.domain && now.domain && strcmp(last.domain->name, now.domain->name) == 0;
}

void
change_check_type_of(const struct change *change, const struct column *last,
                     const struct column *now)
{
    const char *lost;

    if (type_is_open(last->type) || type_is_open(now->type) ||
        change_same_type(change, last->type, now->type) || same_domain(last->type, now->type))
        return;
    if (last->type.array != now->type.array ||
        (last->type.kind == TYPE_ENUM && now->type.kind == TYPE_ENUM) ||
        type_cast_kind(last->type, now->type) < CAST_ASSIGNMENT)
        diag_hint(report(PGS4514_TYPE_WITHOUT_CAST, last, now,
                         "PostgreSQL does not convert the one to the other by itself"),
                  "add a column of the new type with `backfill`, and `drop column %s` when nothing "
                  "reads it any more",
                  last->name);
    else if ((lost = what_is_lost(last->type, now->type)))
        diag_hint(report(PGS4512_TYPE_LOSES, last, now, arena_printf("what is lost is %s", lost)),
                  "if the values are needed, add a column beside it");
    else if (is_free(last->type, now->type))
        return;
    else if (may_not_fit(last->type, now->type))
        diag_hint(report(PGS4513_TYPE_MAY_NOT_FIT, last, now,
                         "a value that does not fit stops the migration"),
                  "look for such values first; a `check` says the same without writing the table "
                  "anew");
    else
        diag_hint(report(PGS4515_TYPE_REWRITES, last, now,
                         "the table is written anew under an exclusive lock"),
                  "for a big table add a column with `backfill`, then drop the old one");
}

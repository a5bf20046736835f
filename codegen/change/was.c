/* SPDX-License-Identifier: MIT */
/* Former names: put into the model, and held against what was there. */
#include <string.h>

#include "change/change.h"

static bool
is_inside(struct span inner, struct span outer)
{
    return inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end;
}

static void
name_tables(struct checker *checker)
{
    for (size_t i = 0; i < checker->tables.n; i++) {
        checker->tables.at[i].table->was = checker->tables.at[i].ast->was.text;
        checker->tables.at[i].table->was_span = checker->tables.at[i].ast->was.span;
    }
}

static void
name_types(const struct checker *checker, struct enumeration *type)
{
    for (size_t i = 0; i < checker->ast->enums.n; i++) {
        const struct ast_enum *ast = checker->ast->enums.at[i];

        if (!is_inside(type->span, ast->span))
            continue;
        type->was = ast->was.text;
        type->was_span = ast->was.span;
        for (size_t j = 0; j < ast->label_was.n; j++)
            vec_push(&type->label_was, ast->label_was.at[j].text);
    }
}

static void
name_role(const struct checker *checker, struct role *role)
{
    for (size_t i = 0; i < checker->ast->roles.n; i++)
        if (is_inside(role->span, checker->ast->roles.at[i]->span)) {
            role->was = checker->ast->roles.at[i]->was.text;
            role->was_span = checker->ast->roles.at[i]->was.span;
        }
}

static void
name_policy(const struct checker *checker, struct policy *policy)
{
    for (size_t i = 0; i < checker->ast->policies.n; i++)
        if (is_inside(policy->span, checker->ast->policies.at[i]->span)) {
            policy->was = checker->ast->policies.at[i]->was.text;
            policy->was_span = checker->ast->policies.at[i]->was.span;
        }
}

void
check_former_names(struct checker *checker)
{
    struct model *model = checker->model;

    name_tables(checker);
    for (size_t i = 0; i < model->enumerations.n; i++)
        name_types(checker, model->enumerations.at[i]);
    for (size_t i = 0; i < model->roles.n; i++)
        if (!model->roles.at[i]->builtin)
            name_role(checker, model->roles.at[i]);
    for (size_t i = 0; i < model->policies.n; i++)
        name_policy(checker, model->policies.at[i]);
}

/* ---- against what was there ---- */

static void
report_unknown(struct span span, const char *name, const char *was, const char *const *known,
               size_t n)
{
    struct diag *diag = diag_at(span, PGS4527_WAS_UNKNOWN,
                                "\"%s\" cannot have been \"%s\": the last model has none of that "
                                "name",
                                name, was);

    check_suggest(diag, was, known, n);
    if (!diag_nearest(was, known, n))
        diag_hint(diag, "leave `was` out of what is new");
}

static void
report_twice(struct span span, const char *was, struct span first)
{
    struct diag *diag = diag_at(span, PGS4526_WAS_TWICE, "two cannot both have been \"%s\"", was);

    diag_note(diag, first, "the other one is here");
    diag_hint(diag, "one of them is new: leave its `was` out");
}

VEC_STRUCT(known_names, const char *);

/* The table of the last model that has such a column; NULL: none. */
static const struct table *
other_owner(const struct change *change, const char *column)
{
    for (size_t i = 0; i < change->last->tables.n; i++)
        if (!change->last->tables.at[i]->builtin && !change->last->tables.at[i]->is_view &&
            check_column_named(change->last->tables.at[i], column))
            return change->last->tables.at[i];
    return NULL;
}

static void
check_column(const struct change *change, const struct table *last, const struct column *column)
{
    const struct table *now = column->table, *other;
    struct known_names known = {0};

    for (size_t i = 0; i < now->columns.n && now->columns.at[i] != column; i++)
        if (now->columns.at[i]->was && strcmp(now->columns.at[i]->was, column->was) == 0)
            report_twice(column->was_span, column->was, now->columns.at[i]->was_span);
    if (check_column_named(last, column->name) || check_column_named(last, column->was))
        return;
    other = other_owner(change, column->was);
    if (other) {
        struct diag *diag = diag_at(column->was_span, PGS4527_WAS_UNKNOWN,
                                    "\"%s\" cannot have been \"%s\": that is a column of \"%s\"",
                                    column->name, column->was, other->name);

        diag_note(diag, check_column_named(other, column->was)->span, "it was here");
        diag_hint(diag, "a column stays in its table: write `backfill (select ...)` to take the "
                        "values over");
        return;
    }
    for (size_t i = 0; i < last->columns.n; i++)
        if (!check_column_named(now, last->columns.at[i]->name))
            vec_push(&known, last->columns.at[i]->name);
    report_unknown(column->was_span, column->name, column->was, known.at, known.n);
}

static void
check_table(const struct change *change, const struct table *now)
{
    const struct table *last = change_table_before(change, now);
    struct known_names known = {0};

    if (now->was && !last) {
        for (size_t i = 0; i < change->last->tables.n; i++)
            if (!change->last->tables.at[i]->builtin)
                vec_push(&known, change->last->tables.at[i]->name);
        report_unknown(now->was_span, now->name, now->was, known.at, known.n);
    }
    for (size_t i = 0; now->was && i < change->now->tables.n; i++) {
        const struct table *other = change->now->tables.at[i];

        if (other == now)
            continue;
        if (strcmp(other->name, now->was) == 0 && last && strcmp(last->name, now->name) != 0) {
            struct diag *diag = diag_at(now->was_span, PGS1155_WAS_TAKEN,
                                        "\"%s\" cannot have been \"%s\": that table is still there",
                                        now->name, now->was);
            diag_note(diag, other->span, "it is here");
            diag_hint(diag, "`was` gives the former name of a renamed table; to swap two names, "
                            "rename in two releases");
        } else if (other->was && strcmp(other->was, now->was) == 0 &&
                   other->span.start < now->span.start) {
            report_twice(now->was_span, now->was, other->was_span);
        }
    }
    for (size_t i = 0; last && i < now->columns.n; i++)
        if (now->columns.at[i]->was)
            check_column(change, last, now->columns.at[i]);
}

static void
look_at_type(const struct change *change, const struct enumeration *now)
{
    struct known_names known = {0};

    if (!now->was || change_type_before(change, now))
        return;
    for (size_t i = 0; i < change->last->enumerations.n; i++)
        vec_push(&known, change->last->enumerations.at[i]->name);
    report_unknown(now->was_span, now->name, now->was, known.at, known.n);
}

void
change_check_was(const struct change *change)
{
    for (size_t i = 0; i < change->now->tables.n; i++)
        if (!change->now->tables.at[i]->builtin && !change->now->tables.at[i]->is_view)
            check_table(change, change->now->tables.at[i]);
    for (size_t i = 0; i < change->now->enumerations.n; i++)
        look_at_type(change, change->now->enumerations.at[i]);
}

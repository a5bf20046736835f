/* SPDX-License-Identifier: MIT */
/*
 * Views.  A view may read one that stands later in the sources, so each is resolved when it is
 * first needed; one that is needed while it is being resolved reads itself.
 */
#include "check/checker.h"

#include <string.h>

static struct declared_view *
find_view(struct checker *checker, const struct table *table)
{
    for (size_t i = 0; i < checker->views.n; i++)
        if (checker->views.at[i].table == table)
            return &checker->views.at[i];
    return NULL;
}

static struct column *
add_column(struct table *view, struct span span, const char *name)
{
    struct column *same = check_column_named(view, name);
    struct column *column = arena_alloc(sizeof(*column));

    if (same) {
        struct diag *diag = diag_at(span, PGS1163_DUPLICATE_OUTPUT,
                                    "view \"%s\" has two columns \"%s\"", view->name, name);
        diag_note(diag, same->span, "the first one is here");
        diag_hint(diag, "give one an alias: `... as other_name`");
    }
    column->span = span;
    column->table = view;
    column->name = name;
    column->number = (int)view->columns.n;
    vec_push(&view->columns, column);
    return column;
}

static void
note_private(const struct expr *source, void *data)
{
    struct column *column = data;

    column->is_private |= source->column->is_private;
}

static void
columns_from_select(struct table *view)
{
    for (size_t i = 0; i < view->query->outputs.n; i++) {
        const struct output *output = &view->query->outputs.at[i];
        struct column *column;

        if (!output->name && check_is_broken(output->expr))
            continue;
        if (!output->name) {
            struct diag *diag =
                diag_at(output->span, PGS1162_OUTPUT_WITHOUT_NAME, "this column has no name");
            diag_hint(diag, "give it one: `... as name`");
            continue;
        }
        column = add_column(view, output->span, output->name);
        column->type = output->expr->type;
        column->not_null = !output->expr->nullable;
        walk_output_sources(view->query, i, note_private, column);
        if (!type_is_storable(column->type) && !type_is_open(column->type)) {
            struct diag *diag =
                diag_at(output->span, PGS1140_TYPE_NOT_STORABLE,
                        "a column of a view cannot be of type %s", type_text(column->type));
            diag_hint(diag, "cast it: `(...)::text`");
        }
    }
}

/* A raw view says its columns itself. */
static void
columns_from_list(struct checker *checker, struct table *view, const struct ast_view *ast)
{
    for (size_t i = 0; i < ast->columns.n; i++) {
        const struct ast_column *listed = ast->columns.at[i];
        struct column *column = add_column(view, listed->name.span, listed->name.text);

        check_storable_type(checker, listed->type, &column->type);
    }
}

void
check_view_now(struct checker *checker, const struct table *table)
{
    struct declared_view *view = find_view(checker, table);

    if (!view || view->state == VIEW_DONE)
        return;
    if (view->state == VIEW_BUSY) {
        struct diag *diag = diag_at(table->span, PGS1161_VIEW_READS_ITSELF,
                                    "view \"%s\" reads itself", table->name);
        diag_hint(diag, "break the circle: one of its views must read tables alone");
        view->reads_itself = true;
        return;
    }
    view->state = VIEW_BUSY;
    if (view->ast->select) {
        view->table->query = check_statement(checker, PLACE_VIEW, NULL, view->ast->select);
        columns_from_select(view->table);
        if (view->reads_itself)
            view->table->query = NULL;
    } else {
        view->table->raw = view->ast->raw.text;
        checker->model->reads_jwt = true;
        columns_from_list(checker, view->table, view->ast);
    }
    if (view->table->materialized && !view->reads_itself)
        check_stored(view);
    view->state = VIEW_DONE;
}

void
check_views(struct checker *checker)
{
    for (size_t i = 0; i < checker->views.n; i++)
        check_view_now(checker, checker->views.at[i].table);
    check_stored_indexes(checker);
}

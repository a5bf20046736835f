/* SPDX-License-Identifier: MIT */
/*
 * Live queries: a select, or `live n on t filter (...)`, which is one.  check_live_rule.c says what
 * is wrong with them.
 */
#include <string.h>

#include "served/live.h"

/* ---- live n on t ---- */

/* Served to each of the roles. */
static bool
all_may_read(const struct live *live, const struct column *column)
{
    for (size_t i = 0; i < live->roles.n; i++)
        if (!access_column(live->roles.at[i], column, CMD_SELECT))
            return false;
    return !column->is_private;
}

static void
add_output(struct live *live, const struct range *range, const struct column *column,
           struct span span)
{
    struct output output = {.span = span, .name = column->name};

    output.expr = check_column_expr(range, column, span);
    vec_push(&live->body->outputs, output);
}

static void
add_outputs(struct live *live, const struct ast_live *ast, const struct range *range)
{
    for (size_t i = 0; i < ast->columns.n; i++) {
        const struct column *column = check_find_column(live->table, &ast->columns.at[i]);

        if (column)
            add_output(live, range, column, ast->columns.at[i].span);
    }
    for (size_t i = 0; ast->columns.n == 0 && i < live->table->columns.n; i++)
        if (all_may_read(live, live->table->columns.at[i]))
            add_output(live, range, live->table->columns.at[i], ast->table.span);
}

/* column = argument of the column's name */
static struct expr *
filter_expr(struct live *live, const struct range *range, const struct column *column,
            struct span span)
{
    struct param *param = arena_alloc(sizeof(*param));
    struct expr *equal = check_new_expr(EXPR_OP, span), *arg = check_new_expr(EXPR_PARAM, span);

    param->span = span;
    param->name = column->name;
    param->number = (int)live->params.n;
    param->type = column->type;
    vec_push(&live->params, param);
    arg->param = param;
    arg->type = param->type;
    arg->nullable = true;
    equal->name = "=";
    equal->type = type_scalar(TYPE_BOOL);
    equal->nullable = true;
    vec_push(&equal->args, check_column_expr(range, column, span));
    vec_push(&equal->args, arg);
    return equal;
}

static struct expr *
both(struct expr *a, struct expr *b)
{
    struct expr *expr = check_new_expr(EXPR_OP, span_join(a->span, b->span));

    expr->name = "and";
    expr->type = type_scalar(TYPE_BOOL);
    expr->nullable = true;
    vec_push(&expr->args, a);
    vec_push(&expr->args, b);
    return expr;
}

static void
add_filters(struct live *live, const struct ast_live *ast, const struct range *range)
{
    for (size_t i = 0; i < ast->filters.n; i++) {
        const struct ast_name *name = &ast->filters.at[i];
        const struct column *column = check_find_column(live->table, name);
        struct expr *expr;

        if (!column)
            continue;
        expr = filter_expr(live, range, column, name->span);
        live->body->where = live->body->where ? both(live->body->where, expr) : expr;
    }
}

/* The first rows of a window are those of the lowest keys. */
static void
add_limit(struct live *live, const struct ast_live *ast, const struct range *range)
{
    const struct constraint *key = live->table->primary_key;
    struct expr *limit;

    if (!ast->limit_span.file)
        return;
    limit = check_new_expr(EXPR_LITERAL, ast->limit_span);
    limit->text = arena_printf("%ld", ast->limit);
    limit->type = type_scalar(TYPE_INT8);
    live->body->limit = limit;
    for (size_t i = 0; key && i < key->columns.n; i++) {
        struct order_item item = {0};

        item.expr = check_column_expr(range, key->columns.at[i], ast->limit_span);
        vec_push(&live->body->order_by, item);
    }
}

static void
build_select(struct live *live, const struct ast_live *ast)
{
    struct range *range = arena_alloc(sizeof(*range));

    live->body = arena_alloc(sizeof(*live->body));
    live->body->span = ast->table.span;
    range->span = ast->table.span;
    range->alias = live->table->name;
    range->table = live->table;
    vec_push(&live->body->from, range);
    add_outputs(live, ast, range);
    add_filters(live, ast, range);
    add_limit(live, ast, range);
}

/* ---- both forms ---- */

static void
find_roles(struct checker *checker, const struct ast_live *ast, struct live *live)
{
    struct diag *diag;

    check_find_roles(checker, &ast->roles, &live->roles);
    if (ast->roles.n > 0)
        return;
    diag = diag_at(live->span, PGS4131_LIVE_WITHOUT_ROLES, "live query \"%s\" does not say to whom",
                   live->name);
    diag_hint(diag, "add `to authenticated`");
}

static bool
is_declared_twice(const struct model *model, const struct live *live)
{
    for (size_t i = 0; i < model->lives.n; i++) {
        struct diag *diag;

        if (strcmp(model->lives.at[i]->name, live->name) != 0)
            continue;
        diag = diag_at(live->span, PGS4130_DUPLICATE_LIVE, "live query \"%s\" is declared twice",
                       live->name);
        diag_note(diag, model->lives.at[i]->span, "first declared here");
        diag_hint(diag, "rename one of the two, or drop it");
        return true;
    }
    return false;
}

static void
check_live(struct checker *checker, const struct ast_live *ast, struct live *live)
{
    size_t errors = diag_errors();

    find_roles(checker, ast, live);
    if (ast->select) {
        check_params(checker, &ast->params, false, &live->params);
        live->body = check_statement(checker, PLACE_QUERY, &live->params, ast->select);
    } else {
        live->table = check_find_table(checker, &ast->table);
        if (live->table)
            build_select(live, ast);
    }
    if (diag_errors() != errors || checker->guessing || !check_live_watched(checker->model, live))
        return;
    check_live_rules(checker->model, live);
    check_live_matched(checker->model, live);
}

/* ---- live outbox ---- */

static void
check_word(struct model *model, const struct ast_name *word)
{
    struct diag *diag;

    if (strcmp(word->text, "outbox") != 0) {
        diag = diag_at(word->span, PGS4151_LIVE_WORD, "live query \"%s\" has no query", word->text);
        diag_hint(diag,
                  "write `live %s(...) to ... as select ...`, or `live outbox;` for triggers "
                  "that tell changes where PostgreSQL's log cannot",
                  word->text);
    } else if (model->live_outbox.file) {
        diag = diag_at(word->span, PGS4130_DUPLICATE_LIVE, "`live outbox` is said twice");
        diag_note(diag, model->live_outbox, "first said here");
        diag_hint(diag, "drop one of the two");
    } else {
        model->live_outbox = word->span;
    }
}

static void
check_outbox(const struct model *model)
{
    struct diag *diag;

    if (!model->live_outbox.file || model->lives.n > 0)
        return;
    diag = diag_at(model->live_outbox, PGS4152_OUTBOX_OF_NOTHING,
                   "there is no live query that the outbox could tell of");
    diag_hint(diag, "declare one, or drop `live outbox;`");
}

void
check_lives(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->live_words.n; i++)
        check_word(checker->model, &checker->ast->live_words.at[i]);
    for (size_t i = 0; i < checker->ast->lives.n; i++) {
        const struct ast_live *ast = checker->ast->lives.at[i];
        struct live *live = arena_alloc(sizeof(*live));

        live->span = ast->name.span;
        live->name = ast->name.text;
        if (is_declared_twice(checker->model, live))
            continue;
        vec_push(&checker->model->lives, live);
        check_live(checker, ast, live);
    }
    check_outbox(checker->model);
}

/* SPDX-License-Identifier: MIT */
/* Values, unions and their like, and the with that reads itself. */
#include "check/checker.h"

#include <string.h>

#include "model/types.h"

static void
add_output(struct select *select, const struct output *like, struct type type, bool nullable)
{
    struct output output = {.span = like->span, .name = like->name ? like->name : "?column?"};

    output.expr = check_new_expr(EXPR_OUTPUT, like->span);
    output.expr->name = output.name;
    output.expr->type = type;
    output.expr->nullable = nullable;
    vec_push(&select->outputs, output);
}

/* A side that is still open takes the type of the other. */
static void
settle_side(struct select *side, size_t i, struct type type)
{
    if (side->left) {
        settle_side(side->left, i, type);
        settle_side(side->right, i, type);
    }
    for (size_t row = 0; row < side->rows.n; row++)
        if (i < side->rows.at[row].n)
            check_settle(side->rows.at[row].at[i], type);
    if (i < side->outputs.n)
        check_settle(side->outputs.at[i].expr, type);
}

/* ---- values ---- */

static void
report_length(const struct ast_exprs *row, size_t want)
{
    struct diag *diag = diag_at(
        span_join(row->at[0]->span, row->at[row->n - 1]->span), PGS2212_VALUES_LENGTH,
        "this row has %zu value%s, the first has %zu", row->n, row->n == 1 ? "" : "s", want);

    diag_hint(diag, "give each row as many values");
}

static void
check_values_column(struct select *select, size_t i)
{
    struct type type = type_scalar(TYPE_NULL);
    bool nullable = false;
    struct output like = {.span = select->span, .name = arena_printf("column%zu", i + 1)};

    for (size_t row = 0; row < select->rows.n; row++) {
        struct expr *item = select->rows.at[row].at[i];

        nullable |= item->nullable;
        if (type_common(type, item->type, &type))
            continue;
        struct diag *diag = diag_at(item->span, PGS2026_NO_COMMON_TYPE,
                                    "the values of this column are of type %s so far, but this is "
                                    "%s",
                                    type_text(type), type_text(item->type));
        diag_hint(diag, "cast one of them");
    }
    if (type_is_open(type) && type.kind != TYPE_ANY)
        type = type_scalar(TYPE_TEXT);
    for (size_t row = 0; row < select->rows.n; row++)
        check_settle(select->rows.at[row].at[i], type);
    add_output(select, &like, type, nullable);
}

void
check_values(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    size_t want = ast->rows.at[0].n;

    scope->clause = "`values`";
    for (size_t row = 0; row < ast->rows.n; row++) {
        struct exprs items = {0};

        if (ast->rows.at[row].n != want) {
            report_length(&ast->rows.at[row], want);
            continue;
        }
        for (size_t i = 0; i < want; i++)
            vec_push(&items, check_expr(scope, ast->rows.at[row].at[i]));
        vec_push(&select->rows, items);
    }
    for (size_t i = 0; i < want; i++)
        check_values_column(select, i);
}

/* ---- unions ---- */

static void
join_outputs(struct select *select, size_t i)
{
    struct output *left = &select->left->outputs.at[i], *right = &select->right->outputs.at[i];
    struct type type = left->expr->type;
    struct diag *diag;

    if (!type_common(left->expr->type, right->expr->type, &type)) {
        diag = diag_at(right->span, PGS2026_NO_COMMON_TYPE,
                       "this column is of type %s on the left, but this is %s",
                       type_text(left->expr->type), type_text(right->expr->type));
        diag_note(diag, left->span, "the left one is here");
        diag_hint(diag, "cast one of them");
    }
    settle_side(select->left, i, type);
    settle_side(select->right, i, type);
    add_output(select, left, type,
               left->expr->nullable || (select->kind == SELECT_UNION && right->expr->nullable));
}

static void
join_sides(struct select *select, const struct ast_select *ast)
{
    size_t left = select->left->outputs.n, right = select->right->outputs.n;
    struct diag *diag;

    if (left != right) {
        diag = diag_at(ast->right->span, PGS2204_UNION_COLUMNS,
                       "the select on the left gives %zu column%s, this gives %zu", left,
                       left == 1 ? "" : "s", right);
        diag_note(diag, ast->left->span, "the left one is here");
        diag_hint(diag, "let both give as many");
    }
    for (size_t i = 0; i < left && i < right; i++)
        join_outputs(select, i);
}

static void
order_union(struct select *select, const struct ast_select *ast)
{
    for (size_t i = 0; i < ast->order_by.n; i++) {
        const struct ast_order *order = &ast->order_by.at[i];
        struct order_item item = {.descending = order->descending, .nulls = order->nulls};
        const struct ast_expr *by = order->expr;
        struct diag *diag;

        for (size_t j = 0; by->kind == AST_COLUMN && by->names.n == 1 && j < select->outputs.n; j++)
            if (strcmp(select->outputs.at[j].name, by->names.at[0].text) == 0)
                item.expr = select->outputs.at[j].expr;
        if (by->kind == AST_NUMBER) {
            item.expr = check_new_expr(EXPR_LITERAL, by->span);
            item.expr->text = by->text;
            item.expr->type = type_scalar(TYPE_INT4);
        }
        if (item.expr) {
            check_is_ordered(item.expr);
            vec_push(&select->order_by, item);
            continue;
        }
        diag = diag_at(by->span, PGS2205_ORDER_OF_UNION,
                       "the rows of several selects are ordered by their columns' names alone");
        diag_hint(diag, "name an output of the first select, or order in a select around them");
    }
}

void
check_union(struct scope *scope, struct select *select, const struct ast_select *ast)
{
    select->left = check_select(scope, ast->left);
    select->right = check_select(scope, ast->right);
    join_sides(select, ast);
    order_union(select, ast);
}

/* ---- a with that reads itself ---- */

struct self {
    const struct with_item *item;
    size_t found;
};

static void
visit_select(const struct select *select, struct self *self)
{
    for (size_t i = 0; i < select->from.n; i++) {
        if (select->from.at[i]->with == self->item)
            self->found++;
        if (select->from.at[i]->select)
            visit_select(select->from.at[i]->select, self);
    }
    if (select->left) {
        visit_select(select->left, self);
        visit_select(select->right, self);
    }
}

/* PostgreSQL: once in its from clause, not in a sub-select, not on the open side of a join. */
static void
check_self(const struct select *select, const struct with_item *item, const struct ast_select *ast)
{
    struct self self = {.item = item};
    struct diag *diag;

    visit_select(select, &self);
    if (self.found < 2)
        return;
    diag = diag_at(ast->right->span, PGS2206_RECURSION_TWICE,
                   "\"%s\" may read itself once, not %zu times", item->name, self.found);
    diag_hint(diag, "join it once; what needs it twice reads it after the `with`");
}

struct select *
check_recursive_select(struct scope *scope, const struct ast_select *ast, struct select *left,
                       struct with_item *item)
{
    struct select *select = arena_alloc(sizeof(*select));
    struct self self = {.item = item};

    select->span = ast->span;
    select->kind = SELECT_UNION;
    select->all = ast->all;
    select->left = left;
    select->right = check_select(scope, ast->right);
    visit_select(select->right, &self);
    item->recursive = self.found > 0;
    check_self(select->right, item, ast);
    join_sides(select, ast);
    for (size_t i = 0; i < item->table->columns.n && i < select->outputs.n; i++) {
        struct type first = item->table->columns.at[i]->type;
        struct expr *both = select->outputs.at[i].expr;
        struct diag *diag;

        both->nullable = true;
        if (type_is_open(first) || type_same(first, both->type))
            continue;
        diag = diag_at(select->right->outputs.at[i].span, PGS2024_WRONG_TYPE,
                       "\"%s\" begins as %s, but this makes it %s",
                       item->table->columns.at[i]->name, type_text(first), type_text(both->type));
        diag_hint(diag, "cast the first one: `(...)::%s`", type_text(both->type));
    }
    return select;
}

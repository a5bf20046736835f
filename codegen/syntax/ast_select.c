/* SPDX-License-Identifier: MIT */
/* Constructors for selects, the statements that write, and what stands around calls. */
#include <string.h>

#include "base/arena.h"
#include "syntax/ast_make.h"
#include "text/diag.h"

/* ---- depth ---- */

static int
deeper(int depth, const struct ast_expr *expr)
{
    return expr && expr->depth > depth ? expr->depth : depth;
}

static int
deepest(int depth, const struct ast_exprs *list)
{
    for (size_t i = 0; i < list->n; i++)
        depth = deeper(depth, list->at[i]);
    return depth;
}

static int
deepest_order(int depth, const struct ast_orders *list)
{
    for (size_t i = 0; i < list->n; i++)
        depth = deeper(depth, list->at[i].expr);
    return depth;
}

static int
deepest_output(int depth, const struct ast_outputs *list)
{
    for (size_t i = 0; i < list->n; i++)
        depth = deeper(depth, list->at[i].expr);
    return depth;
}

static int
below_select(int depth, const struct ast_select *select)
{
    return select && select->depth > depth ? select->depth : depth;
}

static int
deepest_from(int depth, const struct ast_froms *list)
{
    for (size_t i = 0; i < list->n; i++) {
        depth = deeper(depth, list->at[i].on);
        depth = deeper(depth, list->at[i].call);
        depth = below_select(depth, list->at[i].select);
    }
    return depth;
}

static int
deepest_with(int depth, const struct ast_withs *list)
{
    for (size_t i = 0; i < list->n; i++)
        depth = below_select(depth, list->at[i].select);
    return depth;
}

static int
deepest_window(int depth, const struct ast_window *window)
{
    depth = deepest(depth, &window->partition);
    depth = deepest_order(depth, &window->order_by);
    depth = deeper(depth, window->start.expr);
    return deeper(depth, window->end.expr);
}

/* ---- selects ---- */

struct ast_select *
select_done(struct parse *parse, struct ast_select *select)
{
    int depth = deepest(0, &select->group_by);

    for (size_t i = 0; i < select->rows.n; i++)
        depth = deepest(depth, &select->rows.at[i]);
    for (size_t i = 0; i < select->windows.n; i++)
        depth = deepest_window(depth, select->windows.at[i]);
    depth = deepest_with(depth, &select->with);
    depth = below_select(depth, select->left);
    depth = below_select(depth, select->right);
    depth = deepest(depth, &select->distinct_on);
    depth = deepest_output(depth, &select->outputs);
    depth = deepest_from(depth, &select->from);
    depth = deepest_order(depth, &select->order_by);
    depth = deeper(depth, select->where);
    depth = deeper(depth, select->having);
    depth = deeper(depth, select->limit);
    depth = deeper(depth, select->offset);
    select->depth = depth + 1;
    check_depth(parse, select->depth, select->span);
    return select;
}

struct ast_select *
select_set(struct parse *parse, enum ast_select_kind kind, struct ast_select *a, struct token all,
           struct ast_select *b)
{
    struct ast_select *select = arena_alloc(sizeof(*select));
    struct span from = a->outer.file ? a->outer : a->span, to = b->outer.file ? b->outer : b->span;

    select->kind = kind;
    select->all = all.kind != 0;
    select->left = a;
    select->right = b;
    select->span = span_join(from, to);
    return select_done(parse, select);
}

struct ast_statement *
statement_done(struct parse *parse, struct ast_statement *statement)
{
    int depth = below_select(0, statement->select);

    for (size_t i = 0; i < statement->set.n; i++)
        depth = deeper(depth, statement->set.at[i].expr);
    for (size_t i = 0; i < statement->conflict.set.n; i++)
        depth = deeper(depth, statement->conflict.set.at[i].expr);
    depth = deeper(depth, statement->conflict.where);
    depth = deepest_from(depth, &statement->from);
    depth = deeper(depth, statement->where);
    depth = deepest_output(depth, &statement->returning);
    check_depth(parse, depth + 1, statement->span);
    return statement;
}

/* ---- calls ---- */

struct ast_call_tail *
call_tail(struct parse *parse, struct ast_expr *call)
{
    (void)parse;
    if (!call->tail)
        call->tail = arena_alloc(sizeof(*call->tail));
    return call->tail;
}

void
call_done(struct parse *parse, struct ast_expr *call, struct span end)
{
    int depth = deepest_order(call->depth - 1, &call->tail->order_by);

    depth = deeper(depth, call->tail->filter);
    if (call->tail->over)
        depth = deepest_window(depth, call->tail->over);
    call->span = span_join(call->span, end);
    call->depth = depth + 1;
    check_depth(parse, call->depth, call->span);
}

/* A function that SQL writes with words; `meant` takes the same arguments with commas. */
struct worded {
    const char *name;
    const char *words;
    const char *meant;
};

static const struct worded worded[] = {
    {"substring", "from", "substring"}, {"substring", "from for", "substring"},
    {"overlay", "placing", "overlay"},  {"position", "in", "strpos"},
    {"trim", "from", "btrim"},          {"trim", "both", "btrim"},
    {"trim", "leading", "ltrim"},       {"trim", "trailing", "rtrim"},
    {"substring", "for", "substring"},
};

static const struct worded *
find_worded(const char *name, const char *words)
{
    for (size_t i = 0; i < sizeof(worded) / sizeof(worded[0]); i++)
        if (strcmp(worded[i].name, name) == 0 && strcmp(worded[i].words, words) == 0)
            return &worded[i];
    return NULL;
}

static struct ast_expr *
number_one(struct span span)
{
    struct ast_expr *one = arena_alloc(sizeof(*one));

    one->kind = AST_NUMBER;
    one->span = span;
    one->text = "1";
    one->depth = 1;
    return one;
}

/* The order that the function takes them in. */
static struct ast_exprs
order_arguments(const char *name, const char *words, struct ast_exprs args)
{
    bool backwards =
        strcmp(words, "in") == 0 || (strcmp(name, "trim") == 0 && strcmp(words, "from") == 0);

    if (backwards)
        return exprs_of(args.at[1], args.at[0], NULL);
    if (strcmp(words, "for") == 0)
        return exprs_of(args.at[0], number_one(args.at[1]->span), args.at[1]);
    return args;
}

struct ast_expr *
expr_worded(struct parse *parse, struct ast_path path, const char *words, struct ast_exprs args,
            struct token end)
{
    const struct worded *found = path.schema.text ? NULL : find_worded(path.name.text, words);
    struct diag *diag;

    if (found) {
        args = order_arguments(path.name.text, words, args);
        path.name.text = found->meant;
        return expr_call(parse, path, args, end);
    }
    diag = diag_at(path.span, PGS0020_SYNTAX, "%s() does not take `%s` between its arguments",
                   path.name.text, words);
    diag_hint(diag, "separate them with commas");
    return expr_leaf(AST_RAW, end); /* of any type: nothing follows from it */
}

struct ast_expr *
expr_call_or_position(struct parse *parse, struct ast_path path, struct ast_exprs args,
                      struct token end)
{
    const struct ast_expr *only = args.n == 1 ? args.at[0] : NULL;

    if (only && only->kind == AST_IN && !only->negated && !only->select && only->args.n == 2 &&
        !path.schema.text && strcmp(path.name.text, "position") == 0)
        return expr_worded(parse, path, "in", only->args, end);
    if (!path.schema.text && strcmp(path.name.text, "trim") == 0)
        path.name.text = "btrim";
    return expr_call(parse, path, args, end);
}

struct ast_expr *
expr_collate(struct parse *parse, struct ast_expr *a, struct ast_path collation)
{
    struct ast_expr *expr = expr_of(parse, AST_COLLATE, span_join(a->span, collation.span),
                                    exprs_of(a, NULL, NULL), NULL);

    expr->path = collation;
    return expr;
}

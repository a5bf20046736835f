/* SPDX-License-Identifier: MIT */
/*
 * Depth is counted as nodes are made, so that it is bounded before anyone walks the tree: a chain
 * of a hundred thousand `and` needs no deep parser stack, but it would overflow a recursive walk.
 */
#include "syntax/ast_make.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/diag.h"
#include "syntax/grammar.h"

struct ast_name
name_from(struct token token)
{
    return (struct ast_name){token.text, token.span};
}

struct ast_string
string_from(struct token token)
{
    return (struct ast_string){token.text, token.span};
}

struct ast_path
path_from(struct ast_name schema, struct ast_name name)
{
    return (struct ast_path){schema, name, span_join(schema.span, name.span)};
}

struct ast_path
path_of(struct ast_name name)
{
    return (struct ast_path){.name = name, .span = name.span};
}

struct ast_name
name_in_public(struct ast_name schema, struct ast_name name)
{
    struct span span = {schema.span.file, schema.span.start, name.span.start};
    struct diag *diag;

    if (strcmp(schema.text, "public") == 0)
        return name;
    diag = diag_at(schema.span, PGS1275_ONLY_IN_PUBLIC,
                   "\"%s\" cannot be in schema \"%s\": types, functions, predicates and what is "
                   "served are in public",
                   name.text, schema.text);
    diag_hint(diag, "leave the schema out; tables and views have schemas, and name these without");
    diag_fix(diag, span, "%s", "");
    return name;
}

long
whole_number(struct token token, long max)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(token.text, &end, 10);
    if (*end || errno || number < 0 || number > max) {
        diag_at(token.span, PGS0024_NUMBER_TOO_LARGE, "expected a whole number, at most %ld", max);
        return 0;
    }
    return number;
}

void
say_once(bool said, struct span span, const char *what)
{
    if (said)
        diag_at(span, PGS0023_SAID_TWICE, "\"%s\" is here for the second time", what);
}

void
not_built(struct span span, const char *what)
{
    struct diag *diag = diag_at(span, PGS0022_NOT_BUILT_YET, "\"%s\" is not built yet", what);

    diag_hint(diag, "this version knows the word but cannot compile it; leave it out");
}

void
no_was(struct ast_name was)
{
    if (was.text)
        not_built(was.span, "was");
}

/* ---- types ---- */

struct ast_type *
type_words(struct span span, const char *spelling)
{
    struct ast_type *type = arena_alloc(sizeof(*type));

    type->span = span;
    type->spelling = spelling;
    return type;
}

struct ast_type *
type_named(struct ast_path path)
{
    struct ast_type *type = type_words(path.span, path.name.text);

    type->schema = path.schema.text;
    return type;
}

struct ast_type *
type_varying(struct ast_name word, struct token varying)
{
    return type_words(span_join(word.span, varying.span), arena_printf("%s varying", word.text));
}

void
type_arg(struct ast_type *type, struct token number)
{
    size_t errors = diag_errors();

    /* The checker knows the bound of each type. */
    type->args[type->n_args++] = whole_number(number, LONG_MAX);
    type->bad_args = type->bad_args || diag_errors() > errors;
}

struct ast_type *
type_time(struct token word, struct token precision, struct token zone)
{
    struct ast_type *type = type_words(word.span, word.text);

    if (precision.kind) {
        type_arg(type, precision);
        type->span = span_join(type->span, precision.span);
    }
    if (zone.kind) {
        type->spelling = arena_printf("%s %s time zone", word.text, zone.text);
        type->span = span_join(type->span, zone.span);
    }
    return type;
}

/* ---- expressions ---- */

struct ast_exprs
no_exprs(void)
{
    return (struct ast_exprs){0};
}

struct ast_exprs
exprs_of(struct ast_expr *a, struct ast_expr *b, struct ast_expr *c)
{
    struct ast_exprs list = {0};

    vec_push(&list, a);
    if (b)
        vec_push(&list, b);
    if (c)
        vec_push(&list, c);
    return list;
}

struct ast_exprs
exprs_before(struct ast_expr *first, struct ast_exprs rest)
{
    struct ast_exprs list = {0};

    vec_push(&list, first);
    for (size_t i = 0; i < rest.n; i++)
        vec_push(&list, rest.at[i]);
    return list;
}

static int
deeper(int depth, const struct ast_expr *expr)
{
    return expr && expr->depth > depth ? expr->depth : depth;
}

static int
deepest(const struct ast_exprs *list)
{
    int depth = 0;

    for (size_t i = 0; i < list->n; i++)
        depth = deeper(depth, list->at[i]);
    return depth;
}

void
check_depth(struct parse *parse, int depth, struct span span)
{
    if (depth > AST_MAX_DEPTH && !parse->too_deep.file)
        parse->too_deep = span;
}

struct ast_expr *
expr_of(struct parse *parse, enum ast_expr_kind kind, struct span span, struct ast_exprs args,
        struct ast_select *select)
{
    struct ast_expr *expr = arena_alloc(sizeof(*expr));
    int depth = deepest(&args);

    if (select && select->depth > depth)
        depth = select->depth;
    expr->kind = kind;
    expr->span = span;
    expr->args = args;
    expr->select = select;
    expr->depth = depth + 1;
    check_depth(parse, expr->depth, span);
    return expr;
}

struct ast_expr *
expr_leaf(enum ast_expr_kind kind, struct token token)
{
    struct ast_expr *expr = arena_alloc(sizeof(*expr));

    expr->kind = kind;
    expr->span = token.span;
    expr->text = token.text;
    expr->depth = 1;
    return expr;
}

struct ast_expr *
expr_column(struct ast_names names)
{
    struct ast_expr *expr = arena_alloc(sizeof(*expr));

    expr->kind = AST_COLUMN;
    expr->names = names;
    expr->span = span_join(names.at[0].span, names.at[names.n - 1].span);
    expr->depth = 1;
    return expr;
}

struct ast_expr *
expr_star(struct ast_name table, struct token star)
{
    struct ast_expr *expr = expr_leaf(AST_STAR, star);

    expr->span = span_join(table.span, star.span);
    vec_push(&expr->names, table);
    return expr;
}

struct ast_expr *
expr_call(struct parse *parse, struct ast_path path, struct ast_exprs args, struct token end)
{
    struct ast_expr *expr = expr_of(parse, AST_CALL, span_join(path.span, end.span), args, NULL);

    expr->path = path;
    return expr;
}

struct ast_expr *
expr_bare_call(struct token word)
{
    struct ast_expr *expr = expr_leaf(AST_CALL, word);

    expr->path = path_of(name_from(word));
    expr->bare = true;
    return expr;
}

struct ast_expr *
expr_cast(struct parse *parse, struct span span, struct ast_expr *a, struct ast_type *type)
{
    struct ast_expr *expr = expr_of(parse, AST_CAST, span, exprs_of(a, NULL, NULL), NULL);

    expr->type = type;
    return expr;
}

struct ast_expr *
expr_extract(struct parse *parse, struct span span, struct ast_name field, struct ast_expr *a)
{
    struct ast_expr *expr = expr_of(parse, AST_EXTRACT, span, exprs_of(a, NULL, NULL), NULL);

    vec_push(&expr->names, field);
    return expr;
}

struct ast_expr *
expr_op(struct parse *parse, const char *op, struct span op_span, struct ast_expr *a,
        struct ast_expr *b, struct ast_expr *c)
{
    struct span last = c ? c->span : b ? b->span : op_span;
    struct ast_expr *expr =
        expr_of(parse, AST_OP, span_join(a->span, last), exprs_of(a, b, c), NULL);

    expr->op = op;
    expr->op_span = op_span;
    return expr;
}

struct ast_expr *
expr_infix(struct parse *parse, struct ast_expr *a, struct token op, struct ast_expr *b)
{
    return expr_op(parse, op.text, op.span, a, b, NULL);
}

struct ast_expr *
expr_prefix(struct parse *parse, struct token op, struct ast_expr *a)
{
    struct ast_expr *expr = expr_op(parse, op.text, op.span, a, NULL, NULL);

    expr->span = span_join(op.span, a->span);
    return expr;
}

struct ast_expr *
expr_in(struct parse *parse, struct ast_expr *a, struct token in, struct span close,
        struct ast_exprs args, struct ast_select *select)
{
    struct ast_expr *expr = expr_of(parse, AST_IN, span_join(a->span, close), args, select);

    expr->op_span = in.span;
    expr->negated = in.kind == TOKEN_NOT_LA;
    return expr;
}

struct ast_expr *
expr_quantified(struct parse *parse, struct ast_expr *a, struct token op,
                struct ast_expr *quantified)
{
    struct ast_expr *expr = expr_of(parse, quantified->kind, span_join(a->span, quantified->span),
                                    exprs_before(a, quantified->args), quantified->select);

    expr->op = op.text;
    expr->op_span = op.span;
    return expr;
}

/* ---- declarations ---- */

struct ast_column *
column_new(struct ast_name name, struct ast_type *type)
{
    struct ast_column *column = arena_alloc(sizeof(*column));

    column->name = name;
    column->type = type;
    column->span = span_join(name.span, type->span);
    return column;
}

void
column_not_null(struct ast_column *column, struct span span)
{
    say_once(column->not_null, span, "not null");
    column->not_null = true;
    column->not_null_span = span;
    column->span = span_join(column->span, span);
}

void
column_null(struct ast_column *column, struct span span)
{
    say_once(column->null, span, "null");
    column->null = true;
    column->span = span_join(column->span, span);
}

void
column_default(struct ast_column *column, struct span span, struct ast_expr *expr)
{
    say_once(column->default_expr, span, "default");
    column->default_expr = expr;
    column->span = span_join(column->span, span);
}

void
column_identity(struct ast_column *column, struct span span, enum ast_identity identity)
{
    say_once(column->identity != AST_IDENTITY_NONE, span, "generated");
    column->identity = identity;
    column->identity_span = span;
    column->span = span_join(column->span, span);
}

void
column_was(struct ast_column *column, struct ast_name was)
{
    say_once(column->was.text, was.span, "was");
    column->was = was;
    column->span = span_join(column->span, was.span);
}

void
column_constraint(struct ast_column *column, struct ast_name name,
                  struct ast_constraint *constraint)
{
    constraint->name = name;
    vec_push(&column->constraints, constraint);
    column->span = span_join(column->span, constraint->span);
}

struct ast_constraint *
constraint_new(enum ast_constraint_kind kind, struct span span)
{
    struct ast_constraint *constraint = arena_alloc(sizeof(*constraint));

    constraint->kind = kind;
    constraint->span = span;
    return constraint;
}

void
constraint_on(struct ast_constraint *constraint, struct token event, struct reaction reaction)
{
    bool deletes = event.kind == TOKEN_DELETE;
    enum ast_action *action = deletes ? &constraint->on_delete : &constraint->on_update;

    say_once(*action != AST_NO_ACTION, event.span, deletes ? "on delete" : "on update");
    *action = reaction.action;
    constraint->span = span_join(constraint->span, reaction.span);
}

void
table_constraint(struct ast_table *table, struct ast_name name, struct ast_constraint *constraint)
{
    constraint->name = name;
    vec_push(&table->constraints, constraint);
}

long
duration(struct token number, struct ast_name unit)
{
    static const struct {
        const char *unit;
        long seconds;
    } units[] = {
        {"s", 1},       {"sec", 1},      {"second", 1},   {"seconds", 1}, {"min", 60},
        {"minute", 60}, {"minutes", 60}, {"h", 3600},     {"hour", 3600}, {"hours", 3600},
        {"d", 86400},   {"day", 86400},  {"days", 86400},
    };
    long count = whole_number(number, 1000000);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit.text, units[i].unit) == 0)
            return count * units[i].seconds;
    diag_at(unit.span, PGS0020_SYNTAX, "\"%s\" is no unit of time; expected s, min, h or d",
            unit.text);
    return 0;
}

void
cost_add(struct ast_costs *costs, struct ast_cost cost)
{
    static const char *const words[] = {
        [AST_BODY] = "body", [AST_WITHIN] = "within", [AST_SLOW] = "slow"};

    say_once(costs->at[cost.kind].span.file, cost.span, words[cost.kind]);
    costs->at[cost.kind] = cost;
}

/* SPDX-License-Identifier: MIT */
/*
 * One text for expressions that differ only in spelling.  What has no form of its own here is its
 * tokens, with those below it put in their one form.
 */
#include <stdlib.h>
#include <string.h>

#include "review/condition_parts.h"
#include "syntax/grammar.h"
#include "syntax/lexer.h"

VEC_STRUCT(tokens, struct token);
VEC_STRUCT(children, const struct ast_expr *);

static const char *
in_quotes(const char *text, char quote)
{
    struct str str = {0};

    str_putc(&str, quote);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            str_putc(&str, quote);
        str_putc(&str, *text);
    }
    str_putc(&str, quote);
    return str.at;
}

/* ---- tokens ---- */

static struct tokens
tokens_of(const char *text, size_t n)
{
    struct tokens tokens = {0};
    struct lexer lexer;
    struct token token;

    lex_open(&lexer, source_from_text("condition", text, n));
    while ((token = lex_next(&lexer)).kind != 0)
        if (token.kind != TOKEN_AS && token.kind != TOKEN_INNER)
            vec_push(&tokens, token);
    return tokens;
}

/* Names in quotes, words and operators as they are. */
static const char *
token_text(const struct token *token, const char *source)
{
    const char *written = source + token->span.start;

    if (token->kind == TOKEN_STRING || token->kind == TOKEN_ESCAPED)
        return in_quotes(token->text, '\'');
    if (token->text != NULL && (*written == '"' || token->kind == TOKEN_ID))
        return in_quotes(token->text, '"');
    if (token->text != NULL && *written != '$')
        return token->text;
    return arena_copy(written, token->span.end - token->span.start);
}

/* The first parenthesis is closed by the last one. */
static bool
is_in_parentheses(const struct tokens *tokens, size_t from, size_t to)
{
    int open = 0;

    if (to - from < 2 || tokens->at[from].kind != TOKEN_LP)
        return false;
    for (size_t i = from; i < to; i++) {
        open += tokens->at[i].kind == TOKEN_LP;
        open -= tokens->at[i].kind == TOKEN_RP;
        if (open == 0)
            return i + 1 == to;
    }
    return false;
}

static int
compare_starts(const void *a, const void *b)
{
    size_t left = (*(const struct ast_expr *const *)a)->span.start;
    size_t right = (*(const struct ast_expr *const *)b)->span.start;

    return (left > right) - (left < right);
}

/* The tokens of `span`, without parentheses around all of them; `children` in their one form. */
static const char *
tokens_text(struct span span, struct children *children)
{
    const char *source = span.file->text + span.start;
    struct tokens tokens = tokens_of(source, span.end - span.start);
    size_t from = 0, to = tokens.n, child = 0;
    struct str str = {0};

    if (children->n > 0)
        qsort(children->at, children->n, sizeof(children->at[0]), compare_starts);
    while (is_in_parentheses(&tokens, from, to))
        from++, to--;
    str_puts(&str, "");
    for (size_t i = from; i < to; i++) {
        size_t at = span.start + tokens.at[i].span.start;

        while (child < children->n && children->at[child]->span.start < at)
            child++;
        str_puts(&str, i > from ? " " : "");
        if (child < children->n && children->at[child]->span.start == at) {
            str_puts(&str, canonical_text(children->at[child]));
            while (i + 1 < to &&
                   span.start + tokens.at[i + 1].span.start < children->at[child]->span.end)
                i++;
        } else {
            str_puts(&str, token_text(&tokens.at[i], source));
        }
    }
    return str.at;
}

const char *
condition_words(const char *text)
{
    struct source *source = source_from_text("condition", text, strlen(text));
    struct children none = {0};

    return tokens_text((struct span){.file = source, .end = strlen(text)}, &none);
}

/* ---- selects ---- */

static void
add_child(struct children *children, const struct ast_expr *expr)
{
    if (expr != NULL)
        vec_push(children, expr);
}

static void
add_all(struct children *children, const struct ast_exprs *exprs)
{
    for (size_t i = 0; i < exprs->n; i++)
        add_child(children, exprs->at[i]);
}

static void add_select(struct children *children, const struct ast_select *select);

static void
add_from(struct children *children, const struct ast_from *from)
{
    add_child(children, from->call);
    add_child(children, from->on);
    if (from->select != NULL)
        add_select(children, from->select);
}

/* The outermost expressions in it, those of selects in its from, too. */
static void
add_select(struct children *children, const struct ast_select *select)
{
    for (size_t i = 0; i < select->with.n; i++)
        add_select(children, select->with.at[i].select);
    if (select->left != NULL)
        add_select(children, select->left);
    if (select->right != NULL)
        add_select(children, select->right);
    for (size_t i = 0; i < select->rows.n; i++)
        add_all(children, &select->rows.at[i]);
    for (size_t i = 0; i < select->outputs.n; i++)
        add_child(children, select->outputs.at[i].expr);
    for (size_t i = 0; i < select->from.n; i++)
        add_from(children, &select->from.at[i]);
    add_child(children, select->where);
    add_child(children, select->having);
}

static const char *
select_text(const struct ast_select *select)
{
    struct children children = {0};

    add_select(&children, select);
    return arena_printf(
        "(%s)", tokens_text(select->outer.file != NULL ? select->outer : select->span, &children));
}

/* ---- expressions ---- */

static const char *
name_text(const struct ast_expr *expr)
{
    struct str str = {0};

    for (size_t i = 0; i < expr->names.n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : ".", in_quotes(expr->names.at[i].text, '"'));
    return str.at;
}

static const char *
list_text(struct ast_expr *const *exprs, size_t n)
{
    struct str str = {0};

    str_puts(&str, "");
    for (size_t i = 0; i < n; i++)
        str_printf(&str, "%s%s", i == 0 ? "" : ", ", canonical_text(exprs[i]));
    return str.at;
}

static const char *
tree_text(const struct ast_expr *expr)
{
    struct children children = {0};

    add_all(&children, &expr->args);
    if (expr->select != NULL)
        add_select(&children, expr->select);
    return tokens_text(expr->span, &children);
}

static const char *
call_text(const struct ast_expr *expr)
{
    const char *schema = expr->path.schema.text;

    if (expr->tail != NULL || expr->star || expr->distinct || expr->bare)
        return tree_text(expr);
    return arena_printf("%s%s%s(%s)", schema != NULL ? in_quotes(schema, '"') : "",
                        schema != NULL ? "." : "", in_quotes(expr->path.name.text, '"'),
                        list_text(expr->args.at, expr->args.n));
}

static const char *
type_spelling(const char *spelling)
{
    static const char *const pairs[][2] = {
        {"int", "integer"},
        {"int4", "integer"},
        {"int8", "bigint"},
        {"int2", "smallint"},
        {"bool", "boolean"},
        {"float8", "double precision"},
        {"float4", "real"},
        {"decimal", "numeric"},
        {"character varying", "varchar"},
        {"timestamptz", "timestamp with time zone"},
        {"timestamp without time zone", "timestamp"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(spelling, pairs[i][0]) == 0)
            return pairs[i][1];
    return spelling;
}

static const char *
type_words(const struct ast_type *type)
{
    struct str str = {0};

    str_printf(&str, "%s%s%s", type->schema != NULL ? in_quotes(type->schema, '"') : "",
               type->schema != NULL ? "." : "", type_spelling(type->spelling));
    for (int i = 0; i < type->n_args; i++)
        str_printf(&str, "%s%ld%s", i == 0 ? "(" : ",", type->args[i],
                   i + 1 == type->n_args ? ")" : "");
    for (int i = 0; i < type->dimensions; i++)
        str_puts(&str, "[]");
    return str.at;
}

/* What is of that type anyway. */
static bool
is_of_type(const struct ast_expr *expr, const char *type)
{
    static const char *const results[][2] = {
        {"uid", "uuid"}, {"role", "text"}, {"email", "text"}, {"jwt", "jsonb"}};

    if (expr->kind == AST_TRUE || expr->kind == AST_FALSE)
        return strcmp(type, "boolean") == 0;
    if (expr->kind == AST_CAST)
        return strcmp(type_words(expr->type), type) == 0;
    if (expr->kind != AST_CALL || expr->path.schema.text == NULL ||
        strcmp(expr->path.schema.text, "auth") != 0)
        return false;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (strcmp(expr->path.name.text, results[i][0]) == 0)
            return strcmp(type, results[i][1]) == 0;
    return false;
}

static const char *
cast_text(const struct ast_expr *expr)
{
    const char *type = type_words(expr->type), *value = canonical_text(expr->args.at[0]);

    return is_of_type(expr->args.at[0], type) ? value : arena_printf("(%s :: %s)", value, type);
}

static const char *
op_text(const struct ast_expr *expr)
{
    struct str str = {0};

    if (expr->args.n == 1)
        return arena_printf("(%s %s)", expr->op, canonical_text(expr->args.at[0]));
    str_puts(&str, "(");
    for (size_t i = 0; i < expr->args.n; i++)
        str_printf(&str, "%s%s%s%s", i == 0 ? "" : " ",
                   i == 0   ? ""
                   : i == 1 ? expr->op
                            : "escape",
                   i == 0 ? "" : " ", canonical_text(expr->args.at[i]));
    str_puts(&str, ")");
    return str.at;
}

/* Any of the words of a list: `x = any (select ...)`. */
static const char *
quantified_text(const struct ast_expr *expr)
{
    return arena_printf("(%s %s %s (%s))", canonical_text(expr->args.at[0]), expr->op,
                        expr->kind == AST_ANY ? "any" : "all",
                        expr->select != NULL ? select_text(expr->select)
                                             : list_text(expr->args.at + 1, expr->args.n - 1));
}

static const char *
array_text(const struct ast_expr *expr)
{
    return expr->select != NULL ? arena_printf("array%s", select_text(expr->select))
                                : arena_printf("array[%s]", list_text(expr->args.at, expr->args.n));
}

const char *
canonical_text(const struct ast_expr *expr)
{
    if (condition_is_logical(expr))
        return condition_text(condition_of(expr));
    switch (expr->kind) {
    case AST_STRING:
        return in_quotes(expr->text, '\'');
    case AST_COLUMN:
        return name_text(expr);
    case AST_CALL:
        return call_text(expr);
    case AST_CAST:
        return cast_text(expr);
    case AST_OP:
        return op_text(expr);
    case AST_EXISTS:
        return arena_printf("exists%s", select_text(expr->select));
    case AST_SELECT:
        return select_text(expr->select);
    case AST_IN: /* a select: lists are conditions */
        return arena_printf("(%s in %s)", canonical_text(expr->args.at[0]),
                            select_text(expr->select));
    case AST_ANY:
    case AST_ALL:
        return quantified_text(expr);
    case AST_ARRAY:
        return array_text(expr);
    default:
        return tree_text(expr);
    }
}

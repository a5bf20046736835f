/* SPDX-License-Identifier: MIT */
#include "review/condition.h"

#include <string.h>

#include "base/str.h"
#include "syntax/grammar.h"
#include "syntax/lexer.h"
#include "syntax/parse.h"
#include "text/diag.h"

/* Comparisons of parts with parts; past it nothing is claimed. */
#define MAX_STEPS 100000
#define MAX_DEPTH 32 /* of predicates in predicates */

enum condition_kind {
    COND_TRUE,
    COND_FALSE,
    COND_AND,
    COND_OR,
    COND_NOT,
    COND_IN,   /* text is one of `values` */
    COND_PART, /* text; `call` where it is no more than a call of that name */
};

struct condition {
    enum condition_kind kind;
    VEC(const struct condition *) parts;
    const char *text;
    struct words values;
    struct words names; /* in the text */
    const char *call;
};

static struct condition *
make(enum condition_kind kind)
{
    struct condition *made = arena_alloc(sizeof(*made));

    made->kind = kind;
    made->text = "";
    return made;
}

const struct condition *
condition_constant(bool value)
{
    return make(value ? COND_TRUE : COND_FALSE);
}

const struct condition *
condition_join(const struct condition *const *parts, size_t n, bool all)
{
    struct condition *joined = make(all ? COND_AND : COND_OR);

    if (n == 0)
        return condition_constant(all);
    for (size_t i = 0; i < n; i++)
        vec_push(&joined->parts, parts[i]);
    return n == 1 ? parts[0] : joined;
}

/* ---- reading ---- */

VEC_STRUCT(tokens, struct token);

static struct tokens
tokens_of(const char *text)
{
    struct tokens tokens = {0};
    struct lexer lexer;
    struct token token;

    lex_open(&lexer, source_from_text("condition", text, strlen(text)));
    while ((token = lex_next(&lexer)).kind != 0)
        vec_push(&tokens, token);
    return tokens;
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

/* The tokens of `text` as written, one space between them, words in lower case. */
static const char *
normal_text(const char *text, struct words *names)
{
    struct tokens tokens = tokens_of(text);
    size_t from = 0, to = tokens.n;
    struct str str = {0};

    str_puts(&str, "");
    while (is_in_parentheses(&tokens, from, to))
        from++, to--;
    for (size_t i = from; i < to; i++) {
        const struct token *token = &tokens.at[i];
        const char *written = text + token->span.start;
        bool folds = *written != '"' && *written != '\'' && *written != '$' &&
                     token->text != NULL && token->kind != TOKEN_STRING;

        str_puts(&str, i > from ? " " : "");
        if (folds)
            str_puts(&str, token->text);
        else
            str_add(&str, written, token->span.end - token->span.start);
        if (names != NULL && token->text != NULL)
            words_add(names, token->text);
    }
    return str.at;
}

static const char *
text_of(const struct ast_expr *expr)
{
    return arena_copy(expr->span.file->text + expr->span.start, expr->span.end - expr->span.start);
}

static const struct condition *
read_part(const struct ast_expr *expr)
{
    struct condition *part = make(COND_PART);

    part->text = normal_text(text_of(expr), &part->names);
    if (expr->kind == AST_CALL && expr->path.schema.text == NULL)
        part->call = expr->path.name.text;
    return part;
}

static bool
is_literal(const struct ast_expr *expr)
{
    return expr->kind == AST_STRING || expr->kind == AST_NUMBER;
}

static const struct condition *
negated(const struct condition *condition)
{
    struct condition *not = make(COND_NOT);

    vec_push(&not ->parts, condition);
    return not ;
}

/* `x = 'a'`, `x in ('a', 'b')` */
static const struct condition *
read_values(const struct ast_expr *subject, struct ast_expr *const *values, size_t n)
{
    struct condition *in = make(COND_IN);

    in->text = normal_text(text_of(subject), &in->names);
    for (size_t i = 0; i < n; i++)
        words_add(&in->values, normal_text(text_of(values[i]), NULL));
    return in;
}

static bool
are_literals(struct ast_expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_literal(exprs[i]))
            return false;
    return n > 0;
}

/* `a = b` and `b = a` are one part. */
static const struct condition *
read_equal(const struct ast_expr *expr)
{
    struct ast_expr *const *args = expr->args.at;
    struct condition *part = make(COND_PART);
    const char *left, *right;

    if (is_literal(args[1]))
        return read_values(args[0], &args[1], 1);
    if (is_literal(args[0]))
        return read_values(args[1], &args[0], 1);
    left = normal_text(text_of(args[0]), &part->names);
    right = normal_text(text_of(args[1]), &part->names);
    part->text = strcmp(left, right) <= 0 ? arena_printf("%s = %s", left, right)
                                          : arena_printf("%s = %s", right, left);
    return part;
}

static const struct condition *
read_expr(const struct ast_expr *expr)
{
    bool op = expr->kind == AST_OP;

    if (expr->kind == AST_TRUE || expr->kind == AST_FALSE)
        return condition_constant(expr->kind == AST_TRUE);
    if (op && (strcmp(expr->op, "and") == 0 || strcmp(expr->op, "or") == 0)) {
        const struct condition *parts[] = {read_expr(expr->args.at[0]),
                                           read_expr(expr->args.at[1])};

        return condition_join(parts, 2, strcmp(expr->op, "and") == 0);
    }
    if (op && strcmp(expr->op, "not") == 0)
        return negated(read_expr(expr->args.at[0]));
    if (op && strcmp(expr->op, "=") == 0)
        return read_equal(expr);
    if (op && strcmp(expr->op, "<>") == 0)
        return negated(read_equal(expr));
    if (expr->kind == AST_IN && expr->select == NULL && expr->args.n > 1 &&
        are_literals(expr->args.at + 1, expr->args.n - 1)) {
        const struct condition *in =
            read_values(expr->args.at[0], expr->args.at + 1, expr->args.n - 1);

        return expr->negated ? negated(in) : in;
    }
    return read_part(expr);
}

const struct condition *
condition_read(const char *text)
{
    const char *source = arena_printf("predicate p() as %s;", text);
    struct ast ast = {0};
    struct condition *part;

    if (strcmp(text, "every row") == 0)
        return condition_constant(true);
    parse_source(&ast, source_from_text("condition", source, strlen(source)));
    if (diag_errors() == 0 && ast.predicates.n == 1)
        return read_expr(ast.predicates.at[0]->body);
    diag_reset();
    part = make(COND_PART);
    part->text = text;
    return part;
}

/* ---- comparing ---- */

struct comparison {
    const struct matrix *of_a, *of_b;
    int *steps;
    int depth;
};

static bool implies(struct comparison *c, const struct condition *a, const struct condition *b);

/* The mark of a predicate; the words before its parameters are `predicate NAME(`. */
static const struct fact *
find_predicate(const struct matrix *matrix, const char *name)
{
    for (size_t i = 0; i < matrix->top.facts.n; i++) {
        const struct fact *fact = &matrix->top.facts.at[i];
        const char *end;

        if (strncmp(fact->name, "predicate ", 10) != 0 || strstr(fact->name, ", past the policies"))
            continue;
        end = strrchr(fact->name, '(');
        if (end != NULL &&
            strcmp(matrix_unquoted(arena_copy(fact->name + 10, (size_t)(end - fact->name) - 10)),
                   name) == 0)
            return fact;
    }
    return NULL;
}

/* The claim of that name is the same in both. */
static bool
same_claim(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->of_a->top.facts.n; i++) {
        const struct fact *fact = &c->of_a->top.facts.at[i];
        const char *other;

        if (strncmp(fact->name, "claim ", 6) != 0 ||
            strcmp(matrix_unquoted(fact->name + 6), name) != 0)
            continue;
        other = matrix_mark(&c->of_b->top, fact->name);
        return other != NULL && strcmp(other, fact->text) == 0;
    }
    return true;
}

static bool
meaning_implies(struct comparison *c, const char *predicate)
{
    const struct fact *a = find_predicate(c->of_a, predicate);
    const struct fact *b = find_predicate(c->of_b, predicate);
    struct comparison inside = *c;

    if (a == NULL || b == NULL)
        return a == NULL && b == NULL;
    inside.depth++;
    return strcmp(a->name, b->name) == 0 && inside.depth < MAX_DEPTH &&
           implies(&inside, condition_read(a->text), condition_read(b->text));
}

/* All that is named in it means the same in both. */
static bool
same_meaning(struct comparison *c, const struct words *names)
{
    for (size_t i = 0; i < names->list.n; i++) {
        struct comparison back = {c->of_b, c->of_a, c->steps, c->depth};
        const char *name = names->list.at[i];

        if (!same_claim(c, name) || !meaning_implies(c, name) || !meaning_implies(&back, name))
            return false;
    }
    return true;
}

static bool
call_implies(struct comparison *c, const struct condition *a)
{
    struct words others = {0};

    for (size_t i = 0; i < a->names.list.n; i++)
        if (strcmp(a->names.list.at[i], a->call) != 0)
            words_add(&others, a->names.list.at[i]);
    return meaning_implies(c, a->call) && same_meaning(c, &others);
}

static bool
part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    if (a->kind != b->kind || strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->values.list.n; i++)
        if (!words_contain(&b->values, a->values.list.at[i]))
            return false;
    if (a->call != NULL)
        return call_implies(c, a);
    return same_meaning(c, &a->names);
}

static bool
some_part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < a->parts.n; i++)
        if (implies(c, a->parts.at[i], b))
            return true;
    return false;
}

static bool
implies_some_part(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < b->parts.n; i++)
        if (implies(c, a, b->parts.at[i]))
            return true;
    return false;
}

static bool
every_part_implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < a->parts.n; i++)
        if (!implies(c, a->parts.at[i], b))
            return false;
    return true;
}

static bool
implies_every_part(struct comparison *c, const struct condition *a, const struct condition *b)
{
    for (size_t i = 0; i < b->parts.n; i++)
        if (!implies(c, a, b->parts.at[i]))
            return false;
    return true;
}

/* False < null < true, and `and`, `or` are the least and the greatest: `not` turns it around. */
static bool
implies(struct comparison *c, const struct condition *a, const struct condition *b)
{
    if (--*c->steps < 0)
        return false;
    if (a->kind == COND_FALSE || b->kind == COND_TRUE)
        return true;
    if (a->kind == COND_OR)
        return every_part_implies(c, a, b);
    if (b->kind == COND_AND)
        return implies_every_part(c, a, b);
    if (a->kind == COND_NOT && b->kind == COND_NOT) {
        struct comparison back = {c->of_b, c->of_a, c->steps, c->depth};

        if (implies(&back, b->parts.at[0], a->parts.at[0]))
            return true;
    }
    if (a->kind == COND_AND && some_part_implies(c, a, b))
        return true;
    if (b->kind == COND_OR && implies_some_part(c, a, b))
        return true;
    return a->kind >= COND_IN && b->kind >= COND_IN && part_implies(c, a, b);
}

bool
condition_implies(const struct condition *a, const struct matrix *of_a, const struct condition *b,
                  const struct matrix *of_b)
{
    int steps = MAX_STEPS;
    struct comparison c = {of_a, of_b, &steps, 0};

    return implies(&c, a, b);
}

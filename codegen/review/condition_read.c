/* SPDX-License-Identifier: MIT */
/*
 * Conditions from text.  What holds in three-valued logic for values of all types is made one:
 * `not` inwards, `internal = false` as `not internal`, `a > b` as `b < a`, `x in (a)` as `x = a`,
 * `between` as two comparisons.
 */
#include <stdlib.h>
#include <string.h>

#include "review/condition_parts.h"
#include "syntax/lexer.h"
#include "syntax/parse.h"
#include "text/diag.h"

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

static const struct condition *
join_two(const struct condition *a, const struct condition *b, bool all)
{
    const struct condition *parts[] = {a, b};

    return condition_join(parts, 2, all);
}

static const struct condition *
negated(const struct condition *condition)
{
    struct condition *turned;

    if (condition->kind == COND_TRUE || condition->kind == COND_FALSE)
        return condition_constant(condition->kind == COND_FALSE);
    if (condition->kind == COND_NOT)
        return condition->parts.at[0];
    if (condition->kind == COND_IN || condition->kind == COND_PART) {
        turned = make(COND_NOT);
        vec_push(&turned->parts, condition);
        return turned;
    }
    turned = make(condition->kind == COND_AND ? COND_OR : COND_AND);
    for (size_t i = 0; i < condition->parts.n; i++)
        vec_push(&turned->parts, negated(condition->parts.at[i]));
    return turned;
}

/* ---- parts ---- */

static void
add_names(struct words *names, const struct ast_expr *expr)
{
    struct lexer lexer;
    struct token token;

    lex_open(&lexer, source_from_text("condition", expr->span.file->text + expr->span.start,
                                      expr->span.end - expr->span.start));
    while ((token = lex_next(&lexer)).kind != 0)
        if (token.text != NULL && !words_contain(names, token.text))
            words_add(names, token.text);
}

static const struct condition *
read_part(const struct ast_expr *expr)
{
    struct condition *part = make(COND_PART);

    part->text = canonical_text(expr);
    add_names(&part->names, expr);
    if (expr->kind == AST_CALL && expr->path.schema.text == NULL)
        part->call = expr->path.name.text;
    return part;
}

/* `a < b`; with `both_ways`, as of `=`, the one that sorts first stands first. */
static const struct condition *
read_pair(const struct ast_expr *a, const char *op, const struct ast_expr *b, bool both_ways)
{
    struct condition *part = make(COND_PART);
    const char *left = canonical_text(a), *right = canonical_text(b);
    bool turn = both_ways && strcmp(left, right) > 0;

    part->text = arena_printf("(%s %s %s)", turn ? right : left, op, turn ? left : right);
    add_names(&part->names, a);
    add_names(&part->names, b);
    return part;
}

static bool
is_literal(const struct ast_expr *expr)
{
    return expr->kind == AST_STRING || expr->kind == AST_NUMBER;
}

static bool
is_truth(const struct ast_expr *expr)
{
    return expr->kind == AST_TRUE || expr->kind == AST_FALSE;
}

/* `x = 'a'` is a list of one value; `x = true` is x. */
static const struct condition *
read_equal(const struct ast_expr *a, const struct ast_expr *b)
{
    struct condition *in;

    if (is_truth(a) || is_truth(b)) {
        const struct ast_expr *truth = is_truth(b) ? b : a, *other = is_truth(b) ? a : b;
        const struct condition *condition = condition_of(other);

        return truth->kind == AST_TRUE ? condition : negated(condition);
    }
    if (!is_literal(b) && !is_literal(a))
        return read_pair(a, "=", b, true);
    if (!is_literal(b))
        return read_equal(b, a);
    in = make(COND_IN);
    in->text = canonical_text(a);
    words_add(&in->values, canonical_text(b));
    add_names(&in->names, a);
    return in;
}

/* `x in (a, b)`: literals in one list, others beside it. */
static const struct condition *
read_in(const struct ast_expr *subject, struct ast_expr *const *values, size_t n)
{
    VEC(const struct condition *) parts = {0};
    struct condition *list = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct condition *equal = read_equal(subject, values[i]);

        if (!is_literal(values[i]) || is_literal(subject) || equal->kind != COND_IN) {
            vec_push(&parts, equal);
            continue;
        }
        if (list == NULL) {
            list = make(COND_IN);
            list->text = equal->text;
            list->names = equal->names;
            vec_push(&parts, list);
        }
        if (!words_contain(&list->values, equal->values.list.at[0]))
            words_add(&list->values, equal->values.list.at[0]);
    }
    return condition_join(parts.at, parts.n, false);
}

/* ---- operators ---- */

static const struct condition *
read_between(const struct ast_expr *expr)
{
    struct ast_expr *const *args = expr->args.at;
    const struct condition *both = join_two(read_pair(args[1], "<=", args[0], false),
                                            read_pair(args[0], "<=", args[2], false), true);

    return strcmp(expr->op, "between") == 0 ? both : negated(both);
}

/* The one of two opposite words that is the shorter one; NULL: it has no such opposite. */
static const char *
positive(const char *op)
{
    static const char *const pairs[][2] = {
        {"is not null", "is null"},
        {"is not true", "is true"},
        {"is not false", "is false"},
        {"is not unknown", "is unknown"},
        {"not like", "like"},
        {"not ilike", "ilike"},
        {"not similar to", "similar to"},
        {"is distinct from", "is not distinct from"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(op, pairs[i][0]) == 0)
            return pairs[i][1];
    return NULL;
}

static const struct condition *
read_worded(const struct ast_expr *expr)
{
    const char *op = positive(expr->op);
    struct ast_expr turned = *expr;

    if (strcmp(expr->op, "is not distinct from") == 0)
        return read_pair(expr->args.at[0], expr->op, expr->args.at[1], true);
    if (op == NULL)
        return read_part(expr);
    turned.op = op;
    return negated(read_worded(&turned));
}

static const struct condition *
read_op(const struct ast_expr *expr)
{
    struct ast_expr *const *args = expr->args.at;
    const char *op = expr->op;

    if (strcmp(op, "and") == 0 || strcmp(op, "or") == 0)
        return join_two(condition_of(args[0]), condition_of(args[1]), strcmp(op, "and") == 0);
    if (strcmp(op, "not") == 0)
        return negated(condition_of(args[0]));
    if (strcmp(op, "=") == 0)
        return read_equal(args[0], args[1]);
    if (strcmp(op, "<>") == 0)
        return negated(read_equal(args[0], args[1]));
    if (strcmp(op, "<") == 0 || strcmp(op, "<=") == 0)
        return read_pair(args[0], op, args[1], false);
    if (strcmp(op, ">") == 0 || strcmp(op, ">=") == 0)
        return read_pair(args[1], strcmp(op, ">") == 0 ? "<" : "<=", args[0], false);
    if (strcmp(op, "between") == 0 || strcmp(op, "not between") == 0)
        return read_between(expr);
    return read_worded(expr);
}

/* `x = any (array[1, 2])`; of strings that end in a blank the type decides what they equal. */
static bool
is_list(const struct ast_expr *expr)
{
    const struct ast_expr *array = expr->args.n == 2 ? expr->args.at[1] : NULL;

    if (expr->kind != AST_ANY || strcmp(expr->op, "=") != 0 || array == NULL ||
        array->kind != AST_ARRAY || array->select != NULL || array->args.n == 0)
        return false;
    for (size_t i = 0; i < array->args.n; i++) {
        const char *text = array->args.at[i]->text;

        if (!is_literal(array->args.at[i]) || *text == '\0' || text[strlen(text) - 1] == ' ')
            return false;
    }
    return true;
}

bool
condition_is_logical(const struct ast_expr *expr)
{
    static const char *const ops[] = {"and", "or",      "not",         "=",
                                      "<>",  "<",       "<=",          ">",
                                      ">=",  "between", "not between", "is not distinct from"};

    if (is_truth(expr) || expr->negated || is_list(expr) ||
        (expr->kind == AST_IN && expr->select == NULL && expr->args.n > 1))
        return true;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]) && expr->kind == AST_OP; i++)
        if (strcmp(expr->op, ops[i]) == 0)
            return true;
    return expr->kind == AST_OP && positive(expr->op) != NULL;
}

const struct condition *
condition_of(const struct ast_expr *expr)
{
    struct ast_expr plain = *expr;
    const struct condition *part;

    if (is_truth(expr))
        return condition_constant(expr->kind == AST_TRUE);
    if (expr->kind == AST_OP)
        return read_op(expr);
    plain.negated = false;
    if (is_list(expr))
        part = read_in(expr->args.at[0], expr->args.at[1]->args.at, expr->args.at[1]->args.n);
    else if (expr->kind == AST_IN && expr->select == NULL && expr->args.n > 1)
        part = read_in(expr->args.at[0], expr->args.at + 1, expr->args.n - 1);
    else
        part = read_part(&plain);
    return expr->negated ? negated(part) : part;
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
        return condition_of(ast.predicates.at[0]->body);
    diag_reset();
    part = make(COND_PART);
    part->text = text;
    return part;
}

/* ---- writing ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "(a BETWEEN b)", sorted, each once. */
static const char *
joined(struct words *texts, const char *between)
{
    struct str str = {0};

    if (texts->list.n > 0)
        qsort(texts->list.at, texts->list.n, sizeof(texts->list.at[0]), compare_texts);
    str_puts(&str, "(");
    for (size_t i = 0; i < texts->list.n; i++)
        if (i == 0 || strcmp(texts->list.at[i], texts->list.at[i - 1]) != 0)
            str_printf(&str, "%s%s", i == 0 ? "" : between, texts->list.at[i]);
    str_puts(&str, ")");
    return str.at;
}

/* Nested ones of the same kind are one. */
static void
add_texts(struct words *texts, const struct condition *condition, enum condition_kind kind)
{
    for (size_t i = 0; i < condition->parts.n; i++)
        if (condition->parts.at[i]->kind == kind)
            add_texts(texts, condition->parts.at[i], kind);
        else
            words_add(texts, condition_text(condition->parts.at[i]));
}

const char *
condition_text(const struct condition *condition)
{
    struct words texts = {0};

    switch (condition->kind) {
    case COND_TRUE:
        return "true";
    case COND_FALSE:
        return "false";
    case COND_AND:
    case COND_OR:
        add_texts(&texts, condition, condition->kind);
        return joined(&texts, condition->kind == COND_AND ? " and " : " or ");
    case COND_NOT:
        return arena_printf("(not %s)", condition_text(condition->parts.at[0]));
    case COND_IN:
        texts = condition->values;
        return arena_printf("(%s in %s)", condition->text, joined(&texts, ", "));
    case COND_PART:
        break;
    }
    return condition->text;
}

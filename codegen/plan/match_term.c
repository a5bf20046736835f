/* SPDX-License-Identifier: MIT */
/* Conditions on a row as terms that C computes from texts. */
#include <string.h>

#include "base/arena.h"
#include "model/functions.h"
#include "model/types.h"
#include "model/walk.h"
#include "plan/match.h"

#define MAX_CONSTANT 40 /* bytes of a constant in generated C; a longer one becomes a fact */

struct term *
match_new_term(enum term_kind kind)
{
    struct term *term = arena_alloc(sizeof(*term));

    term->kind = kind;
    return term;
}

void
match_because(struct match *match, struct span span, const char *text)
{
    if (!match->reason.text)
        match->reason = (struct match_reason){span, text};
}

void
match_add_needed(struct match *match, const struct column *column)
{
    for (size_t i = 0; i < match->needed.n; i++)
        if (match->needed.at[i] == column)
            return;
    vec_push(&match->needed, column);
}

static struct sql_part
arg_of(struct sql_part part, size_t i)
{
    return (struct sql_part){part.expr->args.at[i], part.frame};
}

struct term *
match_not(struct term *term)
{
    struct term * not ;

    if (!term)
        return NULL;
    not = match_new_term(TERM_NOT);
    vec_push(&not ->terms, term);
    return not ;
}

/* ---- operands ---- */

/* 42, not 042: PostgreSQL would print it so. */
static bool
is_printed_so(const struct expr *expr)
{
    long number;

    return expr_is_whole_number(expr, &number) && (expr->text[0] != '0' || !expr->text[1]);
}

/* The text that a value of `type` written so has; NULL: PostgreSQL must say. */
static const char *
constant_of(const struct expr *expr, struct type type)
{
    if (expr->kind != EXPR_LITERAL)
        return NULL;
    if (match_compares(type, type_scalar(TYPE_INT8)))
        return is_printed_so(expr) ? expr->text : NULL;
    if (!expr->value || strlen(expr->value) > MAX_CONSTANT)
        return NULL;
    return type.kind == TYPE_ENUM || type_is_text(type) ? expr->value : NULL;
}

static bool
fact_operand(struct match *match, struct sql_part part, struct type other, struct operand *out,
             struct type *type)
{
    const char *constant = constant_of(part.expr, other);

    *type = match_type_beside(part.expr, other);
    if (constant) {
        *out = (struct operand){.kind = OPERAND_TEXT, .text = constant};
        return true;
    }
    if (!match_is_steady(part, &match->reason))
        return false;
    if (match->definer && !match_is_anybodys(part)) {
        match_because(
            match, part.expr->span,
            arena_printf("predicate \"%s\" computes this past policies", match->definer->name));
        return false;
    }
    *out = (struct operand){.kind = OPERAND_FACT, .fact = match_add_fact(match, part, other)};
    return true;
}

bool
match_operand(struct match *match, const struct match_row *row, struct sql_part part,
              struct type other, struct operand *out, struct type *type)
{
    const struct column *column;

    if (!match_needs_row(row, part))
        return fact_operand(match, part, other, out, type);
    column = match_column(row, part, type);
    if (!column) {
        match_because(match, part.expr->span, "this is computed from the row");
        return false;
    }
    match_add_needed(match, column);
    *out = (struct operand){.kind = OPERAND_COLUMN, .column = column};
    return true;
}

/* ---- comparisons ---- */

static struct sql_part
without_collation(struct sql_part part)
{
    return part.expr->kind == EXPR_COLLATE ? arg_of(part, 0) : part;
}

static bool
check_comparison(struct match *match, struct sql_part a, struct sql_part b, bool ordered)
{
    struct type left = match_type_beside(a.expr, b.expr->type);
    struct type right = match_type_beside(b.expr, a.expr->type);
    bool collated = a.expr->kind == EXPR_COLLATE || b.expr->kind == EXPR_COLLATE;
    bool bytes = match_is_bytewise(a.expr) || match_is_bytewise(b.expr);

    if (!match_compares(left, right)) {
        match_because(match, a.expr->span,
                      arena_printf("%s is not compared by its text",
                                   type_text(match_is_textual(left) ? right : left)));
        return false;
    }
    if ((ordered && !match_is_ordered(left) && !bytes) || (collated && !bytes)) {
        match_because(match, a.expr->span,
                      "the order of text is the collation's, but for `collate \"C\"`");
        return false;
    }
    return true;
}

static struct term *
boolean_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct term *term = match_new_term(TERM_BOOLEAN);
    struct operand operand;
    struct type type;

    if (!match_operand(match, row, part, part.expr->type, &operand, &type))
        return NULL;
    vec_push(&term->operands, operand);
    return term;
}

/* The order of a cast to text is the text's, that of what is behind it another. */
static bool
check_order(struct match *match, struct sql_part part, const struct operand *operand)
{
    if (operand->kind != OPERAND_COLUMN || !type_is_text(part.expr->type) ||
        type_is_text(operand->column->type))
        return true;
    match_because(match, part.expr->span, "a cast to text is ordered otherwise than its column");
    return false;
}

/* Neither side is the row's: one fact. */
static struct term *
asked_order(struct match *match, const struct match_row *row, enum term_kind kind,
            struct sql_part a, struct sql_part b)
{
    struct expr *expr = arena_alloc(sizeof(*expr));

    if (a.expr->type.extension || b.expr->type.extension) {
        match_because(match, a.expr->span, "an extension's operator is PostgreSQL's to compute");
        return NULL;
    }
    *expr = (struct expr){.kind = EXPR_OP,
                          .span = a.expr->span,
                          .name = kind == TERM_LESS ? "<" : "<=",
                          .type = type_scalar(TYPE_BOOL),
                          .nullable = true};
    vec_push(&expr->args, (struct expr *)a.expr);
    vec_push(&expr->args, (struct expr *)b.expr);
    return boolean_term(match, row, (struct sql_part){expr, a.frame});
}

static struct term *
comparison(struct match *match, const struct match_row *row, enum term_kind kind, struct sql_part a,
           struct sql_part b)
{
    struct term *term = match_new_term(kind);
    bool ordered = kind == TERM_LESS || kind == TERM_LESS_EQUAL;
    struct operand left, right;
    struct type type, other;

    if (ordered && !match_needs_row(row, a) && !match_needs_row(row, b))
        return asked_order(match, row, kind, a, b);
    if (!check_comparison(match, a, b, ordered))
        return NULL;
    a = without_collation(a);
    b = without_collation(b);
    term->type = match_type_beside(a.expr, b.expr->type);
    if (!match_operand(match, row, a, term->type, &left, &type) ||
        !match_operand(match, row, b, term->type, &right, &other))
        return NULL;
    if (ordered && (!check_order(match, a, &left) || !check_order(match, b, &right)))
        return NULL;
    vec_push(&term->operands, left);
    vec_push(&term->operands, right);
    return term;
}

static struct term *
joined(struct term *a, struct term *b, enum term_kind kind)
{
    struct term *term;

    if (!a || !b)
        return NULL;
    term = match_new_term(kind);
    vec_push(&term->terms, a);
    vec_push(&term->terms, b);
    return term;
}

/* Two conditions. */
static struct term *
both(struct match *match, const struct match_row *row, struct sql_part a, struct sql_part b)
{
    struct term *left = match_term(match, row, a, false);
    struct term *right = left ? match_term(match, row, b, false) : NULL;

    return joined(left, right, TERM_BOTH);
}

static struct term *
equality(struct match *match, const struct match_row *row, struct sql_part a, struct sql_part b)
{
    if (type_is_bool(a.expr->type) && type_is_bool(b.expr->type))
        return both(match, row, a, b);
    return comparison(match, row, TERM_EQUAL, a, b);
}

static struct term *
between(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct term *low = comparison(match, row, TERM_LESS_EQUAL, arg_of(part, 1), arg_of(part, 0));
    struct term *high =
        low ? comparison(match, row, TERM_LESS_EQUAL, arg_of(part, 0), arg_of(part, 2)) : NULL;

    return joined(low, high, TERM_AND);
}

static struct term *
compared(struct match *match, const struct match_row *row, struct sql_part part)
{
    const char *name = part.expr->name;
    struct sql_part a = arg_of(part, 0), b = arg_of(part, 1);

    if (strcmp(name, "=") == 0)
        return equality(match, row, a, b);
    if (strcmp(name, "<>") == 0)
        return match_not(equality(match, row, a, b));
    if (strcmp(name, "<") == 0)
        return comparison(match, row, TERM_LESS, a, b);
    if (strcmp(name, ">") == 0)
        return comparison(match, row, TERM_LESS, b, a);
    if (strcmp(name, "<=") == 0)
        return comparison(match, row, TERM_LESS_EQUAL, a, b);
    if (strcmp(name, ">=") == 0)
        return comparison(match, row, TERM_LESS_EQUAL, b, a);
    if (strcmp(name, "is not distinct from") == 0)
        return comparison(match, row, TERM_SAME, a, b);
    if (strcmp(name, "is distinct from") == 0)
        return match_not(comparison(match, row, TERM_SAME, a, b));
    match_because(match, part.expr->span, arena_printf("`%s` is PostgreSQL's to compute", name));
    return NULL;
}

/* ---- is ---- */

static struct term *
null_test(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct term *term = match_new_term(TERM_NULL);
    struct sql_part arg = arg_of(part, 0);
    struct operand operand;
    struct type type;

    if (type_is_bool(arg.expr->type) && arg.expr->kind != EXPR_COLUMN) {
        struct term *is = match_new_term(TERM_IS), *inner = match_term(match, row, arg, false);

        is->value = TERM_UNKNOWN;
        if (!inner)
            return NULL;
        vec_push(&is->terms, inner);
        return is;
    }
    if (arg.expr->type.kind == TYPE_COMPOSITE && !arg.expr->type.array) {
        match_because(match, arg.expr->span, "`is null` of a row looks into it");
        return NULL;
    }
    if (!match_operand(match, row, arg, arg.expr->type, &operand, &type))
        return NULL;
    vec_push(&term->operands, operand);
    return term;
}

/* "is true", "is not unknown" */
static struct term *
truth_test(struct match *match, const struct match_row *row, struct sql_part part, const char *word)
{
    struct term *term = match_new_term(TERM_IS);
    struct term *inner = match_term(match, row, arg_of(part, 0), false);

    term->value = strcmp(word, "true") == 0    ? TERM_TRUE
                  : strcmp(word, "false") == 0 ? TERM_FALSE
                                               : TERM_UNKNOWN;
    if (!inner)
        return NULL;
    vec_push(&term->terms, inner);
    return term;
}

static struct term *
is_test(struct match *match, const struct match_row *row, struct sql_part part)
{
    const char *word = part.expr->name + strlen("is ");
    bool not = strncmp(word, "not ", 4) == 0;
    struct term *term;

    word += not ? 4 : 0;
    term = strcmp(word, "null") == 0 ? null_test(match, row, part)
                                     : truth_test(match, row, part, word);
    return not ? match_not(term) : term;
}

/* ---- the forms ---- */

static struct term *
operator_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    const struct expr *expr = part.expr;

    if (expr->function && expr->function->extension) {
        match_because(match, expr->span, "an extension's operator is PostgreSQL's to compute");
        return NULL;
    }
    if (strcmp(expr->name, "and") == 0 || strcmp(expr->name, "or") == 0) {
        struct term *left = match_term(match, row, arg_of(part, 0), loose);
        struct term *right = left ? match_term(match, row, arg_of(part, 1), loose) : NULL;

        return joined(left, right, expr->name[0] == 'a' ? TERM_AND : TERM_OR);
    }
    if (strcmp(expr->name, "not") == 0)
        return match_not(match_term(match, row, arg_of(part, 0), false));
    if (strcmp(expr->name, "between") == 0)
        return between(match, row, part);
    if (strcmp(expr->name, "not between") == 0)
        return match_not(between(match, row, part));
    if (strncmp(expr->name, "is ", 3) == 0 && expr->args.n == 1)
        return is_test(match, row, part);
    return compared(match, row, part);
}

/* x in (a, b, c) */
static struct term *
list_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct term *term = NULL;

    for (size_t i = 1; i < part.expr->args.n; i++) {
        struct term *one = equality(match, row, arg_of(part, 0), arg_of(part, i));

        if (!one)
            return NULL;
        term = term ? joined(term, one, TERM_OR) : one;
    }
    return part.expr->negated ? match_not(term) : term;
}

/* What needs no row: one fact. */
static struct term *
fact_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    const struct expr *expr = part.expr;

    if (expr->kind == EXPR_PUBLIC)
        return match_new_term(TERM_TRUE);
    if (expr->kind == EXPR_LITERAL && expr->text && !expr->value)
        return match_new_term(strcmp(expr->text, "true") == 0    ? TERM_TRUE
                              : strcmp(expr->text, "false") == 0 ? TERM_FALSE
                                                                 : TERM_UNKNOWN);
    return boolean_term(match, row, part);
}

/* What the caller's rights decide would be decided by the owner's in the body. */
static bool
check_arguments(struct match *match, const struct match_row *row, struct sql_part call)
{
    struct type type;

    for (size_t i = 0; i < call.expr->args.n; i++) {
        struct sql_part argument = arg_of(call, i);

        if (match_is_anybodys(argument) || match_column(row, argument, &type))
            continue;
        match_because(match, argument.expr->span,
                      "what goes past policies is asked with columns and constants alone");
        return false;
    }
    return true;
}

static struct term *
predicate_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    const struct predicate *predicate = part.expr->predicate, *around = match->definer;
    struct term *term;

    if (!predicate->body || (predicate->definer && !check_arguments(match, row, part)))
        return NULL;
    if (predicate->definer)
        match->definer = predicate;
    term = match_term(
        match, row, (struct sql_part){predicate->body, match_frame(part.expr, part.frame)}, loose);
    match->definer = around;
    if (term)
        term->predicate = predicate;
    return term;
}

/* coalesce(a, b) of conditions */
static struct term *
coalesce_term(struct match *match, const struct match_row *row, struct sql_part part)
{
    struct term *first, *second;

    if (strcmp(part.expr->name, "coalesce") != 0 || part.expr->args.n != 2) {
        match_because(match, part.expr->span, "this is computed from the row");
        return NULL;
    }
    first = match_term(match, row, arg_of(part, 0), false);
    second = first ? match_term(match, row, arg_of(part, 1), false) : NULL;
    return joined(first, second, TERM_ELSE);
}

/* A parameter of a predicate that stands for a condition. */
static struct term *
param_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    const struct expr *call = part.frame->call;

    return match_term(
        match, row, (struct sql_part){call->args.at[part.expr->param->number], part.frame->caller},
        loose);
}

struct term *
match_term(struct match *match, const struct match_row *row, struct sql_part part, bool loose)
{
    const struct expr *expr = part.expr;

    if (!match_needs_row(row, part))
        return fact_term(match, row, part);
    if (!type_is_bool(expr->type)) {
        match_because(match, expr->span, "this is computed from the row");
        return NULL;
    }
    switch (expr->kind) {
    case EXPR_OP:
        return operator_term(match, row, part, loose);
    case EXPR_IN:
        return expr->select ? match_set_term(match, row, part, loose) : list_term(match, row, part);
    case EXPR_EXISTS:
    case EXPR_ANY:
        return match_set_term(match, row, part, loose);
    case EXPR_COLUMN:
        return boolean_term(match, row, part);
    case EXPR_PREDICATE:
        return predicate_term(match, row, part, loose);
    case EXPR_CALL:
        return coalesce_term(match, row, part);
    case EXPR_PARAM:
        return param_term(match, row, part, loose);
    default:
        match_because(match, expr->span, "this is computed from the row");
        return NULL;
    }
}

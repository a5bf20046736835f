/* SPDX-License-Identifier: MIT */
/*
 * Which rows a partition holds: of the right form, and no row in two.  Values that the compiler
 * cannot compare (texts in a range: their order is the collation's) are left to PostgreSQL.
 */
#include "check/checker.h"

#include <stdlib.h>
#include <string.h>

#include "model/walk.h"

struct value {
    enum {
        VALUE_UNKNOWN,
        VALUE_MIN,
        VALUE_NUMBER,
        VALUE_TEXT,
        VALUE_NULL,
        VALUE_MAX,
    } kind;
    double number;
    const char *text;
    bool ordered; /* texts that are in order as they are written: dates, uuids */
};

VEC_STRUCT(values, struct value);

struct part_bound {
    const struct declared_table *declared;
    const struct ast_partition_bound *ast;
    struct values from, to;
};

VEC_STRUCT(part_bounds, struct part_bound);

/* ---- values ---- */

static bool
is_in_order(struct type type)
{
    return !type.array && (type.kind == TYPE_DATE || type.kind == TYPE_TIMESTAMP ||
                           type.kind == TYPE_TIMESTAMPTZ || type.kind == TYPE_UUID);
}

static struct value
value_of(const struct expr *expr, struct type type)
{
    const struct expr *literal = walk_behind_casts(expr);
    bool negative = literal->kind == EXPR_OP && strcmp(literal->name, "-") == 0;
    const char *text;

    if (negative)
        literal = walk_behind_casts(literal->args.at[0]);
    if (literal->kind != EXPR_LITERAL)
        return (struct value){.kind = VALUE_UNKNOWN};
    text = literal->value ? literal->value : literal->text;
    if (literal->value && check_literal_fault(type, text))
        return (struct value){.kind = VALUE_UNKNOWN};
    if (!literal->value && strcmp(text, "null") == 0)
        return (struct value){.kind = VALUE_NULL};
    if (type_is_number(type)) {
        double number = strtod(text, NULL);

        return (struct value){.kind = VALUE_NUMBER, .number = negative ? -number : number};
    }
    return (struct value){.kind = VALUE_TEXT, .text = text, .ordered = is_in_order(type)};
}

/* -1, 0, 1; false: not known. */
static bool
compare(const struct value *a, const struct value *b, int *order)
{
    if (a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN)
        return false;
    if (a->kind != b->kind) {
        *order = a->kind < b->kind ? -1 : 1;
        return true;
    }
    *order = 0;
    if (a->kind == VALUE_NUMBER)
        *order = (a->number > b->number) - (a->number < b->number);
    else if (a->kind == VALUE_TEXT)
        *order = strcmp(a->text, b->text);
    return a->kind != VALUE_TEXT || a->ordered || *order == 0;
}

static bool
compare_all(const struct values *a, const struct values *b, int *order)
{
    *order = 0;
    for (size_t i = 0; *order == 0 && i < a->n && i < b->n; i++) {
        if (!compare(&a->at[i], &b->at[i], order))
            return false;
        if (a->at[i].kind == VALUE_MIN || a->at[i].kind == VALUE_MAX)
            break;
    }
    return true;
}

/* ---- one bound ---- */

static struct diag *
report(struct span span, const char *what)
{
    return diag_at(span, PGS1284_PARTITION_BOUND, "%s", what);
}

static bool
is_word(const struct ast_expr *ast, const char *word)
{
    return ast->kind == AST_COLUMN && ast->names.n == 1 && strcmp(ast->names.at[0].text, word) == 0;
}

/* Adds the value as SQL and as something to compare. */
static void
read_value(struct checker *checker, const struct table *table, const struct index_item *key,
           const struct ast_expr *ast, bool in_range, struct values *values,
           struct bound_values *out)
{
    struct scope scope = check_row_scope(checker, PLACE_DEFAULT, table);
    struct type type = key->column ? key->column->type : key->expr->type;
    struct value value = {0};
    struct bound_value written = {0};

    if (in_range && (is_word(ast, "minvalue") || is_word(ast, "maxvalue"))) {
        value.kind = is_word(ast, "minvalue") ? VALUE_MIN : VALUE_MAX;
        written.word = ast->names.at[0].text;
    } else {
        scope.clause = "the bound of a partition";
        written.expr = check_expr_as(&scope, ast, type, "the partition key");
        value = value_of(written.expr, type);
        if (in_range && value.kind == VALUE_NULL) {
            diag_hint(report(ast->span, "no range holds null"),
                      "rows without a value go into the default partition");
            value.kind = VALUE_UNKNOWN;
        }
    }
    vec_push(values, value);
    vec_push(out, written);
}

static void
read_range_end(struct checker *checker, const struct part_bound *bound, const struct ast_exprs *ast,
               struct values *values, struct bound_values *out)
{
    const struct partitioning *by = bound->declared->table->partition_of->partitioning;

    if (ast->n != by->keys.n) {
        diag_hint(report(bound->ast->span, "a range has a value for each column of the key"),
                  "the key has %zu; `minvalue` and `maxvalue` leave an end open", by->keys.n);
        return;
    }
    for (size_t i = 0; i < ast->n; i++)
        read_value(checker, bound->declared->table->partition_of, &by->keys.at[i], ast->at[i], true,
                   values, out);
}

static void
read_range(struct checker *checker, struct part_bound *bound, struct partition_bound *out)
{
    int order;

    read_range_end(checker, bound, &bound->ast->from, &bound->from, &out->from);
    read_range_end(checker, bound, &bound->ast->to, &bound->to, &out->to);
    if (bound->from.n > 0 && bound->to.n > 0 && compare_all(&bound->from, &bound->to, &order) &&
        order >= 0)
        diag_hint(report(bound->ast->span, "this range holds nothing"),
                  "`from` is in it, `to` is not: the second must be the larger");
}

static void
read_list(struct checker *checker, struct part_bound *bound, struct partition_bound *out)
{
    const struct table *whole = bound->declared->table->partition_of;

    for (size_t i = 0; i < bound->ast->from.n; i++)
        read_value(checker, whole, &whole->partitioning->keys.at[0], bound->ast->from.at[i], false,
                   &bound->from, &out->from);
}

static void
read_hash(const struct part_bound *bound, struct partition_bound *out)
{
    const struct ast_partition_bound *ast = bound->ast;

    if (ast->modulus == 0 || ast->remainder >= ast->modulus)
        diag_hint(report(ast->span, "the remainder is smaller than the modulus"),
                  "four partitions are (modulus 4, remainder 0) to (modulus 4, remainder 3)");
    out->modulus = ast->modulus;
    out->remainder = ast->remainder;
}

/* The form that the strategy wants: by place as in the enumeration. */
static bool
fits_strategy(const struct part_bound *bound)
{
    static const char *const strategies[] = {"list", "range", "hash"};
    static const char *const forms[] = {"for values in (...)", "for values from (...) to (...)",
                                        "for values with (modulus n, remainder m)"};
    const char *strategy = bound->declared->table->partition_of->partitioning->strategy;
    enum ast_partition_bound_kind kind = bound->ast->kind;

    if (kind == AST_BOUND_DEFAULT ? strcmp(strategy, "hash") != 0
                                  : strcmp(strategies[kind], strategy) == 0)
        return true;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(strategies[i], strategy) == 0)
            diag_hint(report(bound->ast->span,
                             arena_printf("\"%s\" is partitioned by %s",
                                          bound->declared->table->partition_of->name, strategy)),
                      "write `%s`", forms[i]);
    return false;
}

static void
read_bound(struct checker *checker, struct part_bound *bound)
{
    struct table *table = bound->declared->table;
    struct partition_bound *out = arena_alloc(sizeof(*out));

    out->kind = (enum bound_kind)bound->ast->kind;
    switch (bound->ast->kind) {
    case AST_BOUND_DEFAULT:
        break;
    case AST_BOUND_LIST:
        read_list(checker, bound, out);
        break;
    case AST_BOUND_RANGE:
        read_range(checker, bound, out);
        break;
    case AST_BOUND_HASH:
        read_hash(bound, out);
        break;
    }
    table->bound = out;
}

/* ---- two bounds ---- */

static bool
share_value(const struct values *a, const struct values *b)
{
    int order;

    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (compare(&a->at[i], &b->at[j], &order) && order == 0)
                return true;
    return false;
}

static bool
ranges_meet(const struct part_bound *a, const struct part_bound *b)
{
    int first, second;

    return a->from.n > 0 && b->from.n > 0 && a->to.n > 0 && b->to.n > 0 &&
           compare_all(&a->from, &b->to, &first) && compare_all(&b->from, &a->to, &second) &&
           first < 0 && second < 0;
}

/* PostgreSQL wants each modulus to be a factor of the next. */
static bool
hashes_meet(const struct ast_partition_bound *a, const struct ast_partition_bound *b)
{
    long less = a->modulus < b->modulus ? a->modulus : b->modulus;
    long more = a->modulus < b->modulus ? b->modulus : a->modulus;

    return less > 0 && (more % less != 0 || a->remainder % less == b->remainder % less);
}

static bool
meet(const struct part_bound *a, const struct part_bound *b)
{
    if (a->ast->kind != b->ast->kind)
        return false;
    switch (a->ast->kind) {
    case AST_BOUND_LIST:
        return share_value(&a->from, &b->from);
    case AST_BOUND_RANGE:
        return ranges_meet(a, b);
    case AST_BOUND_HASH:
        return hashes_meet(a->ast, b->ast);
    case AST_BOUND_DEFAULT:
        break;
    }
    return true;
}

static void
check_meeting(const struct part_bounds *bounds, const struct part_bound *bound)
{
    for (size_t i = 0; i < bounds->n; i++) {
        const struct part_bound *other = &bounds->at[i];
        struct diag *diag;

        if (other->declared->table->partition_of != bound->declared->table->partition_of ||
            !meet(other, bound))
            continue;
        diag = diag_at(bound->ast->span, PGS1285_PARTITION_OVERLAP,
                       bound->ast->kind == AST_BOUND_DEFAULT
                           ? "\"%s\" and \"%s\" are both the default partition"
                           : "partitions \"%s\" and \"%s\" would hold the same rows",
                       other->declared->table->name, bound->declared->table->name);
        diag_note(diag, other->ast->span, "the first one is here");
        if (bound->ast->kind == AST_BOUND_HASH)
            diag_hint(diag, "use one modulus, and each remainder once");
        else
            diag_hint(diag, "let each row have one partition; `to` is not in a range");
        return;
    }
}

void
check_bounds(struct checker *checker)
{
    struct part_bounds bounds = {0};

    for (size_t i = 0; i < checker->tables.n; i++) {
        const struct declared_table *declared = &checker->tables.at[i];
        struct part_bound bound = {.declared = declared, .ast = declared->ast->bound};

        if (!declared->table->partition_of || !declared->table->partition_of->partitioning ||
            !fits_strategy(&bound))
            continue;
        read_bound(checker, &bound);
        check_meeting(&bounds, &bound);
        vec_push(&bounds, bound);
    }
}

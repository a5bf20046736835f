/* SPDX-License-Identifier: MIT */
/* Expressions where they stand: what is in them, and what they stand for. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "model/functions.h"
#include "model/types.h"
#include "model/walk.h"
#include "plan/match.h"

/* ---- walking ---- */

struct walking {
    const struct sql_frame *frame;
    void (*visit)(struct sql_part part, void *data);
    void *data;
};

const struct sql_frame *
match_frame(const struct expr *call, const struct sql_frame *caller)
{
    struct sql_frame *frame = arena_alloc(sizeof(*frame));

    *frame = (struct sql_frame){.caller = caller, .call = call};
    return frame;
}

/* What the parameter of a predicate stands for. */
static struct sql_part
argument_of(struct sql_part part)
{
    return (struct sql_part){part.frame->call->args.at[part.expr->param->number],
                             part.frame->caller};
}

static void
visit_expr(const struct expr *expr, void *data)
{
    const struct walking *walking = data;
    struct sql_part part = {expr, walking->frame};

    walking->visit(part, walking->data);
    if (expr->kind == EXPR_PARAM && part.frame)
        match_walk(argument_of(part), walking->visit, walking->data);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        match_walk((struct sql_part){expr->predicate->body, match_frame(expr, part.frame)},
                   walking->visit, walking->data);
}

void
match_walk(struct sql_part part, void (*visit)(struct sql_part part, void *data), void *data)
{
    struct walking walking = {part.frame, visit, data};

    walk_expr(part.expr, visit_expr, &walking);
}

void
match_conjuncts(struct sql_part part, struct sql_parts *out)
{
    const struct expr *expr = part.expr;

    if (expr->kind == EXPR_OP && strcmp(expr->name, "and") == 0) {
        for (size_t i = 0; i < expr->args.n; i++)
            match_conjuncts((struct sql_part){expr->args.at[i], part.frame}, out);
    } else if (expr->kind == EXPR_PREDICATE && !expr->predicate->definer && expr->predicate->body) {
        match_conjuncts((struct sql_part){expr->predicate->body, match_frame(expr, part.frame)},
                        out);
    } else {
        vec_push(out, part);
    }
}

bool
match_is_equality(const struct expr *expr)
{
    return expr->kind == EXPR_OP && strcmp(expr->name, "=") == 0 &&
           !(expr->function && expr->function->extension);
}

/* ---- the row ---- */

struct row_search {
    const struct match_row *row;
    bool found;
};

/* A column of the row, with nothing around it. */
static bool
is_row_column(const struct match_row *row, const struct expr *expr)
{
    if (expr->kind != EXPR_COLUMN)
        return false;
    return row->range ? expr->range == row->range
                      : expr->range->implicit && expr->range->table == row->table;
}

static void
find_row(struct sql_part part, void *data)
{
    struct row_search *search = data;

    search->found |= is_row_column(search->row, part.expr);
}

bool
match_needs_row(const struct match_row *row, struct sql_part part)
{
    struct row_search search = {.row = row};

    match_walk(part, find_row, &search);
    return search.found;
}

/* (select auth.uid()): the value itself. */
static bool
is_bare_select(const struct expr *expr)
{
    const struct select *select = expr->select;

    return expr->kind == EXPR_SELECT && select->kind == SELECT_PLAIN && select->from.n == 0 &&
           !select->where && !select->having && select->with.n == 0 && !select->limit &&
           !select->offset && select->outputs.n == 1;
}

static void
find_variable(struct sql_part part, void *data)
{
    const struct expr *expr = part.expr;
    bool *found = data;

    *found |= expr->kind == EXPR_COLUMN || expr->kind == EXPR_RAW || expr->kind == EXPR_FUNCTION ||
              (expr->select && !is_bare_select(expr));
}

bool
match_is_constant(struct sql_part part)
{
    bool found = false;

    match_walk(part, find_variable, &found);
    return !found;
}

/* pg_has_role(), current_setting(): what depends on the session may depend on its role. */
static void
find_session(struct sql_part part, void *data)
{
    const struct expr *expr = part.expr;
    const struct function *function = expr->function;
    bool *found = data;

    if (expr->kind == EXPR_CALL && !expr->is_auth)
        *found |= !function || function->volatility != IMMUTABLE;
}

bool
match_is_anybodys(struct sql_part part)
{
    bool found = false;

    match_walk(part, find_session, &found);
    return !found && match_is_constant(part);
}

/* ---- what changes without a write ---- */

struct steadiness {
    struct match_reason *reason;
    VEC(const void *) followed; /* functions and views */
};

static void find_unsteady(struct sql_part part, void *data);
static void find_unsteady_expr(const struct expr *expr, void *data);

static void
note(struct steadiness *s, const struct expr *expr, const char *text)
{
    if (!s->reason->text)
        *s->reason = (struct match_reason){expr->span, text};
}

static bool
is_followed(struct steadiness *s, const void *what)
{
    for (size_t i = 0; i < s->followed.n; i++)
        if (s->followed.at[i] == what)
            return true;
    vec_push(&s->followed, what);
    return false;
}

static void
follow_range(const struct range *range, void *data)
{
    struct steadiness *s = data;

    if (!range->table->query || is_followed(s, range->table))
        return;
    walk_select(range->table->query, find_unsteady_expr, s);
    walk_select_ranges(range->table->query, follow_range, s);
}

/* now(), current_date, and age(), which counts from today. */
static bool
is_clock(const struct expr *expr)
{
    const struct function *function = function_find(expr->name);

    if (expr->is_auth || !function || function->volatility != STABLE)
        return false;
    return expr->args.n == 0 || (strcmp(expr->name, "age") == 0 && expr->args.n == 1);
}

static bool
is_time(struct type type)
{
    return type.kind == TYPE_DATE || type.kind == TYPE_TIME || type.kind == TYPE_TIMETZ ||
           type.kind == TYPE_TIMESTAMP || type.kind == TYPE_TIMESTAMPTZ;
}

static bool
is_time_range(struct type type)
{
    return (type.kind >= TYPE_TSRANGE && type.kind <= TYPE_DATERANGE) ||
           (type.kind >= TYPE_TSMULTIRANGE && type.kind <= TYPE_DATEMULTIRANGE) ||
           ((type.kind == TYPE_RANGE || type.kind == TYPE_MULTIRANGE) &&
            is_time(type.range->subtype));
}

/* `10:00 today`, `[2020-01-01,now)`: PostgreSQL knows these words wherever they stand. */
static bool
names_moment(const char *text)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

    for (size_t len; *text; text += len > 0 ? len : 1) {
        for (len = 0; isalpha((unsigned char)text[len]);)
            len++;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (len == strlen(words[i]) && strncasecmp(text, words[i], len) == 0)
                return true;
    }
    return false;
}

/* 'today'::date, or what a claim says, which may be 'now'. */
static bool
reads_time(const struct expr *expr)
{
    const struct expr *from = expr->kind == EXPR_CAST ? expr->args.at[0] : expr;

    if (!is_time(expr->type) && !is_time_range(expr->type))
        return false;
    if (from->kind == EXPR_LITERAL)
        return from->value && names_moment(from->value);
    return expr->kind == EXPR_CAST && !is_time(from->type) && !is_time_range(from->type);
}

static void
follow_function(struct steadiness *s, const struct expr *call)
{
    if (call->declared->volatility == FUNCTION_VOLATILE)
        note(s, call, "a volatile function may give something else each time");
    else if (!call->declared->body)
        note(s, call, "a function's body in $$ is not known");
    else if (!is_followed(s, call->declared)) {
        walk_params(&call->declared->params, find_unsteady_expr, s);
        walk_statement(call->declared->body, find_unsteady_expr, s);
        walk_statement_ranges(call->declared->body, follow_range, s);
    }
}

static void
find_unsteady(struct sql_part part, void *data)
{
    struct steadiness *s = data;
    const struct expr *expr = part.expr;
    const struct function *function = expr->kind == EXPR_CALL ? expr->function : NULL;

    if (expr->kind == EXPR_RAW)
        note(s, expr, "SQL in $$ is not known");
    else if (expr->kind == EXPR_COLLATE && !match_is_bytewise(expr))
        note(s, expr, "texts that differ may be equal by this collation");
    else if (function && !expr->is_auth && function->volatility == VOLATILE)
        note(s, expr, "a volatile function gives something else each time");
    else if ((expr->kind == EXPR_CALL && is_clock(expr)) || reads_time(expr))
        note(s, expr, "the clock goes on without a write");
    else if (expr->kind == EXPR_FUNCTION)
        follow_function(s, expr);
    else if (expr->kind == EXPR_PARAM && !part.frame && expr->param->default_expr)
        walk_expr(expr->param->default_expr, find_unsteady_expr, s);
    if (expr->select)
        walk_select_ranges(expr->select, follow_range, s);
}

/* In a view or function, whose predicates nobody else looks into. */
static void
find_unsteady_expr(const struct expr *expr, void *data)
{
    struct steadiness *s = data;

    find_unsteady((struct sql_part){expr, NULL}, s);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body && !is_followed(s, expr->predicate))
        walk_expr(expr->predicate->body, find_unsteady_expr, s);
}

bool
match_is_steady(struct sql_part part, struct match_reason *reason)
{
    struct steadiness s = {.reason = reason};

    match_walk(part, find_unsteady, &s);
    return !reason->text;
}

/* ---- types ---- */

/* Those of one family compare with each other, and by their texts. */
static int
family(struct type type)
{
    if (type.array)
        return 0;
    switch (type.kind) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
        return TYPE_INT8 + 1;
    case TYPE_TEXT:
    case TYPE_VARCHAR:
        return TYPE_TEXT + 1;
    case TYPE_UUID:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_ENUM:
        return (int)type.kind + 1;
    default:
        return 0;
    }
}

bool
match_is_textual(struct type type)
{
    return family(type) != 0 && !type.extension;
}

bool
match_is_ordered(struct type type)
{
    return match_is_textual(type) && family(type) != TYPE_TEXT + 1;
}

bool
match_compares(struct type a, struct type b)
{
    return match_is_textual(a) && match_is_textual(b) && family(a) == family(b) &&
           a.enumeration == b.enumeration;
}

struct type
match_type_beside(const struct expr *expr, struct type other)
{
    bool is_null = expr->text && !expr->value && strcmp(expr->text, "null") == 0;

    return expr->kind == EXPR_LITERAL && (is_null || type_is_open(expr->type)) ? other : expr->type;
}

bool
match_is_bytewise(const struct expr *expr)
{
    return expr->kind == EXPR_COLLATE && (strcmp(expr->text, "pg_catalog.\"C\"") == 0 ||
                                          strcmp(expr->text, "pg_catalog.\"POSIX\"") == 0);
}

/* A cast that leaves the text as it is. */
static bool
keeps_text(struct type from, struct type to)
{
    if (!match_is_textual(from) || !match_is_textual(to) || to.domain || to.has_digits)
        return false;
    if (family(to) == TYPE_TEXT + 1)
        return to.length == 0 && !is_time(from);
    return match_compares(from, to) && to.kind >= from.kind;
}

const struct column *
match_column(const struct match_row *row, struct sql_part part, struct type *type)
{
    const struct expr *expr = part.expr;
    const struct column *column;

    if (is_row_column(row, expr)) {
        *type = expr->type;
        return expr->column->generated ? NULL : expr->column;
    }
    if (expr->kind == EXPR_PARAM && part.frame)
        column = match_column(row, argument_of(part), type);
    else if (expr->kind == EXPR_CAST)
        column = match_column(row, (struct sql_part){expr->args.at[0], part.frame}, type);
    else
        return NULL;
    if (!column)
        return NULL;
    if (!keeps_text(*type, expr->type) &&
        (expr->kind == EXPR_CAST || !type_same(*type, expr->type)))
        return NULL;
    *type = expr->type;
    return column;
}

/* ---- the caller ---- */

/* Its own id, the whole of it. */
static bool
is_caller(struct sql_part part)
{
    struct sql_part inner;

    if (part.expr->kind == EXPR_PARAM && part.frame)
        inner = argument_of(part);
    else if (part.expr->kind == EXPR_CAST)
        inner = (struct sql_part){part.expr->args.at[0], part.frame};
    else if (is_bare_select(part.expr))
        inner = (struct sql_part){part.expr->select->outputs.at[0].expr, part.frame};
    else
        return part.expr->kind == EXPR_CALL && part.expr->is_auth &&
               strcmp(part.expr->name, "uid") == 0;
    return is_caller(inner) && keeps_text(inner.expr->type, part.expr->type);
}

bool
match_is_of_caller(const struct match_row *row, struct sql_part part)
{
    const struct expr *expr = part.expr;
    struct sql_part left, right;
    struct type type;

    if (!match_is_equality(expr))
        return false;
    left = (struct sql_part){expr->args.at[0], part.frame};
    right = (struct sql_part){expr->args.at[1], part.frame};
    return (match_column(row, left, &type) && is_caller(right)) ||
           (is_caller(left) && match_column(row, right, &type));
}

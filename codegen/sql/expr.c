/* SPDX-License-Identifier: MIT */
/*
 * Expressions as SQL text, with parentheses where PostgreSQL's precedence needs them.
 */
#include "sql/printer.h"

#include <string.h>

#include "model/names.h"
#include "model/types.h"

/* ---- columns and parameters ---- */

static const char *
alias_of(const struct printer *p, const struct range *range)
{
    for (size_t i = p->ranges.n; i > 0; i--)
        if (p->ranges.at[i - 1].range == range)
            return p->ranges.at[i - 1].alias;
    return range->implicit ? range->table->name : range->alias;
}

void
sql_print_qualified(struct printer *p, const struct expr *e)
{
    str_printf(&p->out, "%s.%s", name_sql(alias_of(p, e->range)), name_sql(e->column->name));
}

static void
print_column(struct printer *p, const struct expr *e)
{
    size_t around = p->ranges.n + (p->row ? 1 : 0);

    if (around > 1)
        sql_print_qualified(p, e);
    else
        str_puts(&p->out, name_sql(e->column->name));
}

/* A column of some range in scope has this name, and SQL would take it before the parameter. */
static bool
is_column_name(const struct printer *p, const char *name)
{
    for (size_t i = 0; i < p->ranges.n; i++) {
        const struct table *table = p->ranges.at[i].range->table;

        if (strcmp(p->ranges.at[i].alias, name) == 0)
            return true; /* a row as a whole */
        for (size_t j = 0; j < table->columns.n; j++)
            if (strcmp(table->columns.at[j]->name, name) == 0)
                return true;
    }
    return false;
}

/* The place of an argument among those that the statement is asked with. */
static size_t
place_of(struct printer *p, const struct param *param)
{
    if (!p->used)
        return (size_t)param->number;
    for (size_t i = 0; i < p->used->n; i++)
        if (p->used->at[i] == param)
            return i;
    vec_push(p->used, param);
    return p->used->n - 1;
}

/* An argument that is not given comes as NULL, and then takes its default. */
void
sql_print_number(struct printer *p, const struct param *param)
{
    const char *number =
        arena_printf("$%zu::%s", place_of(p, param) + 1, sql_cast_type(param->type));

    if (param->default_expr && !(p->used && p->used->complete))
        str_printf(&p->out, "coalesce(%s, %s)", number, sql_expr(param->default_expr, SQL_POLICY));
    else
        str_puts(&p->out, number);
}

static void
print_param(struct printer *p, const struct expr *e, enum precedence need)
{
    const struct sql_frame *frame = p->frame;
    const struct expr *arg;
    struct expr cast;

    if (!frame) {
        if (p->numbers)
            sql_print_number(p, e->param);
        else if (is_column_name(p, e->param->name))
            str_printf(&p->out, "$%d", e->param->number + 1);
        else
            str_puts(&p->out, name_sql(e->param->name));
        return;
    }
    arg = frame->call->args.at[e->param->number];
    cast = (struct expr){.kind = EXPR_CAST, .type = e->param->type};
    if (!type_same(arg->type, e->param->type) || arg->value || arg->kind == EXPR_LITERAL) {
        vec_push(&cast.args, (struct expr *)arg);
        arg = &cast;
    }
    p->frame = frame->caller;
    sql_print_expr(p, arg, need);
    p->frame = frame;
}

static void
print_predicate(struct printer *p, const struct expr *e, enum precedence need)
{
    struct sql_frame frame = {.caller = p->frame, .call = e};

    if (!e->predicate->definer) {
        p->frame = &frame;
        sql_print_expr(p, e->predicate->body, need);
        p->frame = frame.caller;
        return;
    }
    str_printf(&p->out, "pgstack_policy.%s(", name_sql(e->predicate->name));
    for (size_t i = 0; i < e->args.n; i++) {
        str_puts(&p->out, i ? ", " : "");
        sql_print_expr(p, e->args.at[i], P_ANY);
    }
    str_putc(&p->out, ')');
}

/* ---- operators ---- */

static enum precedence
operator_precedence(const char *name, size_t n_args)
{
    static const struct {
        const char *name;
        enum precedence precedence;
    } levels[] = {
        {"or", P_OR},           {"and", P_AND},      {"not", P_NOT},    {"=", P_COMPARE},
        {"<>", P_COMPARE},      {"<", P_COMPARE},    {">", P_COMPARE},  {"<=", P_COMPARE},
        {">=", P_COMPARE},      {"like", P_LIKE},    {"ilike", P_LIKE}, {"not like", P_LIKE},
        {"not ilike", P_LIKE},  {"between", P_LIKE}, {"+", P_ADD},      {"-", P_ADD},
        {"*", P_MULTIPLY},      {"/", P_MULTIPLY},   {"%", P_MULTIPLY}, {"^", P_POWER},
        {"at time zone", P_AT},
    };

    if (n_args == 1 && (strcmp(name, "-") == 0 || strcmp(name, "+") == 0))
        return P_UNARY;
    if (strncmp(name, "is ", 3) == 0)
        return P_IS;
    if (strstr(name, "between") || strstr(name, "similar to"))
        return P_LIKE;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].precedence;
    return P_OTHER;
}

static void
print_operator(struct printer *p, const struct expr *e)
{
    enum precedence own = operator_precedence(e->name, e->args.n);
    bool chains = own == P_OR || own == P_AND || own == P_ADD || own == P_MULTIPLY;
    bool postfix = strncmp(e->name, "is ", 3) == 0 && e->args.n == 1;
    /* between x and y takes no `and` inside; comparisons do not chain. */
    enum precedence left = chains ? own : own + 1, right = own + 1;

    if (e->args.n == 1 && !postfix) {
        str_printf(&p->out, "%s%s", e->name, own == P_UNARY ? "" : " ");
        /* `- -1` must not become the start of a comment */
        sql_print_expr(p, e->args.at[0], own == P_NOT ? P_NOT : own + 1);
        return;
    }
    sql_print_expr(p, e->args.at[0], left);
    str_printf(&p->out, " %s", e->name);
    if (postfix)
        return;
    str_putc(&p->out, ' ');
    sql_print_expr(p, e->args.at[1], right);
    if (e->args.n == 3) {
        str_puts(&p->out, strstr(e->name, "between") ? " and " : " escape ");
        sql_print_expr(p, e->args.at[2], right);
    }
}

/* ---- the other forms ---- */

static void
print_list(struct printer *p, const struct expr *e, size_t from)
{
    for (size_t i = from; i < e->args.n; i++) {
        str_puts(&p->out, i > from ? ", " : "");
        sql_print_expr(p, e->args.at[i], P_ANY);
    }
}

static void
print_subselect(struct printer *p, const struct select *select)
{
    str_putc(&p->out, '(');
    sql_print_select(p, select);
    str_putc(&p->out, ')');
}

/* A claim, or one of auth's functions: constant in a statement. */
static void
print_constant_call(struct printer *p, const char *schema, const char *name)
{
    bool wrapped = p->form == SQL_POLICY;

    str_printf(&p->out, "%s%s.%s()%s", wrapped ? "(select " : "", schema, name_sql(name),
               wrapped ? ")" : "");
}

static void
print_call(struct printer *p, const struct expr *e)
{
    if (e->is_auth) {
        print_constant_call(p, "auth", e->name);
        return;
    }
    str_puts(&p->out, e->name);
    if (e->bare)
        return;
    str_puts(&p->out, e->distinct ? "(distinct " : "(");
    print_list(p, e, 0);
    if (e->tail)
        sql_print_call_tail(p, e->tail);
    else
        str_putc(&p->out, ')');
}

/* An argument that takes its default is left out; those after it go by their names. */
static void
print_function(struct printer *p, const struct expr *e)
{
    bool wrapped = p->form == SQL_POLICY && sql_is_constant_call(e), by_name = false;
    size_t printed = 0;

    str_printf(&p->out, "%spublic.%s(", wrapped ? "(select " : "", name_sql(e->declared->name));
    for (size_t i = 0; i < e->args.n; i++) {
        if (!e->args.at[i]) {
            by_name = true;
            continue;
        }
        str_puts(&p->out, printed++ ? ", " : "");
        if (by_name)
            str_printf(&p->out, "%s => ", name_sql(e->declared->params.at[i]->name));
        sql_print_expr(p, e->args.at[i], P_ANY);
    }
    str_puts(&p->out, wrapped ? "))" : ")");
}

static void
print_case(struct printer *p, const struct expr *e)
{
    size_t n = e->args.n;

    str_puts(&p->out, "case");
    if (e->args.at[0]) {
        str_putc(&p->out, ' ');
        sql_print_expr(p, e->args.at[0], P_ANY);
    }
    for (size_t i = 1; i + 2 < n; i += 2) {
        str_puts(&p->out, " when ");
        sql_print_expr(p, e->args.at[i], P_ANY);
        str_puts(&p->out, " then ");
        sql_print_expr(p, e->args.at[i + 1], P_ANY);
    }
    if (e->args.at[n - 1]) {
        str_puts(&p->out, " else ");
        sql_print_expr(p, e->args.at[n - 1], P_ANY);
    }
    str_puts(&p->out, " end");
}

static void
print_in(struct printer *p, const struct expr *e)
{
    sql_print_expr(p, e->args.at[0], P_OTHER);
    str_puts(&p->out, e->negated ? " not in " : " in ");
    if (e->select) {
        print_subselect(p, e->select);
        return;
    }
    str_putc(&p->out, '(');
    print_list(p, e, 1);
    str_putc(&p->out, ')');
}

static void
print_array(struct printer *p, const struct expr *e)
{
    str_puts(&p->out, "array");
    if (e->select) {
        print_subselect(p, e->select);
        return;
    }
    str_putc(&p->out, '[');
    print_list(p, e, 0);
    str_putc(&p->out, ']');
}

/* `any ((select x))` asks the rows of the select; with a cast it asks the array that it gives. */
static void
print_array_operand(struct printer *p, const struct expr *e)
{
    size_t start = p->out.n;

    sql_print_expr(p, e, P_ANY);
    if (type_is_open(e->type) || strncmp(p->out.at + start, "(select", 7) != 0)
        return;
    p->out.n = start;
    sql_print_expr(p, e, P_CAST);
    str_printf(&p->out, "::%s", sql_cast_type(e->type));
}

static void
print_quantified(struct printer *p, const struct expr *e)
{
    sql_print_expr(p, e->args.at[0], P_ADD);
    str_printf(&p->out, " %s %s ", e->name, e->kind == EXPR_ANY ? "any" : "all");
    if (e->select) {
        print_subselect(p, e->select);
        return;
    }
    str_putc(&p->out, '(');
    print_array_operand(p, e->args.at[1]);
    str_putc(&p->out, ')');
}

static void
print_subscript(struct printer *p, const struct expr *e)
{
    sql_print_expr(p, e->args.at[0], P_PRIMARY);
    str_putc(&p->out, '[');
    sql_print_expr(p, e->args.at[1], P_ANY);
    if (e->args.n == 3) {
        str_putc(&p->out, ':');
        sql_print_expr(p, e->args.at[2], P_ANY);
    }
    str_putc(&p->out, ']');
}

static enum precedence
expr_precedence(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_OP:
        return operator_precedence(e->name, e->args.n);
    case EXPR_IN:
        return P_LIKE;
    case EXPR_ANY:
    case EXPR_ALL:
        return P_OTHER;
    case EXPR_CAST:
        return P_CAST;
    case EXPR_COLLATE:
        return P_COLLATE;
    case EXPR_SUBSCRIPT:
        return P_SUBSCRIPT;
    case EXPR_EXISTS:
        return e->negated ? P_NOT : P_PRIMARY;
    case EXPR_RAW:
        return P_ANY;
    default:
        return P_PRIMARY;
    }
}

/* long: one case a kind of expression */
static void
print_bare(struct printer *p, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_LITERAL:
    case EXPR_RAW:
        str_puts(&p->out, e->text);
        break;
    case EXPR_COLUMN:
        print_column(p, e);
        break;
    case EXPR_OUTPUT:
        str_puts(&p->out, name_sql(e->name));
        break;
    case EXPR_STAR:
        str_putc(&p->out, '*');
        break;
    case EXPR_CLAIM:
        print_constant_call(p, "claim", e->claim->name);
        break;
    case EXPR_CALL:
        print_call(p, e);
        break;
    case EXPR_OP:
        print_operator(p, e);
        break;
    case EXPR_CAST:
        sql_print_expr(p, e->args.at[0], P_CAST);
        str_printf(&p->out, "::%s", sql_type(e->type));
        break;
    case EXPR_CASE:
        print_case(p, e);
        break;
    case EXPR_IN:
        print_in(p, e);
        break;
    case EXPR_EXISTS:
        str_puts(&p->out, e->negated ? "not exists " : "exists ");
        print_subselect(p, e->select);
        break;
    case EXPR_SELECT:
        print_subselect(p, e->select);
        break;
    case EXPR_ARRAY:
        print_array(p, e);
        break;
    case EXPR_ANY:
    case EXPR_ALL:
        print_quantified(p, e);
        break;
    case EXPR_EXTRACT:
        str_printf(&p->out, "extract(%s from ", name_sql(e->name));
        sql_print_expr(p, e->args.at[0], P_ANY);
        str_putc(&p->out, ')');
        break;
    case EXPR_ROW:
        if (e->range) {
            str_printf(&p->out, "%s.*", name_sql(alias_of(p, e->range)));
            break;
        }
        str_puts(&p->out, "row(");
        print_list(p, e, 0);
        str_putc(&p->out, ')');
        break;
    case EXPR_FIELD:
        str_putc(&p->out, '(');
        sql_print_expr(p, e->args.at[0], P_ANY);
        str_printf(&p->out, ").%s", name_sql(e->name));
        break;
    case EXPR_SUBSCRIPT:
        print_subscript(p, e);
        break;
    case EXPR_COLLATE:
        sql_print_expr(p, e->args.at[0], P_COLLATE);
        str_printf(&p->out, " collate %s", e->text);
        break;
    case EXPR_FUNCTION:
        print_function(p, e);
        break;
    case EXPR_DEFAULT:
        str_puts(&p->out, "default");
        break;
    case EXPR_PUBLIC:
        str_puts(&p->out, "true");
        break;
    case EXPR_PARAM:
    case EXPR_PREDICATE:
        break; /* print_expr has done these */
    }
}

void
sql_print_expr(struct printer *p, const struct expr *e, enum precedence need)
{
    bool parentheses = expr_precedence(e) < need;

    if (e->kind == EXPR_PARAM) {
        print_param(p, e, need);
        return;
    }
    if (e->kind == EXPR_PREDICATE) {
        print_predicate(p, e, need);
        return;
    }
    if (parentheses)
        str_putc(&p->out, '(');
    print_bare(p, e);
    if (parentheses)
        str_putc(&p->out, ')');
}

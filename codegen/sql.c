/* SPDX-License-Identifier: MIT */
/*
 * A predicate that is put in place brings its own ranges into a statement that may use the same
 * aliases, and its arguments belong to the place where it was called.  So aliases are chosen while
 * printing, against all ranges around; and an argument is printed in the frame of its caller.
 */
#include "sql.h"

#include <string.h>

#include "names.h"
#include "str.h"
#include "types.h"

/* How tightly PostgreSQL binds, loosest first. */
enum precedence {
    P_ANY,
    P_OR,
    P_AND,
    P_NOT,
    P_IS,
    P_COMPARE,
    P_LIKE, /* like, between, in */
    P_OTHER,
    P_ADD,
    P_MULTIPLY,
    P_POWER,
    P_AT,
    P_UNARY,
    P_SUBSCRIPT,
    P_CAST,
    P_PRIMARY,
};

/* A predicate being put in place: what its parameters stand for. */
struct frame {
    const struct frame *caller;
    const struct expr *call;
};

struct named_range {
    const struct range *range;
    const char *alias;
};

struct printer {
    struct str out;
    enum sql_form form;
    const struct table *row; /* whose columns stand outside of any select; NULL: none */
    VEC(struct named_range) ranges;
    const struct frame *frame;
};

static void print_expr(struct printer *p, const struct expr *e, enum precedence need);
static void print_select(struct printer *p, const struct select *s);

/* ---- names, types, lists ---- */

const char *
sql_literal(const char *text)
{
    return name_literal(text);
}

const char *
sql_relation(const struct table *table)
{
    return arena_printf("%s.%s", name_sql(table->schema), name_sql(table->name));
}

const char *
sql_cast_type(struct type type)
{
    const char *text;

    if (type.kind == TYPE_ENUM)
        text = arena_printf("public.%s", name_sql(type.enumeration->name));
    else if (type_info(type.kind))
        text = type_info(type.kind)->sql;
    else
        text = type_text(type_element(type));
    return type.array ? arena_printf("%s[]", text) : text;
}

const char *
sql_type(struct type type)
{
    const char *text = sql_cast_type(type_element(type));

    if (type.kind == TYPE_VARCHAR && type.length > 0)
        text = arena_printf("%s(%d)", text, type.length);
    if (type.kind == TYPE_NUMERIC && type.precision > 0)
        text = arena_printf("%s(%d,%d)", text, type.precision, type.scale);
    return type.array ? arena_printf("%s[]", text) : text;
}

const char *
sql_columns(const struct column *const *columns, size_t n)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = 0; i < n; i++)
        str_printf(&out, "%s%s", i ? ", " : "", name_sql(columns[i]->name));
    return out.at;
}

const char *
sql_params(struct param *const *params, size_t n)
{
    struct str out = {0};

    str_puts(&out, "");
    for (size_t i = 0; i < n; i++) {
        str_printf(&out, "%s%s %s", i ? ", " : "", name_sql(params[i]->name),
                   sql_cast_type(params[i]->type));
        if (params[i]->default_expr)
            str_printf(&out, " default %s", sql_expr(params[i]->default_expr, SQL_PLAIN));
    }
    return out.at;
}

static void
print_direction(struct str *out, bool descending, int nulls)
{
    static const char *const words[] = {"", " nulls first", " nulls last"};

    str_printf(out, "%s%s", descending ? " desc" : "", words[nulls]);
}

const char *
sql_index_items(const struct index *index)
{
    struct str out = {0};

    for (size_t i = 0; i < index->items.n; i++) {
        const struct index_item *item = &index->items.at[i];

        str_puts(&out, i ? ", " : "");
        if (item->column)
            str_puts(&out, name_sql(item->column->name));
        else
            str_printf(&out, "(%s)", sql_expr(item->expr, SQL_PLAIN));
        print_direction(&out, item->descending, item->nulls);
    }
    return out.at;
}

/* ---- columns and parameters ---- */

static const char *
alias_of(const struct printer *p, const struct range *range)
{
    for (size_t i = p->ranges.n; i > 0; i--)
        if (p->ranges.at[i - 1].range == range)
            return p->ranges.at[i - 1].alias;
    return range->implicit ? range->table->name : range->alias;
}

static void
print_column(struct printer *p, const struct expr *e)
{
    size_t around = p->ranges.n + (p->row ? 1 : 0);

    if (around > 1)
        str_printf(&p->out, "%s.", name_sql(alias_of(p, e->range)));
    str_puts(&p->out, name_sql(e->column->name));
}

/* A column of some range in scope has this name, and SQL would take it before the parameter. */
static bool
is_column_name(const struct printer *p, const char *name)
{
    for (size_t i = 0; i < p->ranges.n; i++) {
        const struct table *table = p->ranges.at[i].range->table;

        for (size_t j = 0; j < table->columns.n; j++)
            if (strcmp(table->columns.at[j]->name, name) == 0)
                return true;
    }
    return false;
}

static void
print_param(struct printer *p, const struct expr *e, enum precedence need)
{
    const struct frame *frame = p->frame;
    const struct expr *arg;
    struct expr cast;

    if (!frame) {
        if (is_column_name(p, e->param->name))
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
    print_expr(p, arg, need);
    p->frame = frame;
}

static void
print_predicate(struct printer *p, const struct expr *e, enum precedence need)
{
    struct frame frame = {.caller = p->frame, .call = e};

    if (!e->predicate->definer) {
        p->frame = &frame;
        print_expr(p, e->predicate->body, need);
        p->frame = frame.caller;
        return;
    }
    str_printf(&p->out, "pgstack_policy.%s(", name_sql(e->predicate->name));
    for (size_t i = 0; i < e->args.n; i++) {
        str_puts(&p->out, i ? ", " : "");
        print_expr(p, e->args.at[i], P_ANY);
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
        print_expr(p, e->args.at[0], own == P_NOT ? P_NOT : own + 1);
        return;
    }
    print_expr(p, e->args.at[0], left);
    str_printf(&p->out, " %s", e->name);
    if (postfix)
        return;
    str_putc(&p->out, ' ');
    print_expr(p, e->args.at[1], right);
    if (e->args.n == 3) {
        str_puts(&p->out, strstr(e->name, "between") ? " and " : " escape ");
        print_expr(p, e->args.at[2], right);
    }
}

/* ---- the other forms ---- */

static void
print_list(struct printer *p, const struct expr *e, size_t from)
{
    for (size_t i = from; i < e->args.n; i++) {
        str_puts(&p->out, i > from ? ", " : "");
        print_expr(p, e->args.at[i], P_ANY);
    }
}

static void
print_subselect(struct printer *p, const struct select *select)
{
    str_putc(&p->out, '(');
    print_select(p, select);
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
    str_putc(&p->out, ')');
}

static void
print_case(struct printer *p, const struct expr *e)
{
    size_t n = e->args.n;

    str_puts(&p->out, "case");
    if (e->args.at[0]) {
        str_putc(&p->out, ' ');
        print_expr(p, e->args.at[0], P_ANY);
    }
    for (size_t i = 1; i + 2 < n; i += 2) {
        str_puts(&p->out, " when ");
        print_expr(p, e->args.at[i], P_ANY);
        str_puts(&p->out, " then ");
        print_expr(p, e->args.at[i + 1], P_ANY);
    }
    if (e->args.at[n - 1]) {
        str_puts(&p->out, " else ");
        print_expr(p, e->args.at[n - 1], P_ANY);
    }
    str_puts(&p->out, " end");
}

static void
print_in(struct printer *p, const struct expr *e)
{
    print_expr(p, e->args.at[0], P_OTHER);
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

static void
print_quantified(struct printer *p, const struct expr *e)
{
    print_expr(p, e->args.at[0], P_ADD);
    str_printf(&p->out, " %s %s ", e->name, e->kind == EXPR_ANY ? "any" : "all");
    if (e->select) {
        print_subselect(p, e->select);
        return;
    }
    str_putc(&p->out, '(');
    print_expr(p, e->args.at[1], P_ANY);
    str_putc(&p->out, ')');
}

static void
print_subscript(struct printer *p, const struct expr *e)
{
    print_expr(p, e->args.at[0], P_PRIMARY);
    str_putc(&p->out, '[');
    print_expr(p, e->args.at[1], P_ANY);
    if (e->args.n == 3) {
        str_putc(&p->out, ':');
        print_expr(p, e->args.at[2], P_ANY);
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
        print_expr(p, e->args.at[0], P_CAST);
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
        print_expr(p, e->args.at[0], P_ANY);
        str_putc(&p->out, ')');
        break;
    case EXPR_ROW:
        str_puts(&p->out, "row(");
        print_list(p, e, 0);
        str_putc(&p->out, ')');
        break;
    case EXPR_SUBSCRIPT:
        print_subscript(p, e);
        break;
    case EXPR_PUBLIC:
        str_puts(&p->out, "true");
        break;
    case EXPR_PARAM:
    case EXPR_PREDICATE:
        break; /* print_expr has done these */
    }
}

/* In parentheses when it binds looser than its surroundings need. */
static void
print_expr(struct printer *p, const struct expr *e, enum precedence need)
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

/* ---- selects ---- */

static bool
alias_is_taken(const struct printer *p, const char *alias)
{
    if (p->row && strcmp(p->row->name, alias) == 0)
        return true;
    for (size_t i = 0; i < p->ranges.n; i++)
        if (strcmp(p->ranges.at[i].alias, alias) == 0)
            return true;
    return false;
}

/* Brings a range into scope under an alias that nothing around it has. */
static const char *
enter_range(struct printer *p, const struct range *range)
{
    struct named_range named = {.range = range, .alias = range->alias};

    for (int i = 1; alias_is_taken(p, named.alias); i++)
        named.alias = arena_printf("%s_%d", range->alias, i);
    vec_push(&p->ranges, named);
    return named.alias;
}

static void
print_from(struct printer *p, const struct select *s, size_t first)
{
    static const char *const joins[] = {
        [JOIN_NONE] = ", ",
        [JOIN_INNER] = " join ",
        [JOIN_LEFT] = " left join ",
        [JOIN_CROSS] = " cross join ",
    };

    for (size_t i = 0; i < s->from.n; i++) {
        const struct range *range = s->from.at[i];
        const char *alias = p->ranges.at[first + i].alias;

        str_puts(&p->out, i == 0 ? " from " : joins[range->join]);
        str_puts(&p->out, sql_relation(range->table));
        if (strcmp(alias, range->table->name) != 0)
            str_printf(&p->out, " %s", name_sql(alias));
        if (range->on) {
            str_puts(&p->out, " on ");
            print_expr(p, range->on, P_ANY);
        }
    }
}

static void
print_outputs(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->outputs.n; i++) {
        const struct output *output = &s->outputs.at[i];
        const struct expr *e = output->expr;
        bool natural = e->kind == EXPR_COLUMN && strcmp(e->column->name, output->name) == 0;

        str_puts(&p->out, i ? ", " : "");
        print_expr(p, e, P_ANY);
        if (output->name && !natural)
            str_printf(&p->out, " as %s", name_sql(output->name));
    }
}

static void
print_clause(struct printer *p, const char *word, const struct expr *e)
{
    if (!e)
        return;
    str_puts(&p->out, word);
    print_expr(p, e, P_ANY);
}

static void
print_tail(struct printer *p, const struct select *s)
{
    for (size_t i = 0; i < s->group_by.n; i++) {
        str_puts(&p->out, i ? ", " : " group by ");
        print_expr(p, s->group_by.at[i], P_ANY);
    }
    print_clause(p, " having ", s->having);
    for (size_t i = 0; i < s->order_by.n; i++) {
        str_puts(&p->out, i ? ", " : " order by ");
        print_expr(p, s->order_by.at[i].expr, P_ANY);
        print_direction(&p->out, s->order_by.at[i].descending, s->order_by.at[i].nulls);
    }
    print_clause(p, " limit ", s->limit);
    print_clause(p, " offset ", s->offset);
}

static void
print_select(struct printer *p, const struct select *s)
{
    size_t first = p->ranges.n;

    for (size_t i = 0; i < s->from.n; i++)
        enter_range(p, s->from.at[i]);
    str_puts(&p->out, s->distinct ? "select distinct " : "select ");
    print_outputs(p, s);
    print_from(p, s, first);
    print_clause(p, " where ", s->where);
    print_tail(p, s);
    p->ranges.n = first;
}

/* ---- the row that an expression is about ---- */

static const struct table *find_row(const struct expr *e);

static const struct table *
find_row_in_select(const struct select *s)
{
    const struct table *row = s->where ? find_row(s->where) : NULL;

    for (size_t i = 0; !row && i < s->outputs.n; i++)
        row = find_row(s->outputs.at[i].expr);
    for (size_t i = 0; !row && i < s->from.n; i++)
        row = s->from.at[i]->on ? find_row(s->from.at[i]->on) : NULL;
    for (size_t i = 0; !row && i < s->group_by.n; i++)
        row = find_row(s->group_by.at[i]);
    if (!row && s->having)
        row = find_row(s->having);
    for (size_t i = 0; !row && i < s->order_by.n; i++)
        row = find_row(s->order_by.at[i].expr);
    return row;
}

/* The table whose implicit range the expression names; NULL: it names none. */
static const struct table *
find_row(const struct expr *e)
{
    const struct table *row = NULL;

    if (e->kind == EXPR_COLUMN && e->range->implicit)
        return e->range->table;
    for (size_t i = 0; !row && i < e->args.n; i++)
        row = e->args.at[i] ? find_row(e->args.at[i]) : NULL;
    return !row && e->select ? find_row_in_select(e->select) : row;
}

const char *
sql_expr(const struct expr *expr, enum sql_form form)
{
    struct printer p = {.form = form, .row = find_row(expr)};

    print_expr(&p, expr, P_ANY);
    return p.out.at;
}

const char *
sql_select(const struct select *select, enum sql_form form)
{
    struct printer p = {.form = form};

    print_select(&p, select);
    return p.out.at;
}

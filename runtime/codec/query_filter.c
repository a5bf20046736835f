/* SPDX-License-Identifier: MIT */
/*
 * Conditions: `not.in.(a,"b,c")` of one column, and the trees of `and=(...)` and `or=(...)`.
 *
 * The value of a plain filter is everything up to the end, commas and parentheses included; inside
 * a tree it ends at `,` or `)`, unless it is quoted or an array literal.
 */
#include <string.h>
#include <strings.h>

#include "codec/query_parse.h"

static const struct {
    const char *word;
    size_t len;
} operators[] = {
#define PGS_OPERATOR(name, word, sql) [PGS_OP_##name] = {word, sizeof(word) - 1},
    PGS_OPERATORS(PGS_OPERATOR)
#undef PGS_OPERATOR
};

static const struct {
    const char *word;
    enum pgs_is is;
} is_words[] = {
    {"null", PGS_IS_NULL},   {"not_null", PGS_IS_NOT_NULL}, {"true", PGS_IS_TRUE},
    {"false", PGS_IS_FALSE}, {"unknown", PGS_IS_UNKNOWN},
};

/* NULL: too many, the error is written. */
static struct pgs_condition *
new_condition(struct pgs__query_context *context)
{
    if (context->query->n_conditions >= PGS_QUERY_MAX_CONDITIONS) {
        pgs__query_too_many(context, "conditions", PGS_QUERY_MAX_CONDITIONS);
        return NULL;
    }
    context->query->n_conditions++;
    return pgs__query_alloc(context, 1, sizeof(struct pgs_condition));
}

/* At the end of a condition: of the value, or of its place in a tree. */
static bool
is_done(const struct pgs__query_value *value, bool in_tree)
{
    if (value->at == value->end)
        return true;
    return in_tree && (*value->at == ',' || *value->at == ')');
}

static bool
unknown_operator(struct pgs__query_value *value, const char *dot)
{
    static const char expecting[] = "\"not\" or operator (eq, gt, ...)";
    char details[96] = "unknown single value operator ";
    size_t len = (size_t)(dot - value->at), room = sizeof(details) - strlen(details) - 1;

    if (dot == value->end)
        return pgs__query_syntax(value, expecting);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value->at[i] < 0x20 || (unsigned char)value->at[i] >= 0x7F)
            return pgs__query_syntax(value, expecting);
    strncat(details, value->at, len < room ? len : room);
    value->at = dot + 1;
    return pgs__query_fault(value, details);
}

static bool
read_operator(struct pgs__query_value *value, enum pgs_operator *op)
{
    const char *dot = memchr(value->at, '.', (size_t)(value->end - value->at));
    size_t len;

    if (dot == NULL)
        dot = value->end;
    len = (size_t)(dot - value->at);
    for (size_t i = 0; dot < value->end && i < PGS_COUNT(operators); i++) {
        if (operators[i].len != len || memcmp(operators[i].word, value->at, len) != 0)
            continue;
        *op = (enum pgs_operator)i;
        value->at = dot + 1;
        return true;
    }
    return unknown_operator(value, dot);
}

static bool
read_is(struct pgs__query_value *value, bool in_tree, enum pgs_is *is)
{
    for (size_t i = 0; i < PGS_COUNT(is_words); i++) {
        struct pgs__query_value behind = *value;
        size_t len = strlen(is_words[i].word);

        if ((size_t)(value->end - value->at) < len ||
            strncasecmp(value->at, is_words[i].word, len) != 0)
            continue;
        behind.at += len;
        if (in_tree)
            pgs__query_skip_space(&behind);
        if (!is_done(&behind, in_tree))
            continue;
        value->at = behind.at;
        *is = is_words[i].is;
        return true;
    }
    return pgs__query_syntax(value, "null, not_null or trilean value (unknown, true, false)");
}

/* Up to `,` or `)`. */
static struct pgs_text
read_plain(struct pgs__query_value *value)
{
    const char *start = value->at;

    while (value->at < value->end && *value->at != ',' && *value->at != ')')
        value->at++;
    return (struct pgs_text){start, (size_t)(value->at - start)};
}

/* A quoted text that `,` or `)` follows; otherwise the quotes are part of a plain value. */
static bool
read_if_quoted(struct pgs__query_value *value, struct pgs_text *text)
{
    struct pgs__query_value behind = *value;

    if (!pgs__query_sees(value, "\"") || !pgs__query_quoted(&behind, text))
        return false;
    if (behind.at < behind.end && *behind.at != ',' && *behind.at != ')')
        return false;
    value->at = behind.at;
    return true;
}

/* `{...}` with what may stand between braces and quotes, where `,` or `)` follows. */
static bool
read_if_array(struct pgs__query_value *value, struct pgs_text *text)
{
    const char *at = value->at;
    size_t depth = 0;
    bool quoted = false;

    if (!pgs__query_sees(value, "{"))
        return false;
    for (; at < value->end; at++) {
        if (*at == '\\' && at + 1 < value->end)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (*at == '{' && !quoted)
            depth++;
        else if (*at == '}' && !quoted && --depth == 0)
            break;
    }
    if (at >= value->end || (at + 1 < value->end && at[1] != ',' && at[1] != ')'))
        return false;
    at++;
    *text = (struct pgs_text){value->at, (size_t)(at - value->at)};
    value->at = at;
    return true;
}

/* Room for one more value: doubled, so that memory follows what the list really holds. */
static bool
make_room(struct pgs__query_context *context, struct pgs_condition *condition)
{
    size_t n = condition->n_values;
    struct pgs_text *values;

    if (context->n_values++ >= PGS_QUERY_MAX_VALUES)
        return pgs__query_too_many(context, "values", PGS_QUERY_MAX_VALUES);
    if (n > 0 && (n < 4 || (n & (n - 1)) != 0))
        return true;
    values = pgs__query_alloc(context, n == 0 ? 4 : 2 * n, sizeof(*values));
    if (n > 0)
        memcpy(values, condition->values, n * sizeof(*values));
    condition->values = values;
    return true;
}

static bool
read_list(struct pgs__query_value *value, struct pgs_condition *condition)
{
    pgs__query_skip_space(value);
    if (!pgs__query_takes(value, "("))
        return pgs__query_syntax(value, "\"(\"");
    pgs__query_skip_space(value);
    do {
        struct pgs_text item;

        if (!make_room(value->context, condition))
            return false;
        if (!read_if_quoted(value, &item))
            item = read_plain(value);
        condition->values[condition->n_values++] = item;
    } while (pgs__query_takes(value, ","));
    if (condition->n_values == 1 && condition->values[0].len == 0 && value->at[-1] != '"')
        condition->n_values = 0; /* in.() holds for no row */
    if (!pgs__query_takes(value, ")"))
        return pgs__query_syntax(value, "\",\" or \")\"");
    pgs__query_skip_space(value);
    return true;
}

/* PostgREST writes `*` for `%`, which needs an escape in a URL. */
static struct pgs_text
with_percent(struct pgs__query_context *context, struct pgs_text text)
{
    char *copy = context->memory.alloc(context->memory.pool, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.at[i] == '*' ? '%' : text.at[i];
    return (struct pgs_text){copy, text.len};
}

static void
read_single(struct pgs__query_value *value, bool in_tree, struct pgs_condition *condition)
{
    struct pgs_text *text = &condition->value;

    if (!in_tree) {
        *text = (struct pgs_text){value->at, (size_t)(value->end - value->at)};
        value->at = value->end;
    } else if (!read_if_quoted(value, text) && !read_if_array(value, text)) {
        *text = read_plain(value);
    }
    if (condition->op == PGS_OP_LIKE || condition->op == PGS_OP_ILIKE)
        *text = with_percent(value->context, *text);
}

static bool
read_comparison(struct pgs__query_value *value, bool in_tree, struct pgs_condition *condition)
{
    bool read = true;

    condition->form = PGS_COMPARE;
    condition->negated = pgs__query_takes(value, "not.");
    if (!read_operator(value, &condition->op))
        return false;
    if (condition->op == PGS_OP_IS)
        read = read_is(value, in_tree, &condition->is);
    else if (condition->op == PGS_OP_IN)
        read = read_list(value, condition);
    else
        read_single(value, in_tree, condition);
    if (read && !is_done(value, in_tree))
        return pgs__query_syntax(value, in_tree ? "\",\" or \")\"" : "end of input");
    return read;
}

static bool read_group(struct pgs__query_value *value, size_t depth,
                       struct pgs_condition *condition);

/* `and(`, `or(`, `not.and(`, `not.or(`: steps to the parenthesis. */
static bool
takes_group_word(struct pgs__query_value *value, struct pgs_condition *condition)
{
    struct pgs__query_value behind = *value;
    bool negated = pgs__query_takes(&behind, "not.");
    bool is_and = pgs__query_takes(&behind, "and");

    if (!is_and && !pgs__query_takes(&behind, "or"))
        return false;
    pgs__query_skip_space(&behind);
    if (!pgs__query_sees(&behind, "("))
        return false;
    value->at = behind.at;
    condition->negated = negated;
    condition->form = is_and ? PGS_AND : PGS_OR;
    return true;
}

/* One part of a tree: a group, or `column.op.value`. */
static bool
read_part(struct pgs__query_value *value, size_t depth, struct pgs_condition *condition)
{
    pgs__query_skip_space(value);
    if (takes_group_word(value, condition))
        return read_group(value, depth + 1, condition);
    if (!pgs__query_name(value, &condition->column) || !pgs__query_no_json_path(value))
        return false;
    if (!pgs__query_takes(value, "."))
        return pgs__query_syntax(value, "delimiter (.)");
    return read_comparison(value, true, condition);
}

/* `( part, part, ... )` into a condition whose form is known. */
static bool
read_group(struct pgs__query_value *value, size_t depth, struct pgs_condition *condition)
{
    struct pgs_condition **last = &condition->inner;

    if (depth > PGS_QUERY_MAX_DEPTH)
        return pgs__query_too_many(value->context, "groups within groups", PGS_QUERY_MAX_DEPTH);
    pgs__query_skip_space(value);
    if (!pgs__query_takes(value, "("))
        return pgs__query_syntax(value, "\"(\"");
    do {
        if ((*last = new_condition(value->context)) == NULL || !read_part(value, depth, *last))
            return false;
        last = &(*last)->next;
        pgs__query_skip_space(value);
    } while (pgs__query_takes(value, ","));
    if (!pgs__query_takes(value, ")"))
        return pgs__query_syntax(value, "\",\" or \")\"");
    pgs__query_skip_space(value);
    return true;
}

static void
append(struct pgs__query_context *context, struct pgs_condition *condition)
{
    *context->last = condition;
    context->last = &condition->next;
}

bool
pgs__query_filter(struct pgs__query_context *context, struct pgs_text column, struct pgs_text text)
{
    struct pgs__query_value value = {context, "filter", text, text.at, text.at + text.len};
    struct pgs_condition *condition = new_condition(context);

    if (condition == NULL || !read_comparison(&value, false, condition))
        return false;
    condition->column = column;
    append(context, condition);
    return true;
}

bool
pgs__query_logic(struct pgs__query_context *context, bool negated, bool is_or, struct pgs_text text)
{
    struct pgs__query_value value = {context, "logic tree", text, text.at, text.at + text.len};
    struct pgs_condition *condition = new_condition(context);

    if (condition == NULL)
        return false;
    condition->form = is_or ? PGS_OR : PGS_AND;
    condition->negated = negated;
    if (!read_group(&value, 1, condition))
        return false;
    if (value.at < value.end)
        return pgs__query_syntax(&value, "end of input");
    append(context, condition);
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The pairs of a query string, and the parameters that are not conditions.
 *
 * Everything is decoded once, into one buffer; names and values point into it.  A parameter that
 * the grammar does not let repeat is refused the second time: two readers of one URL that disagree
 * about which counts are a way around a check.
 */
#include "codec/query_string.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "codec/query_parse.h"
#include "codec/url_decode.h"

/* Percent-escapes and `+` of one name or value; what comes out is never longer. */
static bool
decode(struct pgs__query_context *context, const char *at, const char *end, char **to,
       struct pgs_text *text)
{
    const char *why = pgs_url_decode(at, end, *to, text);

    if (why != NULL)
        return pgs__query_error(context, "PGRST100", why, "");
    *to += text->len;
    return true;
}

static bool
read_cast(struct pgs__query_value *value, struct pgs_text *cast)
{
    if (!pgs__query_takes(value, "::"))
        return true;
    if (pgs__query_sees(value, "\""))
        return pgs__query_syntax(value, "letter or digit");
    return pgs__query_name(value, cast);
}

/* Behind the name of a relation: `!hint!inner(...)`, whose inside is not looked at. */
static bool
skip_embed(struct pgs__query_value *value)
{
    size_t depth = 0;
    struct pgs_text hint;

    while (pgs__query_takes(value, "!"))
        if (!pgs__query_name(value, &hint))
            return false;
    if (!pgs__query_sees(value, "("))
        return pgs__query_syntax(value, "\"(\"");
    do {
        if (value->at == value->end)
            return pgs__query_syntax(value, "\")\"");
        if (pgs__query_sees(value, "\"")) {
            if (!pgs__query_quoted(value, &hint))
                return false;
            continue;
        }
        depth += *value->at == '(';
        depth -= *value->at == ')';
        value->at++;
    } while (depth > 0);
    pgs__query_skip_space(value);
    return true;
}

/* `alias:column::cast`, `*`, or a relation. */
static bool
read_select_item(struct pgs__query_value *value, struct pgs_select_item *item)
{
    pgs__query_skip_space(value);
    if (pgs__query_sees(value, "*")) {
        item->column = (struct pgs_text){value->at++, 1};
        pgs__query_skip_space(value);
        return true;
    }
    item->embed = pgs__query_takes(value, "..");
    if (!pgs__query_name(value, &item->column))
        return false;
    if (!pgs__query_sees(value, "::") && pgs__query_takes(value, ":")) {
        item->alias = item->column;
        if (!pgs__query_name(value, &item->column))
            return false;
    }
    if (item->embed || pgs__query_sees(value, "!") || pgs__query_sees(value, "(")) {
        item->embed = true;
        return skip_embed(value);
    }
    if (pgs__query_sees(value, "."))
        return pgs__query_error(value->context, "PGRST123",
                                "Use of aggregate functions is not allowed", "");
    return pgs__query_no_json_path(value) && read_cast(value, &item->cast);
}

static bool
read_select(struct pgs__query_context *context, struct pgs_text text)
{
    struct pgs__query_value value = {context, "select parameter", text, text.at,
                                     text.at + text.len};
    struct pgs_select_item *items =
        pgs__query_alloc(context, pgs__query_commas(&value) + 1, sizeof(*items));
    size_t n = 0;

    do {
        if (n >= PGS_QUERY_MAX_SELECT)
            return pgs__query_too_many(context, "columns in select", PGS_QUERY_MAX_SELECT);
        if (!read_select_item(&value, &items[n++]))
            return false;
    } while (pgs__query_takes(&value, ","));
    if (value.at < value.end)
        return pgs__query_syntax(&value, "\"::\", \",\" or end of input");
    context->query->select = items;
    context->query->n_select = n;
    return true;
}

static bool
takes_order_word(struct pgs__query_value *value, const char *word)
{
    struct pgs__query_value behind = *value;

    if (!pgs__query_takes(&behind, word))
        return false;
    if (behind.at < behind.end && strchr(".,) \t", *behind.at) == NULL)
        return false;
    value->at = behind.at;
    return true;
}

static bool
read_order_item(struct pgs__query_value *value, struct pgs_order_item *item)
{
    bool direction = false;

    if (!pgs__query_name(value, &item->column) || !pgs__query_no_json_path(value))
        return false;
    if (pgs__query_sees(value, "("))
        return pgs__query_fault(value, "an order by an embedded relation is not supported");
    if (takes_order_word(value, ".desc"))
        direction = item->descending = true;
    else
        direction = takes_order_word(value, ".asc");
    if (takes_order_word(value, ".nullsfirst"))
        item->nulls = PGS_NULLS_FIRST;
    else if (takes_order_word(value, ".nullslast"))
        item->nulls = PGS_NULLS_LAST;
    else if (pgs__query_takes(value, "."))
        return pgs__query_syntax(value, direction
                                            ? "\"nullsfirst\" or \"nullslast\""
                                            : "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"");
    pgs__query_skip_space(value);
    return true;
}

static bool
read_order(struct pgs__query_context *context, struct pgs_text text)
{
    struct pgs__query_value value = {context, "order", text, text.at, text.at + text.len};
    struct pgs_order_item *items =
        pgs__query_alloc(context, pgs__query_commas(&value) + 1, sizeof(*items));
    size_t n = 0;

    do {
        if (n >= PGS_QUERY_MAX_SELECT)
            return pgs__query_too_many(context, "columns in order", PGS_QUERY_MAX_SELECT);
        if (!read_order_item(&value, &items[n++]))
            return false;
    } while (pgs__query_takes(&value, ","));
    if (value.at < value.end)
        return pgs__query_syntax(&value, "delimiter (.), \",\" or end of input");
    context->query->order = items;
    context->query->n_order = n;
    return true;
}

static bool
read_names(struct pgs__query_context *context, const char *what, struct pgs_text text,
           const struct pgs_text **names, size_t *n_names)
{
    struct pgs__query_value value = {context, what, text, text.at, text.at + text.len};
    struct pgs_text *list = pgs__query_alloc(context, pgs__query_commas(&value) + 1, sizeof(*list));
    size_t n = 0;

    do {
        if (n >= PGS_QUERY_MAX_SELECT)
            return pgs__query_too_many(context, "names", PGS_QUERY_MAX_SELECT);
        if (!pgs__query_name(&value, &list[n++]))
            return false;
    } while (pgs__query_takes(&value, ","));
    if (value.at < value.end)
        return pgs__query_syntax(&value, "\",\" or end of input");
    *names = list;
    *n_names = n;
    return true;
}

static bool
read_number(struct pgs__query_context *context, const char *what, struct pgs_text text,
            int64_t *number)
{
    struct pgs__query_value value = {context, what, text, text.at, text.at + text.len};
    bool negative = pgs__query_takes(&value, "-");
    int64_t n = 0;

    if (value.at == value.end)
        return pgs__query_syntax(&value, "digit");
    for (; value.at < value.end; value.at++) {
        if (*value.at < '0' || *value.at > '9')
            return pgs__query_syntax(&value, "digit");
        if (n > (INT64_MAX - (*value.at - '0')) / 10)
            return pgs__query_fault(&value, "the number is too great");
        n = n * 10 + (*value.at - '0');
    }
    if (negative && n > 0)
        return pgs__query_error(context, "PGRST103", "Requested range not satisfiable",
                                strcmp(what, "limit") == 0
                                    ? "Limit should be greater than or equal to zero."
                                    : "Offset should be greater than or equal to zero.");
    *number = n;
    return true;
}

enum word {
    WORD_SELECT,
    WORD_ORDER,
    WORD_LIMIT,
    WORD_OFFSET,
    WORD_COLUMNS,
    WORD_ON_CONFLICT,
    N_WORDS,
};

static const char *const words[] = {
    [WORD_SELECT] = "select", [WORD_ORDER] = "order",     [WORD_LIMIT] = "limit",
    [WORD_OFFSET] = "offset", [WORD_COLUMNS] = "columns", [WORD_ON_CONFLICT] = "on_conflict",
};

static bool
read_word(struct pgs__query_context *context, enum word word, struct pgs_text text)
{
    struct pgs_query_string *query = context->query;

    switch (word) {
    case WORD_SELECT:
        return read_select(context, text);
    case WORD_ORDER:
        return read_order(context, text);
    case WORD_LIMIT:
        return read_number(context, "limit", text, &query->limit);
    case WORD_OFFSET:
        return read_number(context, "offset", text, &query->offset);
    case WORD_COLUMNS:
        return read_names(context, "columns parameter", text, &query->columns, &query->n_columns);
    default:
        return read_names(context, "on_conflict parameter", text, &query->on_conflict,
                          &query->n_on_conflict);
    }
}

static bool
given_twice(struct pgs__query_context *context, struct pgs_text name)
{
    char message[160];

    snprintf(message, sizeof(message), "parameter \"%.*s\" is given twice",
             (int)pgs_utf8_cut(name.at, name.len, 64), name.at);
    context->over_bound = true;
    return pgs__query_error(context, "PGRST100", message, "");
}

static bool
not_embedded(struct pgs__query_context *context, struct pgs_text relation)
{
    char message[192], details[192];
    int len = (int)pgs_utf8_cut(relation.at, relation.len, 64);

    snprintf(message, sizeof(message), "'%.*s' is not an embedded resource in this request", len,
             relation.at);
    snprintf(details, sizeof(details), "embedded resources are not supported");
    return pgs__query_error(context, "PGRST108", message, details);
}

/* The column that a filter or argument names; a second name behind a dot would be a relation's. */
static bool
read_key(struct pgs__query_context *context, struct pgs_text name, struct pgs_text *column)
{
    struct pgs__query_value value = {context, "tree path", name, name.at, name.at + name.len};

    if (!pgs__query_name(&value, column) || !pgs__query_no_json_path(&value))
        return false;
    if (pgs__query_sees(&value, "."))
        return not_embedded(context, *column);
    if (value.at < value.end)
        return pgs__query_syntax(&value, "delimiter (.) or end of input");
    return true;
}

static bool
add_argument(struct pgs__query_context *context, struct pgs_pair *pairs, struct pgs_text name,
             struct pgs_text value)
{
    struct pgs_query_string *query = context->query;

    for (size_t i = 0; i < query->n_pairs; i++)
        if (pairs[i].name.len == name.len && memcmp(pairs[i].name.at, name.at, name.len) == 0)
            return given_twice(context, name);
    pairs[query->n_pairs++] = (struct pgs_pair){name, value};
    return true;
}

static bool
is_argument(const struct pgs_shape *arguments, struct pgs_text name)
{
    for (size_t i = 0; arguments != NULL && i < arguments->n_fields; i++)
        if (pgs_text_is(name, arguments->fields[i].column->name))
            return true;
    return false;
}

/* What does not read as a filter is an argument, where there may be one; too much is too much. */
static bool
read_filter(struct pgs__query_context *context, struct pgs_pair *pairs, struct pgs_text name,
            struct pgs_text value)
{
    size_t n_conditions = context->query->n_conditions, n_values = context->n_values;
    struct pgs_text column;

    if (!read_key(context, name, &column))
        return false;
    if (pgs__query_filter(context, column, value))
        return true;
    if (pairs == NULL || context->over_bound)
        return false;
    context->query->n_conditions = n_conditions;
    context->n_values = n_values;
    return add_argument(context, pairs, column, value);
}

static bool
read_parameter(struct pgs__query_context *context, bool *given, struct pgs_pair *pairs,
               struct pgs_text name, struct pgs_text value)
{
    if (is_argument(context->arguments, name))
        return add_argument(context, pairs, name, value);
    for (int i = 0; i < N_WORDS; i++) {
        if (!pgs_text_is(name, words[i]))
            continue;
        if (given[i])
            return given_twice(context, name);
        given[i] = true;
        return read_word(context, (enum word)i, value);
    }
    if (pgs_text_is(name, "and") || pgs_text_is(name, "or"))
        return pgs__query_logic(context, false, name.at[0] == 'o', value);
    if (pgs_text_is(name, "not.and") || pgs_text_is(name, "not.or"))
        return pgs__query_logic(context, true, name.at[4] == 'o', value);
    return read_filter(context, pairs, name, value);
}

static const char *
find_byte(const char *at, const char *end, char c)
{
    const char *found = memchr(at, c, (size_t)(end - at));

    return found == NULL ? end : found;
}

/* `name=value`; a name alone is refused, for it may be a filter cut short. */
static bool
read_pair(struct pgs__query_context *context, const char *at, const char *end, char **decoded,
          struct pgs_text *name, struct pgs_text *value)
{
    const char *equals = find_byte(at, end, '=');

    if (!decode(context, at, equals, decoded, name))
        return false;
    if (equals == end || name->len == 0)
        return pgs__query_error(context, "PGRST100", "expected name=value in the URL", "");
    return decode(context, equals + 1, end, decoded, value);
}

/* No more than may be read. */
static size_t
count_pairs(const char *at, const char *end)
{
    size_t n = 1;

    for (; at < end && n < PGS_QUERY_MAX_PAIRS; at++)
        n += *at == '&';
    return n;
}

bool
pgs_query_string_read(const char *text, size_t len, const struct pgs_shape *arguments,
                      struct pgs_memory memory, struct pgs_query_string *query,
                      struct pgs_read_error *error)
{
    struct pgs__query_context context = {.memory = memory,
                                         .arguments = arguments,
                                         .query = query,
                                         .error = error,
                                         .last = &query->where};
    const char *end = text + len;
    char *decoded = memory.alloc(memory.pool, len + 1);
    struct pgs_pair *pairs = NULL;
    bool given[N_WORDS] = {false};
    size_t n = 0;

    *query = (struct pgs_query_string){.limit = -1};
    if (arguments != NULL)
        query->pairs = pairs = pgs__query_alloc(&context, count_pairs(text, end), sizeof(*pairs));
    for (const char *at = text, *stop; at < end; at = stop + (stop < end)) {
        struct pgs_text name, value;

        stop = find_byte(at, end, '&');
        if (stop == at)
            continue;
        if (n++ >= PGS_QUERY_MAX_PAIRS)
            return pgs__query_too_many(&context, "parameters", PGS_QUERY_MAX_PAIRS);
        if (!read_pair(&context, at, stop, &decoded, &name, &value) ||
            !read_parameter(&context, given, pairs, name, value))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses between a list and a call; the rest is a query string.  What comes out
 * must keep every bound of the header, and memory must follow the input.
 */
#include "base/utf8.h"
#include "codec/query_string.h"
#include "fuzz_heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct pgs_text text)
{
    require(text.len == 0 || pgs_utf8_check(text.at, text.len) == text.len);
    require(text.len == 0 || memchr(text.at, '\0', text.len) == NULL);
}

static size_t
check_conditions(const struct pgs_condition *first, size_t depth, size_t *n_values)
{
    size_t n = 0;

    require(depth <= PGS_QUERY_MAX_DEPTH);
    for (const struct pgs_condition *c = first; c != NULL; c = c->next) {
        n++;
        if (c->form != PGS_COMPARE) {
            require(c->inner != NULL);
            n += check_conditions(c->inner, depth + 1, n_values);
            continue;
        }
        require(c->column.len > 0);
        check_text(c->column);
        check_text(c->value);
        *n_values += c->n_values;
        for (size_t i = 0; i < c->n_values; i++)
            check_text(c->values[i]);
        require(c->op == PGS_OP_IN || c->op == PGS_OP_IS || c->value.at != NULL);
    }
    return n;
}

static void
check_names(const struct pgs_text *names, size_t n)
{
    require(n <= PGS_QUERY_MAX_SELECT);
    for (size_t i = 0; i < n; i++) {
        require(names[i].len > 0);
        check_text(names[i]);
    }
}

static void
check(const struct pgs_query_string *query)
{
    size_t n_values = 0, n = check_conditions(query->where, 0, &n_values);

    require(n == query->n_conditions && n <= PGS_QUERY_MAX_CONDITIONS);
    require(n_values <= PGS_QUERY_MAX_VALUES);
    require(query->n_select <= PGS_QUERY_MAX_SELECT && query->n_order <= PGS_QUERY_MAX_SELECT);
    require(query->n_pairs <= PGS_QUERY_MAX_PAIRS);
    require(query->limit >= -1 && query->offset >= 0);
    for (size_t i = 0; i < query->n_select; i++) {
        require(query->select[i].column.len > 0);
        check_text(query->select[i].column);
        check_text(query->select[i].alias);
        check_text(query->select[i].cast);
    }
    for (size_t i = 0; i < query->n_order; i++)
        check_text(query->order[i].column);
    check_names(query->columns, query->n_columns);
    check_names(query->on_conflict, query->n_on_conflict);
    for (size_t i = 0; i < query->n_pairs; i++) {
        check_text(query->pairs[i].name);
        check_text(query->pairs[i].value);
    }
}

/* A call whose arguments are named like a column and like a word of the grammar. */
static const struct pgs_column parameters[] = {
    PGS_COLUMN("id", "id", PGS_TEXT, "text", PGS_NULLABLE),
    PGS_COLUMN("limit", "\"limit\"", PGS_TEXT, "text", PGS_NULLABLE),
};
static const struct pgs_field fields[] = {{.column = &parameters[0]}, {.column = &parameters[1]}};
static const struct pgs_shape call = {.fields = fields, .n_fields = PGS_COUNT(fields)};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pgs_query_string query;
    struct pgs_read_error error;
    const char *text;

    if (size == 0)
        return 0;
    heap_max = 65536 + 200 * size;
    text = heap_copy(data + 1, size - 1);
    if (pgs_query_string_read(text, size - 1, data[0] % 2 == 1 ? &call : NULL, heap, &query,
                              &error)) {
        check(&query);
    } else {
        require(strlen(error.code) == 8 && error.message[0] != '\0');
        require(pgs_utf8_check(error.message, strlen(error.message)) == strlen(error.message));
        require(pgs_utf8_check(error.details, strlen(error.details)) == strlen(error.details));
    }
    heap_free_all();
    return 0;
}

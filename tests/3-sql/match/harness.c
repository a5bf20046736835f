/* SPDX-License-Identifier: MIT */
/*
 * Generated matchers, asked from outside.  `harness describe` prints what they ask of PostgreSQL, a
 * line of JSON each.  `harness` reads questions: the number of a live query and of its matcher;
 * then a line of values, for each set its number of rows and the rows, and the number of rows of
 * the table and those.  For each row it says 1, 0 or u, and at the end of the line whether the rows
 * stand in the matcher's order.  Fields end with \x1f; NULL is \x1e.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "pgs/truth.h"

extern const struct pgs_app pgs_app;

struct pgs_fact_set {
    struct pgs_text *rows;
    size_t n_rows, n_columns;
};

bool
pgs_set_has(const struct pgs_fact_set *set, const struct pgs_text *values, size_t n)
{
    for (size_t row = 0; row < set->n_rows; row++) {
        bool has = true;

        for (size_t i = 0; i < n; i++)
            has = has && pgs_equal(set->rows[row * n + i], values[i]) == PGS_TRUE;
        if (has)
            return true;
    }
    return false;
}

enum pgs_truth
pgs_set_contains(const struct pgs_fact_set *set, struct pgs_text value)
{
    enum pgs_truth found = PGS_FALSE;

    for (size_t row = 0; row < set->n_rows; row++)
        found = pgs_or(found, pgs_equal(set->rows[row], value));
    return found;
}

/* ---- what is asked ---- */

static void
print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void
print_query(const struct pgs_fact_query *query)
{
    printf("{\"sql\":");
    print_string(query->sql == NULL ? "" : query->sql);
    printf(",\"columns\":%zu,\"arguments\":[", query->n_columns);
    for (size_t i = 0; i < query->n_arguments; i++)
        printf("%s%d", i > 0 ? "," : "", query->arguments[i]);
    printf("]}");
}

/* A table, and for each tie its column and the number of the value. */
static void
print_source(const struct pgs_live_source *source)
{
    const struct pgs_watched *table = &pgs_app.watched[source->watched];

    printf("{\"table\":");
    print_string(table->table);
    printf(",\"ties\":[");
    for (size_t i = 0; i < source->n_ties; i++) {
        printf("%s[", i > 0 ? "," : "");
        print_string(table->columns[source->ties[i].column]);
        printf(",%d]", source->ties[i].value);
    }
    printf("]}");
}

static void
print_totals(const struct pgs_match_rows *rows, const struct pgs_watched *table)
{
    static const char *const kinds[] = {
        [PGS_TOTAL_GROUP] = "group", [PGS_TOTAL_ROWS] = "rows", [PGS_TOTAL_VALUES] = "values",
        [PGS_TOTAL_SUM] = "sum",     [PGS_TOTAL_MIN] = "min",   [PGS_TOTAL_MAX] = "max"};

    printf(",\"totals\":[");
    for (size_t i = 0; rows != NULL && i < rows->n_totals; i++) {
        const struct pgs_match_total *total = &rows->totals[i];

        printf("%s{\"kind\":\"%s\"", i > 0 ? "," : "", kinds[total->kind]);
        if (total->kind != PGS_TOTAL_ROWS) {
            printf(",\"column\":");
            print_string(table->columns[total->column]);
        }
        printf("}");
    }
    printf("]");
}

static void
describe(size_t number, const struct pgs_live *live, size_t place)
{
    const struct pgs_matcher *matcher = &live->matchers[place];
    const struct pgs_watched *table = &pgs_app.watched[matcher->sources[0].watched];

    printf("{\"live\":%zu,\"matcher\":%zu,\"name\":", number, place);
    print_string(live->name);
    printf(",\"sql\":");
    print_string(live->sql);
    printf(",\"types\":[");
    for (size_t i = 0; i < live->arguments->n_fields; i++) {
        printf("%s", i > 0 ? "," : "");
        print_string(live->arguments->fields[i].column->type.sql);
    }
    printf("],\"roles\":[");
    for (size_t i = 0, n = 0; i < pgs_app.n_roles; i++)
        if (matcher->roles >> i & 1) {
            printf("%s", n++ > 0 ? "," : "");
            print_string(pgs_app.roles[i].name);
        }
    printf("],\"table\":");
    print_string(table->table);
    printf(",\"columns\":[");
    for (size_t i = 0; table->columns != NULL && table->columns[i] != NULL; i++) {
        printf("%s", i > 0 ? "," : "");
        print_string(table->columns[i]);
    }
    printf("],\"sources\":[");
    for (size_t i = 0; i < matcher->n_sources; i++) {
        printf("%s", i > 0 ? "," : "");
        print_source(&matcher->sources[i]);
    }
    printf("],\"rows\":%s", matcher->rows != NULL ? "true" : "false");
    print_totals(matcher->rows, table);
    printf(",\"values\":");
    print_query(&matcher->values);
    printf(",\"sets\":[");
    for (size_t i = 0; i < matcher->n_sets; i++) {
        printf("%s", i > 0 ? "," : "");
        print_query(&matcher->sets[i]);
    }
    printf("]}\n");
}

/* ---- questions ---- */

static char *line;
static size_t room;

static bool
read_line(void)
{
    ssize_t n = getline(&line, &room, stdin);

    if (n <= 0)
        return false;
    line[n - 1] = '\0';
    return true;
}

static size_t
read_number(void)
{
    if (!read_line())
        exit(1);
    return (size_t)strtoul(line, NULL, 10);
}

/* `n` fields of a line. */
static void
read_fields(struct pgs_text *out, size_t n)
{
    char *at;

    if (!read_line())
        exit(1);
    at = strdup(line);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(at, "\x1f");

        out[i] = at[0] == '\x1e' ? (struct pgs_text){NULL, 0} : (struct pgs_text){at, len};
        at += len + 1;
    }
}

static struct pgs_text *
read_rows(size_t n, size_t columns)
{
    struct pgs_text *rows = calloc(n * columns + 1, sizeof(*rows));

    for (size_t i = 0; rows != NULL && i < n; i++)
        read_fields(rows + i * columns, columns);
    return rows;
}

static int
compare(const struct pgs_match_order *order, const struct pgs_text *a, const struct pgs_text *b)
{
    struct pgs_text left = a[order->column], right = b[order->column];
    int sign;

    if (left.at == NULL || right.at == NULL) {
        if (left.at == right.at)
            return 0;
        return (left.at == NULL) == order->nulls_first ? -1 : 1;
    }
    sign = pgs_compare(order->type, left, right);
    return order->descending ? -sign : sign;
}

static bool
are_ordered(const struct pgs_match_rows *match, const struct pgs_text *a, const struct pgs_text *b)
{
    int sign = match->n_order > 0 ? 0 : -1;

    for (size_t i = 0; sign == 0 && i < match->n_order; i++)
        sign = compare(&match->order[i], a, b);
    return sign < 0;
}

static void
answer(const struct pgs_live *live, const struct pgs_matcher *matcher)
{
    const struct pgs_watched *table = &pgs_app.watched[matcher->sources[0].watched];
    struct pgs_text values[64];
    struct pgs_fact_set sets[16];
    const struct pgs_fact_set *list[16];
    struct pgs_facts facts = {values, list};
    size_t n_columns = 0, n_rows;
    struct pgs_text *rows;
    bool ordered = true;

    (void)live;
    read_fields(values, matcher->values.n_columns);
    for (size_t i = 0; i < matcher->n_sets; i++) {
        sets[i].n_columns = matcher->sets[i].n_columns;
        sets[i].n_rows = read_number();
        sets[i].rows = read_rows(sets[i].n_rows, sets[i].n_columns);
        list[i] = &sets[i];
    }
    while (table->columns[n_columns] != NULL)
        n_columns++;
    n_rows = read_number();
    rows = read_rows(n_rows, n_columns);
    for (size_t i = 0; i < n_rows; i++) {
        enum pgs_truth truth = matcher->rows->holds(rows + i * n_columns, &facts);

        putchar(truth == PGS_TRUE ? '1' : truth == PGS_FALSE ? '0' : 'u');
        if (i > 0)
            ordered &= are_ordered(matcher->rows, rows + (i - 1) * n_columns, rows + i * n_columns);
    }
    printf(" %s\n", ordered ? "ordered" : "unordered");
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "describe") == 0) {
        for (size_t i = 0; pgs_app.lives[i] != NULL; i++)
            for (size_t j = 0; j < pgs_app.lives[i]->n_matchers; j++)
                describe(i, pgs_app.lives[i], j);
        return 0;
    }
    while (read_line()) {
        const struct pgs_live *live = pgs_app.lives[strtoul(line, NULL, 10)];
        size_t matcher = read_number();

        answer(live, &live->matchers[matcher]);
    }
    return 0;
}

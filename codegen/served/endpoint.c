/* SPDX-License-Identifier: MIT */
/* Endpoints: what is served of a table or view, and that some role may have it. */
#include "check/checker.h"

#include <string.h>

#include "served/cost.h"
#include "served/rate.h"

VEC_STRUCT(columns, const struct column *);
VEC_STRUCT(spans, struct span);

/* The URL has no schema in it. */
static void
check_served_name(const struct endpoint *other, const struct ast_endpoint *ast,
                  const struct table *table)
{
    struct diag *diag;

    if (strcmp(other->table->name, table->name) != 0)
        return;
    diag = diag_at(ast->table.span, PGS1273_SERVED_NAME_TWICE,
                   "%s.%s and %s.%s would both be served at /rest/v1/%s", other->table->schema,
                   table->name, table->schema, table->name, table->name);
    diag_note(diag, other->span, "the first one is here");
    diag_hint(diag, "rename one of the two, or serve a view of it under another name");
}

static void
check_twice(const struct checker *checker, const struct ast_endpoint *ast,
            const struct table *table)
{
    for (size_t i = 0; i < checker->model->endpoints.n; i++) {
        const struct endpoint *other = checker->model->endpoints.at[i];
        struct diag *diag;

        if (other->table != table) {
            check_served_name(other, ast, table);
            continue;
        }
        diag = diag_at(ast->table.span, PGS4002_DUPLICATE_ENDPOINT, "\"%s\" is served twice",
                       table->name);
        diag_note(diag, other->span, "first served here");
        diag_hint(diag, "join the two");
        return;
    }
}

/* ---- verbs ---- */

static bool
someone_may(const struct table *table, enum command command)
{
    for (size_t i = 0; i < table->grants.n; i++)
        if (table->grants.at[i]->command == command)
            return true;
    return false;
}

static void
check_verb_grant(const struct checker *checker, const struct endpoint *endpoint, enum verb verb)
{
    const char *command = command_name(verb_command(verb));
    const struct table *table = endpoint->table;
    const struct grant *grant = table->grants.n > 0 ? table->grants.at[0] : NULL;
    struct diag *diag;

    if (checker->guessing || someone_may(table, verb_command(verb)))
        return;
    diag = diag_at(endpoint->verb_spans[verb], PGS4001_VERB_WITHOUT_GRANT,
                   "endpoint \"%s\" serves %s, but no role may %s %s \"%s\"", table->name,
                   verb_name(verb), command,
                   verb == VERB_CREATE   ? "into"
                   : verb == VERB_UPDATE ? "rows of"
                                         : "from",
                   table->name);
    if (grant)
        diag_note(diag, grant->span, "the grants on \"%s\" are here", table->name);
    diag_hint(diag, "add `grant %s on %s to ...`, or drop the verb", command, table->name);
}

static void
check_verb_on_view(const struct endpoint *endpoint, enum verb verb)
{
    struct diag *diag;

    if (!endpoint->table->is_view || verb == VERB_LIST)
        return;
    diag =
        diag_at(endpoint->verb_spans[verb], PGS4021_VERB_ON_VIEW,
                "\"%s\" is a view: it has no key, and can only be listed", endpoint->table->name);
    diag_hint(diag, "write `list` alone, or serve the table");
}

static void
read_verb(const struct checker *checker, struct endpoint *endpoint, const struct ast_verb *ast)
{
    enum verb verb = (enum verb)ast->kind;
    struct diag *diag;

    if (endpoint->verbs[verb]) {
        diag = diag_at(ast->span, PGS4004_DUPLICATE_VERB, "`%s` stands twice", verb_name(verb));
        diag_note(diag, endpoint->verb_spans[verb], "the first one is here");
        diag_hint(diag, "drop one of the two");
        return;
    }
    endpoint->verbs[verb] = true;
    endpoint->verb_spans[verb] = ast->span;
    check_verb_on_view(endpoint, verb);
    check_verb_grant(checker, endpoint, verb);
}

/* `endpoint t;`: whatever a grant allows. */
static void
open_verbs(const struct checker *checker, struct endpoint *endpoint, const struct ast_endpoint *ast)
{
    const struct table *table = endpoint->table;

    endpoint->open = true;
    for (int verb = 0; verb < VERBS; verb++) {
        endpoint->verb_spans[verb] = ast->table.span;
        endpoint->verbs[verb] = someone_may(table, verb_command((enum verb)verb)) &&
                                (verb == VERB_LIST || !table->is_view);
    }
    if (table->grants.n == 0 && !checker->guessing) {
        struct diag *diag =
            diag_at(ast->table.span, PGS4001_VERB_WITHOUT_GRANT,
                    "\"%s\" is served, but no role may do anything with it", table->name);
        diag_note(diag, table->span, "\"%s\" is here", table->name);
        diag_hint(diag, "add `grant select on %s to authenticated`, or drop the endpoint",
                  table->name);
    }
}

/* ---- filters, orders, limits ---- */

static void
check_served_column(const struct checker *checker, const struct column *column, struct span span,
                    const char *use)
{
    struct diag *diag;

    if (column->is_private) {
        diag = diag_at(span, PGS4006_PRIVATE_SERVED, "\"%s\" is private: no endpoint may %s it",
                       column->name, use);
        diag_note(diag, column->span, "it is marked here");
        diag_hint(diag, "drop it here, or drop `private` there");
    } else if (!checker->guessing && !access_read_by_some(checker->model, column)) {
        diag = diag_at(span, PGS4005_COLUMN_UNREADABLE,
                       "no role may read \"%s\", so none can %s it", column->name, use);
        diag_note(diag, column->span, "\"%s\" is here", column->name);
        diag_hint(diag, "add it to a grant: `grant select (%s) on %s to ...`", column->name,
                  column->table->name);
    }
}

static void
find_columns(const struct checker *checker, const struct table *table,
             const struct ast_names *names, const char *use, struct columns *out,
             struct spans *spans)
{
    for (size_t i = 0; i < names->n; i++) {
        struct column *column = check_find_column(table, &names->at[i]);

        if (!column)
            continue;
        check_served_column(checker, column, names->at[i].span, use);
        vec_push(out, column);
        vec_push(spans, names->at[i].span);
    }
}

static void
check_limits(const struct ast_verb *list)
{
    struct diag *diag;

    if (list->limit == 0 || list->max == 0 || list->limit <= list->max)
        return;
    diag = diag_at(list->limit_span, PGS4010_LIMIT_OVER_MAX, "limit %ld is more than max %ld",
                   list->limit, list->max);
    diag_note(diag, list->max_span, "max is here");
    diag_hint(diag, "`limit` is what a request gets that asks for none, `max` what it may ask for");
}

static void
read_list(const struct checker *checker, struct endpoint *endpoint, const struct ast_verb *list)
{
    struct columns filters = {0}, orders = {0};
    struct spans filter_spans = {0}, order_spans = {0};

    find_columns(checker, endpoint->table, &list->filters, "filter by", &filters, &filter_spans);
    find_columns(checker, endpoint->table, &list->orders, "order by", &orders, &order_spans);
    for (size_t i = 0; i < filters.n; i++) {
        vec_push(&endpoint->filters, filters.at[i]);
        vec_push(&endpoint->filter_spans, filter_spans.at[i]);
    }
    for (size_t i = 0; i < orders.n; i++) {
        vec_push(&endpoint->orders, orders.at[i]);
        vec_push(&endpoint->order_spans, order_spans.at[i]);
    }
    endpoint->limit = (int)list->limit;
    endpoint->max = (int)list->max;
    check_limits(list);
}

/* ---- how often ---- */

static enum guests
guests_of(const struct checker *checker, const struct table *table, enum command command)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return GUESTS_UNKNOWN;
    for (size_t i = 0; i < model->roles.n; i++)
        if (strcmp(model->roles.at[i]->name, "anon") == 0 &&
            access_table(model->roles.at[i], table, command))
            return GUESTS_SOME;
    return GUESTS_NONE;
}

/* Of all verbs that are served. */
static enum guests
guests_of_all(const struct checker *checker, const struct endpoint *endpoint)
{
    enum guests guests = GUESTS_NONE;

    for (int verb = 0; verb < VERBS && guests == GUESTS_NONE; verb++)
        if (endpoint->verbs[verb])
            guests = guests_of(checker, endpoint->table, verb_command((enum verb)verb));
    return guests;
}

/* Both are GET: what is asked for by its key is a list of one. */
static void
check_get(const struct endpoint *endpoint, const struct ast_verb *get)
{
    struct diag *diag;

    if (get->kind != AST_GET || get->rates.n == 0 || !endpoint->verbs[VERB_LIST])
        return;
    diag = diag_at(get->rates.at[0]->span, PGS4207_RATE_OF_GET,
                   "`get` and `list` are one request, GET, and count together");
    diag_note(diag, endpoint->verb_spans[VERB_LIST], "`list` is here");
    diag_hint(diag, "give the limit to `list`");
}

static void
read_rates(const struct checker *checker, struct endpoint *endpoint, const struct ast_endpoint *ast)
{
    check_rates(&ast->rates, guests_of_all(checker, endpoint), &endpoint->rates);
    check_rates_within(&endpoint->rates, checker->model->rates);
    for (size_t i = 0; i < ast->verbs.n; i++) {
        const struct ast_verb *verb = ast->verbs.at[i];
        struct rates *rates = &endpoint->verb_rates[verb->kind];

        check_get(endpoint, verb);
        check_rates(&verb->rates,
                    guests_of(checker, endpoint->table, verb_command((enum verb)verb->kind)),
                    rates);
        check_rates_within(rates, &endpoint->rates);
        check_rates_within(rates, checker->model->rates);
    }
}

/* ---- what a request may cost ---- */

static bool
brings_body(enum verb verb)
{
    return verb == VERB_CREATE || verb == VERB_UPDATE;
}

static void
read_costs(struct endpoint *endpoint, const struct ast_endpoint *ast)
{
    bool some = endpoint->verbs[VERB_CREATE] || endpoint->verbs[VERB_UPDATE];

    endpoint->cost = check_cost(&ast->costs, some);
    for (size_t i = 0; i < ast->verbs.n; i++) {
        const struct ast_verb *verb = ast->verbs.at[i];

        check_verb_cost(ast, verb);
        endpoint->verb_costs[verb->kind] =
            check_cost(&verb->costs, brings_body((enum verb)verb->kind));
    }
}

/* ---- the whole ---- */

static void
check_row_key(const struct endpoint *endpoint)
{
    const struct table *table = endpoint->table;
    struct diag *diag;

    if (table->is_view || table->primary_key)
        return;
    diag = diag_at(endpoint->span, PGS4009_TABLE_WITHOUT_KEY,
                   "\"%s\" is served, but has no primary key", table->name);
    diag_note(diag, table->span, "\"%s\" is here", table->name);
    diag_hint(diag, "add `primary key`: without one no row can be named");
}

static bool
refuse_builtin(const struct ast_endpoint *ast, const struct table *table)
{
    struct diag *diag;

    if (!table->builtin)
        return false;
    diag = diag_at(ast->table.span, PGS3026_BUILTIN_TABLE, "%s.%s is for service_role alone",
                   table->schema, table->name);
    diag_hint(diag, "serve a table of your own");
    return true;
}

/* One mistake, one error: a grant of it has been refused already. */
static bool
refuse_part(struct checker *checker, const struct ast_endpoint *ast, const struct table *table)
{
    if (!check_is_part(checker, table))
        return false;
    if (!check_is_granted(checker, table))
        check_refuse_part(checker, table, ast->table.span, "served");
    return true;
}

static void
check_endpoint(struct checker *checker, const struct ast_endpoint *ast)
{
    struct endpoint *endpoint = arena_alloc(sizeof(*endpoint));
    struct table *table;

    if (check_served_function(checker, ast))
        return;
    table = check_find_table(checker, &ast->table);
    if (!table || refuse_builtin(ast, table) || refuse_part(checker, ast, table))
        return;
    check_twice(checker, ast, table);
    endpoint->span = ast->table.span;
    endpoint->table = table;
    table->scan_ok |= ast->scan_ok;
    endpoint->inline_span = ast->inline_span;
    table->inlined |= ast->inline_span.file != NULL;
    if (ast->cors.text)
        endpoint->cors = check_find_cors(checker, &ast->cors);
    if (!ast->has_body)
        open_verbs(checker, endpoint, ast);
    for (size_t i = 0; i < ast->verbs.n; i++) {
        read_verb(checker, endpoint, ast->verbs.at[i]);
        if (ast->verbs.at[i]->kind == AST_LIST)
            read_list(checker, endpoint, ast->verbs.at[i]);
    }
    read_rates(checker, endpoint, ast);
    read_costs(endpoint, ast);
    check_row_key(endpoint);
    vec_push(&checker->model->endpoints, endpoint);
}

/* Whoever holds the anon key may ask for something, though it be refused. */
void
check_common_rates(struct checker *checker)
{
    struct rates *rates = arena_alloc(sizeof(*rates));

    check_rates(&checker->ast->rates, GUESTS_SOME, rates);
    checker->model->rates = rates;
}

void
check_endpoints(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->endpoints.n; i++)
        check_endpoint(checker, checker->ast->endpoints.at[i]);
}

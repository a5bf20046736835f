/* SPDX-License-Identifier: MIT */
/*
 * In which order things can be made, each after what it needs: tables, and then views and definer
 * predicates, which may need one another.  A predicate that is put in place is made nowhere, but
 * whoever calls it needs what it reads.
 */
#include "check/checker.h"

#include <string.h>

#include "rights/made.h"
#include "rights/raw_text.h"

/* ---- views and predicates ---- */

struct ordering {
    struct model *model;
    VEC(struct derived) begun;
};

/* A view or predicate, and how we came to it. */
struct step {
    const struct step *before;
    struct derived what;
    struct span span; /* where the one before reads or calls it */
    struct ordering *ordering;
};

static bool
is_same(struct derived a, struct derived b)
{
    return a.view == b.view && a.predicate == b.predicate && a.function == b.function;
}

/* `view "v" calls predicate "p", which reads view "v"`: from `first` to `step`. */
static const char *
describe(const struct step *step, struct derived first, bool closes)
{
    const char *kind = step->what.view ? "view" : step->what.predicate ? "predicate" : "function";
    const char *verb = step->what.view ? "reads view" : arena_printf("calls %s", kind);
    const char *name = step->what.view        ? step->what.view->name
                       : step->what.predicate ? step->what.predicate->name
                                              : step->what.function->name;

    if (!closes && is_same(step->what, first))
        return arena_printf("%s \"%s\"", kind, name);
    return arena_printf("%s%s %s \"%s\"", describe(step->before, first, false),
                        is_same(step->before->what, first) ? "" : ", which", verb, name);
}

/* Breaks the circle too: later passes follow reads to their end. */
static void
report_circle(const struct step *last)
{
    struct diag *diag = diag_at(last->span, PGS5001_CIRCLE, "%s", describe(last, last->what, true));

    diag_hint(diag, "none of them can be made first: let the predicate read tables alone");
    while (!last->what.view && !last->what.function)
        last = last->before;
    if (last->what.view)
        ((struct table *)last->what.view)->query = NULL;
    else
        ((struct declared_function *)last->what.function)->body = NULL;
}

static bool
is_on_path(const struct step *path, struct derived what)
{
    for (; path; path = path->before)
        if (is_same(path->what, what))
            return true;
    return false;
}

static void place(struct step *step);

static void
place_view(const struct range *range, void *data)
{
    struct step *before = data;
    struct step step = {before, {.view = range->table}, range->span, before->ordering};

    if (range->table->is_view)
        place(&step);
}

static void
place_predicate(const struct expr *expr, void *data)
{
    struct step *before = data;
    struct step step = {before, {.predicate = expr->predicate}, expr->span, before->ordering};

    step.what.function = expr->declared;
    if (expr->kind == EXPR_PREDICATE || expr->kind == EXPR_FUNCTION)
        place(&step);
}

static void
place(struct step *step)
{
    struct ordering *ordering = step->ordering;
    const struct predicate *predicate = step->what.predicate;
    const struct declared_function *function = step->what.function;
    const struct select *query = step->what.view ? step->what.view->query : NULL;

    if (is_on_path(step->before, step->what)) {
        report_circle(step);
        return;
    }
    for (size_t i = 0; i < ordering->begun.n; i++)
        if (is_same(ordering->begun.at[i], step->what))
            return;
    vec_push(&ordering->begun, step->what);
    if (predicate && predicate->body) {
        walk_expr(predicate->body, place_predicate, step);
        walk_ranges(predicate->body, place_view, step);
    }
    if (query) {
        walk_select(query, place_predicate, step);
        walk_select_ranges(query, place_view, step);
    }
    if (function)
        walk_params(&function->params, place_predicate, step);
    if (function && function->body) {
        walk_statement(function->body, place_predicate, step);
        walk_statement_ranges(function->body, place_view, step);
    }
    if (function && function->returns_table && function->returns_table->is_view) {
        struct range returned = {.table = function->returns_table, .span = function->span};

        place_view(&returned, step);
    }
    if (function && function->before_tables)
        return;
    if (!predicate || predicate->definer)
        vec_push(&ordering->model->derived, step->what);
}

/* Raw SQL may need any of the others: it comes last, unless it is needed itself. */
static void
order_derived(struct model *model)
{
    struct ordering ordering = {.model = model};

    for (size_t i = 0; i < model->predicates.n; i++) {
        struct step step = {.what.predicate = model->predicates.at[i], .ordering = &ordering};

        place(&step);
    }
    for (int raw = 0; raw < 2; raw++) {
        for (size_t i = 0; i < model->functions.n; i++) {
            struct step step = {.what.function = model->functions.at[i], .ordering = &ordering};

            if ((model->functions.at[i]->raw != NULL) == raw)
                place(&step);
        }
        for (size_t i = 0; i < model->tables.n; i++) {
            struct step step = {.what.view = model->tables.at[i], .ordering = &ordering};

            if (model->tables.at[i]->is_view && (model->tables.at[i]->raw != NULL) == raw)
                place(&step);
        }
    }
}

/* ---- what definer predicates and refreshes read past its policies ---- */

static void
report_raw(const char *reader, const struct read *read)
{
    struct diag *diag = diag_at(read->from, PGS5002_DEFINER_READS_RAW,
                                "%s is to read past policies, but what view \"%s\" reads is not "
                                "known: it is unchecked SQL",
                                reader, read->table->name);

    diag_note(diag, read->table->span, "it is declared here");
    diag_hint(diag, "let it read tables, or write the view without $$");
}

/* The owner reads them, whom policies hold back where row security is forced. */
static void
mark_read_past(const char *reader, const struct reads *reads)
{
    for (size_t i = 0; i < reads->n; i++) {
        struct table *table = (struct table *)reads->at[i].table;

        if (reads->at[i].column)
            continue;
        if (table->raw)
            report_raw(reader, &reads->at[i]);
        else if (!table->is_view)
            table->read_past_policies = true;
    }
}

static void
mark_predicate(const struct predicate *predicate)
{
    struct reads reads = {0};

    check_reads(predicate->body, &reads);
    mark_read_past(arena_printf("predicate \"%s\"", predicate->name), &reads);
}

static void
mark_query(const char *reader, const struct table *view)
{
    struct reads reads = {0};

    check_reads_select(view->query, &reads);
    mark_read_past(reader, &reads);
}

static bool
names_table(const struct raw_tokens *tokens, size_t i, const struct table *table)
{
    return i + 2 < tokens->n && tokens->at[i].kind <= RAW_NAME &&
           strcmp(tokens->at[i].text, table->schema) == 0 && raw_is(tokens, i + 1, ".") &&
           tokens->at[i + 2].kind <= RAW_NAME && strcmp(tokens->at[i + 2].text, table->name) == 0;
}

/* With an empty search_path the text names each table with its schema. */
static void
mark_raw(const struct model *model, const struct declared_function *function)
{
    struct raw_tokens tokens = raw_text_tokens(function->raw_span);

    for (size_t i = 0; i < tokens.n; i++)
        for (size_t j = 0; j < model->tables.n; j++) {
            struct table *table = model->tables.at[j];

            if (!names_table(&tokens, i, table))
                continue;
            if (!table->is_view)
                table->read_past_policies = true;
            else if (table->query)
                mark_query(arena_printf("function \"%s\"", function->name), table);
        }
}

static void
mark_function(const struct model *model, const struct declared_function *function)
{
    struct reads reads = {0};

    if (function->definer && function->raw)
        mark_raw(model, function);
    if (!function->definer || !function->body)
        return;
    check_reads_statement(function->body, &reads);
    mark_read_past(arena_printf("function \"%s\"", function->name), &reads);
    if (function->body->target && !check_is_unknown(function->body->target->table))
        ((struct table *)function->body->target->table)->read_past_policies = true;
}

/* ---- functions that tables call ---- */

static void
note_first(const struct range *range, void *data)
{
    const struct range **first = data;

    if (!*first)
        *first = range;
}

static void
report_needs_tables(const struct expr *expr, const struct declared_function *function,
                    struct span named)
{
    struct diag *diag =
        diag_at(expr->span, PGS2306_TABLE_NEEDS_FUNCTION,
                "%s() needs tables, and a table needs %s(): neither can be made first",
                function->name, function->name);

    diag_note(diag, named, "a table is named here");
    diag_hint(diag, "a default, check or index calls functions that read their arguments alone; "
                    "what looks around is a policy or a `trigger`");
}

static void
mark_before(const struct expr *expr, void *data)
{
    struct declared_function *function = (struct declared_function *)expr->declared;
    const struct range *reads = NULL;

    if (expr->kind != EXPR_FUNCTION || function->before_tables)
        return;
    function->before_tables = true;
    if (function_takes_row(function)) {
        report_needs_tables(expr, function, function->params.at[0]->span);
        return;
    }
    walk_params(&function->params, mark_before, data);
    if (!function->body)
        return;
    walk_statement(function->body, mark_before, data);
    walk_statement_ranges(function->body, note_first, &reads);
    if (!reads && !function->body->target && !function->returns_table)
        return;
    report_needs_tables(expr, function, reads ? reads->span : function->span);
}

void
check_order(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->types.n; i++)
        if (model->types.at[i].domain)
            walk_domain(model->types.at[i].domain, mark_before, NULL);
    for (size_t i = 0; i < model->tables.n; i++)
        walk_table(model->tables.at[i], mark_before, NULL);
    check_made(checker->model);
    order_derived(checker->model);
    for (size_t i = 0; i < model->functions.n; i++)
        mark_function(model, model->functions.at[i]);
    for (size_t i = 0; i < model->predicates.n; i++)
        if (model->predicates.at[i]->definer && model->predicates.at[i]->body)
            mark_predicate(model->predicates.at[i]);
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->materialized && model->tables.at[i]->query)
            mark_query(arena_printf("materialized view \"%s\"", model->tables.at[i]->name),
                       model->tables.at[i]);
}

/* ---- tables ---- */

struct sorting {
    VEC(struct table *) done;
    VEC(const struct table *) begun;
};

static void place_table(struct sorting *sorting, const struct table *table);

static void
place_range(const struct range *range, void *data)
{
    place_table(data, range->table);
}

static void
place_table(struct sorting *sorting, const struct table *table)
{
    for (size_t i = 0; i < sorting->begun.n; i++)
        if (sorting->begun.at[i] == table)
            return;
    vec_push(&sorting->begun, table);
    if (table->partition_of)
        place_table(sorting, table->partition_of);
    for (size_t i = 0; i < table->inherits.n; i++)
        place_table(sorting, table->inherits.at[i]);
    for (size_t i = 0; i < table->constraints.n; i++)
        if (table->constraints.at[i]->target)
            place_table(sorting, table->constraints.at[i]->target);
    if (table->query)
        walk_select_ranges(table->query, place_range, sorting);
    vec_push(&sorting->done, (struct table *)table);
}

/* Tables, then views, then raw views, which may read any; circles of references stay in order. */
void
check_sort_tables(struct model *model)
{
    struct sorting sorting = {0};

    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < model->tables.n; i++) {
            const struct table *table = model->tables.at[i];
            int kind = table->is_view ? (table->raw ? 2 : 1) : 0;

            if (kind == round)
                place_table(&sorting, table);
        }
    for (size_t i = 0; i < sorting.done.n; i++)
        model->tables.at[i] = sorting.done.at[i];
}

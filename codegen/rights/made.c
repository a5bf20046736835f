/* SPDX-License-Identifier: MIT */
/*
 * In which order types can be made, and the functions that tables call: a domain's check may call a
 * function, which takes and uses types.  The checker has seen to it that no type is made of itself.
 */
#include "rights/made.h"

#include "model/walk.h"
#include "text/diag.h"

/* What is being placed, and what needs it. */
struct making {
    const struct making *needed_by;
    struct made what;
    struct model *model;
};

static bool
is_same(struct made a, struct made b)
{
    return a.composite == b.composite && a.range == b.range && a.domain == b.domain &&
           a.function == b.function;
}

static void
report_circle(const struct making *making, const struct declared_function *function)
{
    const struct making *at = making;
    struct diag *diag;

    while (at && !at->what.domain)
        at = at->needed_by;
    diag = diag_at(function->span, PGS5001_CIRCLE,
                   "function \"%s\" needs domain \"%s\", whose check or default calls it",
                   function->name, at ? at->what.domain->name : "");
    if (at)
        diag_note(diag, at->what.domain->span, "it is declared here");
    diag_hint(diag, "let the function take and give the type that the domain is made of");
}

/* True also for what is being placed now: a function in between makes it a circle. */
static bool
is_begun(const struct making *making)
{
    const struct declared_function *function = making->what.function;

    for (const struct making *at = making->needed_by; at; at = at->needed_by) {
        if (is_same(at->what, making->what)) {
            if (function)
                report_circle(making->needed_by, function);
            return true;
        }
        function = at->what.function ? at->what.function : function;
    }
    for (size_t i = 0; i < making->model->made.n; i++)
        if (is_same(making->model->made.at[i], making->what))
            return true;
    return false;
}

static void place(struct making *making);

static void
place_type(struct making *needed_by, struct type type)
{
    struct making making = {.needed_by = needed_by, .model = needed_by->model};

    if (type.domain)
        making.what.domain = type.domain;
    else if (type.composite)
        making.what.composite = type.composite;
    else if (type.range)
        making.what.range = type.range;
    else
        return;
    place(&making);
}

static void
place_called(const struct expr *expr, void *data)
{
    struct making *needed_by = data;
    struct making making = {.needed_by = needed_by, .model = needed_by->model};

    if (needed_by->what.function)
        place_type(needed_by, expr->type);
    making.what.function = expr->declared;
    if (expr->kind == EXPR_FUNCTION)
        place(&making);
}

static void
place_parts(struct making *making, const struct declared_function *function)
{
    for (size_t i = 0; i < function->params.n; i++)
        place_type(making, function->params.at[i]->type);
    walk_params(&function->params, place_called, making);
    for (size_t i = 0; i < function->returns_columns.n; i++)
        place_type(making, function->returns_columns.at[i]->type);
    place_type(making, function->returns_type);
    if (function->body)
        walk_statement(function->body, place_called, making);
}

static void
place_domain(struct making *making, const struct domain *domain)
{
    place_type(making, domain->type);
    walk_domain(domain, place_called, making);
}

static void
place(struct making *making)
{
    const struct made *what = &making->what;

    if (is_begun(making))
        return;
    if (what->function)
        place_parts(making, what->function);
    else if (what->domain)
        place_domain(making, what->domain);
    else if (what->range)
        place_type(making, what->range->subtype);
    for (size_t i = 0; what->composite && i < what->composite->fields.n; i++)
        place_type(making, what->composite->fields.at[i]->type);
    vec_push(&making->model->made, *what);
}

void
check_made(struct model *model)
{
    for (size_t i = 0; i < model->types.n; i++) {
        const struct defined_type *type = &model->types.at[i];
        struct making making = {
            .what = {.composite = type->composite, .range = type->range, .domain = type->domain},
            .model = model};

        place(&making);
    }
    model->made_first = model->made.n;
    for (size_t i = 0; i < model->functions.n; i++) {
        struct making making = {.what.function = model->functions.at[i], .model = model};

        if (model->functions.at[i]->before_tables)
            place(&making);
    }
}

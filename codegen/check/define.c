/* SPDX-License-Identifier: MIT */
/*
 * Composites, ranges and domains.  Each is resolved when it is first named, so that the model holds
 * them in the order in which they can be made, and a circle shows itself.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"

/* PostgreSQL puts "multirange" for "range" in the name, or behind it. */
const char *
check_multirange_name(const char *name)
{
    const char *word = strstr(name, "range");

    if (!word)
        return name_object(name, NULL, "multirange");
    return name_cut(arena_printf("%.*smulti%s", (int)(word - name), name, word));
}

static bool
is_named(const struct declared_type *declared, const char *name)
{
    return strcmp(declared->name.text, name) == 0 ||
           (declared->range && strcmp(check_multirange_name(declared->name.text), name) == 0);
}

struct declared_type *
check_declared_type(const struct checker *checker, const char *name)
{
    for (size_t i = 0; i < checker->types.n; i++)
        if (is_named(&checker->types.at[i], name))
            return &checker->types.at[i];
    return NULL;
}

/* ---- composites ---- */

static struct column *
field_named(const struct composite *composite, const char *name)
{
    for (size_t i = 0; i < composite->fields.n; i++)
        if (strcmp(composite->fields.at[i]->name, name) == 0)
            return composite->fields.at[i];
    return NULL;
}

static void
add_field(struct checker *checker, struct composite *composite, const struct ast_column *ast)
{
    struct column *same = field_named(composite, ast->name.text);
    struct column *field;

    if (same) {
        struct diag *diag = diag_at(ast->name.span, PGS1201_DUPLICATE_FIELD,
                                    "field \"%s\" is declared twice", ast->name.text);
        diag_note(diag, same->span, "first declared here");
        diag_hint(diag, "rename one of the two, or drop it");
        return;
    }
    field = arena_alloc(sizeof(*field));
    field->span = ast->name.span;
    field->name = ast->name.text;
    field->number = (int)composite->fields.n;
    field->type = type_scalar(TYPE_ANY);
    check_storable_type(checker, ast->type, &field->type);
    vec_push(&composite->fields, field);
}

static bool
has_broken_field(const struct composite *composite)
{
    for (size_t i = 0; i < composite->fields.n; i++)
        if (type_is_open(composite->fields.at[i]->type))
            return true;
    return false;
}

static struct type
define_composite(struct checker *checker, const struct ast_composite *ast)
{
    struct composite *composite = arena_alloc(sizeof(*composite));

    composite->span = ast->name.span;
    composite->name = ast->name.text;
    for (size_t i = 0; i < ast->fields.n; i++)
        add_field(checker, composite, ast->fields.at[i]);
    if (has_broken_field(composite))
        return type_scalar(TYPE_ANY);
    vec_push(&checker->model->types, ((struct defined_type){.composite = composite}));
    return (struct type){.kind = TYPE_COMPOSITE, .composite = composite};
}

/* ---- ranges ---- */

static struct type
define_range(struct checker *checker, const struct ast_range_type *ast)
{
    struct range_type *range = arena_alloc(sizeof(*range));
    struct diag *diag;

    if (strcmp(ast->word.text, "subtype") != 0) {
        diag = diag_at(ast->word.span, PGS1202_RANGE_FORM, "a range has no \"%s\" here",
                       ast->word.text);
        diag_hint(diag, "write `range (subtype = %s)`", ast->subtype->spelling);
        return type_scalar(TYPE_ANY);
    }
    range->span = ast->name.span;
    range->name = ast->name.text;
    range->multirange = check_multirange_name(range->name);
    if (!check_storable_type(checker, ast->subtype, &range->subtype))
        return type_scalar(TYPE_ANY);
    if (!type_is_comparable(range->subtype)) {
        diag = diag_at(ast->subtype->span, PGS1203_RANGE_SUBTYPE, "there is no order among %s",
                       type_text(range->subtype));
        diag_hint(diag,
                  "a range goes from a lower to a higher value: numbers, dates, times, texts");
        return type_scalar(TYPE_ANY);
    }
    vec_push(&checker->model->types, ((struct defined_type){.range = range}));
    return (struct type){.kind = TYPE_RANGE, .range = range};
}

/* ---- domains ---- */

/* The table of one column that stands for the value. */
static const struct table *
value_row(const struct domain *domain)
{
    struct table *row = arena_alloc(sizeof(*row));
    struct column *value = arena_alloc(sizeof(*value));

    row->span = domain->span;
    row->schema = "public";
    row->name = domain->name;
    row->is_domain = true;
    value->span = domain->span;
    value->table = row;
    value->name = "value";
    value->type = type_base(domain->type);
    vec_push(&row->columns, value);
    return row;
}

static bool
has_check(const struct domain *domain, const char *name)
{
    for (size_t i = 0; i < domain->checks.n; i++)
        if (strcmp(domain->checks.at[i].name, name) == 0)
            return true;
    return false;
}

/* email_check, then email_check1, email_check2, ... */
static const char *
choose_check_name(const struct domain *domain)
{
    const char *name = name_object(domain->name, NULL, "check");

    for (int i = 1; has_check(domain, name); i++)
        name = name_object(domain->name, NULL, arena_printf("check%d", i));
    return name;
}

static void
add_check(struct checker *checker, struct domain *domain, const struct ast_constraint *ast)
{
    struct scope scope = check_row_scope(checker, PLACE_CHECK, domain->row);
    struct domain_check check = {.span = ast->span, .name = ast->name.text};

    if (check.name && has_check(domain, check.name)) {
        struct diag *diag = diag_at(ast->name.span, PGS1122_DUPLICATE_CONSTRAINT,
                                    "\"%s\" is the name of something else already", check.name);
        diag_hint(diag, "choose another name, or leave it out: PostgreSQL's usual name is used");
        return;
    }
    if (!check.name)
        check.name = choose_check_name(domain);
    scope.clause = "the check of a domain";
    check.check = check_condition(&scope, ast->check, "the check of a domain");
    vec_push(&domain->checks, check);
}

static struct type
define_domain(struct checker *checker, const struct ast_domain *ast)
{
    struct domain *domain = arena_alloc(sizeof(*domain));
    struct type type;

    domain->span = ast->name.span;
    domain->name = ast->name.text;
    if (!check_storable_type(checker, ast->type, &domain->type))
        return type_scalar(TYPE_ANY);
    domain->not_null = ast->not_null || (domain->type.domain && domain->type.domain->not_null);
    domain->row = value_row(domain);
    if (ast->default_expr) {
        struct scope scope = check_row_scope(checker, PLACE_DEFAULT, domain->row);

        scope.clause = "a default";
        domain->default_expr =
            check_expr_as(&scope, ast->default_expr, domain->type, "the default of a domain");
    }
    for (size_t i = 0; i < ast->checks.n; i++)
        add_check(checker, domain, ast->checks.at[i]);
    vec_push(&checker->model->types, ((struct defined_type){.domain = domain}));
    type = domain->type;
    type.domain = domain;
    return type;
}

/* ---- all of them ---- */

static void
report_circle(const struct declared_type *declared)
{
    struct diag *diag = diag_at(declared->name.span, PGS1200_TYPE_CIRCLE,
                                "type \"%s\" is made of itself", declared->name.text);

    if (declared->domain)
        diag_hint(diag, "its check or default may call what takes and gives the type that it is "
                        "over, not the domain");
    else
        diag_hint(diag, "break the circle: keep the inner ones in a table that refers to this one, "
                        "or in jsonb");
}

bool
check_resolve_type(struct checker *checker, struct declared_type *declared, struct type *out)
{
    *out = type_scalar(TYPE_ANY);
    if (declared->state == TYPE_BUSY) {
        report_circle(declared);
        return false;
    }
    if (declared->state == TYPE_WAITING) {
        declared->state = TYPE_BUSY;
        declared->type = declared->composite ? define_composite(checker, declared->composite)
                         : declared->range   ? define_range(checker, declared->range)
                                             : define_domain(checker, declared->domain);
        declared->state = TYPE_DONE;
    }
    *out = declared->type;
    return !type_is_open(*out);
}

void
check_types(struct checker *checker)
{
    struct type type;

    for (size_t i = 0; i < checker->types.n; i++)
        check_resolve_type(checker, &checker->types.at[i], &type);
}

/* SPDX-License-Identifier: MIT */
#include "rest/columns.h"

#include "base/text.h"
#include "rest/fail.h"

struct pgs_source
pgs__relation_source(const struct pgs_request *rq, const struct pgs_relation *relation)
{
    static const uint16_t none[1];
    struct pgs_source source = {
        .name = relation->name,
        .columns = relation->columns,
        .n_columns = relation->n_columns,
        .relation = relation,
        .visible = none,
    };

    for (size_t i = 0; i < relation->n_access; i++) {
        const struct pgs_access *access = &relation->access[i];

        if ((access->roles >> rq->who.role & 1) == 0)
            continue;
        source.visible = access->select;
        source.n_visible = access->n_select;
        break;
    }
    return source;
}

struct pgs_source
pgs__call_source(const struct pgs_call *call)
{
    return (struct pgs_source){
        .name = call->name,
        .columns = call->columns,
        .n_columns = call->n_columns,
        .n_visible = call->n_columns,
    };
}

const struct pgs_column *
pgs__find_column(struct pgs_request *rq, const struct pgs_source *source, struct pgs_text name)
{
    for (size_t i = 0; i < source->n_columns; i++)
        if (pgs_text_is(name, source->columns[i].name))
            return &source->columns[i];
    pgs__refuse(rq, 400, "42703", NULL, "column %s.%.*s does not exist", source->name,
                (int)(name.len < 200 ? name.len : 200), name.at);
    return NULL;
}

static bool
is_among(const uint16_t *numbers, size_t n, size_t number)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* Key columns always may. */
static bool
is_listed(const struct pgs_source *source, const uint16_t *numbers, size_t n,
          const struct pgs_column *column)
{
    size_t number = (size_t)(column - source->columns);

    return is_among(numbers, n, number) ||
           is_among(source->relation->key, source->relation->n_key, number);
}

bool
pgs__may_filter(struct pgs_request *rq, const struct pgs_source *source,
                const struct pgs_column *column)
{
    const struct pgs_relation *relation = source->relation;

    if (relation == NULL || is_listed(source, relation->filters, relation->n_filters, column))
        return true;
    return pgs__refuse(rq, 400, "PGS101", "name it in the endpoint's `filter (...)`",
                       "The endpoint of \"%s\" does not filter by \"%s\"", source->name,
                       column->name);
}

bool
pgs__may_order(struct pgs_request *rq, const struct pgs_source *source,
               const struct pgs_column *column)
{
    const struct pgs_relation *relation = source->relation;

    if (relation == NULL || is_listed(source, relation->orders, relation->n_orders, column))
        return true;
    return pgs__refuse(rq, 400, "PGS102", "name it in the endpoint's `order (...)`",
                       "The endpoint of \"%s\" does not order by \"%s\"", source->name,
                       column->name);
}

static bool
is_fixed(const struct pgs_request *rq, const char *name)
{
    for (const struct pgs_condition *c = rq->query.where; c != NULL; c = c->next)
        if (c->form == PGS_COMPARE && c->op == PGS_OP_EQ && !c->negated &&
            pgs_text_is(c->column, name))
            return true;
    return false;
}

bool
pgs__names_key(const struct pgs_request *rq, const struct pgs_relation *relation)
{
    for (size_t i = 0; i < relation->n_key; i++)
        if (!is_fixed(rq, relation->columns[relation->key[i]].name))
            return false;
    return relation->n_key > 0;
}

static bool
has_field(const struct pgs_shape *shape, struct pgs_text name)
{
    for (size_t i = 0; i < shape->n_fields; i++)
        if (pgs_text_is(name, shape->fields[i].column->name))
            return true;
    return false;
}

bool
pgs__check_columns(struct pgs_request *rq, const struct pgs_relation *relation,
                   const struct pgs_shape *shape)
{
    for (size_t i = 0; i < rq->query.n_columns; i++) {
        struct pgs_text name = rq->query.columns[i];

        if (!has_field(shape, name))
            return pgs__refuse(
                rq, 400, "PGRST204", NULL,
                "Could not find the '%.*s' column of '%s' among those that may be written",
                (int)(name.len < 200 ? name.len : 200), name.at, relation->name);
    }
    return true;
}

bool
pgs__is_named(const struct pgs_text *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (pgs_text_is(names[i], name))
            return true;
    return false;
}

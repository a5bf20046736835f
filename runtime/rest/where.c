/* SPDX-License-Identifier: MIT */
/*
 * Filters to a where clause.  The depth of groups and the number of conditions were bounded when
 * the URL was read.
 */
#include "rest/clause.h"
#include "codec/literal.h"

static const char *const operators[] = {
#define PGS_OPERATOR(name, word, sql) [PGS_OP_##name] = sql,
    PGS_OPERATORS(PGS_OPERATOR)
#undef PGS_OPERATOR
};

const char *const pgs__is_forms[PGS_IS_FORMS] = {
    [PGS_IS_NULL] = " is null",         [PGS_IS_TRUE] = " is true",
    [PGS_IS_FALSE] = " is false",       [PGS_IS_UNKNOWN] = " is unknown",
    [PGS_IS_NOT_NULL] = " is not null",
};

/* ` = $1::bigint`: what stands behind the column. */
static void
add_operand(struct pgs_sql *sql, const struct pgs_type *type, const struct pgs_condition *condition)
{
    bool is_pattern = condition->op == PGS_OP_LIKE || condition->op == PGS_OP_ILIKE;

    if (condition->op == PGS_OP_IS) {
        pgs__sql_add(sql, pgs__is_forms[condition->is]);
    } else if (condition->op == PGS_OP_IN) {
        pgs__sql_add(sql, " = any (");
        pgs__sql_param(sql, pgs__array_literal(sql->memory, condition->values, condition->n_values),
                       type->sql_array);
        pgs__sql_add(sql, ")");
    } else {
        pgs__sql_add(sql, " ");
        pgs__sql_add(sql, operators[condition->op]);
        pgs__sql_add(sql, " ");
        pgs__sql_param(sql, condition->value, is_pattern ? "text" : type->sql);
    }
}

static bool
add_comparison(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
               const struct pgs_condition *condition)
{
    const struct pgs_column *column = pgs__find_column(rq, source, condition->column);

    if (column == NULL || !pgs__may_filter(rq, source, column))
        return false;
    if (condition->negated)
        pgs__sql_add(sql, "not ");
    pgs__sql_add(sql, column->ident);
    add_operand(sql, &column->type, condition);
    return true;
}

static bool add_conditions(struct pgs_request *rq, struct pgs_sql *sql,
                           const struct pgs_source *source, const struct pgs_condition *first,
                           const char *between);

static bool
add_condition(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
              const struct pgs_condition *condition)
{
    if (condition->form == PGS_COMPARE)
        return add_comparison(rq, sql, source, condition);
    pgs__sql_add(sql, condition->negated ? "not (" : "(");
    if (!add_conditions(rq, sql, source, condition->inner,
                        condition->form == PGS_AND ? " and " : " or "))
        return false;
    pgs__sql_add(sql, ")");
    return true;
}

static bool
add_conditions(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source,
               const struct pgs_condition *first, const char *between)
{
    for (const struct pgs_condition *c = first; c != NULL; c = c->next) {
        if (c != first)
            pgs__sql_add(sql, between);
        if (!add_condition(rq, sql, source, c))
            return false;
    }
    return true;
}

bool
pgs__sql_where(struct pgs_request *rq, struct pgs_sql *sql, const struct pgs_source *source)
{
    if (rq->query.where == NULL)
        return true;
    pgs__sql_add(sql, " where ");
    return add_conditions(rq, sql, source, rq->query.where, " and ");
}

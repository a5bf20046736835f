/* SPDX-License-Identifier: MIT */
/* An object in one line of the language. */
#include "lsp/parts.h"
#include "model/access.h"
#include "model/types.h"
#include "sql/sql.h"

const char *
describe_type(struct type type, bool not_null)
{
    return arena_printf("%s%s", type_text(type), not_null ? " not null" : "");
}

static const char *
describe_params(const struct params *params)
{
    struct str out = {0};

    str_puts(&out, "(");
    for (size_t i = 0; i < params->n; i++)
        str_printf(&out, "%s%s %s", i ? ", " : "", params->at[i]->name,
                   describe_type(params->at[i]->type, false));
    str_puts(&out, ")");
    return out.at;
}

static const char *
describe_labels(const struct enumeration *type)
{
    struct str out = {0};

    str_printf(&out, "type %s as enum (", type->name);
    for (size_t i = 0; i < type->labels.n; i++)
        str_printf(&out, "%s%s", i ? ", " : "", sql_literal(type->labels.at[i]));
    str_puts(&out, ")");
    return out.at;
}

static const char *
describe_role(const struct role *role)
{
    const char *when = role->claim_path ? arena_printf(" when claim %s = %s", role->claim_path,
                                                       sql_literal(role->claim_value))
                                        : "";

    return arena_printf("role %s%s%s%s", role->name, when, role->inherits ? " inherits " : "",
                        role->inherits ? role->inherits->name : "");
}

static const char *
describe_fields(const struct composite *type)
{
    struct str out = {0};

    str_printf(&out, "type %s as (", type->name);
    for (size_t i = 0; i < type->fields.n; i++)
        str_printf(&out, "%s%s %s", i ? ", " : "", type->fields.at[i]->name,
                   describe_type(type->fields.at[i]->type, false));
    str_puts(&out, ")");
    return out.at;
}

static const char *
describe_function(const struct declared_function *function)
{
    static const char *const volatilities[] = {
        [FUNCTION_VOLATILE] = "volatile",
        [FUNCTION_STABLE] = "stable",
        [FUNCTION_IMMUTABLE] = "immutable",
    };
    const struct table *table = function->returns_table;
    const char *result = function->returns_trigger         ? "trigger"
                         : function->returns_void          ? "void"
                         : function->returns_columns.n > 0 ? "table (...)"
                         : table                           ? table->name
                                                           : type_text(function->returns_type);

    return arena_printf(
        "function %s%s returns %s%s %s%s", function->name, describe_params(&function->params),
        function->returns_set && function->returns_columns.n == 0 ? "setof " : "", result,
        volatilities[function->volatility], function->definer ? " security definer" : "");
}

static const char *
describe_trigger(const struct trigger *trigger)
{
    return arena_printf("trigger %s on %s execute %s()", trigger->name,
                        trigger->table ? trigger->table->name : "?",
                        trigger->function ? trigger->function->name : "?");
}

static const char *
describe_policy(const struct policy *policy)
{
    return arena_printf("%spolicy %s on %s for %s", policy->restrictive ? "restrictive " : "",
                        policy->name, policy->table ? policy->table->name : "?",
                        command_name(policy->command));
}

static const char *
describe_alias(const struct range *range)
{
    const struct table *table = range->table;

    if (!table || table->derived || !table->name)
        return arena_printf("%s: rows of its own", range->alias);
    return arena_printf("%s: rows of %s", range->alias, table->name);
}

/* What is called only by name, after its word. */
static const char *
describe_other(const struct use *use)
{
    static const char *const words[] = {
        [USE_CORS] = "cors",       [USE_SCHEMA] = "schema", [USE_LIVE] = "live",
        [USE_WEBHOOK] = "webhook", [USE_WITH] = "with",
    };
    const struct domain *domain = use->object;
    const struct range_type *range = use->object;

    switch (use->kind) {
    case USE_DOMAIN:
        return arena_printf("domain %s as %s", domain->name,
                            describe_type(domain->type, domain->not_null));
    case USE_COMPOSITE:
        return describe_fields(use->object);
    case USE_RANGE_TYPE:
        return arena_printf("type %s as range (subtype = %s)", range->name,
                            type_text(range->subtype));
    case USE_TRIGGER:
        return describe_trigger(use->object);
    case USE_POLICY:
        return describe_policy(use->object);
    case USE_ALIAS:
        return describe_alias(use->object);
    default:
        return arena_printf("%s %s", words[use->kind], use_name(use));
    }
}

const char *
describe_use(const struct use *use)
{
    const struct column *column = use->object;
    const struct table *table = use->object;
    const struct claim *claim = use->object;
    const struct predicate *predicate = use->object;
    const struct query *query = use->object;
    const struct param *param = use->object;

    switch (use->kind) {
    case USE_TABLE:
        return arena_printf("%s %s.%s", table->is_view ? "view" : "table", table->schema,
                            table->name);
    case USE_COLUMN:
        return arena_printf("%s.%s %s", column->table ? column->table->name : "", column->name,
                            describe_type(column->type, column->not_null));
    case USE_ROLE:
        return describe_role(use->object);
    case USE_CLAIM:
        return arena_printf("claim %s %s from %s", claim->name, describe_type(claim->type, false),
                            sql_literal(claim->path));
    case USE_PREDICATE:
        return arena_printf("predicate %s%s%s", predicate->name,
                            describe_params(&predicate->params),
                            predicate->definer ? " security definer" : "");
    case USE_TYPE:
        return describe_labels(use->object);
    case USE_QUERY:
        return arena_printf("query %s%s", query->name, describe_params(&query->params));
    case USE_PARAM:
        return arena_printf("%s %s", param->name, describe_type(param->type, false));
    case USE_FUNCTION:
        return describe_function(use->object);
    default:
        return describe_other(use);
    }
}

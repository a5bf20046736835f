/* SPDX-License-Identifier: MIT */
/*
 * What functions do with the rights of their callers, who may execute them where they are called,
 * and how often a policy calls them.
 */
#include "check/checker.h"

#include <string.h>

/* ---- a function that does what its caller may not ---- */

static bool
check_reads_as(const struct declared_function *function, const struct role *role)
{
    struct reads reads = {0};
    const struct read *read;
    struct diag *diag;

    check_reads_statement(function->body, &reads);
    read = check_first_forbidden(&reads, role);
    if (!read)
        return true;
    diag = diag_at(read->from, PGS3207_FUNCTION_UNGRANTED,
                   "function \"%s\" reads %s%s%s, which role \"%s\" may not select", function->name,
                   read->table->name, read->column ? "." : "",
                   read->column ? read->column->name : "", role->name);
    if (!check_same_place(read->span, read->from))
        diag_note(diag, read->span, "it is read here");
    diag_hint(diag, "grant it, or drop the role from the function");
    return false;
}

static const struct column *
first_unwritable(const struct declared_function *function, const struct role *role,
                 enum command command)
{
    const struct statement *body = function->body;

    for (size_t i = 0; command == CMD_INSERT && i < body->columns.n; i++)
        if (body->columns.at[i] && !access_column(role, body->columns.at[i], command))
            return body->columns.at[i];
    for (size_t i = 0; command == CMD_UPDATE && i < body->set.n; i++)
        if (!access_column(role, body->set.at[i].column, command))
            return body->set.at[i].column;
    return NULL;
}

static bool
check_writes_as(const struct declared_function *function, const struct role *role)
{
    static const enum command commands[] = {
        [STATEMENT_INSERT] = CMD_INSERT,
        [STATEMENT_UPDATE] = CMD_UPDATE,
        [STATEMENT_DELETE] = CMD_DELETE,
    };
    const struct range *target = function->body->target;
    enum command command;
    const struct column *column;
    struct diag *diag;

    if (!target || check_is_unknown(target->table))
        return true;
    command = commands[function->body->kind];
    column = first_unwritable(function, role, command);
    if (access_table(role, target->table, command) && !column)
        return true;
    diag = diag_at(target->span, PGS3207_FUNCTION_UNGRANTED,
                   "function \"%s\" writes %s%s%s, which role \"%s\" may not %s", function->name,
                   target->table->name, column ? "." : "", column ? column->name : "", role->name,
                   command_name(command));
    diag_hint(diag, "grant it, or drop the role from the function");
    return false;
}

static void
check_invoker(const struct declared_function *function)
{
    for (size_t i = 0; i < function->roles.n; i++)
        if (!check_reads_as(function, function->roles.at[i]) ||
            !check_writes_as(function, function->roles.at[i]))
            return;
}

/* ---- who may execute what is called ---- */

struct calling {
    const char *what; /* "policy", "query", ... */
    const char *name;
    const struct role *role;
    bool reported;
};

static bool
may_execute(const struct declared_function *function, const struct role *role)
{
    for (size_t i = 0; i < function->roles.n; i++)
        if (role_is(role, function->roles.at[i]))
            return true;
    return false;
}

static void
visit_call(const struct expr *expr, void *data)
{
    struct calling *calling = data;
    struct diag *diag;

    if (expr->kind == EXPR_PREDICATE && !expr->predicate->definer && expr->predicate->body)
        walk_expr(expr->predicate->body, visit_call, data);
    if (expr->kind != EXPR_FUNCTION || calling->reported ||
        may_execute(expr->declared, calling->role))
        return;
    calling->reported = true;
    diag = diag_at(expr->span, PGS3208_CALL_UNGRANTED,
                   "%s \"%s\" calls %s(), which role \"%s\" may not execute", calling->what,
                   calling->name, expr->declared->name, calling->role->name);
    diag_note(diag, expr->declared->span, "it is declared here");
    diag_hint(diag, "add `to %s` to the function", calling->role->name);
}

static void
check_policy_calls(const struct policy *policy)
{
    for (size_t i = 0; i < policy->roles.n; i++) {
        struct calling calling = {"policy", policy->name, policy->roles.at[i], false};

        if (policy->using_expr)
            walk_expr(policy->using_expr, visit_call, &calling);
        if (policy->check_expr && !calling.reported)
            walk_expr(policy->check_expr, visit_call, &calling);
        if (calling.reported)
            return;
    }
}

static void
check_view_calls(const struct grant *grant)
{
    struct calling calling = {"view", grant->table->name, grant->role, false};

    if (grant->table->query)
        walk_select(grant->table->query, visit_call, &calling);
}

/* Where a value becomes one of the type, its checks are run with the rights of whoever writes. */
static void
walk_type(struct type type, struct calling *calling)
{
    if (type.domain) {
        walk_domain(type.domain, visit_call, calling);
        walk_type(type.domain->type, calling);
    }
    for (size_t i = 0; type.composite && i < type.composite->fields.n; i++)
        walk_type(type.composite->fields.at[i]->type, calling);
}

static void
check_table_calls(const struct grant *grant)
{
    struct calling calling = {"table", grant->table->name, grant->role, false};

    if (grant->command != CMD_INSERT && grant->command != CMD_UPDATE)
        return;
    walk_table(grant->table, visit_call, &calling);
    for (size_t i = 0; i < grant->table->columns.n; i++)
        walk_type(grant->table->columns.at[i]->type, &calling);
}

static void
check_function_calls(const struct declared_function *function)
{
    for (size_t i = 0; i < function->roles.n; i++) {
        struct calling calling = {"function", function->name, function->roles.at[i], false};

        walk_statement(function->body, visit_call, &calling);
        if (calling.reported)
            return;
    }
}

static void
check_query_calls(const struct query *query)
{
    for (size_t i = 0; query->body && i < query->roles.n; i++) {
        struct calling calling = {"query", query->name, query->roles.at[i], false};

        walk_select(query->body, visit_call, &calling);
        if (calling.reported)
            return;
    }
}

/* ---- I39: once a row ---- */

static void
note_row(const struct expr *expr, void *data)
{
    bool *reads_row = data;

    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_PARAM || expr->select)
        *reads_row = true;
}

static void
note_volatile(const struct expr *expr, void *data)
{
    bool *is_volatile = data;

    if ((expr->function && function_volatility(expr->function, 15) == VOLATILE) ||
        (expr->declared && expr->declared->volatility == FUNCTION_VOLATILE) ||
        expr->kind == EXPR_RAW)
        *is_volatile = true;
}

/* What it does is known, and changes nothing. */
static bool
reads_alone(const struct declared_function *function)
{
    bool is_volatile = false;

    if (!function->body || function->body->kind != STATEMENT_SELECT)
        return false;
    walk_statement(function->body, note_volatile, &is_volatile);
    return !is_volatile;
}

static void
fix_volatility(struct diag *diag, const struct declared_function *function)
{
    if (function->volatility_span.file)
        diag_fix(diag, function->volatility_span, "stable");
    else
        check_fix_word(diag, function->body->span, "as", "stable as");
}

static void
visit_volatile(const struct expr *expr, void *data)
{
    const struct policy *policy = data;
    bool reads_row = false;
    struct diag *diag;

    if (expr->kind == EXPR_PREDICATE && !expr->predicate->definer && expr->predicate->body)
        walk_expr(expr->predicate->body, visit_volatile, data);
    if (expr->kind != EXPR_FUNCTION || expr->declared->volatility != FUNCTION_VOLATILE)
        return;
    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            walk_expr(expr->args.at[i], note_row, &reads_row);
    if (reads_row)
        return;
    diag = diag_at(expr->span, PGS3209_CALLED_EACH_ROW,
                   "%s() takes nothing from the row but is volatile: it would run once for every "
                   "row of \"%s\"",
                   expr->declared->name, policy->table->name);
    diag_note(diag, expr->declared->span, "it is declared here");
    diag_hint(diag,
              "declare it `stable`; the compiler then writes `(select %s())` and it runs once "
              "a query",
              expr->declared->name);
    if (reads_alone(expr->declared))
        fix_volatility(diag, expr->declared);
}

static void
check_volatile(const struct policy *policy)
{
    if (policy->using_expr)
        walk_expr(policy->using_expr, visit_volatile, (void *)policy);
    if (policy->check_expr && policy->check_expr != policy->using_expr)
        walk_expr(policy->check_expr, visit_volatile, (void *)policy);
}

/* ---- all ---- */

static void
check_functions_as_a_whole(const struct model *model)
{
    for (size_t i = 0; i < model->functions.n; i++) {
        const struct declared_function *function = model->functions.at[i];

        if (!function->body || function->definer)
            continue;
        check_invoker(function);
        check_function_calls(function);
    }
}

static bool
is_first_of_declaration(const struct model *model, size_t i)
{
    const struct policy *policy = model->policies.at[i];

    return i == 0 || model->policies.at[i - 1]->table != policy->table ||
           strcmp(model->policies.at[i - 1]->name, policy->name) != 0;
}

void
check_function_rights(struct checker *checker)
{
    const struct model *model = checker->model;

    check_definers(checker);
    if (checker->guessing)
        return;
    check_functions_as_a_whole(model);
    for (size_t i = 0; i < model->policies.n; i++) {
        if (!is_first_of_declaration(model, i))
            continue;
        check_policy_calls(model->policies.at[i]);
        check_volatile(model->policies.at[i]);
    }
    for (size_t i = 0; i < model->grants.n; i++) {
        check_view_calls(model->grants.at[i]);
        check_table_calls(model->grants.at[i]);
    }
    for (size_t i = 0; i < model->queries.n; i++)
        check_query_calls(model->queries.at[i]);
}

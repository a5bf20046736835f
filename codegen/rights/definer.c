/* SPDX-License-Identifier: MIT */
/*
 * Functions with the rights of their owner.  They read and write past the policies, so they must
 * ask for the caller themselves, as the policies do (I23); and nothing that the caller has set may
 * decide what their names mean.
 */
#include "rights/definer.h"

#include <string.h>

#include "model/walk.h"
#include "rights/rights.h"

/* ---- search_path ---- */

static bool
is_safe_path(const char *value)
{
    static const char *const safe[] = {"''", "'pg_catalog'", "'pg_catalog', 'pg_temp'",
                                       "'', 'pg_temp'"};

    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if (strcmp(safe[i], value) == 0)
            return true;
    return false;
}

static void
check_search_path(const struct declared_function *function)
{
    const struct function_setting *path = NULL;
    struct diag *diag;

    for (size_t i = 0; i < function->settings.n; i++)
        if (strcmp(function->settings.at[i].name, "search_path") == 0)
            path = &function->settings.at[i];
    if (path && is_safe_path(path->value))
        return;
    diag =
        diag_at(path ? path->span : function->definer_span, PGS3201_DEFINER_PATH,
                path ? "the search_path of definer function \"%s\" holds schemas that others may "
                       "write to"
                     : "definer function \"%s\" takes its search_path from whoever calls it",
                function->name);
    diag_hint(diag, "write `security definer set search_path = ''`, and name what it uses with its "
                    "schema");
    if (!path)
        diag_fix(diag,
                 (struct span){function->definer_span.file, function->definer_span.end,
                               function->definer_span.end},
                 " set search_path = ''");
    else if (!function->raw)
        diag_fix(diag, path->span, "set search_path = ''");
}

/* ---- settings that give rights ---- */

static void
check_settings(const struct declared_function *function)
{
    static const char *const names[] = {"role", "session_authorization", "row_security"};

    for (size_t i = 0; i < function->settings.n; i++)
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            struct diag *diag;

            if (strcmp(function->settings.at[i].name, names[j]) != 0)
                continue;
            diag = diag_at(function->settings.at[i].span, PGS3202_FUNCTION_SETS_ROLE,
                           "function \"%s\" sets %s", function->name, names[j]);
            diag_hint(diag, "rights come from `to` and `security definer` alone");
        }
}

/* ---- what the body compares ---- */

struct asking {
    const struct owners *owners;
    const struct table *table;
    bool asks;                 /* the caller is asked for, somewhere */
    const struct owner *owner; /* compared with */
    const struct expr *param;  /* what the caller chose; NULL: not so */
    bool either;               /* it is the caller, or whom he says */
};

static void
note_caller(const struct expr *expr, void *data)
{
    bool *found = data;

    if (check_is_identity(expr) || (expr->kind == EXPR_CALL && expr->is_auth))
        *found = true;
}

static bool
some_argument_is_caller(const struct expr *expr)
{
    bool found = false;

    for (size_t i = 0; i < expr->args.n; i++)
        if (expr->args.at[i])
            walk_expr(expr->args.at[i], note_caller, &found);
    return found;
}

/* `auth.uid() is not null` asks whether there is a caller, not who it is. */
static bool
compares(const struct expr *expr)
{
    static const char *const words[] = {"and", "or", "not", "is null", "is not null"};

    if (expr->kind == EXPR_IN || expr->kind == EXPR_ANY || expr->kind == EXPR_ALL ||
        expr->kind == EXPR_PREDICATE)
        return true;
    if (expr->kind != EXPR_OP)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(expr->name, words[i]) == 0)
            return false;
    return true;
}

/* `auth.role() = 'authenticated'` does not either: that is everybody who signed up. */
static bool
asks_for_anybody(const struct expr *expr)
{
    bool is_role = false, is_anybody = false;

    for (size_t i = 0; i < expr->args.n; i++) {
        const struct expr *arg = expr->args.at[i];

        if (!arg)
            continue;
        is_role |= arg->kind == EXPR_CALL && arg->is_auth && strcmp(arg->name, "role") == 0;
        is_anybody |= arg->kind == EXPR_LITERAL && arg->value &&
                      (strcmp(arg->value, "authenticated") == 0 || strcmp(arg->value, "anon") == 0);
    }
    return is_role && is_anybody;
}

static void
visit_mention(const struct expr *expr, void *data)
{
    bool *asks = data;

    if (expr->kind == EXPR_RAW || expr->kind == EXPR_FUNCTION ||
        (expr->kind == EXPR_CLAIM && type_is_bool(expr->type)))
        *asks = true;
    if (!*asks && compares(expr) && !asks_for_anybody(expr))
        *asks = some_argument_is_caller(expr);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        walk_expr(expr->predicate->body, visit_mention, data);
}

bool
check_asks_caller(const struct expr *expr)
{
    bool asks = false;

    walk_expr(expr, visit_mention, &asks);
    return asks;
}

/* insert into t (owner) values (auth.uid()) */
static bool
inserts_caller(const struct statement *statement)
{
    const struct select *select = statement->select;

    if (statement->kind != STATEMENT_INSERT || !select)
        return false;
    for (size_t row = 0; row < select->rows.n; row++)
        for (size_t i = 0; i < select->rows.at[row].n; i++)
            if (check_is_identity(select->rows.at[row].at[i]))
                return true;
    for (size_t i = 0; i < select->outputs.n; i++)
        if (check_is_identity(select->outputs.at[i].expr))
            return true;
    return false;
}

struct choosing {
    const struct expr *param;
    bool other; /* a column, a select or the caller has a say as well */
};

static void
visit_chosen(const struct expr *expr, void *data)
{
    struct choosing *choosing = data;

    if (expr->kind == EXPR_PARAM && !choosing->param)
        choosing->param = expr;
    if (expr->kind == EXPR_COLUMN || expr->select || check_is_identity(expr) ||
        expr->kind == EXPR_FUNCTION || expr->kind == EXPR_PREDICATE || expr->kind == EXPR_RAW)
        choosing->other = true;
}

/* The parameter that alone says what this is, as in `p`, `lower(p)`, `any (p)`; NULL: none. */
static const struct expr *
chosen_by_caller(const struct expr *expr)
{
    struct choosing choosing = {0};

    walk_expr(expr, visit_chosen, &choosing);
    return choosing.other ? NULL : choosing.param;
}

/* Where the policies of a table stand: those of a partition on its parent. */
static const struct table *
policed(const struct table *table)
{
    while (table->partition_of)
        table = table->partition_of;
    return table->policies.n == 0 && table->inherits.n > 0 ? table->inherits.at[0] : table;
}

static bool
is_same_column(const struct column *owner, const struct column *column)
{
    return owner == column ||
           (policed(column->table) == owner->table && strcmp(owner->name, column->name) == 0);
}

static void
note_param(const struct expr *expr, void *data)
{
    bool *found = data;

    *found |= expr->kind == EXPR_PARAM;
}

/* coalesce(p_user, auth.uid()): the caller, unless he says another. */
static bool
is_either(const struct expr *expr)
{
    bool param = false, caller = false;

    if (expr->kind != EXPR_CALL && expr->kind != EXPR_CASE)
        return false;
    walk_expr(expr, note_param, &param);
    walk_expr(expr, note_caller, &caller);
    return param && caller;
}

static void
compare(struct asking *asking, const struct expr *column, const struct expr *other)
{
    const struct expr *param;

    column = walk_behind_casts(column);
    other = walk_behind_casts(other);
    param = is_either(other) ? other : chosen_by_caller(other);
    if (column->kind != EXPR_COLUMN || asking->param || !param)
        return;
    for (size_t i = 0; i < asking->owners->n; i++)
        if (is_same_column(asking->owners->at[i].column, column->column) && !asking->param) {
            asking->either = is_either(other);
            asking->owner = &asking->owners->at[i];
            asking->param = param;
        }
}

static bool
is_equality(const struct expr *expr)
{
    return ((expr->kind == EXPR_OP || expr->kind == EXPR_ANY) && strcmp(expr->name, "=") == 0) ||
           (expr->kind == EXPR_IN && !expr->negated);
}

static void
visit_comparison(const struct expr *expr, void *data)
{
    if (!is_equality(expr) || expr->select || expr->args.n < 2)
        return;
    for (size_t i = 1; i < expr->args.n; i++)
        compare(data, expr->args.at[0], expr->args.at[i]);
    compare(data, expr->args.at[1], expr->args.at[0]);
}

/* insert into t (owner) values (p) */
static void
visit_inserted(const struct statement *statement, struct asking *asking)
{
    for (size_t i = 0; i < statement->columns.n && statement->select; i++)
        for (size_t j = 0; j < asking->owners->n; j++) {
            const struct select *select = statement->select;
            const struct expr *value = NULL;

            if (asking->owners->at[j].column != statement->columns.at[i])
                continue;
            if (select->rows.n > 0 && i < select->rows.at[0].n)
                value = chosen_by_caller(select->rows.at[0].at[i]);
            else if (i < select->outputs.n)
                value = chosen_by_caller(select->outputs.at[i].expr);
            if (value && !asking->param) {
                asking->owner = &asking->owners->at[j];
                asking->param = value;
            }
        }
}

/* ---- the report ---- */

static const char *
verb_of(enum command command)
{
    return command == CMD_SELECT ? "reads" : "writes";
}

void
check_report_believing(const struct declared_function *function, const struct owner *owner,
                       struct span param, enum command command)
{
    const char *whose = owner->looked_up ? owner->column->name : "user";
    const char *article = owner->looked_up && strchr("aeiou", whose[0]) ? "an" : "a";
    struct diag *diag =
        diag_at(param, PGS3203_DEFINER_BELIEVES,
                "definer function \"%s\" %s \"%s\" for %s %s of the caller's choice: policy "
                "\"%s\" compares %s with %s",
                function->name, verb_of(command), owner->column->table->name, article, whose,
                owner->policy->name, owner->column->name, owner->identity);

    diag_note(diag, owner->policy->span, "the policy is here");
    if (owner->looked_up)
        diag_hint(diag, "ask in the function as the policy does, or drop `security definer`");
    else
        diag_hint(diag, "compare with %s and drop the parameter, or drop `security definer`",
                  owner->identity);
}

void
check_report_asking_nobody(const struct declared_function *function, const struct owner *owner,
                           struct span table, enum command command)
{
    struct diag *diag =
        diag_at(table, PGS3204_DEFINER_ASKS_NOBODY,
                "definer function \"%s\" %s \"%s\" past its policies, and never asks who calls",
                function->name, verb_of(command), owner->column->table->name);

    diag_note(diag, owner->column->table->policies.at[0]->span, "a policy of the table is here");
    if (owner->looked_up)
        diag_hint(diag, "ask as the policies do, for %s, or drop `security definer`",
                  owner->identity);
    else
        diag_hint(diag,
                  "add what the policies compare, such as `%s = %s`, or drop `security definer`",
                  owner->column->name, owner->identity);
}

struct checking {
    const struct declared_function *function;
    bool asks;
    bool reported;
    struct span span; /* of what is read */
};

static void
check_table(struct checking *checking, const struct table *table, enum command command)
{
    const struct statement *body = checking->function->body;
    struct owners owners = {0};
    struct asking asking = {.owners = &owners, .table = policed(table)};

    if (checking->reported || check_is_unknown(table) || table->is_view ||
        !check_owners(asking.table, command, &owners))
        return;
    walk_statement(body, visit_comparison, &asking);
    if (body->kind == STATEMENT_INSERT && command != CMD_SELECT)
        visit_inserted(body, &asking);
    if (owners.n == 0 || (checking->asks && !asking.either))
        return;
    checking->reported = true;
    if (asking.param)
        check_report_believing(checking->function, asking.owner, asking.param->span, command);
    else
        check_report_asking_nobody(checking->function, &owners.at[0], checking->span, command);
}

/* A view is read with the rights of the owner, too, and what is kept has no policies at all. */
static void
check_behind_view(const struct range *range, void *data)
{
    check_table(data, range->table, CMD_SELECT);
    if (range->table->query)
        walk_select_ranges(range->table->query, check_behind_view, data);
}

static void
check_range(const struct range *range, void *data)
{
    struct checking *checking = data;

    checking->span = range->span;
    if (!checking->reported && !checking->asks && check_looks_up_users(checking->function, range))
        checking->reported = true;
    check_behind_view(range, data);
}

/* where d.share_token = token: whoever knows it was given it. */
static void
visit_code(const struct expr *expr, void *data)
{
    bool *known = data;

    for (size_t i = 0; check_is_op(expr, "=") && i < 2; i++) {
        const struct expr *column = walk_behind_casts(expr->args.at[i]);

        if (column->kind == EXPR_COLUMN && check_is_code(column->column) &&
            chosen_by_caller(expr->args.at[1 - i]))
            *known = true;
    }
}

static bool
asks_for_code(const struct statement *body)
{
    const struct expr *where = body->target   ? body->where
                               : body->select ? body->select->where
                                              : NULL;
    bool known = false;

    if (where)
        walk_conjuncts(where, visit_code, &known);
    return known;
}

/* True: it was reported, or the caller is asked for. */
static bool
check_asks(const struct declared_function *function)
{
    static const enum command commands[] = {
        [STATEMENT_SELECT] = CMD_SELECT,
        [STATEMENT_INSERT] = CMD_INSERT,
        [STATEMENT_UPDATE] = CMD_UPDATE,
        [STATEMENT_DELETE] = CMD_DELETE,
    };
    struct checking checking = {.function = function};

    if (function->roles.n == 0)
        return true;
    walk_statement(function->body, visit_mention, &checking.asks);
    checking.asks |= inserts_caller(function->body) || asks_for_code(function->body);
    if (function->body->target) {
        checking.span = function->body->target->span;
        check_table(&checking, function->body->target->table, commands[function->body->kind]);
    }
    walk_statement_ranges(function->body, check_range, &checking);
    return checking.reported || checking.asks;
}

void
check_definers(struct checker *checker)
{
    const struct model *model = checker->model;

    for (size_t i = 0; i < model->functions.n; i++) {
        const struct declared_function *function = model->functions.at[i];

        check_settings(function);
        check_body_text(function);
        check_unequal_text(function);
        check_requests_text(function);
        if (function->definer)
            check_search_path(function);
        if (function->definer && function->raw && !checker->guessing)
            check_definer_text(checker, function);
        if (!function->body || checker->guessing)
            continue;
        if (function->definer && !check_definer_params(function) && !check_asks(function)) {
            check_open_writes(function);
            check_counted(function);
        }
        if (function->definer)
            check_amounts(function);
        check_definer_gives(function);
    }
}

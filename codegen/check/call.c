/* SPDX-License-Identifier: MIT */
/*
 * Calls: the functions of functions.def, those of schema auth, predicates; and where aggregates may
 * stand.  An unknown function is an error here: raw SQL in $$ is the way to the others.
 */
#include "check/checker.h"

#include <string.h>

#include "base/words.h"
#include "check/cast.h"
#include "check/nulls.h"
#include "model/functions.h"
#include "model/types.h"

/* ---- auth.uid() and its sisters ---- */

static const struct {
    const char *name;
    enum type_kind type;
    bool reads_jwt;
} auth_functions[] = {
    {"uid", TYPE_UUID, false},
    {"role", TYPE_TEXT, false},
    {"jwt", TYPE_JSONB, true},
    {"email", TYPE_TEXT, true},
};

bool
check_is_auth_function(const char *name)
{
    for (size_t i = 0; i < sizeof(auth_functions) / sizeof(auth_functions[0]); i++)
        if (strcmp(auth_functions[i].name, name) == 0)
            return true;
    return false;
}

static struct expr *
report_auth(const struct ast_expr *ast)
{
    struct diag *diag =
        diag_at(ast->path.span, PGS2006_UNKNOWN_FUNCTION, "there is no function %s.%s()",
                ast->path.schema.text, ast->path.name.text);

    diag_hint(diag, "schema auth has uid(), role(), jwt() and email(); other functions are named "
                    "without a schema");
    return check_new_expr(EXPR_RAW, ast->span);
}

static struct expr *
check_auth_call(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr;
    size_t n = sizeof(auth_functions) / sizeof(auth_functions[0]), i = 0;

    if (strcmp(ast->path.schema.text, "auth") != 0)
        return report_auth(ast);
    while (i < n && strcmp(auth_functions[i].name, ast->path.name.text) != 0)
        i++;
    if (i == n || ast->args.n > 0)
        return report_auth(ast);
    if (check_is_for_all(scope->place)) {
        struct diag *diag = diag_at(ast->span, PGS2045_CLAIM_HERE, "%s cannot depend on who asks",
                                    check_place_name(scope->place));
        diag_hint(diag, "put the condition into a policy (`with check`)");
    }
    expr = check_new_expr(EXPR_CALL, ast->span);
    expr->is_auth = true;
    expr->name = auth_functions[i].name;
    expr->type = type_scalar(auth_functions[i].type);
    if (auth_functions[i].reads_jwt)
        scope->checker->model->reads_jwt = true;
    return expr;
}

/* ---- predicates ---- */

static struct expr *
check_predicate_call(struct scope *scope, const struct ast_expr *ast,
                     const struct predicate *predicate)
{
    struct expr *expr = check_new_expr(EXPR_PREDICATE, ast->span);
    struct diag *diag;

    expr->predicate = predicate;
    expr->name = predicate->name;
    expr->type = type_scalar(TYPE_BOOL);
    if (scope->place <= PLACE_ARGUMENT) {
        diag = diag_at(ast->span, PGS2043_SUBSELECT_HERE,
                       "a predicate stands in policies, predicates, views and queries only");
        diag_hint(diag, "put the condition into a policy (`with check`)");
        return expr;
    }
    if (ast->args.n != predicate->params.n) {
        diag = diag_at(ast->span, PGS2021_PREDICATE_ARGUMENTS,
                       "predicate \"%s\" takes %zu argument%s, not %zu", predicate->name,
                       predicate->params.n, predicate->params.n == 1 ? "" : "s", ast->args.n);
        diag_note(diag, predicate->span, "it is declared here");
        return check_new_expr(EXPR_RAW, ast->span);
    }
    for (size_t i = 0; i < ast->args.n; i++) {
        struct expr *arg = check_expr(scope, ast->args.at[i]);

        check_becomes(arg, predicate->params.at[i]->type, CAST_IMPLICIT,
                      arena_printf("argument \"%s\" of \"%s\"", predicate->params.at[i]->name,
                                   predicate->name));
        vec_push(&expr->args, arg);
    }
    return expr;
}

/* ---- aggregates ---- */

void
check_aggregate_place(struct scope *scope, const struct ast_expr *ast)
{
    struct diag *diag;

    if (scope->in_aggregate) {
        diag = diag_at(ast->span, PGS2041_NESTED_AGGREGATE,
                       "%s() cannot stand inside another aggregate", ast->path.name.text);
        diag_hint(diag, "aggregate in a view first");
    } else if (scope->clause) {
        diag = diag_at(ast->span, PGS2040_AGGREGATE_HERE, "%s() cannot stand in %s",
                       ast->path.name.text, scope->clause);
        diag_hint(diag, "an aggregate stands in the output, `having` or `order by` of a select");
    } else {
        scope->has_aggregate = true;
    }
}

/* ---- functions ---- */

/* Functions of extensions for which PostgreSQL has its own. */
static const char *
usual_function(const char *name)
{
    static const char *const pairs[][2] = {
        {"uuid_generate_v4", "gen_random_uuid"},
        {"getdate", "now"},
        {"ifnull", "coalesce"},
        {"isnull", "coalesce"},
        {"nvl", "coalesce"},
        {"group_concat", "string_agg"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i][0], name) == 0)
            return pairs[i][1];
    return NULL;
}

static struct expr *
report_unknown_function(struct scope *scope, const struct ast_expr *ast)
{
    const struct model *model = scope->checker->model;
    const char *name = ast->path.name.text;
    VEC(const char *) known = {0};
    size_t n;
    const char *const *names = function_names(&n);
    struct diag *diag = diag_at(ast->path.span, PGS2006_UNKNOWN_FUNCTION,
                                "there is no function or predicate \"%s\"", name);

    for (size_t i = 0; i < model->predicates.n; i++)
        vec_push(&known, model->predicates.at[i]->name);
    for (size_t i = 0; i < n; i++)
        vec_push(&known, names[i]);
    if (usual_function(name)) {
        diag_hint(diag, "write `%s`", usual_function(name));
        diag_fix(diag, ast->path.name.span, "%s", usual_function(name));
    } else {
        check_suggest(diag, name, known.at, known.n);
    }
    for (size_t i = 0; i < ast->args.n; i++)
        check_expr(scope, ast->args.at[i]);
    return check_new_expr(EXPR_RAW, ast->span);
}

static struct expr *
report_arguments(const struct ast_expr *ast, const struct expr *expr, bool is_ambiguous)
{
    const char *given = "";
    struct diag *diag;

    for (size_t i = 0; i < expr->args.n; i++)
        given = arena_printf("%s%s%s", given, i ? ", " : "", type_text(expr->args.at[i]->type));
    if (is_ambiguous) {
        diag = diag_at(ast->path.span, PGS2101_AMBIGUOUS_CALL,
                       "several functions %s() could take (%s)", ast->path.name.text, given);
        diag_hint(diag, "cast an argument: %s", function_forms(ast->path.name.text));
        return check_new_expr(EXPR_RAW, ast->span);
    }
    diag = diag_at(ast->path.span, PGS2020_WRONG_ARGUMENTS, "%s() does not take (%s)",
                   ast->path.name.text, given);
    diag_hint(diag, "it is: %s", function_forms(ast->path.name.text));
    return check_new_expr(EXPR_RAW, ast->span);
}

/* What only newer releases have would not run on the oldest that is supported. */
static void
check_release(const struct ast_expr *ast, const struct function *function)
{
    struct diag *diag;

    if (function_since(function) == OLDEST_RELEASE)
        return;
    diag = diag_at(ast->path.span, PGS2102_NEWER_RELEASE,
                   "%s(%s) is there from PostgreSQL %d on; this must run on %d", function->name,
                   function->args, function_since(function), OLDEST_RELEASE);
    diag_hint(diag, "do without it, or write it in $$ ... $$ if all your servers are newer");
}

const char *
check_session_lock(const char *name)
{
    static const char *const locks[] = {"pg_advisory_lock", "pg_advisory_lock_shared",
                                        "pg_try_advisory_lock", "pg_try_advisory_lock_shared"};

    if (!WORD_IS_AMONG(name, locks))
        return NULL;
    return arena_printf("%.*sadvisory_xact%s", (int)(strstr(name, "advisory") - name), name,
                        strstr(name, "_lock"));
}

static void
check_session(const struct ast_expr *ast, const struct function *function)
{
    const char *lock = check_session_lock(function->name);
    struct diag *diag;

    if (!lock)
        return;
    diag = diag_at(ast->path.span, PGS3228_LEFT_IN_SESSION,
                   "the lock of %s() outlives the transaction, and meets the next caller of its "
                   "connection",
                   function->name);
    diag_hint(diag, "write `%s`", lock);
    diag_fix(diag, ast->path.name.span, "%s", lock);
}

/* now() and its like: a row that passes today would fail when it is restored tomorrow. */
static bool
changes_by_itself(const struct function *function)
{
    return function->volatility == VOLATILE ||
           (function->volatility == STABLE && function->args[0] == '\0');
}

/* What an index holds, and what a constraint says of a row, must be the same tomorrow. */
static void
check_volatility(const struct scope *scope, const struct ast_expr *ast,
                 const struct function *function)
{
    bool in_index = scope->place >= PLACE_INDEX && scope->place <= PLACE_PARTITION &&
                    function->volatility != IMMUTABLE;
    bool in_check = scope->place == PLACE_CHECK && changes_by_itself(function);
    struct diag *diag;

    if (!in_index && !in_check)
        return;
    diag = diag_at(ast->span, PGS2046_VOLATILE_HERE,
                   "%s() cannot stand in %s: its result depends on more than its arguments",
                   function->name, check_place_name(scope->place));
    if (in_check)
        diag_hint(diag, "put the condition into a policy (`with check`)");
    else if (strstr(function->name, "_ts") || strncmp(function->name, "to_ts", 5) == 0)
        diag_hint(diag, "name the configuration: `%s('english', ...)`", function->name);
    else
        diag_hint(diag, "%s the column, and call %s() in the query",
                  scope->place == PLACE_INDEX ? "index" : "keep", function->name);
}

static void
check_distinct(const struct ast_expr *ast, const struct expr *expr)
{
    struct diag *diag;

    for (size_t i = 0; ast->distinct && i < expr->args.n; i++)
        if (!type_is_comparable(expr->args.at[i]->type)) {
            diag = diag_at(expr->args.at[i]->span, PGS2022_NO_OPERATOR,
                           "%s has no order, so equal ones cannot be told",
                           type_text(expr->args.at[i]->type));
            diag_hint(diag, "leave out `distinct`, or cast it: `(...)::text`");
            return;
        }
}

static struct expr *
check_setting(struct scope *scope, const struct ast_expr *ast)
{
    struct diag *diag;

    scope->checker->model->reads_jwt = true;
    if (scope->place != PLACE_POLICY && scope->place != PLACE_PREDICATE)
        return NULL;
    diag = diag_at(ast->span, PGS3016_POLICY_READS_SETTING,
                   "a policy cannot read settings: some of them the client writes");
    diag_hint(diag, "declare a claim, or look the membership up: `exists (select 1 from member "
                    "...)`");
    return check_new_expr(EXPR_RAW, ast->span);
}

static struct expr *
star_call(struct scope *scope, const struct ast_expr *ast, struct expr *expr)
{
    if (strcmp(expr->name, "count") != 0) {
        struct diag *diag = diag_at(ast->span, PGS2048_STAR_HERE, "`*` stands in count(*) only");
        diag_hint(diag, "name a column");
    }
    vec_push(&expr->args, check_new_expr(EXPR_STAR, ast->span));
    expr->type = type_scalar(TYPE_INT8);
    expr->nullable = false;
    check_call_tail(scope, ast, expr);
    return expr;
}

static struct expr *
check_function_call(struct scope *scope, const struct ast_expr *ast,
                    const struct function *function)
{
    struct expr *expr = check_new_expr(EXPR_CALL, ast->span);
    struct type types[FUNCTION_MAX_ARGS];
    struct resolution found;
    struct expr *cast;
    bool outer = scope->in_aggregate, in_from = scope->in_from, is_there;
    bool windowed = ast->tail && ast->tail->over;

    scope->in_from = false;
    expr->name = ast->path.name.text;
    expr->aggregate = function->aggregate;
    expr->distinct = ast->distinct;
    expr->bare = ast->bare;
    if (function->aggregate && !windowed)
        check_aggregate_place(scope, ast);
    if (ast->star)
        return star_call(scope, ast, expr);
    scope->in_aggregate = outer || (function->aggregate && !windowed);
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&expr->args, check_expr(scope, ast->args.at[i]));
    scope->in_aggregate = outer;
    for (size_t i = 0; i < expr->args.n && i < FUNCTION_MAX_ARGS; i++)
        types[i] = expr->args.at[i]->type;
    is_there = function_resolve(expr->name, types, expr->args.n, &found);
    cast = is_there && found.is_exact ? NULL : check_cast_call(ast, expr);
    if (cast)
        return cast;
    if (!is_there)
        return report_arguments(ast, expr, found.is_ambiguous);
    check_release(ast, found.function);
    check_session(ast, found.function);
    if (found.function->extension &&
        !check_extension(scope->checker, ast->path.span, found.function->extension,
                         arena_printf("%s()", found.function->name)))
        return check_new_expr(EXPR_RAW, ast->span);
    check_distinct(ast, expr);
    expr->function = found.function;
    for (size_t i = 0; i < expr->args.n; i++)
        check_settle(expr->args.at[i], found.args[i]);
    check_volatility(scope, ast, found.function);
    if (!in_from && function_is_set(found.function))
        check_set_place(scope, ast);
    if (check_tail_fits(ast, found.function->kind))
        check_call_tail(scope, ast, expr);
    expr->type = found.result;
    expr->nullable = check_is_call_nullable(scope, ast, expr, found.function);
    return expr;
}

/* PostgreSQL's function and a declared one: reported where it is declared. */
static bool
is_name_of_two(const struct scope *scope, const char *name)
{
    return function_find(name) && (check_predicate_named(scope->checker, name) ||
                                   check_function_named(scope->checker->model, name));
}

struct expr *
check_call(struct scope *scope, const struct ast_expr *ast)
{
    const char *name = ast->path.name.text;
    const struct function *function;
    struct predicate *predicate;
    struct expr *refused = NULL;

    if (ast->path.schema.text && strcmp(ast->path.schema.text, "public") == 0)
        return check_declared_call(scope, ast);
    if (ast->path.schema.text && strcmp(ast->path.schema.text, "pg_catalog") != 0)
        return check_auth_call(scope, ast);
    predicate = check_predicate_named(scope->checker, name);
    if (is_name_of_two(scope, name))
        return check_new_expr(EXPR_RAW, ast->span);
    uses_note(ast->path.name.span, USE_PREDICATE, predicate);
    if (predicate)
        return check_predicate_call(scope, ast, predicate);
    if (check_function_named(scope->checker->model, name))
        return check_declared_call(scope, ast);
    if (ast->tail && ast->tail->within_group)
        return check_within_group(scope, ast);
    function = function_find(name);
    if (!function && !usual_function(name))
        function = function_find_extension(name);
    if (!function && ast->args.n == 1 && check_is_cast_name(name))
        return check_named_cast(scope, ast);
    if (!function)
        return report_unknown_function(scope, ast);
    if (strcmp(name, "current_setting") == 0)
        refused = check_setting(scope, ast);
    return refused ? refused : check_function_call(scope, check_put_in_order(ast), function);
}

/* ---- extract(year from x) ---- */

static bool
is_field(const char *name)
{
    static const char *const fields[] = {
        "century",      "day",        "decade",       "dow",           "doy",
        "epoch",        "hour",       "isodow",       "isoyear",       "julian",
        "microseconds", "millennium", "milliseconds", "minute",        "month",
        "quarter",      "second",     "timezone",     "timezone_hour", "timezone_minute",
        "week",         "year"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i], name) == 0)
            return true;
    return false;
}

struct expr *
check_extract(struct scope *scope, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_EXTRACT, ast->span);
    struct expr *arg = check_expr(scope, ast->args.at[0]);
    struct type types[] = {type_scalar(TYPE_TEXT), arg->type};
    struct resolution found;
    struct diag *diag;

    expr->name = ast->names.at[0].text;
    vec_push(&expr->args, arg);
    if (!is_field(expr->name)) {
        diag = diag_at(ast->names.at[0].span, PGS2020_WRONG_ARGUMENTS,
                       "extract has no field \"%s\"", expr->name);
        diag_hint(diag, "year, month, day, hour, minute, second, dow, week, quarter, epoch, ...");
    }
    if (!function_resolve("extract", types, 2, &found)) {
        diag = diag_at(arg->span, PGS2020_WRONG_ARGUMENTS, "extract does not take %s",
                       type_text(arg->type));
        diag_hint(diag, "it takes a date, a time or an interval");
        return expr;
    }
    check_settle(arg, found.args[1]);
    expr->function = found.function;
    expr->type = found.result;
    expr->nullable = arg->nullable || check_is_field_nullable(expr->name, found.args[1]);
    return expr;
}

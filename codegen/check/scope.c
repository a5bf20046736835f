/* SPDX-License-Identifier: MIT */
/*
 * Names in expressions.  SQL lets the innermost select win, then the selects around it; arguments
 * and claims come last.  Where a bare name could be a column and an argument, or a column and a
 * claim, PostgreSQL would silently take the column (`m.team_id = team_id` is true for every row):
 * here that is an error.
 */
#include "check/checker.h"

#include <string.h>

#include "model/functions.h"
#include "base/str.h"
#include "syntax/spell.h"
#include "model/types.h"

struct scope
check_row_scope(struct checker *checker, enum place place, const struct table *table)
{
    struct scope scope = {.checker = checker, .place = place};
    struct range *range = arena_alloc(sizeof(*range));

    range->span = table->span;
    range->alias = table->name;
    range->table = table;
    range->implicit = true;
    vec_push(&scope.ranges, range);
    return scope;
}

/* ---- places ---- */

const char *
check_place_name(enum place place)
{
    static const char *const places[] = {
        [PLACE_DEFAULT] = "a default",
        [PLACE_CHECK] = "a check constraint",
        [PLACE_INDEX] = "an index",
        [PLACE_GENERATED] = "a generated column",
        [PLACE_PARTITION] = "a partition key",
        [PLACE_BACKFILL] = "a backfill",
        [PLACE_ARGUMENT] = "the default of an argument",
    };

    return places[place];
}

bool
check_is_for_all(enum place place)
{
    return place >= PLACE_CHECK && place <= PLACE_BACKFILL;
}

/* ---- where rows may not be read ---- */

static const struct scope *
outermost(const struct scope *scope)
{
    while (scope->outer)
        scope = scope->outer;
    return scope;
}

/* A default is computed before there is a row. */
static bool
refuse_column(const struct scope *scope, const struct ast_expr *ast)
{
    struct diag *diag;

    if (scope->place != PLACE_DEFAULT && scope->place != PLACE_ARGUMENT)
        return false;
    diag = diag_at(ast->span, PGS2044_COLUMN_HERE, "a default cannot read \"%s\"",
                   ast->names.at[ast->names.n - 1].text);
    diag_hint(diag, "a default is a constant or a call such as now(), auth.uid() or "
                    "gen_random_uuid()");
    return true;
}

/* ---- columns ---- */

struct found {
    const struct range *range;
    struct column *column;
    struct expr *merged; /* by `using`: stands for the columns of both sides */
    size_t times;
};

static bool
range_is(const struct range *range, const char *name)
{
    return !name || strcmp(range->alias, name) == 0;
}

static struct found
find_in_level(const struct scope *scope, const char *alias, const char *name)
{
    struct found found = {0};

    for (size_t i = scope->merged.n; !alias && i > 0; i--) {
        struct expr *expr = scope->merged.at[i - 1].expr;

        if (strcmp(scope->merged.at[i - 1].name, name) != 0)
            continue;
        while (expr->kind == EXPR_CALL)
            expr = expr->args.at[0];
        found = (struct found){expr->range, (struct column *)expr->column,
                               scope->merged.at[i - 1].expr, 1};
        return found;
    }
    for (size_t i = 0; i < scope->ranges.n; i++) {
        const struct range *range = scope->ranges.at[i];
        struct column *column = check_column_named(range->table, name);

        if (!column || !range_is(range, alias))
            continue;
        found.range = range;
        found.column = column;
        found.times++;
    }
    return found;
}

/* The innermost level that has it wins. */
static struct found
find_column(const struct scope *scope, const char *alias, const char *name)
{
    struct found found = {0};

    for (; scope && found.times == 0; scope = scope->outer)
        found = find_in_level(scope, alias, name);
    return found;
}

const struct range *
check_range_named(const struct scope *scope, const char *alias)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->ranges.n; i++)
            if (range_is(scope->ranges.at[i], alias))
                return scope->ranges.at[i];
    return NULL;
}

bool
check_is_column(const struct scope *scope, const char *name)
{
    return find_column(scope, NULL, name).times > 0;
}

static bool
is_outer_joined(const struct range *range)
{
    return range->absent;
}

static struct expr *
column_expr(const struct found *found, const struct ast_expr *ast)
{
    struct expr *expr = check_new_expr(EXPR_COLUMN, ast->span);

    if (found->merged) {
        *expr = *found->merged;
        expr->span = ast->span;
        return expr;
    }
    uses_note(ast->names.at[ast->names.n - 1].span, USE_COLUMN, found->column);

    expr->bare = ast->names.n == 1;
    expr->range = found->range;
    expr->column = found->column;
    expr->type = found->column->type;
    expr->nullable = !found->column->not_null || is_outer_joined(found->range);
    return expr;
}

/* "`a.id` or `b.id`" */
static const char *
list_owners(const struct scope *scope, const char *name)
{
    struct str list = {0};

    for (size_t i = 0; i < scope->ranges.n; i++)
        if (check_column_named(scope->ranges.at[i]->table, name))
            str_printf(&list, "%s`%s.%s`", list.n ? " or " : "", scope->ranges.at[i]->alias, name);
    return list.at;
}

static void
report_ambiguous(const struct scope *scope, const struct ast_expr *ast)
{
    const char *name = ast->names.at[0].text;
    struct diag *diag = NULL;

    for (; scope && !diag; scope = scope->outer) {
        if (find_in_level(scope, NULL, name).times < 2)
            continue;
        diag = diag_at(ast->span, PGS2009_AMBIGUOUS_COLUMN,
                       "\"%s\" could be a column of more than one table", name);
        diag_hint(diag, "say which: %s", list_owners(scope, name));
    }
}

static void
report_two_meanings(const struct ast_expr *ast, const struct found *found, const char *what,
                    struct span other, const char *hint)
{
    const char *name = ast->names.at[0].text;
    struct diag *diag =
        diag_at(ast->span, PGS2010_TWO_MEANINGS, "\"%s\" is a column of \"%s\" and %s here", name,
                found->range->table->name, what);

    diag_note(diag, other, "%s is here", what);
    diag_hint(diag, "%s", hint);
}

/* ---- arguments and claims ---- */

static struct param *
find_param(const struct scope *scope, const char *name)
{
    const struct params *params = &outermost(scope)->params;

    for (size_t i = 0; i < params->n; i++)
        if (strcmp(params->at[i]->name, name) == 0)
            return params->at[i];
    return NULL;
}

static struct expr *
param_expr(const struct param *param, struct span span)
{
    struct expr *expr = check_new_expr(EXPR_PARAM, span);

    uses_note(span, USE_PARAM, param);

    expr->param = param;
    expr->type = param->type;
    expr->nullable = true;
    return expr;
}

/* Constraints and indexes hold for all callers alike. */
static bool
refuse_claim(const struct scope *scope, struct span span, const char *what)
{
    struct diag *diag;

    if (!check_is_for_all(scope->place))
        return false;
    diag = diag_at(span, PGS2045_CLAIM_HERE, "%s cannot depend on who asks: %s",
                   check_place_name(scope->place), what);
    diag_hint(diag, "put the condition into a policy (`with check`)");
    return true;
}

static struct expr *
claim_expr(const struct scope *scope, const struct claim *claim, struct span span)
{
    struct expr *expr = check_new_expr(EXPR_CLAIM, span);

    uses_note_last(span, USE_CLAIM, claim, claim->name);

    if (refuse_claim(scope, span, claim->name))
        return expr;
    expr->claim = claim;
    expr->type = claim->type;
    expr->nullable = true;
    return expr;
}

/* ---- the three forms ---- */

void
check_report_captured(const struct expr *mine, const char *outer)
{
    struct diag *diag = diag_at(mine->span, PGS3056_CAPTURED_NAME,
                                "\"%s\" is a column of \"%s\" here, not of the row of \"%s\"",
                                mine->column->name, mine->range->table->name, outer);

    diag_hint(diag, "the innermost table takes a bare name: write `%s.%s` or `%s.%s`", outer,
              mine->column->name, mine->range->alias, mine->column->name);
}

VEC_STRUCT(known_names, const char *);

/* A table of some level is not there: the name may be one of its columns. */
static bool
reads_unknown(const struct scope *scope)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->ranges.n; i++)
            if (check_is_unknown(scope->ranges.at[i]->table))
                return true;
    return false;
}

/* A call that needs parentheses here, or goes by another name; else NULL. */
static const char *
meant_call(const char *name)
{
    struct resolution found;

    if (strcmp(name, "current_user") == 0 || strcmp(name, "session_user") == 0)
        return "auth.uid()";
    return function_resolve(name, NULL, 0, &found) ? arena_printf("%s()", name) : NULL;
}

static bool
has_near_column(const struct scope *scope, const char *name)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->ranges.n; i++)
            for (size_t j = 0; j < scope->ranges.at[i]->table->columns.n; j++) {
                const char *known = scope->ranges.at[i]->table->columns.at[j]->name;

                if (diag_nearest(name, &known, 1))
                    return true;
            }
    return false;
}

static void
report_unknown(const struct scope *scope, const struct ast_expr *ast)
{
    const char *name = ast->names.at[0].text, *call = meant_call(name);
    const struct range *only = scope->ranges.n == 1 ? scope->ranges.at[0] : NULL;
    const struct params *params = &outermost(scope)->params;
    struct known_names known = {0};
    struct diag *diag;

    if (reads_unknown(scope))
        return;
    if (ast->span.file->text[ast->span.start] == '"' && !has_near_column(scope, name)) {
        diag = diag_at(ast->span, PGS2003_UNKNOWN_COLUMN,
                       "there is no column, argument or claim \"%s\" here", name);
        diag_hint(diag, "a value stands in single quotes, a name in double ones: %s",
                  spell_string(name));
        diag_fix(diag, ast->span, "%s", spell_string(name));
        return;
    }
    if (call) {
        diag = diag_at(ast->span, PGS2003_UNKNOWN_COLUMN,
                       "there is no column, argument or claim \"%s\" here", name);
        diag_hint(diag, "write `%s`", call);
        diag_fix(diag, ast->span, "%s", call);
        return;
    }
    if (only && !scope->outer && params->n == 0) {
        check_find_column(only->table, &ast->names.at[0]);
        return;
    }
    for (const struct scope *s = scope; s; s = s->outer)
        for (size_t i = 0; i < s->ranges.n; i++)
            for (size_t j = 0; j < s->ranges.at[i]->table->columns.n; j++)
                vec_push(&known, s->ranges.at[i]->table->columns.at[j]->name);
    for (size_t i = 0; i < params->n; i++)
        vec_push(&known, params->at[i]->name);
    for (size_t i = 0; i < scope->checker->model->claims.n; i++)
        vec_push(&known, scope->checker->model->claims.at[i]->name);
    diag = diag_at(ast->span, PGS2003_UNKNOWN_COLUMN,
                   "there is no column, argument or claim \"%s\" here", name);
    check_suggest(diag, name, known.at, known.n);
}

static struct expr *
bare_name(struct scope *scope, const struct ast_expr *ast)
{
    const char *name = ast->names.at[0].text;
    struct found found = find_column(scope, NULL, name);
    struct param *param = find_param(scope, name);
    struct claim *claim = check_claim_named(scope->checker, name);

    if (found.times == 1 && check_is_for_all(scope->place))
        claim = NULL; /* none may stand here */
    if (found.times == 1 && param)
        report_two_meanings(ast, &found, "an argument", param->span, "rename the argument");
    else if (found.times == 1 && claim)
        report_two_meanings(ast, &found, "a claim", claim->span,
                            arena_printf("write `%s.%s` for the column, `claim.%s` for the claim",
                                         found.range->alias, name, name));
    else if (found.times == 1)
        return refuse_column(scope, ast) ? check_new_expr(EXPR_RAW, ast->span)
                                         : column_expr(&found, ast);
    else if (found.times > 1)
        report_ambiguous(scope, ast);
    else if (param)
        return param_expr(param, ast->span);
    else if (claim)
        return claim_expr(scope, claim, ast->span);
    else
        report_unknown(scope, ast);
    return check_new_expr(EXPR_RAW, ast->span);
}

/* claim.plan: where a column has the same name. */
static struct expr *
claim_by_path(struct scope *scope, const struct ast_expr *ast)
{
    const struct ast_name *name = &ast->names.at[1];
    struct claim *claim = check_claim_named(scope->checker, name->text);
    struct known_names known = {0};
    struct diag *diag;

    if (claim)
        return claim_expr(scope, claim, ast->span);
    for (size_t i = 0; i < scope->checker->model->claims.n; i++)
        vec_push(&known, scope->checker->model->claims.at[i]->name);
    diag = diag_at(name->span, PGS2005_UNKNOWN_CLAIM, "there is no claim \"%s\"", name->text);
    check_suggest(diag, name->text, known.at, known.n);
    return check_new_expr(EXPR_RAW, ast->span);
}

static void
hint_alias(struct diag *diag, enum place place, const char *alias, const char *name)
{
    if (strcmp(alias, "auth") == 0)
        diag_hint(diag, "a function is called with parentheses: `auth.%s()`", name);
    else if (place == PLACE_TRIGGER)
        diag_hint(diag, "there are `old` before an update or delete and `new` after an insert or "
                        "update, in a trigger `for each row`");
    else if (strcmp(alias, "old") == 0 || strcmp(alias, "new") == 0)
        diag_hint(diag, "`using` sees the row that is there, `with check` the row to be: its "
                        "columns' names stand alone");
    else
        diag_hint(diag, "name the table in `from`, or use its alias");
}

/* `ticket.id`, where no alias is called `ticket`. */
static bool
is_named_by_table(const struct range *range, const char *alias)
{
    const struct span span = range->span;

    return range->table && range->table->name && strcmp(range->table->name, alias) == 0 &&
           (range->implicit ||
            (span.file && !memchr(span.file->text + span.start, ' ', span.end - span.start)));
}

void
check_note_range(const struct range *range, const struct ast_name *name)
{
    if (range->alias_span.file)
        uses_note(name->span, USE_ALIAS, range);
    else if (range->with)
        uses_note(name->span, USE_WITH, range->with);
    else if (is_named_by_table(range, name->text))
        uses_note(name->span, USE_TABLE, range->table);
}

static struct expr *
qualified_name(struct scope *scope, const struct ast_expr *ast)
{
    const struct ast_name *alias = &ast->names.at[ast->names.n - 2];
    const struct ast_name *name = &ast->names.at[ast->names.n - 1];
    const struct range *range = check_range_named(scope, alias->text);
    const struct param *param = range ? NULL : find_param(scope, alias->text);
    struct found found;
    struct expr *call;

    if (!range && strcmp(alias->text, "claim") == 0)
        return claim_by_path(scope, ast);
    if (param && param->type.kind == TYPE_COMPOSITE && !param->type.array && ast->names.n == 2)
        return check_field_of(param_expr(param, alias->span), name, ast->span);
    if (!range && check_field_of_name(scope, ast))
        return check_new_expr(EXPR_RAW, ast->span);
    if (!range) {
        struct diag *diag = diag_at(alias->span, PGS2012_UNKNOWN_ALIAS,
                                    "\"%s\" is not in the from clause here", alias->text);
        hint_alias(diag, scope->place, alias->text, name->text);
        return check_new_expr(EXPR_RAW, ast->span);
    }
    check_note_range(range, alias);
    call = check_row_call(scope, ast, range);
    if (call)
        return call;
    if (!check_find_column(range->table, name) || refuse_column(scope, ast))
        return check_new_expr(EXPR_RAW, ast->span);
    found = (struct found){range, check_column_named(range->table, name->text), NULL, 1};
    return column_expr(&found, ast);
}

struct expr *
check_name(struct scope *scope, const struct ast_expr *ast)
{
    return ast->names.n == 1 ? bare_name(scope, ast) : qualified_name(scope, ast);
}

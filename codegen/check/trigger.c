/* SPDX-License-Identifier: MIT */
/* Triggers: which function, on what, and a condition over the rows before and after. */
#include "check/checker.h"

#include <string.h>

static void
refuse(struct span span, const char *message, const char *hint)
{
    diag_hint(diag_at(span, PGS2307_TRIGGER, "%s", message), "%s", hint);
}

/* ---- what happens ---- */

static void
read_event(struct trigger *trigger, const struct ast_trigger_event *event)
{
    static const enum command commands[] = {
        [AST_CMD_SELECT] = CMD_SELECT,
        [AST_CMD_INSERT] = CMD_INSERT,
        [AST_CMD_UPDATE] = CMD_UPDATE,
        [AST_CMD_DELETE] = CMD_DELETE,
    };
    enum command command = commands[event->command];

    if (trigger->on[command])
        refuse(event->span, "this event is named twice", "name each once");
    trigger->on[command] = true;
    for (size_t i = 0; i < event->columns.n; i++) {
        const struct column *column = check_find_column(trigger->table, &event->columns.at[i]);

        if (column)
            vec_push(&trigger->columns, column);
    }
}

static void
check_time(const struct ast_trigger *ast, const struct trigger *trigger)
{
    const struct table *table = trigger->table;

    if (table->is_view && trigger->for_row && trigger->time != TRIGGER_INSTEAD_OF)
        refuse(ast->table.span, "a trigger for each row of a view is `instead of`",
               "put it on the table that the view reads");
    else if (!table->is_view && trigger->time == TRIGGER_INSTEAD_OF)
        refuse(ast->table.span, "`instead of` is for views", "write `before` or `after`");
    else if (trigger->time == TRIGGER_INSTEAD_OF && ast->when)
        refuse(ast->when->span, "`instead of` takes no `when`", "ask in the function");
}

/* ---- when (...) ---- */

static struct range *
row_range(const struct table *table, const char *alias)
{
    struct range *range = arena_alloc(sizeof(*range));

    range->span = table->span;
    range->alias = alias;
    range->table = table;
    return range;
}

static void
visit_select(const struct expr *expr, void *data)
{
    bool *reported = data;

    if (*reported || (!expr->select && expr->kind != EXPR_PREDICATE))
        return;
    *reported = true;
    diag_hint(diag_at(expr->span, PGS2043_SUBSELECT_HERE,
                      "the condition of a trigger sees the two rows alone"),
              "look around in the function");
}

static void
check_when(struct checker *checker, const struct ast_trigger *ast, struct trigger *trigger)
{
    struct scope scope = {.checker = checker, .place = PLACE_TRIGGER, .clause = "`when`"};
    bool reported = false;

    trigger->old_row = row_range(trigger->table, "old");
    trigger->new_row = row_range(trigger->table, "new");
    if (!ast->when)
        return;
    if (trigger->for_row && !trigger->on[CMD_INSERT])
        vec_push(&scope.ranges, trigger->old_row);
    if (trigger->for_row && !trigger->on[CMD_DELETE])
        vec_push(&scope.ranges, trigger->new_row);
    trigger->when = check_condition(&scope, ast->when, "`when`");
    walk_expr(trigger->when, visit_select, &reported);
}

/* ---- the function ---- */

/* Those of PostgreSQL's own that applications use. */
static const struct declared_function *
find_catalog_function(const char *name)
{
    static const struct declared_function functions[] = {
        {.name = "tsvector_update_trigger", .returns_trigger = true, .is_catalog = true},
        {.name = "tsvector_update_trigger_column", .returns_trigger = true, .is_catalog = true},
        {.name = "suppress_redundant_updates_trigger", .returns_trigger = true, .is_catalog = true},
    };

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

/* The first argument, and those behind the configuration, are columns. */
static void
check_vector_columns(const struct trigger *trigger, const struct ast_trigger *ast)
{
    if (!trigger->function->is_catalog || strncmp(trigger->function->name, "tsvector", 8) != 0)
        return;
    if (ast->args.n < 3)
        refuse(ast->function.span, "this function needs the names of columns",
               "write the `tsvector` column, its configuration, and the columns with the text: "
               "`tsvector_update_trigger('words', 'pg_catalog.english', 'title', 'body')`");
    for (size_t i = 0; i < ast->args.n; i++) {
        const struct ast_name name = {ast->args.at[i].text, ast->args.at[i].span};

        if (i != 1 || strcmp(trigger->function->name, "tsvector_update_trigger") != 0)
            check_find_column(trigger->table, &name);
    }
}

static const struct declared_function *
find_function(struct checker *checker, const struct ast_trigger *ast)
{
    const struct model *model = checker->model;
    const struct declared_function *function = check_function_named(model, ast->function.text);
    VEC(const char *) known = {0};
    struct diag *diag;

    uses_note(ast->function.span, USE_FUNCTION, function);
    if (!function)
        function = find_catalog_function(ast->function.text);
    if (function && function->returns_trigger)
        return function;
    if (function) {
        diag = diag_at(ast->function.span, PGS2307_TRIGGER, "%s() does not return trigger",
                       function->name);
        diag_note(diag, function->span, "it is declared here");
        diag_hint(diag, "a trigger executes a function that `returns trigger`");
        return NULL;
    }
    for (size_t i = 0; i < model->functions.n; i++)
        if (model->functions.at[i]->returns_trigger)
            vec_push(&known, model->functions.at[i]->name);
    diag = diag_at(ast->function.span, PGS2006_UNKNOWN_FUNCTION, "there is no function \"%s\"",
                   ast->function.text);
    check_suggest(diag, ast->function.text, known.at, known.n);
    return NULL;
}

/* PostgreSQL tells triggers apart by table and name. */
static void
check_trigger_name(const struct model *model, const struct trigger *trigger)
{
    if (strncmp(trigger->name, "pgstack_", strlen("pgstack_")) == 0)
        diag_hint(diag_at(trigger->span, PGS2307_TRIGGER,
                          "pgstack's own triggers have names that begin with \"pgstack_\""),
                  "rename it");
    for (size_t i = 0; i < model->triggers.n; i++) {
        const struct trigger *other = model->triggers.at[i];
        struct diag *diag;

        if (other->table != trigger->table || strcmp(other->name, trigger->name) != 0)
            continue;
        diag = diag_at(trigger->span, PGS2307_TRIGGER, "\"%s\" has a trigger \"%s\" already",
                       trigger->table->name, trigger->name);
        diag_note(diag, other->span, "it is declared here");
        diag_hint(diag, "rename one of the two");
        return;
    }
}

static void
check_trigger(struct checker *checker, const struct ast_trigger *ast)
{
    struct trigger *trigger = arena_alloc(sizeof(*trigger));
    const struct table *table = check_find_table(checker, &ast->table);

    trigger->function = find_function(checker, ast);
    if (!table)
        return;
    trigger->span = ast->name.span;
    trigger->name = ast->name.text;
    trigger->table = table;
    trigger->time = (enum trigger_time)ast->time;
    trigger->for_row = ast->for_row;
    for (size_t i = 0; i < ast->events.n; i++)
        read_event(trigger, &ast->events.at[i]);
    for (size_t i = 0; i < ast->args.n; i++)
        vec_push(&trigger->args, ast->args.at[i].text);
    check_time(ast, trigger);
    check_when(checker, ast, trigger);
    if (!trigger->function)
        return;
    check_vector_columns(trigger, ast);
    check_trigger_name(checker->model, trigger);
    vec_push(&checker->model->triggers, trigger);
}

void
check_triggers(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->triggers.n; i++)
        check_trigger(checker, checker->ast->triggers.at[i]);
}

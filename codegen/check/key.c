/* SPDX-License-Identifier: MIT */
/*
 * Keys, checks and references of tables, and the names they get.
 */
#include "check/checker.h"

#include <string.h>

#include "model/names.h"

VEC_STRUCT(columns, const struct column *);

/* ---- names of constraints and indexes ---- */

static bool
has_constraint_named(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->constraints.n; i++)
        if (table->constraints.at[i]->name && strcmp(table->constraints.at[i]->name, name) == 0)
            return true;
    return false;
}

static bool
has_index_named(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->indexes.n; i++)
        if (table->indexes.at[i]->name && strcmp(table->indexes.at[i]->name, name) == 0)
            return true;
    return false;
}

/* Keys and indexes are relations in PostgreSQL: one space with tables and views. */
static bool
is_relation(const struct checker *checker, const struct table *table, const char *label)
{
    const char *name = check_relation_key(table->schema, label);

    return map_get(&checker->tables_by_name, name) || map_get(&checker->constraints, name);
}

static bool
is_taken(const struct checker *checker, const struct table *table, const char *name, bool relation)
{
    return relation ? is_relation(checker, table, name)
                    : has_constraint_named(table, name) || has_index_named(table, name);
}

const char *
check_choose_name(struct checker *checker, const struct table *table, const char *columns,
                  const char *label, bool relation)
{
    const char *name = name_object(table->name, columns, label);

    for (int i = 1; is_taken(checker, table, name, relation); i++)
        name = name_object(table->name, columns, arena_printf("%s%d", label, i));
    map_put(&checker->constraints, check_relation_key(table->schema, name), table);
    return name;
}

static const char *
join_columns(const struct columns *columns)
{
    VEC(const char *) names = {0};

    for (size_t i = 0; i < columns->n; i++)
        vec_push(&names, columns->at[i]->name);
    return name_join(names.at, names.n);
}

const char *
check_given_name(struct checker *checker, const struct table *table, const struct ast_name *name,
                 bool relation)
{
    struct diag *diag;

    if (is_taken(checker, table, name->text, relation)) {
        diag = diag_at(name->span, PGS1122_DUPLICATE_CONSTRAINT,
                       "\"%s\" is the name of something else already", name->text);
        diag_hint(diag, "choose another name, or leave it out: PostgreSQL's usual name is used");
    }
    map_put(&checker->constraints, check_relation_key(table->schema, name->text), table);
    return name->text;
}

/* ---- deferrals ---- */

static void
report_deferral(struct span span, const char *what, const char *hint)
{
    struct diag *diag = diag_at(span, PGS1251_DEFERRAL, "%s", what);

    diag_hint(diag, "%s", hint);
}

void
check_deferral(const struct ast_constraint *ast, struct constraint *constraint)
{
    const struct span *said = ast->deferrals;
    bool refused = said[AST_NOT_DEFERRABLE].file != NULL;

    constraint->initially_deferred = said[AST_INITIALLY_DEFERRED].file != NULL;
    constraint->deferrable = said[AST_DEFERRABLE].file || constraint->initially_deferred;
    if (refused && constraint->deferrable)
        report_deferral(said[AST_NOT_DEFERRABLE], "what is deferred must be deferrable",
                        "drop `not deferrable`, or the other");
    if (constraint->initially_deferred && said[AST_INITIALLY_IMMEDIATE].file)
        report_deferral(said[AST_INITIALLY_IMMEDIATE],
                        "it is checked at once or at the end, not both", "drop one of the two");
}

static void
refuse_deferral(const struct ast_constraint *ast)
{
    for (int i = 0; i < AST_DEFERRALS; i++)
        if (ast->deferrals[i].file) {
            report_deferral(ast->deferrals[i], "a check constraint cannot be deferred",
                            "leave it out: PostgreSQL checks each row as it is written");
            return;
        }
}

/* ---- keys ---- */

static void
check_repeated(const struct columns *columns, const struct ast_name *name)
{
    size_t times = 0;

    for (size_t i = 0; i < columns->n; i++)
        times += strcmp(columns->at[i]->name, name->text) == 0;
    if (times < 2)
        return;
    struct diag *diag = diag_at(name->span, PGS1154_REPEATED_COLUMN,
                                "\"%s\" stands twice in this list", name->text);
    diag_hint(diag, "name each column once");
    check_fix_unlist(diag, name->span);
}

static void
find_columns(const struct table *table, const struct ast_names *names, struct columns *out)
{
    for (size_t i = 0; i < names->n; i++) {
        struct column *column = check_find_column(table, &names->at[i]);

        if (!column)
            continue;
        vec_push(out, column);
        check_repeated(out, &names->at[i]);
    }
}

static struct constraint *
new_constraint(const struct ast_constraint *ast, enum constraint_kind kind, struct column *column,
               const struct table *table, struct columns *columns)
{
    struct constraint *constraint = arena_alloc(sizeof(*constraint));

    constraint->span = ast->span;
    constraint->kind = kind;
    if (column)
        vec_push(columns, column);
    else
        find_columns(table, &ast->columns, columns);
    for (size_t i = 0; i < columns->n; i++)
        vec_push(&constraint->columns, columns->at[i]);
    return constraint;
}

static void
set_primary_key(struct table *table, struct constraint *key)
{
    struct diag *diag;

    if (table->primary_key) {
        diag = diag_at(key->span, PGS1150_TWO_PRIMARY_KEYS, "table \"%s\" has two primary keys",
                       table->name);
        diag_note(diag, table->primary_key->span, "the first one is here");
        diag_hint(diag, "a key of several columns is `primary key (a, b)`; another one is "
                        "`unique (...)`");
        return;
    }
    table->primary_key = key;
    for (size_t i = 0; i < key->columns.n; i++)
        ((struct column *)key->columns.at[i])->not_null = true;
}

static void
check_key_types(const struct constraint *key)
{
    for (size_t i = 0; i < key->columns.n; i++) {
        const struct column *column = key->columns.at[i];
        struct diag *diag;

        if (type_is_comparable(column->type))
            continue;
        diag = diag_at(key->span, PGS1166_INDEX_TYPE, "%s cannot be in a key: it has no equality",
                       type_text(column->type));
        diag_note(diag, column->span, "\"%s\" is here", column->name);
        diag_hint(diag, "%s",
                  column->type.kind == TYPE_JSON ? "use jsonb" : "leave it out of the key");
    }
}

void
check_key(struct checker *checker, struct table *table, const struct ast_constraint *ast,
          struct column *column)
{
    bool primary = ast->kind == AST_PRIMARY_KEY;
    struct columns columns = {0};
    struct constraint *key;

    if (ast->kind != AST_PRIMARY_KEY && ast->kind != AST_UNIQUE)
        return;
    key = new_constraint(ast, primary ? CONSTRAINT_PRIMARY_KEY : CONSTRAINT_UNIQUE, column, table,
                         &columns);
    if (ast->name.text)
        key->name = check_given_name(checker, table, &ast->name, true);
    else
        key->name = check_choose_name(checker, table, primary ? NULL : join_columns(&columns),
                                      primary ? "pkey" : "key", true);
    check_key_types(key);
    key->global = ast->global;
    key->nulls_not_distinct = ast->nulls_not_distinct;
    check_deferral(ast, key);
    if (primary)
        set_primary_key(table, key);
    vec_push(&table->constraints, key);
}

/* ---- checks ---- */

static void
collect_columns(const struct expr *expr, void *data)
{
    struct columns *columns = data;

    if (expr->kind != EXPR_COLUMN)
        return;
    for (size_t i = 0; i < columns->n; i++)
        if (columns->at[i] == expr->column)
            return;
    vec_push(columns, expr->column);
}

static void
add_check(struct checker *checker, struct table *table, const struct ast_constraint *ast)
{
    struct constraint *check = arena_alloc(sizeof(*check));
    struct scope scope = check_row_scope(checker, PLACE_CHECK, table);
    struct columns columns = {0};

    refuse_deferral(ast);
    scope.clause = "a check constraint";
    check->span = ast->span;
    check->kind = CONSTRAINT_CHECK;
    check->check = check_condition(&scope, ast->check, "a check constraint");
    walk_expr(check->check, collect_columns, &columns);
    for (size_t i = 0; i < columns.n; i++)
        vec_push(&check->columns, columns.at[i]);
    if (ast->name.text)
        check->name = check_given_name(checker, table, &ast->name, false);
    else
        check->name = check_choose_name(checker, table, columns.n == 1 ? columns.at[0]->name : NULL,
                                        "check", false);
    vec_push(&table->constraints, check);
}

/* ---- references ---- */

static bool
same_columns(const struct constraint *key, const struct columns *columns)
{
    size_t found = 0;

    for (size_t i = 0; i < columns->n; i++)
        for (size_t j = 0; j < key->columns.n; j++)
            found += key->columns.at[j] == columns->at[i];
    return key->columns.n == columns->n && found == columns->n;
}

static bool
has_unique_key(const struct table *table, const struct columns *columns)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];

        if ((key->kind == CONSTRAINT_PRIMARY_KEY || key->kind == CONSTRAINT_UNIQUE) &&
            same_columns(key, columns))
            return true;
    }
    return false;
}

static void
find_target_columns(const struct ast_constraint *ast, const struct table *target,
                    struct columns *out)
{
    if (ast->target_columns.n > 0) {
        find_columns(target, &ast->target_columns, out);
        return;
    }
    for (size_t i = 0; target->primary_key && i < target->primary_key->columns.n; i++)
        vec_push(out, target->primary_key->columns.at[i]);
}

static void
report_no_key(const struct ast_constraint *ast, const struct table *target)
{
    struct diag *diag = diag_at(ast->target.span, PGS2060_REFERENCE_NOT_UNIQUE,
                                "a reference needs a primary or unique key, and \"%s\" has none "
                                "of these columns",
                                target->name);

    if (!target->builtin)
        diag_note(diag, target->span, "\"%s\" is here", target->name);
    diag_hint(diag, "add `unique (...)` to \"%s\", or reference its key", target->name);
}

static bool
check_target(const struct ast_constraint *ast, const struct table *target,
             const struct columns *from, const struct columns *to)
{
    struct diag *diag;

    if (target->is_view) {
        diag = diag_at(ast->target.span, PGS2063_REFERENCE_TO_VIEW,
                       "a reference cannot point to a view");
        diag_hint(diag, "reference the table behind it");
        return false;
    }
    if (to->n == 0 || !has_unique_key(target, to)) {
        report_no_key(ast, target);
        return false;
    }
    if (from->n != to->n) {
        diag = diag_at(ast->span, PGS2062_REFERENCE_COUNT,
                       "%zu column%s cannot reference a key of %zu", from->n,
                       from->n == 1 ? "" : "s", to->n);
        diag_hint(diag,
                  "write `foreign key (...) references %s (...)` with as many columns on "
                  "both sides",
                  target->name);
        return false;
    }
    return true;
}

static void
check_reference_types(const struct ast_constraint *ast, const struct columns *from,
                      const struct columns *to)
{
    for (size_t i = 0; i < from->n; i++) {
        struct type common;
        struct diag *diag;

        if (type_common(from->at[i]->type, to->at[i]->type, &common))
            continue;
        diag = diag_at(ast->target.span, PGS2061_REFERENCE_TYPE,
                       "\"%s\" is of type %s, but \"%s\" of \"%s\" is %s", from->at[i]->name,
                       type_text(from->at[i]->type), to->at[i]->name, to->at[i]->table->name,
                       type_text(to->at[i]->type));
        if (!to->at[i]->table->builtin)
            diag_note(diag, to->at[i]->span, "\"%s\" is here", to->at[i]->name);
        diag_hint(diag, "make \"%s\" %s", from->at[i]->name, type_text(to->at[i]->type));
    }
}

/* `on delete set null` into a not null column fails when it is needed. */
static void
check_action(const struct ast_constraint *ast, const struct columns *from, enum ast_action action)
{
    struct diag *diag;

    if (action != AST_SET_NULL)
        return;
    for (size_t i = 0; i < from->n; i++)
        if (from->at[i]->not_null) {
            diag = diag_at(ast->span, PGS1165_SET_NULL_ON_NOT_NULL,
                           "`set null` cannot work: \"%s\" is not null", from->at[i]->name);
            diag_note(diag, from->at[i]->span, "\"%s\" is here", from->at[i]->name);
            diag_hint(diag, "drop `not null`, or write `cascade` or `restrict`");
        }
}

/* PostgreSQL looks for the row at once: a key that is checked at the end will not do. */
static void
check_key_is_at_once(const struct ast_constraint *ast, const struct table *target,
                     const struct columns *to)
{
    const struct constraint *deferrable = NULL;
    struct diag *diag;

    for (size_t i = 0; i < target->constraints.n; i++) {
        const struct constraint *key = target->constraints.at[i];

        if ((key->kind != CONSTRAINT_PRIMARY_KEY && key->kind != CONSTRAINT_UNIQUE) ||
            !same_columns(key, to))
            continue;
        if (!key->deferrable)
            return;
        deferrable = key;
    }
    if (!deferrable)
        return;
    diag = diag_at(ast->target.span, PGS1252_REFERENCE_TO_DEFERRABLE,
                   "the key of \"%s\" is deferrable: nothing can reference it", target->name);
    diag_note(diag, deferrable->span, "the key is here");
    diag_hint(diag, "drop `deferrable` there; the reference itself may be deferrable");
}

/* A reference to generated columns cannot change them. */
void
check_generated_references(const struct table *table)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];
        bool writes = key->on_update == FK_CASCADE || key->on_update >= FK_SET_NULL ||
                      key->on_delete >= FK_SET_NULL;

        for (size_t j = 0; writes && j < key->columns.n; j++) {
            struct diag *diag;

            if (!key->columns.at[j]->generated)
                continue;
            diag = diag_at(key->span, PGS1265_GENERATED_REFERENCE,
                           "\"%s\" is generated: the reference cannot write it",
                           key->columns.at[j]->name);
            diag_note(diag, key->columns.at[j]->span, "\"%s\" is here", key->columns.at[j]->name);
            diag_hint(diag, "only `on delete cascade`, `restrict` and `no action` leave it alone");
            break;
        }
    }
}

static enum fk_action
model_action(enum ast_action action)
{
    static const enum fk_action actions[] = {
        [AST_NO_ACTION] = FK_NO_ACTION,     [AST_RESTRICT] = FK_RESTRICT,
        [AST_CASCADE] = FK_CASCADE,         [AST_SET_NULL] = FK_SET_NULL,
        [AST_SET_DEFAULT] = FK_SET_DEFAULT,
    };

    return actions[action];
}

static void
add_reference(struct checker *checker, struct table *table, const struct ast_constraint *ast,
              struct column *column)
{
    const struct table *target = check_find_table(checker, &ast->target);
    struct columns from = {0}, to = {0};
    struct constraint *key = new_constraint(ast, CONSTRAINT_FOREIGN_KEY, column, table, &from);

    if (!target)
        return;
    find_target_columns(ast, target, &to);
    if (!check_target(ast, target, &from, &to))
        return;
    check_reference_types(ast, &from, &to);
    check_key_is_at_once(ast, target, &to);
    check_action(ast, &from, ast->on_delete);
    check_action(ast, &from, ast->on_update);
    key->target = target;
    for (size_t i = 0; i < to.n; i++)
        vec_push(&key->target_columns, to.at[i]);
    check_deferral(ast, key);
    key->on_delete = model_action(ast->on_delete);
    key->on_update = model_action(ast->on_update);
    key->name = ast->name.text
                    ? check_given_name(checker, table, &ast->name, false)
                    : check_choose_name(checker, table, join_columns(&from), "fkey", false);
    vec_push(&table->constraints, key);
}

void
check_constraint(struct checker *checker, struct table *table, const struct ast_constraint *ast,
                 struct column *column)
{
    if (ast->kind == AST_CHECK)
        add_check(checker, table, ast);
    else if (ast->kind == AST_REFERENCES)
        add_reference(checker, table, ast, column);
    else if (ast->kind == AST_EXCLUDE)
        check_exclusion(checker, table, ast);
}

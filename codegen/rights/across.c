/* SPDX-License-Identifier: MIT */
/*
 * Keys that reach across tenants.  Unique and foreign keys are checked outside of row security: a
 * failed or accepted insert tells what the caller may not see.
 */
#include "rights/rights.h"

#include <string.h>

#include "rights/branch.h"

struct crossing {
    struct checker *checker;
    const struct role *role;
    const struct table *table;
    struct branches seen, inserted, updated;
};

static bool
is_written(const struct crossing *crossing, const struct column *column)
{
    return column->identity == IDENTITY_NONE &&
           (access_column(crossing->role, column, CMD_INSERT) ||
            access_column(crossing->role, column, CMD_UPDATE));
}

/* Every branch that shows rows, but for somebody in particular, ties some column to the caller. */
static bool
is_protected(const struct branches *seen, const struct table *table, const struct role *role)
{
    size_t n = 0;

    for (size_t i = 0; i < seen->n; i++) {
        bool tied = false;

        for (size_t j = 0; j < table->columns.n && !tied; j++)
            tied = check_tie(&seen->at[i], NULL, table->columns.at[j], role) >= TIE_LOOKUP;
        if (!tied && !check_is_gated(&seen->at[i], role))
            return false;
        n += tied;
    }
    return n > 0;
}

/* Shows rows to all by what stands in them: `is_public`. */
static bool
is_of_the_row(const struct branch *branch, const struct role *role)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        struct mentions found = check_mentions(&branch->atoms.at[i], role);

        if (!found.row || found.caller || found.select || found.unknown)
            return false;
    }
    return branch->atoms.n > 0;
}

/* The side shows the rows of the caller's tenant. */
static bool
is_of_tenant(const struct branch *branch, const struct table *table, const struct role *role)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        enum tie tie = check_tie(branch, NULL, table->columns.at[i], role);

        if (tie == TIE_LOOKUP || tie == TIE_CLAIM)
            return true;
    }
    return false;
}

/* Those of tenants are, though some rows are for all to see. */
static bool
is_partly_protected(const struct branches *seen, const struct table *table, const struct role *role,
                    const struct policy **hides)
{
    struct branches others = {0};

    for (size_t i = 0; i < seen->n; i++)
        if (!is_of_the_row(&seen->at[i], role))
            vec_push(&others, seen->at[i]);
    for (size_t i = 0; i < others.n && others.n < seen->n; i++)
        if (!is_of_tenant(&others.at[i], table, role))
            return false;
    *hides = others.n > 0 ? others.at[0].policy : NULL;
    return is_protected(&others, table, role);
}

/* Each branch but those for somebody in particular ties the column to the caller. */
static bool
is_tied(const struct branches *branches, const struct column *column, const struct role *role)
{
    bool tied = false;

    for (size_t i = 0; i < branches->n; i++) {
        if (check_tie(&branches->at[i], NULL, column, role) >= TIE_LOOKUP)
            tied = true;
        else if (!check_is_gated(&branches->at[i], role))
            return false;
    }
    return tied;
}

/* ---- unique keys: I35 ---- */

VEC_STRUCT(key_columns, const struct column *);

/* The column by which rows belong to tenants; NULL: none but keys of their own. */
static const struct column *
tenant_of(const struct crossing *crossing)
{
    for (size_t i = 0; i < crossing->table->columns.n; i++) {
        const struct column *column = crossing->table->columns.at[i];

        if (!check_is_unique(column) && is_tied(&crossing->seen, column, crossing->role))
            return column;
    }
    return NULL;
}

static bool
is_oracle(const struct crossing *crossing, const struct key_columns *key)
{
    bool tells = false;

    for (size_t i = 0; i < key->n; i++) {
        const struct column *column = key->at[i];

        if (!is_written(crossing, column) || is_tied(&crossing->seen, column, crossing->role) ||
            is_tied(&crossing->inserted, column, crossing->role))
            return false;
        tells |= column->type.kind != TYPE_UUID;
    }
    return tells;
}

static const char *
list_names(const struct key_columns *key)
{
    const char *list = key->at[0]->name;

    for (size_t i = 1; i < key->n; i++)
        list = arena_printf("%s, %s", list, key->at[i]->name);
    return list;
}

static void
check_key_across(const struct crossing *crossing, const struct key_columns *key, struct span span)
{
    const struct column *tenant = tenant_of(crossing);
    const char *list;
    struct diag *diag;

    if (!tenant || key->n == 0 || !is_oracle(crossing, key))
        return;
    list = list_names(key);
    diag = diag_at(span, PGS3072_UNIQUE_ACROSS_TENANTS,
                   "unique \"%s\" of \"%s\" spans tenants: a failed insert tells that another "
                   "tenant's row exists",
                   list, crossing->table->name);
    diag_note(diag, tenant->span, "rows are seen by \"%s\"", tenant->name);
    diag_hint(diag,
              "write `unique (%s, %s)`; if it is meant for all (host names), say `unique global`",
              tenant->name, list);
}

/* What is excluded is a part of something that has a tenant of its own: a room by its key. */
static bool
refers_inside(const struct table *table, const struct key_columns *key)
{
    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *reference = table->constraints.at[i];

        for (size_t j = 0; reference->kind == CONSTRAINT_FOREIGN_KEY && j < key->n; j++)
            for (size_t k = 0; k < reference->columns.n; k++)
                if (reference->columns.at[k] == key->at[j])
                    return true;
    }
    return false;
}

/* unique (lower(email)) tells of email. */
static void
visit_key_column(const struct expr *expr, void *data)
{
    struct key_columns *key = data;

    if (expr->kind == EXPR_COLUMN)
        vec_push(key, expr->column);
}

static void
check_keys(const struct crossing *crossing)
{
    const struct table *table = crossing->table;

    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *constraint = table->constraints.at[i];
        struct key_columns key = {0};

        if ((constraint->kind != CONSTRAINT_UNIQUE && constraint->kind != CONSTRAINT_PRIMARY_KEY) ||
            constraint->global)
            continue;
        for (size_t j = 0; j < constraint->columns.n; j++)
            vec_push(&key, constraint->columns.at[j]);
        check_key_across(crossing, &key, constraint->span);
    }
    for (size_t i = 0; i < table->indexes.n; i++) {
        const struct index *index = table->indexes.at[i];
        struct key_columns key = {0};

        for (size_t j = 0; index->unique && !index->global && j < index->items.n; j++) {
            if (index->items.at[j].column)
                vec_push(&key, index->items.at[j].column);
            else
                walk_expr(index->items.at[j].expr, visit_key_column, &key);
        }
        check_key_across(crossing, &key, index->span);
    }
}

/* A booking that fails tells of the other tenant's, too. */
static void
check_exclusions(const struct crossing *crossing)
{
    const struct column *tenant = tenant_of(crossing);

    for (size_t i = 0; tenant && i < crossing->table->constraints.n; i++) {
        const struct constraint *constraint = crossing->table->constraints.at[i];
        struct key_columns key = {0};
        struct diag *diag;

        if (constraint->kind != CONSTRAINT_EXCLUDE)
            continue;
        for (size_t j = 0; j < constraint->items.n; j++)
            if (constraint->items.at[j].column)
                vec_push(&key, constraint->items.at[j].column);
            else
                walk_expr(constraint->items.at[j].expr, visit_key_column, &key);
        if (key.n == 0 || refers_inside(crossing->table, &key) || !is_oracle(crossing, &key))
            continue;
        diag = diag_at(constraint->span, PGS3072_UNIQUE_ACROSS_TENANTS,
                       "this excludes rows of \"%s\" across tenants: a failed insert tells that "
                       "another tenant's row exists",
                       crossing->table->name);
        diag_note(diag, tenant->span, "rows are seen by \"%s\"", tenant->name);
        diag_hint(diag, "begin it with `%s with =`", tenant->name);
    }
}

/*
 * Whoever may insert and see nothing learns from the failure, what a list would not tell: whether
 * an address is in it.
 */
static void
check_blind_insert(const struct crossing *crossing)
{
    const struct table *table = crossing->table;

    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];
        const struct column *column = key->columns.n == 1 ? key->columns.at[0] : NULL;
        struct diag *diag;

        if (key->kind != CONSTRAINT_UNIQUE || key->global || !column ||
            !type_is_text(column->type) || !access_column(crossing->role, column, CMD_INSERT))
            continue;
        diag = diag_at(key->span, PGS3072_UNIQUE_ACROSS_TENANTS,
                       "unique \"%s\" of \"%s\" tells \"%s\", who may not list it: a failed "
                       "insert says that it is there",
                       column->name, table->name, crossing->role->name);
        diag_hint(diag, "let a definer function insert with `on conflict do nothing`; if it may be "
                        "known, say `unique global`");
        return;
    }
}

/* ---- foreign keys ---- */

/* `parent_id is null`: nothing is referred to. */
static bool
is_null_in(const struct branch *branch, const struct column *column)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];

        if (!atom->negated && atom->expr->kind == EXPR_OP &&
            strcmp(atom->expr->name, "is null") == 0 && check_names_column(atom, NULL, column))
            return true;
    }
    return false;
}

/* A look-up among the rows of the target that the writer sees: `exists (select 1 from target ...)`.
 */
struct target_search {
    const struct table *target;
    bool found;
};

static void
find_target(const struct range *range, void *data)
{
    struct target_search *search = data;

    search->found |= range->table == search->target && !range->past_policies;
}

static bool
is_looked_up(const struct branch *branch, const struct constraint *reference)
{
    for (size_t i = 0; i < branch->atoms.n; i++) {
        const struct atom *atom = &branch->atoms.at[i];
        struct target_search search = {.target = reference->target};

        if (atom->negated || atom->definer)
            continue;
        walk_ranges(atom->expr, find_target, &search);
        if (search.found && check_names_column(atom, NULL, reference->columns.at[0]))
            return true;
    }
    return false;
}

/* What the column refers to is asked for, and not everybody sees all of that. */
bool
check_is_looked_up(const struct branch *written, const struct column *column,
                   const struct role *role)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *reference = column->table->constraints.at[i];
        struct branches seen = {0};
        bool open = false;

        if (reference->kind != CONSTRAINT_FOREIGN_KEY || reference->columns.at[0] != column ||
            !is_looked_up(written, reference) ||
            !check_role_branches(role, reference->target, CMD_SELECT, false, &seen))
            continue;
        for (size_t j = 0; j < seen.n; j++)
            open |= check_is_public(&seen.at[j]);
        if (!open)
            return true;
    }
    return false;
}

static bool
leaves_free(const struct crossing *crossing, const struct constraint *reference,
            const struct branches *written, enum command command)
{
    for (size_t i = 0; i < written->n; i++) {
        const struct branch *branch = &written->at[i];
        bool held = check_is_gated(branch, crossing->role) || is_looked_up(branch, reference);

        for (size_t j = 0; j < reference->columns.n && !held; j++)
            held =
                check_tie(branch, NULL, reference->columns.at[j], crossing->role) >= TIE_LOOKUP ||
                is_null_in(branch, reference->columns.at[j]) ||
                !access_column(crossing->role, reference->columns.at[j], command);
        if (!held)
            return true;
    }
    return false;
}

static bool
is_told(const struct crossing *crossing, const struct constraint *reference)
{
    struct checker *checker = crossing->checker;

    for (size_t i = 0; i < checker->strayed.n; i++)
        for (size_t j = 0; j < reference->columns.n; j++)
            if (checker->strayed.at[i] == reference->columns.at[j])
                return true;
    vec_push(&checker->strayed, reference->columns.at[0]);
    return false;
}

static void
check_reference(const struct crossing *crossing, const struct constraint *reference)
{
    struct branches target = {0};
    const struct policy *hides;
    struct diag *diag;

    if (reference->target->builtin ||
        !check_role_branches(crossing->role, reference->target, CMD_SELECT, false, &target) ||
        !is_partly_protected(&target, reference->target, crossing->role, &hides) ||
        (!leaves_free(crossing, reference, &crossing->inserted, CMD_INSERT) &&
         !leaves_free(crossing, reference, &crossing->updated, CMD_UPDATE)) ||
        is_told(crossing, reference))
        return;
    diag = diag_at(reference->span, PGS3073_REFERENCE_ACROSS_TENANTS,
                   "\"%s\" may refer to any row of \"%s\": a write tells whether it exists, and "
                   "attaches to it",
                   reference->columns.at[0]->name, reference->target->name);
    diag_note(diag, hides->span, "policy \"%s\" hides rows of \"%s\" from the writer", hides->name,
              reference->target->name);
    diag_hint(
        diag,
        "add `exists (select 1 from %s where ...)` to `with check`, or refer by `(tenant, %s)`",
        reference->target->name, reference->columns.at[0]->name);
}

/* ---- all ---- */

static void
check_crossing(struct crossing *crossing)
{
    const struct table *table = crossing->table;
    const struct role *role = crossing->role;

    if (!check_role_branches(role, table, CMD_SELECT, false, &crossing->seen) ||
        !check_role_branches(role, table, CMD_INSERT, true, &crossing->inserted) ||
        !check_role_branches(role, table, CMD_UPDATE, true, &crossing->updated))
        return;
    if (is_protected(&crossing->seen, table, role)) {
        check_keys(crossing);
        check_exclusions(crossing);
    }
    if (crossing->seen.n == 0 && crossing->inserted.n > 0)
        check_blind_insert(crossing);
    for (size_t i = 0; i < table->constraints.n; i++)
        if (table->constraints.at[i]->kind == CONSTRAINT_FOREIGN_KEY)
            check_reference(crossing, table->constraints.at[i]);
}

void
check_across(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->roles.n; j++) {
            struct crossing crossing = {
                .checker = checker, .role = model->roles.at[j], .table = model->tables.at[i]};

            if (!crossing.table->is_view && crossing.table->policies.n > 0 &&
                check_is_anybody(crossing.role))
                check_crossing(&crossing);
        }
}

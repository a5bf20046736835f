/* SPDX-License-Identifier: MIT */
/*
 * Materialized views.  Their rows are those that their owner read at the last refresh: no policy
 * holds for them, and nobody asks.
 */
#include "check/checker.h"

/* ---- who asks ---- */

struct asker {
    const struct table *view;
    struct span from; /* of the call at the top; file NULL: at the top */
};

static void
refuse_identity(const struct expr *expr, void *data)
{
    struct asker *asker = data, inside = *asker;
    struct diag *diag;

    if (expr->kind == EXPR_PREDICATE && expr->predicate->body) {
        if (!inside.from.file)
            inside.from = expr->span;
        walk_expr(expr->predicate->body, refuse_identity, &inside);
    }
    if (!expr->is_auth && expr->kind != EXPR_CLAIM)
        return;
    diag = diag_at(asker->from.file ? asker->from : expr->span, PGS1297_STORED_ASKS,
                   "materialized view \"%s\" cannot depend on who asks: its rows are made before",
                   asker->view->name);
    diag_hint(diag, "make it a view, or compare with the caller where it is read");
}

void
check_stored(const struct declared_view *declared)
{
    struct asker asker = {.view = declared->table};
    struct diag *diag;

    if (declared->table->query) {
        walk_select(declared->table->query, refuse_identity, &asker);
        return;
    }
    diag = diag_at(declared->ast->raw.span, PGS1296_STORED_RAW,
                   "what materialized view \"%s\" reads is not known, and its owner is held to "
                   "the policies there: it would keep no row",
                   declared->table->name);
    diag_hint(diag, "write its select without $$");
}

void
check_stored_indexes(struct checker *checker)
{
    for (size_t i = 0; i < checker->views.n; i++) {
        const struct declared_view *view = &checker->views.at[i];

        for (size_t j = 0; j < view->ast->indexes.n && view->table->columns.n > 0; j++)
            check_index(checker, view->table, view->ast->indexes.at[j]);
    }
}

/* ---- I29: rows outside of their policies ---- */

static const struct table *
whole_of(const struct table *table)
{
    return table->partition_of ? whole_of(table->partition_of) : table;
}

/* No policy keeps a row from the role. */
static bool
sees_every_row(const struct role *role, const struct table *table)
{
    bool open = false;

    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *policy = table->policies.at[i];

        if (!policy_applies(policy, role, table, CMD_SELECT))
            continue;
        if (policy->restrictive)
            return false;
        open |= policy->using_expr && policy->using_expr->kind == EXPR_PUBLIC;
    }
    return open && access_table(role, table, CMD_SELECT);
}

static bool
may_read(const struct role *role, const struct read *read)
{
    return !read->column || read->table->partition_of ||
           access_column(role, read->column, CMD_SELECT);
}

static const struct policy *
shown_policy(const struct table *table)
{
    for (size_t i = 0; i < table->policies.n; i++)
        if (table->policies.at[i]->command == CMD_SELECT)
            return table->policies.at[i];
    return table->policies.at[0];
}

static struct diag *
report_source(const struct declared_view *view, const struct role *role, const struct read *read,
              const struct table *table)
{
    const char *name = view->table->name;

    if (table->builtin)
        return diag_at(view->ast->word, PGS1291_STORED_ROWS,
                       "materialized view \"%s\" holds rows of %s.%s, which is for service_role "
                       "alone",
                       name, table->schema, table->name);
    if (sees_every_row(role, table))
        return diag_at(view->ast->word, PGS1291_STORED_ROWS,
                       "materialized view \"%s\" holds %s.%s, which role \"%s\" may not select",
                       name, table->name, read->column->name, role->name);
    return diag_at(view->ast->word, PGS1291_STORED_ROWS,
                   "materialized view \"%s\" holds rows of \"%s\" outside its policy \"%s\"", name,
                   table->name, shown_policy(table)->name);
}

static bool
check_source(const struct declared_view *view, const struct grant *grant, const struct read *read)
{
    const struct table *table = whole_of(read->table);
    struct diag *diag;

    if (table->is_view || (table->policies.n == 0 && !table->builtin) ||
        (sees_every_row(grant->role, table) && may_read(grant->role, read)))
        return false;
    diag = report_source(view, grant->role, read, table);
    diag_note(diag, grant->span, "\"%s\" may read it by this grant", grant->role->name);
    diag_hint(diag, "make it a view, or take the grant back and read it in a `security definer` "
                    "function that checks the caller");
    return true;
}

/* Through other materialized views, too, which are read as tables are. */
static void
read_sources(const struct table *view, struct reads *reads)
{
    struct reads own = {0};

    check_reads_select(view->query, &own);
    for (size_t i = 0; i < own.n; i++) {
        vec_push(reads, own.at[i]);
        if (!own.at[i].column && own.at[i].table->materialized && own.at[i].table->query)
            read_sources(own.at[i].table, reads);
    }
}

static void
check_stored_rows(const struct declared_view *view)
{
    struct reads reads = {0};

    read_sources(view->table, &reads);
    for (size_t i = 0; i < view->table->grants.n; i++)
        for (size_t j = 0; j < reads.n; j++)
            if (check_source(view, view->table->grants.at[i], &reads.at[j]))
                return;
}

void
check_stored_rights(struct checker *checker)
{
    for (size_t i = 0; i < checker->views.n; i++)
        if (checker->views.at[i].table->materialized && checker->views.at[i].table->query)
            check_stored_rows(&checker->views.at[i]);
}

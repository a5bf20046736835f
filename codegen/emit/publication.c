/* SPDX-License-Identifier: MIT */
/*
 * What live queries are fed from: a publication of the tables that they depend on, read by the role
 * pgstack_replicator through logical decoding.  Published are keys, and the columns that the server
 * looks at to tell whom a change concerns: to that role alone, since no policy holds for the log.
 */
#include "emit/emit.h"
#include "model/names.h"
#include "plan/published.h"
#include "sql/sql.h"

static const char replicator_up[] =
    "-- Live queries: the changes of what they depend on, for the role that reads them.\n"
    "reset role;\n"
    "do $$\n"
    "begin\n"
    "  if not exists (select from pg_roles where rolname = 'pgstack_replicator') then\n"
    "    create role pgstack_replicator login noinherit;\n"
    "  end if;\n"
    "  if not (select rolreplication from pg_roles where rolname = 'pgstack_replicator') then\n"
    "    begin\n"
    "      alter role pgstack_replicator replication;\n"
    "    exception when insufficient_privilege then\n"
    "      raise warning 'pgstack_replicator needs REPLICATION: alter role pgstack_replicator "
    "replication';\n"
    "    end;\n"
    "  end if;\n"
    "end\n"
    "$$;\n";

static const char generated_up[] =
    "-- A whole old row has generated columns from PostgreSQL 18 on: they must be in the log, "
    "too.\n"
    "do $$\n"
    "begin\n"
    "  if current_setting('server_version_num')::integer >= 180000 then\n"
    "    alter publication pgstack_live set (publish_generated_columns = stored);\n"
    "  end if;\n"
    "end\n"
    "$$;\n";

static bool
needs_generated(const struct plan *plan)
{
    for (size_t i = 0; i < plan->watched.n; i++) {
        const struct table *table = plan->watched.at[i].table;

        for (size_t j = 0; plan->watched.at[i].kind == REPLICA_FULL && j < table->columns.n; j++)
            if (table->columns.at[j]->generated != NULL)
                return true;
    }
    return false;
}

/* Tables that inherit from it are published by themselves. */
static bool
is_inherited(const struct model *model, const struct table *table)
{
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->inherits.n; j++)
            if (model->tables.at[i]->inherits.at[j] == table)
                return true;
    return false;
}

/* Where the whole old row is published, the whole new one must be. */
static void
emit_published(struct out *out, const struct model *model, const struct published *published,
               bool first)
{
    const struct table *table = published->table;
    VEC(const struct column *) columns = {0};

    out_printf(out, "%s  %s%s", first ? "" : ",\n", is_inherited(model, table) ? "only " : "",
               sql_relation(table));
    if (published->kind == REPLICA_FULL)
        return;
    for (size_t i = 0; i < table->columns.n; i++)
        if (published_has(published, table->columns.at[i]))
            vec_push(&columns, table->columns.at[i]);
    out_printf(out, " (%s)", sql_columns(columns.at, columns.n));
}

/* PostgreSQL asks each partition for its own. */
static void
emit_full(struct out *out, const struct model *model, const struct table *table)
{
    out_printf(out, "alter table %s replica identity full;\n", sql_relation(table));
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->partition_of == table)
            emit_full(out, model, model->tables.at[i]);
}

/* Deleted and moved rows must tell whose they were. */
static void
emit_identity(struct out *out, const struct model *model, const struct published *published)
{
    const char *table = sql_relation(published->table), *index;

    if (published->kind == REPLICA_FULL)
        emit_full(out, model, published->table);
    if (published->kind != REPLICA_INDEX)
        return;
    out_printf(out, "-- Old rows of %s tell whom their change concerns.\n",
               out_plain(published->table->name));
    index = name_sql(published->index);
    out_printf(out, "create unique index %s on %s (%s);\n", index, table,
               sql_columns(published->identity.at, published->identity.n));
    out_printf(out, "alter table %s replica identity using index %s;\n", table, index);
}

/* "uuid, text" */
static const char *
types_of(const struct sql_arguments *arguments)
{
    struct words words = {0};

    for (size_t i = 0; i < arguments->n; i++)
        words_add(&words, sql_cast_type(arguments->at[i]->type));
    return words_join(&words, ", ");
}

/* "setof text", "table (c1 text, c2 text)" */
static const char *
rows_of(const struct match_set *set)
{
    struct words words = {0};

    for (size_t i = 0; i < set->n_columns; i++)
        words_add(&words, arena_printf("c%zu text", i + 1));
    return set->n_columns == 1 ? "setof text"
                               : arena_printf("table (%s)", words_join(&words, ", "));
}

/* The rows of the caller for which a definer predicate is true. */
static void
emit_function(struct out *out, const struct model *model, const struct match_set *set)
{
    const char *name =
        arena_printf("pgstack_policy.%s(%s)", name_sql(set->function), types_of(&set->arguments));

    out_printf(out, "-- %s  predicate %s: its rows, for live queries\n",
               out_place(set->definer->span), out_plain(set->definer->name));
    out_printf(out, "create function %s\n  returns %s\n", name, rows_of(set));
    out_add(out, "  language sql stable security definer set search_path = ''\nbegin atomic\n");
    emit_statement(out, "  ", set->body, ";\nend;\n");
    out_printf(out, "grant execute on function %s\n  to %s;\n\n", name, emit_request_roles(model));
}

void
emit_publication_up(struct out *out, const struct plan *plan)
{
    struct match_functions functions = plan_match_functions(plan);

    if (plan->watched.n == 0)
        return;
    for (size_t i = 0; i < functions.n; i++)
        emit_function(out, plan->model, &functions.at[i]);
    for (size_t i = 0; i < plan->watched.n; i++)
        emit_identity(out, plan->model, &plan->watched.at[i]);
    out_add(out, replicator_up);
    out_add(out, "create publication pgstack_live for table\n");
    for (size_t i = 0; i < plan->watched.n; i++)
        emit_published(out, plan->model, &plan->watched.at[i], i == 0);
    out_add(out, "\n  with (publish_via_partition_root = true);\n");
    out_add(out, needs_generated(plan) ? generated_up : "");
    out_add(out, "set role pgstack_owner;\n\n");
}

void
emit_publication_down(struct out *out, const struct plan *plan)
{
    struct match_functions functions = plan_match_functions(plan);

    if (plan->watched.n > 0)
        out_add(out, "drop publication pgstack_live;\n");
    for (size_t i = functions.n; i-- > 0;)
        out_printf(out, "drop function pgstack_policy.%s;\n", name_sql(functions.at[i].function));
}

/* SPDX-License-Identifier: MIT */
/*
 * What live queries are fed from: a publication of the tables that they depend on, read by the role
 * pgstack_replicator through logical decoding.  Only keys are published: the server asks for rows
 * as the subscriber, so none leave the database past its policies.
 */
#include "emit/emit.h"
#include "model/names.h"
#include "plan/watched.h"
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
    "    alter role pgstack_replicator replication;\n"
    "  end if;\n"
    "exception when insufficient_privilege then\n"
    "  raise warning 'pgstack_replicator needs REPLICATION: alter role pgstack_replicator "
    "replication';\n"
    "end\n"
    "$$;\n";

/* Without a key the old row is found by all of it. */
static bool
has_key(const struct table *table)
{
    return table->primary_key != NULL;
}

static void
emit_published(struct out *out, const struct table *table, bool first)
{
    out_printf(out, "%s  %s", first ? "" : ",\n", sql_relation(table));
    if (has_key(table))
        out_printf(out, " (%s)",
                   sql_columns(table->primary_key->columns.at, table->primary_key->columns.n));
}

void
emit_publication_up(struct out *out, const struct model *model)
{
    struct watched watched = plan_all_watched(model);

    if (watched.tables.n == 0)
        return;
    for (size_t i = 0; i < watched.tables.n; i++)
        if (!has_key(watched.tables.at[i]))
            out_printf(out, "alter table %s replica identity full;\n",
                       sql_relation(watched.tables.at[i]));
    out_add(out, replicator_up);
    out_add(out, "create publication pgstack_live for table\n");
    for (size_t i = 0; i < watched.tables.n; i++)
        emit_published(out, watched.tables.at[i], i == 0);
    out_add(out, "\n  with (publish_via_partition_root = true);\n"
                 "set role pgstack_owner;\n\n");
}

void
emit_publication_down(struct out *out, const struct model *model)
{
    if (plan_all_watched(model).tables.n > 0)
        out_add(out, "drop publication pgstack_live;\n");
}

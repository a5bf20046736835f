/* SPDX-License-Identifier: MIT */
/*
 * `live outbox;`: triggers that write down what each statement did to the tables of live queries,
 * for a PostgreSQL whose log cannot be read.  They write while a server listens, and are then a
 * part of the writer's transaction; who writes needs no right to the outbox, and has none.
 */
#include "emit/emit.h"
#include "model/access.h"
#include "model/names.h"
#include "plan/published.h"
#include "sql/sql.h"

static const char outbox_up[] =
    "-- @place@  live outbox: what statements did, while a server listens.\n"
    "reset role;\n"
    "create schema pgstack_live authorization pgstack_owner;\n"
    "set role pgstack_owner;\n"
    "create unlogged table pgstack_live.outbox (\n"
    "  id bigint not null generated always as identity,\n"
    "  xid xid8 not null default pg_current_xact_id(),\n"
    "  table_schema text not null,\n"
    "  table_name text not null,\n"
    "  columns text[],\n"
    "  before text[],\n"
    "  after text[],\n"
    "  bytes integer not null default 0\n"
    ") with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);\n"
    "create index outbox_xid on pgstack_live.outbox (xid);\n"
    "-- Until when triggers write, in milliseconds of 1970: a sequence is the same in all "
    "snapshots.\n"
    "create unlogged sequence pgstack_live.listening;\n"
    "create table pgstack_live.turn ();\n"
    "-- Two servers must not set the time back: one at a time. Its own number is later than that "
    "of\n"
    "-- any writer that did not see the time.\n"
    "create function pgstack_live.listen(out until_ms bigint, out told_ms bigint)\n"
    "  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$\n"
    "begin\n"
    "  lock table pgstack_live.turn in exclusive mode;\n"
    "  until_ms := floor(extract(epoch from clock_timestamp()) * 1000) + 10000;\n"
    "  perform setval('pgstack_live.listening', until_ms);\n"
    "  told_ms := floor(extract(epoch from clock_timestamp()) * 1000);\n"
    "  perform pg_current_xact_id();\n"
    "end\n"
    "$$;\n"
    "grant usage on schema pgstack_live to pgstack_replicator;\n"
    "grant select, delete on pgstack_live.outbox to pgstack_replicator;\n"
    "grant select on sequence pgstack_live.listening to pgstack_replicator;\n"
    "grant execute on function pgstack_live.listen() to pgstack_replicator;\n\n";

/* The path ends with pg_temp, or types that a session makes would come before PostgreSQL's own. */
static const char function_head[] =
    "create function pgstack_live.@function@() returns trigger\n"
    "  language plpgsql security definer set search_path = pg_catalog, pg_temp@settings@ as ";

/* An expression that PL/pgSQL computes without running a query: each write waits for it. */
static const char is_listened[] =
    "  if (to_timestamp(pg_sequence_last_value('pgstack_live.listening')::float8 / 1000)\n"
    "      >= clock_timestamp()) is not true then\n"
    "    return null;\n"
    "  end if;\n";

/* Of more rows, or larger ones, it is only told that there were some.  What is usual takes one
 * query: variables would take one each. */
static const char rows_body[] =
    "\n"
    "declare\n"
    "  has_rows boolean := true;\n"
    "begin\n"
    "@is_listened@"
    "  if tg_op = 'INSERT' then\n"
    "@insert@"
    "  elsif tg_op = 'UPDATE' then\n"
    "@update@"
    "  elsif tg_op = 'DELETE' then\n"
    "@delete@"
    "  end if;\n"
    "  if has_rows then\n"
    "    insert into pgstack_live.outbox (table_schema, table_name) values (@schema@, @table@);\n"
    "  end if;\n"
    "  return null;\n"
    "end\n";

static const char values_told[] =
    "    insert into pgstack_live.outbox\n"
    "      (table_schema, table_name, columns, before, after, bytes)\n"
    "      select @schema@, @table@, array[\n"
    "          @columns@],\n"
    "          told.before, told.after, @bytes@\n"
    "        from (select\n"
    "            @before@ as before,\n"
    "            @after@ as after\n"
    "          offset 0) as told\n"
    "        where @bounds@;\n"
    "    if found then\n"
    "      return null;\n"
    "    end if;\n"
    "    has_rows := exists (select from @rows@);\n";

static const char rows_values[] = "array(select array[\n"
                                  "                @values@]\n"
                                  "              from @rows@ as r limit 101)";

/* Who writes has not the memory for all values of a hundred rows, however large they are: a row of
 * more than 8 KiB has this instead.  Whoever writes the same has his rows asked for. */
#define TOO_LARGE "'(more than is told)'"

static const char bounded_values[] =
    "array(select case when 0::bigint +\n"
    "                @sizes@ <= 8192\n"
    "              then array[\n"
    "                @values@]\n"
    "              else array_fill(" TOO_LARGE "::text, array[@n@]) end\n"
    "              from @rows@ as r limit 101)";

static const char touched_body[] =
    "\n"
    "begin\n"
    "@is_listened@"
    "  insert into pgstack_live.outbox (table_schema, table_name) values\n"
    "    @tables@;\n"
    "  return null;\n"
    "end\n";

static const char rows_triggers[] =
    "create trigger pgstack_live_insert after insert on @table@\n"
    "  referencing new table as new_rows\n"
    "  for each statement execute function pgstack_live.@function@();\n"
    "create trigger pgstack_live_update after update on @table@\n"
    "  referencing old table as old_rows new table as new_rows\n"
    "  for each statement execute function pgstack_live.@function@();\n"
    "create trigger pgstack_live_delete after delete on @table@\n"
    "  referencing old table as old_rows\n"
    "  for each statement execute function pgstack_live.@function@();\n"
    "create trigger pgstack_live_truncate after truncate on @table@\n"
    "  for each statement execute function pgstack_live.@function@();\n"
    "alter table @table@\n"
    "  enable always trigger pgstack_live_insert, enable always trigger pgstack_live_update,\n"
    "  enable always trigger pgstack_live_delete, enable always trigger pgstack_live_truncate;\n";

static const char touched_trigger[] =
    "create trigger pgstack_live after insert or update or delete or truncate on @table@\n"
    "  for each statement execute function pgstack_live.@function@();\n"
    "alter table @table@ enable always trigger pgstack_live;\n";

bool
emit_has_outbox(const struct plan *plan)
{
    return plan->model->live_outbox.file != NULL && plan->watched.n > 0;
}

/* ---- values ---- */

/* What of a session the text of a value depends on. */
enum dependence {
    ON_NOTHING,
    ON_DATES,
    ON_ANYTHING,
};

static enum dependence
dependence_of(struct type type)
{
    if (type.composite != NULL || type.range != NULL || type.extension != NULL)
        return ON_ANYTHING;
    switch (type.kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_NUMERIC:
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_UUID:
    case TYPE_ENUM:
    case TYPE_JSON:
    case TYPE_JSONB:
        return ON_NOTHING;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return ON_DATES;
    default:
        return ON_ANYTHING;
    }
}

/* As on the connections of the server: values are compared with theirs. */
static const char *
settings_for(const struct columns *columns)
{
    static const char *const settings[] = {
        [ON_NOTHING] = "",
        [ON_DATES] = "\n  set datestyle = 'ISO, YMD' set timezone = 'UTC'",
        [ON_ANYTHING] = "\n  set datestyle = 'ISO, YMD' set timezone = 'UTC' set intervalstyle = "
                        "'postgres'\n  set bytea_output = 'hex' set extra_float_digits = 1",
    };
    enum dependence most = ON_NOTHING;

    for (size_t i = 0; i < columns->n; i++) {
        enum dependence one = dependence_of(columns->at[i]->type);

        most = one > most ? one : most;
    }
    return settings[most];
}

static bool
is_small(struct type type)
{
    switch (type.kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_UUID:
    case TYPE_ENUM:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_INTERVAL:
        return !type.array;
    default:
        return false;
    }
}

/* octet_length() tells how long it is without fetching or unpacking it. */
static bool
is_octets(struct type type)
{
    if (type.array || type.composite != NULL || type.range != NULL || type.extension != NULL)
        return false;
    return type.kind == TYPE_TEXT || type.kind == TYPE_VARCHAR || type.kind == TYPE_BPCHAR ||
           type.kind == TYPE_BYTEA;
}

static const char *
row_value(const struct column *column)
{
    return arena_printf("r.%s", name_sql(column->name));
}

/* Values are told as the type's output function writes them, which a cast to text need not do.  Of
 * these it does, and for less than format() takes. */
static bool
is_cast_as_written(struct type type)
{
    if (type.array || type.composite != NULL || type.range != NULL || type.extension != NULL)
        return false;
    switch (type.kind) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_NUMERIC:
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_UUID:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return true;
    default:
        return false;
    }
}

static const char *
value_of(const struct column *column)
{
    const char *name = row_value(column), *text = arena_printf("format('%%s', %s)", name);

    if (is_cast_as_written(column->type))
        return arena_printf("%s::text", name);
    if (column->not_null)
        return text;
    return arena_printf("case when %s is distinct from null then %s end", name, text);
}

/* How long its text is, or more than is told: what is so large is not written to find out, which
 * could fail its writer.  Numbers like 1e100000, in JSON or arrays, are longer than they look; who
 * stores many of them pays for it, here as in each answer. */
static const char *
size_of(const struct column *column)
{
    const char *name = row_value(column);

    if (!is_octets(column->type))
        return arena_printf("case when pg_column_size(%s) > 8192 then 8193\n"
                            "                  else octet_length(format('%%s', %s)) end",
                            name, name);
    return arena_printf(column->not_null ? "octet_length(%s)" : "coalesce(octet_length(%s), 0)",
                        name);
}

/* Whether a row may be too large to be told; if so, `sizes` has what it takes. */
static bool
is_unbounded(const struct columns *columns, struct words *sizes)
{
    for (size_t i = 0; i < columns->n; i++)
        if (!is_small(columns->at[i]->type))
            words_add(sizes, size_of(columns->at[i]));
    return sizes->list.n > 0;
}

/* The values of all rows that a statement had, or has: `rows`. */
static const char *
values_of(const struct columns *columns, const char *rows)
{
    static const char line[] = "\n                ";
    struct words values = {0}, sizes = {0};
    struct out *out = out_scratch();
    bool is_bounded = !is_unbounded(columns, &sizes);

    for (size_t i = 0; i < columns->n; i++)
        words_add(&values, value_of(columns->at[i]));
    out_fill(out, is_bounded ? rows_values : bounded_values, "sizes",
             words_join(&sizes, arena_printf(" +%s", line)), "values",
             words_join(&values, arena_printf(",%s", line)), "n", arena_printf("%zu", columns->n),
             "rows", rows, NULL);
    return out_text(out);
}

/* ---- which tables ---- */

VEC_STRUCT(tables, const struct table *);

/* A statement on the table may change rows of these. */
static struct tables
touched_by(const struct plan *plan, const struct table *table)
{
    struct tables tables = {0};

    for (size_t i = 0; i < plan->watched.n; i++)
        if (table_descends_from(plan->watched.at[i].table, table))
            vec_push(&tables, plan->watched.at[i].table);
    return tables;
}

static bool
is_part_of(const struct table *table, const struct table *root)
{
    for (; table != NULL; table = table->partition_of)
        if (table == root)
            return true;
    return false;
}

/* ---- functions and triggers ---- */

static void
emit_head_of(struct out *out, const char *function, const char *settings)
{
    out_fill(out, function_head, "function", function, "settings", settings, NULL);
}

/* What must hold of them to be told: null where there are none. */
static const char *
bounds_of(const struct columns *columns, const char *values)
{
    struct words sizes = {0};
    const char *few = arena_printf("array_length(told.%s, 1) <= 100", values);

    if (!is_unbounded(columns, &sizes))
        return few;
    return arena_printf(
        "%s\n          and (" TOO_LARGE " collate \"C\" = any (told.%s)) is not true", few, values);
}

/* What an operation tells: rows before it, after it, or both. */
static const char *
values_told_of(const struct published *published, bool has_before, bool has_after)
{
    static const char *const sides[] = {"before", "after"}, *const rows[] = {"old_rows",
                                                                             "new_rows"};
    const bool has[] = {has_before, has_after};
    struct words columns = {0}, bytes = {0}, bounds = {0};
    const char *values[] = {"null::text[]", "null::text[]"};
    struct out *out = out_scratch();

    for (size_t i = 0; i < published->matched.n; i++)
        words_add(&columns, sql_literal(published->matched.at[i]->name));
    for (size_t i = 0; i < 2; i++)
        if (has[i]) {
            values[i] = values_of(&published->matched, rows[i]);
            words_add(&bytes, arena_printf("pg_column_size(told.%s)", sides[i]));
            words_add(&bounds, bounds_of(&published->matched, sides[i]));
        }
    words_add(&bounds, arena_printf("%s <= 65536", words_join(&bytes, " + ")));
    out_fill(out, values_told, "schema", sql_literal(published->table->schema), "table",
             sql_literal(published->table->name), "columns", words_join(&columns, ", "), "bytes",
             words_join(&bytes, " + "), "before", values[0], "after", values[1], "bounds",
             words_join(&bounds, "\n          and "), "rows", rows[has_after ? 1 : 0], NULL);
    return out_text(out);
}

static void
emit_rows_function(struct out *out, const char *function, const struct published *published)
{
    struct out *body = out_scratch();

    out_fill(
        body, rows_body, "is_listened", is_listened, "insert",
        values_told_of(published, false, true), "update", values_told_of(published, true, true),
        "delete", values_told_of(published, true, false), "schema",
        sql_literal(published->table->schema), "table", sql_literal(published->table->name), NULL);
    emit_head_of(out, function, settings_for(&published->matched));
    emit_dollar_quoted(out, out_text(body));
    out_add(out, ";\n");
}

static void
emit_touched_function(struct out *out, const char *function, const struct tables *tables)
{
    struct out *body = out_scratch();
    struct words rows = {0};

    for (size_t i = 0; i < tables->n; i++)
        words_add(&rows, arena_printf("(%s, %s)", sql_literal(tables->at[i]->schema),
                                      sql_literal(tables->at[i]->name)));
    out_fill(body, touched_body, "is_listened", is_listened, "tables", words_join(&rows, ",\n    "),
             NULL);
    emit_head_of(out, function, "");
    emit_dollar_quoted(out, out_text(body));
    out_add(out, ";\n");
}

/* A statement fires the triggers of the table that it names: each partition has them, too. */
static void
emit_told(struct out *out, const struct plan *plan, const struct table *table, size_t number)
{
    struct tables touched = touched_by(plan, table);
    const struct published *own = published_find(plan, table);
    const struct model *model = plan->model;
    const char *function;
    bool with_rows;

    if (touched.n == 0)
        return;
    with_rows = touched.n == 1 && own != NULL && own->matched.n > 0;
    function = name_sql(name_object(table->name, NULL, arena_printf("told_%zu", number)));
    out_printf(out, "-- %s\n", out_plain(table->name));
    if (with_rows)
        emit_rows_function(out, function, own);
    else
        emit_touched_function(out, function, &touched);
    for (size_t i = 0; i < model->tables.n; i++)
        if (is_part_of(model->tables.at[i], table))
            out_fill(out, with_rows ? rows_triggers : touched_trigger, "table",
                     sql_relation(model->tables.at[i]), "function", function, NULL);
    out_add(out, "\n");
}

void
emit_outbox_up(struct out *out, const struct plan *plan)
{
    const struct model *model = plan->model;
    size_t number = 0;

    if (!emit_has_outbox(plan))
        return;
    out_fill(out, outbox_up, "place", out_place(model->live_outbox), NULL);
    for (size_t i = 0; i < model->tables.n; i++)
        if (!model->tables.at[i]->is_view && model->tables.at[i]->partition_of == NULL)
            emit_told(out, plan, model->tables.at[i], ++number);
}

void
emit_outbox_down(struct out *out, const struct plan *plan)
{
    if (emit_has_outbox(plan))
        out_add(out, "drop schema pgstack_live cascade;\n");
}

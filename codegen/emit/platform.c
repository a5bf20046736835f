/* SPDX-License-Identifier: MIT */
/*
 * The part of the first migration that every application stands on.
 *
 * Roles belong to the whole cluster: made where missing, never dropped, since another database may
 * need them.  Nothing here needs a superuser, only CREATEROLE and the database's ownership.
 */
#include <ctype.h>
#include <string.h>

#include "emit/emit.h"
#include "model/catalog.h"
#include "model/names.h"
#include "sql/sql.h"

static const char roles_up[] =
    "\n"
    "declare\n"
    "  name text;\n"
    "  holder text;\n"
    "begin\n"
    "  foreach name in array array[\n"
    "    @roles@]\n"
    "  loop\n"
    "    if not exists (select from pg_roles where rolname = name) then\n"
    "      execute format('create role %I nologin', name);\n"
    "    end if;\n"
    "  end loop;\n"
    "  foreach name in array array['authenticator', 'authenticator_admin'] loop\n"
    "    if not exists (select from pg_roles where rolname = name) then\n"
    "      execute format('create role %I login noinherit', name);\n"
    "    end if;\n"
    "  end loop;\n"
    "  for name, holder in values@members@\n"
    "  loop\n"
    "    if not exists (select from pg_auth_members\n"
    "                    where roleid = to_regrole(quote_ident(name))\n"
    "                      and member = to_regrole(quote_ident(holder))) then\n"
    "      execute format('grant %I to %I', name, holder);\n"
    "    end if;\n"
    "  end loop;\n"
    "  -- Who runs this makes objects as their owner.\n"
    "  if not (select rolsuper from pg_roles where rolname = current_user) then\n"
    "    execute format('grant pgstack_owner to %I', current_user);\n"
    "  end if;\n"
    "end\n";

static const char schemas_up[] =
    "-- Schemas.  Nobody makes objects in public but the owner, and nobody runs a function\n"
    "-- without a grant.\n"
    "create schema if not exists pgstack;\n"
    "create schema auth authorization pgstack_owner;\n"
    "create schema claim authorization pgstack_owner;\n"
    "create schema pgstack_policy authorization pgstack_owner;\n"
    "@more@"
    "revoke all on schema public from public;\n"
    "grant usage, create on schema public, pgstack to pgstack_owner;\n"
    "grant usage on schema public, pgstack to authenticator, authenticator_admin,\n"
    "  @roles@;\n"
    "set role pgstack_owner;\n"
    "alter default privileges revoke execute on functions from public;\n"
    "grant usage on schema auth, claim, pgstack_policy@names@\n"
    "  to @roles@;\n"
    "@logins@"
    "\n";

static const char helpers_up[] =
    "-- Who asks.  The server sets pgstack.uid; request.jwt.claims serves psql and old policies.\n"
    "create function auth.jwt() returns jsonb language sql stable\n"
    "  return nullif(current_setting('request.jwt.claims', true), '')::jsonb;\n"
    "create function auth.uid() returns uuid language sql stable\n"
    "  return coalesce(nullif(current_setting('pgstack.uid', true), ''),\n"
    "                  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')"
    "::uuid;\n"
    "create function auth.email() returns text language sql stable\n"
    "  return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email';\n"
    "create function auth.role() returns text language sql stable\n"
    "  return coalesce(nullif(current_setting('role', true), 'none'), session_user::text);\n"
    "grant execute on function auth.jwt(), auth.uid(), auth.email(), auth.role()\n"
    "  to @roles@;\n"
    "\n";

static const char single_row_up[] =
    "-- Undoes a write that was to touch one row and has touched n.\n"
    "create function pgstack.single_row(n bigint) returns boolean language plpgsql stable as $$\n"
    "begin\n"
    "  if n <> 1 then\n"
    "    raise exception using errcode = 'PGS16',\n"
    "      message = format('The result contains %s rows', n);\n"
    "  end if;\n"
    "  return true;\n"
    "end\n"
    "$$;\n"
    "grant execute on function pgstack.single_row(bigint)\n"
    "  to @roles@;\n"
    "\n";

static const char claim_up[] =
    "-- @place@  claim @claim@\n"
    "create function claim.@ident@() returns @type@ language sql stable\n"
    "  return coalesce(nullif(current_setting(@setting@, true), ''),\n"
    "                  nullif(current_setting('request.jwt.claims', true), '')::jsonb\n"
    "                    #>> @path@)::@type@;\n"
    "grant execute on function claim.@ident@()\n"
    "  to @roles@;\n"
    "\n";

/* An array comes as PostgreSQL's from the server, as JSON's from psql. */
static const char array_claim_up[] =
    "-- @place@  claim @claim@\n"
    "create function claim.@ident@() returns @type@ language sql stable\n"
    "  return coalesce(nullif(current_setting(@setting@, true), ''),\n"
    "                  (select array_agg(item)::text from jsonb_array_elements_text(nullif(\n"
    "                    nullif(current_setting('request.jwt.claims', true), '')::jsonb\n"
    "                      #> @path@, 'null')) item))::@type@;\n"
    "grant execute on function claim.@ident@()\n"
    "  to @roles@;\n"
    "\n";

static const char tables_up[] =
    "-- Users, reached with the service key alone.\n"
    "create table pgstack.users (\n"
    "  id uuid primary key default gen_random_uuid(),\n"
    "  email text unique,\n"
    "  role text not null default 'authenticated',\n"
    "  user_metadata jsonb not null default '{}',\n"
    "  app_metadata jsonb not null default '{}',\n"
    "  created_at timestamptz not null default now()\n"
    ");\n"
    "alter table pgstack.users enable row level security;\n"
    "@force@"
    "create policy pgstack_service on pgstack.users for all to service_role\n"
    "  using (true) with check (true);\n"
    "grant all on pgstack.users to service_role;\n"
    "\n"
    "-- What this database is: the server compares it with what it was compiled for.\n"
    "create table pgstack.state (\n"
    "  one boolean primary key default true check (one),\n"
    "  fingerprint text not null\n"
    ");\n"
    "grant select on pgstack.state to authenticator, authenticator_admin;\n"
    "\n";

static const char platform_down[] =
    "drop function pgstack.single_row(bigint);\n"
    "drop table pgstack.state;\n"
    "drop table pgstack.users;\n"
    "drop schema auth cascade;\n"
    "drop schema claim cascade;\n"
    "drop schema pgstack_policy cascade;\n"
    "alter default privileges for role pgstack_owner grant execute on functions to public;\n"
    "revoke all on schema public, pgstack from pgstack_owner, authenticator, authenticator_admin,\n"
    "  @roles@;\n"
    "grant usage on schema public to public;\n";

const char *
emit_request_roles(const struct model *model)
{
    VEC(const struct role *) roles = {0};

    for (size_t i = 0; i < model->roles.n; i++)
        vec_push(&roles, model->roles.at[i]);
    return emit_role_list(roles.at, roles.n);
}

const char *
emit_claim_setting(const struct model *model, const struct claim *claim)
{
    size_t plain = strspn(claim->name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    size_t number = 0;

    if (claim->name[plain] == '\0' && islower((unsigned char)claim->name[0]))
        return arena_printf("pgstack.claim_%s", claim->name);
    while (model->claims.at[number] != claim)
        number++;
    return arena_printf("pgstack.claim_%zu", number); /* a setting's name has no other letters */
}

/* 'pgstack_owner', 'anon', ...: those that do not log in. */
static const char *
role_literals(const struct model *model)
{
    struct words literals = {0};

    words_add(&literals, "'pgstack_owner'");
    for (size_t i = 0; i < model->roles.n; i++)
        words_add(&literals, sql_literal(model->roles.at[i]->name));
    return emit_list(&literals);
}

/* ('anon', 'authenticator'), ...: which role is granted to which, one a line. */
static const char *
memberships(const struct model *model)
{
    struct out *out = out_scratch();

    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];
        bool service = strcmp(role->name, "service_role") == 0;

        out_printf(out, "%s\n    (%s, %s)", i == 0 ? "" : ",", sql_literal(role->name),
                   service ? "'authenticator_admin'" : "'authenticator'");
        if (role->inherits != NULL)
            out_printf(out, ",\n    (%s, %s)", sql_literal(role->inherits->name),
                       sql_literal(role->name));
    }
    return out_text(out);
}

/* '{app_metadata,plan}', each step quoted for the array. */
static const char *
path_literal(const char *path)
{
    struct out *out = out_scratch();

    out_add(out, "{\"");
    for (; *path != '\0'; path++) {
        if (*path == '.')
            out_add(out, "\",\"");
        else
            out_printf(out, "%s%c", *path == '"' || *path == '\\' ? "\\" : "", *path);
    }
    out_add(out, "\"}");
    return sql_literal(out_text(out));
}

static void
emit_claim(struct out *out, const struct model *model, const struct claim *claim)
{
    out_fill(out, claim->type.array ? array_claim_up : claim_up, "place", out_place(claim->span),
             "claim", out_plain(claim->name), "ident", name_sql(claim->name), "type",
             sql_type(claim->type), "setting", sql_literal(emit_claim_setting(model, claim)),
             "path", path_literal(claim->path), "roles", emit_request_roles(model), NULL);
}

/* Of a type that the schema makes, so that the claim comes after it. */
static bool
is_declared(struct type type)
{
    return type.enumeration != NULL || type.composite != NULL || type.range != NULL ||
           type.domain != NULL;
}

static void
emit_role_block(struct out *out, const struct model *model)
{
    struct out *block = out_scratch();

    out_fill(block, roles_up, "roles", role_literals(model), "members", memberships(model), NULL);
    out_add(out, "-- Roles.  Those that log in get their passwords outside of migrations.\ndo ");
    emit_dollar_quoted(out, out_text(block));
    out_add(out, ";\n\n");
}

const char *
emit_operator_path(const struct model *model)
{
    struct words schemas = {0};
    bool has_types = false;

    words_add(&schemas, "public");
    for (size_t i = 0; i < model->extensions.n; i++) {
        const struct extension *extension = model->extensions.at[i];

        has_types = has_types || catalog_has_types_of(extension->name);
        if (!words_contain(&schemas, name_sql(extension->schema)))
            words_add(&schemas, name_sql(extension->schema));
    }
    return has_types || schemas.list.n > 1 ? words_join(&schemas, ", ") : NULL;
}

/* Schemas and extensions: made by the one who migrates, as extensions need it. */
static const char *
declared_schemas(const struct model *model)
{
    struct out *out = out_scratch();

    for (size_t i = 0; i < model->schemas.n; i++)
        out_printf(out, "-- %s  schema %s\ncreate schema %s authorization pgstack_owner;\n",
                   out_place(model->schemas.at[i]->span), out_plain(model->schemas.at[i]->name),
                   name_sql(model->schemas.at[i]->name));
    for (size_t i = 0; i < model->extensions.n; i++)
        out_printf(
            out, "-- %s  extension %s\ncreate extension if not exists %s schema %s;\n",
            out_place(model->extensions.at[i]->span), out_plain(model->extensions.at[i]->name),
            name_sql(model->extensions.at[i]->name), name_sql(model->extensions.at[i]->schema));
    if (emit_operator_path(model) != NULL)
        out_printf(out, "set search_path = %s;\n", emit_operator_path(model));
    return out_text(out);
}

/* ", billing": those that are declared. */
static const char *
schema_names(const struct model *model)
{
    struct out *out = out_scratch();

    for (size_t i = 0; i < model->schemas.n; i++)
        out_printf(out, ", %s", name_sql(model->schemas.at[i]->name));
    return out_text(out);
}

/* Statements are prepared before a request's role is taken, and that looks into their schemas. */
static const char *
login_usage(const struct model *model)
{
    const char *names = schema_names(model);

    if (model->lives.n > 0)
        names = arena_printf(", auth, claim, pgstack_policy%s", names);
    if (names[0] == '\0')
        return "";
    return arena_printf("grant usage on schema %s to authenticator, authenticator_admin;\n",
                        names + strlen(", "));
}

/* Its owner, too, is held to the policies, unless a function of the schema reads past them. */
static const char *
users_force(const struct model *model)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (model->tables.at[i]->builtin && model->tables.at[i]->read_past_policies)
            return "";
    return "alter table pgstack.users force row level security;\n";
}

void
emit_platform_up(struct out *out, const struct model *model)
{
    const char *roles = emit_request_roles(model);

    emit_role_block(out, model);
    out_fill(out, schemas_up, "roles", roles, "more", declared_schemas(model), "names",
             schema_names(model), "logins", login_usage(model), NULL);
    out_fill(out, helpers_up, "roles", roles, NULL);
    out_fill(out, single_row_up, "roles", roles, NULL);
    for (size_t i = 0; i < model->claims.n; i++)
        if (!is_declared(model->claims.at[i]->type))
            emit_claim(out, model, model->claims.at[i]);
    out_fill(out, tables_up, "force", users_force(model), NULL);
}

void
emit_typed_claims_up(struct out *out, const struct model *model)
{
    for (size_t i = 0; i < model->claims.n; i++)
        if (is_declared(model->claims.at[i]->type))
            emit_claim(out, model, model->claims.at[i]);
}

void
emit_typed_claims_down(struct out *out, const struct model *model)
{
    for (size_t i = model->claims.n; i-- > 0;)
        if (is_declared(model->claims.at[i]->type))
            out_printf(out, "drop function claim.%s;\n", name_sql(model->claims.at[i]->name));
}

void
emit_platform_down(struct out *out, const struct model *model)
{
    for (size_t i = model->extensions.n; i-- > 0;)
        out_printf(out, "drop extension %s;\n", name_sql(model->extensions.at[i]->name));
    for (size_t i = model->schemas.n; i-- > 0;)
        out_printf(out, "drop schema %s cascade;\n", name_sql(model->schemas.at[i]->name));
    out_fill(out, platform_down, "roles", emit_request_roles(model), NULL);
}

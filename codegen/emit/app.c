/* SPDX-License-Identifier: MIT */
/* generated/app.h and app.c: roles, claims, cors, and the tables of all the rest. */
#include <string.h>

#include "emit/emit.h"
#include "model/catalog.h"
#include "model/names.h"
#include "sql/sql.h"
#include "base/version.h"

#define MAX_ROWS "1000" /* of one answer, where the endpoint says nothing */

static struct words
sources_of(const struct model *model)
{
    struct words words = {0};

    words_add(&words, arena_printf("app %s", model->app));
    return words;
}

static void
emit_header(const struct plan *plan)
{
    struct out *out = out_file("generated/app.h");
    struct words sources = sources_of(plan->model);

    emit_head(out, &sources);
    out_add(out, "#ifndef GENERATED_APP_H\n"
                 "#define GENERATED_APP_H\n"
                 "\n"
                 "#include \"pgs/app.h\"\n"
                 "\n"
                 "/* A bit each, by their place in pgs_app.roles. */\n");
    for (size_t i = 0; i < plan->role_names.n; i++)
        out_printf(out, "#define %s ((pgs_roles)1 << %zu)\n", plan->role_names.at[i], i);
    out_add(out, "\n");
    for (size_t i = 0; i < plan->cors_names.n; i++)
        out_printf(out, "extern const struct pgs_cors %s;\n", plan->cors_names.at[i]);
    out_printf(out, "%s#endif\n", plan->cors_names.n > 0 ? "\n" : "");
}

static void
emit_includes(struct out *out, const struct plan *plan)
{
    out_add(out, "#include \"app.h\"\n"
                 "\n"
                 "#include \"pgs/abi.h\"\n");
    for (size_t i = 0; i < plan->tables.n; i++)
        out_printf(out, "#include \"%s.h\"\n", plan->tables.at[i]->c_name);
    if (plan->queries.n > 0)
        out_add(out, "#include \"queries.h\"\n");
    if (plan->lives.n > 0)
        out_add(out, "#include \"lives.h\"\n");
    out_add(out, "\nPGS_GENERATED_FOR_ABI(" PGSTACK_ABI ");\n\n");
}

static void
emit_role_table(struct out *out, const struct model *model)
{
    out_add(out, "static const struct pgs_role roles[] = {\n");
    for (size_t i = 0; i < model->roles.n; i++) {
        const struct role *role = model->roles.at[i];

        if (role->span.file != NULL)
            layout_comment(out, 4, role->span, "role", role->name);
        if (role->claim_path == NULL) {
            out_printf(out, "    {.name = %s},\n", layout_string(role->name));
            continue;
        }
        out_add(out, "    {\n");
        layout_member(out, 8, ".name", layout_string(role->name));
        layout_member(out, 8, ".claim_path", layout_string(role->claim_path));
        layout_member(out, 8, ".claim_value", layout_string(role->claim_value));
        out_add(out, "    },\n");
    }
    out_add(out, "};\n\n");
}

static void
emit_claims(struct out *out, const struct model *model)
{
    if (model->claims.n == 0)
        return;
    out_add(out, "static const struct pgs_claim claims[] = {\n");
    for (size_t i = 0; i < model->claims.n; i++) {
        const struct claim *claim = model->claims.at[i];
        const char *type = sql_cast_type(claim->type);

        layout_comment(out, 4, claim->span, "claim", claim->name);
        out_add(out, "    {\n");
        layout_member(out, 8, ".path", layout_string(claim->path));
        layout_member(out, 8, ".setting", layout_string(emit_claim_setting(model, claim)));
        layout_member(out, 8, ".type.kind", emit_kind(claim->type));
        if (claim->type.array)
            layout_member(out, 8, ".type.array", "true");
        layout_member(out, 8, ".type.sql", layout_string(type));
        out_add(out, "    },\n");
    }
    out_add(out, "};\n\n");
}

static void
emit_cors(struct out *out, const struct cors *cors, const char *name)
{
    struct words words = {0};

    for (size_t i = 0; i < cors->origins.n; i++)
        words_add(&words, layout_string(cors->origins.at[i]));
    words_add(&words, "NULL");
    layout_comment(out, 0, cors->span, "cors", cors->name);
    layout_list(out, arena_printf("static const char *const %s_origins[]", name), &words);
    out_printf(out, "const struct pgs_cors %s = {\n", name);
    layout_member(out, 4, ".origins", arena_printf("%s_origins", name));
    layout_member(out, 4, ".max_age_s", arena_printf("%d", cors->max_age_s));
    layout_member(out, 4, ".credentials", cors->credentials ? "true" : "false");
    out_add(out, "};\n\n");
}

static void
emit_tables(struct out *out, const struct plan *plan)
{
    struct words routes = {0}, relations = {0}, calls = {0}, lives = {0};

    for (size_t i = 0; i < plan->tables.n; i++) {
        words_add(&routes, arena_printf("%s_routes", plan->tables.at[i]->c_name));
        words_add(&relations, arena_printf("&%s_relation", plan->tables.at[i]->c_name));
    }
    if (plan->queries.n > 0)
        words_add(&routes, "queries_routes");
    for (size_t i = 0; i < plan->queries.n; i++)
        words_add(&calls, arena_printf("&%s_call", plan->queries.at[i]->c_name));
    for (size_t i = 0; i < plan->lives.n; i++)
        words_add(&lives, arena_printf("&%s_live", plan->lives.at[i]->c_name));
    words_add(&lives, "NULL");
    words_add(&routes, "NULL");
    words_add(&relations, "NULL");
    words_add(&calls, "NULL");
    layout_list(out, "static const struct pgs_route *const routes[]", &routes);
    layout_list(out, "static const struct pgs_relation *const relations[]", &relations);
    layout_list(out, "static const struct pgs_call *const calls[]", &calls);
    if (plan->lives.n > 0)
        layout_list(out, "static const struct pgs_live *const lives[]", &lives);
    out_add(out, "\n");
}

/* Statements compare columns of an extension's type by its operators; NULL: there are none. */
static const char *
operator_path(const struct model *model)
{
    for (size_t i = 0; i < model->extensions.n; i++)
        if (catalog_has_types_of(model->extensions.at[i]->name))
            return emit_operator_path(model);
    return NULL;
}

/* One setting a line: role, user, the whole token where something reads it, then claims. */
static void
emit_session(struct out *out, const struct model *model)
{
    struct words settings = {0};
    const char *name = "    .session_sql =", *path = operator_path(model);

    words_add(&settings, "role");
    words_add(&settings, "pgstack.uid");
    if (model->reads_jwt)
        words_add(&settings, "request.jwt.claims");
    for (size_t i = 0; i < model->claims.n; i++)
        words_add(&settings, emit_claim_setting(model, model->claims.at[i]));
    out_add(out, name);
    for (size_t i = 0; i < settings.list.n; i++) {
        const char *call = arena_printf("%sset_config(%s, $%zu, true)%s", i == 0 ? "select " : " ",
                                        sql_literal(settings.list.at[i]), i + 1,
                                        i + 1 < settings.list.n || path != NULL ? "," : "");

        if (i > 0)
            out_printf(out, "\n%*s", (int)strlen(name), "");
        out_printf(out, " %s", layout_string(call));
    }
    if (path != NULL)
        out_printf(out, "\n%*s %s", (int)strlen(name), "",
                   layout_string(
                       arena_printf(" set_config('search_path', %s, true)",
                                    sql_literal(arena_printf("pg_catalog, %s, pg_temp", path)))));
    out_add(out, ",\n");
}

static void
emit_definition(struct out *out, const struct plan *plan, const char *fingerprint)
{
    const char *cors = plan_cors_name(plan, NULL);

    out_add(out, "const struct pgs_app pgs_app = {\n");
    layout_member(out, 4, ".name", layout_string(plan->model->app));
    layout_member(out, 4, ".version", "\"" PGSTACK_VERSION "\"");
    layout_member(out, 4, ".fingerprint", layout_string(fingerprint));
    layout_member(out, 4, ".roles", "roles");
    layout_member(out, 4, ".n_roles", "PGS_COUNT(roles)");
    if (plan->model->claims.n > 0) {
        layout_member(out, 4, ".claims", "claims");
        layout_member(out, 4, ".n_claims", "PGS_COUNT(claims)");
    }
    emit_session(out, plan->model);
    layout_member(out, 4, ".reads_jwt", plan->model->reads_jwt ? "true" : "false");
    layout_member(out, 4, ".routes", "routes");
    layout_member(out, 4, ".relations", "relations");
    layout_member(out, 4, ".calls", "calls");
    if (plan->lives.n > 0) {
        layout_member(out, 4, ".lives", "lives");
        layout_member(out, 4, ".watched", "lives_watched");
    }
    if (emit_has_outbox(plan))
        layout_member(out, 4, ".has_outbox", "true");
    if (plan->model->writes_leave_traces)
        layout_member(out, 4, ".writes_leave_traces", "true");
    if (cors != NULL)
        layout_member(out, 4, ".cors", arena_printf("&%s", cors));
    if (plan->model->rates->n > 0)
        layout_member(out, 4, ".rates", "common_rates");
    layout_member(out, 4, ".max_rows", MAX_ROWS);
    out_add(out, "};\n");
}

void
emit_app(const struct plan *plan, const char *fingerprint)
{
    struct out *out = out_file("generated/app.c");
    struct words sources = sources_of(plan->model);

    emit_header(plan);
    emit_head(out, &sources);
    emit_includes(out, plan);
    emit_role_table(out, plan->model);
    emit_claims(out, plan->model);
    for (size_t i = 0; i < plan->model->cors.n; i++)
        emit_cors(out, plan->model->cors.at[i], plan->cors_names.at[i]);
    emit_tables(out, plan);
    emit_common_rates(out, plan->model);
    emit_definition(out, plan, fingerprint);
}

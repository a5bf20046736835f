/* SPDX-License-Identifier: MIT */
/* Declared queries: one file for all, since a query and a table may have the same name. */
#include <string.h>

#include "emit/emit.h"
#include "emit/surface.h"
#include "model/names.h"
#include "sql/sql.h"
#include "base/version.h"

static const char queries_header[] = "#ifndef GENERATED_QUERIES_H\n"
                                     "#define GENERATED_QUERIES_H\n"
                                     "\n"
                                     "#include \"pgs/app.h\"\n"
                                     "\n"
                                     "@calls@"
                                     "\n"
                                     "extern const struct pgs_route queries_routes[];\n"
                                     "\n"
                                     "#endif\n";

static const char queries_includes[] = "#include \"queries.h\"\n"
                                       "\n"
                                       "#include \"app.h\"\n"
                                       "#include \"pgs/handler.h\"\n"
                                       "\n"
                                       "PGS_GENERATED_FOR_ABI(" PGSTACK_ABI ");\n"
                                       "\n";

static const char handler[] = "static void\n"
                              "@query@_run(struct pgs_request *rq)\n"
                              "{\n"
                              "    struct @query@_arguments arguments;\n"
                              "\n"
                              "    if (!pgs_read_arguments(rq, &@query@_call, &arguments))\n"
                              "        return; /* 400 sent, naming the argument */\n"
                              "    pgs_run_call(rq, &@query@_call, &arguments);\n"
                              "}\n"
                              "\n";

static const char handler_without_arguments[] =
    "static void\n"
    "@query@_run(struct pgs_request *rq)\n"
    "{\n"
    "    if (!pgs_read_arguments(rq, &@query@_call, NULL))\n"
    "        return; /* 400 sent: it takes none */\n"
    "    pgs_run_call(rq, &@query@_call, NULL);\n"
    "}\n"
    "\n";

static struct column *
scalar_column(const struct query *query)
{
    struct column *column = arena_alloc(sizeof(*column));

    *column =
        (struct column){.span = query->span, .name = query->name, .type = query->returns_type};
    return column;
}

static bool
is_scalar(const struct plan_query *plan)
{
    return plan->columns.n == 0;
}

static void
emit_result(struct out *out, const struct plan *whole, const struct plan_query *plan)
{
    const struct column *scalar = scalar_column(plan->query);

    emit_column_array(out, whole, arena_printf("%s_columns", plan->c_name),
                      is_scalar(plan) ? &scalar : plan->columns.at,
                      is_scalar(plan) ? 1 : plan->columns.n);
}

static void
emit_call(struct out *out, const struct plan_query *plan)
{
    const struct query *query = plan->query;

    out_printf(out, "const struct pgs_call %s_call = {\n", plan->c_name);
    layout_member(out, 4, ".name", layout_string(query->name));
    layout_member(out, 4, ".sql", layout_string(arena_printf("public.%s", name_sql(query->name))));
    layout_member(out, 4, ".arguments",
                  query->params.n > 0 ? arena_printf("&%s_shape", plan->c_name) : "&no_arguments");
    layout_member(out, 4, ".columns", arena_printf("%s_columns", plan->c_name));
    layout_member(out, 4, ".n_columns", arena_printf("PGS_COUNT(%s_columns)", plan->c_name));
    layout_member(out, 4, ".returns_set", query->returns_set ? "true" : "false");
    layout_member(out, 4, ".scalar", is_scalar(plan) ? "true" : "false");
    if (query->raw != NULL || !surface_only_reads(query))
        layout_member(out, 4, ".is_volatile", "true");
    out_add(out, "};\n\n");
}

static void
emit_query(struct out *out, const struct plan *whole, const struct plan_query *plan)
{
    layout_comment(out, 0, plan->query->span, plan->query->function != NULL ? "function" : "query",
                   plan->query->name);
    if (plan->query->params.n > 0)
        emit_arguments(out, whole, plan->c_name, &plan->query->params, plan->members.at);
    emit_result(out, whole, plan);
    emit_call(out, plan);
    out_fill(out, plan->query->params.n > 0 ? handler : handler_without_arguments, "query",
             plan->c_name, NULL);
    emit_query_rates(out, plan);
}

static struct words
sources_of(const struct plan *plan)
{
    struct words words = {0};

    for (size_t i = 0; i < plan->queries.n; i++) {
        const struct source *file = plan->queries.at[i]->query->span.file;
        bool seen = file == NULL;

        for (size_t j = 0; j < i; j++)
            seen = seen || plan->queries.at[j]->query->span.file == file;
        if (!seen)
            words_add(&words, arena_printf("%s  queries", file->path));
    }
    return words;
}

/* Labels of all queries at once: several may use the same enumeration. */
static void
emit_all_labels(struct out *out, const struct plan *plan)
{
    VEC(const struct column *) columns = {0};

    for (size_t i = 0; i < plan->queries.n; i++) {
        const struct plan_query *query = plan->queries.at[i];

        for (size_t j = 0; j < query->query->params.n; j++)
            vec_push(&columns, emit_argument(query->query->params.at[j]));
        for (size_t j = 0; j < query->columns.n; j++)
            vec_push(&columns, query->columns.at[j]);
        if (is_scalar(query))
            vec_push(&columns, scalar_column(query->query));
    }
    emit_column_types(out, plan, columns.at, columns.n);
}

static void
emit_routes(struct out *out, const struct plan *plan)
{
    out_add(out, "const struct pgs_route queries_routes[] = {\n");
    for (size_t i = 0; i < plan->queries.n; i++) {
        const struct plan_query *query = plan->queries.at[i];
        const char *path = arena_printf("/rest/v1/rpc/%s", query->query->name);
        struct emitted_route route = {.method = "PGS_GET",
                                      .path = path,
                                      .roles = query->roles,
                                      .handler = arena_printf("%s_run", query->c_name),
                                      .cost = query->query->cost};

        if (query->query->rates.n > 0)
            route.rates = arena_printf("%s_run_rates", query->c_name);
        route.cost.body_bytes = 0;
        if (surface_only_reads(query->query))
            emit_route(out, plan, &route);
        route.method = "PGS_POST";
        route.cost = query->query->cost;
        emit_route(out, plan, &route);
    }
    out_add(out, "    PGS_ROUTES_END,\n};\n");
}

static bool
some_without_arguments(const struct plan *plan)
{
    for (size_t i = 0; i < plan->queries.n; i++)
        if (plan->queries.at[i]->query->params.n == 0)
            return true;
    return false;
}

void
emit_queries(const struct plan *plan)
{
    struct out *header, *out, *calls;
    struct words sources = sources_of(plan);

    if (plan->queries.n == 0)
        return;
    header = out_file("generated/queries.h");
    out = out_file("generated/queries.c");
    calls = out_scratch();
    for (size_t i = 0; i < plan->queries.n; i++)
        out_printf(calls, "extern const struct pgs_call %s_call;\n", plan->queries.at[i]->c_name);
    emit_head(header, &sources);
    out_fill(header, queries_header, "calls", out_text(calls), NULL);
    emit_head(out, &sources);
    out_add(out, queries_includes);
    emit_all_labels(out, plan);
    if (some_without_arguments(plan))
        out_add(out, "static const struct pgs_shape no_arguments = {.struct_align = 1};\n\n");
    for (size_t i = 0; i < plan->queries.n; i++)
        emit_query(out, plan, plan->queries.at[i]);
    emit_routes(out, plan);
}

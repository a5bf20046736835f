/* SPDX-License-Identifier: MIT */
/*
 * A served table or view: its columns, what bodies may set, and a handler a method.  Everything but
 * two symbols is static: two tables `a` with a column `b_c` and `a_b` with `c` both have A_B_C.
 */
#include <string.h>

#include "emit/emit.h"
#include "emit/match.h"
#include "model/names.h"
#include "sql/sql.h"
#include "base/version.h"

static const char table_header[] = "#ifndef GENERATED_@guard@_H\n"
                                   "#define GENERATED_@guard@_H\n"
                                   "\n"
                                   "#include \"pgs/app.h\"\n"
                                   "\n"
                                   "extern const struct pgs_relation @table@_relation;\n"
                                   "extern const struct pgs_route @table@_routes[];\n"
                                   "\n"
                                   "#endif\n";

static const char table_includes[] = "#include \"@table@.h\"\n"
                                     "\n"
                                     "#include \"app.h\"\n"
                                     "#include \"pgs/handler.h\"\n"
                                     "\n"
                                     "PGS_GENERATED_FOR_ABI(@abi@);\n"
                                     "\n";

static const char list_handler[] = "static void\n"
                                   "@table@_list(struct pgs_request *rq)\n"
                                   "{\n"
                                   "    pgs_run_list(rq, &@table@_relation);\n"
                                   "}\n"
                                   "\n";

static const char create_handler[] = "static void\n"
                                     "@table@_create(struct pgs_request *rq)\n"
                                     "{\n"
                                     "    struct pgs_rows rows;\n"
                                     "\n"
                                     "    if (!pgs_read_rows(rq, &@table@_new_shape, &rows))\n"
                                     "        return; /* 400 sent, naming the field */\n";

static const char update_handler[] = "static void\n"
                                     "@table@_update(struct pgs_request *rq)\n"
                                     "{\n"
                                     "    struct @table@_body change;\n"
                                     "\n"
                                     "    if (!pgs_read_row(rq, &@table@_change_shape, &change))\n"
                                     "        return; /* 400 sent, naming the field */\n";

static const char delete_handler[] = "static void\n"
                                     "@table@_delete(struct pgs_request *rq)\n"
                                     "{\n"
                                     "    pgs_run_delete(rq, &@table@_relation);\n"
                                     "}\n"
                                     "\n";

/* "schema/desk.schema    table ticket", one line a file. */
static struct words
sources_of(const struct plan_table *plan)
{
    const struct span there = plan->table->span, served = plan->endpoint->span;
    const char *what = arena_printf("%s %s", plan->table->is_view ? "view" : "table",
                                    out_plain(plan->table->name));
    const char *where = arena_printf("endpoint %s", out_plain(plan->table->name));
    struct words words = {0};
    int pad;

    if (there.file == served.file || there.file == NULL || served.file == NULL) {
        words_add(&words,
                  arena_printf("%s  %s, %s", there.file != NULL ? there.file->path : "built in",
                               what, where));
        return words;
    }
    pad = (int)strlen(there.file->path);
    if ((int)strlen(served.file->path) > pad)
        pad = (int)strlen(served.file->path);
    words_add(&words, arena_printf("%-*s  %s", pad, there.file->path, what));
    words_add(&words, arena_printf("%-*s  %s", pad, served.file->path, where));
    return words;
}

static void
emit_header(const struct plan_table *plan)
{
    struct out *out = out_file(arena_printf("generated/%s.h", plan->c_name));
    struct words sources = sources_of(plan);

    emit_head(out, &sources);
    out_fill(out, table_header, "guard", name_c_upper(plan->c_name), "table", plan->c_name, NULL);
}

static void
emit_columns(struct out *out, const struct plan *whole, const struct plan_table *plan)
{
    VEC(const struct column *) columns = {0};

    for (size_t i = 0; i < plan->columns.n; i++)
        vec_push(&columns, plan->columns.at[i].column);
    emit_column_types(out, whole, columns.at, columns.n);
    layout_comment(out, 0, plan->table->span, plan->table->is_view ? "view" : "table",
                   plan->table->name);
    out_add(out, "enum {\n");
    for (size_t i = 0; i < plan->columns.n; i++)
        out_printf(out, "    %s,\n", plan->columns.at[i].constant);
    out_printf(out, "};\n\nstatic const struct pgs_column %s_columns[] = {\n", plan->c_name);
    for (size_t i = 0; i < columns.n; i++)
        emit_column(out, whole, columns.at[i]);
    out_add(out, "};\n\n");
}

/* "static const uint16_t ticket_key[] = {TICKET_ID};" */
static void
emit_numbers(struct out *out, const struct plan_table *plan, const char *name,
             const size_t *numbers, size_t n)
{
    struct words words = {0};

    for (size_t i = 0; i < n; i++)
        words_add(&words, plan->columns.at[numbers[i]].constant);
    layout_list(out, arena_printf("static const uint16_t %s[]", name), &words);
}

/* Every column, in order: such lists share one. */
static bool
is_all(const struct plan_table *plan, const size_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] != i)
            return false;
    return n == plan->columns.n;
}

static const char *
list_name(const struct plan_table *plan, const char *name, const size_t *numbers, size_t n)
{
    return arena_printf("%s_%s", plan->c_name, is_all(plan, numbers, n) ? "all" : name);
}

static const char *
access_list(const struct plan_table *plan, const struct plan_access *access)
{
    return access->all ? arena_printf("%s_all", plan->c_name) : access->c_name;
}

static bool
has_list_of_all(const struct plan_table *plan)
{
    bool has = is_all(plan, plan->filters.at, plan->filters.n) ||
               is_all(plan, plan->orders.at, plan->orders.n);

    for (size_t i = 0; i < plan->access.n; i++)
        has = has || plan->access.at[i].all;
    return has;
}

static void
emit_all(struct out *out, const struct plan_table *plan)
{
    struct words words = {0};

    if (!has_list_of_all(plan))
        return;
    for (size_t i = 0; i < plan->columns.n; i++)
        words_add(&words, plan->columns.at[i].constant);
    layout_list(out, arena_printf("static const uint16_t %s_all[]", plan->c_name), &words);
}

/* Unless it is the list of all. */
static void
emit_own(struct out *out, const struct plan_table *plan, const char *name, const size_t *numbers,
         size_t n)
{
    if (n > 0 && !is_all(plan, numbers, n))
        emit_numbers(out, plan, list_name(plan, name, numbers, n), numbers, n);
}

static void
emit_lists(struct out *out, const struct plan_table *plan)
{
    emit_all(out, plan);
    if (plan->key.n > 0)
        emit_numbers(out, plan, arena_printf("%s_key", plan->c_name), plan->key.at, plan->key.n);
    emit_own(out, plan, "filters", plan->filters.at, plan->filters.n);
    emit_own(out, plan, "orders", plan->orders.at, plan->orders.n);
}

static void
emit_access_list(struct out *out, const struct plan_table *plan, const struct plan *whole)
{
    for (size_t i = 0; i < plan->access.n; i++) {
        const struct plan_access *access = &plan->access.at[i];

        if (!access->all)
            emit_numbers(out, plan, access->c_name, access->columns.at, access->columns.n);
    }
    out_printf(out, "\nstatic const struct pgs_access %s_access[] = {\n", plan->c_name);
    for (size_t i = 0; i < plan->access.n; i++) {
        const struct plan_access *access = &plan->access.at[i];
        const char *list = access_list(plan, access);

        out_add(out, "    {\n");
        emit_roles(out, 8, whole, access->roles);
        layout_member(out, 8, ".select", list);
        layout_member(out, 8, ".n_select", arena_printf("PGS_COUNT(%s)", list));
        out_add(out, "    },\n");
    }
    out_add(out, "};\n\n");
}

/* Which view each role lists the table through. */
static size_t
emit_inlined_list(struct out *out, const struct plan_table *plan, const struct plan *whole)
{
    size_t n = 0;

    for (size_t i = 0; i < whole->model->roles.n; i++) {
        const struct role *role = whole->model->roles.at[i];
        const char *view = emit_inlined_view(plan->table, role);

        if (view == NULL)
            continue;
        if (n++ == 0)
            out_printf(out, "static const struct pgs_inlined %s_inlined[] = {\n", plan->c_name);
        out_add(out, "    {\n");
        emit_roles(out, 8, whole, (role_set)1 << role->number);
        layout_member(out, 8, ".sql", layout_string(view));
        out_add(out, "    },\n");
    }
    out_add(out, n > 0 ? "};\n\n" : "");
    return n;
}

/* ".key = ticket_key," and its count, when there are any. */
static void
emit_list_member(struct out *out, const char *member, const char *list, size_t n)
{
    if (n == 0)
        return;
    layout_member(out, 4, arena_printf(".%s", member), list);
    layout_member(out, 4, arena_printf(".n_%s", member), arena_printf("PGS_COUNT(%s)", list));
}

static void
emit_relation(struct out *out, const struct plan_table *plan, const struct plan *whole)
{
    const struct endpoint *endpoint = plan->endpoint;
    size_t n_inlined = emit_inlined_list(out, plan, whole);

    layout_comment(out, 0, endpoint->span, "endpoint", plan->table->name);
    out_printf(out, "const struct pgs_relation %s_relation = {\n", plan->c_name);
    layout_member(out, 4, ".name", layout_string(plan->table->name));
    layout_member(out, 4, ".sql", layout_string(sql_relation(plan->table)));
    emit_list_member(out, "columns", arena_printf("%s_columns", plan->c_name), plan->columns.n);
    emit_list_member(out, "key", arena_printf("%s_key", plan->c_name), plan->key.n);
    emit_list_member(out, "access", arena_printf("%s_access", plan->c_name), plan->access.n);
    emit_list_member(out, "inlined", arena_printf("%s_inlined", plan->c_name), n_inlined);
    emit_list_member(out, "filters", list_name(plan, "filters", plan->filters.at, plan->filters.n),
                     plan->filters.n);
    emit_list_member(out, "orders", list_name(plan, "orders", plan->orders.at, plan->orders.n),
                     plan->orders.n);
    if (emit_is_watched(whole, plan->table))
        layout_member(out, 4, ".followed", "true");
    if (plan->key_only)
        layout_member(out, 4, ".key_only", "true");
    if (endpoint->limit > 0)
        layout_member(out, 4, ".limit", arena_printf("%d", endpoint->limit));
    if (endpoint->max > 0)
        layout_member(out, 4, ".max", arena_printf("%d", endpoint->max));
    out_add(out, "};\n\n");
}

static void
emit_shape(struct out *out, const struct plan_table *plan, const char *suffix, const char *macro)
{
    struct words words = {0};

    words_add(&words, arena_printf("struct %s_body", plan->c_name));
    words_add(&words, arena_printf("%s_fields", plan->c_name));
    layout_assign(out,
                  arena_printf("static const struct pgs_shape %s_%s_shape", plan->c_name, suffix),
                  macro, &words);
}

static void
emit_fields(struct out *out, const struct plan_table *plan)
{
    out_printf(out, "static const struct pgs_field %s_fields[] = {\n", plan->c_name);
    for (size_t i = 0; i < plan->fields.n; i++) {
        const struct plan_column *column = &plan->columns.at[plan->fields.at[i].column];
        struct words field = {0};

        words_add(&field, arena_printf("struct %s_body", plan->c_name));
        words_add(&field, column->member);
        words_add(&field, arena_printf("%s_columns[%s]", plan->c_name, column->constant));
        words_add(&field, plan->fields.at[i].required ? "PGS_REQUIRED" : "PGS_OPTIONAL");
        layout_call(out, 4, "PGS_FIELD(", &field, "),");
    }
    out_add(out, "};\n");
}

/* The struct that a body is read into, and how. */
static void
emit_body(struct out *out, const struct plan_table *plan)
{
    if (plan->roles[CMD_INSERT] == 0 && plan->roles[CMD_UPDATE] == 0)
        return;
    out_printf(out, "/* What a body may set. */\nstruct %s_body {\n    unsigned char has[%zu];\n",
               plan->c_name, plan->fields.n);
    for (size_t i = 0; i < plan->fields.n; i++) {
        const struct plan_column *column = &plan->columns.at[plan->fields.at[i].column];

        out_printf(out, "    %s %s;\n", emit_ctype(column->column->type), column->member);
    }
    out_add(out, "};\n\n");
    emit_fields(out, plan);
    if (plan->roles[CMD_INSERT] != 0)
        emit_shape(out, plan, "new", "PGS_SHAPE(");
    if (plan->roles[CMD_UPDATE] != 0)
        emit_shape(out, plan, "change", "PGS_PARTIAL_SHAPE(");
    out_add(out, "\n");
}

/* The last call of a handler that has read a body. */
static void
emit_run(struct out *out, const struct plan_table *plan, const char *function, const char *suffix,
         const char *value)
{
    struct words words = {0};

    words_add(&words, "rq");
    words_add(&words, arena_printf("&%s_relation", plan->c_name));
    words_add(&words, arena_printf("&%s_%s_shape", plan->c_name, suffix));
    words_add(&words, value);
    layout_call(out, 4, arena_printf("%s(", function), &words, ");");
    out_add(out, "}\n\n");
}

static void
emit_handlers(struct out *out, const struct plan_table *plan)
{
    if (plan->roles[CMD_SELECT] != 0)
        out_fill(out, list_handler, "table", plan->c_name, NULL);
    if (plan->roles[CMD_INSERT] != 0) {
        out_fill(out, create_handler, "table", plan->c_name, NULL);
        emit_run(out, plan, "pgs_run_insert", "new", "&rows");
    }
    if (plan->roles[CMD_UPDATE] != 0) {
        out_fill(out, update_handler, "table", plan->c_name, NULL);
        emit_run(out, plan, "pgs_run_update", "change", "&change");
    }
    if (plan->roles[CMD_DELETE] != 0)
        out_fill(out, delete_handler, "table", plan->c_name, NULL);
}

static void
emit_routes(struct out *out, const struct plan *whole, const struct plan_table *plan)
{
    static const char *const methods[] = {"PGS_GET", "PGS_POST", "PGS_PATCH", "PGS_DELETE"};
    static const char *const handlers[] = {"list", "create", "update", "delete"};
    const char *path = arena_printf("/rest/v1/%s", plan->table->name);

    out_printf(out, "const struct pgs_route %s_routes[] = {\n", plan->c_name);
    for (int command = 0; command < COMMANDS; command++) {
        struct emitted_route route = {.method = methods[command],
                                      .path = path,
                                      .roles = plan->roles[command],
                                      .handler =
                                          arena_printf("%s_%s", plan->c_name, handlers[command]),
                                      .cors = plan->endpoint->cors,
                                      .schema = plan->table->schema,
                                      .cost = plan_cost(plan->endpoint, (enum command)command)};

        if (plan_has_rates(plan->endpoint, (enum command)command))
            route.rates = arena_printf("%s_rates", route.handler);
        if (plan->roles[command] != 0)
            emit_route(out, whole, &route);
    }
    out_add(out, "    PGS_ROUTES_END,\n};\n");
}

void
emit_table(const struct plan *plan, const struct plan_table *table)
{
    struct out *out = out_file(arena_printf("generated/%s.c", table->c_name));
    struct words sources = sources_of(table);

    emit_header(table);
    emit_head(out, &sources);
    out_fill(out, table_includes, "table", table->c_name, "abi", PGSTACK_ABI, NULL);
    emit_columns(out, plan, table);
    emit_lists(out, table);
    emit_access_list(out, table, plan);
    emit_relation(out, table, plan);
    emit_body(out, table);
    emit_handlers(out, table);
    emit_endpoint_rates(out, table);
    emit_routes(out, plan, table);
}

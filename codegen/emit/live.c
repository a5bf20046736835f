/* SPDX-License-Identifier: MIT */
/* Live queries: one file for all, since a live query and a table may have the same name. */
#include "emit/match.h"
#include "sql/sql.h"
#include "base/version.h"

static const char header_text[] = "#ifndef GENERATED_LIVES_H\n"
                                  "#define GENERATED_LIVES_H\n"
                                  "\n"
                                  "#include \"pgs/app.h\"\n"
                                  "\n"
                                  "extern const struct pgs_watched lives_watched[];\n"
                                  "\n"
                                  "@lives@"
                                  "\n"
                                  "#endif\n";

static const char includes[] = "#include \"lives.h\"\n"
                               "\n"
                               "#include \"app.h\"\n"
                               "#include \"pgs/handler.h\"\n"
                               "#include \"pgs/truth.h\"\n"
                               "\n"
                               "PGS_GENERATED_FOR_ABI(" PGSTACK_ABI ");\n";

static struct words
sources_of(const struct plan *plan)
{
    struct words words = {0};

    for (size_t i = 0; i < plan->lives.n; i++) {
        const char *line =
            arena_printf("%s  live queries", plan->lives.at[i]->live->span.file->path);

        if (!words_contain(&words, line))
            words_add(&words, line);
    }
    return words;
}

/* What a change is looked up by: the names as PostgreSQL sends them. */
static void
emit_watched(struct out *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->watched.n; i++)
        emit_matched_columns(out, &plan->watched.at[i], i);
    out_add(out, "/* A write to one of these may change a result. */\n"
                 "const struct pgs_watched lives_watched[] = {\n");
    for (size_t i = 0; i < plan->watched.n; i++) {
        struct words words = {0};

        words_add(&words,
                  arena_printf("{.schema = %s", layout_string(plan->watched.at[i].table->schema)));
        words_add(&words,
                  arena_printf(".table = %s", layout_string(plan->watched.at[i].table->name)));
        if (plan->watched.at[i].matched.n > 0)
            words_add(&words, arena_printf(".columns = matched_%zu", i));
        layout_call(out, 4, "", &words, "},");
    }
    out_add(out, "    {.schema = NULL},\n};\n\n");
}

/* Labels of all of them at once: several may use the same enumeration. */
static void
emit_all_types(struct out *out, const struct plan *plan)
{
    VEC(const struct column *) columns = {0};

    for (size_t i = 0; i < plan->lives.n; i++) {
        const struct plan_live *live = plan->lives.at[i];

        for (size_t j = 0; j < live->live->params.n; j++)
            vec_push(&columns, emit_argument(live->live->params.at[j]));
        for (size_t j = 0; j < live->columns.n; j++)
            vec_push(&columns, live->columns.at[j]);
    }
    for (size_t i = 0; i < plan->watched.n; i++)
        for (size_t j = 0; j < plan->watched.at[i].matched.n; j++)
            vec_push(&columns, plan->watched.at[i].matched.at[j]);
    emit_column_types(out, plan, columns.at, columns.n);
}

void
emit_places(struct out *out, const char *name, const size_t *places, size_t n)
{
    struct words words = {0};

    for (size_t i = 0; i < n; i++)
        words_add(&words, arena_printf("%zu", places[i]));
    layout_list(out, arena_printf("static const uint16_t %s[]", name), &words);
}

static void
emit_definition(struct out *out, const struct plan *plan, const struct plan_live *live)
{
    const char *name = live->c_name;

    out_printf(out, "const struct pgs_live %s_live = {\n", name);
    layout_member(out, 4, ".name", layout_string(live->live->name));
    layout_text_member(out, 4, ".sql", sql_live_select(live->asked));
    emit_roles(out, 4, plan, live->roles);
    layout_member(out, 4, ".arguments",
                  live->live->params.n > 0 ? arena_printf("&%s_shape", name) : "&no_arguments");
    layout_member(out, 4, ".columns", arena_printf("%s_columns", name));
    layout_member(out, 4, ".n_columns", arena_printf("PGS_COUNT(%s_columns)", name));
    if (live->key.n > 0) {
        layout_member(out, 4, ".key", arena_printf("%s_key", name));
        layout_member(out, 4, ".n_key", arena_printf("PGS_COUNT(%s_key)", name));
    }
    if (live->live->body->order_by.n > 0)
        layout_member(out, 4, ".ordered", "true");
    layout_member(out, 4, ".watched", arena_printf("%s_tables", name));
    layout_member(out, 4, ".n_watched", arena_printf("PGS_COUNT(%s_tables)", name));
    if (live->matchers.n > 0) {
        layout_member(out, 4, ".matchers", arena_printf("%s_matchers", name));
        layout_member(out, 4, ".n_matchers", arena_printf("PGS_COUNT(%s_matchers)", name));
    }
    out_add(out, "};\n");
}

static void
emit_live(struct out *out, const struct plan *plan, const struct plan_live *live)
{
    layout_comment(out, 0, live->live->span, "live", live->live->name);
    if (live->live->params.n > 0)
        emit_arguments(out, plan, live->c_name, &live->live->params, live->members.at);
    emit_column_array(out, plan, arena_printf("%s_columns", live->c_name), live->columns.at,
                      live->columns.n);
    if (live->key.n > 0)
        emit_places(out, arena_printf("%s_key", live->c_name), live->key.at, live->key.n);
    emit_places(out, arena_printf("%s_tables", live->c_name), live->tables.at, live->tables.n);
    out_add(out, "\n");
    emit_matchers(out, plan, live);
    emit_definition(out, plan, live);
}

static bool
some_without_arguments(const struct plan *plan)
{
    for (size_t i = 0; i < plan->lives.n; i++)
        if (plan->lives.at[i]->live->params.n == 0)
            return true;
    return false;
}

void
emit_lives(const struct plan *plan)
{
    struct words sources = sources_of(plan);
    struct out *header, *out, *lives;

    if (plan->lives.n == 0)
        return;
    header = out_file("generated/lives.h");
    out = out_file("generated/lives.c");
    lives = out_scratch();
    for (size_t i = 0; i < plan->lives.n; i++)
        out_printf(lives, "extern const struct pgs_live %s_live;\n", plan->lives.at[i]->c_name);
    emit_head(header, &sources);
    out_fill(header, header_text, "lives", out_text(lives), NULL);
    emit_head(out, &sources);
    out_add(out, includes);
    out_printf(out, "PGS_GENERATED_FOR_LIVE_ROWS(%d);\n\n", SQL_LIVE_ROWS);
    emit_watched(out, plan);
    emit_all_types(out, plan);
    emit_matched_types(out, plan);
    if (some_without_arguments(plan))
        out_add(out, "static const struct pgs_shape no_arguments = {.struct_align = 1};\n\n");
    for (size_t i = 0; i < plan->lives.n; i++) {
        out_add(out, i > 0 ? "\n" : "");
        emit_live(out, plan, plan->lives.at[i]);
    }
}

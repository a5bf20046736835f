/* SPDX-License-Identifier: MIT */
/* Matchers as const data: what PostgreSQL is asked for, and which changes concern whom. */
#include "emit/match.h"

#include "sql/sql.h"

size_t
emit_watched_place(const struct plan *plan, const struct table *table)
{
    size_t i = 0;

    while (i < plan->watched.n && plan->watched.at[i].table != table)
        i++;
    return i;
}

bool
emit_is_watched(const struct plan *plan, const struct table *table)
{
    return emit_watched_place(plan, table) < plan->watched.n;
}

size_t
emit_matched_place(const struct plan *plan, const struct column *column)
{
    const struct published *published = &plan->watched.at[emit_watched_place(plan, column->table)];
    size_t i = 0;

    while (published->matched.at[i] != column)
        i++;
    return i;
}

/* ---- columns ---- */

void
emit_matched_columns(struct out *out, const struct published *published, size_t n)
{
    struct words words = {0};

    if (published->matched.n == 0)
        return;
    for (size_t i = 0; i < published->matched.n; i++)
        words_add(&words, layout_string(published->matched.at[i]->name));
    words_add(&words, "NULL");
    layout_list(out, arena_printf("static const char *const matched_%zu[]", n), &words);
    out_add(out, "\n");
}

static bool
term_orders(const struct term *term, const struct table *table)
{
    if (term->kind == TERM_LESS || term->kind == TERM_LESS_EQUAL)
        return true;
    for (size_t i = 0; i < term->terms.n; i++)
        if (term_orders(term->terms.at[i], table))
            return true;
    return false;
}

static bool
match_orders(const struct match *match, const struct table *table)
{
    if (!match->compiled || match->row->table != table)
        return false;
    for (size_t i = 0; i < match->where.n; i++)
        if (term_orders(match->where.at[i].term, table))
            return true;
    for (size_t i = 0; i < match->permissive.n; i++)
        if (term_orders(match->permissive.at[i].term, table))
            return true;
    for (size_t i = 0; i < match->restrictive.n; i++)
        if (term_orders(match->restrictive.at[i].term, table))
            return true;
    return match->order.n > 0;
}

static bool
is_ordered(const struct plan *plan, const struct table *table)
{
    for (size_t i = 0; i < plan->lives.n; i++)
        for (size_t j = 0; j < plan->lives.at[i]->matchers.n; j++)
            if (match_orders(plan->lives.at[i]->matchers.at[j].match, table))
                return true;
    return false;
}

void
emit_matched_types(struct out *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->watched.n; i++)
        if (is_ordered(plan, plan->watched.at[i].table)) {
            out_printf(out, "/* The types of matched_%zu. */\n", i);
            emit_column_array(out, plan, arena_printf("matched_%zu_types", i),
                              plan->watched.at[i].matched.at, plan->watched.at[i].matched.n);
        }
}

/* ---- what is asked ---- */

/* "select a::text, b::text" */
static const char *
values_sql(const struct match *match)
{
    struct words words = {0};

    for (size_t i = 0; i < match->facts.n; i++)
        words_add(&words, arena_printf("%s::text", match->facts.at[i].sql));
    return arena_printf("select %s", words_join(&words, ", "));
}

static void
emit_arguments_of(struct out *out, const char *name, const struct sql_arguments *arguments)
{
    struct words words = {0};

    for (size_t i = 0; i < arguments->n; i++)
        words_add(&words, arena_printf("%d", arguments->at[i]->number));
    if (arguments->n > 0)
        layout_list(out, arena_printf("static const uint16_t %s[]", name), &words);
}

static void
emit_query_members(struct out *out, size_t indent, const char *sql, const char *arguments,
                   size_t n_arguments, size_t n_columns)
{
    layout_text_member(out, indent, ".sql", sql);
    if (n_arguments > 0) {
        layout_member(out, indent, ".arguments", arguments);
        layout_member(out, indent, ".n_arguments", arena_printf("PGS_COUNT(%s)", arguments));
    }
    layout_member(out, indent, ".n_columns", arena_printf("%zu", n_columns));
}

static void
emit_sets(struct out *out, const struct match *match, const char *name)
{
    if (match->sets.n == 0)
        return;
    for (size_t i = 0; i < match->sets.n; i++)
        emit_arguments_of(out, arena_printf("%s_set_%zu_arguments", name, i),
                          &match->sets.at[i].arguments);
    out_printf(out, "static const struct pgs_fact_query %s_sets[] = {\n", name);
    for (size_t i = 0; i < match->sets.n; i++) {
        const struct match_set *set = &match->sets.at[i];

        out_add(out, "    {\n");
        emit_query_members(out, 8, set->sql, arena_printf("%s_set_%zu_arguments", name, i),
                           set->arguments.n, set->n_columns);
        out_add(out, "    },\n");
    }
    out_add(out, "};\n");
}

/* ---- what changes it ---- */

static void
emit_ties(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    for (size_t i = 0; i < match->sources.n; i++) {
        const struct match_ties *ties = &match->sources.at[i].ties;
        struct words words = {0};

        for (size_t j = 0; j < ties->n; j++)
            words_add(&words,
                      arena_printf("{%zu, %zu}", emit_matched_place(plan, ties->at[j].column),
                                   ties->at[j].fact));
        if (ties->n > 0)
            layout_list(out, arena_printf("static const struct pgs_tie %s_ties_%zu[]", name, i),
                        &words);
    }
}

static void
emit_sources(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    emit_ties(out, plan, match, name);
    out_printf(out, "static const struct pgs_live_source %s_sources[] = {\n", name);
    for (size_t i = 0; i < match->sources.n; i++) {
        const struct match_source *source = &match->sources.at[i];
        struct words words = {0};

        words_add(&words, arena_printf("{.watched = %zu", emit_watched_place(plan, source->table)));
        if (source->ties.n > 0) {
            words_add(&words, arena_printf(".ties = %s_ties_%zu", name, i));
            words_add(&words, arena_printf(".n_ties = %zu", source->ties.n));
        }
        layout_call(out, 4, "", &words, "},");
    }
    out_add(out, "};\n");
}

/* ---- rows ---- */

static void
emit_order(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    if (match->order.n == 0)
        return;
    out_printf(out, "static const struct pgs_match_order %s_order[] = {\n", name);
    for (size_t i = 0; i < match->order.n; i++) {
        const struct match_order *order = &match->order.at[i];
        size_t column = emit_matched_place(plan, order->column);
        struct words words = {0};

        words_add(&words, arena_printf("{.column = %zu", column));
        words_add(&words, arena_printf(".type = &matched_%zu_types[%zu]",
                                       emit_watched_place(plan, match->row->table), column));
        if (order->descending)
            words_add(&words, ".descending = true");
        if (order->nulls_first)
            words_add(&words, ".nulls_first = true");
        layout_call(out, 4, "", &words, "},");
    }
    out_add(out, "};\n");
}

static void
emit_totals(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    static const char *const kinds[] = {
        [TOTAL_GROUP] = "PGS_TOTAL_GROUP",
        [TOTAL_ROWS] = "PGS_TOTAL_ROWS",
        [TOTAL_VALUES] = "PGS_TOTAL_VALUES",
        [TOTAL_SUM] = "PGS_TOTAL_SUM",
        [TOTAL_SUM_OR_ZERO] = "PGS_TOTAL_SUM_OR_ZERO",
        [TOTAL_MIN] = "PGS_TOTAL_MIN",
        [TOTAL_MAX] = "PGS_TOTAL_MAX",
    };

    if (match->totals.n == 0)
        return;
    out_printf(out, "static const struct pgs_match_total %s_totals[] = {\n", name);
    for (size_t i = 0; i < match->totals.n; i++) {
        const struct match_total *total = &match->totals.at[i];
        struct words words = {0};

        words_add(&words, arena_printf("{.kind = %s", kinds[total->kind]));
        if (total->column)
            words_add(&words,
                      arena_printf(".column = %zu", emit_matched_place(plan, total->column)));
        if (total->kind == TOTAL_SUM)
            words_add(&words, arena_printf(".values = %zu", total->values));
        layout_call(out, 4, "", &words, "},");
    }
    out_add(out, "};\n");
}

/* What comes from another table has no place in the row. */
static void
emit_outputs(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    const struct outputs *outputs = &match->live->body->outputs;
    struct words words = {0};

    for (size_t i = 0; i < outputs->n; i++) {
        const struct expr *expr = outputs->at[i].expr;
        bool joined = match_is_joined(match, (struct sql_part){expr, NULL});

        words_add(&words, joined ? "PGS_JOINED"
                                 : arena_printf("%zu", emit_matched_place(plan, expr->column)));
    }
    layout_list(out, arena_printf("static const uint16_t %s_outputs[]", name), &words);
}

static void
emit_join_places(struct out *out, const struct plan *plan, const struct match_join *join,
                 const char *name)
{
    VEC(size_t) columns = {0};

    for (size_t i = 0; i < join->columns.n; i++)
        vec_push(&columns, emit_matched_place(plan, join->columns.at[i]->column));
    if (columns.n > 0)
        emit_places(out, arena_printf("%s_columns", name), columns.at, columns.n);
    if (join->outputs.n > 0)
        emit_places(out, arena_printf("%s_outputs", name), join->outputs.at, join->outputs.n);
}

static void
emit_joins(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    if (match->joins.n == 0)
        return;
    for (size_t i = 0; i < match->joins.n; i++)
        emit_join_places(out, plan, &match->joins.at[i], arena_printf("%s_join_%zu", name, i));
    out_printf(out, "static const struct pgs_match_join %s_joins[] = {\n", name);
    for (size_t i = 0; i < match->joins.n; i++) {
        const struct match_join *join = &match->joins.at[i];
        const char *places = arena_printf("%s_join_%zu", name, i);

        out_add(out, "    {\n");
        if (join->columns.n > 0) {
            layout_member(out, 8, ".columns", arena_printf("%s_columns", places));
            layout_member(out, 8, ".n_columns", arena_printf("PGS_COUNT(%s_columns)", places));
        }
        if (join->outputs.n > 0) {
            layout_member(out, 8, ".outputs", arena_printf("%s_outputs", places));
            layout_member(out, 8, ".n_outputs", arena_printf("PGS_COUNT(%s_outputs)", places));
        }
        out_add(out, "    },\n");
    }
    out_add(out, "};\n");
}

static void
emit_column_places(struct out *out, const struct plan *plan, const struct match *match,
                   const char *name)
{
    const struct published *published =
        &plan->watched.at[emit_watched_place(plan, match->row->table)];
    VEC(size_t) needed = {0};

    for (size_t i = 0; i < published->matched.n; i++)
        for (size_t j = 0; j < match->needed.n; j++)
            if (match->needed.at[j] == published->matched.at[i])
                vec_push(&needed, i);
    if (needed.n > 0)
        emit_places(out, arena_printf("%s_needed", name), needed.at, needed.n);
    if (match->totals.n == 0)
        emit_outputs(out, plan, match, name);
}

static void
emit_rows(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    if (!match->compiled)
        return;
    emit_column_places(out, plan, match, name);
    emit_order(out, plan, match, name);
    emit_totals(out, plan, match, name);
    emit_joins(out, plan, match, name);
    out_printf(out, "static const struct pgs_match_rows %s_rows = {\n", name);
    layout_member(out, 4, ".holds", arena_printf("%s_holds", name));
    if (match->needed.n > 0) {
        layout_member(out, 4, ".needed", arena_printf("%s_needed", name));
        layout_member(out, 4, ".n_needed", arena_printf("PGS_COUNT(%s_needed)", name));
    }
    if (match->totals.n == 0)
        layout_member(out, 4, ".outputs", arena_printf("%s_outputs", name));
    if (match->order.n > 0) {
        layout_member(out, 4, ".order", arena_printf("%s_order", name));
        layout_member(out, 4, ".n_order", arena_printf("PGS_COUNT(%s_order)", name));
    }
    if (match->limit > 0)
        layout_member(out, 4, ".limit", arena_printf("%ld", match->limit));
    if (match->totals.n > 0) {
        layout_member(out, 4, ".totals", arena_printf("%s_totals", name));
        layout_member(out, 4, ".n_totals", arena_printf("PGS_COUNT(%s_totals)", name));
    }
    if (match->joins.n > 0) {
        layout_member(out, 4, ".joins", arena_printf("%s_joins", name));
        layout_member(out, 4, ".n_joins", arena_printf("PGS_COUNT(%s_joins)", name));
    }
    out_add(out, "};\n");
}

/* ---- the matchers ---- */

static void
emit_parts(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    if (match->compiled)
        emit_holds(out, plan, match, arena_printf("%s_holds", name));
    emit_arguments_of(out, arena_printf("%s_asked", name), &match->arguments);
    emit_sets(out, match, name);
    emit_sources(out, plan, match, name);
    emit_rows(out, plan, match, name);
    out_add(out, "\n");
}

static void
emit_matcher(struct out *out, const struct plan *plan, const struct plan_matcher *matcher)
{
    const struct match *match = matcher->match;
    const char *name = matcher->c_name;

    out_add(out, "    {\n");
    emit_roles(out, 8, plan, matcher->roles);
    if (match->facts.n > 0) {
        out_add(out, "        .values =\n            {\n");
        emit_query_members(out, 16, values_sql(match), arena_printf("%s_asked", name),
                           match->arguments.n, match->facts.n);
        out_add(out, "            },\n");
    }
    if (match->sets.n > 0) {
        layout_member(out, 8, ".sets", arena_printf("%s_sets", name));
        layout_member(out, 8, ".n_sets", arena_printf("PGS_COUNT(%s_sets)", name));
    }
    layout_member(out, 8, ".sources", arena_printf("%s_sources", name));
    layout_member(out, 8, ".n_sources", arena_printf("PGS_COUNT(%s_sources)", name));
    if (match->compiled)
        layout_member(out, 8, ".rows", arena_printf("&%s_rows", name));
    out_add(out, "    },\n");
}

void
emit_matchers(struct out *out, const struct plan *plan, const struct plan_live *live)
{
    if (live->matchers.n == 0)
        return;
    for (size_t i = 0; i < live->matchers.n; i++)
        emit_parts(out, plan, live->matchers.at[i].match, live->matchers.at[i].c_name);
    out_printf(out, "static const struct pgs_matcher %s_matchers[] = {\n", live->c_name);
    for (size_t i = 0; i < live->matchers.n; i++)
        emit_matcher(out, plan, &live->matchers.at[i]);
    out_add(out, "};\n\n");
}

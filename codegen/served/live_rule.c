/* SPDX-License-Identifier: MIT */
/*
 * Rules of live queries.  Errors first: what may not be sent, and what no server could keep up with
 * change by change; the warnings only where there is none.
 */
#include <string.h>

#include "model/walk.h"
#include "plan/match.h"
#include "rights/fold.h"
#include "served/live.h"
#include "syntax/spell.h"

/* ---- what is sent and read ---- */

/* The first that one of the roles may not read, and whose it is. */
static const struct read *
first_forbidden(const struct live *live, const struct reads *reads, const struct role **whom)
{
    const struct read *first = NULL;

    for (size_t i = 0; i < live->roles.n; i++) {
        const struct read *read = check_first_forbidden(reads, live->roles.at[i]);

        if (!read || (first && read >= first))
            continue;
        first = read;
        *whom = live->roles.at[i];
    }
    return first;
}

static bool
check_sent(const struct live *live)
{
    const struct role *role;
    struct reads reads = {0};
    const struct read *read;
    struct diag *diag;

    for (size_t i = 0; i < live->body->outputs.n; i++)
        check_reads(live->body->outputs.at[i].expr, &reads);
    read = first_forbidden(live, &reads, &role);
    if (!read)
        return true;
    diag = diag_at(read->from, PGS4132_LIVE_SENDS_UNGRANTED,
                   "live query \"%s\" sends %s, which \"%s\" may not read", live->name,
                   check_read_name(read), role->name);
    if (!check_same_place(read->span, read->from))
        diag_note(diag, read->span, "it is read here");
    diag_hint(diag, "list the columns; compare a key column with a claim or a parameter, so that a "
                    "change meets only its audience");
    return false;
}

static bool
check_read(const struct live *live)
{
    const struct role *role;
    struct reads reads = {0};
    const struct read *read;
    struct diag *diag;

    check_reads_select(live->body, &reads);
    read = first_forbidden(live, &reads, &role);
    if (!read)
        return true;
    diag = diag_at(read->from, PGS4133_LIVE_READS_UNGRANTED,
                   "live query \"%s\" reads %s, which \"%s\" may not select", live->name,
                   check_read_name(read), role->name);
    diag_hint(diag, "grant it, or drop the role from the live query: what decides which rows are "
                    "sent can be found out from them");
    return false;
}

struct search {
    const struct expr *found;
};

static void
find_private(const struct expr *expr, void *data)
{
    struct search *search = data;

    if (!search->found && expr->kind == EXPR_COLUMN && expr->column->is_private)
        search->found = expr;
}

static bool
check_private(const struct live *live)
{
    struct search search = {0};
    struct diag *diag;

    for (size_t i = 0; i < live->body->outputs.n; i++)
        walk_expr(live->body->outputs.at[i].expr, find_private, &search);
    if (!search.found)
        return true;
    diag = diag_at(search.found->span, PGS4135_LIVE_PRIVATE,
                   "\"%s\" is private: no live query may send it", search.found->column->name);
    diag_note(diag, search.found->column->span, "it is marked here");
    diag_hint(diag, "list the columns without it");
    return false;
}

/* ---- what can be followed ---- */

/* A change of a row is known by its key; raw SQL is not known at all. */
static bool
check_live_tables(const struct live *live)
{
    struct reads reads = {0};
    struct diag *diag;

    check_reads_select(live->body, &reads);
    for (size_t i = 0; i < reads.n; i++) {
        const struct table *table = reads.at[i].table;

        if (table->raw) {
            diag = diag_at(reads.at[i].from, PGS4137_LIVE_ON_RAW,
                           "live query \"%s\" reads view \"%s\", whose tables are not known",
                           live->name, table->name);
            diag_hint(diag, "write the view without $$, or read its tables here");
            return false;
        }
        if (table->materialized) {
            diag = diag_at(reads.at[i].from, PGS4306_LIVE_STORED,
                           "live query \"%s\" reads \"%s\", which no write changes: nobody would "
                           "be told anything",
                           live->name, table->name);
            diag_hint(diag, "read its tables here, or make it a plain view");
            return false;
        }
        if (table->is_view || table->primary_key)
            continue;
        diag = diag_at(reads.at[i].from, PGS4136_LIVE_WITHOUT_KEY,
                       "live query \"%s\" reads \"%s\", which has no primary key: its changed and "
                       "deleted rows cannot be told apart",
                       live->name, table->name);
        diag_note(diag, table->span, "\"%s\" is here", table->name);
        diag_hint(diag, "give it one: `id bigint primary key generated always as identity`");
        return false;
    }
    return true;
}

struct following {
    struct search *search;
    void (*visit)(const struct expr *, void *);
};

static void follow_select(const struct select *select, struct following *following);
static void follow_expr(const struct expr *expr, struct following *following);

static void
visit_expr(const struct expr *expr, void *data)
{
    struct following *following = data;

    following->visit(expr, following->search);
    if (expr->kind == EXPR_PREDICATE && expr->predicate->body)
        follow_expr(expr->predicate->body, following);
}

static void
visit_range(const struct range *range, void *data)
{
    if (range->table->query)
        follow_select(range->table->query, data);
}

/* Through predicates and views. */
static void
follow_select(const struct select *select, struct following *following)
{
    walk_select(select, visit_expr, following);
    walk_select_ranges(select, visit_range, following);
}

static void
follow_expr(const struct expr *expr, struct following *following)
{
    walk_expr(expr, visit_expr, following);
    walk_ranges(expr, visit_range, following);
}

/* What `visit` finds first in what is asked. */
static const struct expr *
find_in_body(const struct live *live, void (*visit)(const struct expr *, void *))
{
    struct search search = {0};

    follow_select(live->body, &(struct following){&search, visit});
    return search.found;
}

static const struct function *
called(const struct expr *expr)
{
    return expr->kind == EXPR_CALL && !expr->is_auth && expr->name ? function_find(expr->name)
                                                                   : NULL;
}

static void
find_volatile(const struct expr *expr, void *data)
{
    struct search *search = data;
    const struct function *function = called(expr);

    if (!search->found && function && function->volatility == VOLATILE)
        search->found = expr;
}

/* current_date, now(): changes without a write. */
static void
find_clock(const struct expr *expr, void *data)
{
    struct search *search = data;
    const struct function *function = called(expr);

    if (!search->found && function && function->volatility == STABLE && expr->args.n == 0)
        search->found = expr;
}

static bool
check_followed(const struct live *live)
{
    const struct expr *found = find_in_body(live, find_volatile);
    struct diag *diag;

    if (found) {
        diag = diag_at(found->span, PGS4138_LIVE_VOLATILE,
                       "live query \"%s\" calls %s(), which gives something else each time",
                       live->name, found->name);
        diag_hint(diag, "what is live follows from the rows alone: store the value in a column");
        return false;
    }
    return true;
}

/* ---- rows that are marked as deleted ---- */

static void
find_mark(const struct expr *expr, void *data)
{
    struct search *search = data;

    if (!search->found && expr->kind == EXPR_COLUMN && expr->column->table->soft_delete &&
        expr->column == expr->column->table->soft_delete)
        search->found = expr;
}

static bool
check_deleted_rows(const struct live *live)
{
    struct search search = {0};

    if (live->body->where)
        walk_expr(live->body->where, find_mark, &search);
    for (size_t i = 0; !search.found && i < live->body->from.n; i++) {
        const struct range *range = live->body->from.at[i];
        struct diag *diag;

        if (!range->table->soft_delete)
            continue;
        diag = diag_at(range->span, PGS4141_LIVE_DELETED_ROWS,
                       "live query \"%s\" goes on sending rows of \"%s\" that are deleted: it "
                       "does not test \"%s\"",
                       live->name, range->table->name, range->table->soft_delete->name);
        diag_note(diag, range->table->soft_delete->span, "\"%s\" is here",
                  range->table->soft_delete->name);
        diag_hint(diag, "%sadd `%s is null`", live->table ? "write it as a select, and " : "",
                  range->table->soft_delete->name);
        if (!live->table && live->body->from.n == 1 &&
            range->table->soft_delete->type.kind != TYPE_BOOL)
            check_fix_and(diag, live->body->where,
                          arena_printf("%s is null", spell_name(range->table->soft_delete->name)));
        return false;
    }
    return true;
}

/* ---- the window ---- */

static bool
is_aggregate(const struct live *live)
{
    return select_has_aggregate(live->body) || live->body->group_by.n > 0;
}

static bool
check_window(const struct live *live)
{
    struct diag *diag;

    if (live->body->offset) {
        diag = diag_at(live->body->offset->span, PGS4147_LIVE_OFFSET,
                       "live query \"%s\" leaves rows out by `offset`: each change before it would "
                       "move the whole window",
                       live->name);
        diag_hint(diag, "compare with the last value seen: `where id > after_id order by id`");
        return false;
    }
    if (live->body->limit && live->body->order_by.n == 0 && !is_aggregate(live)) {
        diag = diag_at(live->body->limit->span, PGS4140_LIVE_UNORDERED,
                       "live query \"%s\" has a limit without `order by`: which rows it has is "
                       "left to chance",
                       live->name);
        diag_hint(diag, "add `order by` a column, and the key behind it");
        return false;
    }
    return true;
}

static bool
sends_column(const struct live *live, const struct column *column)
{
    for (size_t i = 0; i < live->body->outputs.n; i++) {
        const struct expr *expr = live->body->outputs.at[i].expr;

        if (expr->kind == EXPR_COLUMN && expr->column == column)
            return true;
    }
    return false;
}

/* The subscriber is told which row changed by its key. */
static bool
check_key_sent(const struct live *live)
{
    const struct table *table = live->body->from.n == 1 ? live->body->from.at[0]->table : NULL;
    struct diag *diag;

    if (!table || !table->primary_key || is_aggregate(live) || live->body->distinct)
        return true;
    for (size_t i = 0; i < table->primary_key->columns.n; i++) {
        const struct column *column = table->primary_key->columns.at[i];

        if (sends_column(live, column))
            continue;
        diag = diag_at(live->span, PGS4148_LIVE_KEY_NOT_SENT,
                       "live query \"%s\" does not send \"%s\", which is of the key: nobody could "
                       "tell which row was changed or deleted",
                       live->name, column->name);
        diag_hint(diag, "add %s to what is selected", column->name);
        return false;
    }
    return true;
}

/* ---- the audience ---- */

static const struct role *
role_without_rows(const struct live *live)
{
    for (size_t i = 0; live->body->where && i < live->roles.n; i++) {
        const struct role *role = live->roles.at[i];
        struct assumption a = {.role = role->name, .uid_is_null = strcmp(role->name, "anon") == 0};

        if (check_is_never_true(live->body->where, &a))
            return role;
    }
    return NULL;
}

static bool
check_has_rows(const struct live *live)
{
    const struct role *role = role_without_rows(live);
    struct diag *diag;

    if (!role)
        return true;
    diag = diag_at(live->body->where->span, PGS4143_LIVE_NEVER_TRUE,
                   "live query \"%s\" never has a row for \"%s\"", live->name, role->name);
    diag_hint(diag, strcmp(role->name, "anon") == 0
                        ? "without a token auth.uid() is null: leave anon out"
                        : "drop it, or the condition");
    return false;
}

static bool
decides_by_caller(const struct expr *expr)
{
    return expr->kind == EXPR_PARAM || expr->kind == EXPR_CLAIM || expr->is_auth;
}

static void
find_caller(const struct expr *expr, void *data)
{
    struct search *search = data;

    if (!search->found && decides_by_caller(expr))
        search->found = expr;
}

static bool
has_audience(const struct live *live)
{
    struct search search = {0};
    struct following following = {&search, find_caller};

    if (live->body->where)
        follow_expr(live->body->where, &following);
    for (size_t i = 0; i < live->body->from.n; i++)
        if (live->body->from.at[i]->on)
            follow_expr(live->body->from.at[i]->on, &following);
    return search.found != NULL;
}

/* The first whose policies do not compare it for them. */
static const struct role *
role_without_tie(const struct model *model, const struct live *live)
{
    struct roles roles = live_subscribers(model, live);

    for (size_t i = 0; i < roles.n; i++) {
        const struct match *match = match_make(model, live, roles.at[i]);

        if (match->sources.n == 0 || match->sources.at[0].ties.n == 0)
            return roles.at[i];
    }
    return NULL;
}

static bool
names_role(const struct live *live, const struct role *role)
{
    for (size_t i = 0; i < live->roles.n; i++)
        if (live->roles.at[i] == role)
            return true;
    return false;
}

/* Of a model with errors nothing is planned. */
static void
check_audience(const struct model *model, const struct live *live)
{
    const struct role *role =
        diag_errors() > 0 || has_audience(live) ? NULL : role_without_tie(model, live);
    struct diag *diag;

    if (!role)
        return;
    diag = diag_at(live->span, PGS4134_LIVE_WITHOUT_AUDIENCE,
                   "live query \"%s\" compares nothing with a claim or parameter: each change is "
                   "matched against each subscriber",
                   live->name);
    if (!names_role(live, role))
        diag_note(diag, role->span, "\"%s\" may subscribe as well, and its policies do not either",
                  role->name);
    diag_hint(diag, "compare a key column with a parameter, such as `where team_id = team`");
}

static void
check_limit(const struct live *live)
{
    struct diag *diag;

    if (live->body->limit || is_aggregate(live))
        return;
    diag = diag_at(live->span, PGS4139_LIVE_WITHOUT_LIMIT,
                   "live query \"%s\" has no limit: each subscriber begins with all of its rows",
                   live->name);
    diag_hint(diag, live->table ? "add `limit 100`" : "add `order by ... limit 100`");
}

static void
check_clock(const struct live *live)
{
    const struct expr *found = find_in_body(live, find_clock);
    struct diag *diag;

    if (!found)
        return;
    diag = diag_at(found->span, PGS4149_LIVE_CLOCK,
                   "live query \"%s\" reads the clock: rows do not come and go by the hour, only "
                   "by a write",
                   live->name);
    diag_hint(diag, "pass the moment as a parameter, and subscribe anew when it has passed");
}

void
check_live_rules(const struct model *model, const struct live *live)
{
    if (!check_private(live) || !check_sent(live) || !check_read(live) ||
        !check_live_tables(live) || !check_followed(live) || !check_deleted_rows(live) ||
        !check_window(live) || !check_key_sent(live) || !check_has_rows(live))
        return;
    check_audience(model, live);
    check_limit(live);
    check_clock(live);
    check_live_comparisons(live);
}

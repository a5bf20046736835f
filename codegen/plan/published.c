/* SPDX-License-Identifier: MIT */
#include "plan/published.h"

#include <string.h>

#include "base/arena.h"
#include "model/length.h"
#include "model/names.h"
#include "model/types.h"
#include "plan/watched.h"

/* ---- matchers ---- */

static bool
same_asked(const struct match *a, const struct match *b)
{
    if (a->facts.n != b->facts.n || a->sets.n != b->sets.n || a->sources.n != b->sources.n)
        return false;
    for (size_t i = 0; i < a->facts.n; i++)
        if (strcmp(a->facts.at[i].sql, b->facts.at[i].sql) != 0)
            return false;
    for (size_t i = 0; i < a->sets.n; i++)
        if (!match_same_set(&a->sets.at[i], &b->sets.at[i]))
            return false;
    for (size_t i = 0; i < a->sources.n; i++)
        if (a->sources.at[i].table != b->sources.at[i].table ||
            !match_same_ties(&a->sources.at[i].ties, &b->sources.at[i].ties))
            return false;
    return true;
}

/* The same policies hold: then their terms are the same. */
static bool
same_conditions(const struct match *a, const struct match *b)
{
    if (a->compiled != b->compiled || a->closed != b->closed ||
        a->permissive.n != b->permissive.n || a->restrictive.n != b->restrictive.n)
        return false;
    for (size_t i = 0; i < a->permissive.n; i++)
        if (a->permissive.at[i].policy != b->permissive.at[i].policy)
            return false;
    for (size_t i = 0; i < a->restrictive.n; i++)
        if (a->restrictive.at[i].policy != b->restrictive.at[i].policy)
            return false;
    return true;
}

static void
add_matcher(struct plan_matchers *out, const struct match *match)
{
    role_set role = (role_set)1 << match->role->number;

    for (size_t i = 0; i < out->n; i++)
        if (same_asked(out->at[i].match, match) && same_conditions(out->at[i].match, match)) {
            out->at[i].roles |= role;
            return;
        }
    vec_push(out, ((struct plan_matcher){.roles = role, .match = match}));
}

struct plan_matchers
plan_matchers(const struct model *model, const struct live *live)
{
    role_set roles = plan_roles(model, live->roles.at, live->roles.n);
    struct plan_matchers matchers = {0};

    for (size_t i = 0; i < model->roles.n; i++) {
        const struct match *match;

        if (!(roles >> model->roles.at[i]->number & 1))
            continue;
        match = match_make(model, live, model->roles.at[i]);
        if (match_narrows(match))
            add_matcher(&matchers, match);
    }
    return matchers;
}

/* ---- columns ---- */

static bool
contains(const struct columns *columns, const struct column *column)
{
    for (size_t i = 0; i < columns->n; i++)
        if (columns->at[i] == column)
            return true;
    return false;
}

static void
add_column(struct columns *columns, const struct column *column)
{
    if (!contains(columns, column))
        vec_push(columns, column);
}

static void
sort_columns(struct columns *columns, const struct table *table)
{
    struct columns sorted = {0};

    for (size_t i = 0; i < table->columns.n; i++)
        if (contains(columns, table->columns.at[i]))
            vec_push(&sorted, table->columns.at[i]);
    *columns = sorted;
}

static struct published *
find(struct published_tables *tables, const struct table *table)
{
    for (size_t i = 0; i < tables->n; i++)
        if (tables->at[i].table == table)
            return &tables->at[i];
    return NULL;
}

/* What a row took from its group is known by the old row alone. */
static void
add_needed(struct published *published, const struct match *match, const struct column *column)
{
    add_column(&published->matched, column);
    if (match->totals.n > 0)
        add_column(&published->identity, column);
}

static void
add_match(struct published_tables *tables, const struct match *match)
{
    for (size_t i = 0; i < match->needed.n; i++)
        add_needed(find(tables, match->needed.at[i]->table), match, match->needed.at[i]);
    for (size_t i = 0; i < match->sources.n; i++) {
        const struct match_source *source = &match->sources.at[i];
        struct published *published = find(tables, source->table);

        for (size_t j = 0; j < source->ties.n; j++) {
            add_column(&published->matched, source->ties.at[j].column);
            add_column(&published->identity, source->ties.at[j].column);
        }
    }
}

/* ---- identity ---- */

/* What is longer could be too long for an index, and fail the write. */
#define MAX_INDEXED_CHARS 200
#define MAX_INDEXED_CHARS_TOGETHER 500
#define MAX_INDEXED_COLUMNS 32 /* PostgreSQL's bound */
#define MAX_INDEXED_DIGITS 38

static bool
is_short(struct type type)
{
    switch (type.array ? TYPE_ANY : type.kind) {
    case TYPE_NUMERIC:
        return type.precision > 0 && type.precision <= MAX_INDEXED_DIGITS;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
    case TYPE_MONEY:
    case TYPE_INET:
    case TYPE_CIDR:
    case TYPE_MACADDR:
    case TYPE_MACADDR8:
        return true;
    default:
        return match_is_textual(type) || type_is_bool(type);
    }
}

/* That of its columns which an index takes, whatever they hold. */
static bool
fit_index(const struct columns *columns)
{
    int together = 0;

    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = columns->at[i];
        int chars = type_is_text(column->type) ? column_max_length(column) : 0;

        if (type_is_text(column->type) ? chars == 0 || chars > MAX_INDEXED_CHARS
                                       : !is_short(column->type))
            return false;
        together += chars;
    }
    return columns->n <= MAX_INDEXED_COLUMNS && together <= MAX_INDEXED_CHARS_TOGETHER;
}

/*
 * A deferrable key is not asked for, and an index beside it would not wait as it does.  Generated
 * columns are not in the log.
 */
static bool
key_identifies(const struct constraint *key)
{
    if (!key || key->deferrable)
        return false;
    for (size_t i = 0; i < key->columns.n; i++)
        if (key->columns.at[i]->generated)
            return false;
    return true;
}

static void
choose_identity(struct published *published)
{
    const struct constraint *key = published->table->primary_key;
    struct columns more = published->identity;

    published->identity.n = 0;
    published->identity.at = NULL;
    published->identity.room = 0;
    if (!key_identifies(key)) {
        published->kind = REPLICA_FULL;
        return;
    }
    for (size_t i = 0; i < key->columns.n; i++)
        vec_push(&published->identity, key->columns.at[i]);
    for (size_t i = 0; i < more.n; i++) {
        if (contains(&published->identity, more.at[i]))
            continue;
        if (published->kind == REPLICA_KEY)
            published->kind = REPLICA_INDEX;
        if (!more.at[i]->not_null)
            published->kind = REPLICA_FULL;
        vec_push(&published->identity, more.at[i]);
    }
    if (published->kind == REPLICA_INDEX && !fit_index(&published->identity))
        published->kind = REPLICA_FULL;
}

static bool
has_relation(const struct table *table, const char *name)
{
    bool has = strcmp(table->name, name) == 0;

    for (size_t i = 0; i < table->constraints.n; i++)
        has |= strcmp(table->constraints.at[i]->name, name) == 0;
    for (size_t i = 0; i < table->indexes.n; i++)
        has |= strcmp(table->indexes.at[i]->name, name) == 0;
    return has;
}

static bool
is_taken(const struct model *model, const struct published_tables *tables, const char *name)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (has_relation(model->tables.at[i], name))
            return true;
    for (size_t i = 0; i < tables->n; i++)
        if (tables->at[i].index && strcmp(tables->at[i].index, name) == 0)
            return true;
    return false;
}

static void
name_index(const struct model *model, const struct published_tables *tables,
           struct published *published)
{
    const char *table = published->table->name, *name;

    if (published->kind != REPLICA_INDEX)
        return;
    name = name_cut(arena_printf("pgstack_live_%s", table));
    for (int n = 2; is_taken(model, tables, name); n++)
        name = name_cut(arena_printf("pgstack_live_%d_%s", n, table));
    published->index = name;
}

struct published_tables
plan_published(const struct model *model)
{
    struct watched watched = plan_all_watched(model);
    struct published_tables tables = {0};

    for (size_t i = 0; i < watched.tables.n; i++)
        vec_push(&tables, ((struct published){.table = watched.tables.at[i]}));
    for (size_t i = 0; i < model->lives.n; i++) {
        struct plan_matchers matchers = plan_matchers(model, model->lives.at[i]);

        for (size_t j = 0; j < matchers.n; j++)
            add_match(&tables, matchers.at[j].match);
    }
    for (size_t i = 0; i < tables.n; i++) {
        sort_columns(&tables.at[i].matched, tables.at[i].table);
        choose_identity(&tables.at[i]);
        name_index(model, &tables, &tables.at[i]);
    }
    return tables;
}

const struct published *
published_find(const struct plan *plan, const struct table *table)
{
    for (size_t i = 0; i < plan->watched.n; i++)
        if (plan->watched.at[i].table == table)
            return &plan->watched.at[i];
    return NULL;
}

bool
published_has(const struct published *published, const struct column *column)
{
    if (published->kind == REPLICA_FULL)
        return true;
    return contains(&published->identity, column) || contains(&published->matched, column);
}

/* ---- functions ---- */

static void
add_function(struct match_functions *functions, const struct match_set *set)
{
    for (size_t i = 0; i < functions->n; i++)
        if (strcmp(functions->at[i].function, set->function) == 0)
            return;
    vec_push(functions, *set);
}

struct match_functions
plan_match_functions(const struct plan *plan)
{
    struct match_functions functions = {0};

    for (size_t i = 0; i < plan->lives.n; i++)
        for (size_t j = 0; j < plan->lives.at[i]->matchers.n; j++) {
            const struct match *match = plan->lives.at[i]->matchers.at[j].match;

            for (size_t k = 0; k < match->sets.n; k++)
                if (match->sets.at[k].definer)
                    add_function(&functions, &match->sets.at[k]);
        }
    return functions;
}

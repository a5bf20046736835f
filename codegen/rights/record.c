/* SPDX-License-Identifier: MIT */
/*
 * Records that say what somebody did or wrote, and when: a vote that counts twice, a log that its
 * subject may change, words that others may put into an author's mouth, a time that its writer
 * says.
 */
#include "rights/rights.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"
#include "rights/privilege.h"

static bool
holds_any(const char *name, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

#define HOLDS_ANY(name, words) holds_any(name, words, sizeof(words) / sizeof((words)[0]))

/* Whose act the row is: the caller who makes it; NULL: nobody's. */
static const struct column *
actor_of(const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (table->columns.at[i]->default_expr &&
            check_is_identity(table->columns.at[i]->default_expr))
            return table->columns.at[i];
    return NULL;
}

/* ---- a log that its subject may change ---- */

static bool
changes_rows(const struct grant *grant)
{
    return (grant->command == CMD_UPDATE || grant->command == CMD_DELETE) &&
           check_is_anybody(grant->role);
}

/* One finding a table is enough. */
static bool
is_first_change(const struct grant *grant)
{
    for (size_t i = 0; grant->table->grants.at[i] != grant; i++)
        if (changes_rows(grant->table->grants.at[i]))
            return false;
    return true;
}

static void
check_log(struct checker *checker, const struct grant *grant)
{
    static const char *const words[] = {"audit",        "activity_log", "access_log", "event_log",
                                        "security_log", "admin_log",    "login_log",  "ledger"};
    struct diag *diag;

    if (!changes_rows(grant) || !is_first_change(grant) || !HOLDS_ANY(grant->table->name, words) ||
        check_is_told(checker, grant->span))
        return;
    diag = diag_at(grant->span, PGS3124_LOG_CHANGES,
                   "\"%s\" may %s rows of \"%s\": who is recorded there changes the record",
                   grant->role->name, command_name(grant->command), grant->table->name);
    diag_hint(diag, "a log is inserted into and read: take %s out of the grant",
              command_name(grant->command));
}

/* ---- the words of others ---- */

struct moderation {
    bool found;
};

/* `m.role = 'moderator'`, `m.is_admin`: somebody with a right of their own. */
static void
find_moderator(const struct expr *expr, const struct binding *binding, void *data)
{
    struct moderation *moderation = data;

    (void)binding;
    moderation->found |= (expr->kind == EXPR_LITERAL && expr->value) ||
                         (expr->kind == EXPR_COLUMN && type_is_bool(expr->column->type));
}

static bool
is_for_others(const struct branch *branch, const struct column *author, const struct role *role)
{
    struct moderation moderation = {false};

    if (check_is_public(branch) || check_is_gated(branch, role) ||
        check_tie(branch, NULL, author, role) != TIE_NONE)
        return false;
    for (size_t i = 0; i < branch->atoms.n; i++)
        check_walk_bound(branch->atoms.at[i].expr, branch->atoms.at[i].binding, find_moderator,
                         &moderation);
    return !moderation.found;
}

static const struct column *
words_in(const struct grant *grant, struct span *span)
{
    static const char *const words[] = {"body", "content", "text", "message", "comment"};

    for (size_t i = 0; i < grant->table->columns.n; i++) {
        const struct column *column = grant->table->columns.at[i];

        if (!WORD_IS_AMONG(column->name, words) || !access_column(grant->role, column, CMD_UPDATE))
            continue;
        *span = grant_place(grant, column);
        return column;
    }
    return NULL;
}

static void
check_words(struct checker *checker, const struct grant *grant)
{
    static const char *const tables[] = {"message", "comment", "review", "reply",
                                         "answer",  "post",    "chat"};
    const struct column *author = actor_of(grant->table), *column;
    struct writing writing = {checker, grant, NULL, grant->span};
    struct branches rows = {0};

    if (grant->command != CMD_UPDATE || !author || check_is_unique(author) ||
        !HOLDS_ANY(grant->table->name, tables) ||
        check_has_trigger(checker->model, grant->table, CMD_UPDATE) ||
        !check_role_branches(grant->role, grant->table, CMD_UPDATE, false, &rows))
        return;
    column = words_in(grant, &writing.span);
    writing.column = column;
    for (size_t i = 0; column && i < rows.n; i++) {
        struct diag *diag;

        if (!is_for_others(&rows.at[i], author, grant->role) || check_write_is_told(&writing))
            continue;
        diag = diag_at(writing.span, PGS3123_WORDS_OF_OTHERS,
                       "policy \"%s\" lets a caller change \"%s\" of \"%s\" that others wrote: it "
                       "does not compare \"%s\"",
                       rows.at[i].policy->name, column->name, grant->table->name, author->name);
        diag_note(diag, author->span, "who wrote it is here");
        diag_hint(
            diag,
            "take \"%s\" out of the grant, or add `%s = auth.uid()`; a column has a policy of "
            "its own only through a definer function",
            column->name, author->name);
        return;
    }
}

/* ---- a vote that counts twice ---- */

static bool
is_in_key(const struct column *column)
{
    const struct table *table = column->table;

    for (size_t i = 0; i < table->constraints.n; i++) {
        const struct constraint *key = table->constraints.at[i];

        if (key->kind != CONSTRAINT_PRIMARY_KEY && key->kind != CONSTRAINT_UNIQUE)
            continue;
        for (size_t j = 0; j < key->columns.n; j++)
            if (key->columns.at[j] == column)
                return true;
    }
    for (size_t i = 0; i < table->indexes.n; i++)
        for (size_t j = 0; table->indexes.at[i]->unique && j < table->indexes.at[i]->items.n; j++)
            if (table->indexes.at[i]->items.at[j].column == column)
                return true;
    return false;
}

/* What is voted on; NULL: nothing that clients name. */
static const struct column *
voted_on(const struct grant *grant)
{
    for (size_t i = 0; i < grant->table->constraints.n; i++) {
        const struct constraint *key = grant->table->constraints.at[i];

        if (key->kind == CONSTRAINT_FOREIGN_KEY && !key->target->builtin && key->columns.n == 1 &&
            access_column(grant->role, key->columns.at[0], CMD_INSERT))
            return key->columns.at[0];
    }
    return NULL;
}

static bool
is_vote(const char *name)
{
    static const char *const words[] = {"vote", "like", "ballot", "upvote", "reaction"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t word = strlen(words[i]), whole = strlen(name);

        if (whole > 0 && name[whole - 1] == 's')
            whole--;
        if (whole >= word && strncmp(name + whole - word, words[i], word) == 0 &&
            (whole == word || name[whole - word - 1] == '_'))
            return true;
    }
    return false;
}

static void
check_vote(struct checker *checker, const struct grant *grant)
{
    const struct column *actor = actor_of(grant->table), *what;
    struct diag *diag;

    if (grant->command != CMD_INSERT || !is_vote(grant->table->name) || !actor ||
        is_in_key(actor) || check_has_trigger(checker->model, grant->table, CMD_INSERT))
        return;
    what = voted_on(grant);
    if (!what || check_is_told(checker, grant->table->span))
        return;
    diag = diag_at(grant->table->span, PGS3122_VOTES_TWICE,
                   "\"%s\" may insert into \"%s\" as often as they like: no key holds \"%s\"",
                   grant->role->name, grant->table->name, actor->name);
    diag_note(diag, grant->span, "the grant is here");
    diag_hint(diag, "add `unique (%s, %s)`", what->name, actor->name);
}

/* ---- a time limit that callers move ---- */

static bool
is_clock(const struct expr *expr)
{
    static const char *const words[] = {"now", "current_timestamp", "localtimestamp",
                                        "current_date", "clock_timestamp"};

    return expr->kind == EXPR_CALL && !expr->is_auth && WORD_IS_AMONG(expr->name, words);
}

static void
find_clock(const struct expr *expr, const struct binding *binding, void *data)
{
    bool *found = data;

    (void)binding;
    *found |= is_clock(expr);
}

/* `now()`, `now() + interval '1 hour'` */
static bool
is_counted_from_clock(const struct expr *by_default)
{
    bool found = false;

    check_walk_bound(by_default, NULL, find_clock, &found);
    return found;
}

/* `created_at > now() - interval '15 minutes'`, among what the rows must be. */
static bool
is_held_to_clock(const struct branches *rows, const struct column *column)
{
    for (size_t i = 0; i < rows->n; i++)
        for (size_t j = 0; j < rows->at[i].atoms.n; j++) {
            const struct atom *atom = &rows->at[i].atoms.at[j];
            bool clock = false;

            if (!check_names_column(atom, NULL, column))
                continue;
            check_walk_bound(atom->expr, atom->binding, find_clock, &clock);
            if (clock)
                return true;
        }
    return false;
}

static void
check_time(struct checker *checker, const struct grant *grant, const struct column *column)
{
    struct writing writing = {checker, grant, column, grant_place(grant, column)};
    struct branches updated = {0}, deleted = {0};
    struct diag *diag;

    if (!column->default_expr || !is_counted_from_clock(column->default_expr) ||
        !grant_holds_for(grant, column) ||
        check_has_trigger(checker->model, grant->table, grant->command) ||
        !check_role_branches(grant->role, grant->table, CMD_UPDATE, false, &updated) ||
        !check_role_branches(grant->role, grant->table, CMD_DELETE, false, &deleted) ||
        !(is_held_to_clock(&updated, column) || is_held_to_clock(&deleted, column)) ||
        check_write_is_told(&writing))
        return;
    diag = diag_at(writing.span, PGS3125_TIME_MOVES,
                   "\"%s\" may say what \"%s\" of \"%s\" is, and a policy counts the time from it",
                   grant->role->name, column->name, grant->table->name);
    diag_note(diag, column->default_expr->span, "its default is the true time");
    diag_hint(diag, "take \"%s\" out of the grant", column->name);
}

static void
check_times(struct checker *checker, const struct grant *grant)
{
    if (grant->command == CMD_INSERT || grant->command == CMD_UPDATE)
        for (size_t i = 0; i < grant->table->columns.n; i++)
            check_time(checker, grant, grant->table->columns.at[i]);
}

void
check_records(struct checker *checker)
{
    if (checker->guessing)
        return;
    for (size_t i = 0; i < checker->model->grants.n; i++) {
        const struct grant *grant = checker->model->grants.at[i];

        if (grant->table->is_view || !check_is_anybody(grant->role))
            continue;
        check_log(checker, grant);
        check_words(checker, grant);
        check_vote(checker, grant);
        check_times(checker, grant);
    }
}

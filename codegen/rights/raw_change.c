/* SPDX-License-Identifier: MIT */
#include "rights/raw_change.h"

#include <string.h>

static const char same_source[] = "change its declaration: the migration follows from that";

static struct diag *
report(const struct raw_tokens *tokens, size_t first, size_t last, enum diag_code code,
       const char *message, const char *hint)
{
    struct diag *diag = diag_at(raw_from_to(tokens, first, last), code, "%s", message);

    diag_hint(diag, "%s", hint);
    return diag;
}

static size_t
behind(const struct raw_tokens *tokens, size_t i, const char *words, size_t n)
{
    return raw_are(tokens, i, words) ? i + n : i;
}

/* ---- alter table, drop table ---- */

/* What makes the table another than the declared one. */
static size_t
find_change(const struct raw_tokens *tokens, size_t i)
{
    static const char *const words[] = {
        "add column",    "drop column",     "rename",          "set schema",   "type",
        "drop not null", "set not null",    "set default",     "drop default", "drop constraint",
        "drop identity", "drop expression", "detach partition"};
    size_t found = tokens->n;

    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
        size_t at = raw_find(tokens, i, words[w]);

        found = at < found ? at : found;
    }
    return found;
}

static size_t
words_in(const char *words)
{
    size_t n = 1;

    for (; *words; words++)
        n += *words == ' ';
    return n;
}

static void
check_altered(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t at = i + 2, last = 0, change;
    const struct table *table;
    struct diag *diag;

    if (!raw_are(tokens, i, "alter table"))
        return;
    at = behind(tokens, at, "if exists", 2);
    at = behind(tokens, at, "only", 1);
    table = raw_table_named(checker, tokens, at, &last);
    change = find_change(tokens, i);
    if (!table || table->is_view || change == tokens->n)
        return;
    diag = report(tokens, i, change, PGS4310_RAW_CHANGES,
                  arena_printf("raw SQL makes table \"%s\" another than the one that is declared",
                               table->name),
                  same_source);
    diag_note(diag, table->span, "it is declared here");
}

static void
check_dropped(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t at = behind(tokens, i + 2, "if exists", 2), last = 0;
    const struct table *table;
    struct diag *diag;

    if (!raw_are(tokens, i, "drop table"))
        return;
    table = raw_table_named(checker, tokens, at, &last);
    if (!table)
        return;
    diag = report(tokens, i, last, PGS4310_RAW_CHANGES,
                  arena_printf("raw SQL drops \"%s\", which is declared", table->name),
                  "take its declaration away, and write `drop table ...;`, if it is to go");
    diag_note(diag, table->span, "it is declared here");
}

static void
check_type_altered(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    const struct enumeration *type;
    struct diag *diag;

    if ((!raw_are(tokens, i, "alter type") && !raw_are(tokens, i, "drop type")) ||
        i + 2 >= tokens->n)
        return;
    type = check_enumeration_named(checker->model, tokens->at[i + 2].text);
    if (!type)
        return;
    diag = report(tokens, i, i + 2, PGS4310_RAW_CHANGES,
                  arena_printf("raw SQL changes type \"%s\", which is declared", type->name),
                  same_source);
    diag_note(diag, type->span, "it is declared here");
}

static const struct index *
index_named(const struct model *model, const char *name, const struct table **table)
{
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->indexes.n; j++)
            if (strcmp(model->tables.at[i]->indexes.at[j]->name, name) == 0) {
                *table = model->tables.at[i];
                return model->tables.at[i]->indexes.at[j];
            }
    return NULL;
}

static void
check_index_dropped(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t at = behind(tokens, i + 2, "if exists", 2);
    const struct table *table = NULL;
    const struct index *index;
    struct diag *diag;

    if (!raw_are(tokens, i, "drop index"))
        return;
    at = raw_is(tokens, at + 1, ".") ? at + 2 : at;
    index = at < tokens->n ? index_named(checker->model, tokens->at[at].text, &table) : NULL;
    if (!index)
        return;
    diag = report(tokens, i, at, PGS4310_RAW_CHANGES,
                  arena_printf("raw SQL drops an index that \"%s\" declares", table->name),
                  "take it out of the table, if it is to go");
    diag_note(diag, index->span, "it is declared here");
}

/* ---- truncate, delete ---- */

static void
check_emptied(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    bool truncates = raw_is(tokens, i, "truncate");
    size_t at = i + 1, last = 0;
    const struct table *table;

    if (!truncates && !raw_are(tokens, i, "delete from"))
        return;
    at = truncates ? behind(tokens, at, "table", 1) : at + 1;
    table = raw_table_named(checker, tokens, behind(tokens, at, "only", 1), &last);
    if (!table || table->is_view ||
        (!truncates &&
         (raw_find(tokens, i, "where") < tokens->n || raw_find(tokens, i, "using") < tokens->n)))
        return;
    report(tokens, i, last, PGS4311_RAW_EMPTIES,
           arena_printf("raw SQL deletes every row of \"%s\"%s", table->name,
                        raw_find(tokens, i, "cascade") < tokens->n
                            ? ", and of all tables that refer to it"
                            : ""),
           "a migration runs in production, too: say which rows, by `where`");
}

/* ---- statements of their own kind ---- */

static void
check_outside(const struct raw_tokens *tokens, size_t i)
{
    static const char *const begins[] = {"vacuum", "create database", "drop database",
                                         "alter system", "create tablespace"};
    size_t concurrently = raw_find(tokens, i, "concurrently");
    bool index = raw_are(tokens, i, "create index") || raw_are(tokens, i, "create unique index") ||
                 raw_are(tokens, i, "drop index") || raw_is(tokens, i, "reindex");

    if (index && concurrently < tokens->n) {
        report(tokens, concurrently, concurrently, PGS4312_OUTSIDE_TRANSACTION,
               "a migration is one transaction, and nothing can be done concurrently in one",
               "declare the index in its table, or leave the word out");
        return;
    }
    for (size_t b = 0; b < sizeof(begins) / sizeof(begins[0]); b++)
        if (raw_are(tokens, i, begins[b]))
            report(tokens, i, i + words_in(begins[b]) - 1, PGS4312_OUTSIDE_TRANSACTION,
                   "a migration is one transaction, and PostgreSQL refuses this in one",
                   "do it by hand, beside the migration");
}

static void
check_switched_off(const struct raw_tokens *tokens, size_t i)
{
    size_t trigger = raw_find(tokens, i, "disable trigger");
    size_t replica = raw_find(tokens, i, "session_replication_role");

    if (raw_are(tokens, i, "alter table") && trigger < tokens->n)
        report(tokens, trigger, trigger + 1, PGS4313_RAW_SWITCHES_OFF,
               "raw SQL switches triggers off: with `all`, references are no longer checked",
               "leave it out: what is written meanwhile is checked by nobody afterwards");
    else if (raw_is(tokens, i, "set") && replica < tokens->n)
        report(tokens, i, replica, PGS4313_RAW_SWITCHES_OFF,
               "raw SQL switches triggers and the checks of references off",
               "leave it out: what is written meanwhile is checked by nobody afterwards");
}

static void
check_unlogged(const struct raw_tokens *tokens, size_t i)
{
    size_t unlogged = raw_find(tokens, i, "unlogged");

    if (unlogged < tokens->n &&
        (raw_are(tokens, i, "alter table") || raw_are(tokens, i, "create unlogged table")))
        report(tokens, unlogged, unlogged, PGS4314_RAW_UNLOGGED,
               "an unlogged table is empty after a crash, and its changes reach no replica, no "
               "live query and no webhook",
               "leave the word out, unless all of it can be made anew");
}

static void
check_publication(const struct raw_tokens *tokens, size_t i)
{
    size_t all = raw_find(tokens, i, "for all tables");

    if (raw_are(tokens, i, "create publication") && all < tokens->n)
        report(tokens, all, all + 2, PGS4315_RAW_PUBLICATION,
               "whoever reads this publication gets every row and column of every table, those of "
               "tomorrow too: no policy is asked",
               "name the tables and columns: `for table ticket (id, state)`");
}

/* supabase#20780: a column's right cannot be taken from a right on the table. */
static void
check_revoked(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t on = raw_find(tokens, i, "on"), last = 0;
    const struct table *table;
    struct diag *diag;

    if (!raw_is(tokens, i, "revoke") || on == tokens->n)
        return;
    table = raw_table_named(checker, tokens, behind(tokens, on + 1, "table", 1), &last);
    if (!table || table->grants.n == 0)
        return;
    diag = report(tokens, i, last, PGS4316_RAW_REVOKE,
                  raw_is(tokens, i + 2, "(")
                      ? "a right on one column cannot be taken out of a right on its table: this "
                        "changes nothing"
                      : "raw SQL takes back a right that the schema grants",
                  "change the grant: list the columns, `grant select (...)`");
    diag_note(diag, table->grants.at[0]->span, "it is granted here");
}

static void
check_rule(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t at = raw_are(tokens, i, "create or replace") ? i + 3 : i + 1, last = 0;
    size_t to = raw_find(tokens, i, "to");

    if (raw_is(tokens, i, "create") && raw_is(tokens, at, "rule") && to < tokens->n &&
        raw_table_named(checker, tokens, to + 1, &last))
        report(tokens, i, last, PGS4317_RAW_RULE,
               "what a rule does is done with the rights of the table's owner, past the policies",
               "write a trigger");
}

/* ---- create table x as select ... from protected ---- */

static bool
enables_row_security(const struct raw_tokens *tokens, const char *name)
{
    for (size_t i = 0; i + 2 < tokens->n; i++)
        if (raw_are(tokens, i, "enable row level security") && i >= 1 &&
            strcmp(tokens->at[i - 1].text, name) == 0)
            return true;
    return false;
}

static void
check_copied(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t at = behind(tokens, i + 2, "if not exists", 3), from = raw_find(tokens, i, "from");
    size_t as = raw_find(tokens, i, "as"), last = 0;
    const struct table *table;

    if (!raw_are(tokens, i, "create table") || as == tokens->n || from == tokens->n || as > from)
        return;
    if (raw_is(tokens, at + 1, "."))
        at += 2;
    table = raw_table_named(checker, tokens, from + 1, &last);
    if (!table || table->policies.n == 0 || enables_row_security(tokens, tokens->at[at].text))
        return;
    report(
        tokens, i, at, PGS4318_RAW_COPY,
        arena_printf("this copies the rows of \"%s\" into a table without policies", table->name),
        "declare the table, with policies; a backup belongs outside of the database");
}

void
check_raw_changes(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    check_altered(checker, tokens, i);
    check_dropped(checker, tokens, i);
    check_type_altered(checker, tokens, i);
    check_index_dropped(checker, tokens, i);
    check_emptied(checker, tokens, i);
    check_revoked(checker, tokens, i);
    check_rule(checker, tokens, i);
    check_copied(checker, tokens, i);
    if (tokens->at[i].statement < RAW_NESTED)
        check_outside(tokens, i);
    check_switched_off(tokens, i);
    check_unlogged(tokens, i);
    check_publication(tokens, i);
}

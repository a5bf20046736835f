/* SPDX-License-Identifier: MIT */
/*
 * Raw SQL and the bodies of functions in $$, looked through for the words that change rights behind
 * the schema's back (I59).  What they say otherwise is unchecked.
 */
#include "check/checker.h"

#include <string.h>

#include "rights/raw_change.h"

struct span
raw_from_to(const struct raw_tokens *tokens, size_t first, size_t last)
{
    return span_join(tokens->at[first].span, tokens->at[last].span);
}

size_t
raw_last_of(const struct raw_tokens *tokens, size_t i)
{
    size_t last = i;

    while (last + 1 < tokens->n && tokens->at[last + 1].statement == tokens->at[i].statement)
        last++;
    return last;
}

/* ---- transactions ---- */

static bool
ends_transaction(const struct raw_tokens *tokens, size_t i)
{
    bool begins = i == 0 || tokens->at[i - 1].statement != tokens->at[i].statement;

    if (!begins)
        return false;
    return raw_is(tokens, i, "commit") || raw_is(tokens, i, "rollback") ||
           raw_is(tokens, i, "savepoint") || raw_are(tokens, i, "start transaction") ||
           raw_are(tokens, i, "begin transaction") || raw_are(tokens, i, "begin work") ||
           raw_are(tokens, i, "end transaction") ||
           (raw_is(tokens, i, "begin") && raw_last_of(tokens, i) == i);
}

static void
check_transaction(const struct raw_tokens *tokens, size_t i, bool in_function)
{
    struct diag *diag;

    if (!ends_transaction(tokens, i))
        return;
    diag = diag_at(tokens->at[i].span, PGS3220_TRANSACTION,
                   in_function ? "a function cannot begin or end a transaction: it runs inside one"
                               : "a migration is one transaction: `%s` would part it",
                   tokens->at[i].text);
    diag_hint(diag, "leave it out");
}

/* ---- raw SQL ---- */

const struct table *
raw_table_named(const struct checker *checker, const struct raw_tokens *tokens, size_t i,
                size_t *last)
{
    const char *schema = "public", *name;

    if (i >= tokens->n)
        return NULL;
    name = tokens->at[i].text;
    *last = i;
    if (raw_is(tokens, i + 1, ".") && i + 2 < tokens->n) {
        schema = name;
        name = tokens->at[i + 2].text;
        *last = i + 2;
    }
    return check_table_named(checker, schema, name);
}

static size_t
after_or_replace(const struct raw_tokens *tokens, size_t i)
{
    return raw_are(tokens, i, "create or replace") ? i + 3 : i + 1;
}

/* I59; false: nothing to say. */
static bool
check_view_made(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    bool creates = raw_is(tokens, i, "create");
    size_t at = creates ? after_or_replace(tokens, i) : i + 1, last = 0;
    const struct table *view;
    struct diag *diag;

    if ((!creates && !raw_is(tokens, i, "drop") && !raw_is(tokens, i, "alter")) ||
        !raw_is(tokens, at, "view"))
        return false;
    at += raw_are(tokens, at, "view if exists") ? 3 : 1;
    view = raw_table_named(checker, tokens, at, &last);
    if (!view || !view->is_view)
        return false;
    diag = diag_at(raw_from_to(tokens, i, last), PGS3221_RAW_VIEW,
                   creates ? "raw SQL makes view \"%s\" anew: security_invoker would be gone"
                           : "raw SQL changes view \"%s\" behind the schema's back",
                   view->name);
    diag_note(diag, view->span, "the view is declared here");
    diag_hint(diag, "change the view's own line; options, grants and dependent views are written "
                    "again by the plan");
    return true;
}

/* What raw SQL has made, only raw SQL can grant. */
static bool
grants_of_the_schema(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t on = raw_find(tokens, i, "on"), last;

    if (on == tokens->n)
        return true; /* a role, to a role */
    on++;
    if (raw_is(tokens, on, "all"))
        return true;
    if (raw_is(tokens, on, "table"))
        on++;
    return raw_table_named(checker, tokens, on, &last) != NULL ||
           (on < tokens->n && check_function_named(checker->model, tokens->at[on].text));
}

/* grant ... to anon; also of `on schema`, `on all tables`, and of roles. */
static void
check_grant(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    size_t to = raw_find(tokens, i, "to"), last = raw_last_of(tokens, i);
    struct diag *diag;

    if (!raw_is(tokens, i, "grant") || to == tokens->n)
        return;
    for (size_t at = to + 1; at <= last; at++) {
        const char *name = tokens->at[at].text;
        bool is_public = strcmp(name, "public") == 0;

        bool is_open = is_public || strcmp(name, "anon") == 0;

        if (tokens->at[at].kind == RAW_SYMBOL || (!is_public && !check_role_named(checker, name)) ||
            (!is_open && !grants_of_the_schema(checker, tokens, i)))
            continue;
        diag = diag_at(raw_from_to(tokens, i, at), PGS3222_RAW_GRANT,
                       "raw SQL grants rights to %s%s%s that no line of the schema shows",
                       is_public ? "everybody (PUBLIC)" : "\"", is_public ? "" : name,
                       is_public ? "" : "\"");
        diag_hint(diag, "write `grant ... on ... to ...;` in policies/, or `to` of a function: the "
                        "access matrix shows those");
        return;
    }
}

struct rule {
    const char *begins;   /* a statement that begins so */
    const char *contains; /* and holds this; NULL: nothing more */
    enum diag_code code;
    const char *message, *hint;
};

static const struct rule rules[] = {
    {"alter table", "disable row level security", PGS3223_RAW_ROW_SECURITY,
     "raw SQL switches row security off",
     "it is on for every table: a table that is open to all "
     "says `using (public)`"},
    {"alter table", "no force row level security", PGS3223_RAW_ROW_SECURITY,
     "raw SQL frees the owner of row security", "leave it to the compiler"},
    {"create policy", NULL, PGS3224_RAW_POLICY, "raw SQL makes a policy that nothing checks",
     "declare it: `policy name on t for select to r using (...)`; what the grammar lacks stands in "
     "`using ($$ ... $$)`"},
    {"alter policy", NULL, PGS3224_RAW_POLICY, "raw SQL changes a policy",
     "change its declaration"},
    {"drop policy", NULL, PGS3224_RAW_POLICY, "raw SQL drops a policy", "drop its declaration"},
    {"alter", "owner to", PGS3225_RAW_OWNER, "raw SQL changes an owner",
     "one role owns everything, and row security is forced on it"},
    {"reassign owned", NULL, PGS3225_RAW_OWNER, "raw SQL changes owners",
     "one role owns everything, and row security is forced on it"},
    {"alter role", "bypassrls", PGS3225_RAW_OWNER, "raw SQL lets a role pass every policy",
     "service_role does: nobody else should"},
    {"alter role", "superuser", PGS3225_RAW_OWNER, "raw SQL makes a superuser", "leave it out"},
    {"create role", "bypassrls", PGS3225_RAW_OWNER, "raw SQL lets a role pass every policy",
     "service_role does: nobody else should"},
    {"alter default privileges", "grant", PGS3222_RAW_GRANT,
     "raw SQL grants rights on whatever is made later", "grant each thing by its name"},
    {"set role", NULL, PGS3225_RAW_OWNER, "raw SQL takes another role",
     "what it makes then has another owner"},
    {"set session authorization", NULL, PGS3225_RAW_OWNER, "raw SQL takes another role",
     "what it makes then has another owner"},
    {"", "security_invoker = false", PGS3221_RAW_VIEW,
     "raw SQL lets a view read past the policies of its tables",
     "drop it: a view shows what its reader may see"},
    {"", "security_invoker = off", PGS3221_RAW_VIEW,
     "raw SQL lets a view read past the policies of its tables",
     "drop it: a view shows what its reader may see"},
    {"reset role", NULL, PGS3225_RAW_OWNER, "raw SQL takes another role",
     "what it makes then has another owner"},
};

static void
check_rules(const struct raw_tokens *tokens, size_t i)
{
    for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
        size_t found = i;

        if (!raw_are(tokens, i, rules[r].begins))
            continue;
        if (rules[r].contains)
            found = raw_find(tokens, i, rules[r].contains);
        if (found == tokens->n)
            continue;
        diag_hint(diag_at(tokens->at[found].span, rules[r].code, "%s", rules[r].message), "%s",
                  rules[r].hint);
        return;
    }
}

/* create function ... security definer, without a search_path */
static void
check_raw_definer(const struct raw_tokens *tokens, size_t i)
{
    size_t definer = raw_find(tokens, i, "security definer");

    if (!raw_is(tokens, i, "create") || definer == tokens->n ||
        !(raw_is(tokens, after_or_replace(tokens, i), "function") ||
          raw_is(tokens, after_or_replace(tokens, i), "procedure")) ||
        raw_find(tokens, i, "set search_path") < tokens->n)
        return;
    diag_hint(diag_at(raw_from_to(tokens, definer, definer + 1), PGS3226_RAW_DEFINER,
                      "this definer function takes its search_path from whoever calls it"),
              "write `security definer set search_path = ''`; better, declare it: `function ...`");
}

/* ---- bodies of functions ---- */

static const char *const role_words[] = {"set role", "set local role", "set session authorization",
                                         "reset role", "set row_security"};

static void
check_role_change(const struct declared_function *function, const struct raw_tokens *tokens,
                  size_t i)
{
    for (size_t j = 0; j < sizeof(role_words) / sizeof(role_words[0]); j++) {
        if (!raw_are(tokens, i, role_words[j]))
            continue;
        diag_hint(diag_at(tokens->at[i].span, PGS3202_FUNCTION_SETS_ROLE,
                          "function \"%s\" takes another role", function->name),
                  "rights come from `to` and `security definer` alone");
    }
}

/* execute 'select ... ' || x: text of others becomes SQL. */
static void
check_dynamic(const char *where, const struct raw_tokens *tokens, size_t i)
{
    size_t last = raw_last_of(tokens, i), glued = tokens->n;

    if (!raw_is(tokens, i, "execute"))
        return;
    for (size_t at = i; at <= last; at++) {
        bool format = raw_is(tokens, at, "format") && at + 2 <= last &&
                      tokens->at[at + 2].kind == RAW_STRING &&
                      strstr(tokens->at[at + 2].text, "%s");
        bool quoted = raw_is(tokens, at, "quote_ident") || raw_is(tokens, at, "quote_literal") ||
                      raw_is(tokens, at, "quote_nullable");

        if (quoted)
            return;
        if (format || raw_is(tokens, at, "||"))
            glued = glued == tokens->n ? at : glued;
    }
    if (glued == tokens->n)
        return;
    diag_hint(diag_at(tokens->at[glued].span, PGS3227_DYNAMIC_SQL,
                      "%s puts text into SQL as it comes", where),
              "give values by `using`, names by `format('... %%I ...', name)`");
}

void
check_body_text(const struct declared_function *function)
{
    struct raw_tokens tokens;

    if (!function->raw)
        return;
    tokens = raw_text_tokens(function->raw_span);
    for (size_t i = 0; i < tokens.n; i++) {
        bool begins = i == 0 || tokens.at[i - 1].statement != tokens.at[i].statement;
        bool block = raw_is(&tokens, i, "begin");

        if (begins && !block)
            check_transaction(&tokens, i, true);
        else if (i > 0 &&
                 (raw_is(&tokens, i - 1, "begin") || raw_is(&tokens, i - 1, "then") ||
                  raw_is(&tokens, i - 1, "else") || raw_is(&tokens, i - 1, "loop")) &&
                 (raw_is(&tokens, i, "commit") || raw_is(&tokens, i, "rollback")))
            diag_hint(diag_at(tokens.at[i].span, PGS3220_TRANSACTION,
                              "a function cannot begin or end a transaction: it runs inside one"),
                      "leave it out");
        check_role_change(function, &tokens, i);
        if (strcmp(function->language, "plpgsql") == 0)
            check_dynamic(arena_printf("function \"%s\"", function->name), &tokens, i);
    }
}

/* ---- sql $$ ... $$ ---- */

/* Of a statement, also within a block: behind `begin`, `then`, `else`, `loop`. */
static bool
begins_statement(const struct raw_tokens *tokens, size_t i)
{
    if (i == 0 || tokens->at[i - 1].statement != tokens->at[i].statement)
        return true;
    return tokens->at[i].statement >= RAW_NESTED &&
           (raw_is(tokens, i - 1, "begin") || raw_is(tokens, i - 1, "then") ||
            raw_is(tokens, i - 1, "else") || raw_is(tokens, i - 1, "loop"));
}

static void
check_statements(const struct checker *checker, const struct raw_tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) {
        if (!begins_statement(tokens, i))
            continue;
        if (tokens->at[i].statement < RAW_NESTED)
            check_transaction(tokens, i, false);
        if (!check_view_made(checker, tokens, i))
            check_rules(tokens, i);
        check_grant(checker, tokens, i);
        check_raw_changes(checker, tokens, i);
        check_raw_definer(tokens, i);
    }
}

/* execute 'alter table t disable row level security'; what is text is SQL all the same. */
static void
check_executed(const struct checker *checker, const struct raw_tokens *tokens, size_t i)
{
    if (!raw_is(tokens, i, "execute") || tokens->at[i].statement < RAW_NESTED)
        return;
    for (size_t at = i + 1; at <= raw_last_of(tokens, i); at++) {
        struct raw_tokens inner;

        if (tokens->at[at].kind != RAW_STRING)
            continue;
        inner = raw_string_tokens(tokens->at[at].span);
        check_statements(checker, &inner);
    }
    check_dynamic("this block", tokens, i);
}

static void
check_raw_sql(const struct checker *checker, struct span span)
{
    struct raw_tokens tokens = raw_text_tokens(span);

    check_statements(checker, &tokens);
    for (size_t i = 0; i < tokens.n; i++)
        check_executed(checker, &tokens, i);
}

void
check_raw_texts(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->sqls.n; i++)
        check_raw_sql(checker, checker->ast->sqls.at[i]->up.span);
}

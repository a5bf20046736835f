/* SPDX-License-Identifier: MIT */
/*
 * What a function leaves in its session beyond its transaction.  Servers and poolers give the next
 * caller the same session, so that a setting of one decides for another.
 */
#include "check/checker.h"

#include <string.h>

#include "base/words.h"
#include "rights/raw_change.h"

static void
report(struct span span, const char *what, const char *hint)
{
    diag_hint(diag_at(span, PGS3228_LEFT_IN_SESSION,
                      "%s outlives the transaction, and meets the next caller of its connection",
                      what),
              "%s", hint);
}

/* ---- statements ---- */

struct trace {
    const char *begins;
    const char *what, *hint;
};

static const struct trace traces[] = {
    /* these end with the transaction, or are found by raw_sql.c */
    {"set local", NULL, NULL},
    {"set constraints", NULL, NULL},
    {"set transaction", NULL, NULL},
    {"set role", NULL, NULL},
    {"set session authorization", NULL, NULL},
    {"set row_security", NULL, NULL},
    {"reset role", NULL, NULL},
    {"set", "`set`", "write `set local`, or `set name = value` as a clause of the function"},
    {"reset", "`reset`", "leave it out: what `set local` has set ends by itself"},
    {"listen", "`listen`", "a live query tells its subscribers of changes"},
    {"unlisten", "`unlisten`", "leave it out"},
    {"prepare", "`prepare`", "write `execute ... using`: PL/pgSQL keeps plans by itself"},
    {"deallocate", "`deallocate`", "leave it out: the server's own statements would go"},
    {"discard", "`discard`", "leave it out"},
    {"load", "`load`", "set session_preload_libraries for the role"},
};

/* Of a statement, also within a block. */
static bool
begins_statement(const struct raw_tokens *tokens, size_t i)
{
    return i == 0 || tokens->at[i - 1].statement != tokens->at[i].statement ||
           raw_is(tokens, i - 1, "begin") || raw_is(tokens, i - 1, "then") ||
           raw_is(tokens, i - 1, "else") || raw_is(tokens, i - 1, "loop");
}

/* `set := 1`, `then load else`: a variable of that name. */
static bool
is_command(const struct raw_tokens *tokens, size_t i)
{
    static const char *const others[] = {"else", "end", "when", "and", "or"};

    return i + 1 < tokens->n && tokens->at[i + 1].kind != RAW_SYMBOL &&
           tokens->at[i + 1].statement == tokens->at[i].statement &&
           !WORD_IS_AMONG(tokens->at[i + 1].text, others);
}

static void
find_command(const struct raw_tokens *tokens, size_t i)
{
    for (size_t t = 0; t < sizeof(traces) / sizeof(traces[0]); t++) {
        const struct trace *trace = &traces[t];

        if (!raw_are(tokens, i, trace->begins))
            continue;
        if (is_command(tokens, i) && trace->what)
            report(tokens->at[i].span, trace->what, trace->hint);
        return;
    }
}

/* `create [or replace] [local] temp ...`, or of a name in pg_temp. */
static bool
creates_temporary(const struct raw_tokens *tokens, size_t i)
{
    static const char *const before[] = {"create", "replace", "local", "global"};

    if (!raw_is(tokens, i, "create"))
        return false;
    for (size_t at = i + 1; at < tokens->n && tokens->at[at].statement == tokens->at[i].statement;
         at++) {
        if (raw_is(tokens, at, "(") || raw_is(tokens, at, "as"))
            return false;
        if (raw_is(tokens, at, "pg_temp") ||
            ((raw_is(tokens, at, "temp") || raw_is(tokens, at, "temporary")) &&
             WORD_IS_AMONG(tokens->at[at - 1].text, before)))
            return true;
    }
    return false;
}

static void
find_temporary(const struct raw_tokens *tokens, size_t i)
{
    if (!creates_temporary(tokens, i))
        return;
    if (raw_find(tokens, i, "table") == tokens->n)
        report(tokens->at[i].span, "what is temporary", "only a table can be `on commit drop`");
    else if (raw_find(tokens, i, "on commit drop") == tokens->n)
        report(tokens->at[i].span, "a temporary table", "add `on commit drop`");
}

/* ---- calls ---- */

/* Where the parenthesis at `open` closes; the last token where it does not. */
static size_t
closing(const struct raw_tokens *tokens, size_t open)
{
    int depth = 0;
    size_t at = open;

    for (; at + 1 < tokens->n; at++) {
        depth += raw_is(tokens, at, "(") ? 1 : raw_is(tokens, at, ")") ? -1 : 0;
        if (depth == 0)
            break;
    }
    return at;
}

static void
find_call(const struct raw_tokens *tokens, size_t i)
{
    const char *lock;
    size_t last;

    if (tokens->at[i].kind != RAW_WORD || !raw_is(tokens, i + 1, "("))
        return;
    lock = check_session_lock(tokens->at[i].text);
    last = closing(tokens, i + 1);
    if (lock)
        report(tokens->at[i].span, arena_printf("the lock of %s()", tokens->at[i].text),
               arena_printf("write `%s`", lock));
    else if (strcmp(tokens->at[i].text, "set_config") == 0 && !raw_is(tokens, last - 1, "true"))
        report(raw_from_to(tokens, i, last), "this setting", "write `true` as the last argument");
}

/* ---- texts ---- */

/* `grant execute on`, `execute function`: no text. */
static bool
executes(const struct raw_tokens *tokens, size_t i)
{
    return raw_is(tokens, i, "execute") && !raw_is(tokens, i + 1, "on") &&
           !raw_is(tokens, i + 1, "function") && !raw_is(tokens, i + 1, "procedure");
}

/* execute 'select 1' [using ... | into ...]: its text is there to be read. */
static bool
executes_constant(const struct raw_tokens *tokens, size_t i)
{
    return executes(tokens, i) && i + 1 < tokens->n && tokens->at[i + 1].kind == RAW_STRING &&
           (i + 1 == raw_last_of(tokens, i) || raw_is(tokens, i + 2, "using") ||
            raw_is(tokens, i + 2, "into"));
}

/* Variables are declared from `declare` to `begin`, and may have any name. */
static void
check_tokens(const struct raw_tokens *tokens, bool of_functions)
{
    bool declares = false, in_function = of_functions;

    for (size_t i = 0; i < tokens->n; i++) {
        bool begins = begins_statement(tokens, i);
        bool nested = of_functions || tokens->at[i].statement >= RAW_NESTED;

        if (begins && !nested)
            in_function = raw_is(tokens, i, "create");
        if (!in_function || !nested)
            continue;
        if (begins && raw_is(tokens, i, "declare"))
            declares = true;
        else if (raw_is(tokens, i, "begin"))
            declares = false;
        if (begins && !declares) {
            find_command(tokens, i);
            find_temporary(tokens, i);
        }
        find_call(tokens, i);
        if (raw_are(tokens, i, "cursor with hold"))
            report(raw_from_to(tokens, i, i + 2), "a cursor `with hold`", "leave out `with hold`");
        if (executes(tokens, i) && i + 1 < tokens->n) {
            struct raw_tokens inner = raw_string_tokens(tokens->at[i + 1].span);

            check_tokens(&inner, true);
        }
    }
}

/* A text that is put together as it runs, or is of a language that is not read. */
static bool
hides_something(const struct raw_tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) {
        if (executes(tokens, i) && !executes_constant(tokens, i))
            return true;
        if (raw_is(tokens, i, "language") && !raw_is(tokens, i + 1, "sql") &&
            !raw_is(tokens, i + 1, "plpgsql"))
            return true;
    }
    return false;
}

/* Whatever hides something may be run by a write: triggers call functions, and so do defaults. */
void
check_sessions(struct checker *checker)
{
    struct model *model = checker->model;
    struct raw_tokens tokens;

    for (size_t i = 0; i < model->functions.n; i++) {
        if (!model->functions.at[i]->raw)
            continue;
        tokens = raw_text_tokens(model->functions.at[i]->raw_span);
        check_tokens(&tokens, true);
        model->writes_leave_traces |= hides_something(&tokens);
    }
    for (size_t i = 0; i < checker->ast->sqls.n; i++) {
        tokens = raw_text_tokens(checker->ast->sqls.at[i]->up.span);
        check_tokens(&tokens, false);
        model->writes_leave_traces |= hides_something(&tokens);
    }
}

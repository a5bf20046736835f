/* SPDX-License-Identifier: MIT */
/*
 * Definer functions in $$.  Their bodies are not parsed, but a body without one word about the
 * caller cannot ask for him, and a table is read where its name follows `from`.
 */
#include "rights/definer.h"

#include <string.h>

#include "rights/raw_text.h"

/* ---- who calls ---- */

static bool
is_word_of(const struct raw_tokens *tokens, size_t i)
{
    return tokens->at[i].kind == RAW_WORD || tokens->at[i].kind == RAW_NAME;
}

/* auth.uid() that is not only asked whether it is there */
static bool
asks_auth(const struct raw_tokens *tokens, size_t i)
{
    if (!raw_are(tokens, i, "auth ."))
        return false;
    return !raw_are(tokens, i + 2, "uid ( ) is null") &&
           !raw_are(tokens, i + 2, "uid ( ) is not null");
}

/* What it calls may ask. */
static bool
calls_another(const struct checker *checker, const struct declared_function *function,
              const struct raw_tokens *tokens, size_t i)
{
    const struct declared_function *called;

    if (!is_word_of(tokens, i) || !raw_is(tokens, i + 1, "("))
        return false;
    called = check_function_named(checker->model, tokens->at[i].text);
    return called && called != function;
}

static bool
asks(const struct checker *checker, const struct declared_function *function,
     const struct raw_tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++)
        if (asks_auth(tokens, i) || raw_are(tokens, i, "claim .") ||
            raw_are(tokens, i, "pgstack_policy .") || raw_is(tokens, i, "current_setting") ||
            calls_another(checker, function, tokens, i))
            return true;
    return false;
}

/* ---- what it touches ---- */

static bool
command_before(const struct raw_tokens *tokens, size_t i, enum command *command)
{
    *command = CMD_SELECT;
    if (raw_is(tokens, i - 1, "update"))
        *command = CMD_UPDATE;
    else if (i > 1 && raw_are(tokens, i - 2, "insert into"))
        *command = CMD_INSERT;
    else if (i > 1 && raw_are(tokens, i - 2, "delete from"))
        *command = CMD_DELETE;
    return *command != CMD_SELECT || raw_is(tokens, i - 1, "from") || raw_is(tokens, i - 1, "join");
}

/* The table whose name begins at i; `*last`: its last token. */
static const struct table *
table_at(const struct checker *checker, const struct raw_tokens *tokens, size_t i, size_t *last)
{
    *last = i;
    if (!is_word_of(tokens, i))
        return NULL;
    if (!raw_is(tokens, i + 1, ".") || i + 2 >= tokens->n)
        return check_table_named(checker, "public", tokens->at[i].text);
    *last = i + 2;
    return check_table_named(checker, tokens->at[i].text, tokens->at[i + 2].text);
}

static bool
is_param(const struct declared_function *function, const struct raw_tokens *tokens, size_t i)
{
    for (size_t p = 0; i < tokens->n && p < function->params.n; p++)
        if (is_word_of(tokens, i) && strcmp(function->params.at[p]->name, tokens->at[i].text) == 0)
            return true;
    return false;
}

/* user_id = p_user, m.user_id = p_user */
static const struct owner *
believed_owner(const struct declared_function *function, const struct owners *owners,
               const struct raw_tokens *tokens, size_t *param)
{
    for (size_t i = 0; i + 2 < tokens->n; i++)
        for (size_t j = 0; j < owners->n; j++)
            if (is_word_of(tokens, i) && raw_is(tokens, i + 1, "=") &&
                strcmp(owners->at[j].column->name, tokens->at[i].text) == 0 &&
                is_param(function, tokens, i + 2)) {
                *param = i + 2;
                return &owners->at[j];
            }
    return NULL;
}

static void
report(const struct declared_function *function, const struct raw_tokens *tokens, size_t first,
       size_t last, const struct owners *owners, enum command command)
{
    size_t param = 0;
    const struct owner *owner = believed_owner(function, owners, tokens, &param);

    if (owner)
        check_report_believing(function, owner, tokens->at[param].span, command);
    else
        check_report_asking_nobody(function, &owners->at[0],
                                   span_join(tokens->at[first].span, tokens->at[last].span),
                                   command);
}

/* `pgstack.users`, in a function whose caller says of whom. */
static bool
check_users(const struct declared_function *function, const struct raw_tokens *tokens, size_t i)
{
    bool chosen = false;

    if (!raw_are(tokens, i, "pgstack . users"))
        return false;
    for (size_t j = 0; j < tokens->n; j++)
        chosen |= is_param(function, tokens, j);
    return chosen &&
           check_tells_users(function, span_join(tokens->at[i].span, tokens->at[i + 2].span));
}

void
check_definer_text(const struct checker *checker, const struct declared_function *function)
{
    struct raw_tokens tokens = raw_text_tokens(function->raw_span);

    if (function->roles.n == 0 || function->returns_trigger || asks(checker, function, &tokens))
        return;
    for (size_t i = 1; i < tokens.n; i++) {
        struct owners owners = {0};
        const struct table *table;
        enum command command;
        size_t last;

        if (!command_before(&tokens, i, &command))
            continue;
        if (check_users(function, &tokens, i))
            return;
        if (!(table = table_at(checker, &tokens, i, &last)) || table->is_view ||
            check_is_unknown(table) || !check_owners(table, command, &owners) || owners.n == 0)
            continue;
        report(function, &tokens, i, last, &owners, command);
        return;
    }
}

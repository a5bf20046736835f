/* SPDX-License-Identifier: MIT */
/*
 * Requests that a body in $$ sends, by an extension such as pg_net: an address that the row or the
 * caller says leads into the network of the database, too.
 */
#include "rights/definer.h"

#include <string.h>

#include "base/words.h"
#include "rights/raw_change.h"
#include "rights/raw_text.h"

static bool
sends(const struct raw_tokens *tokens, size_t i)
{
    static const char *const words[] = {"http_post",   "http_get", "http_put",  "http_patch",
                                        "http_delete", "dblink",   "http_head", "dblink_connect"};

    return tokens->at[i].kind == RAW_WORD && WORD_IS_AMONG(tokens->at[i].text, words) &&
           raw_is(tokens, i + 1, "(");
}

/* The first token of the address: behind `(`, `(url :=` or `(url =>`. */
static size_t
address_at(const struct raw_tokens *tokens, size_t i)
{
    return raw_are(tokens, i + 2, "url : =") || raw_are(tokens, i + 2, "url = >") ? i + 5 : i + 2;
}

static bool
is_argument(const struct declared_function *function, const struct raw_token *token)
{
    for (size_t i = 0; i < function->params.n; i++)
        if ((token->kind == RAW_WORD || token->kind == RAW_NAME) &&
            strcmp(function->params.at[i]->name, token->text) == 0)
            return true;
    return false;
}

static void
check_address(const struct declared_function *function, const struct raw_tokens *tokens, size_t at)
{
    bool is_row = raw_are(tokens, at, "new .") || raw_are(tokens, at, "old .");
    struct diag *diag;

    if (at >= tokens->n || (!is_row && !is_argument(function, &tokens->at[at])))
        return;
    diag = diag_at(is_row && at + 2 < tokens->n ? raw_from_to(tokens, at, at + 2)
                                                : tokens->at[at].span,
                   PGS4301_TARGET_FROM_ROW,
                   "function \"%s\" sends a request where %s says: into the network of the "
                   "database, too",
                   function->name, is_row ? "the row" : "its caller");
    diag_hint(diag,
              "write the address, or use a webhook `to env HOOK_URL`; a receiver of yours can "
              "pass it on, after a look at the address");
}

void
check_requests_text(const struct declared_function *function)
{
    struct raw_tokens tokens;

    if (!function->raw)
        return;
    tokens = raw_text_tokens(function->raw_span);
    for (size_t i = 0; i < tokens.n; i++)
        if (sends(&tokens, i))
            check_address(function, &tokens, address_at(&tokens, i));
}
